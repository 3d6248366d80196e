//! What NVIDIA's numbers mean, in short.
//!
//! From the catalogue for Ampere and newer (docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html: its column
//! of immediate actions); what that calls unused, from the one for older devices (docs.nvidia.com/deploy/xid-errors/archive).
//! The names of the numbers are in `src/common/sdk/nvidia/inc/nverror.h` of open-gpu-kernel-modules.

use serde::{Deserialize, Serialize};

use table::MEANINGS;

mod table;

/// What an error concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum XidArea {
    /// A program that uses the device, most often; the device itself seldom.
    Program,
    /// The driver, or what it told the device to do.
    Driver,
    /// The device's own firmware: the GPU System Processor, or another of its controllers.
    Firmware,
    /// The device's memory.
    Memory,
    /// The device as a whole.
    Device,
    /// PCI Express, or the link to the processor.
    Bus,
    /// NVLink.
    Nvlink,
    /// The board: its power, its configuration memory.
    Board,
    /// The video and copy engines.
    Engine,
    /// The display.
    Display,
    /// What is not in the table.
    #[default]
    #[serde(other)]
    Unknown,
}

/// What is done about an error first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum XidAction {
    /// Nothing: it is told for the record, or with another that says what to do.
    None,
    /// The program that met it is started again; when it comes back, the program is looked at.
    RestartProgram,
    /// The device is reset, once nothing uses it.
    ResetDevice,
    /// The machine, or the virtual one that has the device, is restarted.
    RestartMachine,
    /// Driver and firmware are brought to versions that go together.
    UpdateSoftware,
    /// The rest of the line, or number 154 beside it, says what: it depends on where the error was met.
    SeeText,
    /// Somebody looks at cables, seating and power.
    CheckBoard,
    /// NVIDIA or the vendor is asked when it comes again.
    AskVendor,
    /// The catalogue does not say, or it is not in the table.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    number: u32,
    pub(super) area: XidArea,
    pub(super) action: XidAction,
    pub(super) words: &'static str,
}

pub(super) fn of(number: u32) -> Option<&'static Meaning> {
    let place = MEANINGS.binary_search_by_key(&number, |meaning| meaning.number);
    MEANINGS.get(place.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use XidAction::RestartMachine;
    use XidArea::Bus;

    #[test]
    fn the_table_is_in_order_and_every_row_says_something() {
        assert!(MEANINGS.is_sorted_by(|a, b| a.number < b.number));
        assert!(MEANINGS.iter().all(|row| !row.words.is_empty()));
        let fallen = of(79).unwrap();
        assert_eq!((fallen.area, fallen.action), (Bus, RestartMachine));
        assert!(of(0).is_none() && of(9999).is_none());
    }
}
