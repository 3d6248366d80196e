use crate::device::memory::{CxlSecurity, EdacDimmNow, EdacKind, Memory, MemoryNow};
use crate::inventory::Class;
use crate::io::root::Root;
use crate::survey::{Problem, Survey};
use crate::tree::{Tree, told};
use crate::units::Bytes;

mod tables;

const EDAC: &str = "sys/devices/system/edac/mc";
const BLOCKS: &str = "sys/devices/system/memory";

fn read(tree: &Tree) -> (Memory, Vec<Problem>) {
    let inventory = tree.discover(Class::Memory);
    (inventory.memory.unwrap(), inventory.problems)
}

fn deep(tree: &Tree) -> (Memory, Vec<Problem>) {
    let inventory = tree.discover_deep(Class::Memory);
    (inventory.memory.unwrap(), inventory.problems)
}

fn written(below: &str, files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(&[]);
    for (path, text) in files {
        tree.write(&format!("{below}/{path}"), text);
    }
    tree
}

fn refreshed(mut memory: Memory, root: &Root) -> Memory {
    super::refresh(&mut memory, &Survey::new(root, "memory", false, false));
    memory
}

/// A controller with a stick, and the row of old that counts the same errors.
fn skylake() -> Tree {
    written(
        EDAC,
        &[
            ("mc0/mc_name", "Skylake Socket#0 IMC#0\n"),
            ("mc0/size_mb", "32768\n"),
            ("mc0/max_location", "channel 2 slot 1 \n"),
            ("mc0/sdram_scrub_rate", "-1\n"),
            ("mc0/ce_count", "3\n"),
            ("mc0/ue_count", "1\n"),
            ("mc0/ce_noinfo_count", "1\n"),
            ("mc0/ue_noinfo_count", "0\n"),
            ("mc0/seconds_since_reset", "1234\n"),
            ("mc0/dimm2/size", "32768\n"),
            ("mc0/dimm2/dimm_label", "CPU_SrcID#0_MC#0_Chan#1_DIMM#0\n"),
            ("mc0/dimm2/dimm_location", "channel 1 slot 0 \n"),
            ("mc0/dimm2/dimm_mem_type", "Registered-DDR4\n"),
            ("mc0/dimm2/dimm_dev_type", "x4\n"),
            ("mc0/dimm2/dimm_edac_mode", "SECDED\n"),
            ("mc0/dimm2/dimm_ce_count", "2\n"),
            ("mc0/dimm2/dimm_ue_count", "1\n"),
            ("mc0/csrow0/ce_count", "2\n"),
            ("mc0/csrow0/ch1_ce_count", "2\n"),
        ],
    )
}

#[test]
fn a_controller_and_its_sticks_are_read_with_their_counters() {
    let (memory, problems) = read(&skylake());
    assert_eq!(told(&problems), []);
    let [controller] = memory.edac_controllers.as_slice() else {
        panic!("{memory:?}");
    };
    assert_eq!(controller.id, "mc0");
    assert_eq!(controller.name.as_deref(), Some("Skylake Socket#0 IMC#0"));
    assert_eq!(controller.size_bytes, Some(Bytes(32 << 30)));
    assert_eq!(controller.location_max.as_deref(), Some("channel 2 slot 1"));
    let now = controller.now;
    assert_eq!((now.corrected, now.uncorrected), (Some(3), Some(1)));
    assert_eq!(
        (now.corrected_unplaced, now.uncorrected_unplaced),
        (Some(1), Some(0))
    );
    assert_eq!(now.counting_seconds, Some(1234));
    let [dimm] = memory.edac_dimms.as_slice() else {
        panic!("the row of old counts the same stick once more: {memory:?}");
    };
    assert_eq!((dimm.id.as_str(), dimm.kind), ("mc0/dimm2", EdacKind::Dimm));
    assert_eq!(dimm.controller, "mc0");
    assert_eq!(
        dimm.label.as_deref(),
        Some("CPU_SrcID#0_MC#0_Chan#1_DIMM#0")
    );
    assert_eq!(dimm.location.as_deref(), Some("channel 1 slot 0"));
    assert_eq!(dimm.size_bytes, Some(Bytes(32 << 30)));
    assert_eq!(dimm.memory_type.as_deref(), Some("Registered-DDR4"));
    assert_eq!(dimm.device_type.as_deref(), Some("x4"));
    assert_eq!(dimm.edac_mode.as_deref(), Some("SECDED"));
    assert_eq!(
        (dimm.now.corrected, dimm.now.uncorrected),
        (Some(2), Some(1))
    );
}

#[test]
fn ranks_stand_where_the_driver_cannot_tell_sticks() {
    let tree = written(
        EDAC,
        &[
            ("mc1/rank0/size", "8192\n"),
            ("mc1/rank0/dimm_location", "csrow 0 channel 0 \n"),
            ("mc1/rank0/dimm_ce_count", "0\n"),
            ("mc1/rank11/dimm_ce_count", "5\n"),
            ("mc1/rank2/dimm_ce_count", "4\n"),
        ],
    );
    let (memory, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let found = memory.edac_dimms.iter();
    let found: Vec<_> = found
        .map(|dimm| (dimm.id.as_str(), dimm.kind, dimm.now.corrected))
        .collect();
    assert_eq!(
        found,
        [
            ("mc1/rank0", EdacKind::Rank, Some(0)),
            ("mc1/rank2", EdacKind::Rank, Some(4)),
            ("mc1/rank11", EdacKind::Rank, Some(5)),
        ]
    );
}

#[test]
fn an_old_kernel_counts_rows_and_their_channels() {
    let tree = written(
        EDAC,
        &[
            ("mc0/csrow0/size_mb", "4096\n"),
            ("mc0/csrow0/mem_type", "Unbuffered-DDR3\n"),
            ("mc0/csrow0/dev_type", "x8\n"),
            ("mc0/csrow0/edac_mode", "SECDED\n"),
            ("mc0/csrow0/ce_count", "7\n"),
            ("mc0/csrow0/ue_count", "1\n"),
            ("mc0/csrow0/ch0_ce_count", "3\n"),
            ("mc0/csrow0/ch0_dimm_label", "DIMM_A1\n"),
            ("mc0/csrow0/ch1_ce_count", "4\n"),
            ("mc0/csrow0/ch1_dimm_label", "\n"),
        ],
    );
    let (memory, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let [row] = memory.edac_dimms.as_slice() else {
        panic!("{memory:?}");
    };
    assert_eq!((row.id.as_str(), row.kind), ("mc0/csrow0", EdacKind::Csrow));
    assert_eq!(row.size_bytes, Some(Bytes(4 << 30)));
    assert_eq!(row.memory_type.as_deref(), Some("Unbuffered-DDR3"));
    let both = EdacDimmNow {
        corrected: Some(7),
        uncorrected: Some(1),
    };
    assert_eq!(row.now, both);
    let channels = row.channels.iter();
    let channels: Vec<_> = channels
        .map(|channel| (channel.id, channel.label.as_deref(), channel.now.corrected))
        .collect();
    assert_eq!(
        channels,
        [(0, Some("DIMM_A1"), Some(3)), (1, None, Some(4))]
    );
    tree.write(&format!("{EDAC}/mc0/csrow0/ch1_ce_count"), "9\n");
    tree.write(&format!("{EDAC}/mc0/csrow0/ce_count"), "12\n");
    let again = refreshed(memory, &tree.root());
    assert_eq!(again.edac_dimms[0].now.corrected, Some(12));
    assert_eq!(again.edac_dimms[0].channels[1].now.corrected, Some(9));
}

#[test]
fn rows_count_where_the_kernel_names_sticks_and_counts_none_of_them() {
    let tree = written(
        EDAC,
        &[
            ("mc0/dimm0/size", "4096\n"),
            ("mc0/csrow0/ce_count", "2\n"),
            ("mc0/csrow0/ch0_ce_count", "2\n"),
        ],
    );
    assert_eq!(read(&tree).0.edac_dimms[0].id, "mc0/csrow0");
    let tree = written(EDAC, &[("mc0/dimm0/size", "4096\n")]);
    assert_eq!(read(&tree).0.edac_dimms[0].id, "mc0/dimm0");
}

#[test]
fn a_refresh_counts_anew_and_asks_for_nothing_that_was_not_there() {
    let tree = skylake();
    let (memory, _) = read(&tree);
    tree.write(&format!("{EDAC}/mc0/dimm2/dimm_ce_count"), "40\n");
    tree.write(&format!("{EDAC}/mc0/ce_count"), "41\n");
    let again = refreshed(memory.clone(), &tree.root());
    assert_eq!(again.edac_dimms[0].now.corrected, Some(40));
    assert_eq!(again.edac_controllers[0].now.corrected, Some(41));
    let mut same = again;
    same.edac_dimms[0].now = memory.edac_dimms[0].now;
    same.edac_controllers[0].now = memory.edac_controllers[0].now;
    assert_eq!(same, memory);
}

#[test]
fn the_scrub_rate_is_asked_for_in_a_deep_look_alone() {
    let tree = skylake();
    assert_eq!(
        deep(&tree).0.edac_controllers[0].scrub_bytes_per_second,
        None
    );
    tree.write(&format!("{EDAC}/mc0/sdram_scrub_rate"), "1525104\n");
    let rate = |memory: Memory| memory.edac_controllers[0].scrub_bytes_per_second;
    assert_eq!(rate(deep(&tree).0), Some(1_525_104));
    assert_eq!(rate(read(&tree).0), None);
}

#[test]
fn poisoned_memory_is_told_with_what_there_is_of_it() {
    let text = "MemTotal:       16384 kB\nMemAvailable:    8192 kB\nHardwareCorrupted:     4 kB\n\
                EarlyMemtestBad:      1 kB\n";
    let (memory, problems) = read(&Tree::new(&[("proc/meminfo", text)]));
    assert_eq!(told(&problems), []);
    assert_eq!(memory.total_bytes, Some(Bytes(16 << 20)));
    let now = MemoryNow {
        available_bytes: Some(Bytes(8 << 20)),
        hardware_corrupted_bytes: Some(Bytes(4096)),
        early_memtest_bad_bytes: Some(Bytes(1024)),
    };
    assert_eq!(memory.now, now);
}

/// Five blocks of 128 MiB over two nodes, one of them offline.
fn blocks() -> Tree {
    let tree = written(
        BLOCKS,
        &[
            ("block_size_bytes", "8000000\n"),
            ("auto_online_blocks", "online_movable\n"),
            ("soft_offline_page", ""),
        ],
    );
    for block in 0..5 {
        let state = if block == 3 { "offline\n" } else { "online\n" };
        let zones = [
            "DMA\n",
            "Normal\n",
            "Normal Movable\n",
            "none\n",
            "Movable\n",
        ][block];
        tree.write(&format!("{BLOCKS}/memory{block}/state"), state);
        tree.write(&format!("{BLOCKS}/memory{block}/valid_zones"), zones);
        let removable = if block > 1 { "1\n" } else { "0\n" };
        tree.write(&format!("{BLOCKS}/memory{block}/removable"), removable);
        let node = usize::from(block == 4);
        let link = format!("sys/devices/system/node/node{node}/memory{block}");
        tree.link(&link, &format!("../../memory/memory{block}"));
    }
    tree
}

#[test]
fn blocks_are_told_by_node_and_by_whether_they_are_in_use() {
    let tree = blocks();
    let (memory, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let blocks = memory.blocks.unwrap();
    assert_eq!(blocks.size_bytes, Some(Bytes(128 << 20)));
    assert_eq!(blocks.auto_online.as_deref(), Some("online_movable"));
    assert_eq!(blocks.count, 5);
    assert_eq!(blocks.offline.unwrap().to_string(), "3");
    assert_eq!((blocks.removable, blocks.zones.len()), (None, 0));
    let nodes = blocks.nodes.iter();
    let nodes: Vec<_> = nodes
        .map(|node| (node.id, node.blocks.to_string()))
        .collect();
    assert_eq!(nodes, [(0, "0-3".to_owned()), (1, "4".to_owned())]);
    let blocks = deep(&tree).0.blocks.unwrap();
    assert_eq!(blocks.removable.unwrap().to_string(), "2-4");
    let zones = blocks.zones.iter();
    let zones: Vec<_> = zones
        .map(|(zone, set)| (zone.as_str(), set.to_string()))
        .collect();
    let expected = [("DMA", "0"), ("Movable", "4"), ("Normal", "1-2")];
    assert_eq!(zones, expected.map(|(zone, set)| (zone, set.to_owned())));
}

#[test]
fn many_blocks_are_counted_and_only_a_deep_look_opens_each() {
    let tree = Tree::new(&[]);
    for block in 0..65 {
        tree.write(&format!("{BLOCKS}/memory{block}/state"), "offline\n");
    }
    let (memory, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    assert_eq!(memory.blocks.as_ref().unwrap().count, 65);
    assert_eq!(memory.blocks.unwrap().offline, None);
    let offline = deep(&tree).0.blocks.unwrap().offline.unwrap();
    assert_eq!(offline.to_string(), "0-64");
}

#[test]
fn a_cxl_device_knows_its_pci_function_and_its_sizes() {
    let place = "sys/devices/pci0000:34/0000:34:00.0/0000:35:00.0/mem0";
    let tree = written(
        place,
        &[
            ("ram/size", "0x10000000\n"),
            ("pmem/size", "0x0\n"),
            ("firmware_version", "BWFW VERSION 00\n"),
            ("serial", "0xabcd1234\n"),
            ("numa_node", "1\n"),
            ("trigger_poison_list", ""),
            ("security/state", "locked\n"),
        ],
    );
    tree.directory("sys/bus/cxl/devices");
    tree.link("sys/bus/cxl/devices/mem0", &format!("../../../../{place}"));
    tree.link("sys/bus/cxl/devices/port1", "nowhere");
    let (memory, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let [mem0] = memory.cxl.as_slice() else {
        panic!("{memory:?}");
    };
    assert_eq!(mem0.function.as_deref(), Some("0000:35:00.0"));
    assert_eq!((mem0.node, mem0.poison_list), (Some(1), true));
    assert_eq!(mem0.volatile_bytes, Some(Bytes(256 << 20)));
    assert_eq!(mem0.persistent_bytes, Some(Bytes(0)));
    assert_eq!(mem0.firmware_version.as_deref(), Some("BWFW VERSION 00"));
    assert_eq!(mem0.serial.as_deref(), Some("0xabcd1234"));
    assert_eq!(mem0.now.security, None);
    let (memory, _) = deep(&tree);
    assert_eq!(memory.cxl[0].now.security, Some(CxlSecurity::Locked));
    tree.write(&format!("{place}/security/state"), "melting\n");
    let again = refreshed(memory, &tree.root());
    let melting = Some(CxlSecurity::Other("melting".to_owned()));
    assert_eq!(again.cxl[0].now.security, melting);
}

#[test]
fn a_tree_without_any_of_it_is_no_problem() {
    let (memory, problems) = deep(&Tree::new(&[]));
    assert_eq!((memory, problems), (Memory::default(), Vec::new()));
}

#[test]
fn spoilt_files_are_told_one_by_one_and_hide_nothing_else() {
    for (text, told_as) in [("\0\0", None), ("", None), ("rubbish\n", Some("malformed"))] {
        let tree = skylake();
        tree.write(&format!("{EDAC}/mc0/dimm2/dimm_label"), text);
        tree.write(&format!("{EDAC}/mc0/dimm2/dimm_ce_count"), text);
        let (memory, problems) = read(&tree);
        assert_eq!(memory.edac_dimms[0].now.corrected, None, "{text:?}");
        assert_eq!(memory.edac_dimms[0].now.uncorrected, Some(1));
        let path = "/sys/devices/system/edac/mc/mc0/dimm2/dimm_ce_count";
        let expected = [(path, told_as.unwrap_or("malformed"))];
        assert_eq!(told(&problems), expected, "{text:?}");
    }
    let tree = skylake();
    let huge = "99999999999999999999999\n";
    for name in ["size_mb", "ce_count", "seconds_since_reset"] {
        tree.write(&format!("{EDAC}/mc0/{name}"), huge);
    }
    tree.write(&format!("{EDAC}/mc0/dimm2/size"), "18446744073709551615\n");
    let (memory, problems) = read(&tree);
    assert_eq!(memory.edac_controllers[0].size_bytes, None);
    assert_eq!(memory.edac_dimms[0].size_bytes, None);
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn what_a_driver_refuses_is_told_as_what_it_is() {
    let tree = skylake();
    let path = |name: &str| format!("{EDAC}/mc0/dimm2/{name}");
    let (label, count) = (path("dimm_label"), path("dimm_ce_count"));
    tree.fail(&[
        (&label, libc::EIO),
        (&count, libc::EACCES),
        ("proc/meminfo", libc::EOPNOTSUPP),
        ("sys/firmware/dmi/tables/smbios_entry_point", libc::EACCES),
    ]);
    let (memory, problems) = read(&tree);
    assert_eq!(memory.edac_dimms[0].now.uncorrected, Some(1));
    let (label, count) = (format!("/{label}"), format!("/{count}"));
    assert_eq!(
        told(&problems),
        [
            ("/proc/meminfo", "unsupported"),
            (count.as_str(), "denied"),
            (label.as_str(), "unreadable"),
            ("/sys/firmware/dmi/tables/smbios_entry_point", "denied"),
        ]
    );
}
