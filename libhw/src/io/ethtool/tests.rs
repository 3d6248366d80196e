use super::*;

fn bit(index: u32, name: &str, on: bool) -> Request {
    let bit = Request::default().with_u32(1, index).with_text(2, name);
    if on { bit.with(3, &[]) } else { bit }
}

fn set(plain: bool, bits: &[(u32, &str, bool)]) -> Request {
    let mut list = Request::default();
    for (index, name, on) in bits {
        list = list.with_nested(1, &bit(*index, name, *on));
    }
    let set = if plain {
        Request::default().with(1, &[])
    } else {
        Request::default()
    };
    set.with_u32(2, 92).with_nested(3, &list)
}

fn parsed(command: u8, answer: &Request) -> Settings {
    let mut settings = Settings::default();
    parse(command, answer.as_bytes(), &mut settings);
    settings
}

fn words(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}

#[test]
fn link_modes_are_what_can_be_done_what_is_offered_and_what_the_other_end_offers() {
    let ours = set(
        false,
        &[(5, "1000baseT/Full", true), (3, "100baseT/Full", false)],
    );
    let answer = Request::default()
        .with(2, &[1])
        .with_nested(3, &ours)
        .with_nested(4, &set(true, &[(5, "1000baseT/Full", false)]))
        .with_u32(5, 1000)
        .with(6, &[1])
        .with(8, &[2])
        .with_u32(9, 1);
    let told = parsed(command::LINKMODES, &answer);
    assert_eq!(
        (told.autoneg, told.speed_mbps, told.lanes),
        (Some(true), Some(1000), Some(1))
    );
    assert_eq!(
        (told.duplex.as_deref(), told.master_slave.as_deref()),
        (Some("full"), Some("master"))
    );
    assert_eq!(words(&told.supported), ["1000baseT/Full", "100baseT/Full"]);
    assert_eq!(words(&told.advertised), ["1000baseT/Full"]);
    assert_eq!(words(&told.peer), ["1000baseT/Full"]);
}

#[test]
fn an_unknown_speed_and_duplex_are_none() {
    for speed in [0, 65535, u32::MAX] {
        let told = parsed(
            command::LINKMODES,
            &Request::default().with_u32(5, speed).with(6, &[0xff]),
        );
        assert_eq!((told.speed_mbps, told.duplex), (None, None), "{speed}");
    }
}

#[test]
fn timestamps_come_in_the_kernels_words_with_the_clock_and_who_stamps() {
    let provider = Request::default().with_u32(1, 3).with_u32(2, 1);
    let answer = Request::default()
        .with_nested(
            2,
            &set(
                true,
                &[
                    (0, "hardware-transmit", false),
                    (6, "hardware-raw-clock", false),
                ],
            ),
        )
        .with_nested(3, &set(true, &[(2, "onestep-sync", false)]))
        .with_nested(
            4,
            &set(true, &[(1, "all", false), (40, "of-tomorrow", false)]),
        )
        .with_u32(5, 3)
        .with_nested(7, &provider)
        .with_u32(8, 2);
    let told = parsed(command::TSINFO, &answer).timestamping.unwrap();
    assert_eq!(
        words(&told.modes),
        ["hardware-raw-clock", "hardware-transmit"]
    );
    assert_eq!(
        (words(&told.tx_types), words(&told.rx_filters)),
        (vec!["onestep-sync"], vec!["all", "of-tomorrow"])
    );
    let provider = told.provider.unwrap();
    assert_eq!((told.phc, provider.phc), (Some(3), 3));
    assert_eq!(
        (provider.qualifier.as_deref(), provider.source.as_deref()),
        (Some("approx"), Some("phylib"))
    );
}

#[test]
fn fec_is_told_with_its_mode_and_the_totals_of_its_counters() {
    let counters = Request::default()
        .with(2, &[9_u64, 4, 5].map(u64::to_ne_bytes).concat())
        .with(3, &1_u64.to_ne_bytes());
    let answer = Request::default()
        .with_nested(2, &set(true, &[(50, "RS", false)]))
        .with(3, &[0])
        .with_u32(4, 50)
        .with_nested(5, &counters);
    let fec = settings::fec(answer.as_bytes()).unwrap();
    assert_eq!(
        (fec.active.as_deref(), fec.auto, words(&fec.configured)),
        (Some("RS"), Some(false), vec!["RS"])
    );
    let counters: Vec<_> = fec
        .counters
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    assert_eq!(
        counters,
        [("corrected_blocks", 9), ("uncorrectable_blocks", 1)]
    );
}

#[test]
fn standard_counters_have_the_standards_names() {
    let group = Request::default()
        .with_u32(2, 3)
        .with_nested(4, &Request::default().with(2, &7_u64.to_ne_bytes()))
        .with_nested(
            5,
            &Request::default()
                .with_u32(7, 64)
                .with_u32(8, 64)
                .with(9, &5_u64.to_ne_bytes()),
        );
    let unknown = Request::default()
        .with_u32(2, 77)
        .with_nested(4, &Request::default().with(0, &[1; 8]));
    let answer = Request::default()
        .with_nested(4, &group)
        .with_nested(4, &unknown);
    let counters = parse_counters(answer.as_bytes());
    assert_eq!(counters.len(), 1);
    assert_eq!(counters["rmon"]["etherStatsFragments"], 7);
    assert_eq!(counters["rmon"]["rx-etherStatsPkts64to64Octets"], 5);
}

#[test]
fn rings_queues_and_flow_control_are_numbers_and_preemption_has_a_state() {
    let rings = Request::default()
        .with_u32(2, 8160)
        .with_u32(6, 2048)
        .with_u32(9, 256);
    assert_eq!(parsed(command::RINGS, &rings).rings.unwrap().rx, Some(2048));
    let channels = Request::default().with_u32(5, 64).with_u32(9, 8);
    assert_eq!(
        parsed(command::CHANNELS, &channels)
            .channels
            .unwrap()
            .combined,
        Some(8)
    );
    let coalesce = Request::default().with_u32(2, 50).with(11, &[1]);
    let coalesce = parsed(command::COALESCE, &coalesce).coalesce.unwrap();
    assert_eq!(
        (coalesce.rx_us, coalesce.adaptive_rx),
        (Some(50), Some(true))
    );
    let pause = parsed(command::PAUSE, &Request::default().with(3, &[1]))
        .pause
        .unwrap();
    assert_eq!((pause.rx, pause.tx), (Some(true), None));
    let merge = Request::default().with(2, &[1]).with(4, &[0]).with(8, &[4]);
    let merge = parsed(command::MM, &merge).mac_merge.unwrap();
    assert_eq!(
        (merge.tx_active, merge.verify_status.as_deref()),
        (Some(false), Some("failed"))
    );
    let clocks = parsed(
        command::PHC_VCLOCKS,
        &Request::default().with(3, &[1_u32, 4].map(u32::to_ne_bytes).concat()),
    );
    assert_eq!(clocks.virtual_clocks, BTreeSet::from([1, 4]));
    for command in 0..64 {
        assert_eq!(
            parsed(command, &Request::default().with(77, &[1])).driver,
            None
        );
    }
}

#[test]
fn a_modules_serial_number_stands_apart_from_its_pages() {
    let mut lower = [b'x'; 128];
    lower[0] = 3;
    lower[68..84].copy_from_slice(b"SN-1234567      ");
    let mut eeprom = Eeprom::default();
    eeprom.add((0x50, 0, 0), &lower);
    assert_eq!(eeprom.serial.as_deref(), Some("SN-1234567"));
    assert_eq!(eeprom.half(0x50, 0, 0)[68..84], [b' '; 16]);
    assert!(eeprom.half(0x51, 0, 0).is_empty());
    let told = |digits: &str| {
        let page = format!(r#"{{"address":80,"page":0,"offset":0,"bytes":"{digits}"}}"#);
        serde_json::from_str::<Eeprom>(&format!(r#"{{"pages":[{page}]}}"#))
    };
    assert_eq!(told("03ff").unwrap().half(0x50, 0, 0), [3, 255]);
    assert!(told("03zz").is_err() && told("030").is_err());
}

#[test]
fn the_loopback_has_timestamps_of_software_by_netlink_and_by_ioctl() {
    let by_ioctl = sys::network::ethtool_timestamping("lo")
        .unwrap()
        .map(timestamping::of_masks)
        .unwrap();
    let by_netlink = ask("lo").unwrap().unwrap().timestamping.unwrap();
    assert_eq!(by_ioctl.modes, by_netlink.modes);
    assert!(by_ioctl.modes.contains("software-receive"), "{by_ioctl:?}");
    assert!(
        sys::network::ethtool_driver("nosuchinterface")
            .unwrap()
            .is_none()
    );
}
