#![expect(clippy::disallowed_methods, reason = "a test makes up its tree")]

use super::*;
use crate::io::capture::emit;

mod device;

const MACHINE_ID: &str = "0123456789abcdef0123456789abcdef";
const UUID: &str = "4c4c4544-0051-3010-8052-b4c04f4a3732";
const MAC: &str = "3c:ec:ef:12:34:56";
const SERIAL: &str = "S4EVNX0N123456";

type Tree = BTreeMap<String, Member>;

fn root() -> (tempfile::TempDir, Root) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("etc")).unwrap();
    std::fs::write(directory.path().join("etc/machine-id"), MACHINE_ID).unwrap();
    let root = Root::captured(directory.path()).unwrap();
    (directory, root)
}

fn tree(files: &[(&str, &[u8])], links: &[(&str, &str)]) -> Tree {
    let files = files
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), Member::File(bytes.to_vec())));
    let links = links
        .iter()
        .map(|(path, target)| ((*path).to_owned(), Member::Link((*target).to_owned())));
    files.chain(links).collect()
}

fn masked_with(members: &Tree, key: Option<&[u8]>) -> (Tree, usize) {
    let (_directory, root) = root();
    let mask = Mask::of(&root, members, key).unwrap();
    let mut masked = BTreeSet::new();
    let shown = mask.members(members.clone(), &mut masked);
    (shown, masked.len())
}

fn masked(members: &Tree) -> Tree {
    masked_with(members, None).0
}

fn file(members: &Tree, path: &str) -> Vec<u8> {
    match &members[path] {
        Member::File(bytes) => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

fn text(members: &Tree, path: &str) -> String {
    String::from_utf8(file(members, path)).unwrap()
}

/// One system, board, chassis, processor, memory device and host interface.
fn smbios() -> Vec<u8> {
    let mut table = Vec::new();
    let mut structure = |kind: u8, fields: &[u8], strings: &[&str]| {
        table.extend([kind, u8::try_from(fields.len()).unwrap() + 4, 1, 0]);
        table.extend(fields);
        for string in strings {
            table.extend(string.bytes());
            table.push(0);
        }
        table.extend(if strings.is_empty() {
            &[0, 0][..]
        } else {
            &[0]
        });
    };
    let uuid = in_order(&unhex(&UUID.replace('-', "")), Notation::Mixed);
    let system = [&[1, 2, 0, 3][..], &uuid, &[6, 0, 0]].concat();
    structure(1, &system, &["Dell Inc.", "PowerEdge R640", "BRD7Q42"]);
    structure(
        2,
        &[1, 2, 0, 3, 4],
        &[
            "Dell Inc.",
            "0W23H8",
            ".BRD7Q42.CN747517A300XY.",
            "TAG-00815",
        ],
    );
    structure(3, &[0, 0, 0, 1, 2], &["BRD7Q42", "Default string"]);
    let mut processor = [0; 0x22 - 4];
    processor[0x20 - 4] = 1;
    structure(4, &processor, &["0x7A31F2D9C4B65E80"]);
    let mut memory = [0; 0x1c - 4];
    memory[0x18 - 4] = 1;
    memory[0x19 - 4] = 2;
    structure(17, &memory, &["33B1F2A7", "1234"]);
    let redfish = [&[0x40, 1, 2, 1, 4, 16][..], &uuid].concat();
    structure(42, &redfish, &[]);
    structure(127, &[], &[]);
    table
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn planted() -> Tree {
    let mut tree = tree(
        &[
            ("proc/sys/kernel/hostname", b"rack7-node12\n"),
            ("sys/class/dmi/id/product_serial", b"BRD7Q42\n"),
            ("sys/class/dmi/id/board_asset_tag", b"TAG-00815\n"),
            ("sys/firmware/dmi/tables/DMI", &smbios()),
            (
                "sys/devices/ib/address",
                b"80:00:00:48:fe:80:00:00:00:00:00:00:00:11:22:03:00:44:55:66\n",
            ),
            (
                "sys/class/infiniband/mlx5_0/node_guid",
                b"0011:2203:0044:5566\n",
            ),
            (
                "sys/class/infiniband/mlx5_0/ports/1/gids/0",
                b"fe80:0000:0000:0000:0011:2203:0044:5566\n",
            ),
            ("sys/devices/sda/wwid", b"naa.5000c500a1b2c3d4\n"),
            ("sys/devices/nic/config", &config()),
            ("sys/devices/nic/vpd", &vpd()),
            (
                "proc/cpuinfo",
                b"model name\t: Intel(R) Xeon(R)\nSerial\t\t: 10000000a1b2c3d4\n",
            ),
        ],
        &[
            (
                &format!("dev/disk/by-id/nvme-Samsung_SSD_{SERIAL}"),
                "../../nvme0n1",
            ),
            ("dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "../../sda"),
            ("dev/disk/by-id/scsi-35000c500a1b2c3d4", "../../sda"),
            (
                "sys/class/net/link",
                &format!("../../devices/net/enx{}", MAC.replace(':', "")),
            ),
        ],
    );
    for (path, text) in planted_texts() {
        tree.insert(path, Member::File(text.into_bytes()));
    }
    tree
}

fn planted_texts() -> Vec<(String, String)> {
    let mac = MAC.replace(':', "");
    let answer = serde_json::json!({
        "mac_address": unhex(&mac),
        "permanent": {"address": MAC.to_uppercase(), "serial": "Q7X"},
        "note": format!("disk {SERIAL} of {UUID}"),
        "speed": [1, 2, 3],
    });
    let errors = serde_json::json!({format!("sys/block/{SERIAL}/size"): 13});
    let boot = format!("BOOTIF=01-{} host=rack7-node12", MAC.replace(':', "-"));
    let texts = [
        ("etc/machine-id", format!("{MACHINE_ID}\n")),
        ("proc/cmdline", format!("root=UUID={UUID} {boot}")),
        (
            "sys/class/dmi/id/product_uuid",
            format!("{}\n", UUID.to_uppercase()),
        ),
        ("sys/devices/eth/address", format!("{MAC}\n")),
        ("sys/devices/nvme0/serial", format!("{SERIAL}      \n")),
        ("gnomon/probes/ethtool.json", answer.to_string()),
        ("gnomon/errors.json", errors.to_string()),
        (&format!("sys/class/net/enx{mac}/ifindex"), "2\n".to_owned()),
    ];
    texts.map(|(path, text)| (path.to_owned(), text)).into()
}

/// Config space with the device serial number as the second of its extended capabilities.
fn config() -> Vec<u8> {
    let mut config = vec![0; 0x200];
    config[0x100..0x104].copy_from_slice(&0x1401_0001_u32.to_le_bytes());
    config[0x140..0x144].copy_from_slice(&0x0001_0003_u32.to_le_bytes());
    let eui = in_order(&unhex("3cecefffff123456"), Notation::Reversed);
    config[0x144..0x14c].copy_from_slice(&eui);
    config
}

fn vpd() -> Vec<u8> {
    let name = [&[0x82, 3, 0][..], b"NIC"].concat();
    let fields = [
        &[0x90, 16, 0][..],
        b"SN\x07VPD8801",
        b"RV\x03\0\0\0",
        &[0x78],
    ]
    .concat();
    [name, fields].concat()
}

/// Every planted identity in every notation in which it could be searched for.
fn needles() -> Vec<Vec<u8>> {
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for text in [
        MACHINE_ID,
        UUID,
        MAC,
        SERIAL,
        "BRD7Q42",
        "TAG-00815",
        "33B1F2A7",
        "7A31F2D9C4B65E80",
        "10000000a1b2c3d4",
        "rack7-node12",
        "5000c500a1b2c3d4",
        "CN747517A300XY",
        "VPD8801",
        "Q7X",
        "11:22:03:00:44:55:66",
        "0011:2203:0044:5566",
    ] {
        let plain = text.replace([':', '-'], "");
        for text in [text, &text.replace(':', "-"), &plain] {
            needles.push(text.to_lowercase().into_bytes());
        }
    }
    for digits in [
        MAC.replace(':', ""),
        UUID.replace('-', ""),
        "3cecefffff123456".into(),
    ] {
        let bytes = unhex(&digits);
        needles.push(in_order(&bytes, Notation::Reversed));
        if bytes.len() == 16 {
            needles.push(in_order(&bytes, Notation::Mixed));
        }
        needles.push(bytes);
    }
    needles.push(b"60,236,239,18,52,86".to_vec());
    needles
}

fn archive(members: &Tree) -> Vec<u8> {
    let mut tar = Vec::new();
    emit::tar(members, "machine", &mut tar).unwrap();
    tar
}

#[test]
fn nothing_planted_is_found_in_the_archive() {
    let plain = archive(&planted()).to_ascii_lowercase();
    let shown = archive(&masked(&planted())).to_ascii_lowercase();
    let holds = |archive: &[u8], needle: &[u8]| {
        let needle = needle.to_ascii_lowercase();
        memchr::memmem::find(archive, &needle).is_some()
    };
    let in_plain = needles()
        .iter()
        .filter(|needle| holds(&plain, needle))
        .count();
    assert!(in_plain > 25, "{in_plain}");
    for needle in needles() {
        let said = String::from_utf8_lossy(&needle).into_owned();
        assert!(!holds(&shown, &needle), "{said} {needle:02x?}");
    }
}

#[test]
fn one_identity_has_one_pseudonym_everywhere_and_always() {
    let shown = masked(&planted());
    assert_eq!(archive(&shown), archive(&masked(&planted())));
    let mac = text(&shown, "sys/devices/eth/address");
    let mac = mac.trim();
    assert!(mac.starts_with("02:") && mac.len() == 17, "{mac}");
    let plain = mac.replace(':', "");
    assert!(shown.contains_key(&format!("sys/class/net/enx{plain}/ifindex")));
    assert_eq!(
        shown["sys/class/net/link"],
        Member::Link(format!("../../devices/net/enx{plain}"))
    );
    let cmdline = text(&shown, "proc/cmdline");
    assert!(
        cmdline.contains(&format!("BOOTIF=01-{}", mac.replace(':', "-"))),
        "{cmdline}"
    );
    let hostname = text(&shown, "proc/sys/kernel/hostname");
    assert!(
        cmdline.ends_with(&format!("host={}", hostname.trim())),
        "{cmdline}"
    );
    let uuid = text(&shown, "sys/class/dmi/id/product_uuid");
    let uuid = uuid.trim();
    assert!(
        cmdline.contains(&format!("root=UUID={}", uuid.to_lowercase())),
        "{cmdline}"
    );
    assert_eq!(
        (uuid.as_bytes()[14], &uuid[8..9], uuid),
        (b'3', "-", &*uuid.to_uppercase())
    );
    let dmi = file(&shown, "sys/firmware/dmi/tables/DMI");
    let raw = in_order(&unhex(&uuid.replace('-', "")), Notation::Mixed);
    assert_eq!(memchr::memmem::find_iter(&dmi, &raw).count(), 2);
    let serial = text(&shown, "sys/class/dmi/id/product_serial");
    assert_eq!(memchr::memmem::find_iter(&dmi, serial.trim()).count(), 2);
    assert_eq!(dmi.len(), smbios().len());
    let config = file(&shown, "sys/devices/nic/config");
    let eui = in_order(&config[0x144..0x14c], Notation::Reversed);
    let made = format!("{}ffff{}", &plain[..6], &plain[6..]);
    assert_eq!(eui, unhex(&made));
    let answer: serde_json::Value =
        serde_json::from_slice(&file(&shown, "gnomon/probes/ethtool.json")).unwrap();
    assert_eq!(answer["mac_address"], serde_json::json!(unhex(&plain)));
    assert_eq!(answer["permanent"]["address"], mac.to_uppercase());
    assert_eq!(answer["speed"], serde_json::json!([1, 2, 3]));
    let disk = text(&shown, "sys/devices/nvme0/serial");
    assert_eq!(disk.len(), SERIAL.len() + 7);
    assert!(shown.contains_key(&format!("dev/disk/by-id/nvme-Samsung_SSD_{}", disk.trim())));
    assert!(
        text(&shown, "gnomon/errors.json").contains(&format!("sys/block/{}/size", disk.trim()))
    );
    let guid = text(&shown, "sys/class/infiniband/mlx5_0/node_guid");
    let gid = text(&shown, "sys/class/infiniband/mlx5_0/ports/1/gids/0");
    assert_eq!(gid, format!("fe80:0000:0000:0000:{guid}"));
    let wwn = text(&shown, "sys/devices/sda/wwid");
    let wwn = wwn.trim().strip_prefix("naa.5").unwrap();
    assert!(shown.contains_key(&format!("dev/disk/by-id/wwn-0x5{wwn}")));
    assert!(shown.contains_key(&format!("dev/disk/by-id/scsi-35{wwn}")));
}

#[test]
fn names_that_were_only_listed_are_masked_as_those_of_files_are() {
    let mac = MAC.replace(':', "");
    let mut members = planted();
    let listed = [
        format!("enx{mac}"),
        format!("key-{UUID}"),
        format!("nvme-{SERIAL}"),
        "\naddress of\t3c-ec-ef-12-34-56".to_owned(),
        "wwn-0x5000c500a1b2c3d5".to_owned(),
        "02:00:5e:10:20:30".to_owned(),
        "reset".to_owned(),
    ];
    let directory = format!("sys/class/net/enx{mac}");
    members.insert(directory, Member::Directory(listed.to_vec()));
    let mut shown = masked(&members);
    super::super::members::add_listed(&mut shown);
    let all: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&file(&shown, "gnomon/listed.json")).unwrap();
    let mac = text(&shown, "sys/devices/eth/address");
    let mac = mac.trim().replace(':', "");
    let names = &all[&format!("sys/class/net/enx{mac}")];
    assert_eq!((all.len(), names.len()), (1, listed.len()));
    let disk = text(&shown, "sys/devices/nvme0/serial");
    for name in [
        format!("enx{mac}"),
        format!("nvme-{}", disk.trim()),
        "reset".to_owned(),
    ] {
        assert!(names.contains(&name), "{name} {names:?}");
    }
    let archive = archive(&shown).to_ascii_lowercase();
    let more = ["5000c500a1b2c3d5", "02:00:5e:10:20:30", "3c-ec-ef-12-34-56"];
    for needle in needles().into_iter().chain(more.map(|name| name.into())) {
        let said = String::from_utf8_lossy(&needle).into_owned();
        let needle = needle.to_ascii_lowercase();
        assert!(memchr::memmem::find(&archive, &needle).is_none(), "{said}");
    }
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn a_machine_that_is_called_as_one_of_its_files_is_leaves_that_file_its_name() {
    let mut members = tree(&[("proc/sys/kernel/hostname", b"reset\n")], &[]);
    let listed = Member::Directory(vec!["reset".to_owned(), "reset_method".to_owned()]);
    members.insert("sys/a".to_owned(), listed.clone());
    let shown = masked(&members);
    assert_eq!(shown["sys/a"], listed);
    assert_ne!(
        shown["proc/sys/kernel/hostname"],
        members["proc/sys/kernel/hostname"]
    );
}

#[test]
fn vital_product_data_keeps_a_right_checksum() {
    let vpd = file(&masked(&planted()), "sys/devices/nic/vpd");
    let checksum = memchr::memmem::find(&vpd, b"RV").unwrap() + 3;
    let sum = vpd[..=checksum]
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    assert_eq!(sum, 0);
    assert_eq!(&vpd[..9], b"\x82\x03\0NIC\x90\x10\0");
}

#[test]
fn what_only_looks_like_an_identity_stays() {
    let kept: &[(&str, &[u8])] = &[
        (
            "proc/version",
            b"Linux version 6.12.9-amd64 (Debian 12345678 20250101)\n",
        ),
        (
            "proc/cpuinfo",
            b"model name : AMD EPYC 7451 24-Core\nmicrocode : 0x8001250\n",
        ),
        (
            "proc/iomem",
            b"0000:3b:00.0 10000:00:1f.2 3ffffffff-400000000 0-63,128-191\n",
        ),
        ("sys/a/class", b"0x020000\n"),
        (
            "sys/a/modalias",
            b"pci:v00008086d00001533sv00001028sd000006EFbc02sc00i00\n",
        ),
        ("sys/a/cpumap", b"00000000,ffffffff,00000000,0000ffff\n"),
        (
            "sys/a/broadcast",
            b"ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 33:33:00:00:00:01\n",
        ),
        ("sys/a/time", b"12:34:56 2025-01-02\n"),
        ("sys/class/dmi/id/sys_vendor", b"Supermicro\n"),
        ("sys/class/dmi/id/chassis_serial", b"Default string\n"),
        (
            "sys/class/dmi/id/board_asset_tag",
            b"To be filled by O.E.M.\n",
        ),
        (
            "sys/class/dmi/id/product_uuid",
            b"03000200-0400-0500-0006-000700080009\n",
        ),
        ("sys/b/uuid", b"00000000-0000-0000-0000-000000000000\n"),
        ("sys/b/serial", b"0\n"),
        ("sys/c/serial", b"0123456789\n"),
        ("sys/d/serial", b"None\n"),
    ];
    let shown = masked(&tree(kept, &[]));
    for (path, bytes) in kept {
        assert_eq!(text(&shown, path), String::from_utf8_lossy(bytes), "{path}");
    }
}

#[test]
fn a_short_or_common_text_is_replaced_only_where_it_is_known_to_stand() {
    let members = tree(
        &[
            ("sys/class/dmi/id/product_serial", b"4711\n"),
            ("sys/class/dmi/id/board_serial", b"Supermicro\n"),
            ("sys/class/dmi/id/chassis_serial", b"7654321\n"),
            ("sys/class/dmi/id/sys_vendor", b"Supermicro\n"),
            ("proc/sys/kernel/hostname", b"node1\n"),
            ("proc/version", b"Linux 4711 node1 7654321 47110\n"),
            ("sys/devices/system/node/node1/cpulist", b"4711\n"),
        ],
        &[],
    );
    let shown = masked(&members);
    for path in [
        "sys/class/dmi/id/product_serial",
        "sys/class/dmi/id/board_serial",
        "sys/class/dmi/id/chassis_serial",
        "proc/sys/kernel/hostname",
    ] {
        assert_ne!(shown[path], members[path], "{path}");
    }
    for path in [
        "sys/class/dmi/id/sys_vendor",
        "proc/version",
        "sys/devices/system/node/node1/cpulist",
    ] {
        assert_eq!(shown[path], members[path], "{path}");
    }
    let short = text(&shown, "sys/class/dmi/id/product_serial");
    assert!(short.trim().len() == 4 && short.trim().bytes().all(|digit| digit.is_ascii_digit()));
}

#[test]
fn pseudonyms_depend_on_the_key_and_on_nothing_but_key_and_identity() {
    let alone = tree(&[("sys/devices/eth/address", MAC.as_bytes())], &[]);
    let address = "sys/devices/eth/address";
    let own = text(&masked(&alone), address);
    assert_eq!(own, text(&masked(&planted()), address).trim());
    let (one, count) = masked_with(&alone, Some(b"one"));
    let (other, _) = masked_with(&alone, Some(b"other"));
    assert_eq!(count, 1);
    assert_ne!(text(&one, address), text(&other, address));
    assert_ne!(text(&one, address), own);
    assert_eq!(
        text(&one, address),
        text(&masked_with(&planted(), Some(b"one")).0, address).trim()
    );
}

#[test]
fn damaged_tables_are_read_as_far_as_they_make_sense() {
    let table = smbios();
    for cut in 0..table.len() {
        let spans = smbios::spans(&table[..cut]);
        assert!(spans.iter().all(|span| span.range.end <= cut));
    }
    let mut around = vec![0; 0x200];
    around[0x100..0x104].copy_from_slice(&0x1001_0001_u32.to_le_bytes());
    assert_eq!(pci::serial(&around), None);
    assert_eq!(pci::serial(&around[..0x101]), None);
    for length in [0, 1, 4, 255] {
        assert_eq!(
            pci::vpd_serials(&[0x90, length, length, b'S', b'N', 200]),
            []
        );
        pci::mend_vpd(&mut [0x90, length, length, b'R', b'V', 200]);
    }
    assert_eq!(smbios::spans(&[1, 0, 0, 0, 1, 255, 0]), []);
}

#[test]
fn too_many_identities_are_an_error_and_never_an_unmasked_archive() {
    let addresses: String = (0..70_000)
        .map(|number| {
            format!(
                "02:00:00:{:02x}:{:02x}:{:02x}\n",
                number >> 16,
                number >> 8 & 255,
                number & 255
            )
        })
        .collect();
    let members = tree(&[("sys/many", addresses.as_bytes())], &[]);
    let (_directory, root) = root();
    let error = Mask::of(&root, &members, None).unwrap_err();
    assert!(matches!(
        error,
        crate::error::Error::TooManyIdentities { .. }
    ));
}
