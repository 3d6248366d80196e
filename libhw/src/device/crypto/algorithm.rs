//! /proc/crypto: every implementation that is registered, and which of them the kernel takes.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Crypto, Interface, Kind, ServedBy, served};
use crate::error::Error;
use crate::parse;
use crate::survey::Survey;

/// An algorithm as it is asked for by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Algorithm {
    /// Its name and interface: `cbc(aes)/skcipher`.
    pub id: String,
    /// Its name: `cbc(aes)`.
    pub name: String,
    /// What it is asked for as.
    pub interface: Interface,
    /// The implementation that the kernel takes: of those that passed their self-test and are not internal, the
    /// one with the highest priority, and of equal ones the one that was registered last.
    pub implementation: String,
    /// Its priority.
    pub priority: i64,
    /// Who does the work.
    pub served_by: ServedBy,
    /// By what sort of accelerator, where one does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<Kind>,
}

/// An implementation of an algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Implementation {
    /// `driver`: its own name; with its type behind it where two have one name.
    pub id: String,
    /// `name`: the algorithm.
    pub name: String,
    /// `type`: `skcipher`, `shash`, `aead`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// `module`: `kernel` when it is built in.
    pub module: String,
    /// `priority`.
    pub priority: i64,
    /// `selftest`: whether it passed.
    pub tested: bool,
    /// `internal`: only a part of others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internal: bool,
    /// `fips`: whether it may be used in FIPS mode; told only in that mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fips: Option<bool>,
    /// `async`: it may answer later, as devices do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<bool>,
    /// `blocksize`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_bytes: Option<u32>,
    /// `min keysize`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_min_bytes: Option<u32>,
    /// `max keysize`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_max_bytes: Option<u32>,
    /// `digestsize`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_bytes: Option<u32>,
    /// `ivsize`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iv_bytes: Option<u32>,
    /// Who does the work, told by the names of driver and module.
    pub served_by: ServedBy,
    /// What changes without an event.
    #[serde(default)]
    pub now: ImplementationNow,
}

/// What changes in an implementation without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ImplementationNow {
    /// `refcnt`: who uses it, and the kernel's own count of 1.
    pub references: u64,
}

const FILE: &str = "proc/crypto";
const FIPS: &str = "proc/sys/crypto/fips_enabled";

/// More than any kernel tells of one.
const FIELDS_MAX: usize = 64;

/// More than any kernel registers.
const IMPLEMENTATIONS_MAX: usize = 1 << 14;

/// Reads both tables.
pub(super) fn discover(survey: &Survey<'_>, crypto: &mut Crypto) {
    crypto.fips = survey.value(FIPS, parse::switch);
    let Some(text) = survey.raw(FILE) else {
        return;
    };
    let (mut ids, mut rows) = (HashSet::new(), Vec::new());
    for block in blocks(&text).take(IMPLEMENTATIONS_MAX) {
        match implementation(&block) {
            Ok(Some((mut row, accelerator))) => {
                make_unique(&mut row, &mut ids);
                rows.push((row, accelerator));
            }
            Ok(None) => {}
            Err(expected) => {
                let values = block.0.iter().map(|(_, value)| *value);
                let block = values.collect::<Vec<_>>().join(", ");
                survey.report(Error::malformed(&format!("/{FILE}"), expected, &block));
            }
        }
    }
    crypto.algorithms = winners(&rows);
    crypto.implementations = rows.into_iter().map(|(row, _)| row).collect();
}

/// The fields of an entry: so few that looking through them is the quickest way to one.
#[derive(Default)]
struct Block<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Block<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        let mut fields = self.0.iter();
        fields.find(|field| field.0 == key).map(|field| field.1)
    }
}

/// The fields of each entry; an empty line ends one, and so does a second `name`.
///
/// ```text
/// name         : cbc(aes)
/// driver       : cbc-aes-aesni
/// priority     : 400
/// ```
fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let mut block = Block::default();
        while let Some(line) = lines.peek() {
            let pair = line.split_once(':');
            let pair = pair.map(|(key, value)| (parse::trim(key), parse::trim(value)));
            match pair {
                Some(("name", _)) if block.value("name").is_some() => break,
                Some(_) if block.0.len() == FIELDS_MAX => {}
                Some(pair) => block.0.push(pair),
                None if parse::trim(line).is_empty() && !block.0.is_empty() => break,
                None => {}
            }
            lines.next();
        }
        (!block.0.is_empty()).then_some(block)
    })
}

/// An implementation, and which sort of accelerator does its work.
type Row = (Implementation, Option<Kind>);

/// One entry; `None` for the kernel's placeholder of one that it is about to load.
fn implementation(block: &Block<'_>) -> Result<Option<Row>, &'static str> {
    const NUMBER: &str = "an entry of /proc/crypto with a number for its priority";
    let text = |key: &str| {
        let value = block.value(key).filter(|value| !value.is_empty());
        value.ok_or("an entry of /proc/crypto with name, driver, module and type")
    };
    let kind = text("type")?;
    if kind == "larval" {
        return Ok(None);
    }
    let (driver, module) = (text("driver")?, text("module")?);
    let size = |key: &str| {
        block
            .value(key)
            .and_then(|value| parse::decimal(value).ok())
    };
    let yes = |key: &str| block.value(key).map(|value| value == "yes");
    let (served_by, accelerator) = served::by(driver, module);
    let row = Implementation {
        id: driver.to_owned(),
        name: text("name")?.to_owned(),
        kind: kind.to_owned(),
        module: module.to_owned(),
        priority: parse::signed(text("priority")?).map_err(|_| NUMBER)?,
        tested: block.value("selftest") == Some("passed"),
        internal: yes("internal").unwrap_or(false),
        fips: yes("fips"),
        asynchronous: yes("async"),
        block_bytes: size("blocksize"),
        key_min_bytes: size("min keysize"),
        key_max_bytes: size("max keysize"),
        digest_bytes: size("digestsize"),
        iv_bytes: size("ivsize"),
        served_by,
        now: ImplementationNow {
            references: block
                .value("refcnt")
                .and_then(|value| parse::decimal(value).ok())
                .unwrap_or_default(),
        },
    };
    Ok(Some((row, accelerator)))
}

/// Gives a second one of a name its type, and a third one a number.
fn make_unique(row: &mut Implementation, ids: &mut HashSet<String>) {
    if ids.contains(&row.id) {
        row.id = format!("{}/{}", row.id, row.kind);
    }
    let name = row.id.clone();
    let mut number = 2_u32;
    while !ids.insert(row.id.clone()) {
        row.id = format!("{name}/{number}");
        number += 1;
    }
}

/// The types that a request for an interface matches (`crypto_alg_mod_lookup` masks their lowest bit).
fn interface(kind: &str) -> Interface {
    match kind {
        "skcipher" | "lskcipher" | "blkcipher" | "ablkcipher" | "givcipher" => Interface::Skcipher,
        "shash" | "ahash" | "hash" => Interface::Hash,
        "scomp" | "acomp" => Interface::Acomp,
        other => Interface::from(other),
    }
}

/// The implementation that each name gets. The list has the latest first, and of equal priorities the kernel
/// takes the first that it meets.
fn winners(all: &[Row]) -> Vec<Algorithm> {
    let mut best: BTreeMap<(&str, Interface), &Row> = BTreeMap::new();
    let usable = all
        .iter()
        .filter(|(row, _)| row.tested && !row.internal && row.fips != Some(false));
    for row in usable {
        let of = (row.0.name.as_str(), interface(&row.0.kind));
        let known = best.entry(of).or_insert(row);
        if row.0.priority > known.0.priority {
            *known = row;
        }
    }
    best.into_iter()
        .map(|((name, interface), (row, accelerator))| Algorithm {
            id: format!("{name}/{}", interface.as_str()),
            name: name.to_owned(),
            implementation: row.id.clone(),
            priority: row.priority,
            served_by: row.served_by.clone(),
            accelerator: accelerator.clone(),
            interface,
        })
        .collect()
}
