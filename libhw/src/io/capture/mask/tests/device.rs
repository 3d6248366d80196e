use super::*;

#[test]
fn what_tells_an_accelerator_from_others_is_masked_and_what_tells_its_image_stays() {
    let function = "sys/devices/pci0000:64/0000:65:00.0";
    let dna = "4002000101284ae42c301485";
    let uuid = "862c7020a250293e32036f19956669e5";
    let members = tree(
        &[
            (&format!("{function}/dna.m.1/dna"), dna.as_bytes()),
            (&format!("{function}/xmc.m.1/serial_num"), b"501211A00GJB\n"),
            (
                &format!("{function}/xmc.m.1/mac_addr_first"),
                MAC.as_bytes(),
            ),
            (&format!("{function}/interface_uuids"), uuid.as_bytes()),
            (
                &format!("{function}/fpga_region/region0/dfl-port.0/afu_id"),
                uuid.as_bytes(),
            ),
        ],
        &[],
    );
    let shown = masked(&members);
    for path in [
        "dna.m.1/dna",
        "xmc.m.1/serial_num",
        "xmc.m.1/mac_addr_first",
    ] {
        let path = format!("{function}/{path}");
        assert_ne!(text(&shown, &path), text(&members, &path), "{path}");
        assert_eq!(
            text(&shown, &path).len(),
            text(&members, &path).len(),
            "{path}"
        );
    }
    for path in ["interface_uuids", "fpga_region/region0/dfl-port.0/afu_id"] {
        assert_eq!(text(&shown, &format!("{function}/{path}")), uuid);
    }
}

#[test]
fn what_nvidia_s_library_says_of_one_unit_is_masked_wherever_it_stands() {
    let gpu = "GPU-4c4c4544-0051-3010-8052-b4c04f4a3732";
    let instance = "MIG-5d5d5544-0051-5010-8052-b4c04f4a3732";
    let record = serde_json::json!({"ended": {"exited": 0}, "said": [
        {"device": {
            "function": "0000:81:00.0", "serial": "1650123456781", "uuid": gpu,
            "nvml": {"board_part_number": "692-2G520-0200-000", "instances": [{"id": instance}]},
        }},
    ]});
    let log = serde_json::json!([{"sequence": 1, "uptime_ns": 1, "text": format!("NVRM: GPU at PCI:0000:81:00: {gpu}")}]);
    let members = tree(
        &[
            ("gnomon/probes/nvml.json", record.to_string().as_bytes()),
            ("gnomon/probes/nvidia-xid.json", log.to_string().as_bytes()),
        ],
        &[],
    );
    let shown = masked(&members);
    let [answer, log] =
        ["gnomon/probes/nvml.json", "gnomon/probes/nvidia-xid.json"].map(|path| text(&shown, path));
    for identity in ["1650123456781", &gpu[4..], &instance[4..]] {
        assert!(
            !answer.contains(identity) && !log.contains(identity),
            "{answer} {log}"
        );
    }
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let device = &answer["said"][0]["device"];
    assert_eq!(device["function"], "0000:81:00.0");
    assert_eq!(device["nvml"]["board_part_number"], "692-2G520-0200-000");
    // One pseudonym for one unit, wherever it stands.
    let uuid = device["uuid"].as_str().unwrap();
    assert!(
        uuid.len() == gpu.len() && log.contains(uuid),
        "{uuid} {log}"
    );
}

#[test]
fn accelerators_are_masked_in_all_their_spellings() {
    const UNIQUE: &str = "11651590505119484952";
    let uuid = "GPU-2fb1c2b5-30c5-2d0c-8a4a-3ba8f4d66a4d";
    let nvidia = format!("Model: \t\t NVIDIA H100\nGPU UUID: \t {uuid}\nDevice Minor: \t 0\n");
    let kfd =
        format!("simd_count 1216\nhive_id 1846526184619841984\nunique_id {UNIQUE}\nnum_xcc 8\n");
    let shown = masked(&tree(
        &[
            ("sys/devices/gpu/unique_id", b"946d7e1ef9b172dd\n"),
            ("sys/devices/gpu/serial_number", b"PCB012345-0001\n"),
            (
                "sys/devices/gpu/xgmi_device_id",
                format!("{UNIQUE}\n").as_bytes(),
            ),
            (
                "sys/devices/gpu/xgmi_hive_info/xgmi_hive_id",
                b"1846526184619841984\n",
            ),
            (
                "sys/devices/virtual/kfd/kfd/topology/nodes/1/properties",
                kfd.as_bytes(),
            ),
            (
                "proc/driver/nvidia/gpus/0000:1b:00.0/information",
                nvidia.as_bytes(),
            ),
        ],
        &[],
    ));
    let all: Vec<String> = shown.keys().map(|path| text(&shown, path)).collect();
    let all = all.join("");
    for identity in [
        "946d7e1ef9b172dd",
        "PCB012345-0001",
        UNIQUE,
        "1846526184619841984",
        "2fb1c2b5",
    ] {
        assert!(!all.contains(identity), "{identity} in {all}");
    }
    for kept in [
        "simd_count 1216\n",
        "num_xcc 8\n",
        "Model: \t\t NVIDIA H100\n",
        "GPU UUID: \t GPU-",
    ] {
        assert!(all.contains(kept), "{kept} not in {all}");
    }
    let device = text(&shown, "sys/devices/gpu/xgmi_device_id");
    let node = text(
        &shown,
        "sys/devices/virtual/kfd/kfd/topology/nodes/1/properties",
    );
    assert!(
        node.contains(device.trim()),
        "the same device has the same pseudonym: {node}"
    );
}

#[test]
fn who_was_heard_by_lldp_is_masked_and_the_frames_stay_frames() {
    let mut frame = vec![
        1, 0x80, 0xc2, 0, 0, 0x0e, 0x3c, 0xec, 0xef, 0x12, 0x34, 0x56, 0x88, 0xcc,
    ];
    frame.extend([0x02, 7, 4, 0x3c, 0xec, 0xef, 0x12, 0x34, 0x56]);
    frame.extend([0x04, 5, 5, b'E', b't', b'h', b'1']);
    frame.extend([0x0a, 12]);
    frame.extend(b"leaf-3-row42");
    frame.extend([0, 0]);
    let kept = [&(frame.len() as u64).to_le_bytes()[..], &frame].concat();
    let path = "run/systemd/netif/lldp/7";
    let links = format!(r#"[{{"name":"eth0","mac":"{MAC}","phys_switch_id":"3cecef123456aa"}}]"#);
    let members = tree(
        &[
            (path, &kept),
            ("gnomon/probes/nic-links.json", links.as_bytes()),
        ],
        &[],
    );
    let shown = masked(&members);
    let bytes = file(&shown, path);
    assert_eq!(bytes.len(), kept.len());
    assert_ne!(bytes[14..20], kept[14..20]);
    assert_eq!(bytes[14..20], bytes[25..31]);
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(text_of(&bytes).contains("Eth1") && !text_of(&bytes).contains("leaf-3"));
    let links = text(&shown, "gnomon/probes/nic-links.json");
    assert!(
        !links.contains(MAC) && !links.contains("3cecef123456"),
        "{links}"
    );
    // A file that is cut anywhere is masked as far as it goes.
    for length in 0..kept.len() {
        let _ = lldp::spans(&kept[..length]);
    }
}

#[test]
fn the_identities_of_disks_and_what_is_on_them_are_masked_and_their_kinds_are_not() {
    const WWN: &str = "5000c500a1b2c3d4";
    const VOLUME: &str = "3zSHSR5Nbf4j7g6auAAefWY2CMaX01theZYEvQyecVsm2WtX3iY5q51qq5dWWOq7";
    let members = tree(
        &[
            (
                "sys/block/sda/device/wwid",
                format!("naa.{WWN}\n").as_bytes(),
            ),
            (
                "sys/block/sda/device/vpd_pg80",
                b"\0\x80\0\x0eS4EVNX0N123456",
            ),
            (
                "sys/block/sda/sda1/uevent",
                b"DEVNAME=sda1\nPARTUUID=3f2a1b4c-01\n",
            ),
            (
                "sys/block/dm-0/dm/uuid",
                format!("mpath-3{WWN}\n").as_bytes(),
            ),
            (
                "sys/block/dm-1/dm/uuid",
                format!("LVM-{VOLUME}\n").as_bytes(),
            ),
            ("sys/block/md0/md/uuid", UUID.as_bytes()),
            (
                "sys/class/nvme/nvme0/address",
                b"nn-0x200400a0986b4321:pn-0x210400a0986b4321\n",
            ),
            (
                "run/udev/data/b8:1",
                b"E:ID_FS_UUID=1234-ABCD\nE:ID_FS_TYPE=vfat\nE:ID_PART_TABLE_UUID=3f2a1b4c\n",
            ),
        ],
        &[],
    );
    let shown = masked(&members);
    let lossy = |path| String::from_utf8_lossy(&file(&shown, path)).into_owned();
    let all: String = shown.keys().map(|path| lossy(path)).collect();
    let secrets = [
        WWN,
        SERIAL,
        VOLUME,
        UUID,
        "3f2a1b4c",
        "1234-ABCD",
        "200400a0986b4321",
        "210400a0986b4321",
    ];
    for secret in secrets {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    let wwid = text(&shown, "sys/block/sda/device/wwid");
    let pseudonym = wwid.trim().strip_prefix("naa.").unwrap();
    assert_eq!(
        text(&shown, "sys/block/dm-0/dm/uuid"),
        format!("mpath-3{pseudonym}\n")
    );
    assert!(text(&shown, "sys/block/dm-1/dm/uuid").starts_with("LVM-"));
    assert!(text(&shown, "run/udev/data/b8:1").contains("E:ID_FS_TYPE=vfat"));
}

/// SMBIOS type 42: a network card on USB in its first and its second form, and one on PCI, each with a Redfish service.
#[test]
fn what_tells_a_bmc_from_others_is_masked_and_where_it_is_stays() {
    const OWN: [u8; 6] = [0x3c, 0xec, 0xef, 0x77, 0x88, 0x99];
    let service: Vec<u8> = (0x41..0x51)
        .chain([1, 1, 169, 254, 1, 2])
        .chain([0; 68])
        .chain(*b"\x0brack7-bmc12")
        .collect();
    let first = [
        2, 0x6b, 4, 0x10, 0, 10, 3, b'Q', 0, b'8', 0, b'R', 0, b'2', 0,
    ];
    let second = [&[4, 13, 0x6b, 4, 0xb0, 0xff, 1][..], &OWN].concat();
    let third = [&[5, 22, 0x86, 0x80, 1, 2, 3, 4, 5, 6][..], &OWN, &[0; 6]].concat();
    let mut table = Vec::new();
    for card in [&first[..], &second, &third] {
        let mut fields = vec![0x40, u8::try_from(card.len()).unwrap()];
        fields.extend(card);
        fields.extend([1, 4, u8::try_from(service.len()).unwrap()]);
        fields.extend(&service);
        table.extend([42, u8::try_from(fields.len() + 4).unwrap(), 0, 0]);
        table.extend(fields);
        table.extend(b"USBSN00417\0\0");
    }
    let members = tree(&[("sys/firmware/dmi/tables/DMI", &table)], &[]);
    let shown = masked(&members);
    let Some(Member::File(shown)) = shown.get("sys/firmware/dmi/tables/DMI") else {
        panic!("{shown:?}");
    };
    assert_eq!(shown.len(), table.len());
    let holds = |needle: &[u8]| shown.windows(needle.len()).any(|window| window == needle);
    for needle in [
        &service[..16],
        &OWN,
        &first[7..],
        b"rack7-bmc12",
        b"USBSN00417",
    ] {
        assert!(!holds(needle), "{needle:?}");
    }
    assert!(holds(&[169, 254, 1, 2]));
    assert!(holds(&[4, 13, 0x6b, 4, 0xb0, 0xff, 1]));
}
