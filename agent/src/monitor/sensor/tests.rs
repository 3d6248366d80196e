use crate::monitor::scene::{Scene, row};

use super::{ROW, SLOW_ROW};

const CORETEMP: &[(&str, &str)] = &[
    ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
    ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "47000\n"),
    ("sys/class/hwmon/hwmon0/temp1_max", "80000\n"),
    ("sys/class/hwmon/hwmon0/temp1_max_hyst", "70000\n"),
    ("sys/class/hwmon/hwmon0/temp1_crit", "100000\n"),
    ("sys/class/hwmon/hwmon0/temp1_crit_alarm", "0\n"),
];

const SUPER_IO: &[(&str, &str)] = &[
    ("sys/class/hwmon/hwmon1/name", "nct6798\n"),
    ("sys/class/hwmon/hwmon1/fan2_label", "Rear\n"),
    ("sys/class/hwmon/hwmon1/fan2_input", "900\n"),
    ("sys/class/hwmon/hwmon1/fan2_min", "300\n"),
    ("sys/class/hwmon/hwmon1/fan2_alarm", "0\n"),
    ("sys/class/hwmon/hwmon1/fan3_input", "800\n"),
    ("sys/class/hwmon/hwmon1/fan3_min", "0\n"),
    ("sys/class/hwmon/hwmon1/pwm3", "128\n"),
    ("sys/class/hwmon/hwmon1/pwm3_enable", "5\n"),
    // Nobody set its limits, so that it is beyond them means nothing.
    ("sys/class/hwmon/hwmon1/in1_input", "1000\n"),
    ("sys/class/hwmon/hwmon1/in1_min", "0\n"),
    ("sys/class/hwmon/hwmon1/in1_max", "0\n"),
    ("sys/class/hwmon/hwmon1/in1_alarm", "1\n"),
    ("sys/class/hwmon/hwmon1/temp3_input", "31000\n"),
    ("sys/class/hwmon/hwmon1/temp3_max", "65261850\n"),
    ("sys/class/hwmon/hwmon1/temp3_fault", "0\n"),
    ("sys/class/hwmon/hwmon1/intrusion0_alarm", "0\n"),
];

const PACKAGE: (&str, &str) = ("hw.sensor.temperature", "sensor=coretemp/temp1");

#[test]
fn a_temperature_rises_through_its_limits_and_falls_back() {
    let mut scene = Scene::new(&ROW, CORETEMP);
    for (value, expected) in [
        ("47000", "47 well"),
        ("80000", "80 minor"),
        ("100000", "100 critical"),
        ("-5000", "-5 well"),
        ("69000", "69 well"),
    ] {
        scene.write("sys/class/hwmon/hwmon0/temp1_input", &format!("{value}\n"));
        let expected = [row(PACKAGE.0, PACKAGE.1, expected), row("complete", "", "")];
        assert_eq!(scene.said(), expected, "{value}");
    }
}

#[test]
fn what_the_chip_saw_between_two_looks_is_told_and_an_unreadable_sensor_is_unknown() {
    let mut scene = Scene::new(&ROW, CORETEMP);
    scene.write("sys/class/hwmon/hwmon0/temp1_crit_alarm", "1\n");
    assert_eq!(scene.wrong(), [row(PACKAGE.0, PACKAGE.1, "fault critical")]);
    scene.write("sys/class/hwmon/hwmon0/temp1_crit_alarm", "0\n");
    assert_eq!(scene.wrong(), []);
    for text in ["garbage\n", "\u{1b}[2J\n", "99999999999999999999999\n"] {
        scene.write("sys/class/hwmon/hwmon0/temp1_input", text);
        assert_eq!(
            scene.said()[0],
            row(PACKAGE.0, PACKAGE.1, "unknown"),
            "{text:?}"
        );
    }
    // Gone with its chip: the round says that there are no others.
    scene.remove("sys/class/hwmon/hwmon0");
    assert_eq!(scene.said(), [row("complete", "", "")]);
}

#[test]
fn a_fan_that_stands_still_is_at_fault_unless_it_is_meant_to() {
    let mut scene = Scene::new(&SLOW_ROW, SUPER_IO);
    assert_eq!(scene.wrong(), []);
    let fan = |number: u32, word: &str| {
        row(
            "hw.sensor.fan",
            &format!("sensor=nct6798/fan{number}"),
            word,
        )
    };
    scene.write("sys/class/hwmon/hwmon1/fan2_input", "250\n");
    assert_eq!(scene.wrong(), [fan(2, "250 minor")]);
    scene.write("sys/class/hwmon/hwmon1/fan2_input", "0\n");
    assert_eq!(scene.wrong(), [fan(2, "0 major")]);
    scene.write("sys/class/hwmon/hwmon1/fan2_input", "900\n");
    // It has no least speed, and ran before.
    scene.write("sys/class/hwmon/hwmon1/fan3_input", "0\n");
    scene.reboot();
    assert_eq!(scene.wrong(), [fan(3, "0 major")]);
    scene.write("sys/class/hwmon/hwmon1/pwm3", "0\n");
    assert_eq!(scene.wrong(), []);
}

#[test]
fn a_broken_sensor_says_so_and_its_value_is_unknown() {
    let mut scene = Scene::new(&SLOW_ROW, SUPER_IO);
    scene.write("sys/class/hwmon/hwmon1/temp3_fault", "1\n");
    scene.write("sys/class/hwmon/hwmon1/temp3_input", "-128000\n");
    scene.write("sys/class/hwmon/hwmon1/intrusion0_alarm", "1\n");
    let wrong = [
        row("hw.sensor.fault", "sensor=nct6798/temp3", "fault"),
        row(
            "hw.chassis.intrusion",
            "chassis=nct6798/intrusion0",
            "fault",
        ),
    ];
    assert_eq!(scene.wrong(), wrong);
    scene.set("ignore = [\"nct6798/*\"]");
    assert_eq!(scene.said(), [row("complete", "", "")]);
}

#[test]
fn limits_that_nobody_set_or_that_contradict_each_other_are_none() {
    for (limits, expected) in [
        (&[("temp1_max", "0"), ("temp1_crit", "0")][..], &[][..]),
        (&[("temp1_max", "-128000"), ("temp1_crit", "255000")], &[]),
        // `max` above `crit` is nothing to be told of before it.
        (
            &[("temp1_max", "127000"), ("temp1_crit", "60000")],
            &["60 critical"],
        ),
        (
            &[("temp1_crit", "50000"), ("temp1_emergency", "60000")],
            &["60 critical"],
        ),
        (
            &[("temp1_crit", "60000"), ("temp1_crit_hyst", "-273150")],
            &["60 critical"],
        ),
        (&[("temp1_lcrit", "61000")], &["60 critical"]),
    ] {
        let mut scene = Scene::new(
            &ROW,
            &[
                ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
                ("sys/class/hwmon/hwmon0/temp1_input", "60000\n"),
            ],
        );
        for (name, value) in limits {
            scene.write(&format!("sys/class/hwmon/hwmon0/{name}"), value);
        }
        let expected: Vec<_> = expected
            .iter()
            .map(|word| row(PACKAGE.0, PACKAGE.1, word))
            .collect();
        assert_eq!(scene.wrong(), expected, "{limits:?}");
    }
}
