//! How fast a node's memory is: its initiators with bandwidth and latency, and the caches in front of it.
//!
//! From `accessN/initiators` and `memory_side_cache` of a node, which the kernel fills from ACPI's HMAT and
//! from CXL (`Documentation/admin-guide/mm/numaperf.rst`).

use super::node::node_number;
use super::{Access, MemorySideCache};
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::{Bytes, BytesPerSecond, Nanoseconds};

/// The kernel has two classes: 0 counts any initiator, 1 only CPUs.
const CLASSES: [u32; 2] = [0, 1];

/// The access classes of a node that has memory.
pub(super) fn classes(survey: &Survey<'_>, node: &str) -> Vec<Access> {
    CLASSES
        .iter()
        .filter_map(|class| access(survey, &format!("{node}/access{class}/initiators"), *class))
        .collect()
}

fn access(survey: &Survey<'_>, directory: &str, class: u32) -> Option<Access> {
    let names = survey.names(directory);
    // Zero is what the kernel shows for what the firmware has not told.
    let measure = |name: &str| -> Option<u64> {
        names.iter().find(|listed| *listed == name)?;
        let value = survey.value(&format!("{directory}/{name}"), parse::decimal)?;
        (value != 0).then_some(value)
    };
    let bandwidth = |name: &str| measure(name).map(mebibytes_per_second);
    let latency = |name: &str| measure(name).map(Nanoseconds);
    let access = Access {
        class,
        initiators: names.iter().filter_map(|name| node_number(name)).collect(),
        read_bandwidth_bytes_per_second: bandwidth("read_bandwidth"),
        write_bandwidth_bytes_per_second: bandwidth("write_bandwidth"),
        read_latency_ns: latency("read_latency"),
        write_latency_ns: latency("write_latency"),
    };
    let empty = Access {
        class,
        ..Access::default()
    };
    // The node of an initiator without memory has the directory too, and nothing in it.
    (access != empty).then_some(access)
}

const fn mebibytes_per_second(count: u64) -> BytesPerSecond {
    BytesPerSecond(count.saturating_mul(1 << 20))
}

/// The caches in front of a node's memory, nearest to the memory first.
pub(super) fn memory_side_caches(survey: &Survey<'_>, node: &str) -> Vec<MemorySideCache> {
    let directory = format!("{node}/memory_side_cache");
    let levels = survey.numbered(&directory, "index");
    levels
        .into_iter()
        .map(|level| memory_side_cache(survey, &format!("{directory}/index{level}"), level))
        .collect()
}

fn memory_side_cache(survey: &Survey<'_>, directory: &str, level: u32) -> MemorySideCache {
    let bytes = |name: &str| {
        let value = survey.value(&format!("{directory}/{name}"), parse::decimal)?;
        (value != 0).then_some(Bytes(value))
    };
    let word = |name: &str, parse: fn(&str) -> Parsed<String>| {
        survey.value(&format!("{directory}/{name}"), parse)
    };
    MemorySideCache {
        level,
        size_bytes: bytes("size"),
        line_size_bytes: bytes("line_size"),
        indexing: word("indexing", |text| coded(text, ["direct_mapped", "indexed"])),
        write_policy: word("write_policy", |text| {
            coded(text, ["write_back", "write_through"])
        }),
        address_mode: word("address_mode", |text| {
            coded(text, ["reserved", "extended_linear"])
        }),
    }
}

/// A number that stands for a word: 0 for the first, 1 for the second, and `other` for the rest.
fn coded(text: &str, words: [&str; 2]) -> Parsed<String> {
    let code: usize = parse::decimal(text).map_err(|_| Expected("a number such as 0 or 1"))?;
    let word = words.get(code).copied().unwrap_or("other");
    Ok(word.to_owned())
}
