use super::*;
use crate::inventory::{Class, Inventory, Scope, discover as discover_all};
use crate::tree::{Tree, told};

fn look(tree: &Tree, deep: bool) -> (Sensor, Inventory) {
    let scope = Scope {
        classes: vec![Class::Sensor],
        deep,
        ..Scope::default()
    };
    let inventory = discover_all(&tree.root(), &scope);
    (inventory.sensor.clone().unwrap(), inventory)
}

fn channel<'a>(sensor: &'a Sensor, id: &str) -> &'a Channel {
    let mut channels = sensor.channels.iter();
    channels.find(|channel| channel.id == id).unwrap()
}

const CORETEMP: &[(&str, &str)] = &[
    ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
    ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "47000\n"),
    ("sys/class/hwmon/hwmon0/temp1_max", "80000\n"),
    ("sys/class/hwmon/hwmon0/temp1_crit", "100000\n"),
    ("sys/class/hwmon/hwmon0/temp1_crit_alarm", "0\n"),
];

const SUPER_IO: &[(&str, &str)] = &[
    ("sys/class/hwmon/hwmon1/name", "nct6798\n"),
    ("sys/class/hwmon/hwmon1/fan2_label", "Rear\n"),
    ("sys/class/hwmon/hwmon1/fan2_input", "0\n"),
    ("sys/class/hwmon/hwmon1/fan2_min", "300\n"),
    ("sys/class/hwmon/hwmon1/fan2_alarm", "1\n"),
    ("sys/class/hwmon/hwmon1/pwm2", "128\n"),
    ("sys/class/hwmon/hwmon1/pwm2_enable", "5\n"),
    ("sys/class/hwmon/hwmon1/pwm2_auto_point1_pwm", "30\n"),
    ("sys/class/hwmon/hwmon1/temp3_input", "-128000\n"),
    ("sys/class/hwmon/hwmon1/temp3_fault", "1\n"),
    ("sys/class/hwmon/hwmon1/intrusion0_alarm", "1\n"),
    ("sys/class/hwmon/hwmon1/intrusion0_beep", "0\n"),
    ("sys/class/hwmon/hwmon1/beep_enable", "0\n"),
];

#[test]
fn a_chip_in_the_cpu_is_read_and_one_behind_a_bus_only_in_a_deep_look() {
    let tree = Tree::new(&[CORETEMP, SUPER_IO].concat());
    let (sensor, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let slow: Vec<_> = sensor.chips.iter().map(|chip| chip.slow).collect();
    assert_eq!(slow, [false, true]);
    let package = channel(&sensor, "hwmon0/temp1");
    assert_eq!(package.now.input, Some(47000));
    assert_eq!(package.limits.get(&Limit::Crit), Some(&100_000));
    assert_eq!(package.now.alarms.get(&Alarm::Crit), Some(&false));
    let fan = channel(&sensor, "hwmon1/fan2");
    assert_eq!(fan.label.as_deref(), Some("Rear"));
    assert_eq!((fan.limits.len(), &fan.now), (0, &ChannelNow::default()));

    let (sensor, _) = look(&tree, true);
    let fan = channel(&sensor, "hwmon1/fan2");
    assert_eq!((fan.kind, fan.unit), (ChannelKind::Fan, Unit::Rpm));
    assert_eq!(fan.now.input, Some(0));
    assert_eq!(fan.now.alarms.get(&Alarm::Alarm), Some(&true));
    let pwm = channel(&sensor, "hwmon1/pwm2");
    assert_eq!(pwm.now.input, Some(128));
    assert_eq!(pwm.now.control, Some(PwmControl::Automatic));
    let diode = channel(&sensor, "hwmon1/temp3");
    assert_eq!(diode.now.fault, Some(true));
    let chassis = channel(&sensor, "hwmon1/intrusion0");
    assert_eq!(chassis.now.alarms.get(&Alarm::Alarm), Some(&true));
    assert_eq!(sensor.channels.len(), 5);
}

#[test]
fn values_are_read_again_where_they_were_read_before() {
    let tree = Tree::new(&[CORETEMP, SUPER_IO].concat());
    for (deep, fan) in [(false, None), (true, Some(900))] {
        let (mut sensor, _) = look(&tree, deep);
        tree.write("sys/class/hwmon/hwmon0/temp1_input", "51000");
        tree.write("sys/class/hwmon/hwmon1/fan2_input", "900");
        let root = tree.root();
        refresh(&mut sensor, &Survey::new(&root, "sensor", false, false));
        assert_eq!(channel(&sensor, "hwmon0/temp1").now.input, Some(51000));
        assert_eq!(channel(&sensor, "hwmon1/fan2").now.input, fan);
    }
}

#[test]
fn a_chip_that_does_not_answer_is_asked_once_and_hides_no_other() {
    let tree = Tree::new(&[CORETEMP, SUPER_IO].concat());
    let timeout = nix::errno::Errno::ETIMEDOUT as i32;
    let all: Vec<_> = SUPER_IO.iter().map(|(path, _)| (*path, timeout)).collect();
    // Labels and names come from memory, so only what reaches the chip hangs.
    let hanging: Vec<_> = all
        .into_iter()
        .filter(|(path, _)| !path.ends_with("name") && !path.ends_with("label"))
        .collect();
    tree.fail(&hanging);
    let (sensor, inventory) = look(&tree, true);
    assert_eq!(
        told(&inventory.problems),
        [("/sys/class/hwmon/hwmon1/fan2_min", "timed out")]
    );
    assert_eq!(channel(&sensor, "hwmon0/temp1").now.input, Some(47000));
    assert_eq!(channel(&sensor, "hwmon1/fan2").now, ChannelNow::default());
}

#[test]
fn a_channel_without_data_is_empty_and_one_that_fails_is_told() {
    let tree = Tree::new(CORETEMP);
    tree.fail(&[
        (
            "sys/class/hwmon/hwmon0/temp1_input",
            nix::errno::Errno::ENODATA as i32,
        ),
        (
            "sys/class/hwmon/hwmon0/temp1_max",
            nix::errno::Errno::EIO as i32,
        ),
        (
            "sys/class/hwmon/hwmon0/temp1_crit",
            nix::errno::Errno::ENXIO as i32,
        ),
        (
            "sys/class/hwmon/hwmon0/temp1_crit_alarm",
            nix::errno::Errno::EACCES as i32,
        ),
    ]);
    let (sensor, inventory) = look(&tree, false);
    assert_eq!(
        told(&inventory.problems),
        [
            ("/sys/class/hwmon/hwmon0/temp1_crit", "unsupported"),
            ("/sys/class/hwmon/hwmon0/temp1_crit_alarm", "denied"),
            ("/sys/class/hwmon/hwmon0/temp1_max", "unreadable"),
        ]
    );
    let package = channel(&sensor, "hwmon0/temp1");
    assert_eq!(package.label.as_deref(), Some("Package id 0"));
    assert_eq!(package.now, ChannelNow::default());
}

#[test]
fn the_attributes_of_old_drivers_stand_with_the_device() {
    let tree = Tree::new(&[
        ("sys/devices/pci0000:00/0000:00:18.3/name", "k10temp\n"),
        ("sys/devices/pci0000:00/0000:00:18.3/temp1_input", "30000\n"),
        ("sys/bus/pci/x", ""),
    ]);
    tree.directory("sys/devices/pci0000:00/0000:00:18.3/hwmon/hwmon4");
    tree.link(
        "sys/devices/pci0000:00/0000:00:18.3/hwmon/hwmon4/device",
        "../../../0000:00:18.3",
    );
    tree.link(
        "sys/devices/pci0000:00/0000:00:18.3/subsystem",
        "../../../bus/pci",
    );
    tree.link(
        "sys/class/hwmon/hwmon4",
        "../../devices/pci0000:00/0000:00:18.3/hwmon/hwmon4",
    );
    let (sensor, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let [chip] = sensor.chips.as_slice() else {
        panic!("{sensor:?}");
    };
    assert_eq!(chip.name.as_deref(), Some("k10temp"));
    assert_eq!(chip.bus.as_deref(), Some("pci"));
    assert_eq!(chip.device.as_deref(), Some("0000:00:18.3"));
    assert_eq!(chip.function.as_deref(), Some("0000:00:18.3"));
    assert_eq!(channel(&sensor, "hwmon4/temp1").now.input, Some(30000));
}

#[test]
fn every_kind_of_channel_is_known_by_its_name() {
    for (name, expected) in [
        ("in0_input", Some("in0")),
        ("cpu0_vid", Some("cpu0_vid")),
        ("fan12_div", Some("fan12")),
        ("pwm1", Some("pwm1")),
        ("pwm1_enable", Some("pwm1")),
        ("temp1_emergency_hyst", Some("temp1")),
        ("curr2_rated_max_alarm", Some("curr2")),
        ("power1_average_interval", Some("power1")),
        ("energy7_input", Some("energy7")),
        ("humidity1_min_hyst", Some("humidity1")),
        ("freq1_input", Some("freq1")),
        ("intrusion0_alarm", Some("intrusion0")),
        ("in1", None),
        ("cpu0_input", None),
        ("temp1_vid", None),
        ("temp_input", None),
        ("temp1_reset_history", None),
        ("pwm1_auto_point2_temp", None),
        ("in99999999999_input", None),
        ("beep_enable", None),
        ("uevent", None),
        ("", None),
    ] {
        let found = attribute::parse(name).map(|found| found.kind.channel(found.number));
        assert_eq!(found.as_deref(), expected, "{name}");
    }
}

#[test]
fn the_accuracy_of_a_meter_is_a_percentage() {
    for (text, expected) in [
        ("0.5%\n", Some(500)),
        ("1%", Some(1000)),
        ("12.34", Some(12340)),
        ("x%", None),
        ("-1%", None),
    ] {
        let tree = Tree::new(&[
            ("sys/class/hwmon/hwmon0/name", "power_meter"),
            ("sys/class/hwmon/hwmon0/power1_accuracy", text),
        ]);
        let (sensor, _) = look(&tree, true);
        let settings = &channel(&sensor, "hwmon0/power1").settings;
        assert_eq!(
            settings.get(&Setting::Accuracy).copied(),
            expected,
            "{text}"
        );
    }
}

const THERMAL: &[(&str, &str)] = &[
    ("sys/class/thermal/thermal_zone10/type", "acpitz\n"),
    ("sys/class/thermal/thermal_zone10/temp", "27800\n"),
    ("sys/class/thermal/thermal_zone10/mode", "disabled\n"),
    (
        "sys/class/thermal/thermal_zone10/trip_point_0_type",
        "critical\n",
    ),
    (
        "sys/class/thermal/thermal_zone10/trip_point_0_temp",
        "105000\n",
    ),
    ("sys/class/thermal/thermal_zone10/trip_point_0_hyst", "0\n"),
    (
        "sys/class/thermal/thermal_zone10/trip_point_1_type",
        "lukewarm\n",
    ),
    (
        "sys/class/thermal/thermal_zone10/trip_point_1_temp",
        "-274000\n",
    ),
    ("sys/class/thermal/thermal_zone10/cdev0_trip_point", "-1\n"),
    ("sys/class/thermal/thermal_zone10/cdev0_weight", "0\n"),
    ("sys/class/thermal/thermal_zone2/type", "x86_pkg_temp\n"),
    ("sys/class/thermal/thermal_zone2/temp", "-5000\n"),
    ("sys/class/thermal/cooling_device0/type", "Processor\n"),
    ("sys/class/thermal/cooling_device0/max_state", "10\n"),
    ("sys/class/thermal/cooling_device0/cur_state", "3\n"),
    ("sys/class/thermal/cooling_device1/type", "Fan\n"),
    ("sys/class/thermal/cooling_device1/max_state", "1\n"),
    ("sys/class/thermal/cooling_device1/cur_state", "1\n"),
    (
        "sys/class/thermal/cooling_device2/type",
        "intel_powerclamp\n",
    ),
    ("sys/class/thermal/cooling_device2/max_state", "50\n"),
    ("sys/class/thermal/cooling_device2/cur_state", "-1\n"),
];

#[test]
fn zones_have_trips_and_are_in_the_order_of_their_numbers() {
    let tree = Tree::new(THERMAL);
    tree.link(
        "sys/class/thermal/thermal_zone10/cdev0",
        "../cooling_device1",
    );
    let (sensor, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let [package, acpi] = sensor.thermal_zones.as_slice() else {
        panic!("{sensor:?}");
    };
    assert_eq!(package.id, "thermal_zone2");
    assert_eq!(package.now.temperature_millicelsius, Some(-5000));
    assert_eq!((acpi.slow, acpi.now.temperature_millicelsius), (true, None));
    assert_eq!(acpi.mode, Some(Mode::Disabled));
    let trips: Vec<_> = acpi
        .trips
        .iter()
        .map(|trip| (trip.kind.clone().unwrap(), trip.temperature_millicelsius))
        .collect();
    assert_eq!(
        trips,
        [
            (TripKind::Critical, Some(105_000)),
            (TripKind::Other("lukewarm".to_owned()), None)
        ]
    );
    assert_eq!(
        acpi.cooling,
        [Binding {
            id: 0,
            cooling_device: "cooling_device1".to_owned(),
            trip: None,
            weight: Some(0),
        }]
    );
    let states = |sensor: &Sensor| -> Vec<_> {
        let devices = sensor.cooling_devices.iter();
        devices
            .map(|device| (device.max_state, device.now.state))
            .collect()
    };
    assert_eq!(
        states(&sensor),
        [(Some(10), Some(3)), (Some(1), None), (Some(50), None)]
    );
    let (mut sensor, _) = look(&tree, true);
    assert_eq!(
        states(&sensor),
        [(Some(10), Some(3)), (Some(1), Some(1)), (Some(50), None)]
    );
    tree.write("sys/class/thermal/cooling_device1/cur_state", "0");
    tree.write("sys/class/thermal/thermal_zone10/temp", "40000");
    let root = tree.root();
    refresh(&mut sensor, &Survey::new(&root, "sensor", false, false));
    assert_eq!(sensor.cooling_devices[1].now.state, Some(0));
    assert_eq!(
        sensor.thermal_zones[1].now.temperature_millicelsius,
        Some(40000)
    );
}

const POWERCAP: &[(&str, &str)] = &[
    ("sys/class/powercap/intel-rapl/enabled", "1\n"),
    ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
    ("sys/class/powercap/intel-rapl:0/enabled", "1\n"),
    (
        "sys/class/powercap/intel-rapl:0/energy_uj",
        "240422366267\n",
    ),
    (
        "sys/class/powercap/intel-rapl:0/max_energy_range_uj",
        "262143328850\n",
    ),
    (
        "sys/class/powercap/intel-rapl:0/constraint_0_name",
        "long_term\n",
    ),
    (
        "sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw",
        "95000000\n",
    ),
    (
        "sys/class/powercap/intel-rapl:0/constraint_0_max_power_uw",
        "",
    ),
    ("sys/class/powercap/intel-rapl:0:1/name", "dram\n"),
    ("sys/class/powercap/arm-scmi:0/name", "soc\n"),
    ("sys/class/powercap/arm-scmi:0/power_uw", "7000000\n"),
];

#[test]
fn power_zones_have_parents_constraints_and_counters() {
    let tree = Tree::new(POWERCAP);
    let (sensor, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let [scmi, package, memory] = sensor.power_zones.as_slice() else {
        panic!("{sensor:?}");
    };
    assert_eq!(scmi.now, PowerZoneNow::default());
    assert_eq!(package.parent, None);
    assert_eq!(package.now.energy_microjoules, Some(240_422_366_267));
    let constraint = &package.constraints[0];
    assert_eq!(constraint.name.as_deref(), Some("long_term"));
    assert_eq!(constraint.power_limit_microwatts, Some(95_000_000));
    assert_eq!(constraint.max_power_microwatts, None);
    assert_eq!(memory.parent.as_deref(), Some("intel-rapl:0"));
    let (mut sensor, _) = look(&tree, true);
    assert_eq!(sensor.power_zones[0].now.power_microwatts, Some(7_000_000));
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", "7");
    let root = tree.root();
    refresh(&mut sensor, &Survey::new(&root, "sensor", false, false));
    assert_eq!(sensor.power_zones[1].now.energy_microjoules, Some(7));
}

#[test]
fn a_machine_without_sensors_has_none_and_no_problem() {
    for tree in [
        Tree::new(&[("proc/x", "")]),
        Tree::new(&[("sys/class/hwmon", "no directory")]),
    ] {
        let (sensor, inventory) = look(&tree, true);
        assert_eq!(sensor, Sensor::default());
        assert_eq!(told(&inventory.problems), []);
    }
}

#[test]
fn no_file_of_a_malformed_tree_panics_or_hides_the_others() {
    let all = [CORETEMP, SUPER_IO, THERMAL, POWERCAP].concat();
    let eio = nix::errno::Errno::EIO as i32;
    for (path, own) in &all {
        for text in [
            "\0\0\0",
            "",
            "garbage \u{fffd}",
            "99999999999999999999999",
            "-1",
            "[a] b",
        ] {
            let tree = Tree::new(&all);
            tree.write(path, text);
            let (sensor, _) = look(&tree, true);
            assert_eq!(
                (sensor.chips.len(), sensor.thermal_zones.len()),
                (2, 2),
                "{path}: {text:?}"
            );
            assert_eq!(
                (sensor.cooling_devices.len(), sensor.power_zones.len()),
                (3, 3)
            );
        }
        let tree = Tree::new(&all);
        tree.link(
            "sys/class/thermal/thermal_zone10/cdev0",
            "../cooling_device1",
        );
        tree.fail(&[(path, eio)]);
        let (_, inventory) = look(&tree, true);
        let unread = ["beep", "auto_point", "intel-rapl/enabled"];
        if !own.is_empty() && !unread.iter().any(|word| path.contains(word)) {
            assert_eq!(
                told(&inventory.problems),
                [(format!("/{path}").as_str(), "unreadable")]
            );
        }
    }
}
