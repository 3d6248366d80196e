//! How fast the CPUs may run, and run: cpufreq (`Documentation/admin-guide/pm/cpufreq.rst`).

use std::collections::HashMap;
use std::io::ErrorKind;

use super::{CPUS, Policy, PolicyNow, of_cpu};
use crate::error::Error;
use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Hertz;

/// Whether CPUs may run faster than their base frequency.
pub(super) fn boost(survey: &Survey<'_>) -> Option<bool> {
    let boost = survey.value(&format!("{CPUS}/cpufreq/boost"), parse::switch);
    boost.or_else(|| {
        let no_turbo = survey.value(&format!("{CPUS}/intel_pstate/no_turbo"), parse::switch);
        no_turbo.map(|no_turbo| !no_turbo)
    })
}

/// The policies that have an online CPU, by number; `core_of` tells the core of a CPU.
pub(super) fn policies(
    survey: &Survey<'_>,
    online: &IdSet,
    core_of: impl Fn(u32) -> Option<u32>,
) -> Vec<Policy> {
    let numbers = survey.numbered(&format!("{CPUS}/cpufreq"), "policy");
    if numbers.is_empty() {
        return policies_of_cpus(survey, online);
    }
    let mut limits = HashMap::new();
    // Each CPU is in one policy, and a policy is named after a CPU of its own. So where every online CPU
    // names one, each has one to itself, and there is nothing to ask.
    let one_each = numbers.iter().copied().eq(online.iter());
    let mut driver = None;
    let mut policies = Vec::new();
    for id in numbers {
        let directory = directory(id);
        let cpus = if one_each {
            IdSet::from_iter([id])
        } else {
            affected(survey, &directory).intersection(online)
        };
        if !cpus.is_empty() {
            let driver = driver.get_or_insert_with(|| Driver::of(survey, &directory));
            let limits = match core_of(id).filter(|_| cpus.len() == 1) {
                None => driver.limits(survey, &directory),
                Some(core) => *limits
                    .entry(core)
                    .or_insert_with(|| driver.limits(survey, &directory)),
            };
            let policy = driver.policy(survey, &directory, limits);
            policies.push(Policy { id, cpus, ..policy });
        }
    }
    policies
}

/// Reads again what changes without an event.
pub(super) fn refresh(policies: &mut [Policy], survey: &Survey<'_>) {
    for policy in policies {
        let frequency = |directory: String| hertz(survey, &format!("{directory}/{NOW}"));
        policy.now.frequency_hz =
            frequency(directory(policy.id)).or_else(|| frequency(of_cpu(policy.id, "cpufreq")));
    }
}

/// What is read again.
const NOW: &str = "scaling_cur_freq";

fn directory(policy: u32) -> String {
    format!("{CPUS}/cpufreq/policy{policy}")
}

/// Before Linux 4.3 the policies stand below their CPUs only, as links or once for each.
fn policies_of_cpus(survey: &Survey<'_>, online: &IdSet) -> Vec<Policy> {
    let mut placed = IdSet::new();
    let mut policies = Vec::new();
    for cpu in online.iter() {
        if placed.contains(cpu) {
            continue;
        }
        let directory = of_cpu(cpu, "cpufreq");
        let driver = Driver::of(survey, &directory);
        if driver.attributes.is_empty() {
            if policies.is_empty() {
                // No driver: a driver takes the first CPU, or none.
                break;
            }
            continue;
        }
        let mut cpus = affected(survey, &directory)
            .intersection(online)
            .difference(&placed);
        cpus.insert(cpu);
        placed = placed.union(&cpus);
        let limits = driver.limits(survey, &directory);
        let policy = driver.policy(survey, &directory, limits);
        policies.push(Policy {
            id: cpu,
            cpus,
            ..policy
        });
    }
    policies
}

/// `affected_cpus`, which has spaces where cpulists have commas; none where no CPU of the policy is online.
fn affected(survey: &Survey<'_>, directory: &str) -> IdSet {
    let path = format!("{directory}/affected_cpus");
    match survey.root().text(&path) {
        // The kernel's answer for a policy without online CPUs.
        Err(Error::Read { source, .. }) if source.kind() == ErrorKind::ResourceBusy => IdSet::new(),
        text => {
            let text = survey.keep(text).unwrap_or_default();
            survey.parsed(&path, &text, spaced).unwrap_or_default()
        }
    }
}

/// ```text
/// 0 1 2 3
/// ```
fn spaced(text: &str) -> Parsed<IdSet> {
    let numbers = parse::trim(text).split_whitespace().map(parse::decimal);
    numbers
        .collect::<Parsed<IdSet>>()
        .map_err(|_| Expected("numbers with spaces between them"))
}

/// Kilohertz as hertz, or the kernel's words for none: `<unknown>`, `<unsupported>`.
fn hertz(survey: &Survey<'_>, path: &str) -> Option<Hertz> {
    let none = |text: &str| parse::trim(text).starts_with('<');
    let text = survey.raw(path).filter(|text| !none(text))?;
    survey.parsed(path, &text, parse::khz)
}

/// What the hardware can: the threads of a core have one clock, and so the same limits.
#[derive(Clone, Copy, Debug)]
struct Limits {
    min: Option<Hertz>,
    max: Option<Hertz>,
    base: Option<Hertz>,
}

/// The one driver that all policies have, and so the attributes that each has.
#[derive(Debug)]
struct Driver {
    name: Option<String>,
    attributes: Vec<String>,
}

impl Driver {
    fn of(survey: &Survey<'_>, directory: &str) -> Self {
        Self {
            name: survey.text(&format!("{directory}/scaling_driver")),
            attributes: survey.names(directory),
        }
    }

    /// Where an attribute of a policy stands, if policies have it.
    fn path(&self, directory: &str, name: &str) -> Option<String> {
        let place = self
            .attributes
            .binary_search_by(|offered| offered.as_str().cmp(name));
        place.is_ok().then(|| format!("{directory}/{name}"))
    }

    fn hertz(&self, survey: &Survey<'_>, directory: &str, name: &str) -> Option<Hertz> {
        hertz(survey, &self.path(directory, name)?)
    }

    fn limits(&self, survey: &Survey<'_>, directory: &str) -> Limits {
        Limits {
            min: self.hertz(survey, directory, "cpuinfo_min_freq"),
            max: self.hertz(survey, directory, "cpuinfo_max_freq"),
            base: self.hertz(survey, directory, "base_frequency"),
        }
    }

    /// A policy as its directory tells it, without its number and CPUs.
    fn policy(&self, survey: &Survey<'_>, directory: &str, limits: Limits) -> Policy {
        let text = |name| survey.text(&self.path(directory, name)?);
        Policy {
            driver: self.name.clone(),
            governor: text("scaling_governor"),
            energy_preference: text("energy_performance_preference"),
            hardware_min_hz: limits.min,
            hardware_max_hz: limits.max,
            base_hz: limits.base,
            allowed_min_hz: self.hertz(survey, directory, "scaling_min_freq"),
            allowed_max_hz: self.hertz(survey, directory, "scaling_max_freq"),
            now: PolicyNow {
                frequency_hz: self.hertz(survey, directory, NOW),
            },
            ..Policy::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affected_cpus_have_spaces_between_them() {
        assert_eq!(
            spaced("0 1 48\n").map(|set| set.to_string()).as_deref(),
            Ok("0-1,48")
        );
        assert_eq!(spaced("\n").map(|set| set.len()), Ok(0));
        assert!(spaced("0-3").is_err());
    }
}
