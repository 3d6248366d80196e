//! Trusted platform modules that refuse to serve.

use libhw::device::tpm::Version;
use libhw::inventory::Class;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::told::Told;

const LOCKOUT: &str = "hw.tpm.lockout";
const DISABLED: &str = "hw.tpm.disabled";

const NAME: &str = "tpm";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "trusted platform modules: lockout after wrong authorisations, and modules that are switched off",
    alarms: &[LOCKOUT, DISABLED],
    interval: seconds(3600),
    deadline: seconds(30),
    cost: Cost::High,
    classes: &[Class::Tpm],
    reading: Reading::Deep,
    blocks: true,
    available: |look| {
        let tpm = look.inventory.tpm.as_ref().ok_or(NOT_READ)?;
        has(
            !tpm.chips.is_empty(),
            "there is no trusted platform module here",
        )
    },
    make: |table, _| Ok(Box::new(Tpms(settings(table)?))),
};

struct Tpms(Only);

impl Monitor for Tpms {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(tpm) = &look.inventory.tpm else {
            return told.failed(NOT_READ);
        };
        for chip in tpm.chips.iter().filter(|chip| !self.0.ignore.has(&chip.id)) {
            let Some(deep) = &chip.deep else { continue };
            let entity = told.entity(&[("tpm", &chip.id)]);
            if let Some(locked) = deep.in_lockout {
                told.say(LOCKOUT, &entity)
                    .with_some("wrong authorisations", deep.lockout_counter)
                    .with_some("limit", deep.lockout_limit)
                    .fault(
                        locked,
                        &format!(
                            "{}: refuses authorisations after too many wrong ones",
                            chip.id
                        ),
                    );
            }
            if chip.version == Some(Version::One) {
                let off = deep.enabled == Some(false) || deep.deactivated == Some(true);
                told.say(DISABLED, &entity)
                    .with_some("enabled", deep.enabled)
                    .with_some("active", deep.active)
                    .with_some("temp_deactivated", deep.deactivated)
                    .fault(off, &format!("{}: the module is switched off", chip.id));
            }
        }
        told.end(look.lists(Class::Tpm, &["sys/class/tpm"]))
    }
}

#[cfg(test)]
mod tests;
