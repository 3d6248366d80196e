use proptest::prelude::*;

use crate::device::tpm::{Properties, Tpm, Version};
use crate::inventory::Class;
use crate::io::octets::Octets;
use crate::survey::Problem;
use crate::tree::{Tree, told};

const CHIP: &str = "sys/class/tpm/tpm0";

fn read(tree: &Tree) -> (Tpm, Vec<Problem>) {
    let inventory = tree.discover(Class::Tpm);
    (inventory.tpm.unwrap(), inventory.problems)
}

fn deep(tree: &Tree) -> (Tpm, Vec<Problem>) {
    let inventory = tree.discover_deep(Class::Tpm);
    (inventory.tpm.unwrap(), inventory.problems)
}

/// An answer to `TPM2_GetCapability`.
fn answer(properties: &[(u32, u32)]) -> Vec<u8> {
    let mut body = vec![0];
    body.extend(6_u32.to_be_bytes());
    body.extend(u32::try_from(properties.len()).unwrap().to_be_bytes());
    for (property, value) in properties {
        body.extend(property.to_be_bytes());
        body.extend(value.to_be_bytes());
    }
    let size = u32::try_from(body.len() + 10).unwrap();
    [&[0x80, 0x01][..], &size.to_be_bytes(), &[0; 4], &body].concat()
}

fn infineon() -> Vec<(u32, u32)> {
    vec![
        (0x102, 138),
        (0x104, 2018),
        (0x105, u32::from_be_bytes(*b"IFX\0")),
        (0x106, u32::from_be_bytes(*b"SLB9")),
        (0x107, u32::from_be_bytes(*b"670\0")),
        (0x108, 0),
        (0x109, 0),
        (0x10b, 0x0007_0055),
        (0x10c, 0x0011_cb00),
        (0x12d, 1),
    ]
}

fn version2() -> Tree {
    let tree = Tree::new(&[]);
    tree.write(&format!("{CHIP}/tpm_version_major"), "2\n");
    tree.write(&format!("{CHIP}/ppi/version"), "1.3\n");
    for pcr in 0..24 {
        tree.write(&format!("{CHIP}/pcr-sha256/{pcr}"), "00AB\n");
    }
    tree.write(&format!("{CHIP}/pcr-sha1/0"), "FF\n");
    tree.write("sys/kernel/security/tpm0/binary_bios_measurements", "");
    tree.directory("sys/devices/LNXSYSTM:00/MSFT0101:00");
    tree.link(
        &format!("{CHIP}/device"),
        "../../../devices/LNXSYSTM:00/MSFT0101:00",
    );
    let driver = "sys/devices/LNXSYSTM:00/MSFT0101:00/driver";
    tree.link(driver, "../../../bus/acpi/drivers/tpm_crb");
    tree
}

#[test]
fn a_chip_is_known_without_being_asked() {
    let (tpm, problems) = read(&version2());
    assert_eq!(told(&problems), []);
    let [chip] = tpm.chips.as_slice() else {
        panic!("{tpm:?}");
    };
    assert_eq!(
        (chip.id.as_str(), &chip.version),
        ("tpm0", &Some(Version::Two))
    );
    assert_eq!(chip.driver.as_deref(), Some("tpm_crb"));
    assert_eq!(chip.device.as_deref(), Some("MSFT0101:00"));
    assert_eq!(chip.physical_presence_version.as_deref(), Some("1.3"));
    assert_eq!(chip.event_log, Some(true));
    let banks = chip.banks.iter();
    let banks: Vec<_> = banks
        .map(|bank| (bank.id.as_str(), bank.pcr_count, bank.pcrs.len()))
        .collect();
    assert_eq!(banks, [("sha1", 1, 0), ("sha256", 24, 0)]);
    assert_eq!(chip.deep, None);
}

#[test]
fn a_deep_look_asks_for_the_registers_and_the_properties() {
    let tree = version2();
    let mut variable = vec![(0x200, 0x201), (0x20e, 2), (0x20f, 32)];
    let answers = vec![answer(&infineon()), answer(&variable)];
    let answers: Vec<Octets> = answers.into_iter().map(Octets).collect();
    let record = serde_json::to_string(&answers).unwrap();
    tree.write("gnomon/probes/tpm/!dev!tpm0.json", &record);
    let (tpm, problems) = deep(&tree);
    assert_eq!(told(&problems), []);
    let chip = &tpm.chips[0];
    assert_eq!(chip.banks[1].pcrs[&7], "00AB");
    let deep = chip.deep.as_ref().unwrap();
    assert_eq!(deep.manufacturer.as_deref(), Some("IFX"));
    assert_eq!(deep.vendor_string.as_deref(), Some("SLB9670"));
    assert_eq!(deep.firmware_version.as_deref(), Some("7.85.17.51968"));
    assert_eq!(deep.specification.as_deref(), Some("1.38"));
    assert_eq!(
        (deep.specification_year, deep.fips_140_2),
        (Some(2018), Some(true))
    );
    assert_eq!((deep.owned, deep.in_lockout), (Some(true), Some(true)));
    assert_eq!(
        (deep.lockout_counter, deep.lockout_limit),
        (Some(2), Some(32))
    );
    variable[0].1 = 0;
    let mut properties = Properties::default();
    properties.take(&answer(&variable)).unwrap();
    let deep = properties.deep();
    assert_eq!(
        (deep.owned, deep.in_lockout, deep.manufacturer),
        (Some(false), Some(false), None)
    );
}

#[test]
fn a_chip_of_version_1_tells_through_its_attributes() {
    for place in ["device/", ""] {
        let tree = Tree::new(&[]);
        for (name, text) in [
            (
                "caps",
                "Manufacturer: 0x53544d20\nTCG version: 1.2\nFirmware version: 8.16\n",
            ),
            ("enabled", "1\n"),
            ("active", "0\n"),
            ("owned", "1\n"),
            ("temp_deactivated", "0\n"),
        ] {
            tree.write(&format!("{CHIP}/{place}{name}"), text);
        }
        let (tpm, problems) = read(&tree);
        assert_eq!(told(&problems), []);
        assert_eq!(tpm.chips[0].version, Some(Version::One), "{place:?}");
        let (tpm, _) = deep(&tree);
        let deep = tpm.chips[0].deep.as_ref().unwrap();
        assert_eq!(deep.manufacturer.as_deref(), Some("STM"));
        assert_eq!(deep.specification.as_deref(), Some("1.2"));
        assert_eq!(deep.firmware_version.as_deref(), Some("8.16"));
        assert_eq!((deep.enabled, deep.active), (Some(true), Some(false)));
        assert_eq!((deep.owned, deep.deactivated), (Some(true), Some(false)));
    }
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let good = answer(&infineon());
    for length in 0..good.len() {
        assert!(
            Properties::default().take(&good[..length]).is_err(),
            "{length}"
        );
    }
    let with = |place: usize, byte: u8| {
        let mut bad = good.clone();
        bad[place] = byte;
        Properties::default().take(&bad).is_err()
    };
    // The tag, the size, the code of an error, another capability, too many properties.
    for (place, byte) in [(1, 2), (5, 0), (9, 1), (14, 5), (15, 1)] {
        assert!(with(place, byte), "{place}");
    }
}

#[test]
fn a_tree_without_any_is_no_problem_and_a_spoilt_one_tells_each_file() {
    let (tpm, problems) = deep(&Tree::new(&[]));
    assert_eq!((tpm, problems), (Tpm::default(), Vec::new()));
    let tree = version2();
    tree.write(&format!("{CHIP}/tpm_version_major"), "3\n");
    tree.write("gnomon/probes/tpm/!dev!tpm0.json", "[\"80010000\"]");
    tree.fail(&[
        (&format!("{CHIP}/pcr-sha1/0"), libc::EIO),
        (&format!("{CHIP}/pcr-sha256/3"), libc::ETIMEDOUT),
        ("sys/kernel/security/tpm0", libc::EACCES),
    ]);
    let (tpm, problems) = deep(&tree);
    let chip = &tpm.chips[0];
    assert_eq!(chip.version, Some(Version::Other("3".to_owned())));
    assert_eq!(
        (chip.banks[0].pcrs.len(), chip.banks[1].pcrs.len()),
        (0, 23)
    );
    assert_eq!(
        told(&problems),
        [
            ("/dev/tpm0", "malformed"),
            ("/sys/class/tpm/tpm0/pcr-sha1/0", "unreadable"),
            ("/sys/class/tpm/tpm0/pcr-sha256/3", "timed out"),
            ("/sys/kernel/security/tpm0", "denied"),
        ]
    );
}

proptest! {
    #[test]
    fn no_answer_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), fixed in any::<bool>()) {
        let mut properties = Properties::default();
        let answer = if fixed { [&answer(&infineon())[..19], &bytes].concat() } else { bytes };
        let _ = properties.take(&answer);
        let _ = properties.deep();
    }
}
