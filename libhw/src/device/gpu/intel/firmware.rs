//! The firmware of Intel's microcontrollers, which only debugfs tells of (`uc/guc_info`, `huc_info`, `gsc_info`), and
//! that of the board, which late binding brings.

use crate::device::gpu::device::Device;
use crate::device::gpu::{Adapter, FirmwarePart, FirmwareState};
use crate::parse;

/// Reads what may be asked for.
pub(super) fn read(device: &Device<'_>, adapter: &Adapter) -> Vec<FirmwarePart> {
    let mut parts = Vec::new();
    if !device.may_ask() {
        return parts;
    }
    for name in device.names_like("lb_") {
        let id = name.trim_start_matches("lb_").trim_end_matches("_version");
        let version = device
            .ask(&name, parse::text)
            .filter(|version| version != "0.0.0.0");
        parts.extend(version.map(|version| FirmwarePart {
            id: id.to_owned(),
            version,
            state: None,
        }));
    }
    // Several GTs may run the same firmware, and say so each.
    for place in places(device, adapter) {
        for id in CONTROLLERS {
            let known = parts.iter().any(|part| part.id == *id);
            let text = device
                .ask_at(&format!("{place}/{id}_info"))
                .filter(|_| !known);
            parts.extend(text.and_then(|text| part(id, &text)));
        }
    }
    parts
}

/// Where the microcontrollers' files are: below the device's address in newer kernels, else below its card's number.
fn places(device: &Device<'_>, adapter: &Adapter) -> Vec<String> {
    let card = adapter
        .nodes
        .iter()
        .find_map(|node| node.strip_prefix("card"));
    let names = [adapter.function.as_deref(), card];
    let mut places = Vec::new();
    for name in names.into_iter().flatten() {
        let base = format!("{DEBUG}/{name}");
        for entry in device.survey.names(&base) {
            match entry.as_str() {
                gt if gt.starts_with("gt") => places.push(format!("{base}/{gt}/uc")),
                tile if tile.starts_with("tile") => {
                    places.extend((0..2).map(|gt| format!("{base}/{tile}/gt{gt}/uc")));
                }
                _ => {}
            }
        }
        if !places.is_empty() {
            break;
        }
    }
    places
}

/// What a microcontroller's file tells.
///
/// ```text
/// GuC firmware: i915/dg2_guc_70.bin
///     status: RUNNING
///     version: found 70.44.1, wanted 70.29.2
/// ```
fn part(id: &str, text: &str) -> Option<FirmwarePart> {
    let mut version = None;
    let mut state = None;
    for line in text.lines().map(parse::trim) {
        if let Some(status) = line.strip_prefix("status:") {
            state = state.or_else(|| Some(FirmwareState::of(parse::trim(status))));
        } else if line.contains("version") || line.starts_with("found") {
            version =
                version.or_else(|| line.split([' ', ',', '\t']).find(|word| is_version(word)));
        }
    }
    let found = version.is_some() || state.is_some();
    found.then(|| FirmwarePart {
        id: id.to_owned(),
        version: version.unwrap_or_default().to_owned(),
        state,
    })
}

fn is_version(word: &str) -> bool {
    word.contains('.')
        && word
            .bytes()
            .all(|sign| sign.is_ascii_digit() || sign == b'.')
}

const CONTROLLERS: &[&str] = &["guc", "huc", "gsc"];

const DEBUG: &str = "sys/kernel/debug/dri";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controllers_file_is_read_as_both_drivers_write_it() {
        let i915 = "GuC firmware: i915/dg2_guc_70.bin\n\tstatus: RUNNING\n\tversion: found 70.5.1, wanted 70.5.1\n\tuCode: 0\n";
        let xe = "HuC firmware: xe/bmg_huc.bin\n\tstatus: LOAD FAIL\n\twanted 8.2, found 8.2.10\n\tversion 8.2.10\n";
        let read = part("guc", i915).unwrap();
        assert_eq!(
            (read.version.as_str(), read.state),
            ("70.5.1", Some(FirmwareState::Running))
        );
        let read = part("huc", xe).unwrap();
        assert_eq!(
            (read.version.as_str(), read.state),
            ("8.2.10", Some(FirmwareState::Failed))
        );
        assert_eq!(part("gsc", "\0\0"), None);
    }
}
