//! Generic netlink: families that are found by name (`Documentation/userspace-api/netlink/intro.rst`,
//! `include/uapi/linux/genetlink.h`).

use std::io;

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;

use super::Socket;
use super::attribute::{Attributes, Request};

/// `GENL_ID_CTRL`, and what it answers.
const CONTROLLER: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

/// Command, version and two bytes that are not used.
const HEADER: usize = 4;

/// One family, with the socket on which it is asked.
#[derive(Debug)]
pub(crate) struct Family {
    socket: Socket,
    id: u16,
    groups: Vec<(String, u32)>,
}

impl Family {
    /// The family called `name`; `None` when the kernel does not have it.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    pub(crate) fn find(name: &str) -> io::Result<Option<Self>> {
        let mut socket = match Socket::open(SockProtocol::NetlinkGeneric) {
            Err(error) if error.raw_os_error() == Some(libc::EPROTONOSUPPORT) => return Ok(None),
            socket => socket?,
        };
        let request = Request::default().with_text(CTRL_ATTR_FAMILY_NAME, name);
        let (mut id, mut groups) = (None, Vec::new());
        let told = socket.get(
            CONTROLLER,
            &framed(CTRL_CMD_GETFAMILY, &request),
            &mut |payload| {
                for attribute in attributes(payload) {
                    match attribute.kind {
                        CTRL_ATTR_FAMILY_ID => id = attribute.number(),
                        CTRL_ATTR_MCAST_GROUPS => groups = self::groups(attribute.nested()),
                        _ => {}
                    }
                }
            },
        );
        match told {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
            told => told?,
        }
        let id = id.and_then(|id| u16::try_from(id).ok());
        let id = id.ok_or(Errno::EBADMSG)?;
        Ok(Some(Self { socket, id, groups }))
    }

    /// The number of a multicast group.
    pub(crate) fn group(&self, name: &str) -> Option<u32> {
        let mut groups = self.groups.iter();
        groups.find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    /// Asks for one thing: the attributes of the answer.
    ///
    /// # Errors
    /// As of [`Socket::get`].
    pub(crate) fn get(&mut self, command: u8, request: &Request) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        let each = &mut |payload: &[u8]| answer.extend(payload.get(HEADER..).unwrap_or_default());
        self.socket.get(self.id, &framed(command, request), each)?;
        Ok(answer)
    }

    /// Asks for a list: the attributes of each row.
    ///
    /// # Errors
    /// As of [`Socket::list`].
    pub(crate) fn list(&mut self, command: u8, request: &Request) -> io::Result<Vec<Vec<u8>>> {
        let mut rows = self.socket.list(self.id, &framed(command, request))?;
        for row in &mut rows {
            row.drain(..HEADER.min(row.len()));
        }
        Ok(rows)
    }
}

fn framed(command: u8, request: &Request) -> Vec<u8> {
    [&[command, 1, 0, 0], request.as_bytes()].concat()
}

fn attributes(payload: &[u8]) -> Attributes<'_> {
    Attributes::of(payload.get(HEADER..).unwrap_or_default())
}

fn groups(list: Attributes<'_>) -> Vec<(String, u32)> {
    list.filter_map(|group| {
        let mut parts = group.nested();
        let name = parts
            .clone()
            .find(|part| part.kind == CTRL_ATTR_MCAST_GRP_NAME)?;
        let id = parts.find(|part| part.kind == CTRL_ATTR_MCAST_GRP_ID)?;
        Some((name.text()?, id.small()?))
    })
    .collect()
}
