//! Block devices as the kernel sees them: given up, commands that fail, ways to storage that are lost.

use libhw::device::storage::{ControllerState, DeviceState, FcPortState, Storage};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::name;
use crate::monitor::remembered::{First, Remembered, Span};
use crate::monitor::told::Told;

const OFFLINE: &str = "hw.storage.offline";
const ERRORS: &str = "hw.storage.command-errors";
const TIMEOUTS: &str = "hw.storage.timeouts";
const PORT: &str = "hw.storage.port-down";

const NAME: &str = "block";
const BLOCK: &str = "sys/block";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "block devices: those that the kernel gave up, commands that failed or did not end, Fibre Channel ports",
    alarms: &[OFFLINE, ERRORS, TIMEOUTS, PORT],
    interval: seconds(30),
    deadline: seconds(5),
    cost: Cost::Medium,
    classes: &[Class::Storage],
    reading: Reading::Anew,
    blocks: false,
    available: |look| {
        let storage = look.inventory.storage.as_ref().ok_or(NOT_READ)?;
        let any = !storage.disks.is_empty() || !storage.nvme_controllers.is_empty();
        has(any, "there is no block device here")
    },
    make: |table, remembered| {
        Ok(Box::new(Blocks {
            settings: settings(table)?,
            remembered,
        }))
    },
};

struct Blocks {
    settings: Only,
    remembered: Remembered,
}

impl Monitor for Blocks {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(storage) = &look.inventory.storage else {
            return told.failed(NOT_READ);
        };
        self.remembered.begin(look.boot);
        self.disks(storage, &mut told);
        self.controllers(storage, &mut told);
        self.ports(storage, &mut told);
        let complete = look.lists(Class::Storage, &[BLOCK]);
        self.remembered.end(complete);
        told.end(complete)
    }

    fn remembered(&self) -> Option<&Remembered> {
        Some(&self.remembered)
    }
}

impl Blocks {
    fn disks(&mut self, storage: &Storage, told: &mut Told) {
        for disk in storage
            .disks
            .iter()
            .filter(|disk| !self.settings.ignore.has(&disk.id))
        {
            let entity = told.entity(&name::way_of_disk(storage, disk));
            let called = match &disk.model {
                Some(model) => format!("{} ({model})", disk.id),
                None => disk.id.clone(),
            };
            if let Some(state) = &disk.state {
                let offline = matches!(state, DeviceState::Offline | DeviceState::TransportOffline);
                told.say(OFFLINE, &entity)
                    .with("state", format!("{state:?}").to_lowercase())
                    .with_some("serial", disk.serial.as_ref())
                    .fault(offline, &format!("{called}: the kernel gave the device up"));
            }
            let Some(errors) = &disk.now.errors else {
                continue;
            };
            let counts = [
                (ERRORS, errors.errors, "commands to the device failed"),
                (
                    TIMEOUTS,
                    errors.timeouts,
                    "commands to the device did not end in time",
                ),
            ];
            for (alarm, count, wrong) in counts {
                let name = format!("{} {} {alarm}", name::of_disk(disk), disk.id);
                if let Some(by) = self
                    .remembered
                    .growth((Span::Boot, First::Begins), &name, count)
                {
                    let saying = told.say(alarm, &entity).with_some("count", count);
                    saying
                        .with_some("commands", errors.requests)
                        .grew(by, &format!("{called}: {wrong}"));
                }
            }
        }
    }

    fn controllers(&self, storage: &Storage, told: &mut Told) {
        for controller in &storage.nvme_controllers {
            let Some(state) = controller
                .state
                .as_ref()
                .filter(|_| !self.settings.ignore.has(&controller.id))
            else {
                continue;
            };
            let entity = told.entity(&name::way_of_controller(storage, controller));
            told.say(OFFLINE, &entity)
                .with("state", format!("{state:?}").to_lowercase())
                .with_some("model", controller.model.as_ref())
                .with_some("serial", controller.serial.as_ref())
                .fault(
                    *state == ControllerState::Dead,
                    &format!("{}: the kernel gave the controller up", controller.id),
                );
        }
    }

    /// A port without a cable is no fault: one that was connected is.
    fn ports(&mut self, storage: &Storage, told: &mut Told) {
        for host in &storage.fc_hosts {
            let name = host.port_name.as_deref().unwrap_or(&host.id);
            let Some(state) = &host.now.state else {
                continue;
            };
            let online = *state == FcPortState::Online;
            let was = self
                .remembered
                .ever(Span::Life, &format!("{name} online"), online);
            let down = matches!(
                state,
                FcPortState::Linkdown | FcPortState::Offline | FcPortState::Error
            );
            let entity = told.entity(&[("port", name)]);
            told.say(PORT, &entity)
                .with("state", state)
                .with("host", &host.id)
                .fault(
                    was && down,
                    &format!("{}: Fibre Channel port lost its link", host.id),
                );
        }
    }
}

#[cfg(test)]
mod tests;
