//! CXL memory devices.

use libhw::device::memory::{CxlSecurity, Memory};

use crate::table::{Cell, Column, Table};

pub(super) fn table(memory: &Memory) -> Table {
    let mut table = Table::new(&[
        Column::Left("CXL memory"),
        Column::Left("function"),
        Column::Right("node"),
        Column::Right("volatile"),
        Column::Right("persistent"),
        Column::Wrap("firmware"),
        Column::Left("security"),
    ]);
    for device in &memory.cxl {
        table.row([
            device.id.as_str().into(),
            Cell::of(device.function.as_ref()),
            Cell::of(device.node.as_ref()),
            Cell::of(device.volatile_bytes.as_ref()),
            Cell::of(device.persistent_bytes.as_ref()),
            Cell::of(device.firmware_version.as_ref()),
            device.now.security.as_ref().map_or("", security).into(),
        ]);
    }
    table
}

const fn security(state: &CxlSecurity) -> &str {
    match state {
        CxlSecurity::Disabled => "disabled",
        CxlSecurity::Locked => "locked",
        CxlSecurity::Unlocked => "unlocked",
        CxlSecurity::Frozen => "frozen",
        CxlSecurity::Sanitize => "being erased",
        CxlSecurity::Other(word) => word.as_str(),
    }
}
