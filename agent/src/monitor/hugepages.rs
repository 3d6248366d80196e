//! Pools of huge pages: used up, or smaller than the kernel was told to make them at boot.

use std::collections::BTreeMap;

use libhw::device::hugepages::{Hugepages, Pool};
use libhw::device::software::Software;
use libhw::inventory::Class;
use libhw::parse;

use crate::alarm::observation::Report;
use crate::monitor::look::{
    Cost, Look, Monitor, NOT_READ, Only, Reading, Row, has, seconds, settings,
};
use crate::monitor::told::Told;

const EXHAUSTED: &str = "host.hugepages.exhausted";
const SHORT: &str = "host.hugepages.short";

const NAME: &str = "hugepages";

pub(crate) const ROW: Row = Row {
    name: NAME,
    watches: "pools of huge pages: those that are used up, and those that have fewer pages than were asked for at boot",
    alarms: &[EXHAUSTED, SHORT],
    interval: seconds(30),
    deadline: seconds(5),
    cost: Cost::Low,
    classes: &[Class::Hugepages, Class::Software],
    reading: Reading::Refresh,
    blocks: false,
    available: |look| {
        let hugepages = look.inventory.hugepages.as_ref().ok_or(NOT_READ)?;
        has(!hugepages.pools.is_empty(), "this kernel has no huge pages")
    },
    make: |table, _| Ok(Box::new(Pools(settings(table)?))),
};

struct Pools(Only);

impl Monitor for Pools {
    fn look(&mut self, look: &Look<'_>) -> Vec<Report> {
        let mut told = Told::new(look, NAME);
        let Some(hugepages) = &look.inventory.hugepages else {
            return told.failed(NOT_READ);
        };
        let pools: Vec<&Pool> = hugepages
            .pools
            .iter()
            .filter(|pool| !self.0.ignore.has(&pool.id))
            .collect();
        // The host's pool is the sum of the nodes', where there are nodes.
        let has_nodes = pools.iter().any(|pool| pool.node.is_some());
        for pool in pools.iter().filter(|pool| pool.node.is_some() == has_nodes) {
            used_up(pool, &mut told);
        }
        let asked = look
            .inventory
            .software
            .as_ref()
            .map(|software| asked(software, hugepages));
        for pool in pools.iter().filter(|pool| pool.node.is_none()) {
            if let (Some(asked), Some(total)) = (
                asked
                    .as_ref()
                    .and_then(|asked| asked.get(&pool.size_bytes.0)),
                pool.total,
            ) {
                let entity =
                    told.entity(&[("node", "all"), ("size", &pool.size_bytes.to_string())]);
                told.say(SHORT, &entity)
                    .with("asked for at boot", asked)
                    .with("nr_hugepages", total)
                    .fault(
                        total < *asked,
                        &format!(
                            "fewer huge pages of {} than were asked for at boot",
                            pool.size_bytes
                        ),
                    );
            }
        }
        told.end(look.lists(
            Class::Hugepages,
            &["sys/kernel/mm/hugepages", "sys/devices/system/node"],
        ))
    }
}

/// A pool that has pages, and none that is neither used nor promised.
fn used_up(pool: &Pool, told: &mut Told) {
    let (Some(total), Some(free)) = (pool.total, pool.now.free) else {
        return;
    };
    let node = pool
        .node
        .map_or_else(|| "all".to_owned(), |node| node.to_string());
    let size = pool.size_bytes.to_string();
    let entity = told.entity(&[("node", &node), ("size", &size)]);
    let left = free.saturating_sub(pool.now.reserved.unwrap_or(0));
    told.say(EXHAUSTED, &entity)
        .with("nr_hugepages", total)
        .with("free_hugepages", free)
        .with_some("resv_hugepages", pool.now.reserved)
        .with_some("surplus_hugepages", pool.now.surplus)
        .fault(
            total > 0 && left == 0,
            &format!("huge pages of {size} on node {node} are used up"),
        );
}

/// Pages by size, as the kernel's command line asks for them: `hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=0:256,1:256`.
fn asked(software: &Software, hugepages: &Hugepages) -> BTreeMap<u64, u64> {
    let mut asked = BTreeMap::new();
    let default = software
        .command_line
        .iter()
        .find(|parameter| parameter.name == "default_hugepagesz");
    let default = default.and_then(|parameter| size(parameter.value.as_deref()?));
    let mut of = default.or(hugepages.default_size_bytes.map(|size| size.0));
    for parameter in software
        .command_line
        .iter()
        .filter(|parameter| !parameter.for_init)
    {
        let value = parameter.value.as_deref().unwrap_or_default();
        match parameter.name.as_str() {
            "hugepagesz" => of = size(value),
            "hugepages" => {
                if let (Some(of), Some(count)) = (of, count(value)) {
                    asked.insert(of, count);
                }
            }
            _ => {}
        }
    }
    asked
}

/// `512`, or by node `0:256,1:256`.
fn count(text: &str) -> Option<u64> {
    let one = |part: &str| parse::decimal::<u64>(part.rsplit(':').next()?).ok();
    text.split(',')
        .map(one)
        .try_fold(0_u64, |sum, count| Some(sum.saturating_add(count?)))
}

/// `2M`, `1G`, `65536`: powers of 1024.
fn size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']) {
        Some(digits) => (
            digits,
            match text.as_bytes().last()? {
                b'k' | b'K' => 10,
                b'm' | b'M' => 20,
                _ => 30,
            },
        ),
        None => (text, 0),
    };
    let number: u64 = parse::decimal(digits).ok()?;
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests;
