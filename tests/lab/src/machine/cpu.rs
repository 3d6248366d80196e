//! Sockets, dies, cores and threads.

use serde::{Deserialize, Serialize};

use super::error::{Checked, require};
use super::expected::Expected;
use super::numbers::Numbers;
use super::plan::Plan;

/// The processors. QEMU numbers CPUs thread by thread, core by core, die by die, socket by socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cpu {
    /// QEMU's name of the model: `Skylake-Server`, `max`.
    pub model: String,
    /// Features added or taken away: `+avx512f`, `-hypervisor`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// How many sockets.
    pub sockets: u32,
    /// Dies in a socket: each has a last cache of its own, by which alone the guest can tell them.
    pub dies: u32,
    /// Cores in a die.
    pub cores: u32,
    /// Threads of a core.
    pub threads: u32,
    /// CPUs kept from the scheduler (`isolcpus`).
    #[serde(skip_serializing_if = "Numbers::is_empty")]
    pub isolated: Numbers,
    /// CPUs without the scheduler's tick (`nohz_full`).
    #[serde(skip_serializing_if = "Numbers::is_empty")]
    pub nohz_full: Numbers,
}

/// What QEMU's models say of themselves and of their caches.
struct Model {
    name: &'static str,
    vendor: &'static str,
    told: &'static str,
    caches: &'static [Cache],
}

struct Cache {
    name: &'static str,
    bytes: u64,
    ways: u64,
    shared_by: Group,
}

/// CPUs that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// One CPU.
    Thread,
    /// The threads of a core.
    Core,
    /// The cores of a die.
    Die,
    /// The dies of a socket.
    Socket,
}

const fn cache(name: &'static str, kib: u64, ways: u64, shared_by: Group) -> Cache {
    Cache {
        name,
        bytes: kib << 10,
        ways,
        shared_by,
    }
}

const MODELS: &[Model] = &[
    Model {
        name: "Skylake-Server",
        vendor: "GenuineIntel",
        told: "Intel Xeon Processor (Skylake)",
        caches: &[
            cache("L1d", 32, 8, Group::Core),
            cache("L1i", 32, 8, Group::Core),
            cache("L2", 4096, 16, Group::Core),
            cache("L3", 16384, 16, Group::Die),
        ],
    },
    // Without AMD's topology extensions, only the last cache is told to be shared.
    Model {
        name: "max",
        vendor: "AuthenticAMD",
        told: "QEMU TCG CPU version 2.5+",
        caches: &[
            cache("L1d", 64, 2, Group::Thread),
            cache("L1i", 64, 2, Group::Thread),
            cache("L2", 512, 16, Group::Thread),
            cache("L3", 16384, 16, Group::Socket),
        ],
    },
];

/// More would take the guest longer to start than a test may.
const CPUS_MAX: u32 = 64;

impl Default for Cpu {
    fn default() -> Self {
        Self {
            model: "Skylake-Server".to_owned(),
            features: Vec::new(),
            sockets: 1,
            dies: 1,
            cores: 1,
            threads: 1,
            isolated: Numbers::default(),
            nohz_full: Numbers::default(),
        }
    }
}

impl Cpu {
    /// How many CPUs there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        let factors = [self.sockets, self.dies, self.cores, self.threads];
        factors
            .iter()
            .fold(1, |all, count| all.saturating_mul(*count))
    }

    /// All CPUs.
    #[must_use]
    pub fn all(&self) -> Numbers {
        Numbers::below(self.count())
    }

    /// The CPUs of every group of a kind, in order.
    #[must_use]
    pub fn groups(&self, group: Group) -> Vec<Numbers> {
        let size = self.size_of(group);
        let starts = (0..self.count()).step_by(size.max(1) as usize);
        starts
            .map(|start| (start..start + size).collect())
            .collect()
    }

    fn size_of(&self, group: Group) -> u32 {
        match group {
            Group::Thread => 1,
            Group::Core => self.threads,
            Group::Die => self.threads * self.cores,
            Group::Socket => self.threads * self.cores * self.dies,
        }
    }

    pub(super) fn check(&self) -> Checked {
        for (name, count) in [
            ("sockets", self.sockets),
            ("dies", self.dies),
            ("cores", self.cores),
            ("threads", self.threads),
        ] {
            require(
                count > 0,
                format!("cpu.{name}"),
                "there must be at least one",
            )?;
        }
        let count = self.count();
        let many = format!("{count} CPUs are more than the {CPUS_MAX} that the lab starts");
        require(count <= CPUS_MAX, "cpu", many)?;
        let plain = |text: &str| !text.is_empty() && !text.contains([',', ' ', '=']);
        require(
            plain(&self.model),
            "cpu.model",
            format!("`{}` is no name", self.model),
        )?;
        for (row, feature) in self.features.iter().enumerate() {
            let signed = feature.strip_prefix(['+', '-']).is_some_and(plain);
            let text = format!("`{feature}` is no feature with + or - before it");
            require(signed, format!("cpu.features[{row}]"), text)?;
        }
        for (name, set) in [("isolated", &self.isolated), ("nohz_full", &self.nohz_full)] {
            within(set, count, &format!("cpu.{name}"))?;
            let rest = set.0.len() < count as usize && !set.0.contains(&0);
            require(
                rest || set.is_empty(),
                format!("cpu.{name}"),
                "CPU 0 must stay for the rest",
            )?;
        }
        Ok(())
    }

    pub(super) fn plan(&self, plan: &mut Plan, hidden: bool) {
        let features = self.features.iter().map(|feature| format!(",{feature}"));
        let hide = if hidden { ",-hypervisor" } else { "" };
        // QEMU 10.0 aborts under TCG when a guest asks an Intel for the leaf that tells dies, and the kernel does.
        let level = if self.dies > 1 { ",level=0x1a" } else { "" };
        plan.option(
            "cpu",
            format!(
                "{}{}{hide}{level}",
                self.model,
                features.collect::<String>()
            ),
        );
        let Self {
            sockets,
            dies,
            cores,
            threads,
            ..
        } = self;
        let smp = format!("sockets={sockets},dies={dies},cores={cores},threads={threads}");
        plan.option("smp", format!("{},{smp}", self.count()));
        if !self.isolated.is_empty() {
            plan.parameter(format!("isolcpus={}", self.isolated));
        }
        if !self.nohz_full.is_empty() {
            plan.parameter(format!("nohz_full={}", self.nohz_full));
        }
    }

    pub(super) fn expect(&self, expected: &mut Expected) {
        let all = self.all().to_string();
        for name in ["possible", "present", "online"] {
            expected.is(format!("cpu.{name}"), all.as_str());
        }
        expected.is("cpu.offline", "");
        expected.is("cpu.isolated", self.isolated.to_string());
        expected.is("cpu.nohz_full", self.nohz_full.to_string());
        expected.is("cpu.smt_active", self.threads > 1);
        let sockets = self.groups(Group::Socket);
        expected.rows("cpu.packages", 0..sockets.len());
        for (id, cpus) in sockets.iter().enumerate() {
            expected.is(format!("cpu.packages[{id}].cpus"), cpus.to_string());
        }
        expected.rows("cpu.dies", [0; 0]);
        let cores = self.groups(Group::Core);
        expected.rows("cpu.cores", cores.iter().filter_map(Numbers::lowest));
        for cpus in &cores {
            let id = cpus.lowest().unwrap_or_default();
            expected.is(format!("cpu.cores[{id}].cpus"), cpus.to_string());
        }
        self.expect_threads(expected);
        self.expect_model(expected);
    }

    fn expect_threads(&self, expected: &mut Expected) {
        expected.rows("cpu.cpus", 0..self.count());
        for cpu in 0..self.count() {
            let at = format!("cpu.cpus[{cpu}]");
            expected.is(format!("{at}.online"), true);
            expected.is(format!("{at}.package"), cpu / self.size_of(Group::Socket));
            expected.is(format!("{at}.core"), cpu / self.threads * self.threads);
        }
    }

    fn expect_model(&self, expected: &mut Expected) {
        expected.rows("cpu.models", [0]);
        expected.is("cpu.models[0].cpus", self.all().to_string());
        let Some(model) = MODELS.iter().find(|model| model.name == self.model) else {
            return;
        };
        expected.is("cpu.models[0].vendor", model.vendor);
        expected.is("cpu.models[0].name", model.told);
        let named = |cache: &Cache| {
            let groups = self.groups(cache.shared_by);
            let id =
                |cpus: &Numbers| format!("{}.{}", cache.name, cpus.lowest().unwrap_or_default());
            groups
                .into_iter()
                .map(|cpus| (id(&cpus), cpus))
                .collect::<Vec<_>>()
        };
        expected.rows(
            "cpu.caches",
            model.caches.iter().flat_map(named).map(|(id, _)| id),
        );
        for cache in model.caches {
            for (id, cpus) in named(cache) {
                expected.is(format!("cpu.caches[{id}].size_bytes"), cache.bytes);
                expected.is(format!("cpu.caches[{id}].ways"), cache.ways);
                expected.is(format!("cpu.caches[{id}].cpus"), cpus.to_string());
            }
        }
    }
}

/// Requires every number to be below `count`.
pub(super) fn within(set: &Numbers, count: u32, path: &str) -> Checked {
    let beyond = set.0.iter().find(|cpu| **cpu >= count).copied();
    let text = |cpu| format!("CPU {cpu} is not among 0-{}", count.saturating_sub(1));
    require(beyond.is_none(), path, beyond.map(text).unwrap_or_default())
}
