//! What other tools read of a machine, so that they give the same answers on a capture as on the machine.
//!
//! Discovery may read one file of many that say the same; lstopo and lscpu read them all. None of this is asked
//! for by us, so nothing here can fail a capture.

use std::collections::{BTreeSet, HashMap};

use super::members::Members;
use crate::io::root::Root;
use crate::io::sys::EntryKind;
use crate::io::tree::join;

/// Directories, with `*` for any text in a name, and in each of them the files, links and directories.
const COMPANIONS: &[(&str, &[&str])] = &[
    // CPUs, of all of them and of each.
    (
        "sys/devices/system/cpu",
        &[
            "cpu*",
            "dispatching",
            "isolated",
            "kernel_max",
            "nohz_full",
            "offline",
            "online",
            "possible",
            "present",
        ],
    ),
    ("sys/devices/system/cpu/cpufreq", &["boost"]),
    ("sys/devices/system/cpu/smt", &["active", "control"]),
    ("sys/devices/system/cpu/vulnerabilities", &["*"]),
    (
        "sys/devices/system/cpu/cpu*",
        &[
            "address",
            "configure",
            "cpu_capacity",
            "l1_*",
            "l2_*",
            "online",
            "polarization",
        ],
    ),
    ("sys/devices/system/cpu/cpu*/topology", &["*"]),
    ("sys/devices/system/cpu/cpu*/cache/index*", &["*"]),
    (
        "sys/devices/system/cpu/cpu*/cpufreq",
        &[
            "base_frequency",
            "cpuinfo_max_freq",
            "cpuinfo_min_freq",
            "scaling_cur_freq",
        ],
    ),
    ("sys/devices/cpu_*", &["cpus"]),
    (
        "proc/device-tree",
        &["compatible", "hmc-managed?", "ibm,partition-name", "model"],
    ),
    ("proc/device-tree/chosen", &["qemu,*"]),
    ("proc/device-tree/cpus/*", &["*"]),
    // Memory.
    (
        "sys/devices/system/node",
        &["has_*", "node*", "online", "possible"],
    ),
    (
        "sys/devices/system/node/node*",
        &["cpulist", "cpumap", "distance", "meminfo"],
    ),
    ("sys/devices/system/node/node*/access*/initiators", &["*"]),
    ("sys/devices/system/node/node*/hugepages/*", &["*"]),
    (
        "sys/devices/system/node/node*/memory_side_cache/index*",
        &["*"],
    ),
    ("sys/kernel/mm/hugepages/*", &["*"]),
    (
        "sys/bus/dax/devices/*",
        &["resource", "size", "target_node"],
    ),
    ("sys/bus/dax/drivers/kmem", &["*"]),
    ("sys/bus/cxl/devices/*", &["serial"]),
    ("sys/bus/cxl/devices/*/pmem", &["size"]),
    ("sys/bus/cxl/devices/*/ram", &["size"]),
    ("proc/driver/nvidia/gpus/*", &["information", "numa_status"]),
    // The machine, its kernel, and what it runs on.
    (
        "proc",
        &[
            "cpuinfo",
            "hwloc-nofile-info",
            "iSeries",
            "meminfo",
            "mounts",
            "sysinfo",
            "vz",
            "xen",
        ],
    ),
    ("proc/bus/pci", &["devices"]),
    ("proc/self", &["cgroup", "cpuset", "mounts"]),
    ("proc/sys/kernel", &["osrelease"]),
    (
        "sys/class/dmi/id",
        &["bios_*", "board_*", "chassis_*", "product_*", "sys_vendor"],
    ),
    (
        "sys/devices/virtual/dmi/id",
        &["bios_*", "board_*", "chassis_*", "product_*", "sys_vendor"],
    ),
    ("sys/firmware/dmi/entries/17-*", &["raw"]),
    ("sys/firmware/dmi/tables", &["DMI", "smbios_entry_point"]),
    // Devices.
    (
        "sys/bus/pci/devices/*",
        &[
            "class",
            "config",
            "current_link_speed",
            "current_link_width",
            "device",
            "local_cpulist",
            "local_cpus",
            "numa_node",
            "revision",
            "subsystem_device",
            "subsystem_vendor",
            "vendor",
        ],
    ),
    ("sys/bus/pci/slots/*", &["address"]),
    ("sys/class/block/*", &["dev", "device", "partition", "size"]),
    (
        "sys/class/block/*/device",
        &["devtype", "model", "rev", "vendor"],
    ),
    ("sys/class/block/*/queue", &["hw_sector_size"]),
    ("run/udev/data", &["b*"]),
    (
        "sys/class/net/*",
        &["address", "dev_id", "dev_port", "device"],
    ),
    ("sys/class/net/*/device/infiniband", &["*"]),
    (
        "sys/class/infiniband/*",
        &["device", "node_guid", "sys_image_guid"],
    ),
    (
        "sys/class/infiniband/*/ports/*",
        &["lid", "lid_mask_count", "state"],
    ),
    ("sys/class/infiniband/*/ports/*/gids", &["*"]),
    ("sys/class/drm/*", &["dev", "device"]),
    ("sys/class/dma/*", &["device"]),
    ("sys/class/bxi/*", &["device", "uuid"]),
    ("sys/class/ve/*", &["*"]),
];

/// The sets of CPUs and nodes that a control group may use: of version 1, of version 2, and of a cpuset mount.
const CGROUP: &[&str] = &[
    "cgroup.controllers",
    "cpus",
    "cpuset.cpus",
    "cpuset.cpus.effective",
    "cpuset.mems",
    "cpuset.mems.effective",
    "mems",
];

/// How much is saved for others at most; a hostile tree could otherwise lead round in circles for ever.
const FILES_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 1 << 30;

/// The header and the first capabilities: all that a tool wants to know who has no reason to wake a device.
const CONFIG_BYTES: usize = 256;

/// Adds the companions that `root` has.
pub(super) fn add(members: &mut Members, root: &Root) {
    let mut search = Search {
        members,
        root,
        listings: HashMap::new(),
        files: 0,
        bytes: 0,
    };
    for (pattern, names) in COMPANIONS {
        for directory in search.directories(pattern) {
            search.add(&directory, names);
        }
    }
    for directory in cgroups(root) {
        search.add(&directory, CGROUP);
    }
}

struct Search<'a> {
    members: &'a mut Members,
    root: &'a Root,
    listings: HashMap<String, Vec<(String, EntryKind)>>,
    files: usize,
    bytes: usize,
}

impl Search<'_> {
    /// The directories that there may be for a pattern. Those that were found by name are saved, with links to
    /// them, even if nothing in them is.
    fn directories(&mut self, pattern: &str) -> Vec<String> {
        let mut found = vec![String::new()];
        for part in pattern.split('/') {
            let mut below = Vec::new();
            for directory in found {
                if !part.contains('*') {
                    below.push(join(&directory, part));
                    continue;
                }
                for (name, kind) in self.matching(&directory, &[part]) {
                    if below.len() < FILES_MAX && kind != EntryKind::Other {
                        let path = join(&directory, &name);
                        self.entry(&path, kind);
                        below.push(path);
                    }
                }
            }
            found = below;
        }
        found
    }

    fn matching(&mut self, directory: &str, patterns: &[&str]) -> Vec<(String, EntryKind)> {
        let wanted = |(name, _): &&(String, EntryKind)| {
            patterns.iter().any(|pattern| matches(pattern, name))
        };
        let entries = self.entries(directory).iter();
        entries.filter(wanted).cloned().collect()
    }

    fn entries(&mut self, directory: &str) -> &[(String, EntryKind)] {
        let listing = self.listings.entry(directory.to_owned());
        listing.or_insert_with(|| self.root.entries(directory).unwrap_or_default())
    }

    fn add(&mut self, directory: &str, names: &[&str]) {
        if self.root.is_directory(directory) {
            self.members.add_directory(self.root, directory);
        }
        for (name, kind) in self.matching(directory, names) {
            self.entry(&join(directory, &name), kind);
            if kind != EntryKind::Directory {
                self.file(directory, &name, kind);
            }
        }
    }

    /// Adds a directory or a link itself.
    fn entry(&mut self, path: &str, kind: EntryKind) {
        match kind {
            EntryKind::Directory => self.members.add_directory(self.root, path),
            EntryKind::Link => {
                if let Ok(Some(target)) = self.root.link(path) {
                    self.members.add_link(self.root, path, target);
                }
            }
            EntryKind::Other => {}
        }
    }

    fn file(&mut self, directory: &str, name: &str, kind: EntryKind) {
        if self.files >= FILES_MAX || self.bytes >= BYTES_MAX {
            return;
        }
        let path = join(directory, name);
        let bytes = if name == "config" {
            let state = self.root.text(&join(directory, "power_state"));
            if matches!(state, Ok(Some(state)) if state.trim() == "D3cold") {
                return;
            }
            self.root.slow_bytes(&path, CONFIG_BYTES)
        } else {
            self.root.bytes(&path)
        };
        if let Ok(Some(bytes)) = bytes {
            self.files += 1;
            self.bytes += bytes.len();
            match kind {
                EntryKind::Link => self.members.add_file(self.root, &path, bytes),
                _ => self.members.add_file_in(self.root, directory, name, bytes),
            }
        }
    }
}

/// Whether `name` is what a pattern with at most one `*` stands for.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

/// The directories of the control group that we are in, in every hierarchy that may limit CPUs and nodes, and the
/// tops of those (cgroups(7), cpuset(7)).
fn cgroups(root: &Root) -> BTreeSet<String> {
    let text = |path| root.text(path).ok().flatten().unwrap_or_default();
    let (own, cpuset) = (text("proc/self/cgroup"), text("proc/self/cpuset"));
    let groups: Vec<&str> = own
        .lines()
        .filter_map(|line| line.splitn(3, ':').nth(2))
        .chain([cpuset.trim(), ""])
        .map(|group| group.trim_matches('/'))
        .collect();
    let mut directories = BTreeSet::new();
    for mount in text("proc/mounts").lines() {
        let mut fields = mount.split(' ').skip(1);
        let (Some(place), Some(kind), Some(options)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let limits = match kind {
            "cgroup" => options.split(',').any(|option| option == "cpuset"),
            _ => matches!(kind, "cgroup2" | "cpuset"),
        };
        if limits {
            let place = place.trim_matches('/');
            directories.extend(groups.iter().map(|group| join(place, group)));
        }
    }
    directories
}
