//! What we may use of the machine: control groups, CPU and memory affinity, rlimits, capabilities, and the kernel's own limits.
//!
//! From /proc/self/{cgroup,mountinfo,status,limits}, the cgroup file systems, /proc/pressure and /proc/sys;
//! `Documentation/admin-guide/cgroup-v2.rst`, `Documentation/admin-guide/cgroup-v1/`, proc(5), `Documentation/accounting/psi.rst`.
//!
//! All of it is told as the asking process sees it: of a daemon its own service's group, of a container the container's.

mod capability;
mod cgroup;
mod container;
mod effective;
mod hierarchy;
mod pressure;
mod process;
mod sysctl;

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::survey::Survey;
use crate::units::Bytes;

pub use container::{Container, ContainerKind};
pub use process::{Process, Seccomp};

/// What we may use of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Limits {
    /// What is left when all that follows is taken together.
    pub effective: Effective,
    /// Our control groups: of each hierarchy our own and all above it, nearest first.
    pub cgroups: Vec<Cgroup>,
    /// What the kernel says of us in /proc/self/status.
    pub process: Process,
    /// /proc/self/limits, in the kernel's order.
    pub rlimits: Vec<Rlimit>,
    /// The sets of capabilities, capabilities(7).
    pub capabilities: Vec<CapabilitySet>,
    /// The container that we run in, where something tells of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Limits of the whole kernel, by name.
    pub sysctls: Vec<Sysctl>,
    /// What changes without an event.
    pub now: LimitsNow,
}

/// The smallest limit on the way from our control group to the root, and which group sets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Effective {
    /// The CPUs that we may run on: `Cpus_allowed_list`, within the cpuset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
    /// The memory nodes that we may allocate from: `Mems_allowed_list`, within the cpuset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<IdSet>,
    /// How many thousandths of a CPU we can use: the quota, and no more than there are CPUs in `cpus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_millicpus: Option<u64>,
    /// The smallest CPU quota; none is no quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Bound>,
    /// The smallest `memory.max`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bound>,
    /// The smallest `memory.high`, in bytes: above it we are slowed down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_high: Option<Bound>,
    /// The smallest `memory.swap.max`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<Bound>,
    /// The smallest `pids.max`: processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<Bound>,
    /// The smallest limit of each huge-page size, in bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hugetlb: Vec<HugetlbBound>,
}

/// A limit and the control group that sets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bound {
    /// How much: bytes, thousandths of a CPU or processes, as the field says.
    pub limit: u64,
    /// The `id` of the group; of several with the same limit the nearest.
    pub cgroup: String,
}

/// The limit of one size of huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HugetlbBound {
    /// The size of one page.
    pub size_bytes: Bytes,
    /// The limit.
    #[serde(flatten)]
    pub bound: Bound,
}

/// A control group. A limit that is not set is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cgroup {
    /// The hierarchy and the group's path in it: `unified:/system.slice/gnomon.service`, `cpu,cpuacct:/user.slice`.
    pub id: String,
    /// 1 or 2.
    pub version: u32,
    /// The group's path below what is mounted.
    pub path: String,
    /// Where it stands in the file system.
    pub directory: String,
    /// 0 is our own, 1 the one above it, and so on.
    pub distance: u32,
    /// `cgroup.controllers`; of version 1 the hierarchy's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<String>,
    /// `cgroup.type`: `domain`, `threaded`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// CPU time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cpu: CgroupCpu,
    /// CPUs and memory nodes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cpuset: CgroupCpuset,
    /// Memory.
    #[serde(default, skip_serializing_if = "is_default")]
    pub memory: CgroupMemory,
    /// `pids.max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids_max: Option<u64>,
    /// `hugetlb.SIZE.*`, by size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hugetlb: Vec<CgroupHugetlb>,
    /// `io.weight`, `io.bfq.weight`, `blkio.weight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_weight: Option<u64>,
    /// `io.max`, `blkio.throttle.*_device`, by device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub io: Vec<CgroupIo>,
    /// What changes without an event.
    #[serde(default)]
    pub now: CgroupNow,
}

/// What a group may have of the CPUs' time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CgroupCpu {
    /// `cpu.max`, `cpu.cfs_quota_us`: how much in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_us: Option<u64>,
    /// `cpu.max`, `cpu.cfs_period_us`: the length of a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_us: Option<u64>,
    /// Quota by period, in thousandths of a CPU: 1500 is one and a half CPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_millicpus: Option<u64>,
    /// `cpu.max.burst`, `cpu.cfs_burst_us`: what may be saved up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst_us: Option<u64>,
    /// `cpu.weight`, 1 to 10000; 100 is usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u64>,
    /// `cpu.shares` (version 1); 1024 is usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<u64>,
    /// `cpu.idle`: only what nobody else wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<bool>,
    /// `cpu.rt_runtime_us` (version 1): what real-time tasks may have in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realtime_runtime_us: Option<u64>,
}

/// The CPUs and memory nodes of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CgroupCpuset {
    /// `cpuset.cpus`: those asked for; empty takes those of the group above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
    /// `cpuset.cpus.effective`, `cpuset.effective_cpus`: those that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus_effective: Option<IdSet>,
    /// `cpuset.mems`: nodes asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<IdSet>,
    /// `cpuset.mems.effective`, `cpuset.effective_mems`: nodes that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes_effective: Option<IdSet>,
    /// `cpuset.cpus.exclusive.effective`: those that no other partition has (Linux 6.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus_exclusive: Option<IdSet>,
    /// `cpuset.cpus.partition`: `member`, `root`, `isolated`, or the kernel's words for why it is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
}

/// What a group may have of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CgroupMemory {
    /// `memory.max`, `memory.limit_in_bytes`: above it something is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<Bytes>,
    /// `memory.high`: above it the group is slowed down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_bytes: Option<Bytes>,
    /// `memory.low`: below it the group is spared while others can give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_bytes: Option<Bytes>,
    /// `memory.min`: below it nothing is taken from the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_bytes: Option<Bytes>,
    /// `memory.soft_limit_in_bytes` (version 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_bytes: Option<Bytes>,
    /// `memory.swap.max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_max_bytes: Option<Bytes>,
    /// `memory.swap.high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_high_bytes: Option<Bytes>,
    /// `memory.memsw.limit_in_bytes` (version 1): memory and swap together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_and_swap_bytes: Option<Bytes>,
    /// `memory.zswap.max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zswap_max_bytes: Option<Bytes>,
    /// `memory.oom.group`: killed as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_group: Option<bool>,
}

/// What a group may have of one size of huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CgroupHugetlb {
    /// The kernel's name of the size: `2MB`.
    pub id: String,
    /// The size of one page.
    pub size_bytes: Bytes,
    /// `hugetlb.SIZE.max`, `hugetlb.SIZE.limit_in_bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<Bytes>,
    /// `hugetlb.SIZE.rsvd.max`: the most that may be reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_max_bytes: Option<Bytes>,
}

/// What a group may have of one block device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CgroupIo {
    /// The device's numbers, `8:0`.
    pub id: String,
    /// `rbps`: bytes read in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes_per_second: Option<u64>,
    /// `wbps`: bytes written in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_bytes_per_second: Option<u64>,
    /// `riops`: reads in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_per_second: Option<u64>,
    /// `wiops`: writes in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes_per_second: Option<u64>,
}

/// What changes in a group without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CgroupNow {
    /// `memory.current`, `memory.usage_in_bytes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Bytes>,
    /// `memory.peak`, `memory.max_usage_in_bytes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<Bytes>,
    /// `memory.swap.current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_bytes: Option<Bytes>,
    /// `pids.current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// `memory.events`: `max`, how often the limit was met; `memory.failcnt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_max_events: Option<u64>,
    /// `memory.events`, `memory.oom_control`: `oom_kill`, processes killed for want of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_kills: Option<u64>,
    /// `cpu.stat`: `nr_throttled`, periods in which the quota ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_periods: Option<u64>,
    /// `cpu.stat`: `throttled_usec`, `throttled_time`: how long we stood still for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_us: Option<u64>,
    /// `*.pressure` of our own group: what its processes wait for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pressure: Vec<Pressure>,
}

/// How much time is lost waiting for something (`Documentation/accounting/psi.rst`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pressure {
    /// `cpu`, `memory`, `io` or `irq`.
    pub id: String,
    /// Time in which some process waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub some: Option<Stall>,
    /// Time in which all processes waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Stall>,
}

/// The share of time that was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stall {
    /// `avg10`: over the last ten seconds, in thousandths of a percent.
    pub avg10_millipercent: u64,
    /// `avg60`: over the last minute.
    pub avg60_millipercent: u64,
    /// `avg300`: over the last five minutes.
    pub avg300_millipercent: u64,
    /// `total`: since the start.
    pub total_us: u64,
}

/// A line of /proc/self/limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rlimit {
    /// setrlimit(2)'s name: `nofile`, `memlock`, `rtprio`; of a limit that is new the kernel's words.
    pub id: String,
    /// What holds now; none is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft: Option<u64>,
    /// What it may be raised to; none is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard: Option<u64>,
    /// `bytes`, `files`, `processes`, `seconds`, `us`, ...; empty for priorities.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// A set of capabilities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CapabilitySet {
    /// `effective`, `permitted`, `inheritable`, `bounding` or `ambient`.
    pub id: String,
    /// Whether it holds all that this kernel knows (`/proc/sys/kernel/cap_last_cap`).
    pub full: bool,
    /// The names, by number: `sys_admin`; of one that is newer than this program its number, `cap_41`.
    #[serde(default)]
    pub names: Vec<String>,
}

/// A limit of the whole kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sysctl {
    /// sysctl(8)'s name: `kernel.pid_max`.
    pub id: String,
    /// Its value; -1 is often "no limit".
    pub value: i64,
}

/// What changes without an event in the whole machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LimitsNow {
    /// `/proc/sys/fs/file-nr`: open files, of `fs.file-max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// `/proc/loadavg`: tasks, of `kernel.threads-max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u64>,
    /// `/proc/pressure`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pressure: Vec<Pressure>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Limits {
    let cgroups = cgroup::discover(survey);
    let status = process::Status::read(survey);
    let process = status.process(survey);
    Limits {
        effective: effective::of(&cgroups, &process),
        capabilities: status.capabilities(survey),
        rlimits: process::rlimits(survey),
        container: container::discover(survey, &cgroups),
        sysctls: sysctl::discover(survey),
        now: now(survey),
        cgroups,
        process,
    }
}

/// Reads again what changes without an event.
pub fn refresh(limits: &mut Limits, survey: &Survey<'_>) {
    for group in &mut limits.cgroups {
        cgroup::refresh(group, survey);
    }
    limits.now = now(survey);
}

fn now(survey: &Survey<'_>) -> LimitsNow {
    LimitsNow {
        open_files: survey.value("proc/sys/fs/file-nr", sysctl::first),
        tasks: survey.value("proc/loadavg", sysctl::tasks),
        pressure: pressure::of_host(survey),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
