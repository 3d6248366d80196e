use super::*;

#[test]
fn a_circuit_is_told_with_its_lock_and_why_it_lost_it() {
    let row = Request::default()
        .with_u32(1, 3)
        .with_text(2, "ice")
        .with(4, &0xb496_91ff_fe00_5110_u64.to_ne_bytes())
        .with_u32(5, 2)
        .with_u32(7, 4)
        .with(8, &48_125_i32.to_ne_bytes())
        .with_u32(9, 1)
        .with_u32(10, 3)
        .with_u32(11, 4);
    let device = parse_device(row.as_bytes()).unwrap();
    assert_eq!(
        (device.id, device.kind.as_deref(), device.mode.as_deref()),
        (3, Some("pps"), Some("automatic"))
    );
    assert_eq!(device.clock_mac.as_deref(), Some("b49691fffe005110"));
    assert_eq!(
        (device.lock_status.as_deref(), device.lock_error.as_deref()),
        (Some("holdover"), Some("media_down"))
    );
    assert_eq!(device.temperature_millicelsius, Some(48_125));
    assert_eq!(device.quality_levels, ["itu_opt1_eec1"]);
}

#[test]
fn a_pin_is_told_with_what_it_is_to_each_parent() {
    let range = Request::default()
        .with(13, &1_u64.to_ne_bytes())
        .with(14, &25_000_000_u64.to_ne_bytes());
    let device = Request::default()
        .with_u32(2, 1)
        .with_u32(10, 1)
        .with_u32(15, 0)
        .with_u32(16, 1)
        .with(23, &(-1_234_567_i64).to_ne_bytes());
    let pin = Request::default().with_u32(2, 9).with_u32(16, 7);
    let row = Request::default()
        .with_u32(1, 14)
        .with_text(6, "GNSS-1PPS")
        .with_u32(9, 5)
        .with(11, &1_u64.to_ne_bytes())
        .with_nested(12, &range)
        .with_u32(17, 6)
        .with_nested(18, &device)
        .with_nested(19, &pin)
        .with(22, &7000_i32.to_ne_bytes());
    let pin = parse_pin(row.as_bytes()).unwrap();
    assert_eq!(
        (pin.kind.as_deref(), pin.frequency_hz, pin.phase_adjust_ps),
        (Some("gnss"), Some(1), Some(7000))
    );
    assert_eq!(pin.frequencies_hz, [(1, 25_000_000)]);
    let [device, above] = &pin.parents[..] else {
        panic!("{:?}", pin.parents)
    };
    assert_eq!(
        (device.device, device.direction.as_deref()),
        (Some(1), Some("input"))
    );
    assert_eq!(
        (device.state.as_deref(), device.priority),
        (Some("connected"), Some(0))
    );
    assert_eq!(device.phase_offset_fs, Some(-1_234_567));
    assert_eq!((above.pin, above.state.as_deref()), (Some(9), Some("7")));
}

#[test]
fn a_row_without_a_number_is_none() {
    assert_eq!(parse_device(&[]), None);
    assert_eq!(
        parse_pin(Request::default().with_text(2, "ice").as_bytes()),
        None
    );
    assert_eq!(parse_pin(&[0xff; 64]), None);
}

#[test]
fn this_hosts_dplls_are_told_or_absent() {
    ask().unwrap();
}
