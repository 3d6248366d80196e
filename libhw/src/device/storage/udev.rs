//! What udev found out about a block device (/run/udev/data/bMAJOR:MINOR): the kernel does not look into it.
//!
//! ```text
//! E:ID_FS_TYPE=ext4
//! ```

use std::collections::BTreeMap;

use crate::parse;
use crate::survey::Survey;

/// Where there is a file for each device.
pub(super) const PLACE: &str = "run/udev/data";

/// The properties of one device.
#[derive(Debug, Default)]
pub(super) struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Those of the device with this number; none where there is no udev.
    pub(super) fn of(survey: &Survey<'_>, number: Option<&str>) -> Self {
        let Some(number) = number else {
            return Self::default();
        };
        let text = survey.raw(&format!("{PLACE}/b{number}"));
        let text = text.unwrap_or_default();
        let pair = |line: &str| {
            let (key, value) = line.strip_prefix("E:")?.split_once('=')?;
            Some((key.to_owned(), parse::nonempty(value)?))
        };
        // udev keeps some dozens for a device.
        Self(text.lines().filter_map(pair).take(1024).collect())
    }

    /// The first of these properties that there is.
    pub(super) fn first(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.0.get(*key)).cloned()
    }
}
