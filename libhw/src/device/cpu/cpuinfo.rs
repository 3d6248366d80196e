//! /proc/cpuinfo, whose every architecture has its own words (`arch/*/kernel/{proc,setup,cpuinfo}.c`).
//!
//! ```text
//! processor       : 0                                              one block a CPU: most
//! model name      : AMD EPYC 7451 24-Core Processor
//!
//! Features        : swp half thumb                                 a block for all: 32-bit Arm, s390, sparc
//!
//! processor 0: version = 00,  identification = 4729E7,  machine = 2964        a line a CPU: s390
//! ```

mod words;

use std::collections::{BTreeMap, HashMap};

use self::words::{Word, Words};
use super::{Cache, CacheKind, Model};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;

/// What it says.
#[derive(Debug, Default)]
pub(super) struct Cpuinfo {
    /// By lowest CPU.
    pub(super) models: Vec<Model>,
    /// The caches that every core of an s390 has to itself, with no CPUs.
    pub(super) private_caches: Vec<Cache>,
    /// The caches that cores of an s390 share; the kernel doesn't say which cores.
    pub(super) shared_caches: Vec<Cache>,
}

impl Cpuinfo {
    /// The CPUs that it tells of.
    pub(super) fn cpus(&self) -> IdSet {
        self.models
            .iter()
            .flat_map(|model| model.cpus.iter())
            .collect()
    }
}

/// Reads the file. What stands for no CPU in particular stands for all that are `online`.
pub(super) fn read(survey: &Survey<'_>, online: &IdSet) -> Cpuinfo {
    parse(&survey.raw("proc/cpuinfo").unwrap_or_default(), online)
}

/// The text, taken apart.
#[derive(Debug, Default)]
struct Blocks<'t> {
    all: Words<'t>,
    cpus: BTreeMap<u32, Words<'t>>,
    current: Option<u32>,
    private_caches: Vec<Cache>,
    shared_caches: Vec<Cache>,
}

impl<'t> Blocks<'t> {
    fn line(&mut self, line: &'t str) {
        let colon = memchr::memchr(b':', line.as_bytes());
        let halves = colon.and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?)));
        let Some((key, value)) = halves else {
            // An empty line ends a block.
            self.current = None;
            return;
        };
        let (key, value) = (parse::trim(key), parse::trim(value));
        if let Some(word) = Word::of(key) {
            self.words().put(word, value);
        } else if key == "processor" || (key == "cpu number" && self.current.is_none()) {
            self.current = number(value);
            self.words();
        } else if let Some(cpu) = key.strip_prefix("processor ").and_then(number) {
            s390_processor(self.cpus.entry(cpu).or_default(), value);
        } else if key.starts_with("cache") && value.starts_with("level=") {
            let shared = value.contains("scope=Shared");
            let caches = if shared {
                &mut self.shared_caches
            } else {
                &mut self.private_caches
            };
            caches.extend(s390_cache(value));
        }
    }

    /// Where the words of the current block go.
    fn words(&mut self) -> &mut Words<'t> {
        match self.current {
            Some(cpu) => self.cpus.entry(cpu).or_default(),
            None => &mut self.all,
        }
    }
}

fn number(text: &str) -> Option<u32> {
    let cpu = parse::decimal(text).ok();
    cpu.filter(|cpu| *cpu < IdSet::LIMIT)
}

fn parse(text: &str, online: &IdSet) -> Cpuinfo {
    let mut blocks = Blocks::default();
    // A hundred CPUs have lines of a thousand bytes: here the search for their ends counts.
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    let mut start = 0;
    for end in ends {
        blocks.line(text.get(start..end).unwrap_or_default());
        start = end + 1;
    }
    let mut models = Models::default();
    for (cpu, words) in &blocks.cpus {
        models.add(words.or(&blocks.all), &IdSet::from_iter([*cpu]));
    }
    if blocks.cpus.is_empty() && blocks.all != Words::default() {
        models.add(blocks.all, online);
    }
    Cpuinfo {
        models: models.models,
        private_caches: blocks.private_caches,
        shared_caches: blocks.shared_caches,
    }
}

/// The models so far. Most often a CPU is as the one before it: then nothing is hashed, split or copied.
#[derive(Debug, Default)]
struct Models<'t> {
    models: Vec<Model>,
    index: HashMap<Words<'t>, usize>,
    last: Option<(Words<'t>, usize)>,
}

impl<'t> Models<'t> {
    fn add(&mut self, words: Words<'t>, cpus: &IdSet) {
        let same = self.last.filter(|(last, _)| last.are(&words));
        let index = same.map_or_else(|| self.index_of(words, cpus), |(_, index)| index);
        self.last = Some((words, index));
        if let Some(model) = self.models.get_mut(index) {
            cpus.iter().for_each(|cpu| _ = model.cpus.insert(cpu));
        }
    }

    fn index_of(&mut self, words: Words<'t>, cpus: &IdSet) -> usize {
        *self.index.entry(words).or_insert_with(|| {
            self.models.push(Model {
                id: cpus.first().unwrap_or_default(),
                ..words.model()
            });
            self.models.len() - 1
        })
    }
}

/// ```text
/// version = 00,  identification = 4729E7,  machine = 2964
/// ```
fn s390_processor<'t>(words: &mut Words<'t>, text: &'t str) {
    for (key, value) in text.split(',').filter_map(|pair| pair.split_once('=')) {
        if parse::trim(key) == "machine" {
            words.put(Word::Machine, parse::trim(value));
        }
    }
}

/// ```text
/// level=1 type=Data scope=Private size=128K line_size=256 associativity=8
/// ```
fn s390_cache(text: &str) -> Option<Cache> {
    let value = |key| {
        let mut pairs = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    Some(Cache {
        level: parse::decimal(value("level")?).ok()?,
        kind: CacheKind::of(value("type")?)?,
        size_bytes: value("size").and_then(|size| parse::size(size).ok()),
        line_size_bytes: value("line_size").and_then(|size| parse::size(size).ok()),
        ways: value("associativity").and_then(|ways| parse::decimal(ways).ok()),
        ..Cache::default()
    })
}

#[cfg(test)]
mod tests;
