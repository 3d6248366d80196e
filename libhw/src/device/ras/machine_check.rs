//! Machine checks: how they are set up (`Documentation/ABI/testing/sysfs-mce`), and the interrupts that tell of errors.

use serde::{Deserialize, Serialize};

use super::listed;
use crate::parse;
use crate::survey::Survey;

/// How machine checks are set up (`/sys/devices/system/machinecheck/machinecheck0`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MachineCheck {
    /// How many banks a CPU has (`bankN`).
    pub bank_count: u32,
    /// `check_interval`: seconds between looks at the banks; 0 is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_interval_seconds: Option<u32>,
    /// `ignore_ce`: corrected errors are left to firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_corrected: Option<bool>,
    /// `dont_log_ce`: corrected errors are cleared and not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_corrected: Option<bool>,
    /// `cmci_disabled`: corrected errors raise no interrupt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_interrupt_off: Option<bool>,
    /// `monarch_timeout`: microseconds that CPUs wait for each other in a machine check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monarch_timeout_microseconds: Option<u64>,
}

/// An interrupt that tells of errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interrupt {
    /// Its name in /proc/interrupts: `MCE`, `MCP`, `THR`, `DFR`, `HMI`.
    pub id: String,
    /// The kernel's words for it: `Machine check exceptions`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What changes without an event.
    #[serde(default)]
    pub now: InterruptNow,
}

/// How often an interrupt came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InterruptNow {
    /// On all CPUs together.
    pub count: u64,
}

/// A directory for each CPU.
pub(super) const MACHINE_CHECK: &str = "sys/devices/system/machinecheck";
const INTERRUPTS: &str = "proc/interrupts";

/// Machine check exceptions and polls, AMD's thresholds and deferred errors, POWER's hypervisor maintenance.
const NAMES: &[&str] = &["MCE", "MCP", "THR", "DFR", "HMI"];

pub(super) fn discover(survey: &Survey<'_>) -> Option<MachineCheck> {
    let first = survey
        .numbered(MACHINE_CHECK, "machinecheck")
        .into_iter()
        .next()?;
    let directory = format!("{MACHINE_CHECK}/machinecheck{first}");
    let names = survey.names(&directory);
    let place = (directory.as_str(), names.as_slice());
    let bank = |name: &&String| {
        let number = name.strip_prefix("bank");
        number.is_some_and(|number| parse::decimal::<u32>(number).is_ok())
    };
    Some(MachineCheck {
        bank_count: u32::try_from(names.iter().filter(bank).count()).unwrap_or(u32::MAX),
        check_interval_seconds: listed(survey, place, "check_interval", parse::decimal),
        ignore_corrected: listed(survey, place, "ignore_ce", parse::switch),
        drop_corrected: listed(survey, place, "dont_log_ce", parse::switch),
        corrected_interrupt_off: listed(survey, place, "cmci_disabled", parse::switch),
        monarch_timeout_microseconds: listed(survey, place, "monarch_timeout", parse::decimal),
    })
}

/// Those that this architecture has.
pub(super) fn interrupts(survey: &Survey<'_>) -> Vec<Interrupt> {
    in_text(&survey.raw(INTERRUPTS).unwrap_or_default())
}

/// Counts anew those that are known.
pub(super) fn refresh(interrupts: &mut [Interrupt], survey: &Survey<'_>) {
    if interrupts.is_empty() {
        return;
    }
    let anew = self::interrupts(survey);
    for interrupt in interrupts {
        let same = anew.iter().find(|other| other.id == interrupt.id);
        interrupt.now = same.map_or_else(InterruptNow::default, |same| same.now);
    }
}

/// A count for each CPU that is online, then words.
///
/// ```text
///  MCE:          0          0   Machine check exceptions
/// ```
fn in_text(text: &str) -> Vec<Interrupt> {
    let mut interrupts: Vec<Interrupt> = Vec::new();
    for (name, rest) in parse::key_values(text) {
        let known = NAMES.contains(&name);
        if !known || interrupts.iter().any(|interrupt| interrupt.id == name) {
            continue;
        }
        let counts = rest.split_whitespace().map_while(|word| word.parse().ok());
        let is_word = |word: &&str| word.parse::<u64>().is_err();
        let words: Vec<&str> = rest
            .split_whitespace()
            .skip_while(|word| !is_word(word))
            .collect();
        interrupts.push(Interrupt {
            id: name.to_owned(),
            description: words.join(" "),
            now: InterruptNow {
                count: counts.fold(0_u64, u64::saturating_add),
            },
        });
    }
    interrupts
}
