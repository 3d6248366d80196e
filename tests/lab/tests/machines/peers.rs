//! The same guest in the words of lscpu, numactl, dmidecode, lstopo and the kernel's own files.

use std::collections::{BTreeMap, BTreeSet};

use gnomon_lab::Vm;
use gnomon_lab::machine::find;
use serde_json::Value;

mod topology;

/// What peers in the guest tell otherwise than the inventory, a line each.
pub(crate) fn differences(vm: &mut Vm, inventory: &Value) -> Vec<String> {
    let mut said = Said::default();
    lscpu(
        &run(vm, &["lscpu", "-p=CPU,CORE,SOCKET,NODE,ONLINE"]),
        inventory,
        &mut said,
    );
    numactl(&run(vm, &["numactl", "--hardware"]), inventory, &mut said);
    dmidecode(vm, inventory, &mut said);
    iommu_groups(vm, inventory, &mut said);
    let xml = run(vm, &["lstopo-no-graphics", "--whole-system", "--of", "xml"]);
    topology::lstopo(&xml, inventory, &mut said);
    said.0
}

/// What was found to differ.
#[derive(Default)]
pub(crate) struct Said(Vec<String>);

impl Said {
    /// Wants what `peer` tells at `path` of the inventory.
    fn same(&mut self, inventory: &Value, path: &str, peer: &str, told: &str) {
        let ours = find(inventory, path).map(text).unwrap_or_default();
        if ours != told {
            self.0.push(format!(
                "{path}: {peer} tells {told:?}, the inventory {ours:?}"
            ));
        }
    }
}

pub(crate) fn run(vm: &mut Vm, argv: &[&str]) -> String {
    let output = vm.run_with(argv, &[("LC_ALL", "C")], "").expect("a peer");
    assert_eq!(output.status, 0, "{argv:?}: {output:?}");
    output.stdout
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// `CPU,CORE,SOCKET,NODE,ONLINE`; its cores are numbered one after the other, ours by their lowest CPU.
fn lscpu(table: &str, inventory: &Value, said: &mut Said) {
    let mut lowest: BTreeMap<&str, &str> = BTreeMap::new();
    let mut count = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split(',');
        let mut column = || columns.next().unwrap_or_default();
        let (cpu, core, socket, node, online) = (column(), column(), column(), column(), column());
        let core = lowest.entry(core).or_insert(cpu);
        count += 1;
        let at = format!("cpu.cpus[{cpu}]");
        said.same(inventory, &format!("{at}.core"), "lscpu", core);
        said.same(inventory, &format!("{at}.package"), "lscpu", socket);
        said.same(inventory, &format!("{at}.node"), "lscpu", node);
        let online = if online == "Y" { "true" } else { "false" };
        said.same(inventory, &format!("{at}.online"), "lscpu", online);
    }
    let ours = find(inventory, "cpu.cpus")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if ours != count {
        said.0.push(format!(
            "cpu.cpus: lscpu tells {count} CPUs, the inventory {ours}"
        ));
    }
}

/// ```text
/// available: 2 nodes (0-1)
/// node 0 cpus: 0 1
/// node 0 size: 968 MB
/// node distances:
/// node   0   1
///   0:  10  21
/// ```
fn numactl(told: &str, inventory: &Value, said: &mut Said) {
    let mut columns: Vec<&str> = Vec::new();
    for line in told.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["node", node, "cpus:", cpus @ ..] => {
                let list = find(inventory, &format!("numa.nodes[{node}].cpus")).map(text);
                let ours = numbers(&list.unwrap_or_default());
                let theirs: BTreeSet<u32> =
                    cpus.iter().filter_map(|cpu| cpu.parse().ok()).collect();
                if ours != theirs {
                    said.0.push(format!(
                        "numa.nodes[{node}].cpus: numactl tells {theirs:?}, the inventory {ours:?}"
                    ));
                }
            }
            ["node", node, "size:", size, "MB"] => {
                let bytes = find(inventory, &format!("numa.nodes[{node}].memory_total_bytes"));
                let ours = bytes.and_then(Value::as_u64).unwrap_or_default() >> 20;
                if ours.to_string() != *size {
                    said.0.push(format!(
                        "numa.nodes[{node}]: numactl tells {size} MiB, the inventory {ours}"
                    ));
                }
            }
            ["node", numbers @ ..] if numbers.iter().all(|word| word.parse::<u32>().is_ok()) => {
                columns = numbers.to_vec();
            }
            [row, distances @ ..] if row.ends_with(':') && distances.len() == columns.len() => {
                let row = row.trim_end_matches(':');
                for (column, distance) in columns.iter().zip(distances) {
                    let path = format!("numa.nodes[{row}].distances.{column}");
                    said.same(inventory, &path, "numactl", distance);
                }
            }
            _ => {}
        }
    }
}

/// The numbers of a list such as `0-3,8`.
pub(crate) fn numbers(list: &str) -> BTreeSet<u32> {
    let ranges = list.split(',').filter(|part| !part.is_empty());
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        first.parse().unwrap_or(u32::MAX)..=last.parse().unwrap_or(0)
    };
    ranges.flat_map(range).collect()
}

fn dmidecode(vm: &mut Vm, inventory: &Value, said: &mut Said) {
    for (keyword, path) in [
        ("bios-vendor", "system.firmware.vendor"),
        ("bios-version", "system.firmware.version"),
        ("bios-release-date", "system.firmware.date"),
        ("system-manufacturer", "system.product.vendor"),
        ("system-product-name", "system.product.name"),
        ("system-version", "system.product.version"),
        ("system-serial-number", "system.product.serial"),
        ("system-uuid", "system.product.uuid"),
        ("system-family", "system.product.family"),
        ("baseboard-manufacturer", "system.board.vendor"),
        ("baseboard-product-name", "system.board.name"),
        ("baseboard-serial-number", "system.board.serial"),
        ("chassis-manufacturer", "system.chassis.vendor"),
        ("chassis-asset-tag", "system.chassis.asset_tag"),
        ("chassis-type", "system.chassis.chassis_type"),
    ] {
        let told = run(vm, &["dmidecode", "--string", keyword]);
        let told = told.trim();
        // dmidecode says "Not Specified" where nothing stands, and where there is no such table nothing.
        let told = if ["Not Specified", "Not Settable", "Not Present"].contains(&told) {
            ""
        } else {
            told
        };
        said.same(inventory, path, "dmidecode", told);
    }
    let sticks = run(vm, &["dmidecode", "--type", "17"]);
    for stick in sticks
        .split("\n\n")
        .filter(|part| part.contains("Memory Device\n"))
    {
        memory_device(stick, inventory, said);
    }
}

fn memory_device(stick: &str, inventory: &Value, said: &mut Said) {
    let lines = stick
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    let lines: BTreeMap<&str, &str> = lines.collect();
    let Some(locator) = lines.get("Locator") else {
        return said.0.push(format!(
            "dmidecode tells a device without a locator: {stick}"
        ));
    };
    let at = format!("memory.devices[{locator}]");
    let empty = lines.get("Size") == Some(&"No Module Installed");
    let size = find(inventory, &format!("{at}.size_bytes")).and_then(Value::as_u64);
    let ours = size.map_or("No Module Installed".to_owned(), |bytes| {
        match bytes % (1 << 30) {
            0 => format!("{} GB", bytes >> 30),
            _ => format!("{} MB", bytes >> 20),
        }
    });
    if lines.get("Size") != Some(&ours.as_str()) {
        said.0.push(format!(
            "{at}.size_bytes: dmidecode tells {:?}, the inventory {ours}",
            lines.get("Size")
        ));
    }
    for (name, field, unit) in [
        ("Bank Locator", "bank_locator", ""),
        ("Manufacturer", "manufacturer", ""),
        ("Part Number", "part_number", ""),
        ("Serial Number", "serial", ""),
        ("Speed", "speed_mtps", " MT/s"),
        ("Configured Memory Speed", "configured_speed_mtps", " MT/s"),
        ("Rank", "ranks", ""),
        ("Type", "memory_type", ""),
        ("Form Factor", "form_factor", ""),
        ("Total Width", "total_width_bits", " bits"),
    ] {
        let told = lines.get(name).copied().unwrap_or_default();
        let told = if ["Not Specified", "Unknown"].contains(&told) {
            ""
        } else {
            told
        };
        let told = told.strip_suffix(unit).unwrap_or(told);
        // Of an empty socket, dmidecode leaves out what a stick would be.
        if !(empty && told.is_empty()) {
            said.same(inventory, &format!("{at}.{field}"), "dmidecode", told);
        }
    }
}

/// `/sys/kernel/iommu_groups/N/devices/ADDRESS`: the other way around than the functions tell it.
fn iommu_groups(vm: &mut Vm, inventory: &Value, said: &mut Said) {
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for group in vm.list("/sys/kernel/iommu_groups").unwrap_or_default() {
        let devices = format!("/sys/kernel/iommu_groups/{group}/devices");
        for device in vm.list(&devices).unwrap_or_default() {
            told.insert(device, group.clone());
        }
    }
    let functions = find(inventory, "pci.functions").and_then(Value::as_array);
    for function in functions.into_iter().flatten() {
        let id = function.get("id").map(text).unwrap_or_default();
        let group = told.get(&id).map(String::as_str).unwrap_or_default();
        said.same(
            inventory,
            &format!("pci.functions[{id}].iommu_group"),
            "the kernel's own table",
            group,
        );
    }
}
