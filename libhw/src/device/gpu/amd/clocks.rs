//! The levels of amdgpu's clocks and of its link (`pp_dpm_*`, `Documentation/gpu/amdgpu/thermal.rst`).

use serde::{Deserialize, Serialize};

use crate::device::gpu::AdapterNow;
use crate::device::gpu::device::Device;
use crate::device::gpu::reading::ClockDomain;
use crate::parse::{self, Expected, Parsed};
use crate::units::Hertz;

use super::Amd;

/// A link that the device may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PcieLevel {
    /// Its number.
    pub id: usize,
    /// Transfers per second and lane, in millions.
    pub speed_mtps: u64,
    /// Lanes.
    pub width: u64,
    /// Whether it is marked as in use.
    #[serde(default)]
    pub active: bool,
}

/// Reads the levels; a clock that hwmon told of already gets them.
pub(super) fn read(device: &Device<'_>, amd: &mut Amd, now: &mut AdapterNow) {
    for name in device.names_like("pp_dpm_") {
        if name == "pp_dpm_pcie" {
            amd.now.pcie_levels = device.ask(&name, links).unwrap_or_default();
            continue;
        }
        let Some(levels) = device
            .ask(&name, levels)
            .filter(|levels| !levels.is_empty())
        else {
            continue;
        };
        let id = name.trim_start_matches("pp_dpm_");
        let clock = match now.clocks.iter_mut().find(|clock| clock.id == id) {
            Some(clock) => clock,
            None => {
                now.clocks.push(ClockDomain {
                    id: id.to_owned(),
                    ..ClockDomain::default()
                });
                let Some(clock) = now.clocks.last_mut() else {
                    continue;
                };
                clock
            }
        };
        clock.active_levels = levels
            .iter()
            .enumerate()
            .filter(|(_, level)| level.active)
            .map(|(at, _)| at)
            .collect();
        clock.levels_hz = levels.iter().map(|level| level.rate).collect();
    }
}

/// A level of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    rate: Hertz,
    active: bool,
}

/// A clock's levels; `S` is that of deep sleep.
///
/// ```text
/// S: 19Mhz *
/// 0: 500Mhz
/// 1: 2660Mhz
/// ```
fn levels(text: &str) -> Parsed<Vec<Level>> {
    const EXPECTED: Expected = Expected("levels such as 0: 500Mhz *");
    let level = |line: &str| {
        let (rate, active) = marked(line).ok_or(EXPECTED)?;
        let digits = rate
            .get(..rate.len().checked_sub(3).ok_or(EXPECTED)?)
            .ok_or(EXPECTED)?;
        let unit = rate.get(digits.len()..).unwrap_or_default();
        let mhz: u64 = parse::decimal(digits).map_err(|_| EXPECTED)?;
        let rate = mhz
            .checked_mul(1_000_000)
            .filter(|_| unit.eq_ignore_ascii_case("mhz"));
        Ok(Level {
            rate: Hertz(rate.ok_or(EXPECTED)?),
            active,
        })
    };
    lines(text).map(level).collect()
}

/// The levels of the link.
///
/// ```text
/// 1: 16.0GT/s, x16 619Mhz *
/// ```
fn links(text: &str) -> Parsed<Vec<PcieLevel>> {
    const EXPECTED: Expected = Expected("links such as 1: 16.0GT/s, x16 619Mhz *");
    let link = |(id, line)| {
        let (link, active) = marked(line).ok_or(EXPECTED)?;
        let (speed, rest) = link.split_once("GT/s").ok_or(EXPECTED)?;
        let (whole, tenths) = speed.split_once('.').unwrap_or((speed, "0"));
        let whole: u32 = parse::decimal(whole).map_err(|_| EXPECTED)?;
        let tenths: u8 = parse::decimal(tenths)
            .ok()
            .filter(|tenths| *tenths < 10)
            .ok_or(EXPECTED)?;
        let lanes = rest
            .trim_start_matches([',', ' '])
            .strip_prefix('x')
            .ok_or(EXPECTED)?;
        let lanes = lanes.split(' ').next().unwrap_or_default();
        Ok(PcieLevel {
            id,
            speed_mtps: u64::from(whole) * 1000 + u64::from(tenths) * 100,
            width: parse::decimal(lanes).map_err(|_| EXPECTED)?,
            active,
        })
    };
    lines(text).enumerate().map(link).collect()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    parse::trim(text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(LEVELS_MAX)
}

/// What follows the level's number, and whether a star stands behind it.
fn marked(line: &str) -> Option<(&str, bool)> {
    let (_, level) = line.split_once(':')?;
    let level = level.trim();
    let bare = level.strip_suffix('*').unwrap_or(level);
    Some((bare.trim(), bare.len() < level.len()))
}

/// More than any clock has.
const LEVELS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_every_generation_writes_them() {
        let read = |text| -> Parsed<Vec<(u64, bool)>> {
            let levels = levels(text)?.into_iter();
            Ok(levels
                .map(|level| (level.rate.0 / 1_000_000, level.active))
                .collect())
        };
        for (text, expected) in [
            (
                "0: 500Mhz *\n1: 2660Mhz \n\0\0",
                vec![(500, true), (2660, false)],
            ),
            (
                "0: 500Mhz\n1: 77Mhz *\n2: 2254Mhz\n",
                vec![(500, false), (77, true), (2254, false)],
            ),
            ("S: 19Mhz *\n0: 132Mhz\n", vec![(19, true), (132, false)]),
            ("0: 97MHz\n", vec![(97, false)]),
            ("\n", vec![]),
        ] {
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
        for text in [
            "x",
            "0: Mhz",
            "0: 5",
            "0: 5GHz",
            "0: -5Mhz",
            "0: 99999999999999999999Mhz",
            "0: é",
        ] {
            assert!(levels(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn links_have_a_speed_and_lanes() {
        let text = "0: 2.5GT/s, x8 \n1: 16.0GT/s, x16 619Mhz *\n";
        let levels = links(text).unwrap();
        let seen: Vec<_> = levels
            .iter()
            .map(|link| (link.id, link.speed_mtps, link.width, link.active))
            .collect();
        assert_eq!(seen, [(0, 2500, 8, false), (1, 16_000, 16, true)]);
        for text in [
            "0: 2.5, x8",
            "0: GT/s, x8",
            "0: 2.55GT/s, x8",
            "0: 2.5GT/s, 8",
            "0: 2.5GT/s, x",
        ] {
            assert!(links(text).is_err(), "{text:?}");
        }
    }
}
