use super::*;

fn of(device: &str) -> Request {
    Request::default().with_text(1, "pci").with_text(2, device)
}

#[test]
fn devices_ports_and_reporters_are_told_by_their_bus_and_name() {
    let device = parse_device(of("0000:51:00.0").with(136, &[1]).as_bytes()).unwrap();
    assert_eq!(
        (device.id.as_str(), device.reload_failed),
        ("pci/0000:51:00.0", true)
    );
    let port = of("0000:51:00.0")
        .with_u32(3, 3)
        .with_text(7, "eth0")
        .with(77, &4_u16.to_ne_bytes());
    let port = parse_port(
        port.with(127, &0_u16.to_ne_bytes())
            .with(128, &5_u16.to_ne_bytes())
            .as_bytes(),
    )
    .unwrap();
    assert_eq!((port.index, port.flavour.as_deref()), (3, Some("pcivf")));
    assert_eq!(
        (port.pf, port.vf, port.interface.as_deref()),
        (Some(0), Some(5), Some("eth0"))
    );
    let reporter = Request::default()
        .with_text(115, "fw")
        .with(116, &[1])
        .with(117, &2_u64.to_ne_bytes())
        .with(121, &[1]);
    let reporter =
        parse_reporter(of("0000:51:00.0").with_nested(114, &reporter).as_bytes()).unwrap();
    assert_eq!(
        (reporter.name.as_str(), reporter.state.as_deref()),
        ("fw", Some("error"))
    );
    assert_eq!(
        (reporter.errors, reporter.auto_recover, reporter.port),
        (Some(2), Some(true), None)
    );
}

#[test]
fn firmware_is_told_by_what_runs_and_what_is_stored() {
    let version = |name: &str, value: &str| {
        Request::default()
            .with_text(103, name)
            .with_text(104, value)
    };
    let row = of("0000:51:00.0")
        .with_text(98, "ice")
        .with_text(99, "00-51")
        .with_nested(101, &version("fw.mgmt", "7.4.13"))
        .with_nested(102, &version("fw.undi", "1.2"))
        .with_nested(101, &Request::default().with_text(103, "no value"));
    let firmware = parse_firmware(row.as_bytes()).unwrap();
    assert_eq!(
        firmware.running,
        [("fw.mgmt".to_owned(), "7.4.13".to_owned())]
    );
    assert_eq!(firmware.stored.len(), 1);
    assert_eq!(firmware.serial.as_deref(), Some("00-51"));
}

#[test]
fn a_row_without_a_device_is_none() {
    for row in [
        &[][..],
        &[0xff; 64],
        Request::default().with_text(1, "pci").as_bytes(),
    ] {
        assert_eq!(parse_device(row), None);
        assert_eq!(parse_port(row), None);
        assert_eq!(parse_reporter(row), None);
        assert_eq!(parse_firmware(row), None);
    }
}

#[test]
fn this_hosts_devlink_answers_or_is_absent() {
    ask().unwrap();
}
