//! `gnomon inventory device`: all that is known about one PCI function, and what it is near to.

use std::collections::HashMap;

use clap::Args;
use libhw::device::pci::{Bar, Function, Pci};
use libhw::idset::IdSet;
use libhw::inventory::{self, Class, Inventory, SCHEMA_VERSION, Scope};
use libhw::join;
use libhw::survey::Problem;
use serde::Serialize;

use crate::command::{Depth, Error, Form, Outcome, Place};
use crate::table::{Cell, Column, Page, Paint, Style, Table};
use crate::view::pci;
use crate::view::words::{counted, joined, yes};

pub(crate) const HELP: &str = "\
Examples:
  gnomon inventory device 0000:3b:00.0
  gnomon inventory device 3b:00.0 --deep  with its capabilities, which are read from the device
  gnomon inventory device 3b:00.0 --json | jq -r .near.cpus
                                          the CPUs to pin its interrupts and threads to";

/// The arguments of `gnomon inventory device`.
#[derive(Args, Clone, Debug)]
pub(super) struct DeviceArguments {
    /// The function's address, with or without its domain: 0000:3b:00.0 or 3b:00.0
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: String,
}

/// A function and what it is near to, for a program.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    kind: &'static str,
    function: &'a Function,
    near: Near,
    /// The bridges on the way to it, from the root bus.
    path: Vec<&'a str>,
    /// What sits behind it, when it is a bridge.
    behind: Vec<&'a str>,
    /// The other functions in its IOMMU group: they can only be given away together.
    group: Vec<&'a str>,
    problems: Vec<&'a Problem>,
}

/// The CPUs near to a function.
#[derive(Serialize)]
struct Near {
    node: Option<u32>,
    cpus: IdSet,
    /// Those of them that the scheduler leaves alone.
    isolated: IdSet,
}

/// Prints the function.
pub(super) fn run(
    arguments: &DeviceArguments,
    form: Form,
    place: &Place,
    depth: Depth,
) -> Result<Outcome, Error> {
    let scope = Scope {
        classes: vec![Class::Cpu, Class::Numa, Class::Pci],
        deep: depth.deep,
        virtual_functions: true,
    };
    let inventory = inventory::discover(&place.open()?, &scope);
    let report = report(&inventory, &arguments.address).ok_or_else(|| Error::NoFunction {
        address: arguments.address.clone(),
    })?;
    form.write(&report, || view(&inventory, &report, Style::of_stdout()))?;
    Ok(Outcome::Done)
}

/// An address as the kernel writes it: `3B:0.1` → `0000:3b:00.1`.
fn address(text: &str) -> Result<String, String> {
    let part = |text: &str, digits: usize, most: u32| {
        let hex = (1..=digits).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(text, 16).ok().filter(|_| hex);
        value.filter(|value| *value <= most)
    };
    let parsed = || {
        let (rest, function) = text.rsplit_once('.')?;
        let (rest, device) = rest.rsplit_once(':')?;
        let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0", rest));
        Some((
            part(domain, 8, u32::MAX)?,
            part(bus, 2, 0xff)?,
            part(device, 2, 0x1f)?,
            part(function, 1, 7)?,
        ))
    };
    let (domain, bus, device, function) =
        parsed().ok_or("expected an address such as 0000:3b:00.0")?;
    Ok(format!("{domain:04x}:{bus:02x}:{device:02x}.{function}"))
}

fn report<'a>(inventory: &'a Inventory, address: &str) -> Option<Report<'a>> {
    let pci = inventory.pci.as_ref()?;
    let function = pci
        .functions
        .iter()
        .find(|function| function.id == address)?;
    let cpus = join::cpus_near_function(inventory, function);
    let isolated = inventory.cpu.as_ref().and_then(|cpu| cpu.isolated.clone());
    let of_it = |problem: &&Problem| problem.path.split('/').any(|part| part == function.id);
    let ids = |chosen: &dyn Fn(&Function) -> bool| {
        let chosen = pci.functions.iter().filter(|other| chosen(other));
        chosen.map(|other| other.id.as_str()).collect::<Vec<_>>()
    };
    Some(Report {
        schema_version: SCHEMA_VERSION,
        kind: "gnomon.pci_function",
        function,
        near: Near {
            node: function.node,
            isolated: isolated.unwrap_or_default().intersection(&cpus),
            cpus,
        },
        path: path(pci, function),
        behind: ids(&|other| other.parent.as_ref() == Some(&function.id)),
        group: ids(&|other| {
            function.iommu_group.is_some()
                && other.iommu_group == function.iommu_group
                && other.id != function.id
        }),
        problems: inventory.problems.iter().filter(of_it).collect(),
    })
}

/// No path has more bridges than there are buses.
const BRIDGES_MAX: usize = 256;

fn path<'a>(pci: &'a Pci, function: &'a Function) -> Vec<&'a str> {
    let parents: HashMap<&str, &str> = pci
        .functions
        .iter()
        .filter_map(|function| Some((function.id.as_str(), function.parent.as_deref()?)))
        .collect();
    let next = |id: &&str| parents.get(*id).copied();
    let up = std::iter::successors(function.parent.as_deref(), next).take(BRIDGES_MAX);
    let mut path: Vec<&str> = up.collect();
    path.reverse();
    path
}

fn view(inventory: &Inventory, report: &Report<'_>, style: Style) -> String {
    let function = report.function;
    let mut page = Page::new();
    page.title(&function.id);
    let mut facts = Table::facts();
    identity(function, &mut facts);
    place(report, &mut facts);
    link(inventory, report, &mut facts);
    if let Some(deep) = &function.deep {
        facts.fact("Port type", Cell::of(deep.port_type.as_ref()));
        facts.fact("Capabilities", deep.capabilities.join(", "));
        facts.fact("Extended", deep.extended_capabilities.join(", "));
        facts.fact("Serial", Cell::of(deep.serial.as_ref()));
    }
    for problem in &report.problems {
        facts.fact("Problem", Cell::new(problem.to_string(), Paint::Warning));
    }
    page.table(&facts);
    page.table(&bars(&function.bars));
    page.into_text(style)
}

fn identity(function: &Function, facts: &mut Table) {
    let ids = pci::ids(function);
    facts.fact(
        "Class",
        format!("{} [{:06x}]", pci::class(function), function.class_id),
    );
    let device = pci::device(function);
    facts.fact(
        "Device",
        if device == ids {
            ids
        } else {
            format!("{device} {ids}")
        },
    );
    let subsystem = function
        .subsystem_vendor_id
        .zip(function.subsystem_device_id);
    let subsystem = subsystem.map(|(vendor, device)| format!("[{vendor:04x}:{device:04x}]"));
    facts.fact("Subsystem", subsystem.unwrap_or_default());
    let revision = function.revision.map(|revision| format!("{revision:02x}"));
    facts.fact("Revision", revision.unwrap_or_default());
    facts.fact("Label", Cell::of(function.label.as_ref()));
    let forced = function
        .driver_override
        .as_ref()
        .map(|name| format!("override {name}"));
    facts.fact("Driver", joined([function.driver.clone(), forced], ", "));
    facts.fact("Power", Cell::of(function.now.power_state.as_ref()));
    facts.fact("Physical", Cell::of(function.physical_function.as_ref()));
    if let Some(sriov) = &function.sriov {
        let autoprobe = sriov.autoprobe.map(|on| format!("autoprobe {}", yes(on)));
        let id = sriov.vf_device_id.map(|id| format!("device id {id:04x}"));
        let count = format!("{} of {}", sriov.vfs, sriov.vfs_total);
        facts.fact("VFs", joined([Some(count), id, autoprobe], ", "));
        facts.fact("VF addresses", sriov.vf_ids.join(", "));
    }
}

fn place(report: &Report<'_>, facts: &mut Table) {
    facts.fact("Node", Cell::of(report.near.node.as_ref()));
    facts.fact("Near cpus", counted(&report.near.cpus));
    if !report.near.isolated.is_empty() {
        facts.fact("Isolated", counted(&report.near.isolated));
    }
    facts.fact("Bridges", report.path.join(" → "));
    facts.fact("Behind it", report.behind.join(", "));
    let group = report.function.iommu_group.map(|group| group.to_string());
    let others = (!report.group.is_empty()).then(|| format!("with {}", report.group.join(", ")));
    facts.fact("IOMMU group", joined([group, others], ", "));
}

/// The links of the function and of the port above it, which for many a GPU is the one to believe.
fn link(inventory: &Inventory, report: &Report<'_>, facts: &mut Table) {
    facts.fact("Link", pci::link(report.function));
    let functions = inventory.pci.iter().flat_map(|pci| &pci.functions);
    let parent = report.function.parent.as_ref();
    let above = functions
        .into_iter()
        .find(|other| Some(&other.id) == parent);
    facts.fact("Port above", above.map(pci::link).unwrap_or_default());
    let errors = report.function.now.aer.as_ref().map(pci::errors);
    facts.fact("Errors", Cell::new(errors.unwrap_or_default(), Paint::Bad));
}

fn bars(bars: &[Bar]) -> Table {
    let mut table = Table::new(&[
        Column::Left("region"),
        Column::Right("start"),
        Column::Right("size"),
        Column::Left("kind"),
    ]);
    for bar in bars {
        let name = match bar.id {
            0..=5 => format!("BAR {}", bar.id),
            6 => "ROM".to_owned(),
            id => format!("VF BAR {}", id.saturating_sub(7)),
        };
        let kind = if bar.io { "I/O" } else { "memory" };
        let wide = bar.wide.then_some("64 bit");
        let prefetchable = bar.prefetchable.then_some("prefetchable");
        table.row([
            name.into(),
            format!("0x{:x}", bar.start).into(),
            bar.size_bytes.to_string().into(),
            joined([Some(kind), wide, prefetchable], ", ").into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use libhw::device::cpu::Cpu;

    use super::*;

    #[test]
    fn an_address_is_written_as_the_kernel_does() {
        for (text, id) in [
            ("3B:00.0", "0000:3b:00.0"),
            ("0:3b:0.1", "0000:3b:00.1"),
            ("10000:e1:1f.7", "10000:e1:1f.7"),
            ("0000:3b:00.0", "0000:3b:00.0"),
        ] {
            assert_eq!(address(text).as_deref(), Ok(id), "{text}");
        }
        for text in [
            "",
            "3b",
            "3b:00",
            "3b:20.0",
            "3b:00.8",
            "100:00.0",
            "+1:00.0",
            "a:b:c:d.0",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    fn function(id: &str, parent: Option<&str>, group: u32) -> Function {
        Function {
            id: id.into(),
            parent: parent.map(str::to_owned),
            iommu_group: Some(group),
            ..Function::default()
        }
    }

    #[test]
    fn a_function_is_told_with_its_neighbours() {
        let inventory = Inventory {
            cpu: Some(Cpu {
                online: "0-3".parse().ok(),
                isolated: "2-5".parse().ok(),
                ..Cpu::default()
            }),
            pci: Some(Pci {
                functions: vec![
                    function("0000:00:01.0", None, 1),
                    function("0000:01:00.0", Some("0000:00:01.0"), 1),
                    function("0000:02:00.0", Some("0000:01:00.0"), 2),
                    function("0000:02:00.1", Some("0000:01:00.0"), 2),
                ],
            }),
            ..Inventory::default()
        };
        let report = report(&inventory, "0000:02:00.0").unwrap();
        assert_eq!(report.path, ["0000:00:01.0", "0000:01:00.0"]);
        assert_eq!(report.group, ["0000:02:00.1"]);
        assert_eq!(report.near.cpus.to_string(), "0-3");
        assert_eq!(report.near.isolated.to_string(), "2-3");
        assert!(super::report(&inventory, "0000:09:00.0").is_none());
    }

    #[test]
    fn bridges_in_a_ring_are_no_trap() {
        let pci = Pci {
            functions: vec![function("a", Some("b"), 1), function("b", Some("a"), 1)],
        };
        assert_eq!(path(&pci, &pci.functions[0]).len(), BRIDGES_MAX);
    }
}
