//! The kernel's copy of the SMBIOS tables, walked for a class.

use crate::error::Error;
use crate::smbios::{EntryPoint, Structure, Structures};
use crate::survey::Survey;

const ENTRY_POINT: &str = "sys/firmware/dmi/tables/smbios_entry_point";
const TABLE: &str = "sys/firmware/dmi/tables/DMI";

/// Shows each structure to `take`, in the table's order; tells the entry point, where there is one that can be read.
/// Only root may read them; then one problem says so.
pub(crate) fn walk(
    survey: &Survey<'_>,
    mut take: impl FnMut(&Structure<'_>),
) -> Option<EntryPoint> {
    let entry_point = match survey.root().bytes(ENTRY_POINT) {
        Ok(bytes) => bytes.and_then(|bytes| entry_point(survey, &bytes)),
        Err(error) => {
            survey.report(error);
            return None;
        }
    };
    let table = survey.keep(survey.root().bytes(TABLE))?;
    let mut structures = Structures::new(&table, entry_point.as_ref());
    while let Some(structure) = structures.next() {
        match structure {
            Ok(structure) => take(&structure),
            Err(expected) => {
                let place = format!("byte {} of {}", structures.position(), table.len());
                survey.report(Error::malformed(&format!("/{TABLE}"), expected.0, &place));
            }
        }
    }
    entry_point
}

fn entry_point(survey: &Survey<'_>, bytes: &[u8]) -> Option<EntryPoint> {
    let parsed = EntryPoint::parse(bytes);
    parsed
        .map_err(|expected| {
            let text = String::from_utf8_lossy(bytes.get(..5).unwrap_or(bytes));
            survey.report(Error::malformed(
                &format!("/{ENTRY_POINT}"),
                expected.0,
                &text,
            ));
        })
        .ok()
}

/// A handle as an id: `0x1000`.
pub(crate) fn name_of(handle: u16) -> String {
    format!("{handle:#06x}")
}
