use super::*;
use crate::inventory::Class;
use crate::tree::{Tree, told};

const PTP: &str = "sys/class/ptp/ptp0";

fn clocks(tree: &Tree) -> PtpClock {
    let inventory = tree.discover(Class::PtpClock);
    assert_eq!(inventory.problems, []);
    inventory.ptp_clock.unwrap()
}

#[test]
fn a_tree_without_clocks_has_none() {
    assert_eq!(clocks(&Tree::new(&[])), PtpClock::default());
}

#[test]
fn a_clock_is_told_with_its_pins() {
    let tree = Tree::new(&[
        ("sys/class/ptp/ptp0/clock_name", "igb ptp\n"),
        ("sys/class/ptp/ptp0/max_adjustment", "999999881\n"),
        ("sys/class/ptp/ptp0/max_phase_adjustment", "0\n"),
        ("sys/class/ptp/ptp0/n_external_timestamps", "2\n"),
        ("sys/class/ptp/ptp0/n_vclocks", "0\n"),
        ("sys/class/ptp/ptp0/pps_available", "1\n"),
        ("sys/class/ptp/ptp0/pins/SDP0", "1 1\n"),
        ("sys/class/ptp/ptp0/pins/SDP1", "3 0\n"),
        ("sys/class/ptp/ptp0/pins/SDP2", "9 0\n"),
    ]);
    let class = clocks(&tree);
    let clock = &class.clocks[0];
    assert_eq!(
        (clock.id.as_str(), &clock.kind),
        ("ptp0", &Some(ClockKind::Hardware))
    );
    assert_eq!(
        (clock.max_adjustment_ppb, clock.max_phase_adjustment_ns),
        (Some(999_999_881), None)
    );
    assert_eq!(
        (clock.external_timestamps, clock.pps, clock.alarms),
        (Some(2), Some(true), None)
    );
    let functions: Vec<_> = clock
        .pins
        .iter()
        .map(|pin| pin.now.function.clone().unwrap())
        .collect();
    assert_eq!(
        functions,
        [
            PinFunction::ExternalTimestamp,
            PinFunction::PhySync,
            PinFunction::Other("9".into())
        ]
    );
}

#[test]
fn a_virtual_clock_a_hypervisors_and_a_devices_are_told_apart() {
    let device = "sys/devices/pci0000:00/0000:00:03.0/ptp/ptp0";
    let tree = Tree::new(&[
        (&format!("{device}/clock_name"), "ice\n"),
        (&format!("{device}/ptp/ptp1/clock_name"), "ptp1\n"),
        (
            "sys/devices/virtual/ptp/ptp2/clock_name",
            "KVM virtual PTP\n",
        ),
        ("sys/devices/pci0000:00/0000:00:03.0/net/eth0/mtu", "1500\n"),
    ]);
    tree.link(PTP, "../../devices/pci0000:00/0000:00:03.0/ptp/ptp0");
    tree.link(
        "sys/class/ptp/ptp1",
        "../../devices/pci0000:00/0000:00:03.0/ptp/ptp0/ptp/ptp1",
    );
    tree.link("sys/class/ptp/ptp2", "../../devices/virtual/ptp/ptp2");
    tree.link(&format!("{device}/device"), "../../../0000:00:03.0");
    tree.link(&format!("{device}/ptp/ptp1/device"), "../../ptp0");
    let class = clocks(&tree);
    let kinds: Vec<_> = class
        .clocks
        .iter()
        .map(|clock| clock.kind.clone().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            ClockKind::Hardware,
            ClockKind::Virtual,
            ClockKind::Hypervisor
        ]
    );
    assert_eq!(
        class.clocks[0].interfaces,
        BTreeSet::from(["eth0".to_owned()])
    );
    assert_eq!(class.clocks[0].function.as_deref(), Some("0000:00:03.0"));
    assert_eq!(class.clocks[1].parent.as_deref(), Some("ptp0"));
    assert_eq!(
        (&class.clocks[2].parent, &class.clocks[2].function),
        (&None, &None)
    );
}

#[test]
fn pulses_and_receivers_are_told() {
    let tree = Tree::new(&[
        ("sys/class/pps/pps0/name", "ptp0\n"),
        ("sys/class/pps/pps0/assert", "1293649120.123456789#4711\n"),
        ("sys/class/pps/pps0/clear", "0.000000000#0\n"),
        ("sys/class/pps/pps1/name", "serial0\n"),
        ("sys/class/pps/pps1/path", "/dev/ttyS0\n"),
        ("sys/class/pps/pps1/clear", ""),
        ("sys/class/gnss/gnss0/type", "UBX\n"),
    ]);
    let class = clocks(&tree);
    let pulse = class.pps[0].now.assert.unwrap();
    assert_eq!(
        (pulse.seconds, pulse.nanoseconds, pulse.sequence),
        (1_293_649_120, 123_456_789, 4711)
    );
    assert_eq!(
        (class.pps[0].now.clear, class.pps[0].clock.as_deref()),
        (None, Some("ptp0"))
    );
    assert_eq!(
        (class.pps[1].clock.as_deref(), class.pps[1].path.as_deref()),
        (None, Some("/dev/ttyS0"))
    );
    assert_eq!(class.gnss[0].protocol, Some(GnssProtocol::Ubx));
}

#[test]
fn how_the_system_time_is_kept_is_told_in_the_kernels_words() {
    let record = r#"{"state":0,"status":8193,"frequency_scaled_ppm":-655360,"tai_offset_s":37,"maxerror_us":9}"#;
    let tree = Tree::new(&[
        ("gnomon/probes/adjtimex.json", record),
        (
            "sys/devices/system/clocksource/clocksource0/available_clocksource",
            "tsc hpet acpi_pm \n",
        ),
        (
            "sys/devices/system/clocksource/clocksource0/current_clocksource",
            "tsc\n",
        ),
    ]);
    let class = clocks(&tree);
    let now = class.system.unwrap().now;
    assert!(now.synchronized);
    assert_eq!(
        now.status,
        BTreeSet::from(["pll".to_owned(), "nano".to_owned()])
    );
    assert_eq!(
        (now.frequency_ppb, now.tai_offset_s, now.maxerror_us),
        (-10_000, 37, 9)
    );
    let source = class.clocksource.unwrap();
    assert_eq!(
        (source.current.as_deref(), source.available.len()),
        (Some("tsc"), 3)
    );
}

#[test]
fn files_that_are_damaged_are_problems_and_hide_nothing_else() {
    for text in [
        "\0",
        "garbage",
        "99999999999999999999",
        "1",
        "1 x",
        "1.2#x",
        "1.9999999999#1",
    ] {
        let inventory = Tree::new(&[
            ("sys/class/ptp/ptp0/n_alarms", text),
            ("sys/class/ptp/ptp0/pins/SDP0", text),
            ("sys/class/ptp/ptp1/clock_name", "good\n"),
            ("sys/class/pps/pps0/assert", text),
            ("gnomon/probes/adjtimex.json", text),
        ])
        .discover(Class::PtpClock);
        let class = inventory.ptp_clock.unwrap();
        assert_eq!(class.clocks[1].name.as_deref(), Some("good"));
        let problems = told(&inventory.problems);
        assert!(
            problems.contains(&("/gnomon/probes/adjtimex.json", "malformed")),
            "{text:?} {problems:?}"
        );
    }
    let tree = Tree::new(&[("sys/class/ptp/ptp0/clock_name", "x\n")]);
    tree.fail(&[("sys/class/ptp/ptp0/clock_name", 5), ("sys/class/pps", 13)]);
    let inventory = tree.discover(Class::PtpClock);
    assert_eq!(
        told(&inventory.problems),
        [
            ("/sys/class/pps", "denied"),
            ("/sys/class/ptp/ptp0/clock_name", "unreadable")
        ]
    );
}

#[test]
fn this_host_says_how_it_keeps_time() {
    let root = crate::io::root::Root::live().unwrap();
    let survey = Survey::new(&root, "ptp_clock", false, false);
    let class = discover(&survey);
    assert!(class.system.is_some());
    assert_eq!(survey.into_problems(), []);
}
