//! The machine as a whole: kernel, identity, firmware, board, and what it runs on.
//!
//! From /proc/sys/kernel, /proc/version, machine-id(5), `Documentation/ABI/testing/sysfs-class-dmi`, the device
//! tree, and /proc/sysinfo on s390. What a vendor did not fill in ("To be filled by O.E.M.") is left out.

mod architecture;
mod evidence;
mod firmware;
mod hypervisor;
mod label;

use serde::{Deserialize, Serialize};

use self::evidence::Evidence;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// The machine as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct System {
    /// `/proc/sys/kernel/hostname`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The architecture in uname's words: `x86_64`, `aarch64`, `ppc64`, `s390x`, `riscv64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// `/proc/sys/kernel/osrelease`: `6.12.9-amd64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_release: Option<String>,
    /// `/proc/sys/kernel/version`: `#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_version: Option<String>,
    /// `/proc/sys/kernel/random/boot_id`, new at every boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// `/etc/machine-id`, constant over boots: 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// What the machine runs on, when it is a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<Hypervisor>,
    /// The firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    /// The whole product (SMBIOS type 1); without SMBIOS what the device tree or /proc/sysinfo says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Unit>,
    /// The main board (SMBIOS type 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<Unit>,
    /// The chassis (SMBIOS type 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chassis: Option<Unit>,
    /// `/proc/device-tree/model`, on machines that have a device tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devicetree_model: Option<String>,
    /// `/proc/device-tree/compatible`, most specific first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devicetree_compatible: Vec<String>,
}

/// What a guest runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hypervisor {
    /// `kvm`, `xen`, `vmware`, `hyper-v`, `z/vm`, `pr/sm`, `powervm`, ... or the words it has for itself;
    /// `unknown` when only the CPU's `hypervisor` flag tells of it.
    pub vendor: String,
    /// How the guest is run.
    pub kind: HypervisorKind,
    /// Its version, where it tells: `6.4.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it calls this guest or partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_name: Option<String>,
    /// The UUID that it gave this guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_uuid: Option<String>,
}

/// How a guest is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HypervisorKind {
    /// The guest sees a whole machine.
    Full,
    /// The guest's kernel knows its hypervisor and calls it.
    Para,
    /// The guest is a partition of the machine (LPAR).
    Partition,
}

/// The firmware that started the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Firmware {
    /// `uefi`, `bios` or `devicetree`; none where a hypervisor starts the kernel itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// `dmi/id/bios_vendor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `dmi/id/bios_version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `dmi/id/bios_date`, as the vendor writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `dmi/id/bios_release`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// `dmi/id/ec_firmware_release`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec_release: Option<String>,
}

/// A product, board or chassis, by its label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Unit {
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The product's family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its stock-keeping unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Its serial number; only root may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its UUID; only root may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The owner's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_tag: Option<String>,
    /// The chassis's type in SMBIOS's words: `Rack Mount Chassis`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chassis_type: Option<String>,
}

/// Where a machine's own id stands: systemd's place, and the older one of D-Bus.
const MACHINE_IDS: [&str; 2] = ["etc/machine-id", "var/lib/dbus/machine-id"];

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> System {
    let evidence = Evidence::new(survey);
    let kernel = |name: &str| survey.text(&format!("proc/sys/kernel/{name}"));
    let mut machine_ids = MACHINE_IDS.iter();
    System {
        hostname: kernel("hostname").filter(|name| name != "(none)"),
        architecture: architecture::discover(&evidence),
        kernel_release: kernel("osrelease").or_else(|| release(evidence.version())),
        kernel_version: kernel("version").or_else(|| version(evidence.version())),
        boot_id: kernel("random/boot_id"),
        machine_id: machine_ids.find_map(|path| survey.value(path, machine_id)?),
        hypervisor: hypervisor::discover(&evidence),
        firmware: firmware::firmware(&evidence),
        product: firmware::product(&evidence),
        board: firmware::board(&evidence),
        chassis: firmware::chassis(&evidence),
        devicetree_model: evidence.device_tree_label("model"),
        devicetree_compatible: evidence.device_tree_list("compatible"),
    }
}

/// Reads again what changes without an event: nothing here does.
pub const fn refresh(_system: &mut System, _survey: &Survey<'_>) {}

/// The release in /proc/version, for trees that lack /proc/sys.
///
/// ```text
/// Linux version 5.3.0-rc7 (user@host) (gcc version 9.2.1 (Debian 9.2.1-4)) #4 SMP Wed Sep 4 19:32:09 CEST 2019
/// ```
fn release(text: &str) -> Option<String> {
    let rest = text.strip_prefix("Linux version ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// The version in /proc/version: what follows the compiler's last parenthesis.
fn version(text: &str) -> Option<String> {
    let (_, version) = text.split_once(") #")?;
    Some(format!("#{}", parse::trim(version)))
}

/// machine-id(5); an image that has not been booted yet has an empty one, or says `uninitialized`.
fn machine_id(text: &str) -> Parsed<Option<String>> {
    let text = parse::trim(text);
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text {
        "" | "uninitialized" => Ok(None),
        id if digits && id.len() == 32 => Ok(Some(id.to_owned())),
        _ => Err(Expected("32 hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests;
