use std::collections::BTreeMap;

use super::*;

/// A table of a format and a length, all ones but for its header and some fields.
fn table(format: u8, content: u8, length: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0xff; length];
    bytes[..2].copy_from_slice(&u16::try_from(length).unwrap().to_le_bytes());
    bytes[2..4].copy_from_slice(&[format, content]);
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

fn decoded(bytes: &[u8]) -> Option<(Amd, AdapterNow)> {
    let mut amd = Amd::default();
    let mut now = AdapterNow::default();
    Table::open(bytes)?.decode(&mut amd, &mut now);
    Some((amd, now))
}

/// What was read, as `name value`.
fn seen(amd: &Amd, now: &AdapterNow) -> BTreeMap<String, i64> {
    let signed = |value: u64| i64::try_from(value).unwrap();
    let mut seen = BTreeMap::new();
    let mut add = |name: String, value: Option<i64>| seen.extend(value.map(|value| (name, value)));
    for sensor in &now.temperatures {
        add(format!("{} m°C", sensor.id), sensor.value_millicelsius);
    }
    for sensor in &now.powers {
        add(
            format!("{} µW", sensor.id),
            sensor.average_microwatts.map(signed),
        );
    }
    for clock in &now.clocks {
        add(
            format!("{} Hz", clock.id),
            clock.value_hz.map(|rate| signed(rate.0)),
        );
    }
    for sensor in &now.voltages {
        add(format!("{} mV", sensor.id), Some(sensor.value_millivolts));
    }
    for sensor in &now.currents {
        add(format!("{} mA", sensor.id), sensor.value_milliamperes);
    }
    for link in &amd.now.xgmi_links {
        add(
            format!("xgmi{} read", link.id),
            link.read_bytes.map(|bytes| signed(bytes.0)),
        );
        add(
            format!("xgmi{} written", link.id),
            link.written_bytes.map(|bytes| signed(bytes.0)),
        );
        add(format!("xgmi{} up", link.id), link.up.map(i64::from));
    }
    for residency in &amd.now.throttle_residencies {
        add(format!("{:?}", residency.id), Some(signed(residency.count)));
    }
    for (name, value) in [
        ("width", now.pcie.width),
        ("speed", now.pcie.speed_mtps),
        ("replays", now.pcie.replays),
        ("rollovers", now.pcie.replay_rollovers),
        ("recoveries", now.pcie.recoveries),
        ("naks sent", now.pcie.naks_sent),
        ("naks received", now.pcie.naks_received),
        ("xgmi width", amd.now.xgmi_width),
        ("xgmi Gbit/s", amd.now.xgmi_speed_gbps),
        ("accumulated", amd.now.accumulation_counter),
    ] {
        add(name.to_owned(), value.map(signed));
    }
    seen
}

/// An offset, what stands there, and what is read of it.
type Place = (usize, &'static [u8], &'static str, i64);

/// Of each layout its length, and a value at some offsets at which the kernel's structure has it.
const LAYOUTS: &[(u8, u8, usize, &[Place])] = &[
    (
        1,
        0,
        80,
        &[
            (16, &[40, 0], "edge m°C", 40_000),
            (34, &[9, 0], "socket µW", 9_000_000),
            (54, &[0xe8, 3], "sclk Hz", 1_000_000_000),
        ],
    ),
    (
        1,
        1,
        96,
        &[
            (4, &[40, 0], "edge m°C", 40_000),
            (94, &[50, 0], "hbm3 m°C", 50_000),
            (76, &[160, 0], "speed", 16_000),
        ],
    ),
    (
        1,
        2,
        104,
        &[
            (22, &[0x2c, 1], "socket µW", 300_000_000),
            (66, &[1, 0], "dclk1 Hz", 1_000_000),
        ],
    ),
    (
        1,
        3,
        120,
        &[
            (12, &[49, 0], "vrsoc m°C", 49_000),
            (104, &[0x32, 3], "soc mV", 818),
            (108, &[0x4c, 5], "mem mV", 1356),
        ],
    ),
    (
        1,
        4,
        288,
        &[
            (10, &[142, 0], "socket µW", 142_000_000),
            (52, &[16, 0], "xgmi width", 16),
            (88, &[4, 0, 0, 0, 0, 0, 0, 0], "replays", 4),
            (104, &[1, 0, 0, 0, 0, 0, 0, 0], "xgmi0 read", 1024),
            (280, &[132, 0], "mclk Hz", 132_000_000),
        ],
    ),
    (
        1,
        5,
        328,
        &[
            (80, &[16, 0], "width", 16),
            (136, &[7, 0, 0, 0], "naks sent", 7),
            (208, &[2, 0, 0, 0, 0, 0, 0, 0], "xgmi0 written", 2048),
            (320, &[132, 0], "mclk Hz", 132_000_000),
        ],
    ),
    (
        1,
        6,
        1664,
        &[
            (32, &[9, 0, 0, 0], "accumulated", 9),
            (40, &[8, 0, 0, 0], "Ppt0", 8),
            (62, &[0x40, 1], "speed", 32_000),
            (124, &[6, 0, 0, 0], "naks received", 6),
            (304, &[132, 0], "mclk Hz", 132_000_000),
        ],
    ),
    (
        1,
        7,
        2208,
        &[
            (60, &[3, 0, 0, 0], "TempMem", 3),
            (74, &[32, 0], "xgmi Gbit/s", 32),
            (136, &[1, 0, 0, 0, 0, 0, 0, 0], "xgmi0 read", 1024),
            (264, &[1, 0], "xgmi0 up", 1),
            (336, &[132, 0], "mclk Hz", 132_000_000),
        ],
    ),
    (
        1,
        8,
        3360,
        &[
            (104, &[5, 0, 0, 0, 0, 0, 0, 0], "recoveries", 5),
            (120, &[2, 0, 0, 0, 0, 0, 0, 0], "rollovers", 2),
            (296, &[132, 0], "sclk Hz", 132_000_000),
        ],
    ),
    (
        2,
        1,
        120,
        &[
            (4, &[0xa0, 0x0f], "edge m°C", 40_000),
            (82, &[132, 0], "fclk Hz", 132_000_000),
        ],
    ),
    (
        2,
        2,
        128,
        &[
            (6, &[0xa0, 0x0f], "soc m°C", 40_000),
            (86, &[132, 0], "dclk Hz", 132_000_000),
        ],
    ),
    (2, 3, 152, &[(76, &[132, 0], "sclk Hz", 132_000_000)]),
    (
        2,
        4,
        168,
        &[
            (40, &[0x70, 0x17], "socket µW", 6_000_000),
            (156, &[0x20, 3], "vddgfx mV", 800),
            (162, &[0xe8, 3], "gfx mA", 1000),
        ],
    ),
    (
        3,
        0,
        264,
        &[
            (40, &[0x0e, 0x0e], "skin m°C", 35_980),
            (120, &[0x6f, 0x26, 0, 0], "apu µW", 9_839_000),
            (240, &[4, 0, 0, 0], "Sppt", 4),
            (252, &[5, 0, 0, 0], "TempSoc", 5),
        ],
    ),
];

#[test]
fn every_layout_has_its_fields_where_the_kernel_puts_them() {
    for (format, content, length, fields) in LAYOUTS {
        let places: Vec<(usize, &[u8])> =
            fields.iter().map(|(at, bytes, ..)| (*at, *bytes)).collect();
        let (amd, now) = decoded(&table(*format, *content, *length, &places)).unwrap();
        let expected: BTreeMap<String, i64> = fields
            .iter()
            .map(|(.., name, value)| ((*name).to_owned(), *value))
            .collect();
        // All else is all ones, so nothing else is read.
        assert_eq!(seen(&amd, &now), expected, "{format}.{content}");
        assert_eq!(
            amd.now.metrics_revision,
            Some(format!("{format}.{content}"))
        );
    }
}

/// A value of 1.9: unit, type, id, and the values as they stand there.
fn attribute(unit: u64, kind: u64, id: u64, values: &[&[u8]]) -> Vec<u8> {
    let code = unit << 24 | kind << 20 | id << 10 | values.len() as u64;
    [&code.to_le_bytes()[..], &values.concat()].concat()
}

fn attributes(count: u32, values: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 1, 9];
    bytes.extend(count.to_le_bytes());
    bytes.extend(values.concat());
    let length = u16::try_from(bytes.len()).unwrap();
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

#[test]
fn values_that_say_what_they_are_are_told_in_any_order() {
    let values = [
        attribute(9, 6, 30, &[&[0xff; 8], &[2, 0, 0, 0, 0, 0, 0, 0]]),
        attribute(2, 2, 0, &[&[65, 0]]),
        attribute(2, 2, 1, &[&[0xff, 0xff]]),
        attribute(3, 2, 3, &[&[44, 1]]),
        attribute(0, 4, 9, &[&[7, 0, 0, 0]]),
        attribute(0, 4, 11, &[&[3, 0, 0, 0]]),
        attribute(0, 2, 16, &[&[16, 0]]),
        attribute(7, 2, 17, &[&[64, 1]]),
        attribute(0, 4, 1000, &[&[1, 2, 3, 4]]),
        attribute(0, 6, 25, &[&[5, 0, 0, 0, 0, 0, 0, 0]]),
        attribute(9, 6, 29, &[&[1, 0, 0, 0, 0, 0, 0, 0]]),
        attribute(0, 2, 31, &[&[1, 0], &[0, 0]]),
        attribute(1, 2, 33, &[&[52, 8], &[53, 8]]),
    ];
    let (amd, now) = decoded(&attributes(13, &values)).unwrap();
    let seen = seen(&amd, &now);
    let expected = [
        ("junction m°C", 65_000),
        ("socket µW", 300_000_000),
        ("sclk Hz", 2_100_000_000),
        ("xgmi0 read", 1024),
        ("xgmi0 up", 1),
        ("xgmi1 written", 2048),
        ("xgmi1 up", 0),
    ];
    for (name, value) in expected {
        assert_eq!(seen.get(name), Some(&value), "{name} in {seen:?}");
    }
    assert!(!seen.contains_key("mem m°C") && !seen.contains_key("xgmi0 written"));
    assert_eq!(amd.now.metrics_revision.as_deref(), Some("1.9"));
    assert_eq!(amd.now.accumulation_counter, Some(7));
    assert_eq!(amd.now.throttle_residencies[0].id, ThrottleReason::Ppt0);
    assert_eq!(
        (now.pcie.width, now.pcie.speed_mtps),
        (Some(16), Some(32_000))
    );
    assert_eq!(now.pcie.replays, Some(5));
}

#[test]
fn after_a_type_that_is_not_known_nothing_more_is_told() {
    let values = [
        attribute(2, 2, 0, &[&[65, 0]]),
        attribute(2, 9, 1, &[&[66, 0]]),
        attribute(2, 2, 2, &[&[67, 0]]),
    ];
    for count in [3, 1000, u32::MAX - 1] {
        let (_, now) = decoded(&attributes(count, &values)).unwrap();
        assert_eq!(now.temperatures.len(), 1);
    }
    // One that is cut within its value.
    let mut cut = attributes(1, &values[..1]);
    cut.pop();
    let length = u16::try_from(cut.len()).unwrap();
    cut[..2].copy_from_slice(&length.to_le_bytes());
    assert_eq!(decoded(&cut).unwrap().1.temperatures.len(), 0);
}

#[test]
fn throttling_is_told_by_bit_and_a_bit_without_a_name_by_its_number() {
    let status = (1_u64 << 0 | 1 << 36 | 1 << 63).to_le_bytes();
    for (format, content, length, at) in [(1, 3, 120, 112), (2, 2, 128, 120), (2, 4, 168, 120)] {
        let (_, now) = decoded(&table(format, content, length, &[(at, &status)])).unwrap();
        let expected = [
            ThrottleReason::Ppt0,
            ThrottleReason::TempHotspot,
            ThrottleReason::Other("bit 63".into()),
        ];
        assert_eq!(now.throttle, Some(expected.into_iter().collect()));
        let (_, now) = decoded(&table(format, content, length, &[(at, &[0; 8])])).unwrap();
        assert_eq!(now.throttle, Some(BTreeSet::new()));
        let (_, now) = decoded(&table(format, content, length, &[])).unwrap();
        assert_eq!(now.throttle, None);
    }
}

#[test]
fn a_table_of_another_format_is_named_and_left_alone() {
    let (amd, now) = decoded(&table(9, 9, 64, &[])).unwrap();
    assert_eq!(amd.now.metrics_revision.as_deref(), Some("9.9"));
    assert_eq!(now, AdapterNow::default());
}

#[test]
fn a_table_that_is_cut_short_is_no_table() {
    for bytes in [
        &[][..],
        &[120],
        &[120, 0, 1],
        &[120, 0, 1, 3],
        &[3, 0, 1, 3],
        &[0; 4096],
    ] {
        assert!(decoded(bytes).is_none(), "{bytes:?}");
    }
    // Longer than it says is what a capture pads it to.
    let mut padded = table(1, 3, 120, &[(4, &[40, 0])]);
    padded.resize(4096, 0);
    assert_eq!(decoded(&padded).unwrap().1.temperatures.len(), 1);
    // Shorter than its layout: what is there is read.
    let (_, now) = decoded(&table(1, 3, 8, &[(4, &[40, 0])])).unwrap();
    assert_eq!(now.temperatures.len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_table_panics(mut bytes: Vec<u8>, format in 0_u8..4, content in 0_u8..10) {
        if let Some(header) = bytes.first_chunk_mut::<4>() {
            *header = [header[0], 0, format, content];
        }
        let _ = decoded(&bytes);
    }
}
