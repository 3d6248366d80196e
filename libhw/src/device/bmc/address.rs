//! Where the registers of a system interface are, or which address it has on a bus.

use serde::{Deserialize, Serialize};

use crate::word::words;

words! {
    /// A space of addresses.
    pub enum AddressSpace {
        /// I/O ports.
        Io = "io",
        /// Memory.
        Memory = "memory",
        /// SMBus or I2C: an address of 7 bits.
        I2c = "i2c",
    }
}

/// A place in a space of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Address {
    /// Which space.
    pub space: AddressSpace,
    /// The first register's, or the device's, address there.
    pub base: u64,
}
