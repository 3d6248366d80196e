//! What we may use of the machine: what is left when all limits are taken together, then what sets them.

use libhw::device::limits::{
    Bound, CapabilitySet, Cgroup, ContainerKind, Effective, Limits, Pressure, Rlimit, Seccomp,
};
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{counted, joined, plural, some, yes};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(limits) = &inventory.limits else {
        return;
    };
    page.title("Limits");
    page.table(&facts(limits));
    page.table(&groups(limits, detail));
    page.table(&pressure(limits));
    if detail {
        page.table(&devices(limits));
        page.table(&rlimits(limits));
        page.table(&capabilities(limits));
        page.table(&sysctls(limits));
    }
}

/// What binds us, if anything does.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let limits = inventory.limits.as_ref()?;
    let effective = &limits.effective;
    let cpus = effective.usable_millicpus.map(|millis| match millis {
        1000 => "1 CPU".to_owned(),
        millis => format!("{} CPUs", thousandths(millis)),
    });
    let memory = effective.memory.as_ref();
    let parts = [
        cpus,
        memory.map(|bound| format!("{} of memory", Bytes(bound.limit))),
        effective
            .pids
            .as_ref()
            .map(|bound| format!("{} processes", bound.limit)),
        limits
            .container
            .as_ref()
            .map(|container| format!("in a container ({})", engine(&container.kind))),
    ];
    some(joined(parts, ", "))
}

fn facts(limits: &Limits) -> Table {
    let mut facts = Table::facts();
    if let Some(container) = &limits.container {
        let evidence = container.evidence.join(", ");
        facts.fact(
            "Container",
            format!("{}, by {evidence}", engine(&container.kind)),
        );
    }
    let effective = &limits.effective;
    facts.fact(
        "CPUs",
        effective.cpus.as_ref().map(counted).unwrap_or_default(),
    );
    facts.fact(
        "Memory nodes",
        effective.nodes.as_ref().map(counted).unwrap_or_default(),
    );
    for (name, text) in bounds(effective) {
        facts.fact(name, text);
    }
    let process = &limits.process;
    facts.fact("User", Cell::of(process.user.as_ref()));
    if process.user_namespace == Some(true) {
        facts.fact("User namespace", "mapped to other users outside");
    }
    let set = limits.capabilities.iter().find(|set| set.id == "effective");
    facts.fact("Capabilities", set.map(in_short).unwrap_or_default());
    facts.fact("System calls", seccomp(limits));
    facts.fact(
        "No new rights",
        process
            .no_new_privs
            .filter(|set| *set)
            .map(yes)
            .unwrap_or_default(),
    );
    facts.fact("Security label", Cell::of(process.security_label.as_ref()));
    facts.fact("Limits", common(&limits.rlimits));
    let now = [
        now(limits, limits.now.open_files, "fs.file-max", "open files"),
        now(limits, limits.now.tasks, "kernel.threads-max", "tasks"),
    ];
    facts.fact("In use", joined(now, ", "));
    facts
}

/// The smallest limits, and which group sets each.
fn bounds(effective: &Effective) -> Vec<(&'static str, String)> {
    let told = |bound: &Option<Bound>, text: fn(u64) -> String| {
        bound
            .as_ref()
            .map(|bound| format!("{} ({})", text(bound.limit), bound.cgroup))
            .unwrap_or_default()
    };
    let bytes = |limit| Bytes(limit).to_string();
    let hugetlb = effective.hugetlb.iter().map(|limit| {
        Some(format!(
            "{} of {} ({})",
            Bytes(limit.bound.limit),
            limit.size_bytes,
            limit.bound.cgroup
        ))
    });
    vec![
        (
            "CPU quota",
            told(&effective.cpu, |millis| {
                format!("{} CPUs", thousandths(millis))
            }),
        ),
        ("Memory", told(&effective.memory, bytes)),
        ("Slowed down above", told(&effective.memory_high, bytes)),
        ("Swap", told(&effective.swap, bytes)),
        (
            "Processes",
            told(&effective.pids, |limit| limit.to_string()),
        ),
        ("Huge pages", joined(hugetlb, ", ")),
    ]
}

/// `1.5` of 1500.
fn thousandths(value: u64) -> String {
    let text = format!("{}.{:03}", value / 1000, value % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn engine(kind: &ContainerKind) -> &str {
    match kind {
        ContainerKind::Kubernetes => "Kubernetes",
        ContainerKind::Docker => "Docker",
        ContainerKind::Podman => "Podman",
        ContainerKind::Crio => "CRI-O",
        ContainerKind::Containerd => "containerd",
        ContainerKind::Lxc => "LXC",
        ContainerKind::Nspawn => "systemd-nspawn",
        ContainerKind::Other(name) => name,
    }
}

fn seccomp(limits: &Limits) -> String {
    match &limits.process.seccomp {
        Some(Seccomp::Strict) => "all but four forbidden".to_owned(),
        Some(Seccomp::Filter) => {
            let filters = limits.process.seccomp_filters.unwrap_or(1);
            format!(
                "filtered ({})",
                plural(usize::try_from(filters).unwrap_or(1), "filter")
            )
        }
        Some(Seccomp::Unknown(mode)) => format!("seccomp mode {mode}"),
        Some(Seccomp::Disabled) | None => String::new(),
    }
}

fn in_short(set: &CapabilitySet) -> String {
    match (set.full, set.names.len()) {
        (true, count) => format!("all ({count})"),
        (false, 0) => "none".to_owned(),
        (false, count) if count > 20 => format!("{count} of the kernel's"),
        (false, _) => set.names.join(", "),
    }
}

/// The limits that programs of a node run into first.
fn common(rlimits: &[Rlimit]) -> String {
    const SHOWN: [&str; 4] = ["nofile", "memlock", "rtprio", "nproc"];
    let shown = rlimits
        .iter()
        .filter(|limit| SHOWN.contains(&limit.id.as_str()));
    joined(
        shown.map(|limit| Some(format!("{} {}", limit.id, value(limit, limit.soft)))),
        ", ",
    )
}

fn value(limit: &Rlimit, value: Option<u64>) -> String {
    match value {
        None => "unlimited".to_owned(),
        Some(value) if limit.unit == "bytes" => Bytes(value).to_string(),
        Some(value) => value.to_string(),
    }
}

fn now(limits: &Limits, count: Option<u64>, most: &str, noun: &str) -> Option<String> {
    let most = limits.sysctls.iter().find(|sysctl| sysctl.id == most);
    let most = most
        .filter(|sysctl| sysctl.value < i64::MAX)
        .map(|sysctl| format!(" of {}", sysctl.value));
    Some(format!("{}{} {noun}", count?, most.unwrap_or_default()))
}

/// Our groups; in short only those that limit something.
fn groups(limits: &Limits, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("cgroup"),
        Column::Right("CPUs"),
        Column::Right("weight"),
        Column::Left("cpuset"),
        Column::Left("nodes"),
        Column::Right("memory"),
        Column::Right("in use"),
        Column::Right("swap"),
        Column::Right("processes"),
        Column::Right("throttled"),
        Column::Right("killed"),
    ]);
    let shown = limits
        .cgroups
        .iter()
        .filter(|group| detail || group.distance == 0 || binds(group));
    for group in shown {
        let cpuset = &group.cpuset;
        let set = cpuset.cpus_effective.as_ref().or(cpuset.cpus.as_ref());
        let nodes = cpuset.nodes_effective.as_ref().or(cpuset.nodes.as_ref());
        let weight = group.cpu.weight.or(group.cpu.shares);
        let swap = group
            .memory
            .swap_max_bytes
            .or(group.memory.memory_and_swap_bytes);
        let throttled = group.now.throttled_periods.filter(|count| *count > 0);
        let killed = group.now.oom_kills.filter(|count| *count > 0);
        table.row([
            group.id.as_str().into(),
            group
                .cpu
                .limit_millicpus
                .map(thousandths)
                .unwrap_or_default()
                .into(),
            Cell::of(weight.as_ref()),
            Cell::of(set),
            Cell::of(nodes),
            Cell::of(group.memory.max_bytes.as_ref()),
            Cell::of(group.now.memory_bytes.as_ref()),
            Cell::of(swap.as_ref()),
            Cell::of(group.pids_max.as_ref()),
            warned(throttled),
            warned(killed),
        ]);
    }
    table
}

fn warned(count: Option<u64>) -> Cell {
    count.map_or_else(Cell::default, |count| {
        Cell::new(count.to_string(), Paint::Warning)
    })
}

fn binds(group: &Cgroup) -> bool {
    let memory = &group.memory;
    group.cpu.limit_millicpus.is_some()
        || group.pids_max.is_some()
        || memory
            .max_bytes
            .or(memory.high_bytes)
            .or(memory.swap_max_bytes)
            .is_some()
        || group.hugetlb.iter().any(|limit| limit.max_bytes.is_some())
        || !group.io.is_empty()
}

/// What time is lost waiting, of the machine and of our own groups.
fn pressure(limits: &Limits) -> Table {
    let mut table = Table::new(&[
        Column::Left("waiting for"),
        Column::Left("of"),
        Column::Right("some 10 s"),
        Column::Right("60 s"),
        Column::Right("300 s"),
        Column::Right("all 10 s"),
        Column::Right("60 s"),
        Column::Right("300 s"),
    ]);
    let mut add = |of: &str, all: &[Pressure]| {
        for one in all {
            let mut row = vec![Cell::from(one.id.as_str()), Cell::from(of)];
            for stall in [one.some, one.full] {
                let shares = stall.map(|stall| {
                    [
                        stall.avg10_millipercent,
                        stall.avg60_millipercent,
                        stall.avg300_millipercent,
                    ]
                });
                match shares {
                    Some(shares) => row.extend(shares.map(share)),
                    None => row.extend([Cell::default(), Cell::default(), Cell::default()]),
                }
            }
            table.row(row);
        }
    };
    add("the machine", &limits.now.pressure);
    for group in &limits.cgroups {
        add(&group.id, &group.now.pressure);
    }
    table
}

fn share(millipercent: u64) -> Cell {
    let text = format!("{}.{:02} %", millipercent / 1000, millipercent % 1000 / 10);
    let paint = match millipercent {
        0 => Paint::Faint,
        1..10_000 => Paint::Plain,
        _ => Paint::Warning,
    };
    Cell::new(text, paint)
}

fn devices(limits: &Limits) -> Table {
    let mut table = Table::new(&[
        Column::Left("device"),
        Column::Left("cgroup"),
        Column::Right("read B/s"),
        Column::Right("write B/s"),
        Column::Right("reads/s"),
        Column::Right("writes/s"),
    ]);
    for group in &limits.cgroups {
        for device in &group.io {
            table.row([
                device.id.as_str().into(),
                group.id.as_str().into(),
                Cell::of(device.read_bytes_per_second.as_ref()),
                Cell::of(device.write_bytes_per_second.as_ref()),
                Cell::of(device.reads_per_second.as_ref()),
                Cell::of(device.writes_per_second.as_ref()),
            ]);
        }
    }
    table
}

fn rlimits(limits: &Limits) -> Table {
    let mut table = Table::new(&[
        Column::Left("rlimit"),
        Column::Right("soft"),
        Column::Right("hard"),
        Column::Left("unit"),
    ]);
    for limit in &limits.rlimits {
        let unit = if limit.unit == "bytes" {
            ""
        } else {
            limit.unit.as_str()
        };
        table.row([
            limit.id.as_str().into(),
            value(limit, limit.soft).into(),
            value(limit, limit.hard).into(),
            unit.into(),
        ]);
    }
    table
}

fn capabilities(limits: &Limits) -> Table {
    let mut table = Table::new(&[Column::Left("capabilities"), Column::Wrap("names")]);
    for set in &limits.capabilities {
        let names = match set.names.is_empty() {
            true => "none".to_owned(),
            false => set.names.join(" "),
        };
        table.row([set.id.as_str().into(), names.into()]);
    }
    table
}

fn sysctls(limits: &Limits) -> Table {
    let mut table = Table::new(&[Column::Left("of the kernel"), Column::Right("limit")]);
    for sysctl in &limits.sysctls {
        table.row([sysctl.id.as_str().into(), sysctl.value.to_string().into()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_of_a_cpu_are_told_as_a_person_would() {
        for (value, text) in [
            (0, "0"),
            (1000, "1"),
            (1500, "1.5"),
            (250, "0.25"),
            (96_000, "96"),
            (333, "0.333"),
        ] {
            assert_eq!(thousandths(value), text);
        }
    }

    #[test]
    fn the_line_in_short_tells_what_binds() {
        let limits = Limits {
            effective: Effective {
                usable_millicpus: Some(1500),
                memory: Some(Bound {
                    limit: 512 << 20,
                    cgroup: "unified:/a".into(),
                }),
                ..Effective::default()
            },
            ..Limits::default()
        };
        let inventory = Inventory {
            limits: Some(limits),
            ..Inventory::default()
        };
        assert_eq!(
            summary(&inventory).as_deref(),
            Some("1.5 CPUs, 512 MiB of memory")
        );
        let nothing = Inventory {
            limits: Some(Limits::default()),
            ..Inventory::default()
        };
        assert_eq!(summary(&nothing), None);
    }
}
