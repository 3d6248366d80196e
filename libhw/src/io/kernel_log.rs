//! The kernel's own log, from /dev/kmsg (`Documentation/ABI/testing/dev-kmsg`), as far as somebody wants its lines.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::io::root::Root;
use crate::io::sys;
use crate::units::Nanoseconds;

/// The longest record (`PRINTKRB_RECORD_MAX` and its prefix, with room for dictionaries of old kernels).
const RECORD_MAX: usize = 16 << 10;

/// The log's buffer has 2^25 bytes at most, and a record a few dozen: reading ends, whatever the kernel does.
const RECORDS_MAX: usize = 1 << 20;

/// So many of the last lines are kept.
const KEPT_MAX: usize = 4096;

/// A line of the kernel's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelLine {
    /// Counts from 0 at boot.
    pub sequence: u64,
    /// When: since boot, by the clock of the log.
    pub uptime_ns: Nanoseconds,
    /// What.
    pub text: String,
}

/// The lines that the kernel itself wrote and that `wanted` wants, oldest first, recorded under `name`; the last
/// 4096 of them. `None` where there is no log. Never waits.
///
/// # Errors
/// Denied, where `kernel.dmesg_restrict` wants a right that we do not have.
pub(crate) fn lines(
    root: &Root,
    name: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Option<Vec<KernelLine>>> {
    root.probe(name, || Ok(Some(read(wanted)?)))
}

fn read(wanted: impl Fn(&str) -> bool) -> std::result::Result<Vec<KernelLine>, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let log = open("/dev/kmsg", flags, Mode::empty())?;
    let mut lines = std::collections::VecDeque::new();
    let mut buffer = vec![0_u8; RECORD_MAX];
    for _ in 0..RECORDS_MAX {
        let length = match sys::read_some(&log, &mut buffer) {
            Ok(0) | Err(Errno::EAGAIN) => break,
            Ok(length) => length,
            // Records were overwritten before we read them; or one is longer than all bounds.
            Err(Errno::EPIPE | Errno::EINVAL) => continue,
            Err(errno) => return Err(errno),
        };
        let line = parse(buffer.get(..length).unwrap_or_default());
        if let Some(line) = line.filter(|line| wanted(&line.text)) {
            if lines.len() >= KEPT_MAX {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }
    Ok(lines.into())
}

/// A record of the log; `None` for one that the kernel did not write itself, and for what is none.
///
/// ```text
/// 6,339,5140900,-,caller=T1;NVRM: loading NVIDIA UNIX x86_64 Kernel Module
///  SUBSYSTEM=pci
/// ```
#[must_use]
pub fn parse(record: &[u8]) -> Option<KernelLine> {
    let record = String::from_utf8_lossy(record);
    let (prefix, rest) = record.split_once(';')?;
    let mut prefix = prefix.split(',');
    let priority: u32 = prefix.next()?.parse().ok()?;
    let sequence = prefix.next()?.parse().ok()?;
    let microseconds: u64 = prefix.next()?.parse().ok()?;
    // Below the three bits of the level stands the facility, of which the kernel's is 0: whoever may write to the log
    // writes with another.
    (priority >> 3 == 0).then(|| KernelLine {
        sequence,
        uptime_ns: Nanoseconds(microseconds.saturating_mul(1000)),
        text: rest.lines().next().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_kernel_wrote_is_a_line_of_it() {
        let line = |sequence, microseconds: u64, text: &str| {
            Some(KernelLine {
                sequence,
                uptime_ns: Nanoseconds(microseconds * 1000),
                text: text.to_owned(),
            })
        };
        for (record, expected) in [
            (
                &b"6,339,5140900,-,caller=T1;NVRM: a; b\n SUBSYSTEM=pci\n"[..],
                line(339, 5_140_900, "NVRM: a; b"),
            ),
            (b"4,1,0,c;\n", line(1, 0, "")),
            (b"12,7,5,-;NVRM: Xid (PCI:0000:81:00): 79, forged\n", None),
            (b"6,339,x,-;text\n", None),
            (b"6,339;text\n", None),
            (b"6,18446744073709551616,1,-;text", None),
            (b"no record", None),
            (b"", None),
            (b"6,1,2,-;\xff\xfe\n", line(1, 2, "\u{fffd}\u{fffd}")),
        ] {
            assert_eq!(parse(record), expected, "{}", record.escape_ascii());
        }
    }

    #[test]
    fn the_log_of_this_host_is_read_to_its_end_and_no_further() {
        match read(|_| true) {
            Ok(lines) => {
                let sequences = lines.iter().map(|line| line.sequence);
                assert!(lines.len() <= KEPT_MAX && sequences.is_sorted());
            }
            Err(errno) => assert!(matches!(
                errno,
                Errno::ENOENT | Errno::EPERM | Errno::EACCES
            )),
        }
        assert_eq!(read(|_| false), read(|_| true).map(|_| Vec::new()));
    }
}
