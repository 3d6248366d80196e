//! Commands to a drive that only ask: NVMe admin commands, and ATA and SCSI commands through `SG_IO`.
//!
//! There is a name for each command and no way to send another, so no caller can change a drive. The device is
//! opened for reading. What tells one drive from all others (serial number, World Wide Name) is blanked before an
//! answer leaves this file: sysfs has it, where a capture knows how to mask it.
//!
//! The kernel's own time limits are long on purpose: it resets a controller, and with it all its drives, when a
//! command overruns them. Who asks stops waiting much earlier.

use std::ops::Range;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::io::octets::Octets;
use crate::io::sys::drive::{self as system, NvmeCommand, ScsiAnswer};
use crate::io::tree::Tree;

/// A command that only asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Command {
    /// Identify Controller: 4096 bytes, the serial number blanked (NVM Express Base Specification 2.0, Figure 275).
    NvmeIdentify,
    /// Get Log Page 02h, SMART / Health Information: 512 bytes (NVM Express Base Specification 2.0, Figure 207).
    NvmeHealth,
    /// Get Log Page 03h, Firmware Slot Information: 512 bytes (NVM Express Base Specification 2.0, Figure 208).
    NvmeFirmware,
    /// CHECK POWER MODE: one byte, the mode (ACS-3 §7.3); it wakes no drive.
    AtaPowerMode,
    /// IDENTIFY DEVICE: 512 bytes, serial number and World Wide Name blanked (ACS-3 §7.12).
    AtaIdentify,
    /// SMART READ DATA: 512 bytes (ATA8-ACS §7.52.6).
    AtaSmartData,
    /// SMART READ THRESHOLDS: 512 bytes (ATA-3 §7.36.3; obsolete, and still what says when an attribute fails).
    AtaSmartThresholds,
    /// SMART RETURN STATUS: two bytes, LBA Mid and LBA High (ATA8-ACS §7.52.8).
    AtaSmartStatus,
    /// LOG SENSE of the list of pages (SPC-4 §7.3.17).
    ScsiPages,
    /// LOG SENSE of write errors (SPC-4 §7.3.8).
    ScsiWriteErrors,
    /// LOG SENSE of read errors.
    ScsiReadErrors,
    /// LOG SENSE of verify errors.
    ScsiVerifyErrors,
    /// LOG SENSE of errors outside of the medium (SPC-4 §7.3.11).
    ScsiNonMediumErrors,
    /// LOG SENSE of the temperature (SPC-4 §7.3.21).
    ScsiTemperature,
    /// LOG SENSE of start-stop cycles (SPC-4 §7.3.20).
    ScsiStartStop,
    /// LOG SENSE of solid-state media (SBC-3 §6.4.6).
    ScsiSolidState,
    /// LOG SENSE of the background scan (SBC-3 §6.4.2).
    ScsiBackgroundScan,
    /// LOG SENSE of informational exceptions (SPC-4 §7.3.7).
    ScsiExceptions,
    /// `IOC_OPAL_GET_STATUS`: four bytes, the kernel's flags of a self-encrypting drive (Linux 6.1).
    Opal,
}

impl Command {
    /// Its name in a capture.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NvmeIdentify => "nvme-identify",
            Self::NvmeHealth => "nvme-health",
            Self::NvmeFirmware => "nvme-firmware",
            Self::AtaPowerMode => "ata-power-mode",
            Self::AtaIdentify => "ata-identify",
            Self::AtaSmartData => "ata-smart-data",
            Self::AtaSmartThresholds => "ata-smart-thresholds",
            Self::AtaSmartStatus => "ata-smart-status",
            Self::ScsiPages => "scsi-pages",
            Self::ScsiWriteErrors => "scsi-write-errors",
            Self::ScsiReadErrors => "scsi-read-errors",
            Self::ScsiVerifyErrors => "scsi-verify-errors",
            Self::ScsiNonMediumErrors => "scsi-non-medium-errors",
            Self::ScsiTemperature => "scsi-temperature",
            Self::ScsiStartStop => "scsi-start-stop",
            Self::ScsiSolidState => "scsi-solid-state",
            Self::ScsiBackgroundScan => "scsi-background-scan",
            Self::ScsiExceptions => "scsi-exceptions",
            Self::Opal => "opal",
        }
    }
}

/// Gives `command` to the drive behind the device file `path`.
///
/// A drive that refuses a command it does not know answers `EOPNOTSUPP`.
pub(super) fn ask(tree: &Tree, path: &str, command: Command) -> Result<Octets, Errno> {
    let device = tree.device(path)?;
    let nvme = |command: &NvmeCommand, length: usize| {
        let mut bytes = vec![0; length];
        match system::nvme_admin(&device, command, &mut bytes)? {
            0 => Ok(bytes),
            status => Err(nvme_refusal(status)),
        }
    };
    let ata = |registers: Ata| {
        let length = if registers.protocol == NO_DATA {
            0
        } else {
            512
        };
        let mut bytes = vec![0; length];
        let answer = system::scsi(&device, &registers.pass_through(), &mut bytes)?;
        Ok((bytes, answer))
    };
    let ata_data = |registers: Ata| -> Result<Vec<u8>, Errno> {
        let (bytes, answer) = ata(registers)?;
        good(&answer).map(|()| bytes)
    };
    let page = |page: u8| log_sense(&device, page);
    let bytes = match command {
        Command::NvmeIdentify => {
            nvme(&NVME_IDENTIFY, 4096).map(|bytes| blanked(bytes, [4..24, 0..0]))?
        }
        Command::NvmeHealth => nvme(&nvme_log(0x02), 512)?,
        Command::NvmeFirmware => nvme(&nvme_log(0x03), 512)?,
        Command::AtaPowerMode => {
            let (_, answer) = ata(Ata::asking(0xe5, 0))?;
            vec![returned(&answer)?.count]
        }
        // Words 10 to 19 and 108 to 111.
        Command::AtaIdentify => {
            ata_data(Ata::reading(0xec, 0)).map(|bytes| blanked(bytes, [20..40, 216..224]))?
        }
        Command::AtaSmartData => ata_data(Ata::reading(SMART, 0xd0))?,
        Command::AtaSmartThresholds => ata_data(Ata::reading(SMART, 0xd1))?,
        Command::AtaSmartStatus => {
            let (_, answer) = ata(Ata::asking(SMART, 0xda))?;
            let registers = returned(&answer)?;
            vec![registers.lba_mid, registers.lba_high]
        }
        Command::ScsiPages => page(0x00)?,
        Command::ScsiWriteErrors => page(0x02)?,
        Command::ScsiReadErrors => page(0x03)?,
        Command::ScsiVerifyErrors => page(0x05)?,
        Command::ScsiNonMediumErrors => page(0x06)?,
        Command::ScsiTemperature => page(0x0d)?,
        Command::ScsiStartStop => page(0x0e)?,
        Command::ScsiSolidState => page(0x11)?,
        Command::ScsiBackgroundScan => page(0x15)?,
        Command::ScsiExceptions => page(0x2f)?,
        Command::Opal => system::opal_status(&device)?.to_le_bytes().to_vec(),
    };
    Ok(Octets(bytes))
}

/// Identify, CNS 01h: the controller.
const NVME_IDENTIFY: NvmeCommand = NvmeCommand {
    opcode: 0x06,
    namespace: 0,
    dword10: 0x01,
};

/// Get Log Page of 512 bytes for the controller as a whole; the length counts in dwords, less one. Bit 15 asks that
/// an event which the page belongs to stays, for whoever waits for it.
const fn nvme_log(page: u32) -> NvmeCommand {
    const DWORDS: u32 = 512 / 4 - 1;
    NvmeCommand {
        opcode: 0x02,
        namespace: u32::MAX,
        dword10: DWORDS << 16 | 1 << 15 | page,
    }
}

/// Status code type in bits 10:8, status code in bits 7:0 (NVM Express Base Specification 2.0, Figure 93).
const fn nvme_refusal(status: u32) -> Errno {
    match status & 0x7ff {
        // Invalid opcode, invalid field, invalid log page.
        0x001 | 0x002 | 0x109 => Errno::EOPNOTSUPP,
        _ => Errno::EIO,
    }
}

fn blanked(mut bytes: Vec<u8>, pieces: [Range<usize>; 2]) -> Vec<u8> {
    for piece in pieces {
        if let Some(piece) = bytes.get_mut(piece) {
            piece.fill(0);
        }
    }
    bytes
}

/// SMART, whose feature register says what of it.
const SMART: u8 = 0xb0;

const NO_DATA: u8 = 3;
const PIO_IN: u8 = 4;

/// An ATA command's registers.
#[derive(Clone, Copy)]
struct Ata {
    protocol: u8,
    command: u8,
    feature: u8,
}

impl Ata {
    const fn asking(command: u8, feature: u8) -> Self {
        Self {
            protocol: NO_DATA,
            command,
            feature,
        }
    }

    const fn reading(command: u8, feature: u8) -> Self {
        Self {
            protocol: PIO_IN,
            command,
            feature,
        }
    }

    /// ATA PASS-THROUGH (16) (SAT-3 §12.2.3): one sector in, its number in the count register; or no data, and the
    /// registers back in the sense data. SMART wants C24Fh in the middle and high LBA.
    fn pass_through(self) -> [u8; 16] {
        let mut cdb = [0; 16];
        let reads = self.protocol == PIO_IN;
        let smart = self.command == SMART;
        // T_DIR, BYT_BLOK and T_LENGTH in the count register; CK_COND.
        let how = if reads { 0x0e } else { 0x20 };
        let [
            operation,
            protocol,
            flags,
            _,
            feature,
            _,
            count,
            _,
            _,
            _,
            mid,
            _,
            high,
            _,
            command,
            _,
        ] = &mut cdb;
        *operation = 0x85;
        *protocol = self.protocol << 1;
        *flags = how;
        *feature = self.feature;
        *count = u8::from(reads);
        *mid = if smart { 0x4f } else { 0 };
        *high = if smart { 0xc2 } else { 0 };
        *command = self.command;
        cdb
    }
}

/// What the registers held when a command had ended.
struct Registers {
    count: u8,
    lba_mid: u8,
    lba_high: u8,
}

/// The registers in the sense data: descriptor format, ATA Status Return (SAT-3 §12.2.6); or fixed format
/// (SAT-3 §12.2.7), where the information field has error, status, device and count, and what follows the
/// command-specific one has flags and the three LBA registers.
fn returned(answer: &ScsiAnswer) -> Result<Registers, Errno> {
    let sense = answer.sense.as_slice();
    let at = |place: usize| sense.get(place).copied().unwrap_or_default();
    let registers = match at(0) & 0x7f {
        0x72 if at(8) == 0x09 && at(9) >= 0x0c => Registers {
            count: at(13),
            lba_mid: at(17),
            lba_high: at(19),
        },
        0x70 => Registers {
            count: at(6),
            lba_mid: at(10),
            lba_high: at(11),
        },
        // Nothing came back: a bridge that translates only half.
        _ => return Err(good(answer).err().unwrap_or(Errno::EOPNOTSUPP)),
    };
    let key = if at(0) & 0x7f == 0x70 { at(2) } else { at(1) } & 0x0f;
    // No sense, or recovered error: "ATA pass-through information available".
    if key > 1 {
        return Err(refusal(key));
    }
    Ok(registers)
}

/// Whether a command was done.
fn good(answer: &ScsiAnswer) -> Result<(), Errno> {
    if answer.status == 0 && answer.host == 0 {
        return Ok(());
    }
    let at = |place: usize| answer.sense.get(place).copied().unwrap_or_default();
    Err(match at(0) & 0x7f {
        0x72 | 0x73 => refusal(at(1) & 0x0f),
        0x70 | 0x71 => refusal(at(2) & 0x0f),
        _ => Errno::EIO,
    })
}

/// A sense key (SPC-4 table 48) as an errno: illegal request, and for ATA also aborted command, is a command that
/// the drive does not know.
const fn refusal(key: u8) -> Errno {
    match key {
        0x5 | 0xb => Errno::EOPNOTSUPP,
        _ => Errno::EIO,
    }
}

/// The longest log page that is read: what a two-byte length can say.
const PAGE_MAX: u16 = 4096;

/// LOG SENSE of cumulative values (SPC-4 §6.7), cut to what the page says that it has.
fn log_sense(device: &std::os::fd::OwnedFd, page: u8) -> Result<Vec<u8>, Errno> {
    const CUMULATIVE: u8 = 0x40;
    let [high, low] = PAGE_MAX.to_be_bytes();
    let cdb = [0x4d, 0, CUMULATIVE | page, 0, 0, 0, 0, high, low, 0];
    let mut bytes = vec![0; usize::from(PAGE_MAX)];
    let answer = system::scsi(device, &cdb, &mut bytes)?;
    good(&answer)?;
    let length = match bytes.as_slice() {
        [_, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])) + 4,
        _ => 0,
    };
    bytes.truncate(length.min(bytes.len().saturating_sub(answer.left)));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ata_command_is_wrapped_as_the_translation_standard_says() {
        assert_eq!(
            Ata::reading(SMART, 0xd0).pass_through(),
            [
                0x85, 0x08, 0x0e, 0, 0xd0, 0, 1, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0, 0
            ]
        );
        assert_eq!(
            Ata::asking(0xe5, 0).pass_through(),
            [0x85, 0x06, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe5, 0]
        );
    }

    fn answer(sense: &[u8]) -> ScsiAnswer {
        ScsiAnswer {
            status: 2,
            host: 0,
            left: 0,
            sense: sense.to_vec(),
        }
    }

    #[test]
    fn registers_come_back_in_either_format_of_sense_data() {
        let described = [
            0x72, 0x01, 0, 0x1d, 0, 0, 0, 14, 0x09, 0x0c, 0, 0, 0, 0xff, 0, 0, 0, 0xf4, 0, 0x2c, 0,
            0x50,
        ];
        let fixed = [
            0x70, 0, 0x01, 0, 0x50, 0, 0xff, 0x0a, 0, 0, 0xf4, 0x2c, 0x00, 0x1d,
        ];
        for sense in [&described[..], &fixed[..]] {
            let registers = returned(&answer(sense)).unwrap();
            let all = (registers.count, registers.lba_mid, registers.lba_high);
            assert_eq!(all, (0xff, 0xf4, 0x2c));
        }
        for (sense, errno) in [
            (&[][..], Errno::EIO),
            (&[0x72, 0x05, 0x20][..], Errno::EOPNOTSUPP),
            (&[0x70, 0, 0x05, 0, 0, 0, 0, 0][..], Errno::EOPNOTSUPP),
            (
                &[0x72, 0x0b, 0, 0, 0, 0, 0, 14, 0x09, 0x0c][..],
                Errno::EOPNOTSUPP,
            ),
        ] {
            assert_eq!(returned(&answer(sense)).err(), Some(errno), "{sense:?}");
        }
    }

    #[test]
    fn what_tells_one_drive_is_blanked_and_short_answers_do_no_harm() {
        assert_eq!(blanked(vec![7; 6], [1..3, 0..0]), [7, 0, 0, 7, 7, 7]);
        assert_eq!(blanked(vec![7; 2], [0..0, 1..3]), [7, 7]);
    }

    #[test]
    fn every_command_has_a_name_of_its_own_that_its_json_has_too() {
        use Command as C;
        let all = [
            C::NvmeIdentify,
            C::NvmeHealth,
            C::NvmeFirmware,
            C::AtaPowerMode,
            C::AtaIdentify,
            C::AtaSmartData,
            C::AtaSmartThresholds,
            C::AtaSmartStatus,
            C::ScsiPages,
            C::ScsiWriteErrors,
            C::ScsiReadErrors,
            C::ScsiVerifyErrors,
            C::ScsiNonMediumErrors,
            C::ScsiTemperature,
            C::ScsiStartStop,
            C::ScsiSolidState,
            C::ScsiBackgroundScan,
            C::ScsiExceptions,
            C::Opal,
        ];
        for command in all {
            let json = serde_json::to_value(command).unwrap();
            assert_eq!(json, command.name().replace('-', "_"));
        }
    }
}
