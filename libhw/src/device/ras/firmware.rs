//! What firmware offers for errors: its ACPI tables (ACPI 6.5 §18), and the sources that the kernel listens to.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::survey::Survey;

/// What firmware offers for errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Firmware {
    /// Its tables about errors (`/sys/firmware/acpi/tables`): `BERT` (the last start), `EINJ` (injection), `ERST` (a store
    /// that outlives a restart), `HEST` (sources), `AEST` (Arm's own), `RAS2` (scrubbing).
    pub tables: Vec<String>,
    /// How many sources of errors `HEST` has; only root may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_source_count: Option<u32>,
    /// How many of them the kernel's GHES driver serves: firmware sees errors first, and tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generic_source_count: Option<u32>,
}

const TABLES: &str = "sys/firmware/acpi/tables";
const DRIVER: &str = "sys/bus/platform/drivers/GHES";

const ABOUT_ERRORS: &[&str] = &[
    "AEST", "BERT", "EINJ", "ERST", "HEST", "RAS2", "RASF", "SDEI",
];

pub(super) fn discover(survey: &Survey<'_>) -> Option<Firmware> {
    let mut tables = survey.names(TABLES);
    tables.retain(|name| ABOUT_ERRORS.contains(&name.as_str()));
    if tables.is_empty() {
        return None;
    }
    let has_sources = tables.iter().any(|name| name == "HEST");
    let generic = survey.numbered(DRIVER, "GHES.").len();
    Some(Firmware {
        tables,
        error_source_count: has_sources.then(|| error_sources(survey)).flatten(),
        generic_source_count: u32::try_from(generic).ok().filter(|count| *count > 0),
    })
}

/// The number after HEST's header (ACPI 6.5 §18.3.2).
fn error_sources(survey: &Survey<'_>) -> Option<u32> {
    const HEADER: usize = 36;
    let path = format!("{TABLES}/HEST");
    let table = survey.keep(survey.root().bytes(&path))?;
    let header = table.starts_with(b"HEST").then_some(table.as_slice());
    let count = header.and_then(|table| table.get(HEADER..)?.first_chunk());
    if count.is_none() {
        let text = format!("{} bytes", table.len());
        survey.report(Error::malformed(
            &format!("/{path}"),
            "an ACPI table HEST",
            &text,
        ));
    }
    count.map(|count| u32::from_le_bytes(*count))
}
