//! Huge pages that are taken at boot.

use serde::{Deserialize, Serialize};

use super::expected::Expected;
use super::plan::Plan;
use super::size::Size;

/// How many huge pages of each size a node has from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HugePages {
    /// Of 2 MiB.
    #[serde(rename = "2M", skip_serializing_if = "is_zero")]
    pub of_2m: u64,
    /// Of 1 GiB: these need memory above 4 GiB.
    #[serde(rename = "1G", skip_serializing_if = "is_zero")]
    pub of_1g: u64,
}

/// A size of huge pages: its name in a description, the kernel's name of its pool, its size, how many of it a node has.
type Sort = (&'static str, &'static str, Size, fn(&HugePages) -> u64);

/// The sizes of x86.
const SORTS: [Sort; 2] = [
    ("2M", "2048kB", Size::mib(2), |pages| pages.of_2m),
    ("1G", "1048576kB", Size::gib(1), |pages| pages.of_1g),
];

impl HugePages {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How much memory they take.
    pub(super) fn size(&self) -> Size {
        let sizes = SORTS
            .iter()
            .map(|(.., size, of)| size.0.saturating_mul(of(self)));
        Size(sizes.fold(0, u64::saturating_add))
    }
}

pub(super) fn plan(nodes: &[&HugePages], plan: &mut Plan) {
    for (name, .., of) in SORTS {
        let having = nodes.iter().enumerate().filter(|(_, pages)| of(pages) > 0);
        let having: Vec<String> = having
            .map(|(id, pages)| format!("{id}:{}", of(pages)))
            .collect();
        if !having.is_empty() {
            plan.parameter(format!("hugepagesz={name}"));
            plan.parameter(format!("hugepages={}", having.join(",")));
        }
    }
}

pub(super) fn expect(nodes: &[&HugePages], expected: &mut Expected) {
    for (_, name, size, of) in SORTS {
        let total: u64 = nodes.iter().map(|pages| of(pages)).sum();
        expected.is(format!("hugepages.pools[{name}].total"), total);
        expected.is(format!("hugepages.pools[{name}].size_bytes"), size.0);
        for (id, pages) in nodes.iter().enumerate() {
            expected.is(format!("hugepages.pools[node{id}/{name}].total"), of(pages));
            expected.is(format!("hugepages.pools[node{id}/{name}].node"), id);
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
