//! A chip as the kernel knows it, and in a deep look as it answers.

use std::collections::BTreeMap;

use super::{Bank, Chip, Deep, Properties, Version, version1};
use crate::io::aside::Ask;
use crate::io::octets::Octets;
use crate::parse;
use crate::survey::Survey;

const CHIPS: &str = "sys/class/tpm";

/// No bank has more registers (TPM 2.0 for PC clients has 24).
const PCRS_MAX: usize = 64;

/// No digest is longer: 64 bytes in hexadecimal, and a newline.
const DIGEST_MAX: usize = 130;

pub(super) fn discover(survey: &Survey<'_>) -> Vec<Chip> {
    let numbers = survey.numbered(CHIPS, "tpm").into_iter();
    numbers
        .map(|number| chip(survey, &format!("tpm{number}")))
        .collect()
}

fn chip(survey: &Survey<'_>, id: &str) -> Chip {
    let directory = format!("{CHIPS}/{id}");
    let names = survey.names(&directory);
    let has = |name: &str| names.iter().any(|listed| listed == name);
    let banks = names
        .iter()
        .filter_map(|name| bank(survey, &directory, name));
    let banks: Vec<Bank> = banks.collect();
    let version = version(survey, &directory, &names, &banks);
    let ppi = || survey.text(&format!("{directory}/ppi/version"));
    let deep = || match version {
        Some(Version::One) => Some(version1::ask(survey, &directory, &names)),
        _ => answered(survey, id),
    };
    Chip {
        id: id.to_owned(),
        driver: survey.link_name(&format!("{directory}/device/driver")),
        device: survey.link_name(&format!("{directory}/device")),
        physical_presence_version: has("ppi").then(ppi).flatten(),
        event_log: event_log(survey, id),
        deep: survey.deep().then(deep).flatten(),
        banks,
        version,
    }
}

/// The number that the kernel gives; before 5.5 only version 1 has `caps`, and only version 2 has banks.
fn version(
    survey: &Survey<'_>,
    directory: &str,
    names: &[String],
    banks: &[Bank],
) -> Option<Version> {
    let has = |name: &str| names.iter().any(|listed| listed == name);
    if has("tpm_version_major") {
        let major = survey.text(&format!("{directory}/tpm_version_major"))?;
        return Some(match major.as_str() {
            "1" => Version::One,
            "2" => Version::Two,
            _ => Version::Other(major),
        });
    }
    let below = || survey.names(&format!("{directory}/device"));
    let old = has("caps") || below().iter().any(|name| name == "caps");
    match (old, banks.is_empty()) {
        (true, _) => Some(Version::One),
        (false, false) => Some(Version::Two),
        (false, true) => None,
    }
}

fn bank(survey: &Survey<'_>, directory: &str, name: &str) -> Option<Bank> {
    let hash = name.strip_prefix("pcr-")?;
    let numbers: Vec<u32> = survey.numbered(&format!("{directory}/{name}"), "");
    let digest = |pcr: u32| {
        let path = format!("{directory}/{name}/{pcr}");
        let bytes = survey.keep(survey.root().slow_bytes(&path, DIGEST_MAX))?;
        let digits = parse::nonempty(&String::from_utf8_lossy(&bytes))?;
        Some((pcr, digits))
    };
    let asked = numbers.iter().take(PCRS_MAX).copied();
    let pcrs = if survey.deep() {
        asked.filter_map(digest).collect()
    } else {
        BTreeMap::new()
    };
    Some(Bank {
        id: hash.to_owned(),
        pcr_count: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
        pcrs,
    })
}

/// Only root sees inside; where securityfs is not mounted nothing tells.
fn event_log(survey: &Survey<'_>, id: &str) -> Option<bool> {
    let names = survey.names(&format!("sys/kernel/security/{id}"));
    let log = |name: &String| name == "binary_bios_measurements";
    (!names.is_empty()).then(|| names.iter().any(log))
}

/// What a chip of version 2 answers.
fn answered(survey: &Survey<'_>, id: &str) -> Option<Deep> {
    let path = format!("dev/{id}");
    let ask = Ask::Tpm { path: path.clone() };
    let answers: Vec<Octets> = survey.keep(survey.root().ask(&ask))?;
    let mut properties = Properties::default();
    for Octets(answer) in answers {
        if let Err(expected) = properties.take(&answer) {
            let text = format!("{} bytes", answer.len());
            survey.report(crate::error::Error::malformed(
                &format!("/{path}"),
                expected.0,
                &text,
            ));
        }
    }
    Some(properties.deep())
}
