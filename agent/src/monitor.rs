//! What is watched, as a table: a row and a file for each monitor.
//!
//! A monitor looks at what libhw read and says what it sees; it holds no alarm and judges nothing that the catalogue or the
//! thing's own limits judge. A row says how often it looks, what is read for it, and whether that reading may hang.

use crate::monitor::look::Row;

pub(crate) mod look;
pub(crate) mod name;
pub(crate) mod remembered;
pub(crate) mod told;

mod block;
mod boot;
mod cpu;
mod crypto;
mod dpll;
mod drift;
mod drive;
mod filesystem;
mod gpu;
mod hugepages;
mod machine_check;
mod memory;
mod multipath;
mod nic;
mod pcie;
mod raid;
mod sensor;
mod thermal;
mod tpm;
mod transceiver;

/// Every monitor of the hardware.
pub(crate) const MONITORS: &[Row] = &[
    sensor::ROW,
    sensor::SLOW_ROW,
    thermal::ROW,
    memory::ROW,
    machine_check::ROW,
    cpu::ROW,
    hugepages::ROW,
    pcie::ROW,
    nic::ROW,
    transceiver::ROW,
    dpll::ROW,
    filesystem::ROW,
    filesystem::REMOTE_ROW,
    block::ROW,
    drive::ROW,
    raid::ROW,
    multipath::ROW,
    gpu::ROW,
    crypto::ROW,
    tpm::ROW,
    boot::ROW,
    drift::ROW,
];

#[cfg(test)]
mod scene;
#[cfg(test)]
mod tests;
