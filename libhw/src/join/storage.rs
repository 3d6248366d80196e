//! Disks and sensors: which function they hang off, what a device is made of, and what is mounted on it.

use std::collections::BTreeSet;

use crate::device::sensor::{Channel, Chip, Sensor};
use crate::device::storage::{Disk, Mount, NvmeController, Storage};
use crate::inventory::Inventory;

/// The disks that hang off a PCI function.
pub fn disks_of_function<'a>(
    inventory: &'a Inventory,
    function: &'a str,
) -> impl Iterator<Item = &'a Disk> {
    let disks = inventory.storage.iter().flat_map(|class| &class.disks);
    disks.filter(move |disk| disk.function.as_deref() == Some(function))
}

/// The sensor chips that are a PCI function, or hang off it.
pub fn chips_of_function<'a>(
    inventory: &'a Inventory,
    function: &'a str,
) -> impl Iterator<Item = &'a Chip> {
    chips(inventory).filter(move |chip| chip.function.as_deref() == Some(function))
}

/// The channels of a chip.
pub fn channels_of_chip<'a>(
    inventory: &'a Inventory,
    chip: &'a Chip,
) -> impl Iterator<Item = &'a Channel> {
    let channels = inventory.sensor.iter().flat_map(|class| &class.channels);
    channels.filter(move |channel| channel.chip == chip.id)
}

/// The chip that measures a disk: that of its SCSI device (drivetemp). An NVMe disk's is its controller's.
#[must_use]
pub fn chip_of_disk<'a>(inventory: &'a Inventory, disk: &Disk) -> Option<&'a Chip> {
    let address = disk.scsi_address.as_deref()?;
    chips(inventory).find(|chip| chip.device.as_deref() == Some(address))
}

/// The chip that measures an NVMe controller.
#[must_use]
pub fn chip_of_controller<'a>(
    inventory: &'a Inventory,
    controller: &NvmeController,
) -> Option<&'a Chip> {
    chips(inventory).find(|chip| chip.device.as_deref() == Some(controller.id.as_str()))
}

/// The drives that a block device is made of, in the end: through partitions, mapped devices and arrays. That of a
/// drive is itself.
#[must_use]
pub fn drives_below<'a>(inventory: &'a Inventory, id: &str) -> Vec<&'a Disk> {
    let Some(storage) = &inventory.storage else {
        return Vec::new();
    };
    // A captured inventory may go round in circles.
    let mut seen = BTreeSet::new();
    let mut todo = vec![id];
    let mut drives = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let below = below(storage, id);
        if below.is_empty() {
            drives.insert(id);
        }
        todo.extend(below);
    }
    let disks = storage.disks.iter();
    disks
        .filter(|disk| drives.contains(disk.id.as_str()))
        .collect()
}

/// The file systems that are mounted of a block device, of its partitions, or of what is made of them.
#[must_use]
pub fn mounts_on<'a>(inventory: &'a Inventory, id: &str) -> Vec<&'a Mount> {
    let Some(storage) = &inventory.storage else {
        return Vec::new();
    };
    let numbered = |mount: &&Mount| {
        let device = device_of(storage, mount);
        device.is_some_and(|device| is_part(storage, device, id))
    };
    storage.mounts.iter().filter(numbered).collect()
}

fn chips(inventory: &Inventory) -> impl Iterator<Item = &Chip> {
    inventory
        .sensor
        .iter()
        .flat_map(|class: &Sensor| &class.chips)
}

/// What a block device is made of: its members, or the disk that it is a part of.
fn below<'a>(storage: &'a Storage, id: &str) -> Vec<&'a str> {
    let partition = storage.partitions.iter().find(|part| part.id == id);
    let slaves = storage.disks.iter().find(|disk| disk.id == id);
    let array = storage.arrays.iter().find(|array| array.id == id);
    let slaves = slaves.into_iter().flat_map(|disk| &disk.slaves);
    let members = array.into_iter().flat_map(|array| &array.members);
    let names = partition.map(|part| &part.disk).into_iter().chain(slaves);
    names
        .chain(members.map(|member| &member.id))
        .map(String::as_str)
        .collect()
}

/// The block device that a file system is mounted from.
fn device_of<'a>(storage: &'a Storage, mount: &Mount) -> Option<&'a str> {
    let number = Some(mount.device_number.as_str());
    let disk = storage
        .disks
        .iter()
        .find(|disk| disk.device_number.as_deref() == number);
    let part = || {
        storage
            .partitions
            .iter()
            .find(|part| part.device_number.as_deref() == number)
    };
    disk.map(|disk| disk.id.as_str())
        .or_else(|| Some(part()?.id.as_str()))
}

/// Whether `id` is `device`, or stands somewhere between it and its drives, these counted in.
fn is_part(storage: &Storage, device: &str, id: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![device];
    while let Some(device) = todo.pop() {
        if device == id {
            return true;
        }
        if seen.insert(device) {
            todo.extend(below(storage, device));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Class;
    use crate::tree::Tree;

    fn machine() -> Tree {
        let tree = Tree::new(&[
            (
                "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda/size",
                "100",
            ),
            (
                "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1/partition",
                "1",
            ),
            (
                "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/hwmon/hwmon1/name",
                "drivetemp",
            ),
            (
                "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/hwmon/hwmon1/temp1_label",
                "x",
            ),
            ("sys/block/md0/md/dev-sda1/state", "in_sync"),
            ("sys/block/md0/md/level", "raid1"),
            ("sys/block/dm-0/dev", "253:0"),
            ("sys/block/dm-0/dm/name", "vg-root"),
            ("sys/block/dm-0/slaves/md0/x", ""),
            (
                "proc/self/mountinfo",
                "1 1 253:0 / / rw - ext4 /dev/dm-0 rw\n2 1 0:9 / /tmp rw - tmpfs t rw\n",
            ),
        ]);
        let way = "devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0";
        tree.link("sys/block/sda", &format!("../{way}/block/sda"));
        tree.link(&format!("sys/{way}/block/sda/device"), "../../../0:0:0:0");
        tree.link(
            "sys/class/hwmon/hwmon1",
            &format!("../../{way}/hwmon/hwmon1"),
        );
        tree.link(
            &format!("sys/{way}/hwmon/hwmon1/device"),
            "../../../0:0:0:0",
        );
        tree
    }

    #[test]
    fn a_volume_is_followed_down_to_its_drive_and_its_sensor() {
        let tree = machine();
        let mut inventory = tree.discover(Class::Storage);
        inventory.sensor = tree.discover(Class::Sensor).sensor;
        let drives = drives_below(&inventory, "dm-0");
        assert_eq!(
            drives
                .iter()
                .map(|drive| drive.id.as_str())
                .collect::<Vec<_>>(),
            ["sda"]
        );
        for id in ["sda", "sda1", "md0", "dm-0"] {
            let mounts: Vec<_> = mounts_on(&inventory, id)
                .iter()
                .map(|mount| mount.id.as_str())
                .collect();
            assert_eq!(mounts, ["/"], "{id}");
        }
        assert_eq!(mounts_on(&inventory, "sdb").len(), 0);
        let chip = chip_of_disk(&inventory, drives[0]).unwrap();
        assert_eq!(channels_of_chip(&inventory, chip).count(), 1);
        assert_eq!(disks_of_function(&inventory, "0000:00:1f.2").count(), 1);
        assert_eq!(
            chips_of_function(&inventory, "0000:00:1f.2").next(),
            Some(chip)
        );
    }

    #[test]
    fn an_inventory_that_goes_round_in_circles_ends() {
        let tree = Tree::new(&[
            ("sys/block/dm-0/dm/name", "a"),
            ("sys/block/dm-0/slaves/dm-1/x", ""),
            ("sys/block/dm-1/dm/name", "b"),
            ("sys/block/dm-1/slaves/dm-0/x", ""),
        ]);
        let inventory = tree.discover(Class::Storage);
        assert_eq!(drives_below(&inventory, "dm-0").len(), 0);
        assert_eq!(mounts_on(&inventory, "dm-0").len(), 0);
    }
}
