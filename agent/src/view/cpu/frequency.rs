//! cpufreq policies: those that are set alike share a row.

use std::collections::BTreeMap;

use libhw::device::cpu::{Cpu, Policy};
use libhw::idset::IdSet;
use libhw::units::Hertz;

use crate::table::{Cell, Column, Table};
use crate::view::words::{counted, range};

/// The table of frequencies.
pub(super) fn table(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Wrap("driver"),
        Column::Wrap("governor"),
        Column::Wrap("preference"),
        Column::Left("hardware"),
        Column::Left("base"),
        Column::Left("allowed"),
        Column::Left("now"),
        Column::Wrap("cpus"),
    ]);
    let mut groups: BTreeMap<_, Together> = BTreeMap::new();
    for policy in &cpu.policies {
        groups.entry(settings(policy)).or_default().add(policy);
    }
    for (settings, together) in groups {
        let end = [
            range(together.least, together.most).into(),
            counted(&together.cpus).into(),
        ];
        table.row(settings.map(Cell::from).into_iter().chain(end));
    }
    table
}

/// What a policy is set to, as it is shown; that it is allowed all that the hardware can goes without saying.
fn settings(policy: &Policy) -> [String; 6] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let hardware = range(policy.hardware_min_hz, policy.hardware_max_hz);
    let allowed = range(policy.allowed_min_hz, policy.allowed_max_hz);
    [
        text(&policy.driver),
        text(&policy.governor),
        text(&policy.energy_preference),
        range(policy.hardware_min_hz, policy.hardware_max_hz),
        policy
            .base_hz
            .map(|base| base.to_string())
            .unwrap_or_default(),
        if allowed == hardware {
            String::new()
        } else {
            allowed
        },
    ]
}

/// Policies of one row.
#[derive(Default)]
struct Together {
    cpus: IdSet,
    least: Option<Hertz>,
    most: Option<Hertz>,
}

impl Together {
    fn add(&mut self, policy: &Policy) {
        for cpu in policy.cpus.iter() {
            self.cpus.insert(cpu);
        }
        if let Some(now) = policy.now.frequency_hz {
            self.least = Some(self.least.map_or(now, |least| least.min(now)));
            self.most = Some(self.most.map_or(now, |most| most.max(now)));
        }
    }
}

#[cfg(test)]
mod tests {
    use libhw::device::cpu::PolicyNow;

    use super::*;
    use crate::table::{Page, Style};

    #[test]
    fn policies_that_are_set_alike_share_a_row() {
        let policy = |id: u32, governor: &str, mhz: u64| Policy {
            id,
            cpus: [id].into_iter().collect(),
            governor: Some(governor.into()),
            hardware_min_hz: Some(Hertz(1_200_000_000)),
            hardware_max_hz: Some(Hertz(2_300_000_000)),
            now: PolicyNow {
                frequency_hz: Some(Hertz(mhz * 1_000_000)),
            },
            ..Policy::default()
        };
        let cpu = Cpu {
            policies: vec![
                policy(0, "performance", 2300),
                policy(1, "performance", 1800),
                policy(2, "powersave", 1200),
            ],
            ..Cpu::default()
        };
        let mut page = Page::new();
        page.table(&table(&cpu));
        assert_eq!(
            page.into_text(Style::default()),
            concat!(
                "  governor     hardware         now              cpus\n",
                "  performance  1.2 GHz–2.3 GHz  1.8 GHz–2.3 GHz  0-1 (2)\n",
                "  powersave    1.2 GHz–2.3 GHz  1.2 GHz          2\n",
            )
        );
    }
}
