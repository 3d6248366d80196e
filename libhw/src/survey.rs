//! How a device class reads: each value is had, or is absent, or leaves a [`Problem`] that says why not.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::io::root::Root;
use crate::parse::{self, Parsed};

/// A value that could not be had, beside the inventory that lacks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// The device class that asked: `cpu`, `pci`, ...
    pub class: String,
    /// Where it stands, or the name of the probe.
    pub path: String,
    /// Why it could not be had.
    #[serde(flatten)]
    pub reason: Reason,
}

/// Why a value could not be had. Absent is none of these: what a kernel does not offer is no problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It takes a right that we do not have.
    Denied,
    /// The driver says that it does not support it here.
    Unsupported,
    /// No answer came in time.
    TimedOut {
        /// How long was waited.
        limit_ms: u64,
    },
    /// The kernel answered with an error.
    Unreadable {
        /// The kernel's words for it.
        error: String,
    },
    /// It is there, and is not what the kernel documents.
    Malformed {
        /// What should have stood there.
        expected: String,
        /// What stood there, cut to [`Error::TEXT_MAX`] characters.
        text: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.reason {
            Reason::Denied => f.write_str("permission denied"),
            Reason::Unsupported => f.write_str("not supported by its driver"),
            Reason::TimedOut { limit_ms } => write!(f, "no answer within {limit_ms} ms"),
            Reason::Unreadable { error } => f.write_str(error),
            Reason::Malformed { expected, text } => {
                write!(f, "expected {expected}, found {text:?}")
            }
        }
    }
}

/// One class's look at a root: reads, parses, and keeps what could not be had.
#[derive(Debug)]
pub struct Survey<'a> {
    root: &'a Root,
    class: &'static str,
    deep: bool,
    virtual_functions: bool,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Survey<'a> {
    /// A look at `root` for the class named `class`; `deep` and `virtual_functions` as in the inventory's scope.
    #[must_use]
    pub const fn new(
        root: &'a Root,
        class: &'static str,
        deep: bool,
        virtual_functions: bool,
    ) -> Self {
        Self {
            root,
            class,
            deep,
            virtual_functions,
            problems: RefCell::new(Vec::new()),
        }
    }

    /// Whether to read also what reaches a device or wakes it.
    #[must_use]
    pub const fn deep(&self) -> bool {
        self.deep
    }

    /// Whether to list virtual functions one by one.
    #[must_use]
    pub const fn virtual_functions(&self) -> bool {
        self.virtual_functions
    }

    /// The root that is looked at, for the rare question that has no helper here.
    #[must_use]
    pub const fn root(&self) -> &'a Root {
        self.root
    }

    /// What could not be had.
    #[must_use]
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    /// A value, or `None` and a [`Problem`] when it could not be had.
    pub fn keep<T: Default>(&self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.report(error);
            T::default()
        })
    }

    /// Keeps `error` as a [`Problem`].
    pub fn report(&self, error: Error) {
        let (path, reason) = match error {
            Error::Denied { path } => (path, Reason::Denied),
            Error::Unsupported { path } => (path, Reason::Unsupported),
            Error::TimedOut { path, limit } => {
                let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
                (path, Reason::TimedOut { limit_ms })
            }
            Error::Read { path, source } => (
                path,
                Reason::Unreadable {
                    error: source.to_string(),
                },
            ),
            Error::TooLarge { path, limit } => (
                path,
                Reason::Unreadable {
                    error: format!("larger than {limit} bytes"),
                },
            ),
            Error::Malformed {
                path,
                expected,
                text,
            } => (
                path,
                Reason::Malformed {
                    expected: expected.to_owned(),
                    text,
                },
            ),
            // Those of opening and of writing a tree are no answers to reading it.
            other => (
                String::new(),
                Reason::Unreadable {
                    error: other.to_string(),
                },
            ),
        };
        self.problems.borrow_mut().push(Problem {
            class: self.class.to_owned(),
            path,
            reason,
        });
    }

    /// A file's whole text as it stands.
    #[must_use]
    pub fn raw(&self, path: &str) -> Option<String> {
        self.keep(self.root.text(path))
    }

    /// A file's trimmed text; empty is absent.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        parse::nonempty(&self.raw(path)?)
    }

    /// A file's text as a value.
    #[must_use]
    pub fn value<T>(&self, path: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.parsed(path, &self.raw(path)?, parse)
    }

    /// A piece of a file's text as a value; `path` is only said when it is malformed.
    #[must_use]
    pub fn parsed<T>(
        &self,
        path: &str,
        text: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        match parse(text) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.report(Error::malformed(&format!("/{path}"), expected.0, text));
                None
            }
        }
    }

    /// The names in a directory, sorted as text.
    #[must_use]
    pub fn names(&self, path: &str) -> Vec<String> {
        self.keep(self.root.names(path))
    }

    /// The numbers N of the entries `prefixN` in a directory, in order: `cpu0`, `cpu1`, ... → 0, 1, ...
    #[must_use]
    pub fn numbered(&self, path: &str, prefix: &str) -> Vec<u32> {
        let number = |name: &String| parse::decimal(name.strip_prefix(prefix)?).ok();
        let mut numbers: Vec<u32> = self.names(path).iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The last part of where a link points: the name of a driver, a group, a device.
    #[must_use]
    pub fn link_name(&self, path: &str) -> Option<String> {
        let target = self.keep(self.root.link(path))?;
        parse::nonempty(target.rsplit('/').next()?)
    }
}
