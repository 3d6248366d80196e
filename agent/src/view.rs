//! The inventory in a person's words, class by class: tables, which the command line prints and the status page
//! shows, and a line in short.

use libhw::inventory::{Class, Inventory};

use crate::table::Page;

pub(crate) mod pci;
pub(crate) mod rows;
pub(crate) mod words;

mod bmc;
mod cpu;
mod crypto;
mod fpga;
mod gpu;
mod hugepages;
mod limits;
mod memory;
mod nic;
mod numa;
mod problems;
mod ptp_clock;
mod ras;
mod sensor;
mod software;
mod storage;
mod system;
mod tee;
mod tpm;
mod watchdog;

/// How a class is shown.
struct View {
    class: Class,
    /// Writes its tables; the second argument asks for all of them.
    tables: fn(&Inventory, bool, &mut Page),
    /// What there is of it, in short; `None` where that is nothing.
    summary: fn(&Inventory) -> Option<String>,
}

/// A row for each class, in the order in which they are shown.
const VIEWS: &[View] = &[
    view(Class::System, system::view, system::summary),
    view(Class::Software, software::view, software::summary),
    view(Class::Limits, limits::view, limits::summary),
    view(Class::Cpu, cpu::view, cpu::summary),
    view(Class::Numa, numa::view, numa::summary),
    view(Class::Hugepages, hugepages::view, hugepages::summary),
    view(Class::Memory, memory::view, memory::summary),
    view(Class::Ras, ras::view, ras::summary),
    view(Class::Pci, pci::view, pci::summary),
    view(Class::Nic, nic::view, nic::summary),
    view(Class::PtpClock, ptp_clock::view, ptp_clock::summary),
    view(Class::Storage, storage::view, storage::summary),
    view(Class::Gpu, gpu::view, gpu::summary),
    view(Class::Fpga, fpga::view, fpga::summary),
    view(Class::Crypto, crypto::view, crypto::summary),
    view(Class::Sensor, sensor::view, sensor::summary),
    view(Class::Tpm, tpm::view, tpm::summary),
    view(Class::Tee, tee::view, tee::summary),
    view(Class::Watchdog, watchdog::view, watchdog::summary),
    view(Class::Bmc, bmc::view, bmc::summary),
];

const fn view(
    class: Class,
    tables: fn(&Inventory, bool, &mut Page),
    summary: fn(&Inventory) -> Option<String>,
) -> View {
    View {
        class,
        tables,
        summary,
    }
}

/// The tables of the classes in `shown` that were read, and at the end what could not be had.
pub(crate) fn page(inventory: &Inventory, detail: bool, shown: &[Class]) -> Page {
    let mut page = Page::new();
    for view in VIEWS.iter().filter(|view| shown.contains(&view.class)) {
        (view.tables)(inventory, detail, &mut page);
    }
    problems::view(inventory, detail, &mut page);
    page
}

/// The tables of every class that was read.
pub(crate) fn classes(inventory: &Inventory) -> Page {
    let mut page = Page::new();
    for view in VIEWS {
        (view.tables)(inventory, false, &mut page);
    }
    page
}

/// A line for each class of which there is something.
pub(crate) fn summaries(inventory: &Inventory) -> impl Iterator<Item = (Class, String)> {
    let summary = |view: &View| Some((view.class, (view.summary)(inventory)?));
    VIEWS.iter().filter_map(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Style;

    #[test]
    fn every_class_has_a_view() {
        let shown: Vec<Class> = VIEWS.iter().map(|view| view.class).collect();
        for class in Class::ALL {
            assert!(shown.contains(class), "{class}");
        }
        assert_eq!(shown.len(), Class::ALL.len());
    }

    #[test]
    fn an_inventory_without_a_single_value_is_shown() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir(tree.path().join("proc")).unwrap();
        let root = libhw::io::root::Root::captured(tree.path()).unwrap();
        let inventory = libhw::inventory::discover(&root, &libhw::inventory::Scope::default());
        for detail in [false, true] {
            let text = page(&inventory, detail, Class::ALL).into_text(Style::default());
            assert!(text.starts_with("System\n"), "{text}");
            assert!(!text.contains("Problems"), "{text}");
        }
    }
}
