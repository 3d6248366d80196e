//! How fast the CPUs may run, and run: cpufreq (`Documentation/admin-guide/pm/cpufreq.rst`).

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

/// The policies that have an online CPU, by number.
pub(super) fn policies(survey: &Survey<'_>, online: &IdSet) -> Vec<Policy> {
    let numbers = survey.numbered(&format!("{CPUS}/cpufreq"), "policy");
    if numbers.is_empty() {
        return policies_of_cpus(survey, online);
    }
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
            policies.push(driver.policy(survey, &directory, id, cpus));
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
            continue;
        }
        let mut cpus = affected(survey, &directory)
            .intersection(online)
            .difference(&placed);
        cpus.insert(cpu);
        placed = placed.union(&cpus);
        policies.push(driver.policy(survey, &directory, cpu, cpus));
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

    fn policy(&self, survey: &Survey<'_>, directory: &str, id: u32, cpus: IdSet) -> Policy {
        let path = |name: &str| {
            let offered = self.attributes.iter().any(|offered| offered == name);
            offered.then(|| format!("{directory}/{name}"))
        };
        let text = |name| survey.text(&path(name)?);
        let hertz = |name| hertz(survey, &path(name)?);
        Policy {
            id,
            cpus,
            driver: self.name.clone(),
            governor: text("scaling_governor"),
            energy_preference: text("energy_performance_preference"),
            hardware_min_hz: hertz("cpuinfo_min_freq"),
            hardware_max_hz: hertz("cpuinfo_max_freq"),
            base_hz: hertz("base_frequency"),
            allowed_min_hz: hertz("scaling_min_freq"),
            allowed_max_hz: hertz("scaling_max_freq"),
            now: PolicyNow {
                frequency_hz: hertz(NOW),
            },
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
