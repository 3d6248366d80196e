//! Graphics devices and accelerators, as far as the kernel and the inventory tell: lost, errors of parts, Xids, pages and rows
//! that are broken, links between devices.

use libhw::device::gpu::nvml::NvmlState;
use libhw::device::gpu::xid::{Xid, XidAction};
use libhw::device::gpu::{
    Adapter, ErrorCount, FirmwareState, RuntimePower, ThrottleCause, ThrottleReason,
};
use libhw::inventory::Class;

use crate::alarm::entity::Entity;
use crate::alarm::observation::Report;
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const LOST: &str = "hw.gpu.lost";
const ERROR: &str = "hw.gpu.error";
const UNCORRECTED: &str = "hw.gpu.memory-uncorrected";
const CORRECTED: &str = "hw.gpu.memory-corrected";
const ROWS: &str = "hw.gpu.row-remap";
const THROTTLED: &str = "hw.gpu.throttled";
const LINK: &str = "hw.gpu.link";
const FIRMWARE: &str = "hw.gpu.firmware";

const NAME: &str = "gpu";

/// The parts of amdgpu that are memory: the controller, and what holds the counts of all memory.
const MEMORY_PARTS: &[&str] = &["umc", "hbm", "mca"];

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "GPUs and accelerators: lost ones, errors of their parts and memory, Xids, broken pages and rows, links, throttling",
    alarms: &[
        LOST,
        ERROR,
        UNCORRECTED,
        CORRECTED,
        ROWS,
        THROTTLED,
        LINK,
        FIRMWARE,
    ],
    interval: seconds(30),
    deadline: seconds(20),
    cost: Cost::High,
    classes: &[Class::Gpu],
    reading: Reading::Deep,
    blocks: true,
    available: |look| {
        let gpu = look.inventory.gpu.as_ref().ok_or(NOT_READ)?;
        has(
            !gpu.adapters.is_empty(),
            "there is no GPU or accelerator here",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(Gpus {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Gpus {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for Gpus {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(gpu) = &look.inventory.gpu else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        for adapter in &gpu.adapters {
            let id = adapter.function.as_deref().unwrap_or(&adapter.id);
            if self.settings.ignore.has(id) {
                continue;
            }
            let entity = told.entity(&[("pci", id)]);
            let one = One {
                adapter,
                entity,
                id,
            };
            lost(&one, &mut told);
            self.errors(&one, &mut told);
            self.xids(&one, &mut told);
            rows(&one, &mut told);
            throttled(&one, &mut told);
            links(&one, &mut told);
            firmware(&one, &mut told);
        }
        let complete = look.lists(Class::Gpu, &["sys/bus/pci/devices", "sys/class/drm"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

struct One<'a> {
    adapter: &'a Adapter,
    entity: Entity,
    id: &'a str,
}

impl One<'_> {
    fn text(&self, wrong: &str) -> String {
        match &self.adapter.product {
            Some(product) => format!("{} ({product}): {wrong}", self.id),
            None => format!("{}: {wrong}", self.id),
        }
    }
}

/// The sum of those that are known; `None` where none is.
fn sum(counts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    counts.flatten().reduce(u64::saturating_add)
}

/// Whether it can be reached: by NVIDIA's library, or as the kernel wakes it.
fn lost(one: &One<'_>, told: &mut Told) {
    let state = one.adapter.nvml.as_ref().map(|nvml| nvml.state);
    let power = one.adapter.now.power.as_ref();
    if state.is_none() && power.is_none() {
        return;
    }
    let gone = matches!(state, Some(NvmlState::Lost | NvmlState::ResetRequired));
    told.say(LOST, &one.entity)
        .with_some("nvml", state.map(|state| format!("{state:?}")))
        .with_some("runtime power", power.map(|power| format!("{power:?}")))
        .fault(
            gone || power == Some(&RuntimePower::Error),
            &one.text("the GPU cannot be reached"),
        );
}

impl Gpus {
    /// Errors of parts as amdgpu counts them, and ECC errors as NVIDIA's library does: both since the driver was loaded.
    fn errors(&mut self, one: &One<'_>, told: &mut Told) {
        let errors = &one.adapter.now.errors;
        let of = |memory: bool| {
            let own = move |part: &&ErrorCount| MEMORY_PARTS.contains(&part.id.as_str()) == memory;
            errors.iter().filter(own)
        };
        let ecc = one.adapter.nvml.as_ref().map(|nvml| &nvml.now.memory.ecc);
        let ecc = ecc.and_then(|ecc| ecc.iter().find(|count| count.id == "total"));
        let corrected = sum(of(true)
            .map(|part| part.corrected)
            .chain([ecc.and_then(|total| total.corrected_volatile)]));
        let uncorrected = sum(of(true)
            .map(|part| part.uncorrected)
            .chain([ecc.and_then(|total| total.uncorrected_volatile)]));
        let others = sum(of(false).map(|part| part.uncorrected));
        let counts = [
            (
                CORRECTED,
                First::Begins,
                corrected,
                "the GPU's memory had errors that were corrected",
            ),
            (
                UNCORRECTED,
                First::Tells,
                uncorrected,
                "the GPU's memory had errors that could not be corrected",
            ),
            (
                ERROR,
                First::Tells,
                others,
                "parts of the GPU had errors that could not be corrected",
            ),
        ];
        for (alarm, first, count, wrong) in counts {
            let name = format!("{} {alarm}", one.id);
            let Some(by) = self.remembered.growth((Span::Boot, first), &name, count) else {
                continue;
            };
            let parts =
                of(alarm != ERROR).filter(|part| part.uncorrected.max(part.corrected) > Some(0));
            let saying = told.say(alarm, &one.entity).with_some("count", count);
            let saying = parts.fold(saying, |saying, part| {
                saying.with_some(&part.id, part.uncorrected.max(part.corrected))
            });
            saying.grew(by, &one.text(wrong));
        }
    }

    /// Each number is a fault of its own. Those that programs bring about are no fault of the device.
    fn xids(&mut self, one: &One<'_>, told: &mut Told) {
        let hardware =
            |xid: &&Xid| !matches!(xid.action, XidAction::None | XidAction::RestartProgram);
        for xid in one.adapter.now.xids.iter().filter(hardware) {
            let name = format!("{} xid {}", one.id, xid.id);
            let how = (Span::Boot, First::Tells);
            let Some(by) = self.remembered.growth(how, &name, Some(xid.count)) else {
                continue;
            };
            let entity = told.entity(&[("pci", one.id), ("xid", &xid.id.to_string())]);
            let meaning = xid
                .meaning
                .as_deref()
                .unwrap_or("an error that is not in the catalogue");
            told.say(ERROR, &entity)
                .with("xid", xid.id)
                .with("count", xid.count)
                .with("last", &xid.last_text)
                .with("first done about it", format!("{:?}", xid.action))
                .grew(by, &one.text(&format!("Xid {}: {meaning}", xid.id)));
        }
    }
}

/// Pages and rows of memory that are broken: a reset puts most out of use, what could not be is a device to replace.
fn rows(one: &One<'_>, told: &mut Told) {
    let nvml = one.adapter.nvml.as_ref();
    let remapped = nvml.and_then(|nvml| nvml.now.memory.remapped_rows.as_ref());
    let retired = nvml.and_then(|nvml| nvml.now.memory.retired_pages.as_ref());
    let bad = one
        .adapter
        .amd
        .as_ref()
        .and_then(|amd| amd.now.bad_pages.as_ref());
    if remapped.is_none() && retired.is_none() && bad.is_none() {
        return;
    }
    let failed =
        remapped.is_some_and(|rows| rows.failed) || bad.is_some_and(|pages| pages.failed > 0);
    let pending = remapped.is_some_and(|rows| rows.pending)
        || retired.is_some_and(|pages| pages.pending == Some(true))
        || bad.is_some_and(|pages| pages.pending > 0);
    let severity = match (failed, pending) {
        (true, _) => Some(Severity::Major),
        (false, true) => Some(Severity::Minor),
        (false, false) => None,
    };
    told.say(ROWS, &one.entity)
        .with_some(
            "remapped rows",
            remapped.map(|rows| rows.corrected.saturating_add(rows.uncorrected)),
        )
        .with_some("pending", pending.then_some("after a reset"))
        .with_some("retired pages", bad.map(|pages| pages.retired))
        .with_some("pages that failed to be", bad.map(|pages| pages.failed))
        .graded(
            severity,
            &one.text("memory of the GPU is broken and not replaced"),
        );
}

fn throttled(one: &One<'_>, told: &mut Told) {
    let now = one
        .adapter
        .now
        .throttle
        .as_ref()
        .map(|reasons| reasons.iter().collect::<Vec<_>>());
    let nvml = one
        .adapter
        .nvml
        .as_ref()
        .and_then(|nvml| nvml.now.throttle.as_ref());
    let intel = one.adapter.intel.iter().flat_map(|intel| &intel.gts);
    let intel: Vec<_> = intel
        .filter_map(|gt| gt.now.throttle.as_ref())
        .flatten()
        .collect();
    if now.is_none() && nvml.is_none() && intel.is_empty() {
        return;
    }
    // What somebody has set, and having nothing to do, are no fault.
    let harms = |reason: &&ThrottleReason| {
        matches!(
            reason.cause(),
            Some(ThrottleCause::Thermal | ThrottleCause::External)
        )
    };
    let all = now
        .into_iter()
        .flatten()
        .chain(nvml.into_iter().flatten())
        .chain(intel);
    let reasons: Vec<String> = all
        .filter(harms)
        .map(|reason| format!("{reason:?}"))
        .collect();
    told.say(THROTTLED, &one.entity)
        .with("reasons", reasons.join(", "))
        .fault(
            !reasons.is_empty(),
            &one.text("heat, or a signal from outside, slows the GPU down"),
        );
}

fn links(one: &One<'_>, told: &mut Told) {
    let links = one.adapter.amd.iter().flat_map(|amd| &amd.now.xgmi_links);
    for link in links {
        let Some(up) = link.up else { continue };
        let name = format!("xgmi{}", link.id);
        let entity = told.entity(&[("pci", one.id), ("link", &name)]);
        told.say(LINK, &entity).with("up", up).fault(
            !up,
            &one.text(&format!("link {name} to another GPU is down")),
        );
    }
}

/// Firmware that did not start, dumps that a hang left behind, and a link that the device trains slower by itself.
fn firmware(one: &One<'_>, told: &mut Told) {
    let adapter = one.adapter;
    let failed = adapter
        .firmware
        .iter()
        .filter(|part| part.state == Some(FirmwareState::Failed));
    let failed: Vec<&str> = failed.map(|part| part.id.as_str()).collect();
    let intel = adapter.intel.as_ref();
    let survives = intel.is_some_and(|intel| intel.survivability.is_some());
    let told_of = adapter.firmware.iter().any(|part| part.state.is_some()) || intel.is_some();
    if told_of {
        told.say(FIRMWARE, &one.entity)
            .with("failed", failed.join(", "))
            .with("survivability mode", survives)
            .fault(
                !failed.is_empty() || survives,
                &one.text("firmware of the GPU does not run"),
            );
    }
    let saved = intel.and_then(|intel| intel.now.error_saved) == Some(true);
    if adapter.core_dumps.is_empty() && intel.is_none() {
        return;
    }
    let entity = told.entity(&[("pci", one.id), ("state", "dump")]);
    told.say(ERROR, &entity)
        .with("dumps", adapter.core_dumps.join(", "))
        .with("error state saved", saved)
        .fault(
            saved || !adapter.core_dumps.is_empty(),
            &one.text("the GPU hung, and its driver kept its state"),
        );
}

#[cfg(test)]
mod tests;
