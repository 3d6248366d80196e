//! The texts that several answers about the machine are drawn from, each read at most once.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::label::label;
use crate::parse;
use crate::survey::Survey;

/// `sys/class/dmi/id` is a link to the second, which is all that some captured trees have.
const DMI: [&str; 2] = ["sys/class/dmi/id", "sys/devices/virtual/dmi/id"];

/// `proc/device-tree` is a link to the second.
const DEVICE_TREE: [&str; 2] = ["proc/device-tree", "sys/firmware/devicetree/base"];

/// No label and no serial number is longer: SMBIOS strings end at 255 characters in practice.
const LABEL_MAX: usize = 4096;

/// What the kernel has to say about the machine.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) survey: &'a Survey<'a>,
    pub(super) dmi: Attributes,
    pub(super) device_tree: Attributes,
    /// `/proc/sysinfo`, which only s390 has.
    sysinfo: Fields,
    cpuinfo: OnceCell<String>,
    version: OnceCell<String>,
}

/// The lines `key: value` of a file: of each key its first value.
type Fields = BTreeMap<String, String>;

/// A directory of small attributes, and which of them are there.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    directory: &'static str,
    names: Vec<String>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(survey: &'a Survey<'a>) -> Self {
        Self {
            survey,
            dmi: Attributes::first(survey, &DMI),
            device_tree: Attributes::first(survey, &DEVICE_TREE),
            sysinfo: fields(survey, "proc/sysinfo"),
            cpuinfo: OnceCell::new(),
            version: OnceCell::new(),
        }
    }

    /// The first value of a key of `/proc/cpuinfo`: asked for only where nothing cheaper answers, since that
    /// file grows with the CPUs.
    pub(super) fn cpuinfo(&self, name: &str) -> Option<&str> {
        let read = || self.survey.raw("proc/cpuinfo").unwrap_or_default();
        value_of(self.cpuinfo.get_or_init(read), name)
    }

    /// `/proc/version`, the words of which depend on who built the kernel.
    pub(super) fn version(&self) -> &str {
        let read = || self.survey.raw("proc/version").unwrap_or_default();
        self.version.get_or_init(read)
    }

    /// The first value of a key of `/proc/sysinfo`.
    pub(super) fn sysinfo(&self, name: &str) -> Option<String> {
        label(self.sysinfo.get(name)?)
    }

    /// A DMI attribute, unless it is a placeholder.
    pub(super) fn dmi_label(&self, name: &str) -> Option<String> {
        label(&self.survey.raw(&self.dmi.path(name)?)?)
    }

    /// A DMI attribute that only root may read, and that some firmware takes seconds for.
    pub(super) fn dmi_identity(&self, name: &str) -> Option<String> {
        let path = self.dmi.path(name)?;
        let root = self.survey.root();
        let bytes = self.survey.keep(root.slow_bytes(&path, LABEL_MAX))?;
        label(&String::from_utf8_lossy(&bytes))
    }

    /// A property of the device tree's root that is one string.
    pub(super) fn device_tree_label(&self, name: &str) -> Option<String> {
        label(&self.survey.raw(&self.device_tree.path(name)?)?)
    }

    /// A property of the device tree that is a list of strings, each ended by NUL.
    pub(super) fn device_tree_list(&self, name: &str) -> Vec<String> {
        let path = self.device_tree.path(name);
        let text = path.and_then(|path| self.survey.raw(&path));
        let text = text.unwrap_or_default();
        text.split('\0').filter_map(parse::nonempty).collect()
    }
}

impl Attributes {
    /// The first of `directories` that has anything in it.
    fn first(survey: &Survey<'_>, directories: &[&'static str]) -> Self {
        let listed = |directory: &&'static str| Self {
            directory,
            names: survey.names(directory),
        };
        let mut all = directories.iter().map(listed);
        all.find(Self::is_present).unwrap_or_default()
    }

    pub(super) const fn is_present(&self) -> bool {
        !self.names.is_empty()
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Where an attribute is, if its first part is listed.
    fn path(&self, name: &str) -> Option<String> {
        let first = name.split('/').next()?;
        let listed = self.names.iter().any(|listed| listed == first);
        listed.then(|| format!("{}/{name}", self.directory))
    }
}

/// The value in the first line `key: value`. A text that tells of a thousand CPUs says the same of each: what stands
/// once stands before or behind them all.
fn value_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let tail = bytes.len().saturating_sub(END).max(END.min(bytes.len()));
    let line_at = |at: usize| {
        let starts = at == 0 || bytes.get(at - 1) == Some(&b'\n');
        let line = text.get(at..).filter(|_| starts)?.lines().next()?;
        let (name, value) = line.split_once(':')?;
        (parse::trim(name) == key).then(|| parse::trim(value))
    };
    let find = |from: usize, part: Option<&[u8]>| {
        let mut found = memchr::memmem::find_iter(part?, key);
        found.find_map(|at| line_at(from + at))
    };
    find(0, bytes.get(..END.min(bytes.len()))).or_else(|| find(tail, bytes.get(tail..)))
}

/// More than a CPU's lines.
const END: usize = 16 << 10;

fn fields(survey: &Survey<'_>, path: &str) -> Fields {
    let text = survey.raw(path).unwrap_or_default();
    let mut fields = Fields::new();
    for (key, value) in parse::key_values(&text) {
        if !fields.contains_key(key) {
            fields.insert(key.to_owned(), value.to_owned());
        }
    }
    fields
}
