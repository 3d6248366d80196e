//! Queueing disciplines at the roots and classes of interfaces (`RTM_GETQDISC`, `include/uapi/linux/pkt_sched.h`),
//! those alone that a device may do itself.

use std::io;

use nix::sys::socket::SockProtocol;
use serde::{Deserialize, Serialize};

use super::Socket;
use super::attribute::{Attribute, Attributes};

const RTM_GETQDISC: u16 = 38;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_HW_OFFLOAD: u16 = 12;

/// `struct tcmsg`: family, index, handle, parent, info.
const HEADER: usize = 20;

/// The disciplines of time-sensitive networking and of hardware queues.
const KINDS: [&str; 5] = ["taprio", "etf", "cbs", "mqprio", "ets"];

/// One discipline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qdisc {
    /// The interface's number.
    pub index: u32,
    /// `taprio`, `etf`, `cbs`, `mqprio` or `ets`.
    pub kind: String,
    /// Whether the device does it itself.
    pub offloaded: bool,
}

/// Those of this network namespace.
///
/// # Errors
/// When the kernel cannot be asked.
pub(in crate::io) fn ask() -> io::Result<Vec<Qdisc>> {
    let mut socket = Socket::open(SockProtocol::NetlinkRoute)?;
    let rows = socket.list(RTM_GETQDISC, &[0; HEADER])?;
    Ok(rows.iter().filter_map(|row| parse(row)).collect())
}

/// A message about one discipline; `None` for those that no device does.
#[must_use]
pub fn parse(payload: &[u8]) -> Option<Qdisc> {
    let index = u32::from_ne_bytes(payload.get(4..8)?.try_into().ok()?);
    let attributes = Attributes::of(payload.get(HEADER..)?);
    let find = |kind| attributes.clone().find(|attribute| attribute.kind == kind);
    let kind = find(TCA_KIND)?.text()?;
    if !KINDS.contains(&kind.as_str()) {
        return None;
    }
    let said = find(TCA_HW_OFFLOAD).and_then(|said| said.switch()) == Some(true);
    let own = find(TCA_OPTIONS).is_some_and(|options| asks_device(&kind, options));
    Some(Qdisc {
        index,
        kind,
        offloaded: said || own,
    })
}

/// Whether its own options say that the device does it.
fn asks_device(kind: &str, options: Attribute<'_>) -> bool {
    let nested = |kind: u16| options.nested().find(|attribute| attribute.kind == kind);
    let word = |bytes: &[u8], at: usize| -> Option<u32> {
        Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    match kind {
        // TCA_TAPRIO_ATTR_FLAGS; bit 1 is full offload.
        "taprio" => nested(10)
            .and_then(|flags| flags.small())
            .is_some_and(|flags| flags & 2 != 0),
        // struct tc_etf_qopt: delta, clockid, flags; bit 1 is offload.
        "etf" => nested(1)
            .and_then(|parameters| word(parameters.value, 8))
            .is_some_and(|flags| flags & 2 != 0),
        // struct tc_cbs_qopt begins with the offload byte.
        "cbs" => nested(1)
            .is_some_and(|parameters| parameters.value.first().is_some_and(|byte| *byte != 0)),
        // struct tc_mqprio_qopt: number of classes, 16 priorities, then the offload byte.
        "mqprio" => options.value.get(17).is_some_and(|byte| *byte != 0),
        _ => false,
    }
}
