//! The error that firmware kept from before this start (ACPI 6.5 §18.3.1, `/sys/firmware/acpi/tables/data/BERT`).

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::survey::Survey;

/// An error from before this start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootError {
    /// How bad the worst of it was.
    pub severity: Severity,
    /// How many records there are.
    pub record_count: u32,
}

/// How bad an error was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Not corrected, and did not have to stop the machine.
    Recoverable,
    /// It stopped the machine.
    Fatal,
    /// Corrected.
    Corrected,
    /// No error.
    Informational,
    /// A number of a later version: `0x5`.
    #[serde(untagged)]
    Other(String),
}

const DATA: &str = "sys/firmware/acpi/tables/data";

/// The head of a generic error status block (§18.3.2.7.1): status, two places, length, severity.
const HEAD: usize = 20;

/// None where firmware kept nothing.
pub(super) fn discover(survey: &Survey<'_>) -> Option<BootError> {
    if !survey.names(DATA).iter().any(|name| name == "BERT") {
        return None;
    }
    let path = format!("{DATA}/BERT");
    let bytes = survey.keep(survey.root().slow_bytes(&path, HEAD))?;
    let head = bytes.first_chunk::<HEAD>();
    if head.is_none() {
        let text = format!("{} bytes", bytes.len());
        survey.report(Error::malformed(
            &format!("/{path}"),
            "an error status block",
            &text,
        ));
    }
    let [s0, s1, s2, s3, .., a, b, c, d] = *head?;
    let status = u32::from_le_bytes([s0, s1, s2, s3]);
    (status != 0).then(|| BootError {
        severity: match u32::from_le_bytes([a, b, c, d]) {
            0 => Severity::Recoverable,
            1 => Severity::Fatal,
            2 => Severity::Corrected,
            3 => Severity::Informational,
            other => Severity::Other(format!("{other:#x}")),
        },
        // Bits 4 to 13 count the records.
        record_count: status >> 4 & 0x3ff,
    })
}
