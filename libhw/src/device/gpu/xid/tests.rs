use super::*;

#[test]
fn a_line_says_which_device_met_what() {
    for (text, function, number, pid, rest) in [
        (
            "NVRM: Xid (PCI:0000:81:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
            "0000:81:00.0",
            79,
            None,
            "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
        ),
        (
            "NVRM: Xid (PCI:0000:3b:00 GPU-I:05): 94, pid=7194, name=train, Contained: CE User Channel (0x9).",
            "0000:3b:00.0",
            94,
            Some(7194),
            "pid=7194, name=train, Contained: CE User Channel (0x9).",
        ),
        (
            "NVRM: Xid (0000:03:00): 13, 0001 00000000 0000a097",
            "0000:03:00.0",
            13,
            None,
            "0001 00000000 0000a097",
        ),
        (
            "NVRM: Xid (PCI:10000:C1:1F.1): 119",
            "10000:c1:1f.1",
            119,
            None,
            "",
        ),
        (
            "NVRM: Xid (PCI:0000:81:00): 45, pid=99999999999, x",
            "0000:81:00.0",
            45,
            None,
            "pid=99999999999, x",
        ),
    ] {
        let line = parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            (&*line.function, line.number, line.pid, line.text),
            (function, number, pid, rest),
            "{text}"
        );
    }
}

#[test]
fn what_only_looks_like_one_is_none() {
    for text in [
        "",
        "NVRM: Xid (",
        "NVRM: Xid (PCI:0000:81:00)",
        "NVRM: Xid (PCI:0000:81:00): ",
        "NVRM: Xid (PCI:0000:81:00): x, text",
        "NVRM: Xid (PCI:0000:81): 79, text",
        "NVRM: Xid (PCI:0000:81:00:00): 79, text",
        "NVRM: Xid (PCI:0000:100:00): 79, text",
        "NVRM: Xid (PCI:0000:+1:00): 79, text",
        "NVRM: Xid (PCI:0000:81:20): 79, text",
        "NVRM: Xid (PCI:0000:81:00.8): 79, text",
        "NVRM: Xid (): 79, text",
        "NVRM: Xid (PCI:0000:81:00): -1, text",
        "NVRM: GPU at PCI:0000:81:00: GPU-6e9f",
        "text NVRM: Xid (PCI:0000:81:00): 79, text",
        "nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal",
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn equal_errors_are_counted_and_the_last_is_told() {
    let line = |seconds: u64, text: &str| KernelLine {
        sequence: seconds,
        uptime_ns: Nanoseconds(seconds * 1_000_000_000),
        text: format!("NVRM: Xid (PCI:0000:{text}"),
    };
    let lines = [
        line(1, "81:00): 63, pid=1, a row"),
        line(2, "c1:00): 79, pid=2, gone"),
        line(3, "81:00): 13, pid=3, a fault"),
        line(4, "81:00): 63, pid=4, another row"),
        line(5, "81:00): 9999, new"),
    ];
    let xids = of("0000:81:00.0", &lines);
    assert_eq!(
        xids.iter().map(|xid| xid.id).collect::<Vec<_>>(),
        [13, 63, 9999]
    );
    let rows = &xids[1];
    assert_eq!(
        (rows.count, rows.first_ns.0, rows.last_ns.0),
        (2, 1_000_000_000, 4_000_000_000)
    );
    assert_eq!(
        (rows.last_pid, &*rows.last_text),
        (Some(4), "pid=4, another row")
    );
    assert_eq!((rows.area, rows.action), (XidArea::Memory, XidAction::None));
    assert_eq!((xids[2].area, &xids[2].meaning), (XidArea::Unknown, &None));
    assert_eq!(of("0000:01:00.0", &lines), []);
    let many: Vec<_> = (0..1000)
        .map(|number| line(1, &format!("81:00): {number}, x")))
        .collect();
    assert_eq!(of("0000:81:00.0", &many).len(), KINDS_MAX);
}
