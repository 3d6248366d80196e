use libhw::device::memory::{Device, Population};

use crate::monitor::scene::{Scene, row, wrong};

use super::ROW;

const MC: &str = "sys/devices/system/edac/mc/mc0";

fn files() -> Vec<(String, &'static str)> {
    let own = [
        ("mc_name", "Test MC\n"),
        ("ce_count", "5\n"),
        ("ue_count", "0\n"),
        ("ce_noinfo_count", "0\n"),
        ("ue_noinfo_count", "0\n"),
        ("dimm0/dimm_label", "CPU0_DIMM_A1\n"),
        ("dimm0/dimm_location", "channel 0 slot 0\n"),
        ("dimm0/size", "16384\n"),
        ("dimm0/dimm_ce_count", "5\n"),
        ("dimm0/dimm_ue_count", "0\n"),
    ];
    let mut files: Vec<_> = own
        .map(|(name, text)| (format!("{MC}/{name}"), text))
        .to_vec();
    files.push((
        "proc/meminfo".to_owned(),
        "MemTotal: 1000 kB\nHardwareCorrupted:     0 kB\n",
    ));
    files
}

fn scene() -> Scene {
    let files = files();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    Scene::new(&ROW, &files)
}

#[test]
fn corrected_errors_are_told_by_growth_and_uncorrected_ones_at_first_sight() {
    let mut scene = scene();
    // What was corrected before anybody looked gathered over nobody knows how long.
    assert_eq!(scene.wrong(), []);
    scene.write(&format!("{MC}/dimm0/dimm_ce_count"), "8\n");
    let dimm = "dimm=mc0/dimm0";
    assert_eq!(scene.wrong(), [row("hw.memory.corrected", dimm, "+3")]);
    assert_eq!(scene.wrong(), []);
    // While the agent was down.
    scene.write(&format!("{MC}/dimm0/dimm_ce_count"), "9\n");
    scene.write(&format!("{MC}/dimm0/dimm_ue_count"), "1\n");
    scene.restart();
    let wrong = [
        row("hw.memory.corrected", dimm, "+1"),
        row("hw.memory.uncorrected", dimm, "+1"),
    ];
    assert_eq!(scene.wrong(), wrong);
    // Somebody reset the counters, and after a boot they begin anew.
    scene.write(&format!("{MC}/dimm0/dimm_ce_count"), "2\n");
    scene.write(&format!("{MC}/dimm0/dimm_ue_count"), "0\n");
    assert_eq!(scene.wrong(), [row("hw.memory.corrected", dimm, "+2")]);
    scene.reboot();
    assert_eq!(scene.wrong(), [row("hw.memory.corrected", dimm, "+2")]);
}

#[test]
fn an_error_before_the_first_look_that_lost_data_is_told() {
    let mut scene = scene();
    scene.write(&format!("{MC}/dimm0/dimm_ue_count"), "2\n");
    scene.write(&format!("{MC}/ue_noinfo_count"), "1\n");
    let wrong = [
        row("hw.memory.uncorrected", "dimm=mc0/dimm0", "+2"),
        row("hw.memory.uncorrected", "dimm=mc0", "+1"),
    ];
    assert_eq!(scene.wrong(), wrong);
}

#[test]
fn errors_are_told_of_the_stick_that_a_person_can_take_out() {
    let mut scene = scene();
    scene.write(&format!("{MC}/dimm0/dimm_ue_count"), "1\n");
    let mut inventory = scene.inventory();
    let memory = inventory.memory.as_mut().unwrap();
    memory.devices = vec![Device {
        id: "CPU0_DIMM_A1".to_owned(),
        locator: Some("CPU0_DIMM_A1".to_owned()),
        population: Population::Populated,
        size_bytes: memory.edac_dimms[0].size_bytes,
        ..Device::default()
    }];
    let told = wrong(&scene.look_at(&inventory));
    assert_eq!(
        told,
        [row("hw.memory.uncorrected", "dimm=CPU0_DIMM_A1", "+1")]
    );
}

#[test]
fn poisoned_pages_are_told_while_they_are_out_of_use() {
    let mut scene = scene();
    scene.write(
        "proc/meminfo",
        "MemTotal: 1000 kB\nHardwareCorrupted:     4 kB\n",
    );
    assert_eq!(scene.wrong(), [row("hw.memory.poisoned", "", "fault")]);
    scene.write(
        "proc/meminfo",
        "MemTotal: 1000 kB\nHardwareCorrupted:     0 kB\n",
    );
    assert_eq!(scene.wrong(), []);
    scene.write("sys/devices/system/node/node0/memory_failure/total", "1\n");
    assert_eq!(scene.wrong(), [row("hw.memory.poisoned", "", "fault")]);
}

#[test]
fn a_counter_that_says_nonsense_is_unknown_and_its_last_value_is_kept() {
    let mut scene = scene();
    scene.wrong();
    for text in ["many\n", "-1\n", "\0\n"] {
        scene.write(&format!("{MC}/dimm0/dimm_ce_count"), text);
        assert_eq!(scene.wrong(), [], "{text:?}");
    }
    scene.write(&format!("{MC}/dimm0/dimm_ce_count"), "6\n");
    assert_eq!(
        scene.wrong(),
        [row("hw.memory.corrected", "dimm=mc0/dimm0", "+1")]
    );
}
