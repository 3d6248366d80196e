//! What chooses the frequency of CPUs, `Documentation/admin-guide/pm/cpufreq.rst`, and between speed and saving,
//! `Documentation/admin-guide/pm/intel_pstate.rst` (`energy_performance_preference`).

use std::time::Duration;

use super::change::{self, Refused, Step, Writer};
use super::{Change, Mode, Outcome};
use crate::error::Result;
use crate::idset::IdSet;
use crate::io::root::Root;
use crate::parse;

/// How long one write may take; some drivers ask firmware.
const LIMIT: Duration = Duration::from_secs(10);

/// A governor, and the CPUs that it shall choose the frequency of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Governor {
    /// `performance`, `powersave`, `schedutil`, ...; none leaves it as it is.
    pub name: Option<String>,
    /// `energy_performance_preference`: `performance`, `balance_power`, ... or a number; none leaves it as it is.
    pub preference: Option<String>,
    /// The CPUs; none is all. CPUs that change frequency together are one policy, and go together.
    pub cpus: Option<IdSet>,
}

const POLICIES: &str = "sys/devices/system/cpu/cpufreq";

/// Sets the governor and the preference of all policies of some CPUs: of all of them or of none.
///
/// # Errors
/// On a captured tree.
pub fn governor(root: &Root, governor: &Governor, mode: Mode) -> Result<Change> {
    let target = governor
        .cpus
        .as_ref()
        .map_or_else(|| "all cpus".to_owned(), |cpus| format!("cpus {cpus}"));
    let words = [&governor.name, &governor.preference].map(|word| word.clone().unwrap_or_default());
    let asked = parse::trim(&words.join(" ")).to_owned();
    let asked = change::asked("governor", target, asked);
    change::make(root, (mode, LIMIT), asked, |writer| set(writer, governor))
}

fn set(writer: &mut Writer<'_>, governor: &Governor) -> Step<Outcome> {
    let policies = chosen(writer, governor.cpus.as_ref())?;
    let settings = [
        (
            &governor.name,
            "scaling_governor",
            "scaling_available_governors",
        ),
        (
            &governor.preference,
            "energy_performance_preference",
            "energy_performance_available_preferences",
        ),
    ];
    for (value, name, _) in &settings {
        if value.is_some()
            && policies
                .iter()
                .any(|policy| !policy.names.iter().any(|known| known == name))
        {
            return Err(Refused::unsupported(format!("the driver has no {name}")));
        }
    }
    for policy in &policies {
        for (value, name, offers) in &settings {
            if let Some(value) = value {
                offered(writer, policy, value, offers)?;
                let path = policy.path(name);
                if writer.read(&path)?.as_ref() != Some(value) {
                    writer.write_exactly(&path, value)?;
                }
            }
        }
    }
    Ok(Outcome::Full)
}

/// CPUs that change frequency together.
struct Policy {
    number: u32,
    names: Vec<String>,
}

impl Policy {
    fn path(&self, name: &str) -> String {
        format!("{POLICIES}/policy{}/{name}", self.number)
    }
}

/// The policies that have just these CPUs.
fn chosen(writer: &Writer<'_>, cpus: Option<&IdSet>) -> Step<Vec<Policy>> {
    let mut numbers: Vec<u32> = writer
        .root
        .names(POLICIES)?
        .iter()
        .filter_map(|name| parse::decimal(name.strip_prefix("policy")?).ok())
        .collect();
    numbers.sort_unstable();
    if numbers.is_empty() {
        return Err(Refused::unsupported("no driver of cpufreq"));
    }
    let mut policies = Vec::new();
    let mut found = IdSet::new();
    for number in numbers {
        let names = writer.root.names(&format!("{POLICIES}/policy{number}"))?;
        let policy = Policy { number, names };
        let text = writer
            .read(&policy.path("affected_cpus"))?
            .unwrap_or_default();
        let own: IdSet = text
            .split_whitespace()
            .filter_map(|word| parse::decimal(word).ok())
            .collect();
        if cpus.is_some_and(|cpus| !cpus.intersects(&own)) || own.is_empty() {
            continue;
        }
        if let Some(more) = cpus
            .map(|cpus| own.difference(cpus))
            .filter(|more| !more.is_empty())
        {
            let detail = format!("cpus {own} change frequency together: name also {more}");
            return Err(Refused::invalid(detail));
        }
        found = found.union(&own);
        policies.push(policy);
    }
    let missing = cpus.map(|cpus| cpus.difference(&found)).unwrap_or_default();
    if !missing.is_empty() || policies.is_empty() {
        return Err(Refused::invalid(format!(
            "cpus {missing} have no frequency to be chosen, or are offline"
        )));
    }
    Ok(policies)
}

/// A driver says what it offers; an energy preference may also be a number.
fn offered(writer: &Writer<'_>, policy: &Policy, value: &str, offers: &str) -> Step<()> {
    let number = parse::decimal::<u8>(value).is_ok() && offers.starts_with("energy");
    let there = policy.names.iter().any(|name| name == offers);
    if !there || number {
        return Ok(());
    }
    let text = writer.read(&policy.path(offers))?.unwrap_or_default();
    if text.split_whitespace().any(|known| known == value) {
        return Ok(());
    }
    let number = policy.number;
    Err(Refused::unsupported(format!(
        "policy{number} does not offer {value}: there are {text}"
    )))
}
