//! The attributes of one device: a directory that is listed once, so that nothing is opened in vain.

use std::collections::BTreeSet;

use crate::parse::{self, Parsed};
use crate::survey::Survey;

/// One device's directory.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    pub(super) survey: &'a Survey<'a>,
    /// Where it is, below the root.
    pub(super) base: String,
    /// What it holds, sorted.
    pub(super) names: Vec<String>,
}

impl<'a> Attributes<'a> {
    pub(super) fn list(survey: &'a Survey<'a>, base: String) -> Self {
        let names = survey.names(&base);
        Self {
            survey,
            base,
            names,
        }
    }

    /// A directory in it; one without entries when there is none.
    pub(super) fn below(&self, name: &str) -> Self {
        let base = self.path(name);
        if self.has(name) {
            return Self::list(self.survey, base);
        }
        Self {
            survey: self.survey,
            base,
            names: Vec::new(),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
    }

    /// The trimmed text of an attribute; empty is absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.has(name).then(|| self.survey.text(&self.path(name)))?
    }

    /// An attribute's text as a value; empty is absent.
    pub(super) fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.survey
            .parsed(&self.path(name), &self.text(name)?, parse)
    }

    /// What a link says.
    pub(super) fn link(&self, name: &str) -> Option<String> {
        let link = || self.survey.root().link(&self.path(name));
        self.has(name).then(|| self.survey.keep(link()))?
    }
}

/// One whole block device.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// The kernel's name; `!` in it stands for the `/` of its device file.
    pub(super) name: String,
    pub(super) own: Attributes<'a>,
    /// What its entry in /sys/block says: the way to it through the machine.
    pub(super) way: Option<String>,
}

impl Block<'_> {
    /// The partitions' directories: they are named after the disk and lie in its own.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &String> {
        let names = self.own.names.iter();
        names.filter(|name| name.len() > self.name.len() && name.starts_with(&self.name))
    }

    /// Whether it is there, and no partition.
    fn is_whole(&self) -> bool {
        !self.own.has("partition") && !self.own.names.is_empty()
    }

    /// The device file, below the root.
    pub(super) fn file(&self) -> String {
        format!("dev/{}", self.name.replace('!', "/"))
    }
}

const WHOLE: &str = "sys/block";
const ALL: &str = "sys/class/block";

/// Where whole block devices are.
pub(super) const PLACES: [&str; 2] = [WHOLE, ALL];

/// Devices that a kernel makes in stock, many of them, and that hold nothing until somebody gives them something to
/// hold: their size is asked for first.
const STOCK: &[&str] = &["loop", "nbd", "ram", "zram"];

/// More than any machine has, so that a hostile tree ends.
const BLOCKS_MAX: usize = 65_536;

/// The whole block devices that may hold something, in the order of their names. /sys/class/block lists partitions too, and on some trees
/// alone has the mapped ones.
pub(super) fn blocks<'a>(survey: &'a Survey<'a>) -> Vec<Block<'a>> {
    let names = survey.names(WHOLE).into_iter().take(BLOCKS_MAX);
    let (spare, names): (Vec<_>, Vec<_>) = names.partition(|name| is_spare(survey, name));
    let names = names.into_iter();
    let mut blocks: Vec<_> = names.map(|name| block(survey, WHOLE, name)).collect();
    let names = blocks
        .iter()
        .flat_map(|block| block.partitions().chain([&block.name]));
    let known: BTreeSet<_> = names.cloned().chain(spare).collect();
    let others = survey.names(ALL).into_iter().take(BLOCKS_MAX);
    let others = others.filter(|name| !known.contains(name));
    let others = others.map(|name| block(survey, ALL, name));
    blocks.extend(others.filter(Block::is_whole));
    blocks.sort_by_cached_key(|block| natural(&block.name));
    blocks
}

/// Those of [`blocks`] that have these names.
pub(super) fn named<'a>(survey: &'a Survey<'a>, names: &BTreeSet<String>) -> Vec<Block<'a>> {
    let there = |name: &String| {
        let mut found = [WHOLE, ALL].into_iter();
        found
            .find_map(|folder| Some(block(survey, folder, name.clone())).filter(Block::is_whole))
            .filter(|_| !is_spare(survey, name))
    };
    names.iter().filter_map(there).collect()
}

fn block<'a>(survey: &'a Survey<'a>, folder: &str, name: String) -> Block<'a> {
    let base = format!("{folder}/{name}");
    let way = survey.keep(survey.root().link(&base));
    Block {
        own: Attributes::list(survey, base),
        name,
        way,
    }
}

/// Whether it was made in stock, and holds nothing.
fn is_spare(survey: &Survey<'_>, name: &str) -> bool {
    let kind = name.trim_end_matches(|sign: char| sign.is_ascii_digit());
    let size = || survey.raw(&format!("{WHOLE}/{name}/size"));
    STOCK.contains(&kind) && size().is_some_and(|size| parse::trim(&size) == "0")
}

/// What puts names in the order that a person expects: `sdb` before `sdaa`, `dm-2` before `dm-10`.
pub(super) fn natural(name: &str) -> (String, usize, String, u64, String) {
    let digits = |text: &str, is: bool| {
        let end = text.find(|sign: char| sign.is_ascii_digit() != is);
        end.unwrap_or(text.len())
    };
    let (word, rest) = name.split_at(digits(name, false));
    let (number, rest) = rest.split_at(digits(rest, true));
    let number = number.parse().unwrap_or_default();
    let kind = word.chars().take(2).collect();
    (kind, word.len(), word.to_owned(), number, rest.to_owned())
}
