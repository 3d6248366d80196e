//! Watchdogs of the composite tree, read once more by hand, and of a synthetic one.

use std::path::Path;

use libhw::device::watchdog::{Flag, TimerState};
use libhw::inventory::Class;

/// A file's text, trimmed, or nothing.
fn text(tree: &Path, name: &str) -> Option<String> {
    let path = tree.join("sys/class/watchdog/watchdog0").join(name);
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

#[test]
fn the_captured_watchdog_reads_as_its_files_say() {
    let Some(machines) = support::machines() else {
        return support::skipped("no machines: set GNOMON_MACHINES to a directory with composite/");
    };
    let tree = support::ttar::ttar(&machines.join("composite/prometheus-procfs.ttar"));
    let watchdog = crate::replayed(tree.path(), &[Class::Watchdog]).watchdog;
    let watchdog = watchdog.expect("watchdogs");
    let ids: Vec<&str> = watchdog
        .timers
        .iter()
        .map(|timer| timer.id.as_str())
        .collect();
    assert_eq!(ids, ["watchdog0", "watchdog1"]);
    let timer = &watchdog.timers[0];
    let said = |name: &str| text(tree.path(), name);
    let number = |name: &str| said(name).and_then(|text| text.parse::<u32>().ok());
    assert_eq!(timer.identity, said("identity"));
    assert_eq!(timer.firmware_version, number("fw_version"));
    assert_eq!(timer.timeout_seconds, number("timeout"));
    assert_eq!(timer.pretimeout_seconds, number("pretimeout"));
    assert_eq!(timer.pretimeout_governor, said("pretimeout_governor"));
    assert_eq!(timer.no_way_out, number("nowayout").map(|value| value == 1));
    assert_eq!(
        timer.alternate_boot,
        number("access_cs0").map(|value| value == 1)
    );
    assert_eq!(timer.now.time_left_seconds, number("timeleft"));
    assert_eq!(
        (said("state").as_deref(), &timer.now.state),
        (Some("active"), &Some(TimerState::Active))
    );
    assert_eq!(
        (number("bootstatus"), timer.boot_status.as_slice()),
        (Some(1), &[Flag::Overheat][..])
    );
    assert_eq!(said("options").as_deref(), Some("0x8380"));
    let options = [
        Flag::SetTimeout,
        Flag::MagicClose,
        Flag::Pretimeout,
        Flag::KeepalivePing,
    ];
    assert_eq!(timer.options, options);
    assert_eq!(said("status").as_deref(), Some("0x8000"));
    assert_eq!(timer.now.status, [Flag::KeepalivePing]);
    assert!(timer.timeout_seconds.is_some() && timer.now.time_left_seconds.is_some());
}

#[test]
fn a_synthetic_tree_of_watchdogs_reads_as_its_documents_say() {
    let watchdog = crate::synthetic("watchdog", &[Class::Watchdog]).watchdog;
    let watchdog = watchdog.expect("watchdogs");
    assert_eq!(watchdog.timers[0].function.as_deref(), Some("0000:00:1f.4"));
    assert_eq!(watchdog.timers[0].boot_status, [Flag::CardReset]);
    assert_eq!(watchdog.timers[1].no_way_out, Some(true));
    assert_eq!(
        watchdog.ipmi.and_then(|ipmi| ipmi.action).as_deref(),
        Some("reset")
    );
}
