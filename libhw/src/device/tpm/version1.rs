//! What a chip of version 1 tells through sysfs.

use super::Deep;
use crate::parse;
use crate::survey::Survey;

/// No attribute is longer.
const TEXT_MAX: usize = 512;

/// Asks the chip. Older kernels have the attributes at the device below.
pub(super) fn ask(survey: &Survey<'_>, directory: &str, names: &[String]) -> Deep {
    let own = names.iter().any(|name| name == "caps");
    let place = if own {
        directory.to_owned()
    } else {
        format!("{directory}/device")
    };
    let text = |name: &str| {
        let path = format!("{place}/{name}");
        let bytes = survey.keep(survey.root().slow_bytes(&path, TEXT_MAX))?;
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let switch = |name: &str| {
        let (path, text) = text(name)?;
        survey.parsed(&path, &text, parse::switch)
    };
    let caps = text("caps").map_or_else(String::new, |(_, caps)| caps);
    let field = |name: &str| {
        let (_, value) = parse::key_values(&caps).find(|(key, _)| *key == name)?;
        parse::nonempty(value)
    };
    Deep {
        manufacturer: field("Manufacturer").map(|digits| letters(&digits)),
        firmware_version: field("Firmware version"),
        specification: field("TCG version"),
        enabled: switch("enabled"),
        active: switch("active"),
        owned: switch("owned"),
        deactivated: switch("temp_deactivated"),
        ..Deep::default()
    }
}

/// The four letters in a number: `0x53544d20` is `STM`; what is none stays as it is.
fn letters(digits: &str) -> String {
    let number = parse::hex(digits)
        .ok()
        .and_then(|number| u32::try_from(number).ok());
    let text = number.and_then(super::properties::letters);
    text.unwrap_or_else(|| digits.to_owned())
}
