//! PCI functions: what sits where, who drives it, and whether its link runs as it should.

use libhw::device::pci::{Aer, Function, Link};
use libhw::inventory::Inventory;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(pci) = &inventory.pci else {
        return;
    };
    page.title("PCI");
    if pci.functions.is_empty() {
        page.line("none");
        return;
    }
    let mut table = Table::new(&[
        Column::Left("address"),
        Column::Wrap("class"),
        Column::Wrap("device"),
        Column::Left("driver"),
        Column::Right("node"),
        Column::Right("group"),
        Column::Wrap("link"),
        Column::Left("VFs"),
        Column::Wrap("state"),
        Column::Wrap("label"),
    ]);
    for function in &pci.functions {
        table.row(row(function, detail));
    }
    page.table(&table);
}

/// How many functions, bridges and virtual functions.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let functions = &inventory.pci.as_ref()?.functions;
    let bridges = functions.iter().filter(|one| one.is_bridge()).count();
    let vfs = functions.iter().filter_map(|one| one.sriov.as_ref());
    let vfs: usize = vfs.map(|sriov| sriov.vfs as usize).sum();
    let count = |count: usize, noun: &str| (count > 0).then(|| plural(count, noun));
    let parts = [
        count(functions.len() - bridges, "function"),
        count(bridges, "bridge"),
        count(vfs, "VF"),
    ];
    some(joined(parts, ", "))
}

fn row(function: &Function, detail: bool) -> [Cell; 10] {
    let (mut device, ids) = (short_device(function), ids(function));
    if detail && device != ids {
        device = format!("{device} {ids}");
    }
    [
        function.id.as_str().into(),
        class(function).into(),
        device.into(),
        Cell::of(function.driver.as_ref()),
        Cell::of(function.node.as_ref()),
        Cell::of(function.iommu_group.as_ref()),
        link(function),
        vfs(function).into(),
        state(function),
        Cell::of(function.label.as_ref()),
    ]
}

/// The class's name, else its number.
pub(crate) fn class(function: &Function) -> String {
    let number = || format!("class {:04x}", function.class_id >> 8);
    function.class.clone().unwrap_or_else(number)
}

/// The names of vendor and device; what has none is told by its number.
pub(crate) fn device(function: &Function) -> String {
    named(function.vendor.as_deref(), function)
}

/// The same with the vendor as people call it.
fn short_device(function: &Function) -> String {
    let vendor = function.vendor.as_deref().map(short_vendor);
    named(vendor, function)
}

fn named(vendor: Option<&str>, function: &Function) -> String {
    match (vendor, &function.device) {
        (Some(vendor), Some(device)) => format!("{vendor} {device}"),
        (Some(vendor), None) => format!("{vendor} device {:04x}", function.device_id),
        (None, _) => ids(function),
    }
}

/// The words behind a vendor's name that only its lawyers need, as pci.ids writes them.
const LEGAL: [&str; 13] = [
    "Corporation",
    "Corp.",
    "Corp",
    "Incorporated",
    "Inc.",
    "Inc",
    "Co.",
    "Co",
    "Ltd.",
    "Ltd",
    "Limited",
    "LLC",
    "GmbH",
];

/// `Intel Corporation` → `Intel`; `Advanced Micro Devices, Inc. [AMD/ATI]` → `AMD/ATI`.
fn short_vendor(vendor: &str) -> &str {
    if let Some((_, nick)) = vendor.rsplit_once('[')
        && let Some(nick) = nick.strip_suffix(']').filter(|nick| !nick.is_empty())
    {
        return nick;
    }
    let mut name = vendor;
    while let Some((rest, last)) = name.rsplit_once(' ')
        && LEGAL.contains(&last.trim_end_matches(','))
    {
        name = rest.trim_end_matches(',');
    }
    name
}

/// `[8086:1572]`.
pub(crate) fn ids(function: &Function) -> String {
    format!("[{:04x}:{:04x}]", function.vendor_id, function.device_id)
}

/// `16 GT/s ×8`.
pub(crate) fn speed(link: Link) -> String {
    let speed = link
        .speed_mtps
        .map(|speed| match (speed / 1000, speed % 1000) {
            (whole, 0) => format!("{whole} GT/s"),
            (whole, rest) => {
                let fraction = format!("{rest:03}");
                format!("{whole}.{} GT/s", fraction.trim_end_matches('0'))
            }
        });
    joined([speed, link.width.map(|width| format!("×{width}"))], " ")
}

/// The link as it runs, and what it could do where that is more.
pub(crate) fn link(function: &Function) -> Cell {
    let Some(now) = function.now.link else {
        let most = function
            .link_max
            .map(|most| format!("up to {}", speed(most)));
        return Cell::new(most.unwrap_or_default(), Paint::Faint);
    };
    match function.link_max {
        Some(most) if is_less(now, most) => {
            Cell::new(format!("{} of {}", speed(now), speed(most)), Paint::Warning)
        }
        _ => speed(now).into(),
    }
}

/// Whether a link runs slower or on fewer lanes than it could.
pub(crate) fn is_less(now: Link, most: Link) -> bool {
    let less =
        |now: Option<u32>, most: Option<u32>| now.zip(most).is_some_and(|(now, most)| now < most);
    less(now.speed_mtps, most.speed_mtps) || less(now.width, most.width)
}

fn vfs(function: &Function) -> String {
    match (&function.sriov, &function.physical_function) {
        (Some(sriov), _) => format!("{}/{}", sriov.vfs, sriov.vfs_total),
        (None, Some(physical)) => format!("of {physical}"),
        (None, None) => String::new(),
    }
}

/// What is out of the ordinary: a sleeping device, counted errors.
fn state(function: &Function) -> Cell {
    let asleep = function.now.power_state.clone();
    let asleep = asleep.filter(|state| state.starts_with("D3"));
    let aer = function.now.aer.as_ref().map(errors).unwrap_or_default();
    let paint = if aer.is_empty() {
        Paint::Faint
    } else {
        Paint::Bad
    };
    Cell::new(joined([asleep, Some(aer)], ", "), paint)
}

/// `12 correctable, 1 fatal errors`, or nothing.
pub(crate) fn errors(aer: &Aer) -> String {
    let counts = [
        ("correctable", &aer.correctable),
        ("non-fatal", &aer.nonfatal),
        ("fatal", &aer.fatal),
    ];
    let told = counts.map(|(name, counts)| {
        let sum = counts
            .values()
            .fold(0_u64, |sum, count| sum.saturating_add(*count));
        (sum > 0).then(|| format!("{sum} {name}"))
    });
    let told = joined(told, ", ");
    if told.is_empty() {
        told
    } else {
        format!("{told} errors")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn a_link(speed_mtps: u32, width: u32) -> Link {
        Link {
            speed_mtps: Some(speed_mtps),
            width: Some(width),
        }
    }

    #[test]
    fn links_are_told_in_the_words_of_the_bus() {
        assert_eq!(speed(a_link(2500, 1)), "2.5 GT/s ×1");
        assert_eq!(speed(a_link(16000, 16)), "16 GT/s ×16");
        assert_eq!(speed(Link::default()), "");
    }

    #[test]
    fn a_link_below_its_best_is_marked() {
        for (now, most, less) in [
            (a_link(8000, 8), a_link(8000, 8), false),
            (a_link(2500, 8), a_link(8000, 8), true),
            (a_link(8000, 4), a_link(8000, 8), true),
            (Link::default(), a_link(8000, 8), false),
        ] {
            assert_eq!(is_less(now, most), less, "{now:?} {most:?}");
        }
    }

    #[test]
    fn a_device_without_a_name_is_told_by_its_number() {
        let mut function = Function {
            vendor_id: 0x8086,
            device_id: 0x0b30,
            class_id: 0x12_0000,
            ..Function::default()
        };
        assert_eq!(class(&function), "class 1200");
        assert_eq!(device(&function), "[8086:0b30]");
        function.vendor = Some("Intel Corporation".into());
        assert_eq!(device(&function), "Intel Corporation device 0b30");
    }

    #[test]
    fn a_vendor_is_called_what_people_call_it() {
        for (vendor, name) in [
            ("Intel Corporation", "Intel"),
            ("Red Hat, Inc.", "Red Hat"),
            ("Advanced Micro Devices, Inc. [AMD/ATI]", "AMD/ATI"),
            ("Samsung Electronics Co Ltd", "Samsung Electronics"),
            ("Realtek Semiconductor Co., Ltd.", "Realtek Semiconductor"),
            ("Inc.", "Inc."),
            ("[]", "[]"),
        ] {
            assert_eq!(short_vendor(vendor), name);
        }
    }

    #[test]
    fn only_errors_that_happened_are_told() {
        let mut aer = Aer::default();
        assert_eq!(errors(&aer), "");
        aer.correctable.insert("RxErr".into(), 3);
        aer.fatal.insert("DLP".into(), 1);
        assert_eq!(errors(&aer), "3 correctable, 1 fatal errors");
    }
}
