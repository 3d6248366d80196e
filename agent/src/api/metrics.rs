//! `/metrics`: the Prometheus text exposition format, version 0.0.4.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libhw::inventory::{Class, Inventory};
use libhw::survey::Reason;

use super::{Duty, Published, Shared};
use crate::work::lock;

mod hardware;

/// The classes of which the metrics tell something that changes without an event.
pub(super) const CLASSES: &[Class] = &[
    Class::System,
    Class::Cpu,
    Class::Numa,
    Class::Hugepages,
    Class::Pci,
];

/// All metrics as text.
pub(super) fn render(published: &Published, shared: &Shared) -> String {
    let mut out = Exposition::default();
    let version = env!("CARGO_PKG_VERSION");
    out.family(GAUGE, "gnomon_build_info", "The agent's version.");
    out.sample(&[("version", &version)], 1);
    hardware::write(&mut out, &published.inventory);
    inventory(&mut out, published);
    agent(&mut out, published, shared);
    requests(&mut out, shared);
    process(&mut out);
    out.text
}

const GAUGE: &str = "gauge";
const COUNTER: &str = "counter";
const SUMMARY: &str = "summary";

/// The text, as it grows family by family.
#[derive(Default)]
struct Exposition {
    text: String,
    name: &'static str,
    /// The head of a family is written before its first sample: one without samples is left out.
    head: String,
}

impl Exposition {
    fn family(&mut self, kind: &str, name: &'static str, help: &str) {
        self.name = name;
        self.head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, labels: &[(&str, &dyn fmt::Display)], value: impl fmt::Display) {
        self.part("", labels, value);
    }

    /// A sample whose name has an ending: `_sum` and `_count` of a summary.
    fn part(
        &mut self,
        ending: &str,
        labels: &[(&str, &dyn fmt::Display)],
        value: impl fmt::Display,
    ) {
        self.text.push_str(&std::mem::take(&mut self.head));
        self.text.push_str(self.name);
        self.text.push_str(ending);
        for (index, (name, value)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            // Writing to a String does not fail.
            let _ = write!(self.text, "{open}{name}=\"");
            escape(&mut self.text, &value.to_string());
            self.text.push('"');
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }

    fn counter(&mut self, name: &'static str, help: &str, counter: &AtomicU64) {
        self.family(COUNTER, name, help);
        self.sample(&[], counter.load(Ordering::Relaxed));
    }

    fn duty(&mut self, labels: &[(&str, &dyn fmt::Display)], duty: &Duty) {
        self.part("_sum", labels, seconds(duty.duration()));
        self.part("_count", labels, duty.count.load(Ordering::Relaxed));
    }
}

/// Escapes a label's value: backslash, quote and line feed.
fn escape(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos())
}

fn inventory(out: &mut Exposition, published: &Published) {
    out.family(
        GAUGE,
        "gnomon_inventory_age_seconds",
        "How long ago the inventory was read.",
    );
    out.sample(&[], seconds(published.age()));
    out.family(
        GAUGE,
        "gnomon_inventory_fresh",
        "1 if this agent has read the inventory, 0 if it is the stored one.",
    );
    out.sample(&[], u8::from(published.fresh));
    out.family(
        GAUGE,
        "gnomon_problems",
        "Values that could not be had, by class and reason.",
    );
    let problems = published.problems();
    for class in Class::ALL {
        for reason in [
            "denied",
            "unsupported",
            "timed_out",
            "unreadable",
            "malformed",
        ] {
            let same = |problem: &&libhw::survey::Problem| {
                problem.class == class.name() && reason_name(&problem.reason) == reason
            };
            let count = problems.iter().filter(same).count();
            out.sample(&[("class", class), ("reason", &reason)], count);
        }
    }
}

fn reason_name(reason: &Reason) -> &'static str {
    match reason {
        Reason::Denied => "denied",
        Reason::Unsupported => "unsupported",
        Reason::TimedOut { .. } => "timed_out",
        Reason::Malformed { .. } => "malformed",
        _ => "unreadable",
    }
}

fn agent(out: &mut Exposition, published: &Published, shared: &Shared) {
    let counters = &shared.counters;
    out.family(
        COUNTER,
        "gnomon_changes_total",
        "Changes of the inventory recorded since the agent started.",
    );
    for (class, count) in Class::ALL.iter().zip(&counters.changes) {
        out.sample(&[("class", class)], count.load(Ordering::Relaxed));
    }
    out.family(
        GAUGE,
        "gnomon_changes_last_seq",
        "The number of the last change on disk.",
    );
    out.sample(&[], published.extent.last);
    out.family(
        GAUGE,
        "gnomon_changes_waiting",
        "Changes that wait in memory for room on disk.",
    );
    out.sample(&[], published.pending.len());
    out.family(
        GAUGE,
        "gnomon_state_writable",
        "1 if the state directory can be written.",
    );
    out.sample(&[], u8::from(published.state_problem.is_none()));
    out.family(
        GAUGE,
        "gnomon_uevents_watched",
        "1 if the kernel's uevents are heard.",
    );
    out.sample(
        &[],
        u8::from(lock(&shared.deaf).is_none() && !shared.replay),
    );
    out.counter("gnomon_uevents_total", "Uevents heard.", &counters.uevents);
    let help = "Times that uevents were lost and everything was read again.";
    out.counter("gnomon_uevents_lost_total", help, &counters.uevents_lost);
    out.family(
        SUMMARY,
        "gnomon_reread_duration_seconds",
        "Time spent on reading a class anew.",
    );
    for (class, duty) in Class::ALL.iter().zip(&counters.rereads) {
        out.duty(&[("class", class)], duty);
    }
    out.family(
        SUMMARY,
        "gnomon_refresh_duration_seconds",
        "Time spent on reading what changes without an event.",
    );
    out.duty(&[], &counters.refreshes);
    out.family(
        GAUGE,
        "gnomon_worker_busy_seconds",
        "How long the worker has been at what it does now; 0 when idle.",
    );
    let busy = shared.work.busy().map_or(Duration::ZERO, |(time, _)| time);
    out.sample(&[], seconds(busy));
}

fn requests(out: &mut Exposition, shared: &Shared) {
    let requests = lock(&shared.counters.requests).clone();
    out.family(
        SUMMARY,
        "gnomon_http_request_duration_seconds",
        "Time spent on requests, by path and status.",
    );
    for ((path, code), (count, time)) in &requests {
        let labels: &[(&str, &dyn fmt::Display)] = &[("path", path), ("code", code)];
        out.part("_sum", labels, seconds(*time));
        out.part("_count", labels, count);
    }
    let help = "Connections that could not be accepted.";
    out.counter(
        "gnomon_http_accept_errors_total",
        help,
        &shared.counters.connections_refused,
    );
}

/// What the agent costs, from /proc/self (proc(5)).
fn process(out: &mut Exposition) {
    let resident = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = resident.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    let page_size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten();
    let page_size = page_size.and_then(|size| u64::try_from(size).ok());
    if let Some((pages, size)) = pages.zip(page_size) {
        out.family(
            GAUGE,
            "gnomon_agent_resident_bytes",
            "The agent's resident memory.",
        );
        out.sample(&[], pages.saturating_mul(size));
    }
    if let Ok(used) = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID) {
        out.family(
            COUNTER,
            "gnomon_agent_cpu_seconds_total",
            "The agent's processor time.",
        );
        out.sample(&[], seconds(Duration::from(used)));
    }
}

/// The tables of a class and how many rows each has.
fn tables(inventory: &Inventory) -> Vec<(Class, &'static str, usize)> {
    let mut tables = Vec::new();
    let mut add = |class, rows: &[(&'static str, usize)]| {
        tables.extend(rows.iter().map(|(table, count)| (class, *table, *count)));
    };
    if let Some(cpu) = &inventory.cpu {
        add(
            Class::Cpu,
            &[
                ("packages", cpu.packages.len()),
                ("dies", cpu.dies.len()),
                ("clusters", cpu.clusters.len()),
                ("cores", cpu.cores.len()),
                ("cpus", cpu.cpus.len()),
                ("caches", cpu.caches.len()),
                ("policies", cpu.policies.len()),
                ("vulnerabilities", cpu.vulnerabilities.len()),
            ],
        );
    }
    if let Some(numa) = &inventory.numa {
        let rows = [
            ("nodes", numa.nodes.len()),
            ("tiers", numa.tiers.len()),
            ("dax", numa.dax.len()),
            ("cxl_memdevs", numa.cxl_memdevs.len()),
        ];
        add(Class::Numa, &rows);
    }
    if let Some(hugepages) = &inventory.hugepages {
        let rows = [
            ("pools", hugepages.pools.len()),
            ("mounts", hugepages.mounts.len()),
        ];
        add(Class::Hugepages, &rows);
    }
    if let Some(pci) = &inventory.pci {
        add(Class::Pci, &[("functions", pci.functions.len())]);
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_hold_anything_and_a_family_without_samples_is_left_out() {
        let mut out = Exposition::default();
        out.family(GAUGE, "gnomon_none", "None.");
        out.family(GAUGE, "gnomon_one", "One.");
        out.sample(&[("a", &"\"\\\n"), ("b", &1)], 2);
        out.sample(&[], 3);
        let text = "# HELP gnomon_one One.\n# TYPE gnomon_one gauge\n\
                    gnomon_one{a=\"\\\"\\\\\\n\",b=\"1\"} 2\ngnomon_one 3\n";
        assert_eq!(out.text, text);
    }

    #[test]
    fn a_time_is_written_in_seconds() {
        assert_eq!(seconds(Duration::new(3, 5)), "3.000000005");
    }
}
