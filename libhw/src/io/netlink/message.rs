//! The frames of netlink (`include/uapi/linux/netlink.h`, `struct nlmsghdr`).

/// Length, type, flags, sequence, port.
const HEADER: usize = 16;

const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;

const NLM_F_DUMP_INTR: u16 = 0x10;

/// One message of the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: that of the question.
    pub sequence: u32,
    /// `nlmsg_pid`: the port that asked.
    pub port: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl Message<'_> {
    /// The errno that it reports, 0 for an acknowledgement; `None` when it is no error. A list may also end in one.
    #[must_use]
    pub fn error(&self) -> Option<i32> {
        let code = || -> Option<i32> {
            let bytes: [u8; 4] = self.payload.get(..4)?.try_into().ok()?;
            Some(i32::from_ne_bytes(bytes).saturating_neg().max(0))
        };
        match self.kind {
            NLMSG_ERROR => Some(code().unwrap_or(libc::EBADMSG)),
            NLMSG_DONE => code().filter(|code| *code > 0),
            _ => None,
        }
    }

    /// Whether it ends a list.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.kind == NLMSG_DONE
    }

    /// Whether the list changed while it was told.
    #[must_use]
    pub const fn is_interrupted(&self) -> bool {
        self.flags & NLM_F_DUMP_INTR != 0
    }

    /// Whether it is a part of an answer.
    #[must_use]
    pub const fn is_payload(&self) -> bool {
        !matches!(
            self.kind,
            NLMSG_NOOP | NLMSG_ERROR | NLMSG_DONE | NLMSG_OVERRUN
        )
    }
}

/// The messages in a datagram; what is cut short ends them.
#[derive(Clone, Debug)]
pub struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    /// Those in `bytes`.
    #[must_use]
    pub const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let bytes = self.0;
        let long = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let short = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let length = usize::try_from(long(0)?).ok()?;
        let message = Message {
            kind: short(4)?,
            flags: short(6)?,
            sequence: long(8)?,
            port: long(12)?,
            payload: bytes.get(HEADER..length)?,
        };
        self.0 = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }
}

/// A message of ours.
pub(super) fn emit(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    // The kernel fills our port in.
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
