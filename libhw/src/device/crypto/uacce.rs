//! Accelerators that programs reach by shared virtual addressing (`Documentation/ABI/testing/sysfs-driver-uacce`).

use serde::{Deserialize, Serialize};

use super::{Accelerator, Crypto, Kind, State};
use crate::directory::Directory;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// An accelerator that programs reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Uacce {
    /// The kernel's name: `hisi_zip-0`.
    pub id: String,
    /// Its PCI function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `api`: by which a program knows how to speak to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// `flags`, bit 0: it shares the program's addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_addresses: Option<bool>,
    /// `algorithms`, in its own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// `region_mmio_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_mmio_bytes: Option<Bytes>,
    /// `region_dus_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_dus_bytes: Option<Bytes>,
    /// `isolate_strategy`: from how many errors on the kernel keeps programs from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolate_errors: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: UacceNow,
}

/// What changes in it without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UacceNow {
    /// `available_instances`: queues that are free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<u32>,
    /// `isolate`: programs are kept from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolated: Option<bool>,
}

const CLASS: &str = "sys/class/uacce";

/// Adds those of the class; one that hangs off a PCI function is an accelerator already.
pub(super) fn discover(survey: &Survey<'_>, crypto: &mut Crypto) {
    for name in survey.names(CLASS) {
        let directory = Directory::list(survey, format!("{CLASS}/{name}"));
        let row = read(&directory);
        let same =
            |known: &&mut Accelerator| known.function.is_some() && known.function == row.function;
        let isolated = row.now.isolated == Some(true);
        match crypto.accelerators.iter_mut().find(same) {
            Some(known) => {
                if isolated {
                    known.now.state = Some(State::Isolated);
                } else if known.now.state.is_none() {
                    known.now.state = Some(State::Up);
                }
            }
            None => crypto.accelerators.push(alone(&row, isolated)),
        }
        crypto.uacce.push(row);
    }
}

fn alone(row: &Uacce, isolated: bool) -> Accelerator {
    let kind = row.id.split('-').next().unwrap_or_default();
    let mut accelerator = Accelerator {
        function: row.function.clone(),
        ..Accelerator::new(&row.id, Kind::from(kind))
    };
    let state = if isolated { State::Isolated } else { State::Up };
    accelerator.now.state = Some(state);
    accelerator
}

fn read(directory: &Directory<'_>) -> Uacce {
    let algorithms = directory.text("algorithms").unwrap_or_default();
    let size = |name: &str| directory.value(name, parse::decimal).map(Bytes);
    let flags = directory.value("flags", parse::decimal::<u32>);
    Uacce {
        id: directory.name().to_owned(),
        function: directory.function(),
        api: directory.text("api"),
        shared_addresses: flags.map(|flags| flags & 1 == 1),
        algorithms: algorithms.lines().filter_map(parse::nonempty).collect(),
        region_mmio_bytes: size("region_mmio_size"),
        region_dus_bytes: size("region_dus_size"),
        isolate_errors: directory.value("isolate_strategy", parse::decimal),
        now: UacceNow {
            available: directory.value("available_instances", parse::decimal),
            isolated: directory.value("isolate", parse::switch),
        },
    }
}
