//! What the kernel says of the asking process: /proc/self/status and /proc/self/limits, proc_pid_status(5) and
//! proc_pid_limits(5).

use serde::{Deserialize, Serialize};

use super::{CapabilitySet, Rlimit, capability};
use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// The asking process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Process {
    /// `Uid`: the effective one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// `Cpus_allowed_list`: affinity, within the cpuset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
    /// `Mems_allowed_list`: memory nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<IdSet>,
    /// `NoNewPrivs`: a program that is started gains no rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_new_privs: Option<bool>,
    /// `Seccomp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// `Seccomp_filters`: how many are in force (Linux 5.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp_filters: Option<u32>,
    /// `/proc/self/attr/current`: what SELinux, AppArmor or Smack calls us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_label: Option<String>,
    /// Whether `/proc/self/uid_map` maps us to other users: then root here is nobody outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_namespace: Option<bool>,
}

/// Which system calls are filtered, seccomp(2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Seccomp {
    /// 0: none.
    Disabled,
    /// 1: all but four.
    Strict,
    /// 2: those that filters refuse.
    Filter,
    /// What this version does not know.
    #[serde(untagged)]
    Unknown(u32),
}

const STATUS: &str = "proc/self/status";

/// The text of /proc/self/status.
#[derive(Debug)]
pub(super) struct Status(String);

impl Status {
    pub(super) fn read(survey: &Survey<'_>) -> Self {
        Self(survey.raw(STATUS).unwrap_or_default())
    }

    fn field<T>(
        &self,
        survey: &Survey<'_>,
        name: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let (_, value) = parse::key_values(&self.0).find(|(key, _)| *key == name)?;
        survey.parsed(STATUS, value, parse)
    }

    pub(super) fn process(&self, survey: &Survey<'_>) -> Process {
        Process {
            user: self.field(survey, "Uid", effective),
            cpus: self.field(survey, "Cpus_allowed_list", parse::list),
            nodes: self.field(survey, "Mems_allowed_list", parse::list),
            no_new_privs: self.field(survey, "NoNewPrivs", parse::switch),
            seccomp: self.field(survey, "Seccomp", seccomp),
            seccomp_filters: self.field(survey, "Seccomp_filters", parse::decimal),
            security_label: label(survey),
            user_namespace: survey.value("proc/self/uid_map", is_mapped),
        }
    }

    pub(super) fn capabilities(&self, survey: &Survey<'_>) -> Vec<CapabilitySet> {
        const SETS: [(&str, &str); 5] = [
            ("effective", "CapEff"),
            ("permitted", "CapPrm"),
            ("inheritable", "CapInh"),
            ("bounding", "CapBnd"),
            ("ambient", "CapAmb"),
        ];
        let sets = SETS.map(|(id, key)| Some((id, self.field(survey, key, parse::hex)?)));
        if sets.iter().all(Option::is_none) {
            return Vec::new();
        }
        let last = survey.value("proc/sys/kernel/cap_last_cap", parse::decimal::<u32>);
        let all = last.map(capability::all);
        let set = |(id, mask): (&str, u64)| CapabilitySet {
            id: id.to_owned(),
            full: all.is_some_and(|all| mask & all == all),
            names: capability::names(mask),
        };
        sets.into_iter().flatten().map(set).collect()
    }
}

/// A kernel without such a module answers `EINVAL`: there is no label then.
fn label(survey: &Survey<'_>) -> Option<String> {
    let text = survey.root().text("proc/self/attr/current").ok()??;
    parse::nonempty(&text)
}

/// The second of real, effective, saved and file system.
fn effective(text: &str) -> Parsed<u32> {
    parse::decimal(text.split_whitespace().nth(1).unwrap_or_default())
}

fn seccomp(text: &str) -> Parsed<Seccomp> {
    Ok(match parse::decimal(text)? {
        0 => Seccomp::Disabled,
        1 => Seccomp::Strict,
        2 => Seccomp::Filter,
        other => Seccomp::Unknown(other),
    })
}

/// Whether any range of users is not itself, user_namespaces(7).
///
/// ```text
///          0          0 4294967295
/// ```
fn is_mapped(text: &str) -> Parsed<bool> {
    let mut mapped = false;
    for line in text.lines() {
        let numbers = line.split_whitespace().map(parse::decimal::<u32>);
        match numbers.collect::<Parsed<Vec<u32>>>()?.as_slice() {
            [] => {}
            [inside, outside, _] => mapped |= inside != outside,
            _ => return Err(Expected("three numbers in a line")),
        }
    }
    Ok(mapped)
}

/// The kernel's words and setrlimit(2)'s name for them.
const RLIMITS: [(&str, &str); 16] = [
    ("Max cpu time", "cpu"),
    ("Max file size", "fsize"),
    ("Max data size", "data"),
    ("Max stack size", "stack"),
    ("Max core file size", "core"),
    ("Max resident set", "rss"),
    ("Max processes", "nproc"),
    ("Max open files", "nofile"),
    ("Max locked memory", "memlock"),
    ("Max address space", "as"),
    ("Max file locks", "locks"),
    ("Max pending signals", "sigpending"),
    ("Max msgqueue size", "msgqueue"),
    ("Max nice priority", "nice"),
    ("Max realtime priority", "rtprio"),
    ("Max realtime timeout", "rttime"),
];

const LIMITS: &str = "proc/self/limits";

pub(super) fn rlimits(survey: &Survey<'_>) -> Vec<Rlimit> {
    let text = survey.raw(LIMITS).unwrap_or_default();
    let lines = text.lines().filter(|line| !parse::trim(line).is_empty());
    let lines = lines.filter(|line| !line.starts_with("Limit "));
    lines
        .filter_map(|line| survey.parsed(LIMITS, line, rlimit))
        .collect()
}

/// One line: a name of several words, two values, and a unit or none.
///
/// ```text
/// Max open files            1024                 524288               files
/// ```
fn rlimit(line: &str) -> Parsed<Rlimit> {
    const EXPECTED: Expected = Expected("`Max open files  1024  524288  files`");
    let words: Vec<&str> = parse::trim(line).split_whitespace().collect();
    let is_value = |word: &&str| *word == "unlimited" || parse::decimal::<u64>(word).is_ok();
    let at = words.iter().position(is_value).ok_or(EXPECTED)?;
    let (name, values) = words.split_at_checked(at).ok_or(EXPECTED)?;
    let (soft, hard, unit) = match values {
        [soft, hard] => (soft, hard, ""),
        [soft, hard, unit] => (soft, hard, *unit),
        _ => return Err(EXPECTED),
    };
    let name = name.join(" ");
    let known = RLIMITS.iter().find(|(words, _)| *words == name);
    if name.is_empty() {
        return Err(EXPECTED);
    }
    Ok(Rlimit {
        id: known.map_or(name, |(_, id)| (*id).to_owned()),
        soft: value(soft)?,
        hard: value(hard)?,
        unit: unit.to_owned(),
    })
}

fn value(text: &str) -> Parsed<Option<u64>> {
    if text == "unlimited" {
        return Ok(None);
    }
    parse::decimal(text).map(Some)
}
