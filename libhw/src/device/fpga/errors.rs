//! Error registers of Intel cards and ports (`Documentation/ABI/testing/sysfs-platform-dfl-fme`, OPAE's fpgad).

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::parse::{self, Expected, Parsed};

/// An error register that is not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorRegister {
    /// Its name: `catfatal_errors`, `pcie0_errors`, ...
    pub id: String,
    /// Its bits in hexadecimal; 64 of them do not fit a JSON number.
    pub value: String,
    /// The bits that are known by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// The file of a register, and the name that it is shown by. What a driver reads back of an injected error
/// is none.
const REGISTERS: &[(&str, &str)] = &[
    ("fme_errors", "fme_errors"),
    ("errors", "errors"),
    ("pcie0_errors", "pcie0_errors"),
    ("pcie1_errors", "pcie1_errors"),
    ("nonfatal_errors", "nonfatal_errors"),
    ("catfatal_errors", "catfatal_errors"),
    ("bbs_errors", "bbs_errors"),
    ("gbs_errors", "gbs_errors"),
    ("warning_errors", "warning_errors"),
    ("first_error", "first_error"),
    ("next_error", "next_error"),
    ("first_malformed_req", "first_malformed_req"),
    ("seu_emr", "seu_emr"),
];

/// The bits of two registers, lowest first; reserved ones are empty.
const BITS: &[(&str, &[&str])] = &[
    (
        "nonfatal_errors",
        &[
            "temperature_ap1",
            "temperature_ap2",
            "pcie",
            "port_fatal",
            "processor_hot",
            "afu_access_mode",
            "injected_warning",
            "",
            "",
            "temperature_ap6",
            "power_ap1",
            "power_ap2",
            "mbp",
        ],
    ),
    (
        "catfatal_errors",
        &[
            "kti_link",
            "tag_cache",
            "cci",
            "kti_protocol",
            "dram",
            "iommu",
            "fabric",
            "pcie_poison",
            "injected_fatal",
            "crc",
            "thermal",
            "injected_catastrophic",
        ],
    ),
];

/// The registers in the directory `errors` of a unit that are not zero; `None` where it has no such directory.
/// The older driver has those of the management engine in a directory of their own.
pub(super) fn read(unit: &Directory<'_>) -> Option<Vec<ErrorRegister>> {
    let directory = unit.below("errors")?;
    let mut found = registers(&directory, "");
    if let Some(nested) = directory.below("fme-errors") {
        found.extend(registers(&nested, "fme_"));
    }
    Some(found)
}

fn registers(directory: &Directory<'_>, prefix: &str) -> Vec<ErrorRegister> {
    let register = |(file, name): &(&str, &str)| {
        let value = directory.value(file, wide)?;
        (value != 0).then(|| ErrorRegister {
            id: format!("{prefix}{name}"),
            value: format!("{value:#x}"),
            names: bits(name, value),
        })
    };
    REGISTERS.iter().filter_map(register).collect()
}

/// A hexadecimal number of up to 128 bits.
fn wide(text: &str) -> Parsed<u128> {
    let expected = Expected("a hexadecimal number of at most 128 bits");
    let text = parse::trim(text);
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let hexadecimal = digits.bytes().all(|sign| sign.is_ascii_hexdigit());
    hexadecimal
        .then(|| u128::from_str_radix(digits, 16).ok())
        .flatten()
        .ok_or(expected)
}

fn bits(register: &str, value: u128) -> Vec<String> {
    let known = BITS.iter().find(|(name, _)| *name == register);
    let names = known.map_or(&[] as &[&str], |(_, names)| names);
    let set = |bit: usize| {
        value
            .checked_shr(u32::try_from(bit).unwrap_or(u32::MAX))
            .unwrap_or(0)
            & 1
            == 1
    };
    let named = names.iter().enumerate();
    named
        .filter(|(bit, name)| !name.is_empty() && set(*bit))
        .map(|(_, name)| (*name).to_owned())
        .collect()
}
