//! The attributes of one function: a directory that is listed once, so that nothing is opened in vain.

use crate::device::pci::Address;
use crate::error::Error;
use crate::parse::Parsed;
use crate::survey::Survey;

/// Where the functions are.
pub(super) const DEVICES: &str = "sys/bus/pci/devices";

/// One function's directory.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    pub(super) survey: &'a Survey<'a>,
    pub(super) address: Address,
    names: Listing,
}

/// What the directory holds.
#[derive(Debug)]
enum Listing {
    /// Names, sorted. Fifty of them cost as much as four opens that fail.
    Known(Vec<String>),
    /// Not listed, since little is asked.
    Unknown,
}

impl<'a> Attributes<'a> {
    /// With its names listed.
    pub(super) fn list(survey: &'a Survey<'a>, address: Address) -> Self {
        let names = survey.names(&format!("{DEVICES}/{address}"));
        Self {
            survey,
            address,
            names: Listing::Known(names),
        }
    }

    /// Without a listing: each attribute that is asked for is opened.
    pub(super) const fn unlisted(survey: &'a Survey<'a>, address: Address) -> Self {
        Self {
            survey,
            address,
            names: Listing::Unknown,
        }
    }

    /// An attribute's path.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{DEVICES}/{}/{name}", self.address)
    }

    /// Whether the function may have the attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        match &self.names {
            Listing::Known(names) => names
                .binary_search_by(|known| known.as_str().cmp(name))
                .is_ok(),
            Listing::Unknown => true,
        }
    }

    /// Whether the directory is known to hold nothing.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(&self.names, Listing::Known(names) if names.is_empty())
    }

    /// The numbers N of the entries `prefixN`, in order.
    pub(super) fn numbered(&self, prefix: &str) -> Vec<u32> {
        let Listing::Known(names) = &self.names else {
            return Vec::new();
        };
        let number = |name: &String| crate::parse::decimal(name.strip_prefix(prefix)?).ok();
        let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// An attribute's text as a value.
    pub(super) fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.has(name)
            .then(|| self.survey.value(&self.path(name), parse))?
    }

    /// An attribute's trimmed text; empty is absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.has(name).then(|| self.survey.text(&self.path(name)))?
    }

    /// The trimmed text of a file in a directory below, of which the listing knows nothing.
    pub(super) fn nested(&self, path: &str) -> Option<String> {
        self.survey.text(&self.path(path))
    }

    /// The last part of where a link points.
    pub(super) fn link_name(&self, name: &str) -> Option<String> {
        self.has(name)
            .then(|| self.survey.link_name(&self.path(name)))?
    }

    /// Keeps as a problem that an attribute which every function has is not there.
    pub(super) fn missing(&self, name: &str) {
        let why = "not there, though every function has it";
        self.survey.report(Error::Read {
            path: format!("/{}", self.path(name)),
            source: std::io::Error::new(std::io::ErrorKind::NotFound, why),
        });
    }
}
