//! Faults that QEMU or the kernel itself makes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::machine::escape;
use crate::protocol::to_hex;
use crate::{Boot, LabError, Vm};

/// An error that a PCI Express function reports: QEMU's name of it. The device is one of virtio's with `aer = true`, or
/// a root port; QEMU's igb and e1000e report none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PciError {
    /// `RxErr` of the kernel's counters, corrected.
    Receiver,
    /// `BadTLP`, corrected.
    BadPacket,
    /// `TLP`, a poisoned packet: not corrected, and the link goes on.
    PoisonedPacket,
    /// `CmpltTO`: not corrected, and the link goes on.
    CompletionTimeout,
    /// `DLP`: the link does not go on.
    LinkProtocol,
}

impl PciError {
    /// By number where it is corrected, since QEMU takes its names with `-c` for others.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Receiver => ("-c ", "0x1"),
            Self::BadPacket => ("-c ", "0x40"),
            Self::PoisonedPacket => ("", "POISON_TLP"),
            Self::CompletionTimeout => ("", "COMP_TIME"),
            Self::LinkProtocol => ("", "DLP"),
        }
    }
}

/// A function reports an error; `device` is QEMU's name of it: `slot0-device`, or `slot0` of the port.
///
/// # Errors
/// QEMU has no such device, or it reports none; and as [`Vm::hmp`].
pub fn pci_error(vm: &mut Vm, device: &str, error: PciError) -> Result<(), LabError> {
    let (corrected, word) = error.words();
    let command = format!("pcie_aer_inject_error {corrected}{device} {word}");
    let said = vm.hmp(&command)?;
    if said.starts_with("OK ") {
        return Ok(());
    }
    Err(refused(&command, &said))
}

/// A bank of the first CPU has a corrected memory error at this address. The kernel finds it at its next look, which
/// [`machine_checks_each_second`] makes soon.
///
/// # Errors
/// As [`Vm::hmp`].
pub fn machine_check_corrected(vm: &mut Vm, address: u64) -> Result<(), LabError> {
    // MCi_STATUS: valid, enabled, with an address, one corrected; a read of channel 0. MCi_MISC: a physical address.
    let command = format!("mce 0 9 0x9c00004000010090 0x0 {address:#x} 0x8c");
    let said = vm.hmp(&command)?;
    if said.trim().is_empty() {
        return Ok(());
    }
    Err(refused(&command, &said))
}

/// The kernel looks at the banks of its CPUs each second, not every five minutes.
///
/// # Errors
/// As [`Vm::write`].
pub fn machine_checks_each_second(vm: &mut Vm) -> Result<(), LabError> {
    let path = "/sys/devices/system/machinecheck/machinecheck0/check_interval";
    vm.write(path, "1")
}

/// The bits of an NVMe controller's critical warning (NVM Express Base Specification 2.0, Figure 207, byte 0).
///
/// # Errors
/// QEMU has no such controller; and as [`Vm::qmp`].
pub fn nvme_critical_warning(vm: &mut Vm, device: &str, bits: u8) -> Result<(), LabError> {
    let path = format!("/machine/peripheral/{device}");
    let property = json!({"path": path, "property": "smart_critical_warning", "value": bits});
    vm.qmp("qom-set", property).map(drop)
}

/// Whether a NIC's cable is plugged; `device` is QEMU's name of it.
///
/// # Errors
/// As [`Vm::qmp`].
pub fn link(vm: &mut Vm, device: &str, up: bool) -> Result<(), LabError> {
    vm.qmp("set_link", json!({"name": device, "up": up}))
        .map(drop)
}

/// Plugs a SCSI disk of 64 MiB, eight sectors of which, from this one on, can't be read. It hangs off a controller that is
/// plugged into `port` with it.
///
/// # Errors
/// As [`Vm::qmp`].
pub fn bad_disk(vm: &mut Vm, port: &str, first_bad_sector: u64) -> Result<(), LabError> {
    let sound = json!({"driver": "null-co", "size": 64 << 20, "read-zeroes": true});
    // A rule is for one sector, and fails every read that has it in it; eight are a page.
    let rule = |sector: u64| json!({"event": "none", "errno": 5, "sector": sector});
    let rules: Vec<Value> = (first_bad_sector..first_bad_sector + 8).map(rule).collect();
    let bad = json!({"driver": "blkdebug", "node-name": "bad-disk", "image": sound,
        "inject-error": rules});
    vm.qmp("blockdev-add", bad)?;
    let controller = json!({"driver": "virtio-scsi-pci", "id": "bad-scsi", "bus": port});
    vm.qmp("device_add", controller)?;
    let disk = json!({"driver": "scsi-hd", "bus": "bad-scsi.0", "drive": "bad-disk",
        "id": "bad-hd", "serial": "BADDISK1"});
    vm.qmp("device_add", disk).map(drop)
}

/// A page of memory is taken out of use: `soft` while it still can be read, else as if it were poisoned.
///
/// # Errors
/// The kernel could not; and as [`Vm::write`].
pub fn page_offline(vm: &mut Vm, address: u64, soft: bool) -> Result<(), LabError> {
    let kind = if soft { "soft" } else { "hard" };
    let path = format!("/sys/devices/system/memory/{kind}_offline_page");
    vm.write(&path, &format!("{address:#x}"))
}

/// A watchdog's time runs out: it is started, and nobody feeds it. The machine ends as `-action watchdog=` says.
///
/// # Errors
/// As [`Vm::write`].
pub fn watchdog_expires(vm: &mut Vm, device: &str) -> Result<(), LabError> {
    vm.write(device, "started")
}

fn refused(command: &str, said: &str) -> LabError {
    LabError::Qmp {
        command: command.to_owned(),
        reason: said.trim().to_owned(),
    }
}

/// Where the firmware of [`with_error_source`] keeps the place of its error status block, in memory that the kernel leaves
/// alone.
const STATUS_POINTER: u64 = 0x800_0000;

/// That block.
const STATUS_BLOCK: u64 = STATUS_POINTER + 0x1000;

/// How large it may be.
const STATUS_BYTES: u32 = 0x1000;

/// How often the kernel looks there.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Gives the machine firmware that reports errors of hardware: an ACPI table HEST with one polled source (ACPI 6.5
/// §18.3.2.7). `folder` is where its file is made, and must outlive the boot.
///
/// # Errors
/// The file can't be written.
pub fn with_error_source(boot: Boot, folder: &std::path::Path) -> Result<Boot, LabError> {
    let file = folder.join("hest.bin");
    std::fs::write(&file, error_source())
        .map_err(LabError::host(format!("write {}", file.display())))?;
    let table = format!(
        "sig=HEST,rev=1,oem_id=GNOMON,oem_table_id=GNOMONLB,oem_rev=1,asl_compiler_id=LAB ,asl_compiler_rev=1,data={}",
        escape(&file.display().to_string())
    );
    Ok(boot
        .arguments(&["-acpitable", &table])
        .kernel_argument(&format!("memmap=1M${STATUS_POINTER:#x}"))
        .kernel_argument("iomem=relaxed"))
}

/// What the table holds after its header.
fn error_source() -> Vec<u8> {
    let mut table = Vec::new();
    let mut add = |bytes: &[u8]| table.extend_from_slice(bytes);
    add(&1_u32.to_le_bytes());
    // A generic hardware error source: type, number, no related one, no flags, enabled, one record, one section.
    for word in [9_u16, 0, 0xffff] {
        add(&word.to_le_bytes());
    }
    add(&[0, 1]);
    for number in [1_u32, 1, STATUS_BYTES] {
        add(&number.to_le_bytes());
    }
    // The generic address of the block's place: 64 bits of memory.
    add(&[0, 64, 0, 4]);
    add(&STATUS_POINTER.to_le_bytes());
    // Told by polling: type, length, what may be set, then how often.
    add(&[0, 28, 0, 0]);
    let interval = u32::try_from(POLL_INTERVAL.as_millis()).unwrap_or(u32::MAX);
    for number in [interval, 0, 0, 0, 0, 0, STATUS_BYTES] {
        add(&number.to_le_bytes());
    }
    table
}

/// How bad an error is that firmware reports (UEFI 2.10, Appendix N).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Not corrected; the system goes on.
    Recoverable = 0,
    /// Corrected.
    Corrected = 2,
}

/// Firmware reports an error of the memory at `address`, of a machine made by [`with_error_source`]. The kernel finds it
/// within a fraction of a second.
///
/// # Errors
/// As [`Vm::write`].
pub fn firmware_memory_error(
    vm: &mut Vm,
    address: u64,
    severity: Severity,
) -> Result<(), LabError> {
    let block = status_block(address, severity);
    for (offset, bytes) in [
        (STATUS_BLOCK, block.as_slice()),
        (STATUS_POINTER, &STATUS_BLOCK.to_le_bytes()),
    ] {
        let place = json!({"path": "/dev/mem", "offset": offset, "bytes": to_hex(bytes)});
        vm.test("write_at", place)?;
    }
    Ok(())
}

/// A generic error status block with one entry, of memory (ACPI 6.5 §18.3.2.7.1, UEFI 2.10 §N.2.5).
fn status_block(address: u64, severity: Severity) -> Vec<u8> {
    // MEMORY_ERROR_SECTION: a5bc1114-6f64-4ede-b863-3e83ed7c83b1.
    const MEMORY: [u8; 16] = [
        0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e, 0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83,
        0xb1,
    ];
    const SECTION: u32 = 80;
    const ENTRY: u32 = 72;
    let severity = severity as u32;
    let corrected = severity == Severity::Corrected as u32;
    let mut block = Vec::new();
    let mut add = |bytes: &[u8]| block.extend_from_slice(bytes);
    // One entry, of the kind that bit 0 or 1 names.
    let status = 1_u32 << 4 | if corrected { 2 } else { 1 };
    for number in [status, 0, 0, ENTRY + SECTION, severity] {
        add(&number.to_le_bytes());
    }
    add(&MEMORY);
    add(&severity.to_le_bytes());
    // Revision 3, the text is valid, no flags.
    add(&[0, 3, 2, 0]);
    add(&SECTION.to_le_bytes());
    add(&[0; 16]);
    let mut text = [0_u8; 20];
    text[..7].copy_from_slice(b"DIMM_A1");
    add(&text);
    add(&[0; 8]);
    // Valid: physical address and mask, node, card, module, error type.
    add(&(1_u64 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 14).to_le_bytes());
    add(&0_u64.to_le_bytes());
    add(&address.to_le_bytes());
    add(&u64::MAX.to_le_bytes());
    for place in [0_u16, 1, 2] {
        add(&place.to_le_bytes());
    }
    block.resize(20 + 72 + 72, 0);
    // The kind: a single bit, or several.
    block.push(if corrected { 2 } else { 3 });
    block.resize(20 + 72 + 80, 0);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_lengths_that_they_say() {
        assert_eq!(error_source().len(), 4 + 64);
        let block = status_block(0x1000, Severity::Corrected);
        assert_eq!(block.len(), 20 + 72 + 80);
        assert_eq!(block[12..16], (72_u32 + 80).to_le_bytes());
    }
}
