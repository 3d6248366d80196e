//! What there is beyond a line for each accelerator: every sensor, clock, firmware, partition and engine group.

use libhw::device::gpu::{Adapter, FirmwarePart, FirmwareState, Gpu, Gt, ThrottleReason};
use libhw::units::Hertz;
use serde::Serialize;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, range};

/// Writes all of it.
pub(super) fn view(gpu: &Gpu, page: &mut Page) {
    for table in [
        identities(gpu),
        temperatures(gpu),
        powers(gpu),
        fans(gpu),
        clocks(gpu),
        gts(gpu),
        errors(gpu),
        firmware(gpu),
        connectors(gpu),
        compute_nodes(gpu),
        compute_links(gpu),
        profiles(gpu),
    ] {
        page.table(&table);
    }
}

/// `36 W`, `9.1 W`.
pub(super) fn watts(microwatts: u64) -> String {
    match (microwatts / 1_000_000, microwatts / 100_000 % 10) {
        (whole @ 0..100, tenths @ 1..) => format!("{whole}.{tenths} W"),
        (whole, _) => format!("{whole} W"),
    }
}

/// The word that the JSON has for it.
pub(super) fn word(reason: &ThrottleReason) -> String {
    said(reason).replace('_', " ")
}

/// What a state is called.
fn said(state: &impl Serialize) -> String {
    let value = serde_json::to_value(state).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A row for each part of each adapter.
pub(super) fn rows<const COLUMNS: usize>(
    gpu: &Gpu,
    columns: [Column; COLUMNS],
    parts: impl Fn(&Adapter) -> Vec<[Cell; COLUMNS]>,
) -> Table {
    let mut table = Table::new(&columns);
    for adapter in &gpu.adapters {
        for mut part in parts(adapter) {
            if let Some(first) = part.first_mut() {
                *first = adapter.id.as_str().into();
            }
            table.row(part);
        }
    }
    table
}

pub(super) fn none() -> Cell {
    Cell::default()
}

fn identities(gpu: &Gpu) -> Table {
    let columns = [
        "adapter",
        "nodes",
        "vbios",
        "part number",
        "serial",
        "unique id",
    ]
    .map(Column::Wrap);
    rows(gpu, columns, |adapter| {
        let part = adapter
            .amd
            .as_ref()
            .and_then(|amd| amd.part_number.as_ref());
        let nodes = adapter.nodes.join(", ");
        let told = [&adapter.vbios, &adapter.serial, &adapter.unique_id];
        if nodes.is_empty() && part.is_none() && told.iter().all(|value| value.is_none()) {
            return Vec::new();
        }
        let [vbios, serial, unique] = told.map(|value| Cell::of(value.as_ref()));
        vec![[none(), nodes.into(), vbios, Cell::of(part), serial, unique]]
    })
}

fn temperatures(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("temperature"),
        Column::Right("now"),
        Column::Right("slows at"),
        Column::Right("critical"),
        Column::Right("emergency"),
    ];
    let degrees =
        |value: Option<i64>| Cell::of(value.map(|value| format!("{} °C", value / 1000)).as_ref());
    rows(gpu, columns, |adapter| {
        let sensors = adapter.now.temperatures.iter();
        let row = |sensor: &libhw::device::gpu::TemperatureSensor| {
            [
                none(),
                sensor.id.as_str().into(),
                degrees(sensor.value_millicelsius),
                degrees(sensor.max_millicelsius),
                degrees(sensor.critical_millicelsius),
                degrees(sensor.emergency_millicelsius),
            ]
        };
        sensors.map(row).collect()
    })
}

fn powers(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("power"),
        Column::Right("average"),
        Column::Right("now"),
        Column::Right("limit"),
        Column::Right("default"),
        Column::Right("range"),
        Column::Right("critical"),
        Column::Right("used"),
    ];
    let kilojoules = |value: u64| format!("{} kJ", value / 1_000_000_000);
    let cell = |value: Option<u64>| Cell::of(value.map(watts).as_ref());
    rows(gpu, columns, |adapter| {
        let sensors = adapter.now.powers.iter();
        let row = |sensor: &libhw::device::gpu::PowerSensor| {
            let most = sensor.cap_max_microwatts.map(watts);
            [
                none(),
                sensor.id.as_str().into(),
                cell(sensor.average_microwatts),
                cell(sensor.input_microwatts),
                cell(super::limit(sensor)),
                cell(
                    sensor
                        .cap_default_microwatts
                        .or(sensor.rated_max_microwatts),
                ),
                range(
                    sensor
                        .cap_min_microwatts
                        .map(watts)
                        .filter(|_| most.is_some()),
                    most,
                )
                .into(),
                cell(sensor.critical_microwatts),
                Cell::of(sensor.energy_microjoules.map(kilojoules).as_ref()),
            ]
        };
        sensors.map(row).collect()
    })
}

fn fans(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("fan"),
        Column::Right("speed"),
        Column::Right("range"),
        Column::Left("driven by"),
    ];
    let rpm = |value: Option<u64>| value.map(|value| format!("{value} rpm"));
    rows(gpu, columns, |adapter| {
        let sensors = adapter.now.fans.iter();
        let row = |fan: &libhw::device::gpu::FanSensor| {
            [
                none(),
                fan.id.as_str().into(),
                Cell::of(rpm(fan.speed_rpm).as_ref()),
                range(rpm(fan.min_rpm), rpm(fan.max_rpm)).into(),
                Cell::of(
                    fan.control
                        .map(|control| match control {
                            libhw::device::gpu::FanControl::None => "nobody",
                            libhw::device::gpu::FanControl::Manual => "hand",
                            libhw::device::gpu::FanControl::Automatic => "itself",
                        })
                        .as_ref(),
                ),
            ]
        };
        sensors.map(row).collect()
    })
}

fn clocks(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("clock"),
        Column::Right("now"),
        Column::Wrap("levels"),
    ];
    rows(gpu, columns, |adapter| {
        let clocks = adapter.now.clocks.iter();
        let row = |clock: &libhw::device::gpu::ClockDomain| {
            let levels = clock.levels_hz.iter().map(|level| Some(level.to_string()));
            [
                none(),
                clock.id.as_str().into(),
                Cell::of(clock.value_hz.as_ref()),
                joined(levels, ", ").into(),
            ]
        };
        clocks.map(row).collect()
    })
}

fn gts(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("engines"),
        Column::Right("now"),
        Column::Right("asked for"),
        Column::Right("allowed"),
        Column::Right("able"),
        Column::Left("idle"),
        Column::Wrap("throttled"),
    ];
    let hertz = |value: Option<Hertz>| Cell::of(value.as_ref());
    rows(gpu, columns, |adapter| {
        let row = |gt: &Gt| {
            let reasons = gt
                .now
                .throttle
                .iter()
                .flatten()
                .map(|reason| Some(word(reason)));
            [
                none(),
                joined(
                    [Some(gt.id.as_str()), Some(gt.engines.join(" ").as_str())],
                    " ",
                )
                .into(),
                hertz(gt.now.actual_hz),
                hertz(gt.now.requested_hz),
                range(gt.now.min_hz, gt.now.max_hz).into(),
                range(gt.now.rpn_hz, gt.now.rp0_hz).into(),
                Cell::of(gt.now.idle_status.as_ref()),
                Cell::new(joined(reasons, ", "), Paint::Warning),
            ]
        };
        adapter
            .intel
            .iter()
            .flat_map(|intel| &intel.gts)
            .map(row)
            .collect()
    })
}

fn errors(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("errors"),
        Column::Right("uncorrected"),
        Column::Right("corrected"),
        Column::Right("deferred"),
    ];
    let count = |value: Option<u64>, paint: Paint| {
        let paint = if value > Some(0) { paint } else { Paint::Faint };
        value.map_or_else(none, |value| Cell::new(value.to_string(), paint))
    };
    rows(gpu, columns, |adapter| {
        let row = |error: &libhw::device::gpu::ErrorCount| {
            [
                none(),
                error.id.as_str().into(),
                count(error.uncorrected, Paint::Bad),
                count(error.corrected, Paint::Warning),
                count(error.deferred, Paint::Warning),
            ]
        };
        adapter.now.errors.iter().map(row).collect()
    })
}

fn firmware(gpu: &Gpu) -> Table {
    let columns = [Column::Left("adapter"), Column::Wrap("firmware")];
    rows(gpu, columns, |adapter| {
        let part = |part: &FirmwarePart| {
            let odd = part
                .state
                .as_ref()
                .filter(|state| **state != FirmwareState::Running);
            let odd = odd.map(said);
            let words = [
                Some(part.id.as_str()),
                Some(part.version.as_str()),
                odd.as_deref(),
            ];
            Some(joined(words, " "))
        };
        let text = joined(adapter.firmware.iter().map(part), ", ");
        match text.is_empty() {
            true => Vec::new(),
            false => vec![[none(), text.into()]],
        }
    })
}

fn connectors(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("connector"),
        Column::Left("screen"),
    ];
    rows(gpu, columns, |adapter| {
        let row = |connector: &libhw::device::gpu::Connector| {
            let status = said(&connector.status);
            [none(), connector.id.as_str().into(), status.into()]
        };
        adapter.connectors.iter().map(row).collect()
    })
}

fn compute_nodes(gpu: &Gpu) -> Table {
    let mut table = Table::new(&[
        Column::Right("compute node"),
        Column::Left("adapter"),
        Column::Right("partition"),
        Column::Left("render node"),
        Column::Left("target"),
        Column::Right("CPUs"),
        Column::Right("units"),
        Column::Right("dies"),
        Column::Right("memory"),
    ]);
    for node in &gpu.compute_nodes {
        table.row([
            node.id.to_string().into(),
            Cell::of(node.function.as_ref()),
            Cell::of(node.partition.as_ref()),
            Cell::of(node.render_node.as_ref()),
            Cell::of(node.target.as_ref()),
            Cell::of(node.cpu_cores.as_ref()),
            Cell::of(node.compute_units.as_ref()),
            Cell::of(node.xccs.as_ref()),
            Cell::of(node.memory_bytes.as_ref()),
        ]);
    }
    table
}

/// From which node over what to which others.
fn compute_links(gpu: &Gpu) -> Table {
    let mut table = Table::new(&[
        Column::Right("from"),
        Column::Left("over"),
        Column::Wrap("to"),
    ]);
    for group in gpu
        .compute_links
        .chunk_by(|one, other| one.from == other.from)
    {
        let mut kinds: Vec<_> = group.iter().map(|link| &link.kind).collect();
        kinds.dedup();
        for of in kinds {
            let to = group.iter().filter(|link| link.kind == *of);
            let to = to.map(|link| {
                let weight = link.weight.map(|weight| format!("{} ({weight})", link.to));
                Some(weight.unwrap_or_else(|| link.to.to_string()))
            });
            table.row([
                group
                    .first()
                    .map(|link| link.from.to_string())
                    .unwrap_or_default()
                    .into(),
                said(of).into(),
                joined(to, ", ").into(),
            ]);
        }
    }
    table
}

fn profiles(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("function"),
        Column::Left("address"),
        Column::Right("quantum"),
        Column::Right("preempted in"),
        Column::Left("priority"),
        Column::Right("memory"),
    ];
    rows(gpu, columns, |adapter| {
        let row = |profile: &libhw::device::gpu::SchedulingProfile| {
            let quantum = profile
                .exec_quantum_ms
                .map(|quantum| format!("{quantum} ms"));
            let timeout = profile
                .preempt_timeout_us
                .map(|timeout| format!("{timeout} µs"));
            [
                none(),
                profile.id.as_str().into(),
                Cell::of(profile.function.as_ref()),
                Cell::of(quantum.as_ref()),
                Cell::of(timeout.as_ref()),
                Cell::of(profile.priority.as_ref()),
                Cell::of(profile.vram_quota_bytes.as_ref()),
            ]
        };
        adapter
            .intel
            .iter()
            .flat_map(|intel| &intel.sriov)
            .map(row)
            .collect()
    })
}
