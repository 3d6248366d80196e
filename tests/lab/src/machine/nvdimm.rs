//! Memory that keeps its content without power.

use serde::{Deserialize, Serialize};

use super::error::{Checked, require};
use super::expected::Expected;
use super::plan::{Content, Plan};
use super::size::Size;

/// A non-volatile DIMM, which the guest has as a disk (`/dev/pmemN`): all of it, since it has no labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nvdimm {
    /// How much it holds: a multiple of 128 MiB.
    pub size: Size,
    /// The node that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
}

/// What the kernel maps at once, and on what it must begin.
const GRAIN: Size = Size::mib(128);

pub(super) fn check(dimms: &[Nvdimm], nodes: usize) -> Checked {
    for (row, dimm) in dimms.iter().enumerate() {
        let exists = dimm.node.is_none_or(|node| (node as usize) < nodes);
        let path = format!("nvdimms[{row}].node");
        require(exists, path, "there is no such node")?;
        let whole = dimm.size.0 > 0 && dimm.size.is_multiple_of(GRAIN);
        let text = format!("`{}` is not a multiple of {GRAIN}", dimm.size);
        require(whole, format!("nvdimms[{row}].size"), text)?;
    }
    Ok(())
}

pub(super) fn plan(dimms: &[Nvdimm], plan: &mut Plan) {
    if dimms.is_empty() {
        return;
    }
    plan.option("machine", "nvdimm=on");
    for (row, Nvdimm { size, node }) in dimms.iter().enumerate() {
        let id = format!("nvdimm{row}");
        let file = plan.file(&format!("{id}.img"), Content::Zeros(size.0));
        let backed = format!("memory-backend-file,id={id}-file,share=on,mem-path={file}");
        plan.option("object", format!("{backed},size={size}"));
        let node = node.map(|node| format!(",node={node}"));
        let node = node.unwrap_or_default();
        plan.device(format!("nvdimm,id={id},memdev={id}-file{node}"));
    }
    plan.modules(&["nfit", "nd_pmem"]);
}

/// It is no memory of the system's, but a disk.
pub(super) fn expect(dimms: &[Nvdimm], expected: &mut Expected) {
    for (row, dimm) in dimms.iter().enumerate() {
        let at = format!("storage.disks[pmem{row}]");
        expected.is(format!("{at}.size_bytes"), dimm.size.0);
        expected.is(format!("{at}.rotational"), false);
        expected.is(format!("{at}.read_only"), false);
        expected.is(format!("{at}.physical_block_bytes"), 4096);
    }
    if !dimms.is_empty() {
        for module in ["nfit", "libnvdimm", "nd_pmem"] {
            expected.is(format!("software.modules[{module}].state"), "live");
        }
    }
}
