//! Intel QuickAssist (`Documentation/ABI/testing/sysfs-driver-qat`, `sysfs-driver-qat_ras`, `debugfs-driver-qat`).
//!
//! `qat/rp2srv` is never touched: it is asked by writing to it.

use serde::{Deserialize, Serialize};

use super::known::Known;
use super::{Accelerator, Crypto, Service, State};
use crate::directory::Directory;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// A QAT device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Qat {
    /// The address of its function, and the id of its accelerator.
    pub id: String,
    /// Its generation by the kernel's count: 2 (C62x, ...), 4 (4xxx, ...), 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// Whether it is a virtual function.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub virtual_function: bool,
    /// `qat/cfg_services`: `sym`, `asym`, `dc`, `dcc`, `decomp`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// `qat/num_rps`: ring pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_pairs: Option<u32>,
    /// `qat/pm_idle_enabled`: whether it saves power when idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_enabled: Option<bool>,
    /// `qat/auto_reset`: whether it is reset after an error that it cannot recover from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_reset: Option<bool>,
    /// What changes without an event.
    #[serde(default)]
    pub now: QatNow,
}

/// What changes in a QAT device without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct QatNow {
    /// `qat/state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// `qat_ras/errors_correctable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correctable: Option<u64>,
    /// `qat_ras/errors_nonfatal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonfatal: Option<u64>,
    /// `qat_ras/errors_fatal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fatal: Option<u64>,
    /// `heartbeat/status` in debugfs: whether it answers. Reading it asks the device: only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsive: Option<bool>,
    /// `heartbeat/queries_sent`: how often it was asked. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries_sent: Option<u64>,
    /// `heartbeat/queries_failed`: how often it did not answer. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries_failed: Option<u64>,
}

impl QatNow {
    pub(super) fn renew(&mut self, new: &Self, deep: bool) {
        let before = std::mem::replace(self, new.clone());
        if !deep {
            self.responsive = before.responsive;
            self.queries_sent = before.queries_sent;
            self.queries_failed = before.queries_failed;
        }
    }
}

const DEBUG: &str = "sys/kernel/debug";

/// Adds a device, and says in `row` how it fares and what it does.
pub(super) fn read(
    survey: &Survey<'_>,
    known: Known,
    function: &Directory<'_>,
    row: &mut Accelerator,
    crypto: &mut Crypto,
) {
    let mut qat = Qat {
        id: row.id.clone(),
        generation: known.generation,
        virtual_function: known.virtual_function,
        ..Qat::default()
    };
    if let Some(directory) = function.below("qat") {
        qat.now.state = directory.text("state").map(State::from);
        let services = directory.text("cfg_services").unwrap_or_default();
        qat.services = services
            .split([';', ','])
            .filter_map(parse::nonempty)
            .collect();
        qat.ring_pairs = directory.value("num_rps", parse::decimal);
        qat.idle_enabled = directory.value("pm_idle_enabled", parse::switch);
        qat.auto_reset = directory.value("auto_reset", on_off);
    }
    if let Some(errors) = function.below("qat_ras") {
        qat.now.correctable = errors.value("errors_correctable", parse::decimal);
        qat.now.nonfatal = errors.value("errors_nonfatal", parse::decimal);
        qat.now.fatal = errors.value("errors_fatal", parse::decimal);
    }
    if survey.deep() && row.driver.is_some() {
        heartbeat(survey, &mut qat);
    }
    row.services = qat
        .services
        .iter()
        .flat_map(|word| services(word))
        .collect();
    row.services.dedup();
    if row.now.state.is_none() {
        row.now.state.clone_from(&qat.now.state);
    }
    if qat.now.responsive == Some(false) {
        row.now.state = Some(State::Unresponsive);
    }
    crypto.qat.push(qat);
}

fn services(word: &str) -> Vec<Service> {
    match word {
        "sym" => vec![Service::Symmetric],
        "asym" => vec![Service::Asymmetric],
        // Compression chained with a cipher or a hash.
        "dc" | "dcc" => vec![Service::Compression],
        "decomp" => vec![Service::Decompression],
        other => vec![Service::Other(other.to_owned())],
    }
}

/// `on`, `off`, and what the kernel takes for them.
fn on_off(text: &str) -> Parsed<bool> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => parse::switch(other).map_err(|_| Expected("on or off")),
    }
}

/// `qat_4xxx_0000:6b:00.0/heartbeat` in debugfs. The status comes first: the counters then count it.
fn heartbeat(survey: &Survey<'_>, qat: &mut Qat) {
    let end = format!("_{}", qat.id);
    let names = survey.names(DEBUG);
    let name = names
        .iter()
        .find(|name| name.starts_with("qat_") && name.ends_with(&end));
    let Some(name) = name else {
        return;
    };
    let directory = Directory::list(survey, format!("{DEBUG}/{name}/heartbeat"));
    let status = directory.slow_value("status", parse::signed);
    qat.now.responsive = status.map(|status| status == 0);
    qat.now.queries_sent = directory.value("queries_sent", parse::decimal);
    qat.now.queries_failed = directory.value("queries_failed", parse::decimal);
}
