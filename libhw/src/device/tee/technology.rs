//! What the signs say of each technology.

use std::collections::BTreeMap;

use super::evidence::{SIGNS, Sign};
use super::{Host, Name, Technology, TechnologyNow};
use crate::parse;
use crate::survey::Survey;

const DEVICES: &str = "sys/class/misc";
const COMMAND_LINE: &str = "proc/cmdline";
const CAPACITY: &str = "sys/fs/cgroup/misc.capacity";
const CURRENT: &str = "sys/fs/cgroup/misc.current";

/// The technologies of which there is a sign.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Technology> {
    let scene = Scene {
        survey,
        devices: survey.names(DEVICES),
        command_line: survey.text(COMMAND_LINE).unwrap_or_default(),
        capacity: counts(survey, CAPACITY),
    };
    let mut technologies: BTreeMap<Name, Technology> = BTreeMap::new();
    for (name, sign) in SIGNS {
        if let Some(seen) = scene.look(*sign) {
            let known = technologies.entry(*name).or_insert_with(|| of(*name));
            seen.tell(known);
        }
    }
    let mut technologies: Vec<Technology> = technologies.into_values().collect();
    use_now(&mut technologies, survey);
    technologies
}

/// Reads again how much is in use.
pub(super) fn refresh(technologies: &mut [Technology], survey: &Survey<'_>) {
    use_now(technologies, survey);
}

fn use_now(technologies: &mut [Technology], survey: &Survey<'_>) {
    if technologies.iter().all(|one| one.capacity.is_none()) {
        return;
    }
    let current = counts(survey, CURRENT);
    for one in technologies {
        let names = SIGNS.iter().filter(|(name, _)| *name == one.id);
        let mut used = names.filter_map(|(_, sign)| match sign {
            Sign::Misc(key) => current.get(*key).copied(),
            _ => None,
        });
        one.now.used = used.next_back();
    }
}

const fn of(id: Name) -> Technology {
    Technology {
        id,
        host: Host::Unknown,
        guest: false,
        devices: Vec::new(),
        capacity: None,
        now: TechnologyNow { used: None },
    }
}

/// What is looked at, each thing once.
struct Scene<'a> {
    survey: &'a Survey<'a>,
    devices: Vec<String>,
    command_line: String,
    capacity: BTreeMap<String, u64>,
}

/// What a sign says.
enum Seen {
    Host(Host),
    Device(&'static str),
    HostDevice(&'static str),
    GuestDevice(&'static str),
    Guest,
    Capacity(u64),
}

impl Scene<'_> {
    fn look(&self, sign: Sign) -> Option<Seen> {
        let device = |name: &str| self.devices.iter().any(|listed| listed == name);
        match sign {
            Sign::HostSwitch(path) => self
                .survey
                .value(path, parse::switch)
                .map(|on| Seen::Host(if on { Host::Enabled } else { Host::Disabled })),
            Sign::Device(name) => device(name).then_some(Seen::Device(name)),
            Sign::HostDevice(name) => device(name).then_some(Seen::HostDevice(name)),
            Sign::GuestDevice(name) => device(name).then_some(Seen::GuestDevice(name)),
            Sign::GuestSwitch(path) => {
                let guest = self.survey.value(path, parse::switch);
                (guest == Some(true)).then_some(Seen::Guest)
            }
            Sign::GuestDirectory(path) => {
                (!self.survey.names(path).is_empty()).then_some(Seen::Guest)
            }
            Sign::HostWord(word) => {
                let mut words = self.command_line.split_whitespace();
                words
                    .any(|said| said == word)
                    .then_some(Seen::Host(Host::Enabled))
            }
            Sign::Misc(key) => self.capacity.get(key).copied().map(Seen::Capacity),
            Sign::Capacity(path) => self.survey.value(path, parse::decimal).map(Seen::Capacity),
        }
    }
}

impl Seen {
    fn tell(self, known: &mut Technology) {
        match self {
            Self::Host(host) => known.host = host,
            Self::Device(name) => known.devices.push(name.to_owned()),
            Self::HostDevice(name) => {
                known.devices.push(name.to_owned());
                known.host = Host::Enabled;
            }
            Self::GuestDevice(name) => {
                known.devices.push(name.to_owned());
                known.guest = true;
            }
            Self::Guest => known.guest = true,
            Self::Capacity(capacity) => known.capacity = Some(capacity),
        }
    }
}

/// The lines of the misc controller's files.
///
/// ```text
/// sev 99
/// sgx_epc 66318110720
/// ```
fn counts(survey: &Survey<'_>, path: &str) -> BTreeMap<String, u64> {
    let text = survey.raw(path).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines().filter(|line| !parse::trim(line).is_empty()) {
        let (name, count) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(count) = survey.parsed(path, count, parse::decimal) {
            counts.insert(name.to_owned(), count);
        }
    }
    counts
}
