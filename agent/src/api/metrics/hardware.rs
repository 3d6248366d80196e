//! The metrics of the host itself.

use std::fmt::Display;

use libhw::device::cpu::Cpu;
use libhw::device::hugepages::{Hugepages, Pool};
use libhw::device::numa::Numa;
use libhw::device::pci::{Function, Link, Pci};
use libhw::device::system::System;
use libhw::idset::IdSet;
use libhw::inventory::Inventory;

use super::{COUNTER, Exposition, GAUGE, tables};

pub(super) fn write(out: &mut Exposition, inventory: &Inventory) {
    if let Some(system) = &inventory.system {
        host(out, system);
    }
    out.family(
        GAUGE,
        "gnomon_inventory_rows",
        "Rows of the inventory, by class and table.",
    );
    for (class, table, count) in tables(inventory) {
        out.sample(&[("class", &class), ("table", &table)], count);
    }
    if let Some(cpu) = &inventory.cpu {
        cpus(out, cpu);
        policies(out, cpu);
    }
    if let Some(numa) = &inventory.numa {
        nodes(out, numa);
    }
    if let Some(hugepages) = &inventory.hugepages {
        pools(out, hugepages);
    }
    if let Some(pci) = &inventory.pci {
        functions(out, pci);
        links(out, pci);
        aer(out, pci);
    }
}

fn host(out: &mut Exposition, system: &System) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let product = system.product.as_ref();
    out.family(GAUGE, "gnomon_host_info", "What the host is.");
    out.sample(
        &[
            ("hostname", &text(&system.hostname)),
            ("architecture", &text(&system.architecture)),
            ("kernel_release", &text(&system.kernel_release)),
            (
                "vendor",
                &product.map(|unit| text(&unit.vendor)).unwrap_or_default(),
            ),
            (
                "product",
                &product.map(|unit| text(&unit.name)).unwrap_or_default(),
            ),
            (
                "hypervisor",
                &system.hypervisor.as_ref().map_or("", |guest| &guest.vendor),
            ),
        ],
        1,
    );
}

fn cpus(out: &mut Exposition, cpu: &Cpu) {
    type Set = fn(&Cpu) -> &Option<IdSet>;
    const SETS: &[(&str, &str, Set)] = &[
        (
            "gnomon_cpus_possible",
            "CPUs that this boot can ever have.",
            |cpu| &cpu.possible,
        ),
        ("gnomon_cpus_present", "CPUs that are plugged in.", |cpu| {
            &cpu.present
        }),
        (
            "gnomon_cpus_online",
            "CPUs that the scheduler may use.",
            |cpu| &cpu.online,
        ),
        (
            "gnomon_cpus_offline",
            "CPUs that are present and not online.",
            |cpu| &cpu.offline,
        ),
        (
            "gnomon_cpus_isolated",
            "CPUs that are kept from the scheduler.",
            |cpu| &cpu.isolated,
        ),
    ];
    for (name, help, set) in SETS {
        out.family(GAUGE, name, help);
        if let Some(set) = set(cpu) {
            out.sample(&[], set.len());
        }
    }
    out.family(
        GAUGE,
        "gnomon_cpu_vulnerable",
        "1 if the host is open to a CPU vulnerability.",
    );
    for vulnerability in &cpu.vulnerabilities {
        use libhw::device::cpu::VulnerabilityState::Vulnerable;
        out.sample(
            &[("name", &vulnerability.id)],
            u8::from(vulnerability.state == Vulnerable),
        );
    }
}

fn policies(out: &mut Exposition, cpu: &Cpu) {
    out.family(
        GAUGE,
        "gnomon_cpu_frequency_hertz",
        "The frequency of a cpufreq policy now.",
    );
    for policy in &cpu.policies {
        optional(
            out,
            ("policy", &policy.id),
            policy.now.frequency_hz.map(|hertz| hertz.0),
        );
    }
    out.family(
        GAUGE,
        "gnomon_cpu_frequency_max_hertz",
        "The most that a policy's hardware can.",
    );
    for policy in &cpu.policies {
        optional(
            out,
            ("policy", &policy.id),
            policy.hardware_max_hz.map(|hertz| hertz.0),
        );
    }
}

fn nodes(out: &mut Exposition, numa: &Numa) {
    out.family(GAUGE, "gnomon_node_memory_bytes", "The memory of a node.");
    for node in &numa.nodes {
        optional(
            out,
            ("node", &node.id),
            node.memory_total_bytes.map(|bytes| bytes.0),
        );
    }
    out.family(
        GAUGE,
        "gnomon_node_memory_free_bytes",
        "The free memory of a node.",
    );
    for node in &numa.nodes {
        optional(
            out,
            ("node", &node.id),
            node.now.memory_free_bytes.map(|bytes| bytes.0),
        );
    }
    out.family(GAUGE, "gnomon_node_cpus", "The online CPUs of a node.");
    for node in &numa.nodes {
        out.sample(&[("node", &node.id)], node.cpus.len());
    }
}

fn pools(out: &mut Exposition, hugepages: &Hugepages) {
    type Count = fn(&Pool) -> Option<u64>;
    type Row = (&'static str, &'static str, &'static str, Count);
    // A node's pools have a name of their own, so that a sum over one name counts no page twice.
    const ROWS: &[Row] = &[
        (
            "gnomon_hugepages",
            "gnomon_node_hugepages",
            "Huge pages in the pool",
            |pool| pool.total,
        ),
        (
            "gnomon_hugepages_free",
            "gnomon_node_hugepages_free",
            "Huge pages that are not mapped",
            |pool| pool.now.free,
        ),
        (
            "gnomon_hugepages_reserved",
            "gnomon_node_hugepages_reserved",
            "Free huge pages that are promised to a mapping",
            |pool| pool.now.reserved,
        ),
        (
            "gnomon_hugepages_surplus",
            "gnomon_node_hugepages_surplus",
            "Huge pages above the pool's set size",
            |pool| pool.now.surplus,
        ),
    ];
    for (host, node, help, count) in ROWS {
        out.family(GAUGE, host, &format!("{help}, of the host."));
        for pool in hugepages.pools.iter().filter(|pool| pool.node.is_none()) {
            optional(out, ("size_bytes", &pool.size_bytes.0), count(pool));
        }
        out.family(GAUGE, node, &format!("{help}, of a node."));
        for pool in &hugepages.pools {
            if let Some((node, count)) = pool.node.zip(count(pool)) {
                out.sample(
                    &[("node", &node), ("size_bytes", &pool.size_bytes.0)],
                    count,
                );
            }
        }
    }
}

fn functions(out: &mut Exposition, pci: &Pci) {
    out.family(GAUGE, "gnomon_pci_function_info", "What a PCI function is.");
    for function in &pci.functions {
        let node = function
            .node
            .map(|node| node.to_string())
            .unwrap_or_default();
        out.sample(
            &[
                ("address", &function.id),
                ("class_id", &format!("{:06x}", function.class_id)),
                ("vendor_id", &format!("{:04x}", function.vendor_id)),
                ("device_id", &format!("{:04x}", function.device_id)),
                ("driver", &function.driver.as_deref().unwrap_or_default()),
                ("node", &node),
            ],
            1,
        );
    }
}

fn links(out: &mut Exposition, pci: &Pci) {
    type Which = fn(&Function) -> Option<Link>;
    type Row = (&'static str, &'static str, &'static str, Which);
    const ROWS: &[Row] = &[
        (
            "gnomon_pci_link_transfers_per_second",
            "gnomon_pci_link_lanes",
            "of a PCI Express link now.",
            |function| function.now.link,
        ),
        (
            "gnomon_pci_link_max_transfers_per_second",
            "gnomon_pci_link_max_lanes",
            "that a PCI Express link can have.",
            |function| function.link_max,
        ),
    ];
    for (speed, lanes, help, link) in ROWS {
        out.family(GAUGE, speed, &format!("The speed {help}"));
        for function in &pci.functions {
            let speed = link(function).and_then(|link| link.speed_mtps);
            let transfers = speed.map(|millions| u64::from(millions) * 1_000_000);
            optional(out, ("address", &function.id), transfers);
        }
        out.family(GAUGE, lanes, &format!("The width {help}"));
        for function in &pci.functions {
            optional(
                out,
                ("address", &function.id),
                link(function).and_then(|link| link.width),
            );
        }
    }
}

fn aer(out: &mut Exposition, pci: &Pci) {
    let help = "PCI Express errors, by the kernel's name for them; those that never happened are left out.";
    out.family(COUNTER, "gnomon_pci_aer_errors_total", help);
    for function in &pci.functions {
        let Some(aer) = &function.now.aer else {
            continue;
        };
        let severities = [
            ("correctable", &aer.correctable),
            ("nonfatal", &aer.nonfatal),
            ("fatal", &aer.fatal),
        ];
        for (severity, errors) in severities {
            for (error, count) in errors {
                let address = ("address", &function.id as &dyn Display);
                out.sample(&[address, ("severity", &severity), ("error", error)], count);
            }
        }
    }
}

/// A sample if there is a value: what is not known is left out, never 0.
fn optional(out: &mut Exposition, label: (&str, &dyn Display), value: Option<impl Display>) {
    if let Some(value) = value {
        out.sample(&[label], value);
    }
}
