//! Errors that NVIDIA's driver writes to the kernel's log (XIDs), by the kind of error.
//!
//! ```text
//! NVRM: Xid (PCI:0000:81:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
//! NVRM: Xid (PCI:0000:3b:00 GPU-I:05): 94, pid=7194, name=train, Contained: CE User Channel (0x9).
//! NVRM: Xid (0000:03:00): 13, 0001 00000000 0000a097 00001b0c
//! ```

use serde::{Deserialize, Serialize};

use crate::io::kernel_log::{self, KernelLine};
use crate::survey::Survey;
use crate::units::Nanoseconds;

use super::{Adapter, AdapterVendor};

mod meaning;

pub use meaning::{XidAction, XidArea};

/// All errors of one number that a device met since the log begins, which is at boot or when older lines made room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Xid {
    /// NVIDIA's number for this kind of error.
    pub id: u32,
    /// What it means, in a few words; absent where it is not in NVIDIA's catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// What it concerns.
    #[serde(default)]
    pub area: XidArea,
    /// What is done about it first.
    #[serde(default)]
    pub action: XidAction,
    /// How often it stands in the log.
    pub count: u64,
    /// The first time: since boot.
    pub first_ns: Nanoseconds,
    /// The last time: since boot.
    pub last_ns: Nanoseconds,
    /// The process that the last one is blamed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_pid: Option<u32>,
    /// The driver's words of the last time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_text: String,
}

/// A line of the log that tells of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XidLine<'a> {
    /// The PCI function, as the kernel writes it: `0000:81:00.0`.
    pub function: String,
    /// NVIDIA's number.
    pub number: u32,
    /// The process that it is blamed on.
    pub pid: Option<u32>,
    /// The rest of the line.
    pub text: &'a str,
}

/// How each line begins.
const START: &str = "NVRM: Xid (";

/// So many kinds of errors are kept of one device.
const KINDS_MAX: usize = 256;

/// A line of the log, if it tells of an error.
#[must_use]
pub fn parse(text: &str) -> Option<XidLine<'_>> {
    let (device, rest) = text.strip_prefix(START)?.split_once("): ")?;
    let (number, text) = rest.split_once(',').unwrap_or((rest, ""));
    let text = text.trim();
    let pid = text.strip_prefix("pid=").and_then(|text| {
        let digits = text.split(|sign: char| !sign.is_ascii_digit()).next()?;
        digits.parse().ok()
    });
    Some(XidLine {
        function: function(device)?,
        number: number.trim().parse().ok()?,
        pid,
        text,
    })
}

/// `PCI:0000:81:00`, perhaps with a function, perhaps with an instance after it, in hexadecimal.
fn function(device: &str) -> Option<String> {
    let device = device.strip_prefix("PCI:").unwrap_or(device);
    let address = device.split_ascii_whitespace().next()?;
    let (address, function) = address.split_once('.').unwrap_or((address, "0"));
    let mut parts = address.split(':').map(|part| {
        let is_hex = part.bytes().all(|sign| sign.is_ascii_hexdigit());
        u32::from_str_radix(part, 16).ok().filter(|_| is_hex)
    });
    let (domain, bus, device) = (parts.next()??, parts.next()??, parts.next()??);
    let function: u32 = function.parse().ok()?;
    let is_address = bus <= 0xff && device <= 0x1f && function <= 7 && parts.next().is_none();
    is_address.then(|| format!("{domain:04x}:{bus:02x}:{device:02x}.{function}"))
}

/// Reads the log where there is an NVIDIA device, and gives each its errors.
pub(super) fn fill(survey: &Survey<'_>, adapters: &mut [Adapter]) {
    let is_nvidia =
        |adapter: &Adapter| adapter.vendor == AdapterVendor::Nvidia && adapter.function.is_some();
    if !adapters.iter().any(is_nvidia) {
        return;
    }
    let wanted = |text: &str| text.starts_with(START);
    let lines = survey.keep(kernel_log::lines(survey.root(), "nvidia-xid", wanted));
    let lines = lines.unwrap_or_default();
    for adapter in adapters.iter_mut().filter(|adapter| is_nvidia(adapter)) {
        adapter.now.xids = of(adapter.function.as_deref().unwrap_or_default(), &lines);
    }
}

/// The errors of one device, by number.
fn of(function: &str, lines: &[KernelLine]) -> Vec<Xid> {
    let mut xids: Vec<Xid> = Vec::new();
    let parsed = lines
        .iter()
        .filter_map(|line| Some((line, parse(&line.text)?)));
    for (line, found) in parsed.filter(|(_, found)| found.function == function) {
        let place = match xids.binary_search_by_key(&found.number, |xid| xid.id) {
            Ok(place) => place,
            Err(_) if xids.len() >= KINDS_MAX => continue,
            Err(place) => {
                xids.insert(place, Xid::new(found.number, line.uptime_ns));
                place
            }
        };
        if let Some(xid) = xids.get_mut(place) {
            xid.count += 1;
            xid.last_ns = line.uptime_ns;
            xid.last_pid = found.pid;
            found.text.clone_into(&mut xid.last_text);
        }
    }
    xids
}

impl Xid {
    fn new(number: u32, first_ns: Nanoseconds) -> Self {
        let known = meaning::of(number);
        Self {
            id: number,
            meaning: known.map(|known| known.words.to_owned()),
            area: known.map_or(XidArea::default(), |known| known.area),
            action: known.map_or(XidAction::default(), |known| known.action),
            first_ns,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
