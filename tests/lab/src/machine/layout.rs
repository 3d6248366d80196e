//! Where memory lies among a PC's addresses.

use super::numbers::Numbers;
use super::size::Size;

/// What the kernel takes in and out of use: a block of memory on x86.
pub(super) const BLOCK: Size = Size::mib(128);
/// Where a PC with more than this of memory has a hole for its devices, up to 4 GiB (`pc_q35_init`).
const LOW_MAX: u64 = 0xb000_0000;
const LOW: u64 = 0x8000_0000;
const HIGH: u64 = 1 << 32;

/// The nodes' memory among the addresses.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Of each node its ranges: start and end.
    nodes: Vec<Vec<(u64, u64)>>,
}

impl Layout {
    /// Of nodes with so much memory, one after the other.
    pub(super) fn of(memories: impl Iterator<Item = Size> + Clone) -> Self {
        let total: u64 = memories.clone().map(|size| size.0).sum();
        let low = if total >= LOW_MAX { LOW } else { LOW_MAX };
        let mut start = 0;
        let nodes = memories.map(|memory| {
            let end = start + memory.0;
            let below = (start, end.min(low));
            let above = (start.max(low) - low + HIGH, end.max(low) - low + HIGH);
            start = end;
            let ranges = [below, above].into_iter();
            ranges.filter(|(start, end)| start < end).collect()
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// The numbers of each node's memory blocks.
    pub(super) fn blocks(&self) -> Vec<Numbers> {
        let number = |address: u64| u32::try_from(address / BLOCK.0).unwrap_or(u32::MAX);
        let of = |ranges: &Vec<(u64, u64)>| {
            let blocks = ranges
                .iter()
                .flat_map(|(start, end)| number(*start)..number(*end));
            blocks.collect()
        };
        self.nodes.iter().map(of).collect()
    }

    /// How many pages of a size lie whole in a node's memory above 4 GiB, where nothing else breaks them up.
    pub(super) fn whole_pages(&self, node: usize, page: Size) -> u64 {
        let ranges = self.nodes.get(node).into_iter().flatten();
        let above = ranges.filter(|(start, _)| *start >= HIGH);
        above
            .map(|(start, end)| (end / page.0).saturating_sub(start.div_ceil(page.0)))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(mib: &[u64]) -> Layout {
        Layout::of(mib.iter().map(|mib| Size::mib(*mib)))
    }

    #[test]
    fn memory_lies_below_the_hole_and_from_four_gib_on() {
        let blocks = |mib: &[u64]| -> Vec<String> {
            layout(mib)
                .blocks()
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(blocks(&[512]), ["0-3"]);
        assert_eq!(
            blocks(&[1024, 1024, 512, 512]),
            ["0-7", "8-15", "32-35", "36-39"]
        );
        assert_eq!(blocks(&[2688]), ["0-20"]);
        assert_eq!(blocks(&[1536, 1536]), ["0-11", "12-15,32-39"]);
    }

    #[test]
    fn gibibytes_that_are_whole_lie_above_four_gib() {
        let gib = Size::gib(1);
        assert_eq!(layout(&[2048]).whole_pages(0, gib), 0);
        assert_eq!(layout(&[3072, 3072]).whole_pages(0, gib), 1);
        assert_eq!(layout(&[3072, 3072]).whole_pages(1, gib), 3);
        assert_eq!(layout(&[2560, 3072]).whole_pages(0, gib), 0);
        assert_eq!(layout(&[2560, 3072]).whole_pages(1, gib), 2);
    }
}
