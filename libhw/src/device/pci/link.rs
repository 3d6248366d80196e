//! Speed and width of a PCI Express link, and whether reading them would wake the device.
//!
//! ```text
//! 16.0 GT/s PCIe
//! ```

use crate::device::pci::Link;
use crate::device::pci::attributes::Attributes;
use crate::parse::{self, Expected, Parsed};

/// The most that the link can do.
pub(super) fn read_max(attributes: &Attributes<'_>) -> Option<Link> {
    read(attributes, "max_link_speed", "max_link_width")
}

/// The link as it runs.
pub(super) fn read_now(attributes: &Attributes<'_>) -> Option<Link> {
    read(attributes, "current_link_speed", "current_link_width")
}

/// Whether the function, or what it hangs off, sleeps. The four link attributes are read from config space,
/// and before that read Linux wakes the function and the bridges above it.
pub(super) fn sleeps(attributes: &Attributes<'_>, power_state: Option<&str>) -> bool {
    if power_state == Some("D3cold") {
        return true;
    }
    // `power` is a directory, so the listing cannot tell whether the file is there.
    let status = attributes.nested("power/runtime_status");
    status.is_some_and(|status| matches!(status.as_str(), "suspended" | "suspending"))
}

fn read(attributes: &Attributes<'_>, speed: &str, width: &str) -> Option<Link> {
    let link = Link {
        speed_mtps: attributes.value(speed, self::speed).flatten(),
        width: attributes.value(width, self::width).flatten(),
    };
    (link != Link::default()).then_some(link)
}

/// In transfers a second, by the million: `2.5 GT/s` is 2500.
fn speed(text: &str) -> Parsed<Option<u32>> {
    const EXPECTED: Expected = Expected("a link speed such as 16.0 GT/s PCIe");
    let text = parse::trim(text);
    if text.starts_with("Unknown") {
        return Ok(None);
    }
    let number = text.split_once(" GT/s").ok_or(EXPECTED)?.0;
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u16 = parse::decimal(whole).map_err(|_| EXPECTED)?;
    let tenths = Some(tenths).filter(|tenths| tenths.len() == 1);
    let tenths: u8 = tenths.map_or(Err(EXPECTED), |tenths| {
        parse::decimal(tenths).map_err(|_| EXPECTED)
    })?;
    let speed = u32::from(whole) * 1000 + u32::from(tenths) * 100;
    Ok((speed > 0).then_some(speed))
}

/// 0 and 255 are what the kernel says of a link that is down or unknown.
fn width(text: &str) -> Parsed<Option<u32>> {
    let width: u8 = parse::decimal(text).map_err(|_| Expected("a number of lanes"))?;
    Ok(Some(u32::from(width)).filter(|width| (1..=32).contains(width)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_as_every_kernel_writes_them() {
        for (text, mtps) in [
            ("2.5 GT/s\n", Some(2500)),
            ("2.5 GT/s PCIe\n", Some(2500)),
            ("8 GT/s\n", Some(8000)),
            ("16.0 GT/s PCIe\n", Some(16_000)),
            ("64.0 GT/s PCIe\n", Some(64_000)),
            ("Unknown\n", None),
            ("Unknown speed\n", None),
        ] {
            assert_eq!(speed(text), Ok(mtps), "{text:?}");
        }
        for text in [
            "",
            "8",
            "GT/s",
            "-8 GT/s",
            "8.05 GT/s",
            "8.25 GT/s",
            "99999 GT/s",
            "8. GT/s",
        ] {
            assert!(speed(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn widths_of_links_that_are_down_are_none() {
        for (text, lanes) in [
            ("16\n", Some(16)),
            ("0\n", None),
            ("255\n", None),
            ("63\n", None),
        ] {
            assert_eq!(width(text), Ok(lanes), "{text:?}");
        }
        assert!(width("x16").is_err());
        assert!(width("256").is_err());
    }
}
