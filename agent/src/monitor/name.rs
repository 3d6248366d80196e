//! What a part is called in an entity: by what is printed on it, since the kernel's names are others after a boot.

use libhw::device::storage::{Disk, NvmeController, Storage};

/// A drive: its serial number, else its world-wide name, else the kernel's name.
pub(crate) fn of_disk(disk: &Disk) -> &str {
    let known = disk.serial.as_deref().or(disk.wwn.as_deref());
    known.unwrap_or(&disk.id)
}

/// An NVMe controller: as its drive.
pub(crate) fn of_controller(controller: &NvmeController) -> &str {
    controller.serial.as_deref().unwrap_or(&controller.id)
}

/// What a disk is in an entity: a drive, and where several ways lead to it, also the kernel's name of the way.
pub(crate) fn way_of_disk<'a>(storage: &Storage, disk: &'a Disk) -> Vec<(&'static str, &'a str)> {
    let name = of_disk(disk);
    let several = storage
        .disks
        .iter()
        .filter(|other| of_disk(other) == name)
        .count()
        > 1;
    pairs(name, &disk.id, several)
}

/// The same of an NVMe controller.
pub(crate) fn way_of_controller<'a>(
    storage: &Storage,
    controller: &'a NvmeController,
) -> Vec<(&'static str, &'a str)> {
    let name = of_controller(controller);
    let others = storage.nvme_controllers.iter();
    let several = others.filter(|other| of_controller(other) == name).count() > 1;
    pairs(name, &controller.id, several)
}

fn pairs<'a>(name: &'a str, id: &'a str, several: bool) -> Vec<(&'static str, &'a str)> {
    let way = several.then_some(("way", id));
    [("disk", name)].into_iter().chain(way).collect()
}
