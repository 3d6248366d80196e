use super::*;

/// A half page of zeros with pieces put in.
fn half(pieces: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    for (at, piece) in pieces {
        bytes[*at..*at + piece.len()].copy_from_slice(piece);
    }
    bytes
}

/// Big-endian words.
fn be(all: &[u16]) -> Vec<u8> {
    all.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A half page and where it stands.
type Half = ((u8, u8, u8), Vec<u8>);

fn of(halves: &[Half]) -> Eeprom {
    let mut eeprom = Eeprom::default();
    for (place, bytes) in halves {
        eeprom.add(*place, bytes);
    }
    eeprom
}

fn threshold<'a>(module: &'a Module, id: &str) -> &'a Threshold {
    module
        .thresholds
        .iter()
        .find(|threshold| threshold.id == id)
        .unwrap()
}

fn length(module: &Module, id: &str) -> Option<u32> {
    module
        .lengths
        .iter()
        .find(|length| length.id == id)
        .map(|length| length.length_dm)
}

/// SFF-8472 table 4-1 (A0h) with diagnostics.
fn sfp28() -> Vec<u8> {
    half(&[
        (0, &[0x03, 0x04, 0x07, 0x10]),
        (12, &[0xff]),
        (16, &[2, 0, 10, 7]),
        (20, b"EXAMPLE OPTICS  "),
        (36, &[0x02, 0x00, 0x90, 0x65]),
        (40, b"EX-25G-SR       A1  "),
        (60, &be(&[850])),
        (66, &[103]),
        (68, b"SN0042          "),
        (84, b"210715  "),
        (92, &[0x68]),
    ])
}

/// SFF-8472 table 9-5 and after (A2h).
fn levels(rx: u16) -> Vec<u8> {
    half(&[
        (
            0,
            &be(&[75 << 8, (-5_i16).cast_unsigned() << 8, 70 << 8, 0]),
        ),
        (8, &be(&[36_300, 29_700, 34_650, 31_350])),
        (16, &be(&[6000, 1000, 5500, 1500])),
        (24, &be(&[22_387, 1445, 17_783, 1820])),
        (32, &be(&[22_387, 794, 17_783, 1000])),
        (96, &be(&[(41 << 8) + 128, 32_970, 3300, 12_000, rx])),
    ])
}

#[test]
fn an_sfp28_is_read_as_sff_8472_lays_it_out() {
    let (module, _) = read(&of(&[((0x50, 0, 0), sfp28())])).unwrap();
    assert_eq!(
        (module.form.as_deref(), module.connector.as_deref()),
        (Some("SFP"), Some("LC"))
    );
    assert_eq!(
        module.compliance,
        ["10GBASE-SR", "100GBASE-SR4 or 25GBASE-SR"]
    );
    assert_eq!(
        (module.vendor.as_deref(), module.vendor_oui.as_deref()),
        (Some("EXAMPLE OPTICS"), Some("00:90:65"))
    );
    assert_eq!(
        (module.part.as_deref(), module.revision.as_deref()),
        (Some("EX-25G-SR"), Some("A1"))
    );
    assert_eq!(
        (module.serial.as_deref(), module.date.as_deref()),
        (Some("SN0042"), Some("2021-07-15"))
    );
    assert_eq!(
        (module.wavelength_pm, module.rate_mbaud),
        (Some(850_000), Some(25_750))
    );
    assert_eq!(
        (
            length(&module, "om2"),
            length(&module, "om4"),
            length(&module, "om3")
        ),
        (Some(200), Some(1000), Some(700))
    );
    assert_eq!(length(&module, "smf"), None);
}

#[test]
fn an_sfp28_has_levels_with_limits_and_the_worst_is_told() {
    let halves = [((0x50, 0, 0), sfp28()), ((0x51, 0, 0), levels(501))];
    let (module, now) = read(&of(&halves)).unwrap();
    assert_eq!(
        (now.temperature_millicelsius, now.voltage_microvolts),
        (Some(41_500), Some(3_297_000))
    );
    let lane = &now.lanes[0];
    assert_eq!(
        (lane.bias_microamperes, lane.tx_power_nanowatts),
        (Some(6600), Some(1_200_000))
    );
    assert_eq!(lane.rx_power_nanowatts, Some(50_100));
    let temperature = threshold(&module, "temperature_millicelsius");
    assert_eq!(
        (
            temperature.high_alarm,
            temperature.low_alarm,
            temperature.low_warning
        ),
        (75_000, -5000, 0)
    );
    assert_eq!(threshold(&module, "rx_power_nanowatts").low_alarm, 79_400);
    assert_eq!(now.alarms.len(), 1);
    assert_eq!(
        (now.alarms[0].lane, now.alarms[0].limit.as_str()),
        (Some(1), "low_alarm")
    );
    let (_, healthy) = read(&of(&[
        ((0x50, 0, 0), sfp28()),
        ((0x51, 0, 0), levels(5000)),
    ]))
    .unwrap();
    assert_eq!(healthy.alarms, []);
    let (_, weak) = read(&of(&[((0x50, 0, 0), sfp28()), ((0x51, 0, 0), levels(900))])).unwrap();
    assert_eq!(weak.alarms[0].limit, "low_warning");
}

#[test]
fn a_copper_cable_has_a_length_and_neither_light_nor_levels() {
    let dac = half(&[
        (0, &[0x03, 0x04, 0x21]),
        (8, &[0x04]),
        (12, &[103]),
        (18, &[3]),
        (36, &[0x0b]),
        (60, &be(&[0x0100])),
    ]);
    let (module, now) = read(&of(&[((0x50, 0, 0), dac)])).unwrap();
    assert_eq!(module.connector.as_deref(), Some("copper pigtail"));
    assert_eq!(
        module.compliance,
        ["passive cable", "100GBASE-CR4 or 25GBASE-CR CA-L"]
    );
    assert_eq!(
        (
            length(&module, "cable"),
            module.wavelength_pm,
            module.rate_mbaud
        ),
        (Some(30), None, Some(10_300))
    );
    assert_eq!((module.thresholds.len(), now), (0, ModuleNow::default()));
}

#[test]
fn levels_that_the_reader_must_calibrate_are_not_told() {
    let mut identity = sfp28();
    identity[92] = 0x58;
    let (module, now) = read(&of(&[((0x50, 0, 0), identity), ((0x51, 0, 0), levels(1))])).unwrap();
    assert_eq!((module.thresholds.len(), now), (0, ModuleNow::default()));
}

fn qsfp28() -> Vec<Half> {
    let lower = half(&[
        (0, &[0x11, 0x07, 0x00]),
        (22, &be(&[35 << 8])),
        (26, &be(&[33_000])),
        (34, &be(&[5000, 5001, 0, 5003])),
        (42, &be(&[3500, 3501, 3502, 3503])),
        (50, &be(&[8000, 8001, 8002, 8003])),
    ]);
    let identity = half(&[
        (0, &[0x11]),
        (2, &[0x07, 0x84]),
        (12, &[0xff]),
        (14, &[2, 0, 0, 0, 0, 0x40]),
        (20, b"EXAMPLE OPTICS  "),
        (37, &[0x00, 0x90, 0x65]),
        (40, b"EX-100G-CWDM4   B2"),
        (58, &be(&[26_200])),
        (64, &[0x06]),
        (68, b"QSN-7           "),
        (84, b"220102  "),
        (94, &[103]),
    ]);
    let limits = half(&[
        (0, &be(&[75 << 8, 0, 70 << 8, 5 << 8])),
        (16, &be(&[36_000, 30_000, 35_000, 31_000])),
        (48, &be(&[20_000, 100, 18_000, 200])),
        (56, &be(&[7500, 500, 7000, 1000])),
        (64, &be(&[20_000, 1000, 18_000, 2000])),
    ]);
    vec![
        ((0x50, 0, 0), lower),
        ((0x50, 0, 128), identity),
        ((0x50, 3, 128), limits),
    ]
}

#[test]
fn a_qsfp28_is_read_as_sff_8636_lays_it_out() {
    let (module, now) = read(&of(&qsfp28())).unwrap();
    assert_eq!(
        (module.form.as_deref(), module.connector.as_deref()),
        (Some("QSFP28"), Some("LC"))
    );
    assert_eq!(module.compliance, ["40GBASE-SR4", "100G CWDM4"]);
    assert_eq!(
        (module.part.as_deref(), module.revision.as_deref()),
        (Some("EX-100G-CWDM4"), Some("B2"))
    );
    assert_eq!(
        (module.serial.as_deref(), module.date.as_deref()),
        (Some("QSN-7"), Some("2022-01-02"))
    );
    assert_eq!(
        (module.wavelength_pm, module.rate_mbaud),
        (Some(1_310_000), Some(25_750))
    );
    assert_eq!(length(&module, "smf"), Some(20_000));
    assert_eq!(
        (now.temperature_millicelsius, now.voltage_microvolts),
        (Some(35_000), Some(3_300_000))
    );
    assert_eq!(now.lanes.len(), 4);
    let lane = &now.lanes[3];
    assert_eq!((lane.id, lane.rx_power_nanowatts), (4, Some(500_300)));
    assert_eq!(
        (lane.bias_microamperes, lane.tx_power_nanowatts),
        (Some(7006), Some(800_300))
    );
    assert_eq!(threshold(&module, "bias_microamperes").high_alarm, 15_000);
    let dark: Vec<_> = now
        .alarms
        .iter()
        .map(|alarm| (alarm.level.as_str(), alarm.lane))
        .collect();
    assert_eq!(dark, [("rx_power_nanowatts", Some(3))]);
}

fn qsfp_dd() -> Vec<Half> {
    let lower = half(&[
        (0, &[0x18, 0x50]),
        (14, &be(&[44 << 8, 32_900])),
        (85, &[2, 0x11, 0x1c, 0x44]),
    ]);
    let identity = half(&[
        (1, b"EXAMPLE OPTICS  "),
        (17, &[0x00, 0x90, 0x65]),
        (20, b"EX-400G-DR4     01"),
        (38, b"DDSN00001       "),
        (54, b"230930  "),
        (74, &[0, 0x0c]),
    ]);
    let advertised = half(&[(4, &[0x05]), (10, &be(&[26_200])), (32, &[0x08])]);
    let limits = half(&[
        (
            0,
            &be(&[75 << 8, (-5_i16).cast_unsigned() << 8, 70 << 8, 0]),
        ),
        (48, &be(&[25_000, 2000, 20_000, 3000])),
        (56, &be(&[60_000, 10_000, 55_000, 12_000])),
        (64, &be(&[25_000, 500, 20_000, 1000])),
    ]);
    let monitors = half(&[
        (26, &be(&[10_000, 10_001, 10_002, 10_003])),
        (42, &be(&[30_000, 30_001, 30_002, 30_003])),
        (58, &be(&[9000, 9001, 9002, 9003])),
    ]);
    vec![
        ((0x50, 0, 0), lower),
        ((0x50, 0, 128), identity),
        ((0x50, 1, 128), advertised),
        ((0x50, 2, 128), limits),
        ((0x50, 0x11, 128), monitors),
    ]
}

#[test]
fn a_qsfp_dd_is_read_as_cmis_lays_it_out() {
    let (module, now) = read(&of(&qsfp_dd())).unwrap();
    assert_eq!(
        (module.form.as_deref(), module.connector.as_deref()),
        (Some("QSFP-DD"), Some("MPO 1x12"))
    );
    assert_eq!(module.compliance, ["400GBASE-DR4"]);
    assert_eq!(
        (module.part.as_deref(), module.serial.as_deref()),
        (Some("EX-400G-DR4"), Some("DDSN00001"))
    );
    assert_eq!(
        (module.date.as_deref(), module.wavelength_pm),
        (Some("2023-09-30"), Some(1_310_000))
    );
    assert_eq!(length(&module, "smf"), Some(5000));
    assert_eq!(
        (now.temperature_millicelsius, now.voltage_microvolts),
        (Some(44_000), Some(3_290_000))
    );
    assert_eq!(now.lanes.len(), 4);
    let lane = &now.lanes[1];
    // The unit of the current is doubled: page 01h byte 160.
    assert_eq!(
        (lane.bias_microamperes, lane.tx_power_nanowatts),
        (Some(120_004), Some(1_000_100))
    );
    assert_eq!(lane.rx_power_nanowatts, Some(900_100));
    assert_eq!(threshold(&module, "bias_microamperes").high_alarm, 240_000);
    assert_eq!(now.alarms, []);
}

#[test]
fn what_is_no_module_is_none_and_what_is_cut_short_does_no_harm() {
    assert_eq!(read(&Eeprom::default()), None);
    for form in 0..=u8::MAX {
        for length in [1, 2, 60, 93, 127, 128] {
            let bytes = vec![form; length];
            let all = [0, 1, 2, 3, 0x11].map(|page| ((0x50, page, 128), bytes.clone()));
            let mut halves = vec![((0x50, 0, 0), bytes.clone()), ((0x51, 0, 0), bytes.clone())];
            halves.extend(all);
            let _ = read(&of(&halves));
        }
    }
    assert_eq!(code::form(0x77), "code 0x77");
}
