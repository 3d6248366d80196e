//! Machine checks, and what EDAC counts beside memory: caches, buses, blocks of a chip.
//!
//! The interrupts are told of by their number alone; which bank it was stands in the kernel's log.

use libhw::device::ras::Ras;
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const EXCEPTION: &str = "hw.cpu.machine-check";
const DEFERRED: &str = "hw.cpu.deferred";
const CORRECTED: &str = "hw.cpu.machine-check-corrected";
const EDAC_CORRECTED: &str = "hw.edac.corrected";
const EDAC_UNCORRECTED: &str = "hw.edac.uncorrected";
const PARITY: &str = "hw.pci.parity";

const NAME: &str = "machine-check";
const EDAC: &str = "sys/devices/system/edac";

/// The names of interrupts in /proc/interrupts that mean an error, and what each means. `MCP` counts looks, not errors.
const INTERRUPTS: &[(&str, &str, First, &str)] = &[
    ("MCE", EXCEPTION, First::Tells, "machine check exceptions"),
    (
        "DFR",
        DEFERRED,
        First::Tells,
        "deferred errors: data was lost that nothing has used yet",
    ),
    (
        "THR",
        CORRECTED,
        First::Begins,
        "corrected errors reached the processor's threshold",
    ),
];

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "machine checks of the processors, and errors of caches and buses that EDAC counts",
    alarms: &[
        EXCEPTION,
        DEFERRED,
        CORRECTED,
        EDAC_CORRECTED,
        EDAC_UNCORRECTED,
        PARITY,
    ],
    interval: seconds(10),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Ras],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let ras = look.inventory.ras.as_ref().ok_or(NOT_READ)?;
        let counts = ras
            .interrupts
            .iter()
            .any(|own| INTERRUPTS.iter().any(|(id, ..)| *id == own.id));
        let any = counts || !ras.edac_devices.is_empty() || ras.edac_pci.is_some();
        has(any, "the kernel counts no machine checks here")
    },
    make: |table, remembered| {
        Ok(Box::new(MachineChecks {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct MachineChecks {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for MachineChecks {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(ras) = &look.inventory.ras else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        for (id, alarm, first, text) in INTERRUPTS {
            let own = ras.interrupts.iter().find(|interrupt| interrupt.id == *id);
            let count = own.map(|interrupt| interrupt.now.count);
            let Some(by) = self.remembered.growth((Span::Boot, *first), id, count) else {
                continue;
            };
            let entity = told.entity(&[("cpu", "all")]);
            told.say(alarm, &entity)
                .with_some("count", count)
                .grew(by, text);
        }
        self.edac(ras, &mut told);
        let complete = look.lists(Class::Ras, &[EDAC, "proc/interrupts"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl MachineChecks {
    fn edac(&mut self, ras: &Ras, told: &mut Told) {
        for device in ras
            .edac_devices
            .iter()
            .filter(|device| !self.settings.ignore.has(&device.id))
        {
            let counts = [
                (
                    EDAC_CORRECTED,
                    First::Begins,
                    device.now.corrected,
                    "corrected errors",
                ),
                (
                    EDAC_UNCORRECTED,
                    First::Tells,
                    device.now.uncorrected,
                    "errors that could not be corrected",
                ),
            ];
            let entity = told.entity(&[("edac", &device.id)]);
            for (alarm, first, count, wrong) in counts {
                let name = format!("{} {alarm}", device.id);
                if let Some(by) = self.remembered.growth((Span::Boot, first), &name, count) {
                    let text = format!("{}: {wrong}", device.id);
                    told.say(alarm, &entity)
                        .with_some("count", count)
                        .grew(by, &text);
                }
            }
        }
        let Some(pci) = &ras.edac_pci else { return };
        let counts = [("pci parity", pci.now.parity), ("pci other", pci.now.other)];
        let host = told.host().clone();
        let grown = counts.map(|(name, count)| {
            self.remembered
                .growth((Span::Boot, First::Begins), name, count)
        });
        if grown.iter().any(Option::is_some) {
            let by = grown.into_iter().flatten().fold(0, u64::saturating_add);
            told.say(PARITY, &host)
                .with_some("pci_parity_count", pci.now.parity)
                .with_some("pci_nonparity_count", pci.now.other)
                .grew(by, "parity errors on a PCI bus");
        }
    }
}

#[cfg(test)]
mod tests;
