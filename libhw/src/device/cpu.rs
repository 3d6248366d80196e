//! CPUs: packages, dies, clusters, cores, threads, caches, and what the processor can do.
//!
//! From /sys/devices/system/cpu, /proc/cpuinfo and `Documentation/ABI/stable/sysfs-devices-system-cpu`,
//! `Documentation/admin-guide/cputopology.rst`, `Documentation/ABI/testing/sysfs-devices-system-cpu`.
//!
//! A group (core, cluster, die, book, drawer) is named by its lowest CPU, which stays the same when others
//! come and go; a package by its `physical_package_id` where that is unique. Groups are made of the sets
//! that the kernel lists, not counted from ids, which have gaps and repeat; only a tree that has nothing
//! but ids is grouped by these.

mod arm;
mod cache;
mod cpuinfo;
mod frequency;
mod identity;
mod idle;
mod interrupt;
mod kind;
mod resctrl;
mod scaling;
mod thread;
mod throttle;
mod topology;
mod vulnerability;

use std::fmt::{Display, Write as _};

use serde::{Deserialize, Serialize};

pub use self::idle::{Idle, IdleState, IdleStateNow};
pub use self::interrupt::{Interrupt, InterruptNow};
pub use self::resctrl::{
    Resctrl, ResctrlCounter, ResctrlGroup, ResctrlMode, ResctrlNow, ResctrlResource, ResctrlShare,
};
pub use self::scaling::{Scaling, ScalingStatus, Uncore, UncoreNow};
use self::thread::Relation;
pub use self::throttle::{Throttle, ThrottleNow};
pub use self::vulnerability::{Vulnerability, VulnerabilityState};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;
use crate::units::{Bytes, Hertz};

/// The CPUs of the machine, as flat tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Cpu {
    /// `possible`: the CPUs that this boot can ever have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possible: Option<IdSet>,
    /// `present`: the CPUs that are plugged in; from their directories where the kernel doesn't tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<IdSet>,
    /// `online`; from the CPUs' directories where the kernel doesn't tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<IdSet>,
    /// Present and not online.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline: Option<IdSet>,
    /// `isolated`: kept from the scheduler (`isolcpus=`, isolated cpusets).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolated: Option<IdSet>,
    /// `nohz_full`: without the scheduler's tick.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nohz_full: Option<IdSet>,
    /// `smt/control`: `on`, `off`, `forceoff`, `notsupported` or `notimplemented`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smt_control: Option<String>,
    /// `smt/active`: whether a core runs more than one thread now; from the cores on older kernels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smt_active: Option<bool>,
    /// `cpufreq/boost`, or the inverse of `intel_pstate/no_turbo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boost: Option<bool>,
    /// The processors that differ in what they say of themselves, by their lowest CPU.
    pub models: Vec<Model>,
    /// The kinds of cores of a hybrid processor, fastest first; empty where all are alike.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// Drawers (s390).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drawers: Vec<Group>,
    /// Books (s390).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub books: Vec<Group>,
    /// Packages (sockets).
    pub packages: Vec<Group>,
    /// Dies, where the kernel tells them: not those that are their whole package.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dies: Vec<Group>,
    /// Clusters (cores that share an L2, a tag of the L3 or a bus), where the kernel tells them: not those that
    /// are a single core, a die or a package.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<Group>,
    /// Cores.
    pub cores: Vec<Group>,
    /// CPUs (hardware threads), by number; every present one, online or not.
    pub cpus: Vec<Thread>,
    /// Caches, by level, type and lowest CPU.
    pub caches: Vec<Cache>,
    /// cpufreq policies: CPUs that change frequency together, by lowest CPU.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// What steers the frequency beyond the policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// The clocks of what cores share (Intel).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncores: Vec<Uncore>,
    /// How idle CPUs save power.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// How often packages, and with `--deep` cores, were slowed down for heat (x86).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub throttles: Vec<Throttle>,
    /// Shares of caches and memory bandwidth, where resctrl is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resctrl: Option<Resctrl>,
    /// `/proc/irq/default_smp_affinity`: the CPUs that a new interrupt may go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_interrupt_cpus: Option<IdSet>,
    /// Interrupts, with `--deep`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interrupts: Vec<Interrupt>,
    /// `vulnerabilities`, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vulnerabilities: Vec<Vulnerability>,
}

/// CPUs that belong together: a core, cluster, die, package, book or drawer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Group {
    /// Its name: the lowest CPU; of a package its `physical_package_id` where every package has its own.
    pub id: u32,
    /// The kernel's number (`core_id`, `cluster_id`, `die_id`, ...): not unique; absent where the kernel says -1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_id: Option<u32>,
    /// Its online CPUs.
    pub cpus: IdSet,
}

/// One CPU: a hardware thread. The relations are ids in the tables beside it; an offline CPU has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thread {
    /// The kernel's number.
    pub id: u32,
    /// Whether the scheduler may use it.
    pub online: bool,
    /// Its drawer (s390).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawer: Option<u32>,
    /// Its book (s390).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<u32>,
    /// Its package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<u32>,
    /// Its die.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub die: Option<u32>,
    /// Its cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<u32>,
    /// Its core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<u32>,
    /// Its memory node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<u32>,
}

/// A processor in its own words. CPUs that say the same share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    /// Its lowest CPU.
    pub id: u32,
    /// `vendor_id`, or the vendor of Arm's implementer or RISC-V's `mvendorid`: `GenuineIntel`, `ARM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `model name`, `cpu` (POWER, sparc), `uarch` (RISC-V), or the name behind Arm's part number or the
    /// machine number of s390: `Neoverse-N1`, `IBM z13`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `cpu family`, `CPU architecture`; `type` on sparc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// `model`, `CPU part`, `marchid`; `machine` on s390.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `stepping`; on Arm `rNpM` of variant and revision; on POWER and ia64 `revision`; `mimpid` on RISC-V.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stepping: Option<String>,
    /// `microcode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microcode: Option<String>,
    /// `flags`, `Features`, `features`, `cpucaps`, `capabilities` or the parts of `isa`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// `bugs`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bugs: Vec<String>,
    /// The physical address width of `address sizes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_address_bits: Option<u32>,
    /// The virtual address width of `address sizes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_address_bits: Option<u32>,
    /// Its CPUs.
    #[serde(default)]
    pub cpus: IdSet,
}

/// A kind of core of a hybrid processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Kind {
    /// Its lowest CPU.
    pub id: u32,
    /// `performance`, `efficiency` or `low_power` on x86; on Arm none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `cpu_capacity`: relative speed, 1024 is the fastest (Arm, RISC-V).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Its CPUs.
    #[serde(default)]
    pub cpus: IdSet,
}

/// A cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cache {
    /// Level, type and lowest CPU: `L1d.0`, `L1i.0`, `L2.0`, `L3.24`; `L3` of one whose CPUs are not told.
    pub id: String,
    /// `level`: 1 is nearest to the core.
    pub level: u32,
    /// What it holds.
    pub kind: CacheKind,
    /// `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `coherency_line_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_size_bytes: Option<Bytes>,
    /// `ways_of_associativity`; 0 is fully associative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<u32>,
    /// `number_of_sets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sets: Option<u32>,
    /// `id`: the kernel's number, unique among the caches of one level and type. It is told where resctrl is mounted,
    /// which names its domains so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_id: Option<u64>,
    /// The online CPUs that share it; empty where the kernel tells of the cache but not of these (s390's L3).
    pub cpus: IdSet,
}

/// What a cache holds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheKind {
    /// `Data`.
    Data,
    /// `Instruction`.
    Instruction,
    /// `Unified`.
    #[default]
    Unified,
}

impl CacheKind {
    /// The kind that the kernel calls by `name`, in `type` and in /proc/cpuinfo alike.
    fn of(name: &str) -> Option<Self> {
        match name {
            "Data" => Some(Self::Data),
            "Instruction" => Some(Self::Instruction),
            "Unified" => Some(Self::Unified),
            _ => None,
        }
    }
}

/// CPUs that change frequency together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Policy {
    /// The N of `policyN`.
    pub id: u32,
    /// `affected_cpus`: its online CPUs.
    #[serde(default)]
    pub cpus: IdSet,
    /// `scaling_driver`: `intel_pstate`, `acpi-cpufreq`, `amd-pstate-epp`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `scaling_governor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// `energy_performance_preference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_preference: Option<String>,
    /// `cpuinfo_min_freq`: the least that the hardware can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_min_hz: Option<Hertz>,
    /// `cpuinfo_max_freq`: the most that the hardware can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_max_hz: Option<Hertz>,
    /// `base_frequency`: what it holds without boost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_hz: Option<Hertz>,
    /// `scaling_min_freq`: the least that it is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_min_hz: Option<Hertz>,
    /// `scaling_max_freq`: the most that it is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_max_hz: Option<Hertz>,
    /// What changes without an event.
    #[serde(default)]
    pub now: PolicyNow,
}

/// What changes in a policy without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PolicyNow {
    /// `scaling_cur_freq`: what the kernel asked for last, or measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<Hertz>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Cpu {
    let mut census = topology::census(survey);
    let mut cpuinfo = cpuinfo::read(survey, &census.online);
    if cpuinfo.models.is_empty() {
        cpuinfo.models = identity::read(survey, &census.online);
    }
    if census.present.is_empty() {
        census.online = cpuinfo.cpus();
        census.present = cpuinfo.cpus();
    }
    let groups = topology::groups(survey, &census.online);
    let kinds = kind::read(survey, &census.online, &groups.cores);
    let caches = caches(survey, &census.online, &groups.cores, &cpuinfo, &kinds);
    let cores = Relation::of_groups(&groups.cores);
    let policies = frequency::policies(survey, &census.online, |cpu| cores.of(cpu));
    let path = |name: &str| format!("{CPUS}/{name}");
    let smt_active = survey.value(&path("smt/active"), parse::switch);
    let known = !census.present.is_empty();
    let interrupts = if survey.deep() {
        interrupt::discover(survey)
    } else {
        Vec::new()
    };
    let mut cpu = Cpu {
        scaling: scaling::discover(survey, &policies),
        uncores: scaling::uncores(survey),
        idle: idle::discover(survey, &census.online, &kinds),
        throttles: throttle::discover(survey, &census.online, &groups.packages, &groups.cores),
        resctrl: resctrl::discover(survey),
        default_interrupt_cpus: interrupt::default_affinity(survey),
        interrupts,
        possible: census.possible,
        offline: known.then(|| census.present.difference(&census.online)),
        isolated: set(survey, &path("isolated")),
        nohz_full: set(survey, &path("nohz_full")),
        smt_control: survey.text(&path("smt/control")),
        smt_active: smt_active.or_else(|| runs_threads(&groups.cores)),
        boost: frequency::boost(survey),
        models: cpuinfo.models,
        kinds,
        drawers: groups.drawers,
        books: groups.books,
        packages: groups.packages,
        dies: groups.dies,
        clusters: groups.clusters,
        cores: groups.cores,
        cpus: Vec::new(),
        caches,
        policies,
        vulnerabilities: vulnerability::read(survey),
        present: known.then_some(census.present),
        online: known.then_some(census.online),
    };
    cpu.cpus = thread::table(&cpu, &topology::nodes(survey));
    cpu
}

/// Reads again what changes without an event.
pub fn refresh(cpu: &mut Cpu, survey: &Survey<'_>) {
    frequency::refresh(&mut cpu.policies, survey);
    scaling::refresh(&mut cpu.uncores, survey);
    throttle::refresh(&mut cpu.throttles, survey);
    interrupt::refresh(&mut cpu.interrupts, survey);
    if let (Some(idle), Some(online)) = (&mut cpu.idle, &cpu.online) {
        idle::refresh(idle, survey, online, &cpu.kinds);
    }
    if let Some(resctrl) = &mut cpu.resctrl {
        resctrl::refresh(resctrl, survey);
    }
}

/// The directory of all CPUs.
const CPUS: &str = "sys/devices/system/cpu";

/// A path below a CPU's directory.
fn of_cpu(cpu: u32, name: impl Display) -> String {
    // Long enough for all of them, so that none is moved while it grows: a large machine asks for thousands.
    let mut path = String::with_capacity(96);
    // Writing to a String cannot fail.
    let _ = write!(path, "{CPUS}/cpu{cpu}/{name}");
    path
}

/// A set of CPUs: a bitmap in the files that the kernel names so, else a list.
fn set(survey: &Survey<'_>, path: &str) -> Option<IdSet> {
    const BITMAPS: [&str; 4] = ["_cpus", "_siblings", "_map", "cpumap"];
    if BITMAPS.iter().any(|end| path.ends_with(end)) {
        survey.value(path, parse::bitmap)
    } else {
        survey.value(path, parse::list)
    }
}

/// The first of the sets that a CPU is said to be in that can be true: it has the CPU itself, and none that is
/// placed in another set already. The kernel writes each set as a bitmap and as a list, so where one of them is
/// damaged the other is asked. If neither will do the CPU gets what nobody else has of the first.
fn fitting(sets: impl Iterator<Item = IdSet>, cpu: u32, placed: &IdSet) -> Option<IdSet> {
    let mut first = None;
    for cpus in sets {
        if cpus.contains(cpu) && !cpus.intersects(placed) {
            return Some(cpus);
        }
        first.get_or_insert(cpus);
    }
    let rest = first?.difference(placed);
    Some(if rest.contains(cpu) {
        rest
    } else {
        IdSet::from_iter([cpu])
    })
}

/// The caches as sysfs tells them, and as /proc/cpuinfo and sparc do where it doesn't.
fn caches(
    survey: &Survey<'_>,
    online: &IdSet,
    cores: &[Group],
    cpuinfo: &cpuinfo::Cpuinfo,
    kinds: &[Kind],
) -> Vec<Cache> {
    let models = Relation::new(cpuinfo.models.iter().map(|model| (model.id, &model.cpus)));
    let kinds = Relation::new(kinds.iter().map(|kind| (kind.id, &kind.cpus)));
    let mut caches = cache::read(survey, online, cores, |cpu| (models.of(cpu), kinds.of(cpu)));
    if caches.is_empty() {
        caches = cache::of_each_core(cores, &cpuinfo.private_caches);
    }
    if caches.is_empty() {
        caches = cache::of_sparc(survey, cores);
    }
    for shared in &cpuinfo.shared_caches {
        if !caches
            .iter()
            .any(|own| (own.level, own.kind) == (shared.level, shared.kind))
        {
            caches.push(shared.clone());
        }
    }
    cache::table(caches)
}

/// Whether a core runs more than one thread, for kernels that don't say.
fn runs_threads(cores: &[Group]) -> Option<bool> {
    let several = cores.iter().any(|core| core.cpus.len() > 1);
    (!cores.is_empty()).then_some(several)
}

#[cfg(test)]
mod tests;
