//! The kernel's uevents as they happen, from a netlink socket (`lib/kobject_uevent.c`, netlink(7)).
//!
//! Listening takes no right. Only the kernel's own messages count: the sender's port is 0 and its
//! credentials are those of process 0, which no program can forge.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType,
    UnixCredentials, bind, recvmsg, setsockopt, socket, sockopt,
};

use crate::watch::Uevent;

/// The multicast group of the kernel's messages; udev's own are in group 2.
const KERNEL_GROUP: u32 = 1;

/// Room for some thousand events, such as a card with all its virtual functions; memory is only taken when used.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;

/// The kernel's messages end at `UEVENT_BUFFER_SIZE` (2048) and their head.
const MESSAGE_BYTES: usize = 8 << 10;

/// A socket that hears every uevent from when it was opened. It never blocks; poll its descriptor.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An event.
    Event(Uevent),
    /// There were more events than the socket had room for: some are lost, and all may have changed.
    Lost,
    /// Nothing, for now.
    Nothing,
}

impl Socket {
    /// Listens from now on.
    ///
    /// # Errors
    /// When this kernel has no such socket, or a sandbox forbids it.
    pub fn open() -> io::Result<Self> {
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Datagram,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkKObjectUEvent,
        )?;
        setsockopt(&fd, sockopt::PassCred, &true)?;
        // Above the limit of the host takes a right; within it does not.
        if setsockopt(&fd, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
            setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES)?;
        }
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, KERNEL_GROUP))?;
        Ok(Self { fd })
    }

    /// The next event. What is none, or is not from the kernel, is passed over.
    ///
    /// # Errors
    /// When the socket is broken.
    pub fn receive(&self) -> io::Result<Heard> {
        let mut buffer = [0_u8; MESSAGE_BYTES];
        loop {
            match self.message(&mut buffer) {
                Ok(Some(event)) => return Ok(Heard::Event(event)),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(Heard::Nothing),
                Err(Errno::ENOBUFS) => return Ok(Heard::Lost),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn message(&self, buffer: &mut [u8]) -> Result<Option<Uevent>, Errno> {
        let mut control = cmsg_space!(UnixCredentials);
        let mut parts = [IoSliceMut::new(buffer)];
        let fd = self.fd.as_raw_fd();
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<NetlinkAddr>(fd, &mut parts, Some(&mut control), flags)?;
        let port = message.address.map(|address| address.pid());
        let kernel = message.cmsgs()?.any(|item| {
            matches!(item, ControlMessageOwned::ScmCredentials(sender)
                if sender.pid() == 0 && sender.uid() == 0)
        });
        let whole = !message.flags.contains(MsgFlags::MSG_TRUNC);
        let length = message.bytes;
        if port != Some(0) || !kernel || !whole {
            return Ok(None);
        }
        Ok(buffer.get(..length).and_then(Uevent::parse))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use nix::sys::socket::{getsockname, sendto};

    use super::*;

    #[test]
    fn what_a_program_sends_is_no_event_of_the_kernels() {
        let socket = Socket::open().unwrap();
        let address: NetlinkAddr = getsockname(socket.fd.as_raw_fd()).unwrap();
        let forger = Socket::open().unwrap();
        let forged = b"add@/devices/forged\0SUBSYSTEM=pci\0SEQNUM=1\0";
        let to = NetlinkAddr::new(address.pid(), 0);
        let sent = sendto(forger.fd.as_raw_fd(), forged, &to, MsgFlags::empty());
        if sent == Err(Errno::EPERM) {
            let mut err = io::stderr();
            writeln!(err, "SKIPPED: only root may send to a uevent socket").unwrap();
            return;
        }
        sent.unwrap();
        // Events of the host may come in between; the forged one never does.
        loop {
            match socket.receive().unwrap() {
                Heard::Event(event) => assert_ne!(event.devpath, "/devices/forged"),
                Heard::Lost => {}
                Heard::Nothing => return,
            }
        }
    }
}
