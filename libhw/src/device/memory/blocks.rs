//! The blocks in which memory goes in and out of use (`Documentation/ABI/testing/sysfs-devices-memory`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// Memory blocks (`/sys/devices/system/memory`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Blocks {
    /// `block_size_bytes`: how large each is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `auto_online_blocks`: what happens to one that is added: `offline`, `online`, `online_movable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_online: Option<String>,
    /// How many there are, online or not.
    pub count: u32,
    /// Those that are not online (`memoryN/state`); none where that was not read: it costs a file for each block, so
    /// only a deep look reads it where there are more than 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<IdSet>,
    /// Those that could be taken out of use (`memoryN/removable`); only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removable: Option<IdSet>,
    /// By zone (the first word of `memoryN/valid_zones`), the blocks in it; only in a deep look.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub zones: BTreeMap<String, IdSet>,
    /// By node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeBlocks>,
}

/// The memory blocks of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeBlocks {
    /// The node.
    pub id: u32,
    /// Its blocks: the links `nodeN/memoryM`. One that spans two nodes is in both.
    pub blocks: IdSet,
}

const BLOCKS: &str = "sys/devices/system/memory";
const NODES: &str = "sys/devices/system/node";

/// With more blocks than that, their files are opened in a deep look only.
const STATES_MAX: usize = 64;

/// The blocks; `None` where the kernel cannot plug memory.
pub(super) fn discover(survey: &Survey<'_>) -> Option<Blocks> {
    let names = survey.names(BLOCKS);
    let has = |name: &str| {
        names
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
    };
    let all = numbers(&names);
    if all.is_empty() && !has("block_size_bytes") {
        return None;
    }
    let size = || survey.value(&format!("{BLOCKS}/block_size_bytes"), parse::hex);
    let auto_online = || survey.text(&format!("{BLOCKS}/auto_online_blocks"));
    let mut blocks = Blocks {
        size_bytes: has("block_size_bytes").then(size).flatten().map(Bytes),
        auto_online: has("auto_online_blocks").then(auto_online).flatten(),
        count: u32::try_from(all.len()).unwrap_or(u32::MAX),
        nodes: by_node(survey),
        ..Blocks::default()
    };
    if survey.deep() || all.len() <= STATES_MAX {
        blocks.offline = Some(with(survey, &all, "state", |state| state != "online"));
    }
    if survey.deep() {
        blocks.removable = Some(with(survey, &all, "removable", |removable| {
            removable == "1"
        }));
        blocks.zones = zones(survey, &all);
    }
    Some(blocks)
}

/// The numbers of blocks among names.
fn numbers(names: &[String]) -> IdSet {
    let number = |name: &String| parse::decimal(name.strip_prefix("memory")?).ok();
    names
        .iter()
        .filter_map(number)
        .filter(|number| *number < IdSet::LIMIT)
        .collect()
}

fn by_node(survey: &Survey<'_>) -> Vec<NodeBlocks> {
    let blocks = |id: u32| NodeBlocks {
        id,
        blocks: numbers(&survey.names(&format!("{NODES}/node{id}"))),
    };
    let nodes = survey.numbered(NODES, "node").into_iter().map(blocks);
    nodes.filter(|node| !node.blocks.is_empty()).collect()
}

/// The blocks of which an attribute's text is wanted.
fn with(survey: &Survey<'_>, all: &IdSet, name: &str, wanted: impl Fn(&str) -> bool) -> IdSet {
    let wanted = |block: &u32| {
        let text = survey.text(&format!("{BLOCKS}/memory{block}/{name}"));
        text.is_some_and(|text| wanted(&text))
    };
    all.iter().filter(wanted).collect()
}

/// The first word of `valid_zones` is the zone that a block is in, the others those that it could go to.
fn zones(survey: &Survey<'_>, all: &IdSet) -> BTreeMap<String, IdSet> {
    let mut zones: BTreeMap<String, IdSet> = BTreeMap::new();
    for block in all.iter() {
        let text = survey.text(&format!("{BLOCKS}/memory{block}/valid_zones"));
        let zone = text
            .as_deref()
            .and_then(|text| text.split_whitespace().next());
        if let Some(zone) = zone.filter(|zone| *zone != "none") {
            zones.entry(zone.to_owned()).or_default().insert(block);
        }
    }
    zones
}
