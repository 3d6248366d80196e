//! What netlink tells unasked: links that come, go, rise and fall (`RTNLGRP_LINK`), and DPLLs that lock or are lost.
//!
//! Carrier, master, address and MTU change without a uevent; rtnetlink tells of each.

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
use crate::watch::Notice;

/// Linux: 1 is `RTNLGRP_LINK`.
const LINK_GROUP: u32 = 1;

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;

/// Room for some thousand messages; memory is only taken when used.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Longer than what is told of one link.
const MESSAGE_BYTES: usize = 64 << 10;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Links,
    Dplls,
}

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
    /// Listens to links from now on.
    ///
    /// # Errors
    /// When this kernel has no such socket, or a sandbox forbids it.
    pub fn links() -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkRoute, LINK_GROUP, Source::Links)
    }

    /// Listens to DPLLs from now on; `None` where the kernel has none.
    ///
    /// # Errors
    /// As of [`Monitor::links`].
    pub fn dplls() -> io::Result<Option<Self>> {
        let group = Family::find("dpll")?.and_then(|family| family.group("monitor"));
        group
            .map(|group| Self::open(SockProtocol::NetlinkGeneric, group, Source::Dplls))
            .transpose()
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
            crate::io::sys::join_netlink_group(&fd, group)?;
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
        let (length, source) = (datagram.bytes, self.source);
        let bytes = self
            .buffer
            .get(..length)
            .filter(|_| kernel)
            .unwrap_or_default();
        Ok(Messages::of(bytes).find_map(|message| notice(source, &message)))
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What a message tells, if it concerns hardware.
fn notice(source: Source, message: &Message<'_>) -> Option<Notice> {
    match source {
        Source::Links => of_link(message),
        Source::Dplls => Some(Notice::Dpll {
            id: Attributes::of(message.payload.get(4..)?)
                .find(|part| part.kind == 1)?
                .small()?,
        }),
    }
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
