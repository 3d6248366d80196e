//! Storage: block devices and what they are made of, NVMe controllers, RAID arrays, mapped devices, and mounts.
//!
//! From /sys/block (`Documentation/ABI/stable/sysfs-block`, `Documentation/ABI/testing/sysfs-block`), /sys/class/nvme
//! and /sys/class/nvme-subsystem, the md and dm directories in /sys/block (`Documentation/admin-guide/md.rst`,
//! `Documentation/ABI/testing/sysfs-block-dm`), /proc/diskstats (`Documentation/admin-guide/iostats.rst`),
//! /proc/self/mountinfo (`Documentation/filesystems/proc.rst`) and, for what the kernel does not look at itself (the
//! kind of a file system, a partition's type), udev's database in /run/udev/data. The ports of Fibre Channel and SAS are in
//! /sys/class/fc_host and /sys/class/sas_phy.
//!
//! What the kernel has in memory is read always. A drive itself is asked, for its health, only in a deep look: by
//! commands that read, each with a deadline, and one that sleeps is left asleep. How full a file system is, is asked
//! with a deadline too; one that a server far away answers for, only in a deep look.

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

mod ata;
mod attributes;
mod disk;
mod drive;
mod fc;
mod mapped;
mod md;
mod mount;
mod nvme;
mod opal;
mod partition;
mod sas;
mod scsi;
mod statistics;
mod transport;
mod udev;
mod update;

pub use ata::{AtaAttribute, AtaHealth, AtaSecurity, PowerMode, SelfTest};
pub use disk::{DeviceState, Disk, DiskNow, ErrorCounts, WriteCache, Zoned};
pub use fc::{FcHost, FcHostNow, FcPortState};
pub use mapped::{AccessState, Loop, MapKind, MappedDevice, MappedNow, Way};
pub use md::{Array, ArrayLevel, ArrayNow, ArrayState, Member, MemberState, SyncAction};
pub use mount::{Mount, MountNow};
pub use nvme::{
    AnaState, ControllerState, CriticalWarning, NvmeController, NvmeFirmware, NvmeHealth,
    NvmeIdentity, NvmeNamespace, NvmeSubsystem,
};
pub use opal::Opal;
pub use partition::{Content, Partition};
pub use sas::{SasErrors, SasPhy, SasPhyNow, SasPhyState};
pub use scsi::{ScsiErrors, ScsiHealth};
pub use statistics::Statistics;
pub use transport::Transport;
pub(crate) use update::update;

/// The storage of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Storage {
    /// Whole block devices, real and virtual, by name; virtual ones of size 0, which hold nothing yet, are left out.
    pub disks: Vec<Disk>,
    /// Partitions, by disk and number.
    pub partitions: Vec<Partition>,
    /// NVMe controllers, by number.
    pub nvme_controllers: Vec<NvmeController>,
    /// NVMe namespaces and, where several controllers lead to one, the ways to it, by name.
    pub nvme_namespaces: Vec<NvmeNamespace>,
    /// NVMe subsystems, by number.
    pub nvme_subsystems: Vec<NvmeSubsystem>,
    /// RAID arrays of the md driver, by name.
    pub arrays: Vec<Array>,
    /// Devices of the device mapper, by name: logical volumes, multipath, encryption.
    pub mapped_devices: Vec<MappedDevice>,
    /// Loop devices that have a file, by name.
    pub loops: Vec<Loop>,
    /// Ports of Fibre Channel, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fc_hosts: Vec<FcHost>,
    /// Ends of SAS cables, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sas_phys: Vec<SasPhy>,
    /// Mounted file systems, by place; those that hold no data of their own (/proc and its like) are left out.
    pub mounts: Vec<Mount>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Storage {
    let statistics = statistics::all(survey);
    let blocks = attributes::blocks(survey);
    let disks = disk::discover(survey, &blocks, &statistics);
    let (nvme_controllers, nvme_namespaces, nvme_subsystems) = nvme::discover(survey);
    Storage {
        partitions: partition::discover(survey, &blocks, &statistics),
        nvme_controllers,
        nvme_namespaces,
        nvme_subsystems,
        arrays: md::discover(&blocks),
        mapped_devices: mapped::discover(&blocks),
        loops: mapped::loops(&blocks),
        fc_hosts: fc::discover(survey),
        sas_phys: sas::discover(survey),
        mounts: mount::discover(survey),
        disks,
    }
}

/// Reads again what changes without an event: statistics, arrays, health where it was read before, and how full file
/// systems are.
pub fn refresh(storage: &mut Storage, survey: &Survey<'_>) {
    let statistics = statistics::all(survey);
    disk::refresh(&mut storage.disks, survey, &statistics);
    partition::refresh(&mut storage.partitions, survey, &statistics);
    nvme::refresh(&mut storage.nvme_controllers, survey);
    md::refresh(&mut storage.arrays, survey);
    mapped::refresh(&mut storage.mapped_devices, survey);
    fc::refresh(&mut storage.fc_hosts, survey);
    sas::refresh(&mut storage.sas_phys, survey);
    mount::refresh(&mut storage.mounts, survey);
}

#[cfg(test)]
mod tests;
