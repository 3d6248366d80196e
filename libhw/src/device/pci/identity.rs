//! What a function is: class, vendor, device and subsystem.
//!
//! ```text
//! pci:v00008086d0000159Bsv00008086sd00000003bc02sc00i00
//! ```
//!
//! `modalias` says in one read what five attributes say. What it lacks or garbles is read from those.

use crate::device::pci::attributes::Attributes;
use crate::parse::{self, Expected, Parsed};

/// The ids of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) class: u32,
    pub(super) vendor: u16,
    pub(super) device: u16,
    pub(super) subsystem_vendor: Option<u16>,
    pub(super) subsystem_device: Option<u16>,
}

/// The ids, or `None` when the function says nothing of itself. One that is missing is 0, and a problem.
pub(super) fn read(attributes: &Attributes<'_>) -> Option<Identity> {
    if let Some(identity) = attributes.value("modalias", modalias) {
        return Some(identity);
    }
    if !["class", "vendor", "device"]
        .iter()
        .any(|name| attributes.has(name))
    {
        attributes.missing("vendor");
        return None;
    }
    let id = |name| {
        if !attributes.has(name) {
            attributes.missing(name);
        }
        attributes.value(name, parse::hex16).unwrap_or_default()
    };
    if !attributes.has("class") {
        attributes.missing("class");
    }
    let subsystem = (
        attributes.value("subsystem_vendor", parse::hex16),
        attributes.value("subsystem_device", parse::hex16),
    );
    Some(
        Identity {
            class: attributes.value("class", class).unwrap_or_default(),
            vendor: id("vendor"),
            device: id("device"),
            subsystem_vendor: subsystem.0,
            subsystem_device: subsystem.1,
        }
        .without_empty_subsystem(),
    )
}

impl Identity {
    /// A function that has no subsystem ids, such as most bridges, says 0 for both.
    fn without_empty_subsystem(self) -> Self {
        if self.subsystem_vendor.unwrap_or_default() != 0 {
            return self;
        }
        Self {
            subsystem_vendor: None,
            subsystem_device: None,
            ..self
        }
    }
}

fn class(text: &str) -> Parsed<u32> {
    const EXPECTED: Expected = Expected("a class of at most 24 bits, in hexadecimal");
    let class = parse::hex(text).map_err(|_| EXPECTED)?;
    u32::try_from(class)
        .ok()
        .filter(|class| *class < 1 << 24)
        .ok_or(EXPECTED)
}

fn modalias(text: &str) -> Parsed<Identity> {
    let mut rest = parse::trim(text);
    let mut field = |name: &str, width: usize| {
        let (digits, after) = rest.strip_prefix(name)?.split_at_checked(width)?;
        rest = after;
        u32::try_from(parse::hex(digits).ok()?).ok()
    };
    let mut parse = || {
        let (vendor, device) = (field("pci:v", 8)?, field("d", 8)?);
        let subsystem = (field("sv", 8)?, field("sd", 8)?);
        let (base, sub, interface) = (field("bc", 2)?, field("sc", 2)?, field("i", 2)?);
        let identity = Identity {
            class: base << 16 | sub << 8 | interface,
            vendor: u16::try_from(vendor).ok()?,
            device: u16::try_from(device).ok()?,
            subsystem_vendor: Some(u16::try_from(subsystem.0).ok()?),
            subsystem_device: Some(u16::try_from(subsystem.1).ok()?),
        };
        Some(identity.without_empty_subsystem())
    };
    parse().ok_or(Expected(
        "a modalias such as pci:v...d...sv...sd...bc..sc..i..",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_modalias_holds_every_id() {
        let text = "pci:v00008086d0000159Bsv00008086sd00000003bc02sc00i01\n";
        let identity = modalias(text).unwrap();
        assert_eq!(
            identity,
            Identity {
                class: 0x02_0001,
                vendor: 0x8086,
                device: 0x159b,
                subsystem_vendor: Some(0x8086),
                subsystem_device: Some(3),
            }
        );
        let bridge = "pci:v00008086d00002030sv00000000sd00000000bc06sc04i00";
        assert_eq!(modalias(bridge).unwrap().subsystem_vendor, None);
    }

    #[test]
    fn a_garbled_modalias_is_refused() {
        for text in [
            "",
            "pci:",
            "usb:v00008086d0000159Bsv00008086sd00000003bc02sc00i01",
            "pci:v00018086d0000159Bsv00008086sd00000003bc02sc00i01",
            "pci:v00008086d0000159Bsv00008086sd00000003bc02sc00i",
            "pci:v0000é86d0000159Bsv00008086sd00000003bc02sc00i01",
        ] {
            assert!(modalias(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn classes_have_24_bits() {
        assert_eq!(class("0x020000\n"), Ok(0x02_0000));
        assert!(class("0x1000000").is_err());
        assert!(class("(null)").is_err());
    }
}
