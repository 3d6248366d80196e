//! Questions to the kernel over netlink, one at a time and blocking (`Documentation/userspace-api/netlink/intro.rst`).
//!
//! A request is answered in the thread that sends it, under locks that a driver may hold for ever; so a
//! receive timeout alone is no deadline, and every question is asked aside.

use std::cell::Cell;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, getsockname,
    recvmsg, sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

pub mod attribute;
pub(crate) mod generic;
pub mod link;
pub mod message;
pub mod qdisc;

use message::{Message, Messages};

/// How long one question may take.
pub const LIMIT: Duration = Duration::from_secs(2);

/// A list of virtual functions is the longest answer: some 300 bytes for each of 256, and a margin.
const ANSWER_BYTES: usize = 512 << 10;

/// How often a list is asked for again that changed while it was told.
const RETRIES: usize = 3;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;

/// A netlink socket of one protocol.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
}

/// How the conversation goes on.
enum Told {
    More,
    Done,
    /// The list changed while it was told.
    Interrupted,
}

thread_local! {
    /// The buffer of the last socket of this thread: one question follows another.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Drop for Socket {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.buffer));
    }
}

impl Socket {
    /// Opens one.
    ///
    /// # Errors
    /// When this kernel has no such protocol, or a sandbox forbids it.
    pub(crate) fn open(protocol: SockProtocol) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
        let limit = TimeVal::milliseconds(i64::try_from(LIMIT.as_millis()).unwrap_or(i64::MAX));
        setsockopt(&fd, sockopt::ReceiveTimeout, &limit)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        let address: NetlinkAddr = getsockname(fd.as_raw_fd())?;
        Ok(Self {
            fd,
            port: address.pid(),
            sequence: 0,
            buffer: SPARE.take(),
        })
    }

    /// Asks for one thing; `each` has the payload of every message of the answer.
    ///
    /// # Errors
    /// The kernel's, `ETIMEDOUT`, or `EMSGSIZE` for an answer beyond all measure.
    pub(crate) fn get(
        &mut self,
        kind: u16,
        payload: &[u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        self.ask(kind, NLM_F_ACK, payload, each).map(|_| ())
    }

    /// Asks for a list, again where it changed meanwhile.
    ///
    /// # Errors
    /// As [`Socket::get`], and `EAGAIN` when it never held still.
    pub(crate) fn list(&mut self, kind: u16, payload: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        for _ in 0..RETRIES {
            let mut all = Vec::new();
            let each = &mut |payload: &[u8]| all.push(payload.to_vec());
            if self.ask(kind, NLM_F_DUMP, payload, each)? {
                return Ok(all);
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Whether the answer is whole.
    #[expect(clippy::disallowed_methods, reason = "io/ may look at the clock")]
    fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        payload: &[u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<bool> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = message::emit(kind, NLM_F_REQUEST | flags, self.sequence, payload);
        let kernel = NetlinkAddr::new(0, 0);
        sendto(self.fd.as_raw_fd(), &request, &kernel, MsgFlags::empty())?;
        let latest = Instant::now() + LIMIT;
        let mut whole = true;
        while Instant::now() < latest {
            let length = self.receive()?;
            let bytes = self.buffer.get(..length).unwrap_or_default();
            for message in Messages::of(bytes) {
                match told(&message, self.port, self.sequence, each)? {
                    Told::More => {}
                    Told::Interrupted => whole = false,
                    Told::Done => return Ok(whole && !message.is_interrupted()),
                }
            }
        }
        Err(Errno::ETIMEDOUT.into())
    }

    /// The length of the next datagram, which is in the buffer; 0 for one that is not the kernel's.
    fn receive(&mut self) -> io::Result<usize> {
        // Most answers fit a page, and some are long: how long is asked first.
        let (waiting, _) = self.message(&mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
        if waiting > ANSWER_BYTES {
            return Err(Errno::EMSGSIZE.into());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(buffer.len().max(waiting), 0);
        let message = self.message(&mut buffer, MsgFlags::empty());
        self.buffer = buffer;
        let (length, from_kernel) = message?;
        Ok(if from_kernel { length } else { 0 })
    }

    /// The length of the next message, and whether the kernel sent it; a signal is a message without length.
    fn message(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<(usize, bool)> {
        let fd = self.fd.as_raw_fd();
        let mut parts = [IoSliceMut::new(buffer)];
        match recvmsg::<NetlinkAddr>(fd, &mut parts, None, flags) {
            Ok(message)
                if message.flags.contains(MsgFlags::MSG_TRUNC)
                    && !flags.contains(MsgFlags::MSG_PEEK) =>
            {
                Err(Errno::EMSGSIZE.into())
            }
            Ok(message) => {
                let kernel = message.address.is_some_and(|address| address.pid() == 0);
                Ok((message.bytes, kernel))
            }
            Err(Errno::EINTR) => Ok((0, false)),
            Err(Errno::EAGAIN) => Err(Errno::ETIMEDOUT.into()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// What one message means to the question `sequence` of `port`.
fn told(
    message: &Message<'_>,
    port: u32,
    sequence: u32,
    each: &mut dyn FnMut(&[u8]),
) -> io::Result<Told> {
    if message.sequence != sequence || message.port != port {
        return Ok(Told::More);
    }
    if let Some(code) = message.error() {
        return match code {
            0 => Ok(Told::Done),
            code => Err(io::Error::from_raw_os_error(code)),
        };
    }
    if message.is_done() {
        return Ok(Told::Done);
    }
    if message.is_payload() {
        each(message.payload);
    }
    Ok(if message.is_interrupted() {
        Told::Interrupted
    } else {
        Told::More
    })
}

/// The kernel's answer with those errors as `None` that mean that it does not have this: an older kernel, one
/// built without it, or a driver that does not offer it.
pub(crate) fn offered<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.raw_os_error().map(Errno::from_raw) {
            Some(
                Errno::EOPNOTSUPP
                | Errno::ENOENT
                | Errno::EPROTONOSUPPORT
                | Errno::EAFNOSUPPORT
                | Errno::EINVAL
                | Errno::ENODEV,
            ) => Ok(None),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests;
