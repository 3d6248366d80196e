//! Drives' answers, made byte by byte from the standards' tables.

use super::*;

fn answer(tree: &Tree, command: &str, file: &str, bytes: &[u8]) {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    tree.write(
        &format!("gnomon/probes/{command}/!dev!{file}.json"),
        &format!("\"{digits}\""),
    );
}

fn put(bytes: &mut [u8], place: usize, value: &[u8]) {
    bytes[place..place + value.len()].copy_from_slice(value);
}

fn nvme() -> Tree {
    let tree = Tree::new(NVME);
    let mut identify = vec![0_u8; 4096];
    put(&mut identify, 76, &[0b1010]);
    put(&mut identify, 77, &[6]);
    put(&mut identify, 80, &0x0001_0400_u32.to_le_bytes());
    put(&mut identify, 256, &0x17_u16.to_le_bytes());
    put(&mut identify, 266, &358_u16.to_le_bytes());
    put(&mut identify, 268, &368_u16.to_le_bytes());
    put(&mut identify, 280, &2_000_398_934_016_u128.to_le_bytes());
    put(&mut identify, 328, &2_u32.to_le_bytes());
    put(&mut identify, 516, &1_u32.to_le_bytes());
    put(&mut identify, 525, &[1]);
    answer(&tree, "nvme-identify", "nvme0", &identify);
    let mut health = vec![0_u8; 512];
    put(&mut health, 0, &[0b0100_1001]);
    put(&mut health, 1, &317_u16.to_le_bytes());
    put(&mut health, 3, &[9, 10, 103, 1]);
    for (place, value) in [
        (32, 1),
        (48, 2),
        (64, 3),
        (80, 4),
        (96, 5),
        (112, 6),
        (128, 7),
        (144, 8),
        (160, u128::MAX),
        (176, 10),
    ] {
        put(&mut health, place, &u128::to_le_bytes(value));
    }
    for (place, value) in [
        (192, 11_u32),
        (196, 12),
        (216, 13),
        (220, 14),
        (224, 15),
        (228, 16),
    ] {
        put(&mut health, place, &value.to_le_bytes());
    }
    put(&mut health, 200, &317_u16.to_le_bytes());
    put(&mut health, 204, &273_u16.to_le_bytes());
    answer(&tree, "nvme-health", "nvme0", &health);
    let mut firmware = vec![0_u8; 512];
    put(&mut firmware, 0, &[0x21]);
    put(&mut firmware, 8, b"P9CR30A P9CR40B ");
    answer(&tree, "nvme-firmware", "nvme0", &firmware);
    tree
}

#[test]
fn an_nvme_controller_tells_its_health_in_a_deep_look_alone() {
    let tree = nvme();
    assert_eq!(look(&tree, false).0.nvme_controllers[0].now.health, None);
    let (storage, inventory) = look(&tree, true);
    assert_eq!(told(&inventory.problems), []);
    let controller = &storage.nvme_controllers[0];
    let health = controller.now.health.as_ref().unwrap();
    assert_eq!(
        health.critical_warnings,
        [
            CriticalWarning::Spare,
            CriticalWarning::ReadOnly,
            CriticalWarning::Other(6)
        ]
    );
    assert_eq!(health.temperature_celsius, Some(44));
    assert_eq!(
        (
            health.available_spare_percent,
            health.spare_threshold_percent
        ),
        (9, 10)
    );
    assert_eq!(
        (health.percentage_used, health.endurance_group_warnings),
        (103, 1)
    );
    let counts = [
        health.data_units_read,
        health.data_units_written,
        health.host_read_commands,
        health.host_write_commands,
        health.controller_busy_minutes,
        health.power_cycles,
        health.power_on_hours,
        health.unsafe_shutdowns,
        health.media_errors,
        health.error_log_entries,
        health.warning_temperature_minutes,
        health.critical_temperature_minutes,
    ];
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, u64::MAX, 10, 11, 12]);
    assert_eq!(health.sensors_celsius, [Some(44), None, Some(0)]);
    assert_eq!(
        (health.thermal_transitions, health.thermal_seconds),
        ([13, 14], [15, 16])
    );
}

#[test]
fn an_nvme_controller_tells_what_it_is_and_which_firmware_it_has() {
    let (storage, _) = look(&nvme(), true);
    let controller = &storage.nvme_controllers[0];
    let identity = controller.identity.as_ref().unwrap();
    assert_eq!(identity.version.as_deref(), Some("1.4"));
    assert_eq!(identity.capacity_bytes, Some(Bytes(2_000_398_934_016)));
    assert_eq!(identity.unallocated_bytes, Some(Bytes(0)));
    assert_eq!(identity.warning_temperature_celsius, Some(85));
    assert_eq!(identity.critical_temperature_celsius, Some(95));
    let bits = [
        identity.volatile_write_cache,
        identity.several_controllers,
        identity.asymmetric_access,
        identity.security,
        identity.namespace_management,
        identity.self_test,
        identity.virtualization,
        identity.sanitize,
    ];
    assert_eq!(bits, [true, true, true, true, false, true, false, true]);
    let firmware = controller.firmware_slots.as_ref().unwrap();
    assert_eq!((firmware.active_slot, firmware.next_slot), (1, Some(2)));
    assert_eq!(firmware.slots, ["P9CR30A", "P9CR40B"]);
}

#[test]
fn health_is_read_again_where_it_was_read_before() {
    let tree = nvme();
    let mut health = vec![0_u8; 512];
    put(&mut health, 5, &[7]);
    for deep in [true, false] {
        let (mut storage, _) = look(&tree, deep);
        answer(&tree, "nvme-health", "nvme0", &health);
        let root = tree.root();
        refresh(&mut storage, &Survey::new(&root, "storage", false, false));
        let now = &storage.nvme_controllers[0].now;
        assert_eq!(
            now.health.as_ref().map(|health| health.percentage_used),
            deep.then_some(7)
        );
    }
}

#[test]
fn answers_of_the_wrong_length_are_malformed_and_a_silent_controller_is_asked_once() {
    for bytes in [&[][..], &[1; 511], &[1; 513], &[0xff; 4097]] {
        let tree = nvme();
        for command in ["nvme-identify", "nvme-health", "nvme-firmware"] {
            answer(&tree, command, "nvme0", bytes);
        }
        let (storage, inventory) = look(&tree, true);
        let controller = &storage.nvme_controllers[0];
        assert_eq!(
            (&controller.identity, &controller.now.health),
            (&None, &None)
        );
        assert_eq!(controller.model.as_deref(), Some("CT2000P3SSD8"));
        assert_eq!(told(&inventory.problems)[0], ("/dev/nvme0", "malformed"));
    }
    for (errno, reason) in [
        (nix::errno::Errno::ETIMEDOUT, "timed out"),
        (nix::errno::Errno::EACCES, "denied"),
    ] {
        let tree = nvme();
        tree.fail(&[("gnomon/probes/nvme-identify/!dev!nvme0.json", errno as i32)]);
        let (storage, inventory) = look(&tree, true);
        assert_eq!(storage.nvme_controllers[0].now.health, None);
        assert_eq!(told(&inventory.problems), [("/dev/nvme0", reason)]);
    }
}

/// A block of SMART, whose last byte makes the sum of all zero.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[511] = bytes[511].wrapping_sub(sum);
    bytes
}

fn sata() -> Tree {
    let tree = machine();
    answer(&tree, "ata-power-mode", "sda", &[0xff]);
    let mut identify = vec![0_u8; 512];
    // Words hold their two characters the other way round.
    for (place, pair) in b"WDC WD20EZRX-00DC0B0".chunks(2).enumerate() {
        put(&mut identify, 54 + place * 2, &[pair[1], pair[0]]);
    }
    put(&mut identify, 164, &1_u16.to_le_bytes());
    put(&mut identify, 170, &1_u16.to_le_bytes());
    put(&mut identify, 256, &0b1011_u16.to_le_bytes());
    put(&mut identify, 434, &5400_u16.to_le_bytes());
    answer(&tree, "ata-identify", "sda", &identify);
    let mut data = vec![0_u8; 512];
    let mut thresholds = vec![0_u8; 512];
    for (row, (id, flags, value, worst, raw, threshold)) in [
        (5, 0x33_u16, 140, 140, 12_u64, 140),
        (9, 0x32, 60, 60, 0x0012_0000_7531, 0),
        (12, 0x32, 100, 100, 77, 0),
        (190, 0x22, 70, 60, 0x1400_001e, 45),
        (194, 0x22, 106, 98, 0x0029_000f_0029, 0),
        (197, 0x32, 200, 200, 3, 0),
        (198, 0x30, 253, 253, 0, 0),
        (199, 0x32, 200, 200, 5, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let place = 2 + row * 12;
        data[place] = id;
        put(&mut data, place + 1, &flags.to_le_bytes());
        put(&mut data, place + 3, &[value, worst]);
        put(&mut data, place + 5, &raw.to_le_bytes()[..6]);
        put(&mut thresholds, place, &[id, threshold]);
    }
    data[363] = 0x79;
    answer(&tree, "ata-smart-data", "sda", &summed(data));
    answer(&tree, "ata-smart-thresholds", "sda", &summed(thresholds));
    answer(&tree, "ata-smart-status", "sda", &[0xf4, 0x2c]);
    answer(&tree, "opal", "sda", &0b1101_u32.to_le_bytes());
    tree
}

#[test]
fn a_sata_drive_tells_its_attributes_and_its_verdict() {
    let (storage, inventory) = look(&sata(), true);
    assert_eq!(told(&inventory.problems), []);
    let sda = disk(&storage, "sda");
    assert_eq!(sda.model.as_deref(), Some("WDC WD20EZRX-00DC0B0"));
    let ata = sda.ata.as_ref().unwrap();
    assert_eq!(
        (ata.rotation_rpm, ata.smart_enabled),
        (Some(5400), Some(true))
    );
    let security = ata.security.unwrap();
    assert_eq!(
        (security.enabled, security.locked, security.frozen),
        (true, false, true)
    );
    let now = &ata.now;
    assert_eq!(
        (now.failing, now.power_mode),
        (Some(true), Some(PowerMode::Active))
    );
    assert_eq!(now.self_test, Some(SelfTest::ReadFailure));
    assert_eq!(now.temperature_celsius, Some(41));
    assert_eq!(
        (now.power_on_hours, now.power_cycles),
        (Some(30001), Some(77))
    );
    assert_eq!(
        (now.reallocated_sectors, now.pending_sectors),
        (Some(12), Some(3))
    );
    assert_eq!(
        (now.uncorrectable_sectors, now.interface_crc_errors),
        (Some(0), Some(5))
    );
    let first = now.attributes[0];
    assert_eq!(
        (first.id, first.flags, first.value, first.threshold),
        (5, 0x33, 140, Some(140))
    );
    let failing: Vec<_> = now
        .attributes
        .iter()
        .filter(|row| row.failing)
        .map(|row| row.id)
        .collect();
    assert_eq!(failing, [5]);
    let opal = sda.opal.unwrap();
    assert_eq!(
        (opal.locking_enabled, opal.locked, opal.locking_supported),
        (true, true, false)
    );
}

#[test]
fn a_drive_that_sleeps_is_left_asleep() {
    let tree = sata();
    answer(&tree, "ata-power-mode", "sda", &[0x00]);
    let (mut storage, inventory) = look(&tree, true);
    assert_eq!(told(&inventory.problems), []);
    let ata = disk(&storage, "sda").ata.as_ref().unwrap();
    assert_eq!(ata.now.power_mode, Some(PowerMode::Standby));
    assert_eq!((ata.smart_enabled, ata.now.failing), (None, None));
    answer(&tree, "ata-power-mode", "sda", &[0x80]);
    let root = tree.root();
    refresh(&mut storage, &Survey::new(&root, "storage", false, false));
    let ata = disk(&storage, "sda").ata.as_ref().unwrap();
    assert_eq!(
        (ata.now.power_mode, ata.now.failing),
        (Some(PowerMode::Idle), Some(true))
    );
}

#[test]
fn smart_that_does_not_add_up_is_malformed_and_hides_nothing_else() {
    let tree = sata();
    answer(
        &tree,
        "ata-smart-data",
        "sda",
        &[[0; 511].as_slice(), &[1]].concat(),
    );
    let (storage, inventory) = look(&tree, true);
    assert_eq!(told(&inventory.problems), [("/dev/sda", "malformed")]);
    let now = &disk(&storage, "sda").ata.as_ref().unwrap().now;
    assert_eq!((now.failing, now.attributes.len()), (Some(true), 0));
}

/// A log page: its parameters, each a code and a value.
fn page(code: u8, parameters: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (parameter, value) in parameters {
        body.extend_from_slice(&parameter.to_be_bytes());
        body.extend_from_slice(&[0x03, u8::try_from(value.len()).unwrap()]);
        body.extend_from_slice(value);
    }
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[code, 0, length[0], length[1]], body.as_slice()].concat()
}

fn sas() -> Tree {
    let tree = machine();
    tree.write(&format!("{SDA}/vendor"), "SEAGATE \n");
    let pages = [0x00, 0x02, 0x03, 0x06, 0x0d, 0x0e, 0x11, 0x15, 0x2f];
    let list = [&[0, 0, 0, 9][..], &pages].concat();
    answer(&tree, "scsi-pages", "sda", &list);
    let errors: Vec<(u16, [u8; 8])> = (0..=6)
        .map(|code| (code, (u64::from(code) * 100 + 1).to_be_bytes()))
        .collect();
    let errors: Vec<(u16, &[u8])> = errors
        .iter()
        .map(|(code, value)| (*code, &value[..]))
        .collect();
    answer(&tree, "scsi-write-errors", "sda", &page(0x02, &errors));
    answer(&tree, "scsi-read-errors", "sda", &page(0x03, &errors[..2]));
    answer(
        &tree,
        "scsi-non-medium-errors",
        "sda",
        &page(0x06, &[(0, &[0, 0, 1, 0])]),
    );
    answer(
        &tree,
        "scsi-temperature",
        "sda",
        &page(0x0d, &[(0, &[0, 34]), (1, &[0, 60])]),
    );
    answer(
        &tree,
        "scsi-start-stop",
        "sda",
        &page(0x0e, &[(1, b"202032"), (4, &[0, 0, 0, 55])]),
    );
    answer(
        &tree,
        "scsi-solid-state",
        "sda",
        &page(0x11, &[(1, &[0, 0, 0, 101])]),
    );
    answer(
        &tree,
        "scsi-background-scan",
        "sda",
        &page(0x15, &[(0, &[0, 1, 0x51, 0x80, 0, 8])]),
    );
    answer(
        &tree,
        "scsi-exceptions",
        "sda",
        &page(0x2f, &[(0, &[0x5d, 0x10, 33])]),
    );
    tree
}

#[test]
fn a_sas_drive_tells_what_its_log_pages_hold() {
    let (storage, inventory) = look(&sas(), true);
    assert_eq!(told(&inventory.problems), []);
    let now = disk(&storage, "sda").scsi.unwrap().now;
    assert_eq!(
        (now.failing, now.exception_code),
        (Some(true), Some(0x5d10))
    );
    assert_eq!(
        (now.temperature_celsius, now.temperature_max_celsius),
        (Some(34), Some(60))
    );
    assert_eq!(
        (now.percentage_used, now.power_on_minutes),
        (Some(101), Some(86400))
    );
    assert_eq!(
        (now.start_stop_cycles, now.non_medium_errors),
        (Some(55), Some(256))
    );
    let write = now.write.unwrap();
    assert_eq!(
        (write.corrected, write.processed_bytes, write.uncorrected),
        (Some(301), Some(501), Some(601))
    );
    assert_eq!(now.read.unwrap().uncorrected, None);
    assert_eq!(now.verify, None);
}

#[test]
fn a_drive_without_log_pages_has_no_health_and_a_wrong_page_is_told() {
    let tree = machine();
    tree.write(&format!("{SDA}/vendor"), "QEMU\n");
    let (storage, inventory) = look(&tree, true);
    assert_eq!(
        (disk(&storage, "sda").scsi, inventory.problems.len()),
        (None, 0)
    );
    let tree = sas();
    answer(&tree, "scsi-temperature", "sda", &page(0x2f, &[]));
    let (storage, inventory) = look(&tree, true);
    assert_eq!(told(&inventory.problems), [("/dev/sda", "malformed")]);
    assert_eq!(
        disk(&storage, "sda").scsi.unwrap().now.temperature_celsius,
        Some(33)
    );
}

#[test]
fn no_answer_of_a_drive_panics() {
    for length in [0, 1, 4, 5, 63, 512, 4096] {
        for byte in [0x00, 0x03, 0x2f, 0xff] {
            let tree = sas();
            for command in [
                "scsi-pages",
                "scsi-write-errors",
                "scsi-temperature",
                "scsi-exceptions",
                "scsi-background-scan",
                "opal",
            ] {
                answer(&tree, command, "sda", &vec![byte; length]);
            }
            for command in ["nvme-identify", "nvme-health", "nvme-firmware"] {
                answer(&tree, command, "nvme0", &vec![byte; length]);
            }
            look(&tree, true);
            let tree = sata();
            for command in [
                "ata-identify",
                "ata-smart-data",
                "ata-smart-thresholds",
                "ata-smart-status",
                "ata-power-mode",
            ] {
                answer(&tree, command, "sda", &vec![byte; length]);
            }
            look(&tree, true);
        }
    }
}
