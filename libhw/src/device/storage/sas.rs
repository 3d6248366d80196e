//! Serial Attached SCSI: the ends of its cables, on cards and expanders (`/sys/class/sas_phy`,
//! `drivers/scsi/scsi_transport_sas.c`).
//!
//! The driver has the rates in memory. For the counters it asks the card, or over the cable an expander, so they are read
//! in a deep look.

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::word::words;

words! {
    /// How one end of a SAS cable fares.
    pub enum SasPhyState {
        /// It has a link.
        Up = "up",
        /// It was switched off.
        Disabled = "phy_disabled",
        /// Both ends know no rate in common, or do not understand each other.
        RateFailed = "link_rate_failed",
        /// A SATA drive waits to be told to spin up.
        SpinupHold = "spin_up_hold",
        /// There is nothing at the other end.
        Unknown = "unknown",
    }
}

/// One end of a SAS cable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SasPhy {
    /// `phy-11:2` on a card, `phy-11:0:4` on an expander.
    pub id: String,
    /// The PCI function that it hangs off, as `pci.functions[].id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `sas_address`: of what it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sas_address: Option<String>,
    /// `phy_identifier`: its number there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// `device_type`: `end device`, `edge expander`, `fanout expander`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
    /// `initiator_port_protocols`: `ssp`, `stp`, `smp`, `sata`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub initiator_protocols: Vec<String>,
    /// `target_port_protocols`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_protocols: Vec<String>,
    /// `enable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `minimum_linkrate`: the least that it may use, in Mbit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_min_mbps: Option<u32>,
    /// `maximum_linkrate`: the most that it may use, in Mbit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_max_mbps: Option<u32>,
    /// `maximum_linkrate_hw`: the most that it can, in Mbit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_max_hardware_mbps: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: SasPhyNow,
}

/// How it fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SasPhyNow {
    /// Whether there is a link, or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SasPhyState>,
    /// `negotiated_linkrate`, in Mbit/s; none without a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_mbps: Option<u32>,
    /// What went wrong on the cable; only of a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<SasErrors>,
}

/// Errors of a cable since its end was reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SasErrors {
    /// `invalid_dword_count`: four bytes that mean nothing came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid_dwords: Option<u32>,
    /// `running_disparity_error_count`: ones and zeros did not balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disparity_errors: Option<u32>,
    /// `loss_of_dword_sync_count`: the beginning of four bytes was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_syncs: Option<u32>,
    /// `phy_reset_problem_count`: a reset ended without a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_problems: Option<u32>,
}

const CLASS: &str = "sys/class/sas_phy";

/// More than any machine has, so that a hostile tree ends.
const PHYS_MAX: usize = 16_384;

/// No counter is longer.
const COUNTER_MAX: usize = 16;

/// All of them, by number.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<SasPhy> {
    let names = survey.names(CLASS).into_iter();
    let mut names: Vec<_> = names.filter(|name| name.starts_with("phy-")).collect();
    names.truncate(PHYS_MAX);
    names.sort_by_cached_key(|name| numbers(name));
    let directory = |name: &String| Directory::list(survey, format!("{CLASS}/{name}"));
    names
        .iter()
        .map(|name| phy(&directory(name), survey.deep()))
        .collect()
}

/// Reads the rate again, and the counters where they were read before.
pub(super) fn refresh(phys: &mut [SasPhy], survey: &Survey<'_>) {
    for phy in phys {
        let directory = Directory::list(survey, format!("{CLASS}/{}", phy.id));
        phy.now = now(&directory, phy.now.errors.is_some());
    }
}

/// `phy-11:0:4` after `phy-11:0:3` and `phy-9:10`.
fn numbers(name: &str) -> Vec<u32> {
    let parts = name.trim_start_matches("phy-").split(':');
    parts.map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

fn phy(directory: &Directory<'_>, deep: bool) -> SasPhy {
    let rate = |name: &str| directory.value(name, rate).flatten();
    let protocols = |name: &str| {
        let text = directory.text(name).filter(|text| text != "none");
        let words = text.iter().flat_map(|text| text.split(", "));
        words.map(str::to_owned).collect()
    };
    SasPhy {
        id: directory.name().to_owned(),
        function: directory.function(),
        sas_address: directory.text("sas_address"),
        number: directory.value("phy_identifier", parse::decimal),
        device_type: directory.text("device_type"),
        initiator_protocols: protocols("initiator_port_protocols"),
        target_protocols: protocols("target_port_protocols"),
        enabled: directory.value("enable", parse::switch),
        rate_min_mbps: rate("minimum_linkrate"),
        rate_max_mbps: rate("maximum_linkrate"),
        rate_max_hardware_mbps: rate("maximum_linkrate_hw"),
        now: now(directory, deep),
    }
}

fn now(directory: &Directory<'_>, deep: bool) -> SasPhyNow {
    const NEGOTIATED: &str = "negotiated_linkrate";
    let rate = directory.value(NEGOTIATED, rate);
    let words = || directory.text(NEGOTIATED).map(SasPhyState::from);
    SasPhyNow {
        state: rate.and_then(|rate| match rate {
            Some(_) => Some(SasPhyState::Up),
            None => words(),
        }),
        rate_mbps: rate.flatten(),
        errors: deep.then(|| errors(directory)).flatten(),
    }
}

fn errors(directory: &Directory<'_>) -> Option<SasErrors> {
    let count = |name: &str| directory.slow_value_of(name, COUNTER_MAX, parse::decimal);
    let errors = SasErrors {
        invalid_dwords: count("invalid_dword_count"),
        disparity_errors: count("running_disparity_error_count"),
        lost_syncs: count("loss_of_dword_sync_count"),
        reset_problems: count("phy_reset_problem_count"),
    };
    (errors != SasErrors::default()).then_some(errors)
}

/// `12.0 Gbit`, `22.5 Gbit`; none for words (`Unknown`, `Phy disabled`).
fn rate(text: &str) -> Parsed<Option<u32>> {
    const EXPECTED: Expected = Expected("a rate such as 12.0 Gbit");
    let text = parse::trim(text);
    let Some(number) = text.strip_suffix(" Gbit") else {
        let is_word = |sign: char| sign.is_ascii_alphabetic() || matches!(sign, ' ' | '-' | ',');
        let words = !text.is_empty() && text.chars().all(is_word);
        return if words { Ok(None) } else { Err(EXPECTED) };
    };
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u32 = parse::decimal(whole)?;
    let tenth: u32 = parse::decimal(tenth)?;
    let rate = whole.checked_mul(1000).filter(|_| tenth < 10);
    rate.and_then(|rate| rate.checked_add(tenth * 100))
        .map(Some)
        .ok_or(EXPECTED)
}
