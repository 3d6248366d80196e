use crate::device::pci::Deep;
use crate::device::pci::tests::Tree;
use crate::survey::{Problem, Reason};

const BUS: &str = "pci0000:00";
const ID: &str = "0000:00:01.0";

fn look(config: &[u8]) -> (Option<Deep>, Vec<Problem>) {
    let tree = Tree::new().function(BUS, ID, &[]);
    tree.write(&format!("{BUS}/{ID}/config"), config);
    let (mut pci, problems) = tree.look(true, false);
    (pci.functions.remove(0).deep, problems)
}

/// A config space of `length` bytes with `patches` in it.
fn space(length: usize, patches: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[..4].copy_from_slice(&[0x86, 0x80, 0x92, 0x15]);
    bytes[6] = 0x10;
    for (at, patch) in patches {
        bytes[*at..at + patch.len()].copy_from_slice(patch);
    }
    bytes
}

/// Power management, MSI-X and PCI Express, an endpoint.
const LIST: &[(usize, &[u8])] = &[
    (0x34, &[0x40]),
    (0x40, &[0x01, 0x70]),
    (0x70, &[0x11, 0xa0]),
    (0xa0, &[0x10, 0x00, 0x02]),
];

#[test]
fn capabilities_are_named_in_their_order() {
    let serial: &[u8] = &[
        0x03, 0x00, 0x01, 0x15, 0x55, 0x44, 0x33, 0xff, 0xff, 0x22, 0x11, 0x00,
    ];
    let extended: &[(usize, &[u8])] = &[
        (0x100, &[0x01, 0x00, 0x02, 0x14]),
        (0x140, serial),
        (0x150, &[0x10, 0x00, 0x01, 0xe0]),
        (0xe00, &[0xee, 0x00, 0x01, 0x00]),
    ];
    let (deep, problems) = look(&space(4096, &[LIST, extended].concat()));
    assert_eq!(problems, []);
    let deep = deep.unwrap();
    assert_eq!(
        deep.capabilities,
        ["power_management", "msi_x", "pci_express"]
    );
    assert_eq!(deep.port_type.as_deref(), Some("endpoint"));
    assert_eq!(
        deep.extended_capabilities,
        [
            "advanced_error_reporting",
            "device_serial_number",
            "sr_iov",
            "unknown_ee"
        ]
    );
    assert_eq!(deep.serial.as_deref(), Some("00-11-22-ff-ff-33-44-55"));
}

#[test]
fn config_space_may_end_before_the_extended_part() {
    let (deep, problems) = look(&space(256, LIST));
    assert_eq!(problems, []);
    assert_eq!(deep.unwrap().extended_capabilities, [""; 0]);
}

#[test]
fn who_may_see_only_the_header_is_denied_the_rest() {
    let (deep, problems) = look(&space(64, &[(0x34, &[0x40])]));
    assert_eq!(deep.unwrap(), Deep::default());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].reason, Reason::Denied);
}

#[test]
fn a_function_without_a_list_has_nothing_more_to_read() {
    let mut bytes = space(64, &[]);
    bytes[6] = 0;
    assert_eq!(look(&bytes), (Some(Deep::default()), vec![]));
}

#[test]
fn lists_that_do_not_end_are_cut() {
    for patches in [
        &[(0x34, &[0x40][..]), (0x40, &[0x05, 0x40])][..],
        &[
            (0x34, &[0x40]),
            (0x40, &[0x05, 0x50]),
            (0x50, &[0x05, 0x40]),
        ],
        &[(0x34, &[0x40]), (0x40, &[0x05, 0x10])],
        &[
            (0x34, &[0x40]),
            (0x40, &[0x10, 0x00, 0x02]),
            (0x100, &[0x01, 0x00, 0x01, 0x10]),
        ],
        &[
            (0x34, &[0x40]),
            (0x40, &[0x10, 0x00, 0x02]),
            (0x100, &[0x01, 0x00, 0x01, 0x04]),
        ],
    ] {
        let (deep, problems) = look(&space(4096, patches));
        assert!(!deep.unwrap().capabilities.is_empty());
        assert_eq!(problems.len(), 1, "{patches:?}: {problems:?}");
        assert!(matches!(problems[0].reason, Reason::Unreadable { .. }));
    }
}

#[test]
fn a_truncated_config_space_says_so() {
    let extended: &[(usize, &[u8])] = &[(0x100, &[0x01, 0x00, 0x02, 0x40])];
    let whole = space(4096, &[LIST, extended].concat());
    for length in [0x42, 0x71, 300] {
        let (deep, problems) = look(&whole[..length]);
        assert!(deep.is_some());
        assert_eq!(problems.len(), 1, "{length}: {problems:?}");
        assert!(
            matches!(problems[0].reason, Reason::Malformed { .. }),
            "{length}"
        );
    }
}

#[test]
fn a_device_that_does_not_answer_is_a_problem() {
    let (deep, problems) = look(&[0xff; 256]);
    assert_eq!(deep, None);
    assert_eq!(problems.len(), 1);
    assert_eq!(look(&[]).0, None);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn no_config_space_panics_or_hangs(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..4096)) {
        if let Some(status) = bytes.get_mut(6) {
            *status |= 0x10;
        }
        if let Some(list) = bytes.get_mut(0x34) {
            *list |= 0x40;
        }
        let _ = look(&bytes);
    }
}
