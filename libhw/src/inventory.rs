//! The table of device classes, and the inventory that it makes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::device;
use crate::io::root::Root;
use crate::survey::{Problem, Survey};
use crate::uevent::Uevent;

/// The version of the inventory's JSON. A field that is added leaves it; one that changes its meaning or
/// goes away raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// What the JSON says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Kind {
    /// An inventory.
    #[default]
    #[serde(rename = "gnomon.inventory")]
    Inventory,
}

/// What to look at, and how closely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The classes, in any order.
    pub classes: Vec<Class>,
    /// Also read what reaches a device or wakes it, such as PCI config space.
    pub deep: bool,
    /// Also list SR-IOV virtual functions one by one, instead of folded into their physical function.
    pub virtual_functions: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            classes: Class::ALL.to_vec(),
            deep: false,
            virtual_functions: false,
        }
    }
}

macro_rules! inventory {
    ($($(#[$doc:meta])* $class:ident $variant:ident $type:ty, on $subsystems:expr;)*) => {
        /// A device class: a row of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Class { $($(#[$doc])* $variant),* }

        impl Class {
            /// Every class, in the order of the inventory.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name: the inventory's field and the command line's word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($class)),* }
            }

            /// The kernel subsystems whose uevents mean that it must be read again.
            #[must_use]
            pub const fn subsystems(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &$subsystems),* }
            }
        }

        /// What a host has. A class that was not asked for is `None`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct Inventory {
            /// [`SCHEMA_VERSION`].
            pub schema_version: u32,
            /// Always `gnomon.inventory`.
            pub kind: Kind,
            $($(#[$doc])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $class: Option<$type>,)*
            /// What could not be had, and why, by class and path.
            #[serde(default)]
            pub problems: Vec<Problem>,
        }

        impl Default for Inventory {
            fn default() -> Self {
                Self {
                    schema_version: SCHEMA_VERSION,
                    kind: Kind::default(),
                    $($class: None,)*
                    problems: Vec::new(),
                }
            }
        }

        impl Inventory {
            /// Reads `class` anew, and replaces it and its problems.
            pub fn reread(&mut self, class: Class, root: &Root, scope: &Scope) {
                let survey = Survey::new(root, class.name(), scope.deep, scope.virtual_functions);
                match class { $(Class::$variant => self.$class = Some(device::$class::discover(&survey))),* }
                self.replace_problems(class, survey.into_problems());
            }

            /// Reads again what changes without an event: everything below a `now`. Returns what could not be had.
            pub fn refresh(&mut self, root: &Root) -> Vec<Problem> {
                self.refresh_some(root, Class::ALL)
            }

            /// As [`Inventory::refresh`], of some classes.
            pub fn refresh_some(&mut self, root: &Root, classes: &[Class]) -> Vec<Problem> {
                let mut problems = Vec::new();
                $(if classes.contains(&Class::$variant) && let Some(value) = &mut self.$class {
                    let survey = Survey::new(root, stringify!($class), false, false);
                    device::$class::refresh(value, &survey);
                    problems.extend(survey.into_problems());
                })*
                problems
            }

            /// Leaves `class` and its problems out, as if it had not been asked for.
            pub fn forget(&mut self, class: Class) {
                match class { $(Class::$variant => self.$class = None),* }
                self.replace_problems(class, Vec::new());
            }

            /// Takes `class` and its problems as `from` has them, which loses them.
            pub fn take(&mut self, class: Class, from: &mut Self) {
                match class { $(Class::$variant => self.$class = from.$class.take()),* }
                let problems = from.problems_of(class).cloned().collect();
                self.replace_problems(class, problems);
                from.replace_problems(class, Vec::new());
            }

            /// `class` and its problems alone.
            #[must_use]
            pub fn only(&self, class: Class) -> Self {
                let mut only = Self::default();
                match class { $(Class::$variant => only.$class.clone_from(&self.$class)),* }
                only.problems = self.problems_of(class).cloned().collect();
                only
            }

            /// Whether `other` has `class` and its problems as this one has.
            pub(crate) fn is_same(&self, other: &Self, class: Class) -> bool {
                let same = match class { $(Class::$variant => self.$class == other.$class),* };
                same && self.problems_of(class).eq(other.problems_of(class))
            }

            /// `class` as JSON, if it was read.
            pub(crate) fn value(&self, class: Class) -> Option<Value> {
                // The types of an inventory have text keys only, which is all that could fail.
                match class {
                    $(Class::$variant => self.$class.as_ref().and_then(|class| serde_json::to_value(class).ok())),*
                }
            }

            /// Whether `class` was read.
            #[must_use]
            pub const fn has(&self, class: Class) -> bool {
                match class { $(Class::$variant => self.$class.is_some()),* }
            }
        }
    };
}

inventory! {
    /// The machine as a whole.
    system System device::system::System, on ["dmi"];
    /// What the machine runs: operating system, kernel, modules, secure boot, updates.
    software Software device::software::Software, on ["module", "livepatch"];
    /// What we may use of the machine: control groups, affinity, rlimits, capabilities.
    limits Limits device::limits::Limits, on [];
    /// CPUs, their groups and caches.
    cpu Cpu device::cpu::Cpu, on ["cpu"];
    /// Memory nodes.
    numa Numa device::numa::Numa, on ["node", "memory", "memory_tiering", "dax", "cxl", "cpu"];
    /// Huge pages.
    hugepages Hugepages device::hugepages::Hugepages, on ["node", "memory"];
    /// Memory sticks, the counters of their errors, and hot-plug blocks.
    memory Memory device::memory::Memory, on ["memory", "edac", "cxl", "dmi"];
    /// What the machine counts and remembers of its errors.
    ras Ras device::ras::Ras, on ["edac", "machinecheck", "cxl", "node"];
    /// PCI functions.
    pci Pci device::pci::Pci, on ["pci", "cpu"];
    /// Network interfaces, their timestamps, modules and clock circuits.
    nic Nic device::nic::Nic, on ["net", "infiniband", "devlink", "dpll"];
    /// PTP hardware clocks, PPS sources, GNSS receivers and the system's clock.
    ptp_clock PtpClock device::ptp_clock::PtpClock, on ["ptp", "pps", "gnss", "clocksource", "net"];
    /// Block devices, NVMe, RAID, mapped devices and mounts.
    storage Storage device::storage::Storage, on ["block", "nvme", "nvme-subsystem", "scsi", "scsi_device", "bdi"];
    /// Graphics and processing accelerators.
    gpu Gpu device::gpu::Gpu, on ["drm", "accel", "pci", "kfd", "devcoredump"];
    /// FPGAs: cards, and what is loaded into them.
    fpga Fpga device::fpga::Fpga, on ["pci", "dfl", "fpga", "fpga_manager", "fpga_region", "fpga_bridge"];
    /// Cryptography and compression: accelerators, instructions, algorithms.
    crypto Crypto device::crypto::Crypto, on ["pci", "module", "dsa", "ap", "virtio", "uacce", "misc", "platform"];
    /// Sensors, thermal zones and power zones.
    sensor Sensor device::sensor::Sensor, on ["hwmon", "thermal", "powercap"];
    /// Trusted platform modules.
    tpm Tpm device::tpm::Tpm, on ["tpm"];
    /// Trusted execution.
    tee Tee device::tee::Tee, on ["tee", "misc"];
    /// Watchdogs.
    watchdog Watchdog device::watchdog::Watchdog, on ["watchdog"];
    /// Ways from the machine to its BMC, and what the BMC is.
    bmc Bmc device::bmc::Bmc, on ["ipmi", "platform", "dmi"];
}

// Reading and writing every type of an inventory is megabytes of code: here it is made once for all who need it.
impl Inventory {
    /// Reads one from its JSON. What it is not asked for here: whether this version understands it
    /// ([`Inventory::schema_version`]).
    ///
    /// # Errors
    /// When it is no JSON, or no inventory.
    pub fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// Its JSON, on one line without an end.
    ///
    /// # Errors
    /// None: every type of it has a form in JSON.
    pub fn emit(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// What could not be had of `class`.
    pub(crate) fn problems_of(&self, class: Class) -> impl Iterator<Item = &Problem> {
        let name = class.name();
        self.problems
            .iter()
            .filter(move |problem| problem.class == name)
    }

    /// Reads again what `events` tell of in `class`, and replaces it and its problems: the same as
    /// [`Inventory::reread`] finds, where nothing else has changed. Most classes are read again as a whole.
    pub fn update(&mut self, class: Class, events: &[&Uevent], root: &Root, scope: &Scope) {
        let survey = Survey::new(root, class.name(), scope.deep, scope.virtual_functions);
        let places = match (class, &mut self.pci, &mut self.storage) {
            (Class::Pci, Some(pci), _) => device::pci::update(pci, &survey, events),
            (Class::Storage, _, Some(storage)) => device::storage::update(storage, &survey, events),
            _ => None,
        };
        let Some(places) = places else {
            self.reread(class, root, scope);
            return;
        };
        let is_old =
            |problem: &&Problem| !places.iter().any(|place| is_below(&problem.path, place));
        let mut problems: Vec<Problem> = self.problems_of(class).filter(is_old).cloned().collect();
        problems.extend(survey.into_problems());
        self.replace_problems(class, problems);
    }

    /// Adds to `class` what came, and takes away what went, as far as the kernel knows it by itself: whole, and with its
    /// problems, [`Inventory::reread`] tells it. False, and nothing is done, where there is no such difference.
    pub fn skim(&mut self, class: Class, root: &Root, scope: &Scope) -> bool {
        let survey = Survey::new(root, class.name(), scope.deep, scope.virtual_functions);
        match (class, &mut self.nic) {
            (Class::Nic, Some(nic)) => device::nic::skim(nic, &survey),
            _ => false,
        }
    }

    fn replace_problems(&mut self, class: Class, problems: Vec<Problem>) {
        self.problems
            .retain(|problem| problem.class != class.name());
        self.problems.extend(problems);
        self.problems.sort();
        self.problems.dedup();
    }
}

/// Whether `path` is `place`, or lies below it.
fn is_below(path: &str, place: &str) -> bool {
    let rest = path.trim_start_matches('/').strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.name() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|class| class.name()).collect();
                format!("no device class {text:?}: there are {}", names.join(", "))
            })
    }
}

/// Looks at `root`. Never fails as a whole: what could not be had stands in [`Inventory::problems`].
#[must_use]
pub fn discover(root: &Root, scope: &Scope) -> Inventory {
    let mut inventory = Inventory::default();
    for class in &scope.classes {
        inventory.reread(*class, root, scope);
    }
    inventory
}
