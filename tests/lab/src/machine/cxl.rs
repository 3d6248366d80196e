//! Memory behind CXL.

use serde::{Deserialize, Serialize};

use super::error::{Checked, require};
use super::expected::{Expected, Wanted};
use super::layout::BLOCK;
use super::plan::{Plan, Setting};
use super::size::Size;

/// A CXL memory device (type 3) in a root complex and fixed window of its own. The guest brings it up as a node without
/// CPUs, the one after all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CxlMemory {
    /// The node of the CPUs that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// How much memory it has, which forgets without power: a multiple of 256 MiB.
    pub memory: Size,
    /// Its serial number.
    pub serial: u64,
}

/// Of what the windows of CXL are made.
const GRAIN: Size = Size::mib(256);

const SYSFS: &str = "/sys/bus/cxl/devices";

pub(super) fn check(memories: &[CxlMemory], nodes: usize) -> Checked {
    // The numbers of the decoders of several depend on which the kernel finds first.
    require(
        memories.len() <= 1,
        "cxl",
        "the lab brings up one CXL memory device at most",
    )?;
    for (row, memory) in memories.iter().enumerate() {
        let exists = memory.node.is_none_or(|node| (node as usize) < nodes);
        require(exists, format!("cxl[{row}].node"), "there is no such node")?;
        let whole = memory.memory.0 > 0 && memory.memory.is_multiple_of(GRAIN);
        let text = format!("`{}` is not a multiple of {GRAIN}", memory.memory);
        require(whole, format!("cxl[{row}].memory"), text)?;
    }
    Ok(())
}

impl CxlMemory {
    pub(super) fn plan(&self, row: usize, bus: &str, plan: &mut Plan) {
        let Self { memory, serial, .. } = self;
        plan.option(
            "object",
            format!("memory-backend-ram,id=cxl{row}-ram,size={memory}"),
        );
        let backed = format!("volatile-memdev=cxl{row}-ram,sn={serial:#x}");
        plan.device(format!("cxl-type3,id=cxl{row}-memory,{bus},{backed}"));
        let window = format!("cxl-fmw.{row}.targets.0=cxl{row}");
        plan.option("machine", format!("{window},cxl-fmw.{row}.size={memory}"));
        plan.modules(&[
            "cxl_acpi",
            "cxl_pci",
            "cxl_mem",
            "cxl_port",
            "device_dax",
            "kmem",
            "dax_cxl",
        ]);
        let size = format!("{:#x}", memory.0);
        for (path, text) in [
            ("decoder0.0/create_ram_region", "region0"),
            ("region0/interleave_granularity", "256"),
            ("region0/interleave_ways", "1"),
            ("decoder2.0/mode", "ram"),
            ("decoder2.0/dpa_size", size.as_str()),
            ("region0/size", size.as_str()),
            ("region0/target0", "decoder2.0"),
            ("region0/commit", "1"),
            ("../drivers/cxl_region/bind", "region0"),
        ] {
            let (path, text) = (format!("{SYSFS}/{path}"), text.to_owned());
            plan.setup.push(Setting { path, text });
        }
    }

    /// `next` is the number of the node that it becomes.
    pub(super) fn expect(&self, next: usize, expected: &mut Expected) {
        let (bytes, serial) = (self.memory.0, format!("{:#x}", self.serial));
        let node = |at: &str, expected: &mut Expected| {
            let wanted = self
                .node
                .map_or(Wanted::Nothing, |node| Wanted::Is(node.into()));
            expected.wants(format!("{at}.node"), wanted);
        };
        expected.rows("memory.cxl", ["mem0"]);
        expected.is("memory.cxl[mem0].volatile_bytes", bytes);
        expected.is("memory.cxl[mem0].persistent_bytes", 0);
        expected.is("memory.cxl[mem0].serial", serial.as_str());
        node("memory.cxl[mem0]", expected);
        expected.is("numa.cxl_memdevs[mem0].ram_bytes", bytes);
        expected.is("numa.cxl_memdevs[mem0].serial", serial);
        node("numa.cxl_memdevs[mem0]", expected);
        let dax = "numa.dax[dax0.0]";
        expected.is(format!("{dax}.size_bytes"), bytes);
        expected.is(format!("{dax}.target_node"), next);
        expected.is(format!("{dax}.kind"), "cxl");
        expected.is(format!("{dax}.driver"), "kmem");
        let at = format!("numa.nodes[{next}]");
        expected.is(format!("{at}.cpus"), "");
        expected.wants(
            format!("{at}.memory_total_bytes"),
            Wanted::Between(bytes - BLOCK.0, bytes),
        );
        expected.is(format!("{at}.distances.{next}"), 10);
    }
}
