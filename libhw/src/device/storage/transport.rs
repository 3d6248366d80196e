//! How a disk is reached, from the way to it through the machine.

use serde::{Deserialize, Serialize};

/// How a disk is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// An ATA host of this machine, nearly always Serial ATA.
    Sata,
    /// Serial Attached SCSI; the drive may still be a SATA one.
    Sas,
    /// NVM Express, whatever its own transport is (see the controller).
    Nvme,
    /// virtio-blk.
    Virtio,
    /// USB.
    Usb,
    /// MMC or SD.
    Mmc,
    /// Fibre Channel.
    Fc,
    /// iSCSI.
    Iscsi,
    /// Universal Flash Storage.
    Ufs,
    /// Xen's block device.
    Xen,
    /// SCSI on a host that does not say how: RAID controllers, hypervisors.
    Scsi,
}

/// The transport that a way shows.
///
/// ```text
/// ../devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda
/// ```
pub(super) fn of(way: &str) -> Option<Transport> {
    /// The starts of parts of a way; the first row of which one stands in it counts.
    const PARTS: &[(&str, Transport)] = &[
        ("nvme", Transport::Nvme),
        ("mmc_host", Transport::Mmc),
        ("usb", Transport::Usb),
        ("ata", Transport::Sata),
        ("rport-", Transport::Fc),
        ("session", Transport::Iscsi),
        ("end_device-", Transport::Sas),
        ("vbd-", Transport::Xen),
        ("ufshc", Transport::Ufs),
        ("host", Transport::Scsi),
        ("virtio", Transport::Virtio),
    ];
    let numbered = |part: &str, start: &str| {
        let rest = part.strip_prefix(start);
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|sign: char| sign.is_ascii_digit())
        })
    };
    // The last part is the disk's own name.
    let (way, _) = way.rsplit_once('/')?;
    let row = PARTS.iter().find(|(start, transport)| {
        way.split('/').any(|part| {
            numbered(part, start)
                || (*transport == Transport::Ufs && part.ends_with(".ufshc"))
                || (*transport == Transport::Nvme && part.starts_with("nvme-subsys"))
        })
    });
    row.map(|(_, transport)| *transport)
}
