//! What netlink tells unasked: links that come, go, rise and fall (`RTNLGRP_LINK`), what ethtool sets, devices of devlink,
//! and clock circuits that lock or are lost.
//!
//! Carrier, master, address and MTU change without a uevent; rtnetlink tells of each.

use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvmsg,
    setsockopt, socket, sockopt,
};

use crate::io::netlink::attribute::Attributes;
use crate::io::netlink::generic::Family;
use crate::io::netlink::link;
use crate::io::netlink::message::{Message, Messages};
use crate::io::{devlink, dpll};
use crate::watch::Notice;

/// Linux: 1 is `RTNLGRP_LINK`.
const LINK_GROUP: u32 = 1;

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;

/// Room for some thousand messages; memory is only taken when used.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Longer than what is told of one link.
const MESSAGE_BYTES: usize = 64 << 10;

/// Command, version and two bytes that are not used.
const GENERIC_HEADER: usize = 4;

/// `DPLL_CMD_PIN_CHANGE_NTF`.
const PIN_CHANGE_NTF: u8 = 12;

/// More than any machine has, so that memory stays bounded.
const PINS_MAX: usize = 4096;

/// The family of messages about the link itself; the bridge and IPv6 send others of their own.
const AF_UNSPEC: u8 = 0;

/// A socket that hears from when it was opened. It never blocks; poll its descriptor.
#[derive(Debug)]
pub struct Monitor {
    fd: OwnedFd,
    source: Source,
    buffer: Vec<u8>,
}

/// What is listened to.
#[derive(Debug)]
enum Source {
    Links,
    /// Settings of links.
    Ethtool,
    Devlink,
    /// With each pin as it was last told, levels left out: a driver may tell twice a second that a phase has moved.
    Dplls(BTreeMap<u32, dpll::Pin>),
}

/// Families of generic netlink, and the group in which each tells of changes.
const FAMILIES: [(&str, &str); 3] = [
    ("ethtool", "monitor"),
    ("devlink", "config"),
    ("dpll", "monitor"),
];

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something changed.
    Notice(Notice),
    /// There were more messages than the socket had room for.
    Lost,
    /// Nothing, for now.
    Nothing,
}

impl Monitor {
    /// Listens from now on to all that this kernel has.
    ///
    /// # Errors
    /// When a sandbox forbids it.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all = vec![Self::open(
            SockProtocol::NetlinkRoute,
            LINK_GROUP,
            Source::Links,
        )?];
        for (name, group) in FAMILIES {
            let Some(group) = Family::find(name)?.and_then(|family| family.group(group)) else {
                continue;
            };
            let source = match name {
                "ethtool" => Source::Ethtool,
                "devlink" => Source::Devlink,
                _ => Source::Dplls(BTreeMap::new()),
            };
            all.push(Self::open(SockProtocol::NetlinkGeneric, group, source)?);
        }
        Ok(all)
    }

    fn open(protocol: SockProtocol, group: u32, source: Source) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
        if setsockopt(&fd, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
            setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES)?;
        }
        // Groups beyond 32 have no bit in an address.
        if group <= 32 {
            bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 1 << (group - 1)))?;
        } else {
            bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
            crate::io::sys::network::join_netlink_group(&fd, group)?;
        }
        Ok(Self {
            fd,
            source,
            buffer: vec![0; MESSAGE_BYTES],
        })
    }

    /// All of the next datagram that concerns hardware.
    ///
    /// # Errors
    /// When the socket is broken.
    pub fn receive(&mut self) -> io::Result<Heard> {
        loop {
            match self.datagram() {
                Ok(Some(notice)) => return Ok(Heard::Notice(notice)),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(Heard::Nothing),
                Err(Errno::ENOBUFS) => return Ok(Heard::Lost),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn datagram(&mut self) -> Result<Option<Notice>, Errno> {
        let mut parts = [IoSliceMut::new(&mut self.buffer)];
        let fd = self.fd.as_raw_fd();
        let datagram = recvmsg::<NetlinkAddr>(fd, &mut parts, None, MsgFlags::MSG_DONTWAIT)?;
        let kernel = datagram.address.is_some_and(|address| address.pid() == 0);
        let length = datagram.bytes;
        let bytes = self
            .buffer
            .get(..length)
            .filter(|_| kernel)
            .unwrap_or_default();
        let source = &mut self.source;
        Ok(Messages::of(bytes).find_map(|message| source.notice(&message)))
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Source {
    /// What a message tells, if it concerns hardware.
    fn notice(&mut self, message: &Message<'_>) -> Option<Notice> {
        let generic = message.payload.get(GENERIC_HEADER..);
        match self {
            Self::Links => of_link(message),
            Self::Ethtool => {
                let header = Attributes::of(generic?).find(|part| part.kind == 1)?;
                let name = header.nested().find(|part| part.kind == 2)?.text()?;
                Some(Notice::Link {
                    name,
                    removed: false,
                })
            }
            Self::Devlink => Some(Notice::Devlink {
                id: devlink::parse_device(generic?)?.id,
            }),
            Self::Dplls(pins) => of_dpll(*message.payload.first()?, generic?, pins),
        }
    }
}

/// A circuit's message always tells something; a pin's only if more than its levels differ.
fn of_dpll(command: u8, row: &[u8], pins: &mut BTreeMap<u32, dpll::Pin>) -> Option<Notice> {
    if command != PIN_CHANGE_NTF {
        let id = Attributes::of(row).find(|part| part.kind == 1)?.small()?;
        return Some(Notice::Dpll { id });
    }
    let mut pin = dpll::parse_pin(row)?;
    pin.frequency_offset = None;
    for parent in &mut pin.parents {
        parent.phase_offset_fs = None;
    }
    let id = pin.id;
    if pins.len() >= PINS_MAX {
        pins.clear();
    }
    let before = pins.insert(id, pin);
    let changed = before.as_ref() != pins.get(&id);
    changed.then_some(Notice::Dpll { id })
}

fn of_link(message: &Message<'_>) -> Option<Notice> {
    let removed = match message.kind {
        RTM_NEWLINK => false,
        RTM_DELLINK => true,
        _ => return None,
    };
    if message.payload.first() != Some(&AF_UNSPEC) {
        return None;
    }
    let name = link::parse(message.payload)?.name;
    Some(Notice::Link { name, removed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::netlink::attribute::Request;

    fn told(source: &mut Source, kind: u16, payload: &[u8]) -> Option<Notice> {
        source.notice(&Message {
            kind,
            flags: 0,
            sequence: 0,
            port: 0,
            payload,
        })
    }

    #[test]
    fn a_link_is_told_by_its_name_and_messages_of_the_bridges_own_are_not() {
        let link = |family: u8| {
            let head = [&[family, 0, 1, 0][..], &7_u32.to_ne_bytes(), &[0; 8]].concat();
            [
                &head[..],
                Request::default().with_text(3, "eth0").as_bytes(),
            ]
            .concat()
        };
        let name = || "eth0".to_owned();
        let mut source = Source::Links;
        let risen = Notice::Link {
            name: name(),
            removed: false,
        };
        assert_eq!(told(&mut source, RTM_NEWLINK, &link(0)), Some(risen));
        let gone = Notice::Link {
            name: name(),
            removed: true,
        };
        assert_eq!(told(&mut source, RTM_DELLINK, &link(0)), Some(gone));
        assert_eq!(told(&mut source, RTM_NEWLINK, &link(7)), None);
        assert_eq!(told(&mut source, 99, &link(0)), None);
        assert_eq!(told(&mut source, RTM_NEWLINK, &[]), None);
    }

    #[test]
    fn a_pin_whose_phase_alone_has_moved_tells_nothing_new() {
        let pin = |state: u32, phase: i64| {
            let parent = Request::default()
                .with_u32(2, 1)
                .with_u32(16, state)
                .with(23, &phase.to_ne_bytes());
            let row = Request::default().with_u32(1, 4).with_nested(18, &parent);
            [&[PIN_CHANGE_NTF, 1, 0, 0], row.as_bytes()].concat()
        };
        let mut source = Source::Dplls(BTreeMap::new());
        let news = Some(Notice::Dpll { id: 4 });
        assert_eq!(told(&mut source, 30, &pin(1, 100)), news);
        assert_eq!(told(&mut source, 30, &pin(1, 101)), None);
        assert_eq!(told(&mut source, 30, &pin(2, 101)), news);
        let device = [&[6, 1, 0, 0], Request::default().with_u32(1, 4).as_bytes()].concat();
        assert_eq!(told(&mut source, 30, &device), news);
        assert_eq!(told(&mut source, 30, &device), news);
        assert_eq!(told(&mut source, 30, &[6]), None);
    }

    #[test]
    fn settings_and_devices_are_told_by_their_names() {
        let header = Request::default().with_text(2, "eth0");
        let set = [
            &[3, 1, 0, 0],
            Request::default().with_nested(1, &header).as_bytes(),
        ]
        .concat();
        let link = Notice::Link {
            name: "eth0".into(),
            removed: false,
        };
        assert_eq!(told(&mut Source::Ethtool, 30, &set), Some(link));
        let device = Request::default()
            .with_text(1, "pci")
            .with_text(2, "0000:51:00.0");
        let device = [&[3, 1, 0, 0], device.as_bytes()].concat();
        let id = "pci/0000:51:00.0".to_owned();
        assert_eq!(
            told(&mut Source::Devlink, 30, &device),
            Some(Notice::Devlink { id })
        );
        assert_eq!(told(&mut Source::Devlink, 30, &set), None);
    }

    #[test]
    fn this_host_is_listened_to_without_waiting() {
        for monitor in &mut Monitor::all().unwrap() {
            while monitor.receive().unwrap() != Heard::Nothing {}
        }
    }
}
