//! Reads the attributes of one sensor device, the slow ones with a deadline.

use std::cell::Cell;

use nix::errno::Errno;

use crate::error::{Error, Result};
use crate::parse::{self, Parsed};
use crate::survey::Survey;

/// The attributes below one directory.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) survey: &'a Survey<'a>,
    base: String,
    slow: bool,
    /// Whether an attribute had no answer in time: then none is asked any more, since what holds one up holds
    /// up all, and the sum of many deadlines is no deadline.
    stuck: Cell<bool>,
}

/// A sysfs attribute is a page at most.
const ATTRIBUTE_MAX: usize = 4096;

impl<'a> Reader<'a> {
    /// Of the directory `base`; `slow` where reading it may take long.
    pub(super) const fn new(survey: &'a Survey<'a>, base: String, slow: bool) -> Self {
        Self {
            survey,
            base,
            slow,
            stuck: Cell::new(false),
        }
    }

    /// The trimmed text of an attribute; empty is absent, and so is one that the driver has no data for now
    /// (`ENODATA`), which is how hwmon and powercap say that a channel is not in use.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        if self.stuck.get() {
            return None;
        }
        let error = match self.bytes(&self.path(name)) {
            Ok(bytes) => return parse::nonempty(&String::from_utf8_lossy(&bytes?)),
            Err(error) => error,
        };
        match &error {
            Error::TimedOut { .. } => self.stuck.set(true),
            Error::Read { source, .. } if source.raw_os_error() == Some(Errno::ENODATA as i32) => {
                return None;
            }
            _ => {}
        }
        self.survey.report(error);
        None
    }

    /// An attribute's text as a value.
    pub(super) fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.survey
            .parsed(&self.path(name), &self.text(name)?, parse)
    }

    /// An attribute's path.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if self.slow {
            self.survey.root().slow_bytes(path, ATTRIBUTE_MAX)
        } else {
            self.survey.root().bytes(path)
        }
    }
}
