//! What NVIDIA's numbers mean, after its catalogue of XID errors (docs.nvidia.com/deploy/xid-errors), in short.

use serde::{Deserialize, Serialize};

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
    /// The machine is restarted: the device cannot be reached.
    RestartMachine,
    /// Somebody looks at cables, seating and power.
    CheckBoard,
    /// NVIDIA or the vendor is asked when it comes again.
    AskVendor,
    /// What is not in the table.
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

const fn row(number: u32, area: XidArea, action: XidAction, words: &'static str) -> Meaning {
    Meaning {
        number,
        area,
        action,
        words,
    }
}

use XidAction::{AskVendor, CheckBoard, None, ResetDevice, RestartMachine, RestartProgram};
use XidArea::{Board, Bus, Device, Display, Driver, Engine, Firmware, Memory, Nvlink, Program};

/// By number.
const MEANINGS: &[Meaning] = &[
    row(
        8,
        Program,
        RestartProgram,
        "a channel made no progress in time",
    ),
    row(
        12,
        Driver,
        AskVendor,
        "the driver could not handle an exception of the device",
    ),
    row(
        13,
        Program,
        RestartProgram,
        "the graphics or compute engine met an invalid operation",
    ),
    row(16, Display, AskVendor, "the display engine hangs"),
    row(
        18,
        Bus,
        AskVendor,
        "the device may not write to the host's memory",
    ),
    row(
        24,
        Program,
        RestartProgram,
        "a semaphore was not released in time",
    ),
    row(25, Program, RestartProgram, "a command stream is invalid"),
    row(
        26,
        Memory,
        AskVendor,
        "the device's memory did not answer in time",
    ),
    row(
        31,
        Program,
        RestartProgram,
        "a program reached for memory that is not its own",
    ),
    row(32, Program, RestartProgram, "a command stream is damaged"),
    row(
        37,
        Driver,
        AskVendor,
        "the driver and its firmware disagree",
    ),
    row(
        38,
        Driver,
        RestartProgram,
        "the driver's firmware met an error",
    ),
    row(39, Engine, RestartProgram, "copy engine 0 met an error"),
    row(40, Engine, RestartProgram, "copy engine 1 met an error"),
    row(41, Engine, RestartProgram, "copy engine 2 met an error"),
    row(
        42,
        Engine,
        RestartProgram,
        "the video processor met an error",
    ),
    row(
        43,
        Program,
        None,
        "a channel was stopped for an error of its program",
    ),
    row(
        44,
        Device,
        AskVendor,
        "the engine failed while it changed from one program to another",
    ),
    row(
        45,
        Program,
        None,
        "channels were cleaned up after an error, or because their program ended",
    ),
    row(
        46,
        Device,
        ResetDevice,
        "the device stopped working on its commands",
    ),
    row(
        47,
        Engine,
        RestartProgram,
        "the video processor met an error",
    ),
    row(48, Memory, ResetDevice, "an ECC error was not corrected"),
    row(54, Board, CheckBoard, "a power cable is missing"),
    row(56, Display, AskVendor, "the display engine met an error"),
    row(
        57,
        Memory,
        AskVendor,
        "the memory's interface cannot be set up",
    ),
    row(58, Memory, AskVendor, "the memory's interface is unstable"),
    row(59, Firmware, AskVendor, "a controller met an error"),
    row(
        60,
        Engine,
        RestartProgram,
        "the video processor met an error",
    ),
    row(
        61,
        Firmware,
        ResetDevice,
        "the power controller stopped at a breakpoint or warns",
    ),
    row(62, Firmware, ResetDevice, "the power controller halted"),
    row(
        63,
        Memory,
        None,
        "a page or row is taken out of use at the next reset",
    ),
    row(
        64,
        Memory,
        ResetDevice,
        "a page or row could not be taken out of use",
    ),
    row(65, Engine, RestartProgram, "the video encoder met an error"),
    row(
        66,
        Driver,
        RestartProgram,
        "the driver reached for what it may not",
    ),
    row(
        67,
        Driver,
        RestartProgram,
        "the driver reached for what it may not",
    ),
    row(68, Engine, RestartProgram, "the video decoder met an error"),
    row(
        69,
        Program,
        RestartProgram,
        "the graphics or compute engine got an invalid command",
    ),
    row(70, Engine, RestartProgram, "copy engine 3 met an error"),
    row(71, Engine, RestartProgram, "copy engine 4 met an error"),
    row(72, Engine, RestartProgram, "copy engine 5 met an error"),
    row(73, Engine, RestartProgram, "video encoder 2 met an error"),
    row(74, Nvlink, ResetDevice, "an NVLink met an error"),
    row(75, Engine, RestartProgram, "copy engine 6 met an error"),
    row(76, Engine, RestartProgram, "copy engine 7 met an error"),
    row(77, Engine, RestartProgram, "copy engine 8 met an error"),
    row(78, Driver, AskVendor, "a virtual GPU could not start"),
    row(79, Bus, RestartMachine, "the device fell off the bus"),
    row(80, Bus, AskVendor, "data came to the device damaged"),
    row(81, Display, AskVendor, "the VGA part met an error"),
    row(82, Engine, RestartProgram, "the JPEG engine met an error"),
    row(83, Engine, RestartProgram, "video decoder 1 met an error"),
    row(84, Engine, RestartProgram, "video decoder 2 met an error"),
    row(85, Engine, RestartProgram, "copy engine 9 met an error"),
    row(
        86,
        Engine,
        RestartProgram,
        "the optical flow engine met an error",
    ),
    row(88, Engine, RestartProgram, "video decoder 3 met an error"),
    row(89, Engine, RestartProgram, "video decoder 4 met an error"),
    row(
        92,
        Memory,
        AskVendor,
        "corrected ECC errors come at a high rate",
    ),
    row(
        93,
        Board,
        None,
        "the configuration memory is written more often than it is meant to be",
    ),
    row(
        94,
        Memory,
        RestartProgram,
        "an ECC error was not corrected, and only one program met it",
    ),
    row(
        95,
        Memory,
        ResetDevice,
        "an ECC error was not corrected, and every program may have met it",
    ),
    row(
        109,
        Device,
        ResetDevice,
        "changing from one program to another took too long",
    ),
    row(110, Device, ResetDevice, "a security check failed"),
    row(
        111,
        Display,
        AskVendor,
        "the display engine met several errors",
    ),
    row(
        112,
        Display,
        AskVendor,
        "the display supervisor met an error",
    ),
    row(
        113,
        Display,
        AskVendor,
        "a DisplayPort link could not be trained",
    ),
    row(114, Display, AskVendor, "the display ran out of data"),
    row(
        119,
        Firmware,
        ResetDevice,
        "the GPU System Processor did not answer in time",
    ),
    row(
        120,
        Firmware,
        ResetDevice,
        "the GPU System Processor met an error",
    ),
    row(
        121,
        Bus,
        None,
        "the link to the processor (C2C) met a corrected error",
    ),
    row(
        122,
        Board,
        AskVendor,
        "the configuration memory cannot be read",
    ),
    row(
        123,
        Board,
        AskVendor,
        "the configuration memory cannot be written",
    ),
    row(
        124,
        Board,
        AskVendor,
        "the configuration memory cannot be erased",
    ),
    row(
        125,
        Board,
        AskVendor,
        "the configuration memory's file system is damaged",
    ),
    row(
        137,
        Nvlink,
        RestartProgram,
        "an access over NVLink was refused",
    ),
    row(
        140,
        Memory,
        ResetDevice,
        "an ECC error was met that nothing recovered from",
    ),
    row(
        143,
        Device,
        ResetDevice,
        "the device could not be initialised",
    ),
    row(
        144,
        Nvlink,
        ResetDevice,
        "NVLink: its transaction layer (SAW) met an error",
    ),
    row(
        145,
        Nvlink,
        ResetDevice,
        "NVLink: its receive path (RLW) met an error",
    ),
    row(
        146,
        Nvlink,
        ResetDevice,
        "NVLink: its transmit path (TLW) met an error",
    ),
    row(
        147,
        Nvlink,
        ResetDevice,
        "NVLink: its test engine (TREX) met an error",
    ),
    row(
        148,
        Nvlink,
        ResetDevice,
        "NVLink: its power control met an error",
    ),
    row(
        149,
        Nvlink,
        ResetDevice,
        "NVLink: its network interface (NETIR) met an error",
    ),
    row(
        150,
        Nvlink,
        ResetDevice,
        "NVLink: its management (MSE) met an error",
    ),
    row(
        151,
        Device,
        ResetDevice,
        "the keys of confidential computing could not be changed",
    ),
    row(
        154,
        Device,
        None,
        "the driver says what it takes to recover: see the text",
    ),
    row(155, Nvlink, AskVendor, "NVLink: its software met an error"),
    row(
        156,
        Memory,
        ResetDevice,
        "a part of the device is taken out of use",
    ),
    row(
        157,
        Memory,
        AskVendor,
        "a part of the device could not be taken out of use",
    ),
    row(
        158,
        Device,
        ResetDevice,
        "the device did not answer in time, and cannot go on",
    ),
    row(
        160,
        Memory,
        ResetDevice,
        "a memory channel is taken out of use",
    ),
    row(
        161,
        Memory,
        AskVendor,
        "a memory channel could not be taken out of use",
    ),
    row(
        171,
        Memory,
        None,
        "with 48: the uncorrected error was in DRAM",
    ),
    row(
        172,
        Memory,
        None,
        "with 48: the uncorrected error was in SRAM",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_row_says_something() {
        assert!(MEANINGS.is_sorted_by(|a, b| a.number < b.number));
        assert!(MEANINGS.iter().all(|row| !row.words.is_empty()));
        let fallen = of(79).unwrap();
        assert_eq!((fallen.area, fallen.action), (Bus, RestartMachine));
        assert!(of(0).is_none() && of(9999).is_none());
    }
}
