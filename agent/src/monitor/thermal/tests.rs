use crate::monitor::scene::{Scene, row};

use super::ROW;

const ZONE: &[(&str, &str)] = &[
    ("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n"),
    ("sys/class/thermal/thermal_zone0/temp", "40000\n"),
    (
        "sys/class/thermal/thermal_zone0/trip_point_0_type",
        "passive\n",
    ),
    (
        "sys/class/thermal/thermal_zone0/trip_point_0_temp",
        "50000\n",
    ),
    (
        "sys/class/thermal/thermal_zone0/trip_point_1_type",
        "critical\n",
    ),
    (
        "sys/class/thermal/thermal_zone0/trip_point_1_temp",
        "100000\n",
    ),
    ("sys/class/thermal/thermal_zone0/trip_point_2_type", "hot\n"),
    ("sys/class/thermal/thermal_zone0/trip_point_2_temp", "0\n"),
];

#[test]
fn a_zone_near_its_critical_point_is_told_and_one_that_regulates_itself_is_not() {
    let mut scene = Scene::new(&ROW, ZONE);
    for (value, expected) in [
        ("40000", "40 well"),
        ("60000", "60 well"),
        ("95000", "95 major"),
        ("100000", "100 critical"),
        ("70000", "70 well"),
    ] {
        scene.write("sys/class/thermal/thermal_zone0/temp", value);
        let expected = row(
            "hw.sensor.temperature",
            "sensor=thermal/x86_pkg_temp",
            expected,
        );
        assert_eq!(scene.said()[0], expected, "{value}");
    }
    scene.write("sys/class/thermal/thermal_zone0/temp", "warm");
    assert_eq!(scene.said()[0].2, "unknown");
}
