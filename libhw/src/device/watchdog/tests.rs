use crate::device::watchdog::{Flag, TimerState, Watchdog};
use crate::inventory::Class;
use crate::survey::{Problem, Survey};
use crate::tree::{Tree, told};

const TIMER: &str = "sys/class/watchdog/watchdog0";

fn read(tree: &Tree) -> (Watchdog, Vec<Problem>) {
    let inventory = tree.discover(Class::Watchdog);
    (inventory.watchdog.unwrap(), inventory.problems)
}

fn deep(tree: &Tree) -> Watchdog {
    tree.discover_deep(Class::Watchdog).watchdog.unwrap()
}

fn timer() -> Tree {
    let tree = Tree::new(&[]);
    for (name, text) in [
        ("identity", "iTCO_wdt\n"),
        ("state", "active\n"),
        ("status", "0x8100\n"),
        ("bootstatus", "32\n"),
        ("options", "0x8180\n"),
        ("fw_version", "4\n"),
        ("timeout", "30\n"),
        ("min_timeout", "2\n"),
        ("max_timeout", "614\n"),
        ("timeleft", "27\n"),
        ("nowayout", "1\n"),
        ("pretimeout", "5\n"),
        ("pretimeout_governor", "panic\n"),
        ("pretimeout_available_governors", "noop\npanic\n"),
    ] {
        tree.write(&format!("{TIMER}/{name}"), text);
    }
    let device = "sys/devices/pci0000:00/0000:00:1f.4/iTCO_wdt.1.auto";
    tree.directory(device);
    tree.link(
        &format!("{device}/driver"),
        "../../../../bus/platform/drivers/iTCO_wdt",
    );
    tree.link(
        &format!("{TIMER}/device"),
        "../../../devices/pci0000:00/0000:00:1f.4/iTCO_wdt.1.auto",
    );
    tree
}

#[test]
fn a_timer_is_read_with_its_bits_in_words() {
    let (watchdog, problems) = read(&timer());
    assert_eq!(told(&problems), []);
    let [timer] = watchdog.timers.as_slice() else {
        panic!("{watchdog:?}");
    };
    assert_eq!(
        (timer.id.as_str(), timer.identity.as_deref()),
        ("watchdog0", Some("iTCO_wdt"))
    );
    assert_eq!(timer.driver.as_deref(), Some("iTCO_wdt"));
    assert_eq!(timer.function.as_deref(), Some("0000:00:1f.4"));
    assert_eq!(timer.firmware_version, Some(4));
    assert_eq!(timer.timeout_seconds, Some(30));
    assert_eq!(
        (timer.timeout_min_seconds, timer.timeout_max_seconds),
        (Some(2), Some(614))
    );
    assert_eq!(timer.pretimeout_seconds, Some(5));
    assert_eq!(timer.pretimeout_governor.as_deref(), Some("panic"));
    assert_eq!(timer.pretimeout_governors, ["noop", "panic"]);
    assert_eq!((timer.no_way_out, timer.alternate_boot), (Some(true), None));
    assert_eq!(
        timer.options,
        [Flag::SetTimeout, Flag::MagicClose, Flag::KeepalivePing]
    );
    assert_eq!(timer.boot_status, [Flag::CardReset]);
    assert_eq!(timer.now.state, Some(TimerState::Active));
    assert_eq!(timer.now.status, [Flag::MagicClose, Flag::KeepalivePing]);
    assert_eq!(timer.now.time_left_seconds, None);
}

#[test]
fn what_is_left_is_asked_for_in_a_deep_look_and_then_again() {
    let tree = timer();
    let mut watchdog = deep(&tree);
    assert_eq!(watchdog.timers[0].now.time_left_seconds, Some(27));
    tree.write(&format!("{TIMER}/timeleft"), "9\n");
    tree.write(&format!("{TIMER}/state"), "inactive\n");
    tree.write(&format!("{TIMER}/status"), "0x0\n");
    let root = tree.root();
    super::refresh(&mut watchdog, &Survey::new(&root, "watchdog", false, false));
    let now = &watchdog.timers[0].now;
    assert_eq!(
        (now.time_left_seconds, &now.state),
        (Some(9), &Some(TimerState::Inactive))
    );
    assert_eq!(now.status, []);
}

#[test]
fn bits_and_words_of_later_kernels_are_kept() {
    let tree = timer();
    tree.write(&format!("{TIMER}/bootstatus"), "65569\n");
    tree.write(&format!("{TIMER}/state"), "dozing\n");
    let (watchdog, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let other = Flag::Other("0x10000".to_owned());
    assert_eq!(
        watchdog.timers[0].boot_status,
        [Flag::Overheat, Flag::CardReset, other]
    );
    assert_eq!(
        watchdog.timers[0].now.state,
        Some(TimerState::Other("dozing".to_owned()))
    );
}

#[test]
fn the_bmcs_watchdog_and_the_lockup_detectors_are_told() {
    let tree = Tree::new(&[
        ("sys/module/ipmi_watchdog/parameters/timeout", "60\n"),
        ("sys/module/ipmi_watchdog/parameters/pretimeout", "10\n"),
        (
            "sys/module/ipmi_watchdog/parameters/action",
            "power_cycle\n",
        ),
        ("sys/module/ipmi_watchdog/parameters/preaction", "pre_nmi\n"),
        ("sys/module/ipmi_watchdog/parameters/preop", "preop_panic\n"),
        ("sys/module/ipmi_watchdog/parameters/nowayout", "Y\n"),
        ("proc/sys/kernel/watchdog_thresh", "10\n"),
        ("proc/sys/kernel/soft_watchdog", "1\n"),
        ("proc/sys/kernel/nmi_watchdog", "0\n"),
        ("proc/sys/kernel/watchdog_cpumask", "0-3\n"),
    ]);
    let (watchdog, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let ipmi = watchdog.ipmi.unwrap();
    assert_eq!(
        (ipmi.timeout_seconds, ipmi.pretimeout_seconds),
        (Some(60), Some(10))
    );
    assert_eq!(ipmi.action.as_deref(), Some("power_cycle"));
    assert_eq!(ipmi.preaction.as_deref(), Some("pre_nmi"));
    assert_eq!(ipmi.preop.as_deref(), Some("preop_panic"));
    assert_eq!(ipmi.no_way_out, Some(true));
    let lockup = watchdog.lockup_detector.unwrap();
    assert_eq!((lockup.soft, lockup.hard), (Some(true), Some(false)));
    assert_eq!(lockup.threshold_seconds, Some(10));
    assert_eq!(lockup.cpus.unwrap().to_string(), "0-3");
}

#[test]
fn a_tree_without_any_is_no_problem_and_a_spoilt_one_tells_each_file() {
    let (watchdog, problems) = read(&Tree::new(&[]));
    assert_eq!((watchdog, problems), (Watchdog::default(), Vec::new()));
    for text in ["", "\0\0\0", "rubbish\n", "99999999999999999999\n"] {
        let tree = timer();
        for name in ["timeout", "options", "bootstatus", "nowayout"] {
            tree.write(&format!("{TIMER}/{name}"), text);
        }
        tree.fail(&[(&format!("{TIMER}/identity"), libc::EIO)]);
        let (watchdog, problems) = read(&tree);
        let timer = &watchdog.timers[0];
        assert_eq!(
            (timer.timeout_seconds, timer.no_way_out),
            (None, None),
            "{text:?}"
        );
        assert_eq!(
            (timer.options.len(), timer.timeout_max_seconds),
            (0, Some(614))
        );
        let malformed = told(&problems);
        let malformed = malformed
            .iter()
            .filter(|(_, why)| *why == "malformed")
            .count();
        assert_eq!(
            (malformed, problems.len()),
            (4, 5),
            "{text:?}: {problems:?}"
        );
    }
}

#[test]
fn a_link_to_anything_else_is_no_pci_function() {
    for target in [
        "../../../devices/platform/softdog",
        "../../..",
        "/",
        "0000:00:1f",
        "",
    ] {
        let tree = Tree::new(&[(&format!("{TIMER}/identity"), "x\n")]);
        if !target.is_empty() {
            tree.link(&format!("{TIMER}/device"), target);
        }
        assert_eq!(read(&tree).0.timers[0].function, None, "{target}");
    }
}
