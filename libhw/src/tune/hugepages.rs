//! The size of a pool of huge pages, `Documentation/admin-guide/mm/hugetlbpage.rst`.

use std::time::Duration;

use super::change::{self, Refused, Step, Writer};
use super::{Change, Mode, Outcome, Refusal};
use crate::error::Result;
use crate::io::root::Root;
use crate::parse;
use crate::units::Bytes;

/// How long one write may take: the kernel moves other pages aside to make each huge one.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// A pool, and how many pages it shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hugepages {
    /// The node; none is the host's pool, whose pages the kernel spreads over the nodes.
    pub node: Option<u32>,
    /// The size of one page.
    pub size: Bytes,
    /// How many pages the pool shall have.
    pub count: u64,
    /// Whether fewer are as good as none: then the pool is set back when it can't have them all.
    pub all: bool,
}

const HOST: &str = "sys/kernel/mm/hugepages";
const NODES: &str = "sys/devices/system/node";

/// Sets the size of a pool.
///
/// The kernel takes as many pages as it finds memory for, in one piece each, and gives back only those that nobody uses; the
/// others go when they are no longer used. So there may be fewer or more than asked, which is [`Outcome::Partial`].
///
/// # Errors
/// On a captured tree.
pub fn hugepages(root: &Root, pool: &Hugepages, mode: Mode) -> Result<Change> {
    let name = format!("{}kB", pool.size.0 / 1024);
    let target = pool
        .node
        .map_or_else(|| name.clone(), |node| format!("node{node}/{name}"));
    let asked = change::asked("hugepages", target, pool.count.to_string());
    change::make(root, (mode, LIMIT), asked, |writer| set(writer, pool))
}

fn set(writer: &mut Writer<'_>, pool: &Hugepages) -> Step<Outcome> {
    let directory = directory(writer, pool)?;
    fits(writer, pool)?;
    let before = Pages::read(writer, &directory)?;
    let (asked, kind) = (pool.count, pool.size);
    if before.own() == asked {
        return Ok(Outcome::Full);
    }
    let path = format!("{directory}/nr_hugepages");
    // The pool's set size, which what it says may be above.
    writer.write_over(&path, &asked.to_string(), before.own().to_string())?;
    if writer.is_dry() {
        return Ok(Outcome::Full);
    }
    let after = Pages::read(writer, &directory)?;
    let grown = asked > before.own();
    let accepted = if grown { after.own() } else { after.total };
    let why = match (accepted == asked, after.own() == before.own(), grown) {
        (true, _, _) => return Ok(Outcome::Full),
        (_, true, true) => format!("no memory in one piece for another page of {kind}"),
        (_, true, false) => format!("the pool keeps its {} pages of {kind}", before.own()),
        _ if !pool.all => return Ok(Outcome::Partial { accepted, asked }),
        (.., true) => format!("{accepted} of {asked} pages of {kind} could be had"),
        _ => format!("{accepted} pages of {kind} stay, since they are in use"),
    };
    Err(Refused::new(Refusal::Busy, why))
}

/// How many pages a pool has.
struct Pages {
    /// `nr_hugepages`.
    total: u64,
    /// `surplus_hugepages`: above the pool's set size; pages in use of a pool that was made smaller are counted here, and go
    /// when they are no longer used.
    surplus: u64,
}

impl Pages {
    fn read(writer: &Writer<'_>, directory: &str) -> Step<Self> {
        let count = |name: &str| writer.number(&format!("{directory}/{name}"));
        Ok(Self {
            total: count("nr_hugepages")?.unwrap_or_default(),
            surplus: count("surplus_hugepages")?.unwrap_or_default(),
        })
    }

    /// The pool's set size.
    const fn own(&self) -> u64 {
        self.total.saturating_sub(self.surplus)
    }
}

/// The pool's directory, if there is such a pool.
fn directory(writer: &Writer<'_>, pool: &Hugepages) -> Step<String> {
    let directory = match pool.node {
        None => HOST.to_owned(),
        Some(node) => {
            let nodes = writer.root.names(NODES)?;
            if !nodes.iter().any(|name| *name == format!("node{node}")) {
                return Err(Refused::invalid(format!("no node {node}")));
            }
            format!("{NODES}/node{node}/hugepages")
        }
    };
    let pools = writer.root.names(&directory)?;
    let own = format!("hugepages-{}kB", pool.size.0 / 1024);
    if !pool.size.0.is_multiple_of(1024) || !pools.contains(&own) {
        let sizes = pools
            .iter()
            .filter_map(|name| parse::size(name.strip_prefix("hugepages-")?).ok());
        let mut sizes: Vec<Bytes> = sizes.collect();
        sizes.sort_unstable();
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let there = if sizes.is_empty() {
            "none".to_owned()
        } else {
            sizes.join(", ")
        };
        return Err(Refused::unsupported(format!(
            "no huge pages of {}: there are {there}",
            pool.size
        )));
    }
    Ok(format!("{directory}/{own}"))
}

/// What can't be had even of an empty machine is not tried: on the way the kernel would take all that is free.
fn fits(writer: &Writer<'_>, pool: &Hugepages) -> Step<()> {
    let path = pool.node.map_or_else(
        || "proc/meminfo".to_owned(),
        |node| format!("{NODES}/node{node}/meminfo"),
    );
    let text = writer.read(&path)?.unwrap_or_default();
    let mut pairs = parse::key_values(&text);
    let total = pairs.find(|(key, _)| key.split(' ').next_back() == Some("MemTotal"));
    let Some(total) = total.and_then(|(_, value)| parse::size(&value.replace(" kB", "kB")).ok())
    else {
        return Ok(());
    };
    let wanted = pool.size.0.checked_mul(pool.count);
    if wanted.is_some_and(|wanted| wanted <= total.0) {
        return Ok(());
    }
    let wanted = wanted.map_or_else(
        || "more than can be counted".to_owned(),
        |wanted| Bytes(wanted).to_string(),
    );
    Err(Refused::invalid(format!(
        "{} pages of {} are {wanted}, and there are {total}",
        pool.count, pool.size
    )))
}
