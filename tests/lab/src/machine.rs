//! A machine as a value: what QEMU must build, and what an inventory of it must tell.
//!
//! ```text
//! MACHINE.toml ─► Machine ─┬─► Plan: QEMU's arguments, kernel parameters, modules, files, side processes
//!                          └─► Expected: path in the inventory's JSON ─► what must stand there
//! ```
//!
//! Both come from the description alone: nothing here reads an inventory or shares code with what makes one.
//!
//! ```
//! let machine = gnomon_lab::Machine::parse(r#"
//!     name = "small"
//!     memory = "1G"
//!     cpu = { sockets = 1, cores = 2 }
//!     devices = [{ kind = "virtio-rng" }]
//!     slots = [{ device = { kind = "nvme", serial = "N1", size = "64M" } }]
//! "#)?;
//! assert!(machine.expected().facts.iter().any(|fact| fact.path == "cpu.online"));
//! # Ok::<(), gnomon_lab::machine::Error>(())
//! ```

use std::path::Path;

use serde::{Deserialize, Serialize};

mod bmc;
mod cpu;
mod cxl;
mod device;
mod error;
mod expected;
mod huge_pages;
mod layout;
mod node;
mod numbers;
mod nvdimm;
mod pci;
mod plan;
mod random;
mod security;
mod size;
mod smbios;

pub use bmc::{Bmc, DeviceId, Interface};
pub use cpu::{Cpu, Group};
pub use cxl::CxlMemory;
pub use device::Device;
pub use error::{Error, Wrong};
pub use expected::{Difference, Expected, Fact, Wanted, compare, find};
pub use huge_pages::HugePages;
pub use node::{Node, Route, SideCache};
pub use numbers::Numbers;
pub use nvdimm::Nvdimm;
pub use pci::{CHANNEL, Slot};
pub use plan::{Content, File, Image, Plan, Setting, SideProcess, escape};
pub use random::Dice;
pub use security::{Iommu, Tpm};
pub use size::Size;
pub use smbios::{Dimm, Labels, Smbios};

use error::{Checked, line_of, require, wrong};
use layout::{BLOCK, Layout};
use node::Nodes;
use pci::Tree;

/// A machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Machine {
    /// What it is called: letters, digits, `-` and `_`.
    pub name: String,
    /// What it stands for, in a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Its memory, where it has no `nodes`: those have theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// The IOMMU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iommu: Option<Iommu>,
    /// The TPM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<Tpm>,
    /// Modules of the lab's own that the guest loads: `labptp`, `labhw`, `labfpga`, `labdpll`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lab_modules: Vec<String>,
    /// More of the kernel's modules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// More of the kernel's parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kernel_arguments: Vec<String>,
    /// More of QEMU's arguments, of which the expected inventory knows nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The series of kernels that it boots: `6.12` or `6.1`.
    #[serde(rename = "kernel")]
    pub kernel_series: String,
    /// The processors.
    pub cpu: Cpu,
    /// What may be plugged in later.
    #[serde(skip_serializing_if = "HotPlug::is_default")]
    pub hot_plug: HotPlug,
    /// The memory nodes; none is a machine without NUMA.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// How fast nodes reach each other's memory; either all ways that matter or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Devices on the root bus itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// PCI Express slots.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<Slot>,
    /// Memory behind CXL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cxl: Vec<CxlMemory>,
    /// Memory that keeps its content without power.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nvdimms: Vec<Nvdimm>,
    /// The BMC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bmc: Option<Bmc>,
    /// What firmware says of it.
    pub smbios: Smbios,
}

/// What may be plugged in while the machine runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HotPlug {
    /// How many sticks of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_slots: Option<u32>,
    /// How much memory there may be then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_max: Option<Size>,
    /// Whether root ports announce what is plugged into slots (`pciehp`), and not firmware (ACPI).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub native: bool,
    /// Whether CPUs may be taken away, for which the emulator needs a thread for each.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cpus: bool,
}

impl HotPlug {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            memory: None,
            iommu: None,
            tpm: None,
            lab_modules: Vec::new(),
            modules: Vec::new(),
            kernel_arguments: Vec::new(),
            arguments: Vec::new(),
            kernel_series: "6.12".to_owned(),
            cpu: Cpu::default(),
            hot_plug: HotPlug::default(),
            nodes: Vec::new(),
            routes: Vec::new(),
            devices: Vec::new(),
            slots: Vec::new(),
            cxl: Vec::new(),
            nvdimms: Vec::new(),
            bmc: None,
            smbios: Smbios::default(),
        }
    }
}

impl Machine {
    /// One CPU, 512 MiB, and nothing else.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            name: "plain".to_owned(),
            memory: Some(Size::mib(512)),
            ..Self::default()
        }
    }

    /// The machine that a text in TOML describes.
    ///
    /// # Errors
    /// The text is no description, or it describes what cannot be built; the line is told.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let machine: Self = toml::from_str(text).map_err(|error| Error::Text(error.to_string()))?;
        machine.check().map_err(|wrong| {
            let line = line_of(text, &wrong.path);
            Error::Machine(Wrong { line, ..wrong })
        })?;
        Ok(machine)
    }

    /// The description as TOML, which [`Machine::parse`] reads.
    ///
    /// # Errors
    /// A value that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string_pretty(self).map_err(|error| Error::Text(error.to_string()))
    }

    /// Whether it can be built.
    ///
    /// # Errors
    /// What cannot, by its place in the description.
    pub fn check(&self) -> Result<(), Wrong> {
        let named = !self.name.is_empty()
            && self
                .name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        require(
            named,
            "name",
            format!("`{}` is no name of letters, digits, - and _", self.name),
        )?;
        let known = ["6.12", "6.1"].contains(&self.kernel_series.as_str());
        require(known, "kernel", "the lab has kernels of 6.12 and 6.1")?;
        for module in &self.lab_modules {
            let known = ["labptp", "labhw", "labfpga", "labdpll"].contains(&module.as_str());
            require(
                known,
                "lab_modules",
                format!("the lab has no module `{module}`"),
            )?;
        }
        self.cpu.check()?;
        self.check_memory()?;
        self.numa().check()?;
        cxl::check(&self.cxl, self.nodes.len())?;
        nvdimm::check(&self.nvdimms, self.nodes.len())?;
        self.with_tree(|tree| tree.check())?;
        if let Some(bmc) = &self.bmc {
            bmc.check()?;
            let reached = bmc.interface.device().1.is_none() || self.iommu != Some(Iommu::Virtio);
            let text = "behind virtio's IOMMU, the guest's driver does not find a BMC on PCI";
            require(reached, "bmc.interface", text)?;
        }
        self.smbios.check()
    }

    fn check_memory(&self) -> Checked {
        match (self.memory, self.nodes.is_empty()) {
            (Some(_), false) => wrong("memory", "the nodes have the memory; leave one of both out"),
            (None, true) => wrong("memory", "how much memory is there?"),
            _ => Ok(()),
        }?;
        let whole = self
            .memory
            .is_none_or(|size| size.0 > 0 && size.is_multiple_of(BLOCK));
        require(
            whole,
            "memory",
            format!("a whole number of blocks of {BLOCK} is needed"),
        )?;
        let total = self.memory_bytes();
        let enough = total >= Size::mib(384);
        let place = if self.nodes.is_empty() {
            "memory"
        } else {
            "nodes"
        };
        require(
            enough,
            place,
            format!("the guest does not start with {total}; it needs 384M"),
        )?;
        for (row, node) in self.nodes.iter().enumerate() {
            self.check_huge_pages(row, node)?;
        }
        let HotPlug {
            memory_slots,
            memory_max,
            ..
        } = &self.hot_plug;
        let both = memory_slots.is_some() == memory_max.is_some();
        require(
            both,
            "hot_plug",
            "memory_slots and memory_max need each other",
        )?;
        let more = memory_max.is_none_or(|most| most > total && most.is_multiple_of(BLOCK));
        require(
            more,
            "hot_plug.memory_max",
            format!("it must be more than the {total} from the start"),
        )?;
        let slots = memory_slots.is_none_or(|slots| (1..=256).contains(&slots));
        require(
            slots,
            "hot_plug.memory_slots",
            "1 to 256 slots are possible",
        )
    }

    fn check_huge_pages(&self, row: usize, node: &Node) -> Checked {
        let path = format!("nodes[{row}].huge_pages");
        // The kernel takes them before anything else, and starts no program without memory left.
        let most = node.memory.0 - node.memory.0 / 4;
        let text = format!(
            "they take more than three quarters of the node's {}",
            node.memory
        );
        require(node.huge_pages.size().0 <= most, path.clone(), text)?;
        let whole = self.layout().whole_pages(row, Size::gib(1));
        let text = format!(
            "{} of 1G were asked for, but only {whole} lie whole above 4 GiB in this node",
            node.huge_pages.of_1g
        );
        require(node.huge_pages.of_1g <= whole, path, text)
    }

    /// All of its memory from the start, but that behind CXL.
    #[must_use]
    pub fn memory_bytes(&self) -> Size {
        let nodes = self
            .nodes
            .iter()
            .map(|node| node.memory.0)
            .fold(0, u64::saturating_add);
        self.memory.unwrap_or(Size(nodes))
    }

    /// What starts it, with files and sockets in `directory`.
    #[must_use]
    pub fn plan(&self, directory: &Path) -> Plan {
        let mut plan = Plan::new(directory);
        let switch = |on: bool, option: &'static str| if on { option } else { "" };
        let hmat = switch(!self.routes.is_empty(), ",hmat=on");
        let cxl = switch(!self.cxl.is_empty(), ",cxl=on");
        plan.option("machine", format!("q35{hmat}{cxl}"));
        plan.option(
            "m",
            format!("{}{}", self.memory_bytes(), self.memory_room()),
        );
        if self.hot_plug.native {
            plan.option(
                "global",
                "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
            );
        }
        // Seen as a guest, the kernel flushes no caches, and so brings up no region of CXL.
        self.cpu.plan(&mut plan, !self.cxl.is_empty());
        self.numa().plan(&mut plan);
        let pages: Vec<&HugePages> = self.nodes.iter().map(|node| &node.huge_pages).collect();
        huge_pages::plan(&pages, &mut plan);
        match self.iommu {
            Some(Iommu::Intel) => plan.device("intel-iommu,intremap=on,device-iotlb=on"),
            Some(Iommu::Virtio) => plan.modules(&["virtio-iommu"]),
            None => {}
        }
        if self.iommu == Some(Iommu::Intel) {
            plan.parameter("intel_iommu=on");
        }
        nvdimm::plan(&self.nvdimms, &mut plan);
        if let Some(bmc) = &self.bmc {
            bmc.plan(&mut plan);
        }
        self.with_tree(|tree| tree.plan(&mut plan));
        plan.modules(&["ahci"]);
        self.smbios.plan(&mut plan);
        if let Some(tpm) = self.tpm {
            tpm.plan(&mut plan);
        }
        plan.arguments.extend_from_slice(&self.arguments);
        plan.kernel_parameters
            .extend_from_slice(&self.kernel_arguments);
        let more: Vec<&str> = self.modules.iter().map(String::as_str).collect();
        plan.modules(&more);
        plan
    }

    /// How many sticks there may be besides, and how much memory then: what may be plugged in, and what keeps its content.
    fn memory_room(&self) -> String {
        let HotPlug {
            memory_slots,
            memory_max,
            ..
        } = &self.hot_plug;
        let lasting: u64 = self.nvdimms.iter().map(|dimm| dimm.size.0).sum();
        let slots = memory_slots.unwrap_or(0) as usize + self.nvdimms.len();
        let most = memory_max.unwrap_or_else(|| self.memory_bytes()).0;
        match slots {
            0 => String::new(),
            slots => format!(
                ",slots={slots},maxmem={}",
                Size(most.saturating_add(lasting))
            ),
        }
    }

    /// What an inventory of it must tell, once its modules are loaded and its settings made.
    #[must_use]
    pub fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        expected.is("system.architecture", "x86_64");
        let hypervisor = if self.cxl.is_empty() {
            Wanted::Is("qemu".into())
        } else {
            Wanted::Nothing
        };
        expected.wants("system.hypervisor.vendor", hypervisor);
        self.smbios.expect(&mut expected);
        self.cpu.expect(&mut expected);
        let implicit = [self.as_node()];
        let nodes = if self.nodes.is_empty() {
            &implicit
        } else {
            self.nodes.as_slice()
        };
        let numa = Nodes {
            cpu: &self.cpu,
            nodes,
            routes: &self.routes,
        };
        numa.expect(&mut expected, &self.layout(), self.cxl.len());
        if let Some(cxl) = self.cxl.first() {
            cxl.expect(nodes.len(), &mut expected);
        }
        nvdimm::expect(&self.nvdimms, &mut expected);
        let pages: Vec<&HugePages> = nodes.iter().map(|node| &node.huge_pages).collect();
        huge_pages::expect(&pages, &mut expected);
        let total = self.memory_bytes().0 + self.cxl.iter().map(|cxl| cxl.memory.0).sum::<u64>();
        expected.wants("memory.total_bytes", Wanted::Between(total / 2, total));
        self.with_tree(|tree| tree.expect(&mut expected));
        if let Some(tpm) = self.tpm {
            tpm.expect(&mut expected);
        }
        match &self.bmc {
            Some(bmc) => {
                let (options, _) = bmc.interface.device();
                let on_pci = self.with_tree(|tree| tree.address_of(options));
                bmc.expect(on_pci.as_deref(), &mut expected);
            }
            None => bmc::expect_none(&mut expected),
        }
        for word in &self.kernel_arguments {
            let (name, value) = word
                .split_once('=')
                .map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let wanted = value.map_or(Wanted::Nothing, |value| Wanted::Is(value.into()));
            expected.wants(format!("software.command_line[{name}].value"), wanted);
        }
        expected.rows("problems", [0; 0]);
        expected
    }

    /// `-accel` for it: TCG, on one thread for several processors, unless one is to be unplugged.
    #[must_use]
    pub fn accelerator(&self) -> String {
        let threads = if self.hot_plug.cpus {
            "multi"
        } else {
            "single"
        };
        format!("tcg,thread={threads}")
    }

    fn numa(&self) -> Nodes<'_> {
        Nodes {
            cpu: &self.cpu,
            nodes: &self.nodes,
            routes: &self.routes,
        }
    }

    /// A machine without NUMA has one node, of all that it has.
    fn as_node(&self) -> Node {
        Node {
            cpus: self.cpu.all(),
            memory: self.memory_bytes(),
            ..Node::default()
        }
    }

    fn layout(&self) -> Layout {
        let nodes = self.nodes.iter().map(|node| node.memory);
        Layout::of(self.memory.into_iter().chain(nodes))
    }

    fn with_tree<T>(&self, look: impl FnOnce(Tree<'_>) -> T) -> T {
        let nodes: Vec<Numbers> = self.nodes.iter().map(|node| node.cpus.clone()).collect();
        let cpus = self.cpu.all();
        let bmc = self.bmc.as_ref().and_then(|bmc| {
            let (options, class) = bmc.interface.device();
            Some((options, (0x1234, 0x1112, class?, Some("ipmi_si"))))
        });
        let iommu = (self.iommu == Some(Iommu::Virtio)).then_some((
            "virtio-iommu-pci",
            (0x1af4, 0x1057, 0x00_ff00, Some("virtio-pci")),
        ));
        let others: Vec<_> = iommu.into_iter().chain(bmc).collect();
        look(Tree {
            devices: &self.devices,
            slots: &self.slots,
            nodes: &nodes,
            cpus: &cpus,
            iommu: self.iommu,
            others: &others,
            smbus_driver: self
                .bmc
                .as_ref()
                .and_then(|bmc| bmc.interface.smbus_driver()),
            cxl: &self.cxl,
        })
    }
}

#[cfg(test)]
mod tests;
