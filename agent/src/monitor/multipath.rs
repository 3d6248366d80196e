//! Several ways to one device: the device mapper's multipath, and NVMe's own.

use std::collections::BTreeMap;

use libhw::device::storage::{
    AccessState, AnaState, ControllerState, DeviceState, MapKind, NvmeNamespace, Storage, Way,
};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::alarm::severity::Severity;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::remembered::{Remembered, Span};
use crate::monitor::told::Told;

const LOST: &str = "hw.storage.path-lost";

const NAME: &str = "multipath";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "devices with several ways to them, of the device mapper and of NVMe: ways that are lost",
    alarms: &[LOST],
    interval: seconds(15),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Storage],
    reading: Reading::Anew,
    blocks: false,
    available: |look| {
        let storage = look.inventory.storage.as_ref().ok_or(NOT_READ)?;
        has(
            !devices(storage).is_empty(),
            "no device here has several ways to it",
        )
    },
    make: |table, remembered| {
        Ok(Box::new(Multipath {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Multipath {
    settings: Only,
    remembered: Remembered,
}

/// The ways to each device, and whether each can be used.
type Ways = BTreeMap<String, Vec<(String, bool)>>;

impl Monitor for Multipath {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(storage) = &look.inventory.storage else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        for (device, ways) in devices(storage)
            .iter()
            .filter(|(device, _)| !self.settings.ignore.has(device))
        {
            let usable = ways.iter().filter(|(_, usable)| *usable).count();
            let all = u64::try_from(ways.len()).ok();
            let most = self
                .remembered
                .most(Span::Boot, device, all)
                .or(all)
                .unwrap_or_default();
            let lost = u64::try_from(usable).is_ok_and(|usable| usable < most);
            let entity = told.entity(&[("multipath", device)]);
            let bad = ways
                .iter()
                .filter(|(_, usable)| !usable)
                .map(|(way, _)| way.as_str());
            let saying = told
                .say(LOST, &entity)
                .with("usable", usable)
                .with("of", most)
                .with("not usable", bad.collect::<Vec<_>>().join(", "));
            let text = format!("{device}: ways to the device are lost");
            if usable == 0 {
                saying.graded(Some(Severity::Critical), &text);
            } else {
                saying.fault(lost, &text);
            }
        }
        let complete = look.lists(Class::Storage, &["sys/block", "sys/class/nvme"]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

fn devices(storage: &Storage) -> Ways {
    let mut devices = Ways::new();
    let mapped = storage
        .mapped_devices
        .iter()
        .filter(|mapped| mapped.kind == Some(MapKind::Multipath));
    for mapped in mapped {
        let name = mapped.name.as_ref().unwrap_or(&mapped.id).clone();
        let ways = mapped
            .now
            .ways
            .iter()
            .map(|way| (way.id.clone(), is_usable(way)));
        devices.insert(name, ways.collect());
    }
    for way in &storage.nvme_namespaces {
        let (Some(head), Some(controller)) = (head(storage, &way.id), &way.controller) else {
            continue;
        };
        let mut controllers = storage.nvme_controllers.iter();
        let state = controllers.find(|one| one.id == *controller);
        let live = state.is_none_or(|one| one.state == Some(ControllerState::Live));
        let closed = matches!(
            way.ana_state,
            Some(AnaState::Inaccessible | AnaState::PersistentLoss)
        );
        let name = head.wwid.as_ref().unwrap_or(&head.id).clone();
        let ways = devices.entry(name).or_default();
        ways.push((controller.clone(), live && !closed));
    }
    devices
}

/// The namespace that `nvme0c1n1` is a way to: `nvme0n1`.
fn head<'a>(storage: &'a Storage, way: &str) -> Option<&'a NvmeNamespace> {
    let (subsystem, rest) = way.split_once('c')?;
    let (_, number) = rest.split_once('n')?;
    let id = format!("{subsystem}n{number}");
    storage
        .nvme_namespaces
        .iter()
        .find(|namespace| namespace.id == id)
}

/// A way on standby, or a slower one, is as good as any should the best be lost.
fn is_usable(way: &Way) -> bool {
    let runs = way
        .state
        .as_ref()
        .is_none_or(|state| *state == DeviceState::Running);
    let open = !matches!(
        way.access,
        Some(AccessState::Unavailable | AccessState::Offline)
    );
    runs && open
}

#[cfg(test)]
mod tests;
