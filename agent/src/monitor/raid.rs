//! RAID arrays of the md driver (Documentation/admin-guide/md.rst).

use libhw::device::storage::{Array, ArrayLevel, ArrayState, MemberState};
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::told::Told;

const DEGRADED: &str = "hw.storage.raid-degraded";
const FAILED: &str = "hw.storage.raid-failed";
const MISMATCH: &str = "hw.storage.raid-mismatch";

const NAME: &str = "raid";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "software RAID: arrays that lack a device, that failed, and those whose copies differ",
    alarms: &[DEGRADED, FAILED, MISMATCH],
    interval: seconds(30),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Storage],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let storage = look.inventory.storage.as_ref().ok_or(NOT_READ)?;
        has(
            !storage.arrays.is_empty(),
            "there is no array of the md driver here",
        )
    },
    make: |table, _| Ok(Box::new(Raid(settings(table)?))),
};

struct Raid(Only);

impl Monitor for Raid {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(storage) = &look.inventory.storage else {
            return told.failed(NOT_READ);
        };
        for array in storage
            .arrays
            .iter()
            .filter(|array| !self.0.ignore.has(&array.id))
        {
            tell(array, &mut told);
        }
        told.end(look.lists(Class::Storage, &["sys/block"]))
    }
}

fn tell(array: &Array, told: &mut Told) {
    let entity = told.entity(&[("array", &array.id)]);
    let id = &array.id;
    let faulty = array
        .members
        .iter()
        .filter(|member| member.state.contains(&MemberState::Faulty));
    let faulty: Vec<&str> = faulty.map(|member| member.id.as_str()).collect();
    if let Some(missing) = array.degraded {
        let action = array
            .sync_action
            .as_ref()
            .map(|action| format!("{action:?}").to_lowercase());
        let done = array.now.sync_done_bytes.zip(array.now.sync_total_bytes);
        told.say(DEGRADED, &entity)
            .with("missing", missing)
            .with_some("of", array.raid_disks)
            .with("faulty", faulty.join(", "))
            .with_some("action", action)
            .with_some("done", done.map(|(done, all)| format!("{done} of {all}")))
            .fault(missing > 0, &format!("{id}: the array lacks devices"));
    }
    if let Some(state) = &array.state {
        told.say(FAILED, &entity)
            .with("array_state", format!("{state:?}").to_lowercase())
            .fault(
                *state == ArrayState::Broken,
                &format!("{id}: the array has failed"),
            );
    }
    // Copies of swap differ by nature, so of mirrors it says nothing.
    let parity = matches!(
        array.level,
        Some(ArrayLevel::Raid4 | ArrayLevel::Raid5 | ArrayLevel::Raid6)
    );
    if let Some(bytes) = array.now.mismatch_bytes.filter(|_| parity) {
        told.say(MISMATCH, &entity)
            .with("mismatch_cnt", bytes)
            .fault(
                bytes.0 > 0,
                &format!("{id}: the last check found data and parity to differ"),
            );
    }
}

#[cfg(test)]
mod tests;
