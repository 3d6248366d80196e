//! A device's directory: listed once, so that nothing is opened in vain; and PCI functions by their ids.

use crate::parse::{self, Parsed};
use crate::survey::Survey;

/// Where the kernel has its PCI functions.
pub(crate) const FUNCTIONS: &str = "sys/bus/pci/devices";

/// The most entries of one directory that are looked at.
const ENTRIES_MAX: usize = 4096;

/// No attribute that is read with a deadline is longer.
const SLOW_MAX: usize = 4096;

/// A directory and the names in it.
#[derive(Clone, Debug)]
pub(crate) struct Directory<'a> {
    survey: &'a Survey<'a>,
    path: String,
    names: Vec<String>,
}

impl<'a> Directory<'a> {
    /// Lists a directory; one that is not there has no names.
    pub(crate) fn list(survey: &'a Survey<'a>, path: impl Into<String>) -> Self {
        let path = path.into();
        let mut names = survey.names(&path);
        names.truncate(ENTRIES_MAX);
        Self {
            survey,
            path,
            names,
        }
    }

    /// Its path, or that of an entry.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Where its own link points; `None` when it is none.
    pub(crate) fn target(&self) -> Option<String> {
        self.survey.keep(self.survey.root().link(&self.path))
    }

    /// Whether it has an entry.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// A directory in it, listed; `None` where there is no such entry.
    pub(crate) fn below(&self, name: &str) -> Option<Self> {
        self.has(name)
            .then(|| Self::list(self.survey, self.path(name)))
    }

    /// The directories in it whose name is `wanted`, listed.
    pub(crate) fn all_below(&self, wanted: impl Fn(&str) -> bool) -> Vec<Self> {
        let names = self.names().filter(|name| wanted(name));
        names
            .map(|name| Self::list(self.survey, self.path(name)))
            .collect()
    }

    /// An attribute's trimmed text; empty is absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.has(name).then(|| self.survey.text(&self.path(name)))?
    }

    /// An attribute's text as a value; empty is absent, since drivers leave so what they do not know.
    pub(crate) fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let text = self.text(name)?;
        self.survey.parsed(&self.path(name), &text, parse)
    }

    /// As [`Directory::text`], of an attribute that reaches a device: with a deadline.
    pub(crate) fn slow_text(&self, name: &str) -> Option<String> {
        if !self.has(name) {
            return None;
        }
        let root = self.survey.root();
        let bytes = self
            .survey
            .keep(root.slow_bytes(&self.path(name), SLOW_MAX))?;
        parse::nonempty(&String::from_utf8_lossy(&bytes))
    }

    /// As [`Directory::value`], of an attribute that reaches a device: with a deadline.
    pub(crate) fn slow_value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let text = self.slow_text(name)?;
        self.survey.parsed(&self.path(name), &text, parse)
    }

    /// As [`Directory::slow_value`], of at most `length` bytes, of which the kernel then makes no more.
    pub(crate) fn slow_value_of<T>(
        &self,
        name: &str,
        length: usize,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let path = self.path(name);
        let bytes = self
            .has(name)
            .then(|| self.survey.root().slow_bytes(&path, length))?;
        let text = parse::nonempty(&String::from_utf8_lossy(&self.survey.keep(bytes)?))?;
        self.survey.parsed(&path, &text, parse)
    }

    /// The last part of where a link points.
    pub(crate) fn link_name(&self, name: &str) -> Option<String> {
        self.has(name)
            .then(|| self.survey.link_name(&self.path(name)))?
    }

    /// The PCI function that the directory's own link passes, or else its link `device`.
    pub(crate) fn function(&self) -> Option<String> {
        let of = |target: String| parse::function_above(&target).map(str::to_owned);
        self.target().and_then(of).or_else(|| {
            let device = self.has("device").then(|| self.path("device"))?;
            of(self.survey.keep(self.survey.root().link(&device))?)
        })
    }
}

/// What a PCI function says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Its address.
    pub(crate) id: String,
    pub(crate) vendor: u16,
    pub(crate) device: u16,
    pub(crate) subsystem_device: u16,
    /// Base class, subclass and programming interface.
    pub(crate) class: u32,
}

/// The PCI functions that are `wanted`: one small read for each that there is. Virtual functions are left out
/// unless they are asked for, or their physical one is not here.
pub(crate) fn functions<'a>(
    survey: &'a Survey<'a>,
    wanted: impl Fn(&Identity) -> bool,
) -> Vec<(Identity, Directory<'a>)> {
    let mut found = Vec::new();
    for id in survey.names(FUNCTIONS) {
        let Some(identity) = identity(survey, &id).filter(&wanted) else {
            continue;
        };
        let directory = Directory::list(survey, format!("{FUNCTIONS}/{}", identity.id));
        if !directory.has("physfn") || survey.virtual_functions() {
            found.push((identity, directory));
        }
    }
    found
}

/// By `modalias`, which takes no lock and reaches no device; old captures have `class`, `vendor` and `device`.
pub(crate) fn identity(survey: &Survey<'_>, id: &str) -> Option<Identity> {
    let path = |name: &str| format!("{FUNCTIONS}/{id}/{name}");
    // What cannot be read or is malformed is a problem of the class that lists every function.
    let text = |name: &str| survey.root().text(&path(name)).ok().flatten();
    if let Some(mut identity) = text("modalias").and_then(|text| modalias(&text)) {
        id.clone_into(&mut identity.id);
        return Some(identity);
    }
    let number = |name: &str| parse::hex(&text(name)?).ok();
    Some(Identity {
        vendor: number("vendor")?.try_into().ok()?,
        device: number("device")?.try_into().ok()?,
        subsystem_device: number("subsystem_device")
            .and_then(|number| number.try_into().ok())
            .unwrap_or_default(),
        class: number("class")
            .and_then(|number| number.try_into().ok())
            .unwrap_or_default(),
        id: id.to_owned(),
    })
}

/// What a PCI function's modalias says; `None` for what is none.
///
/// ```text
/// pci:v00008086d00004940sv00008086sd00000000bc0Bsc40i00
/// ```
pub(crate) fn modalias(text: &str) -> Option<Identity> {
    let mut rest = parse::trim(text).strip_prefix("pci:")?;
    let mut field = |name: &str, digits: usize| {
        let (value, after) = rest.strip_prefix(name)?.split_at_checked(digits)?;
        rest = after;
        u32::from_str_radix(value, 16).ok()
    };
    let vendor = field("v", 8)?.try_into().ok()?;
    let device = field("d", 8)?.try_into().ok()?;
    let _ = field("sv", 8)?;
    let subsystem_device = u16::try_from(field("sd", 8)?).unwrap_or_default();
    let class = field("bc", 2)? << 16 | field("sc", 2)? << 8 | field("i", 2)?;
    Some(Identity {
        id: String::new(),
        vendor,
        device,
        subsystem_device,
        class,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modalias_is_taken_apart() {
        let identity = modalias("pci:v00008086d0000BCCEsv00008086sd00001770bc12sc00i00\n");
        let identity = identity.unwrap();
        assert_eq!(
            (identity.vendor, identity.device, identity.subsystem_device),
            (0x8086, 0xbcce, 0x1770)
        );
        assert_eq!(identity.class, 0x12_0000);
        for text in [
            "",
            "pci:",
            "pci:v0000808",
            "pci:v00018086d00004940sv0sd0",
            "of:N*T*",
            "pci:v0000é8086",
        ] {
            assert_eq!(modalias(text), None, "{text:?}");
        }
    }
}
