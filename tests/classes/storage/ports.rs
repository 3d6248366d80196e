//! Ports of Fibre Channel and ends of SAS cables, value by value of the composite tree's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libhw::device::storage::{FcHost, SasPhy, Storage};
use libhw::inventory::Class;

use crate::replayed;

fn text(place: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(place.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `12.0 Gbit` in Mbit/s: all rates have one digit after the point, or none.
fn megabits(text: &str) -> Option<u32> {
    let gigabits = text.strip_suffix(" Gbit")?;
    let tenths = match gigabits.contains('.') {
        true => gigabits.replace('.', ""),
        false => format!("{gigabits}0"),
    };
    Some(tenths.parse::<u32>().ok()? * 100)
}

fn word(value: impl serde::Serialize) -> Option<String> {
    let value = serde_json::to_value(value).expect("JSON");
    value.as_str().map(str::to_owned)
}

#[test]
fn fibre_channel_and_sas_of_the_composite_tree_are_what_its_files_say() {
    let Some(machines) = support::machines() else {
        return support::skipped("no machines");
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let storage = replayed(tree.path(), &[Class::Storage]).storage;
    let Storage {
        fc_hosts, sas_phys, ..
    } = storage.expect("the class");
    let class = tree.path().join("sys/class");
    assert_eq!(fc_hosts.len(), entries(&class.join("fc_host")));
    for host in &fc_hosts {
        fibre_channel(host, &class.join("fc_host").join(&host.id));
    }
    assert_eq!(sas_phys.len(), entries(&class.join("sas_phy")));
    assert!(sas_phys.len() > 8);
    for phy in &sas_phys {
        sas(phy, &class.join("sas_phy").join(&phy.id));
    }
}

fn entries(place: &Path) -> usize {
    fs::read_dir(place).expect("a class").count()
}

fn fibre_channel(host: &FcHost, place: &Path) {
    assert_eq!(host.node_name, text(place, "node_name"));
    assert_eq!(host.port_name, text(place, "port_name"));
    assert_eq!(host.symbolic_name, text(place, "symbolic_name"));
    let now = &host.now;
    assert_eq!(now.port_type, text(place, "port_type"));
    assert_eq!(now.port_id, text(place, "port_id"));
    let state = text(place, "port_state").map(|text| text.to_lowercase());
    assert_eq!(word(&now.state), state);
    let speed = text(place, "speed").and_then(|text| megabits(&text));
    assert_eq!(now.speed_mbps, speed);
    let supported = text(place, "supported_speeds").unwrap_or_default();
    let supported: Vec<u32> = supported.split(", ").filter_map(megabits).collect();
    assert_eq!(host.supported_speeds_mbps, supported);
    let mut counters = BTreeMap::new();
    for entry in fs::read_dir(place.join("statistics"))
        .expect("counters")
        .flatten()
    {
        let name = entry.file_name().into_string().expect("a name");
        let count = fs::read_to_string(entry.path()).expect("a counter");
        let digits = count.trim().trim_start_matches("0x");
        let count = u64::from_str_radix(digits, 16).expect("hexadecimal");
        if count != 0 && count != u64::MAX {
            counters.insert(name, count);
        }
    }
    assert_eq!(now.counters, counters, "{}", host.id);
    assert!(!now.counters.is_empty());
}

fn sas(phy: &SasPhy, place: &Path) {
    let number = |name: &str| text(place, name).and_then(|text| text.parse::<u32>().ok());
    let rate = |name: &str| text(place, name).and_then(|text| megabits(&text));
    assert_eq!(phy.sas_address, text(place, "sas_address"), "{}", phy.id);
    assert_eq!(phy.device_type, text(place, "device_type"));
    assert_eq!(phy.number, number("phy_identifier"));
    assert_eq!(phy.enabled.map(u32::from), number("enable"));
    assert_eq!(phy.now.rate_mbps, rate("negotiated_linkrate"));
    assert_eq!(phy.rate_min_mbps, rate("minimum_linkrate"));
    assert_eq!(phy.rate_max_mbps, rate("maximum_linkrate"));
    assert_eq!(phy.rate_max_hardware_mbps, rate("maximum_linkrate_hw"));
    let protocols = text(place, "initiator_port_protocols");
    assert_eq!(Some(phy.initiator_protocols.join(", ")), protocols);
    let errors = phy.now.errors.expect("counters");
    assert_eq!(errors.invalid_dwords, number("invalid_dword_count"));
    assert_eq!(
        errors.disparity_errors,
        number("running_disparity_error_count")
    );
    assert_eq!(errors.lost_syncs, number("loss_of_dword_sync_count"));
    assert_eq!(errors.reset_problems, number("phy_reset_problem_count"));
    assert_eq!(phy.function.as_deref(), Some("0000:03:00.0"));
}
