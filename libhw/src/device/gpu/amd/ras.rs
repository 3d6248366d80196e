//! amdgpu's error counters and bad pages (`Documentation/gpu/amdgpu/ras.rst`).

use crate::device::gpu::device::Device;
use crate::device::gpu::reading::{BadPages, ErrorCount};
use crate::parse::{self, Expected, Parsed};

/// The parts whose errors are watched.
///
/// ```text
/// feature mask: 0x12
/// ```
pub(super) fn features(device: &Device<'_>) -> Option<u64> {
    let text = device
        .has("ras")
        .then(|| device.text_in("ras/features"))??;
    let (_, mask) = parse::key_values(&text).find(|(key, _)| *key == "feature mask")?;
    device
        .survey
        .parsed(&device.path("ras/features"), mask, parse::hex)
}

/// The errors of each part.
pub(super) fn errors(device: &Device<'_>) -> Vec<ErrorCount> {
    let names = if device.has("ras") {
        device.names_in("ras")
    } else {
        Vec::new()
    };
    let count = |name: String| {
        let id = name.strip_suffix("_err_count")?;
        let error = device.ask(&format!("ras/{name}"), counts)??;
        Some(ErrorCount {
            id: id.to_owned(),
            ..error
        })
    };
    names.into_iter().filter_map(count).collect()
}

/// Bad pages, which the driver keeps in its own memory.
pub(super) fn bad_pages(device: &Device<'_>) -> Option<BadPages> {
    if !device.has("ras") {
        return None;
    }
    let path = device.path("ras/gpu_vram_bad_pages");
    device.survey.value(&path, pages)
}

/// One part's errors; `None` while the driver cannot ask.
///
/// ```text
/// ue: 0
/// ce: 1
/// de: 2
/// ```
fn counts(text: &str) -> Parsed<Option<ErrorCount>> {
    const EXPECTED: Expected = Expected("lines such as ue: 0");
    if text.starts_with("Query currently inaccessible") {
        return Ok(None);
    }
    let mut error = ErrorCount::default();
    for (key, value) in parse::key_values(text) {
        let count = Some(parse::decimal(value).map_err(|_| EXPECTED)?);
        match key {
            "ue" => error.uncorrected = count,
            "ce" => error.corrected = count,
            "de" => error.deferred = count,
            _ => {}
        }
    }
    (error != ErrorCount::default())
        .then_some(Some(error))
        .ok_or(EXPECTED)
}

/// A line for each page: its number, its size, and whether it is retired, pending, or failed.
///
/// ```text
/// 0x00000001 : 0x00001000 : R
/// 0x00000002 : 0x00001000 : P
/// ```
fn pages(text: &str) -> Parsed<BadPages> {
    let mut pages = BadPages::default();
    for line in parse::trim(text).lines() {
        match line.rsplit(':').next().map(parse::trim) {
            Some("R") => pages.retired += 1,
            Some("P") => pages.pending += 1,
            Some("F") => pages.failed += 1,
            _ => return Err(Expected("lines such as 0x00000001 : 0x00001000 : R")),
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_with_and_without_deferred_ones() {
        let read = |text| {
            counts(text).map(|error| {
                error.map(|error| (error.uncorrected, error.corrected, error.deferred))
            })
        };
        assert_eq!(
            read("ue: 0\nce: 18446744073709551615\n"),
            Ok(Some((Some(0), Some(u64::MAX), None)))
        );
        assert_eq!(
            read("ue: 1\nce: 2\nde: 3\n"),
            Ok(Some((Some(1), Some(2), Some(3))))
        );
        assert_eq!(read("Query currently inaccessible\n"), Ok(None));
        for text in ["", "ue\n", "ue: x\n", "ue: -1\n", "\0"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn pages_are_counted_by_what_became_of_them() {
        let text = "0x00000001 : 0x00001000 : R\n0x00000002 : 0x00001000 : P\n0x00000003 : 0x00001000 : F\n0x4 : 0x1000 : R\n";
        assert_eq!(
            pages(text),
            Ok(BadPages {
                retired: 2,
                pending: 1,
                failed: 1
            })
        );
        assert_eq!(pages(""), Ok(BadPages::default()));
        assert!(pages("0x1 : 0x1000 : Q").is_err());
    }
}
