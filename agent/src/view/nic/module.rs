//! Pluggable modules and their levels.

use libhw::device::nic::Nic;

use crate::table::{Cell, Column, Paint, Table};
use crate::view::words::joined;

/// The modules, each with what it measures.
pub(super) fn modules(nic: &Nic) -> Table {
    let mut table = Table::new(&[
        Column::Left("module in"),
        Column::Left("form"),
        Column::Wrap("for"),
        Column::Wrap("made by"),
        Column::Left("connector"),
        Column::Wrap("levels"),
        Column::Wrap("beyond"),
    ]);
    for interface in &nic.interfaces {
        let Some(module) = &interface.module else {
            continue;
        };
        let now = interface.now.module.as_ref();
        let temperature = now.and_then(|now| now.temperature_millicelsius);
        let lanes = now.iter().flat_map(|now| &now.lanes).map(|lane| {
            let power = |power: Option<i64>| power.map_or_else(String::new, dbm);
            format!(
                "{}→ {}←",
                power(lane.tx_power_nanowatts),
                power(lane.rx_power_nanowatts)
            )
        });
        let lanes: Vec<String> = lanes.collect();
        let levels = [
            temperature.map(|level| format!("{} °C", level / 1000)),
            Some(lanes.join(" ")),
        ];
        let alarms: Vec<String> = now
            .iter()
            .flat_map(|now| &now.alarms)
            .map(|alarm| {
                let lane = alarm.lane.map(|lane| format!("lane {lane}"));
                let level = alarm.level.split('_').take(2).collect::<Vec<_>>().join(" ");
                joined(
                    [Some(level), lane, Some(alarm.limit.replace('_', " "))],
                    " ",
                )
            })
            .collect();
        let bad = alarms.iter().any(|alarm| alarm.ends_with("alarm"));
        table.row([
            interface.id.as_str().into(),
            Cell::of(module.form.as_ref()),
            module.compliance.join(", ").into(),
            joined([module.vendor.clone(), module.part.clone()], " ").into(),
            Cell::of(module.connector.as_ref()),
            joined(levels, ", ").into(),
            Cell::new(
                alarms.join(", "),
                if bad { Paint::Bad } else { Paint::Warning },
            ),
        ]);
    }
    table
}

/// Decibels against a milliwatt, of nanowatts; darkness has none.
fn dbm(nanowatts: i64) -> String {
    let Some(nanowatts) = u32::try_from(nanowatts).ok().filter(|power| *power > 0) else {
        return "dark ".to_owned();
    };
    format!("{:.1} dBm ", 10.0 * (f64::from(nanowatts) / 1e6).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optical_power_is_told_in_decibels() {
        for (nanowatts, text) in [
            (1_000_000, "0.0 dBm "),
            (500_000, "-3.0 dBm "),
            (0, "dark "),
        ] {
            assert_eq!(dbm(nanowatts), text);
        }
    }
}
