//! Memory controllers and what they count errors for, from EDAC (`Documentation/ABI/testing/sysfs-devices-edac`,
//! `drivers/edac/edac_mc_sysfs.c`).
//!
//! A kernel of today has `mcN/dimmM` or `mcN/rankM`, whichever the driver can tell; beside them, for old programs, also
//! `mcN/csrowM`, which counts the same errors once more and is only read where there is nothing else.

use serde::{Deserialize, Serialize};

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A memory controller that EDAC watches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacController {
    /// The kernel's name: `mc0`.
    pub id: String,
    /// `mc_name`: what the driver calls it, `Skylake Socket#0 IMC#0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `size_mb`: the memory behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `max_location`: the last place that it has, `channel 2 slot 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_max: Option<String>,
    /// `sdram_scrub_rate`: bytes that are scrubbed in a second; only in a deep look, since it asks the chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub_bytes_per_second: Option<u64>,
    /// What changes without an event.
    #[serde(default)]
    pub now: EdacControllerNow,
}

/// A controller's counters since `seconds_since_reset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct EdacControllerNow {
    /// `ce_count`: corrected errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// `ue_count`: uncorrected errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
    /// `ce_noinfo_count`: corrected errors of no known stick; these are in `corrected` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_unplaced: Option<u64>,
    /// `ue_noinfo_count`: uncorrected errors of no known stick; these are in `uncorrected` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected_unplaced: Option<u64>,
    /// `seconds_since_reset`: how long it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counting_seconds: Option<u64>,
}

/// What EDAC counts errors for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacDimm {
    /// The kernel's name below its controller: `mc0/dimm3`, `mc0/rank1`, `mc0/csrow0`.
    pub id: String,
    /// Its controller.
    pub controller: String,
    /// Whether it is a whole stick.
    pub kind: EdacKind,
    /// `dimm_label`: what the driver, firmware or `edac-ctl --register-labels` calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `dimm_location`: `channel 0 slot 0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `size`, or `size_mb` of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `dimm_mem_type`, `mem_type`: `Registered-DDR4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<String>,
    /// `dimm_dev_type`, `dev_type`: how wide a chip is, `x4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
    /// `dimm_edac_mode`, `edac_mode`: `SECDED`, `S4ECD4ED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edac_mode: Option<String>,
    /// Of a row: what it has on each channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<EdacChannel>,
    /// What changes without an event.
    #[serde(default)]
    pub now: EdacDimmNow,
}

/// What a row of [`EdacDimm`] stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EdacKind {
    /// A stick (`dimmN`).
    #[default]
    Dimm,
    /// One rank of a stick (`rankN`): a stick with two has two rows.
    Rank,
    /// A row of chips over all channels (`csrowN`): all that kernels before 3.6 have.
    Csrow,
}

/// The part of a row that is on one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdacChannel {
    /// The N of `chN_ce_count`.
    pub id: u32,
    /// `chN_dimm_label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What changes without an event: only corrected errors are counted by channel.
    #[serde(default)]
    pub now: EdacDimmNow,
}

/// Errors since the controller's counters were reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct EdacDimmNow {
    /// `dimm_ce_count`, `ce_count`, `chN_ce_count`: corrected ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
    /// `dimm_ue_count`, `ue_count`: uncorrected ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncorrected: Option<u64>,
}

const CONTROLLERS: &str = "sys/devices/system/edac/mc";

/// The controllers, and what each counts for, in the kernel's order.
pub(super) fn discover(survey: &Survey<'_>) -> (Vec<EdacController>, Vec<EdacDimm>) {
    let (mut controllers, mut dimms) = (Vec::new(), Vec::new());
    for number in survey.numbered(CONTROLLERS, "mc") {
        let directory = Directory::list(survey, &format!("mc{number}"));
        controllers.push(controller(&directory));
        dimms.extend(directory.dimms());
    }
    (controllers, dimms)
}

/// Reads the counters again, each from where it was read before.
pub(super) fn refresh(
    controllers: &mut [EdacController],
    dimms: &mut [EdacDimm],
    survey: &Survey<'_>,
) {
    for controller in controllers {
        let known = controller.now;
        let directory = Directory::of(survey, &controller.id, controller_counters(known));
        controller.now = controller_now(&directory);
    }
    for dimm in dimms {
        let (prefix, now) = (dimm.kind.prefix(), dimm.now);
        let had = [(now.corrected, "ce_count"), (now.uncorrected, "ue_count")];
        let had = had.iter().filter(|(value, _)| value.is_some());
        let mut names: Vec<String> = had.map(|(_, name)| format!("{prefix}{name}")).collect();
        names.extend(
            dimm.channels
                .iter()
                .map(|channel| format!("ch{}_ce_count", channel.id)),
        );
        let directory = Directory::of(survey, &dimm.id, names);
        dimm.now = dimm_now(&directory, prefix);
        for channel in &mut dimm.channels {
            channel.now = channel_now(&directory, channel.id);
        }
    }
}

/// A directory below `edac/mc`, and what it holds.
struct Directory<'a> {
    survey: &'a Survey<'a>,
    /// Below `edac/mc`: `mc0`, `mc0/dimm3`.
    id: String,
    names: Vec<String>,
}

impl<'a> Directory<'a> {
    fn list(survey: &'a Survey<'a>, id: &str) -> Self {
        Self::of(survey, id, survey.names(&format!("{CONTROLLERS}/{id}")))
    }

    fn of(survey: &'a Survey<'a>, id: &str, names: Vec<String>) -> Self {
        let id = id.to_owned();
        Self { survey, id, names }
    }

    fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let listed = self.names.iter().any(|listed| listed == name);
        listed.then(|| {
            self.survey
                .value(&format!("{CONTROLLERS}/{}/{name}", self.id), parse)
        })?
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name, |text| Ok(parse::nonempty(text)))?
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.value(name, parse::decimal)
    }

    fn size(&self, name: &str) -> Option<Bytes> {
        self.value(name, mebibytes)
    }

    /// The numbers N of the entries `prefixN` with an ending, in order.
    fn numbered(&self, prefix: &str, ending: &str) -> Vec<u32> {
        let number = |name: &String| {
            let number = name.strip_prefix(prefix)?.strip_suffix(ending)?;
            parse::decimal(number).ok()
        };
        let mut numbers: Vec<u32> = self.names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Sticks; where the driver cannot tell them, ranks; where neither counts, as before Linux 4.9, rows.
    fn dimms(&self) -> Vec<EdacDimm> {
        let of = |kind: EdacKind| {
            let numbers = self.numbered(kind.word(), "").into_iter();
            let ids = numbers.map(|number| format!("{}/{}{number}", self.id, kind.word()));
            let dimm = |id: String| dimm(&Directory::list(self.survey, &id), &self.id, kind);
            ids.map(dimm).collect::<Vec<_>>()
        };
        let mut without_counters = Vec::new();
        for kind in [EdacKind::Dimm, EdacKind::Rank, EdacKind::Csrow] {
            let dimms = of(kind);
            if dimms.iter().any(|dimm| dimm.now != EdacDimmNow::default()) {
                return dimms;
            }
            if without_counters.is_empty() {
                without_counters = dimms;
            }
        }
        without_counters
    }
}

impl EdacKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Dimm => "dimm",
            Self::Rank => "rank",
            Self::Csrow => "csrow",
        }
    }

    /// What stands before the names of its attributes.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Dimm | Self::Rank => "dimm_",
            Self::Csrow => "",
        }
    }
}

fn controller(directory: &Directory<'_>) -> EdacController {
    let scrubbed = || directory.value("sdram_scrub_rate", parse::signed);
    EdacController {
        id: directory.id.clone(),
        name: directory.text("mc_name"),
        size_bytes: directory.size("size_mb"),
        location_max: directory.text("max_location"),
        scrub_bytes_per_second: directory
            .survey
            .deep()
            .then(scrubbed)
            .flatten()
            .and_then(|rate| u64::try_from(rate).ok()),
        now: controller_now(directory),
    }
}

fn controller_now(directory: &Directory<'_>) -> EdacControllerNow {
    EdacControllerNow {
        corrected: directory.count("ce_count"),
        uncorrected: directory.count("ue_count"),
        corrected_unplaced: directory.count("ce_noinfo_count"),
        uncorrected_unplaced: directory.count("ue_noinfo_count"),
        counting_seconds: directory.count("seconds_since_reset"),
    }
}

/// The names of the counters that were had.
fn controller_counters(now: EdacControllerNow) -> Vec<String> {
    let all = [
        (now.corrected, "ce_count"),
        (now.uncorrected, "ue_count"),
        (now.corrected_unplaced, "ce_noinfo_count"),
        (now.uncorrected_unplaced, "ue_noinfo_count"),
        (now.counting_seconds, "seconds_since_reset"),
    ];
    let had = all.iter().filter(|(value, _)| value.is_some());
    had.map(|(_, name)| (*name).to_owned()).collect()
}

fn dimm(directory: &Directory<'_>, controller: &str, kind: EdacKind) -> EdacDimm {
    let text = |name: &str| directory.text(&format!("{}{name}", kind.prefix()));
    let size = directory.size("size");
    EdacDimm {
        id: directory.id.clone(),
        controller: controller.to_owned(),
        kind,
        label: text("label"),
        location: text("location"),
        size_bytes: size.or_else(|| directory.size("size_mb")),
        memory_type: text("mem_type"),
        device_type: text("dev_type"),
        edac_mode: text("edac_mode"),
        channels: directory
            .numbered("ch", "_ce_count")
            .into_iter()
            .map(|id| EdacChannel {
                id,
                label: directory.text(&format!("ch{id}_dimm_label")),
                now: channel_now(directory, id),
            })
            .collect(),
        now: dimm_now(directory, kind.prefix()),
    }
}

fn dimm_now(directory: &Directory<'_>, prefix: &str) -> EdacDimmNow {
    EdacDimmNow {
        corrected: directory.count(&format!("{prefix}ce_count")),
        uncorrected: directory.count(&format!("{prefix}ue_count")),
    }
}

fn channel_now(directory: &Directory<'_>, channel: u32) -> EdacDimmNow {
    EdacDimmNow {
        corrected: directory.count(&format!("ch{channel}_ce_count")),
        uncorrected: None,
    }
}

/// A number of mebibytes.
fn mebibytes(text: &str) -> Parsed<Bytes> {
    const EXPECTED: Expected = Expected("a decimal number of mebibytes");
    let count: u64 = parse::decimal(text).map_err(|_| EXPECTED)?;
    count.checked_mul(1 << 20).map(Bytes).ok_or(EXPECTED)
}
