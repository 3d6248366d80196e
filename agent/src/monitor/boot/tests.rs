use crate::monitor::scene::{Scene, row};

use super::ROW;

const TIMER: &str = "sys/class/watchdog/watchdog0";

#[test]
fn a_watchdog_that_restarted_the_machine_is_told() {
    let mut scene = Scene::new(&ROW, &[]);
    for (name, text) in [
        ("identity", "iTCO_wdt\n"),
        ("bootstatus", "0\n"),
        ("status", "0x8000\n"),
    ] {
        scene.write(&format!("{TIMER}/{name}"), text);
    }
    assert_eq!(scene.wrong(), []);
    scene.write(&format!("{TIMER}/bootstatus"), "32\n");
    assert_eq!(
        scene.wrong(),
        [row("hw.watchdog.fired", "watchdog=watchdog0", "fault")]
    );
    scene.write(&format!("{TIMER}/bootstatus"), "1\n");
    assert_eq!(
        scene.wrong(),
        [row("hw.watchdog.warning", "watchdog=watchdog0", "fault")]
    );
    scene.write(&format!("{TIMER}/bootstatus"), "soon\n");
    assert_eq!(scene.wrong(), []);
}

#[test]
fn records_of_a_crash_are_told_while_they_are_there() {
    let mut scene = Scene::ttar(&ROW, "ras");
    let told = scene.wrong();
    let crashed = |said: &&crate::monitor::scene::Said| said.0 == "host.reboot.crash-record";
    assert_eq!(told.iter().filter(crashed).count(), 1, "{told:?}");
    assert!(
        told.iter().any(|said| said.0 == "hw.firmware.error"),
        "{told:?}"
    );
    scene.remove("sys/fs/pstore/dmesg-erst-7134567890123456");
    scene.remove("sys/fs/pstore/mce-erst-7134567890123457");
    let told = scene.wrong();
    assert_eq!(told.iter().filter(crashed).count(), 0, "{told:?}");
    // systemd took another one out of the store.
    let before = scene
        .inventory()
        .ras
        .and_then(|ras| ras.pstore)
        .map_or(0, |pstore| pstore.archived.len());
    for number in 0..=before {
        scene.write(
            &format!(
                "var/lib/systemd/pstore/dmesg-erst-{}.txt",
                7_000_000_000_000 + number
            ),
            "Panic\n",
        );
    }
    let after = scene
        .inventory()
        .ras
        .and_then(|ras| ras.pstore)
        .map_or(0, |pstore| pstore.archived.len());
    let grown = format!("+{}", after - before);
    let told = scene.wrong();
    assert!(
        told.iter().any(|said| crashed(&said) && said.2 == grown),
        "{told:?}"
    );
}
