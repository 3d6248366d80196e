//! Accelerators: what they are, how they fare, and what holds them back.

use libhw::device::gpu::{
    Adapter, AdapterKind, AdapterNow, FirmwareState, PowerSensor, RuntimePower, TemperatureSensor,
    ThrottleCause,
};
use libhw::inventory::Inventory;
use libhw::join::gpu::{compute_nodes_of_adapter, function_of_adapter, slowest_link_of_adapter};

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::pci;
use crate::view::words::{joined, plural, some};

mod detail;
mod nvidia;

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(gpu) = &inventory.gpu else {
        return;
    };
    page.title("Graphics and accelerators");
    if gpu.adapters.is_empty() {
        page.line("none");
        return;
    }
    let mut table = Table::new(&[
        Column::Left("adapter"),
        Column::Wrap("device"),
        Column::Left("driver"),
        Column::Right("node"),
        Column::Left("memory"),
        Column::Wrap("link"),
        Column::Left("hottest"),
        Column::Left("power"),
        Column::Right("busy"),
        Column::Wrap("state"),
    ]);
    for adapter in &gpu.adapters {
        table.row(row(inventory, adapter));
    }
    page.table(&table);
    if let Some(driver) = &gpu.nvidia_driver {
        let mut facts = Table::facts();
        let module = if driver.open {
            "open kernel module"
        } else {
            ""
        };
        let words = [driver.version.as_deref(), Some(module)];
        facts.fact("NVIDIA driver", joined(words, ", "));
        let library = gpu.nvml.as_ref();
        let cuda = library.and_then(|library| library.cuda_version.clone());
        facts.fact("CUDA, at most", cuda.unwrap_or_default());
        page.table(&facts);
    }
    if detail {
        detail::view(gpu, page);
        nvidia::view(gpu, page);
    }
}

/// How many of each kind, by what they are for.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let adapters = &inventory.gpu.as_ref()?.adapters;
    let nouns: Vec<&str> = adapters.iter().map(noun).collect();
    let counted = NOUNS.iter().map(|noun| {
        let count = nouns.iter().filter(|one| *one == noun).count();
        (count > 0).then(|| plural(count, noun))
    });
    let vram = adapters
        .iter()
        .filter_map(|adapter| adapter.memory.as_ref()?.vram_bytes);
    let vram = vram.map(|bytes| bytes.0).reduce(u64::saturating_add);
    let vram = vram.map(|bytes| format!("{} of their own", libhw::units::Bytes(bytes)));
    some(joined(counted.chain([vram]), ", "))
}

/// What a person calls it.
fn noun(adapter: &Adapter) -> &'static str {
    let [gpu, accelerator, display, emulated] = NOUNS;
    match adapter.kind {
        AdapterKind::Virtual => emulated,
        AdapterKind::Accelerator => accelerator,
        AdapterKind::ThreeD | AdapterKind::Platform => gpu,
        _ if adapter.memory.is_some() || computes(adapter) => gpu,
        _ => display,
    }
}

const NOUNS: [&str; 4] = [
    "GPU",
    "accelerator",
    "display controller",
    "emulated display",
];

/// Whether its maker is one of GPUs; what is left draws for a BMC.
const fn computes(adapter: &Adapter) -> bool {
    !matches!(adapter.vendor, libhw::device::gpu::AdapterVendor::Other)
}

fn row(inventory: &Inventory, adapter: &Adapter) -> [Cell; 10] {
    let now = &adapter.now;
    [
        adapter.id.as_str().into(),
        name(inventory, adapter).into(),
        Cell::of(adapter.driver.as_ref()),
        Cell::of(adapter.node.as_ref()),
        memory(adapter).into(),
        link(inventory, adapter),
        hottest(now),
        power(now).into(),
        Cell::of(
            now.busy
                .compute_percent
                .map(|busy| format!("{busy} %"))
                .as_ref(),
        ),
        state(inventory, adapter),
    ]
}

/// Its own name for itself, else that of its PCI function, else what the devicetree or the bus calls it.
fn name(inventory: &Inventory, adapter: &Adapter) -> String {
    let function = function_of_adapter(inventory, adapter).map(pci::short_device);
    let ids = adapter.vendor_id.zip(adapter.device_id);
    let ids = ids.map(|(vendor, device)| format!("[{vendor:04x}:{device:04x}]"));
    let named = adapter.product.clone().or(function).or(ids);
    named
        .or_else(|| adapter.compatible.first().cloned())
        .unwrap_or_default()
}

/// `638 MiB of 15.9 GiB`.
fn memory(adapter: &Adapter) -> String {
    let total = adapter.memory.as_ref().and_then(|memory| memory.vram_bytes);
    match (adapter.now.vram_used_bytes, total) {
        (Some(used), Some(total)) => format!("{used} of {total}"),
        (None, Some(total)) => total.to_string(),
        _ => String::new(),
    }
}

/// The slowest link on the way to the CPU, which need not be the device's own.
fn link(inventory: &Inventory, adapter: &Adapter) -> Cell {
    let Some(link) = slowest_link_of_adapter(inventory, adapter) else {
        return function_of_adapter(inventory, adapter)
            .map(pci::link)
            .unwrap_or_default();
    };
    let now = link.now().map(pci::speed).unwrap_or_default();
    if link.is_narrowed() || link.is_slowed() {
        let able = pci::speed(link.able());
        // An idle GPU slows its link down by itself, but never gives up lanes.
        let paint = if link.is_narrowed() {
            Paint::Bad
        } else {
            Paint::Warning
        };
        return Cell::new(format!("{now} of {able} below {}", link.upper.id), paint);
    }
    now.into()
}

/// The temperature that is nearest to its limit, or the highest.
fn hottest(now: &AdapterNow) -> Cell {
    let margin = |sensor: &TemperatureSensor| {
        let limit = sensor.critical_millicelsius.or(sensor.max_millicelsius)?;
        Some(limit.saturating_sub(sensor.value_millicelsius?))
    };
    let known = || {
        now.temperatures
            .iter()
            .filter(|sensor| sensor.value_millicelsius.is_some())
    };
    let nearest = known()
        .filter(|sensor| margin(sensor).is_some())
        .min_by_key(|sensor| margin(sensor));
    let Some(sensor) = nearest.or_else(|| known().max_by_key(|sensor| sensor.value_millicelsius))
    else {
        return Cell::default();
    };
    let value = sensor.value_millicelsius.unwrap_or_default() / 1000;
    let paint = match margin(sensor) {
        Some(..=0) => Paint::Bad,
        Some(1..10_000) => Paint::Warning,
        _ => Paint::Plain,
    };
    Cell::new(format!("{value} °C {}", sensor.id), paint)
}

/// The limit that holds for long; 0 is none.
fn limit(sensor: &PowerSensor) -> Option<u64> {
    let sustained = sensor.max_microwatts.filter(|limit| *limit > 0);
    sustained.or(sensor.cap_microwatts.filter(|limit| *limit > 0))
}

/// `36 W of 289 W`.
fn power(now: &AdapterNow) -> String {
    let drawn = |sensor: &PowerSensor| sensor.average_microwatts.or(sensor.input_microwatts);
    let Some(sensor) = now
        .powers
        .iter()
        .find(|sensor| drawn(sensor).is_some() || limit(sensor).is_some())
    else {
        return String::new();
    };
    match (
        drawn(sensor).map(detail::watts),
        limit(sensor).map(detail::watts),
    ) {
        (Some(drawn), Some(limit)) => format!("{drawn} of {limit}"),
        (Some(drawn), None) => drawn,
        (None, limit) => limit
            .map(|limit| format!("up to {limit}"))
            .unwrap_or_default(),
    }
}

/// What is out of the ordinary, the worst deciding the colour.
fn state(inventory: &Inventory, adapter: &Adapter) -> Cell {
    let (bad, worrying) = (bad(adapter), worrying(adapter));
    let paint = match () {
        () if !bad.is_empty() => Paint::Bad,
        () if !worrying.is_empty() => Paint::Warning,
        () => Paint::Faint,
    };
    let asleep = adapter.now.power.as_ref().filter(|power| power.sleeps());
    let excluded = adapter
        .nvidia
        .as_ref()
        .filter(|nvidia| nvidia.excluded == Some(true));
    let words = [
        some(bad),
        some(worrying),
        asleep.map(|_| "suspended".to_owned()),
        excluded.map(|_| "excluded by its driver".to_owned()),
        partitions(inventory, adapter),
    ];
    Cell::new(joined(words, ", "), paint)
}

/// What somebody must see to.
fn bad(adapter: &Adapter) -> String {
    let uncorrected = adapter
        .now
        .errors
        .iter()
        .filter_map(|error| error.uncorrected);
    let pages = adapter
        .amd
        .as_ref()
        .and_then(|amd| amd.now.bad_pages)
        .unwrap_or_default();
    let pages = [pages.retired, pages.pending, pages.failed];
    let failed = adapter
        .firmware
        .iter()
        .filter(|part| part.state == Some(FirmwareState::Failed));
    let failed = joined(failed.map(|part| Some(part.id.as_str())), ", ");
    let broken = adapter
        .intel
        .as_ref()
        .and_then(|intel| intel.survivability.as_ref());
    let words = [
        counted(uncorrected, "uncorrected error"),
        counted(pages.into_iter(), "bad page"),
        some(failed).map(|parts| format!("{parts} firmware failed")),
        broken.map(|_| "survivability mode".to_owned()),
        (!adapter.core_dumps.is_empty()).then(|| plural(adapter.core_dumps.len(), "core dump")),
        (adapter.now.power == Some(RuntimePower::Error))
            .then(|| "power management failed".to_owned()),
        nvidia::bad(adapter),
    ];
    joined(words, ", ")
}

/// What may become bad.
fn worrying(adapter: &Adapter) -> String {
    let corrected = adapter
        .now
        .errors
        .iter()
        .filter_map(|error| error.corrected);
    let downgraded = adapter
        .intel
        .as_ref()
        .filter(|intel| intel.now.link_downgraded == Some(true));
    let words = [
        counted(corrected, "corrected error"),
        throttle(&adapter.now),
        downgraded.map(|_| "link downgraded".to_owned()),
        nvidia::worrying(adapter),
    ];
    joined(words, ", ")
}

/// How many in all, unless there are none.
fn counted(counts: impl Iterator<Item = u64>, noun: &str) -> Option<String> {
    let count = counts.fold(0, u64::saturating_add);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    (count > 0).then(|| plural(count, noun))
}

/// Why it runs slower than it could, idleness left out.
fn throttle(now: &AdapterNow) -> Option<String> {
    let reasons = now.throttle.iter().flatten();
    let reasons = reasons.filter(|reason| reason.cause() != Some(ThrottleCause::Idle));
    let words = joined(reasons.map(|reason| Some(detail::word(reason))), ", ");
    some(words).map(|words| format!("throttled: {words}"))
}

/// `8 partitions (CPX, NPS4)`.
fn partitions(inventory: &Inventory, adapter: &Adapter) -> Option<String> {
    let count = compute_nodes_of_adapter(inventory, adapter).count();
    let amd = adapter.amd.as_ref()?;
    let modes = joined(
        [
            amd.compute_partition.as_deref(),
            amd.memory_partition.as_deref(),
        ],
        ", ",
    );
    match (count, modes.is_empty()) {
        (2.., false) => Some(format!("{} ({modes})", plural(count, "partition"))),
        (2.., true) => Some(plural(count, "partition")),
        (_, false) => Some(modes),
        (_, true) => None,
    }
}
