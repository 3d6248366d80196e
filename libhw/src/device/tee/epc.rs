//! SGX's protected memory, by node.

use super::SgxEpc;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

const NODES: &str = "sys/devices/system/node";

/// The nodes that have some; old kernels do not tell.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<SgxEpc> {
    let of = |node: u32| {
        let path = format!("{NODES}/node{node}/x86/sgx_total_bytes");
        let size = survey
            .value(&path, parse::decimal)
            .filter(|size| *size > 0)?;
        Some(SgxEpc {
            id: node,
            size_bytes: Bytes(size),
        })
    };
    let nodes = survey.numbered(NODES, "node").into_iter();
    nodes.filter_map(of).collect()
}
