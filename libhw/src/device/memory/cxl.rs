//! CXL memory devices (`Documentation/ABI/testing/sysfs-bus-cxl`).
//!
//! ```text
//! ../../../devices/pci0000:34/0000:34:00.0/0000:35:00.0/mem0
//! ```

use serde::{Deserialize, Serialize};

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A CXL memory device (type 3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CxlMemory {
    /// The kernel's name: `mem0`.
    pub id: String,
    /// The PCI function that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `numa_node`: the node of the CPUs that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// `ram/size`: how much of it forgets without power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatile_bytes: Option<Bytes>,
    /// `pmem/size`: how much of it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent_bytes: Option<Bytes>,
    /// `firmware_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// `serial`: `0x1234`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Whether it can list its poisoned addresses (`trigger_poison_list`); the list itself goes to the kernel's trace.
    #[serde(default)]
    pub poison_list: bool,
    /// What changes without an event.
    #[serde(default)]
    pub now: CxlMemoryNow,
}

/// What changes in a CXL memory device without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CxlMemoryNow {
    /// `security/state`; only in a deep look, since it asks the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<CxlSecurity>,
}

/// `security/state` of a CXL memory device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CxlSecurity {
    /// No passphrase is set.
    Disabled,
    /// Persistent memory cannot be read until it is unlocked.
    Locked,
    /// A passphrase is set, and was given.
    Unlocked,
    /// Security settings cannot change until the next reset.
    Frozen,
    /// Its content is being erased.
    Sanitize,
    /// A word of a later kernel.
    #[serde(untagged)]
    Other(String),
}

const DEVICES: &str = "sys/bus/cxl/devices";

/// The longest word of `security/state`.
const WORD_MAX: usize = 64;

/// The memory devices, by number.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<CxlMemory> {
    let numbers = survey.numbered(DEVICES, "mem").into_iter();
    numbers
        .map(|number| memory(survey, &format!("mem{number}")))
        .collect()
}

/// Asks again for what was had.
pub(super) fn refresh(all: &mut [CxlMemory], survey: &Survey<'_>) {
    for memory in all {
        if memory.now.security.is_some() {
            memory.now.security = security(survey, &memory.id);
        }
    }
}

fn memory(survey: &Survey<'_>, id: &str) -> CxlMemory {
    let directory = format!("{DEVICES}/{id}");
    let names = survey.names(&directory);
    let has = |name: &str| names.iter().any(|listed| listed == name);
    let value = |name: &str| has(name).then(|| survey.text(&format!("{directory}/{name}")))?;
    let size =
        |part: &str| has(part).then(|| survey.value(&format!("{directory}/{part}/size"), size))?;
    let place = survey.keep(survey.root().link(&directory));
    let deep = survey.deep() && has("security");
    CxlMemory {
        id: id.to_owned(),
        function: place
            .as_deref()
            .and_then(parse::function_above)
            .map(str::to_owned),
        node: has("numa_node")
            .then(|| survey.value(&format!("{directory}/numa_node"), parse::decimal_or_none))
            .flatten()
            .flatten(),
        volatile_bytes: size("ram"),
        persistent_bytes: size("pmem"),
        firmware_version: value("firmware_version"),
        serial: value("serial"),
        poison_list: has("trigger_poison_list"),
        now: CxlMemoryNow {
            security: deep.then(|| security(survey, id)).flatten(),
        },
    }
}

/// A capacity, which the kernel writes in hexadecimal.
fn size(text: &str) -> Parsed<Bytes> {
    let expected = Expected("a size such as 0x10000000");
    match parse::trim(text) {
        text if text.starts_with("0x") => parse::hex(text).map(Bytes),
        text => parse::decimal(text).map(Bytes),
    }
    .map_err(|_| expected)
}

fn security(survey: &Survey<'_>, id: &str) -> Option<CxlSecurity> {
    let path = format!("{DEVICES}/{id}/security/state");
    let bytes = survey.keep(survey.root().slow_bytes(&path, WORD_MAX))?;
    let word = parse::nonempty(&String::from_utf8_lossy(&bytes))?;
    Some(match word.as_str() {
        "disabled" => CxlSecurity::Disabled,
        "locked" => CxlSecurity::Locked,
        "unlocked" => CxlSecurity::Unlocked,
        "frozen" => CxlSecurity::Frozen,
        "sanitize" => CxlSecurity::Sanitize,
        _ => CxlSecurity::Other(word),
    })
}
