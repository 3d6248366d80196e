//! Limits of the whole kernel, `Documentation/admin-guide/sysctl/{kernel,fs,vm,user}.rst`.

use super::Sysctl;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// Those that programs of a node run into, by name.
const SYSCTLS: [&str; 15] = [
    "fs.aio-max-nr",
    "fs.file-max",
    "fs.inotify.max_user_instances",
    "fs.inotify.max_user_watches",
    "fs.nr_open",
    "kernel.perf_event_paranoid",
    "kernel.pid_max",
    "kernel.sched_rt_period_us",
    "kernel.sched_rt_runtime_us",
    "kernel.threads-max",
    "kernel.unprivileged_bpf_disabled",
    "user.max_user_namespaces",
    "vm.max_map_count",
    "vm.overcommit_memory",
    "vm.swappiness",
];

/// Those that this kernel has.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Sysctl> {
    if survey.names("proc/sys").is_empty() {
        return Vec::new();
    }
    let read = |id: &&str| {
        let path = format!("proc/sys/{}", id.replace('.', "/"));
        Some(Sysctl {
            id: (*id).to_owned(),
            value: survey.value(&path, number)?,
        })
    };
    SYSCTLS.iter().filter_map(read).collect()
}

/// A number; what is larger than the type is as good as no limit, and stays at its end.
fn number(text: &str) -> Parsed<i64> {
    match parse::decimal::<u64>(text) {
        Ok(value) => Ok(i64::try_from(value).unwrap_or(i64::MAX)),
        Err(_) => parse::signed(text),
    }
}

/// The first of several numbers: `9344\t0\t9223372036854775807`.
pub(super) fn first(text: &str) -> Parsed<u64> {
    parse::decimal(text.split_whitespace().next().unwrap_or_default())
}

/// The tasks in /proc/loadavg: `0.20 0.18 0.12 1/80 11206`.
pub(super) fn tasks(text: &str) -> Parsed<u64> {
    const EXPECTED: Expected = Expected("`0.20 0.18 0.12 1/80 11206`");
    let word = text.split_whitespace().nth(3).ok_or(EXPECTED)?;
    let (_, all) = word.split_once('/').ok_or(EXPECTED)?;
    parse::decimal(all).map_err(|_| EXPECTED)
}
