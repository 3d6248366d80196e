//! What a part is called in an entity: by what is printed on it, since the kernel's names are others after a boot.

use libhw::device::storage::{Disk, NvmeController};

/// A drive: its serial number, else its world-wide name, else the kernel's name.
pub(crate) fn of_disk(disk: &Disk) -> &str {
    let known = disk.serial.as_deref().or(disk.wwn.as_deref());
    known.unwrap_or(&disk.id)
}

/// An NVMe controller: as its drive.
pub(crate) fn of_controller(controller: &NvmeController) -> &str {
    controller.serial.as_deref().unwrap_or(&controller.id)
}
