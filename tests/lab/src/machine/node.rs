//! Memory nodes: what CPUs and memory they have, how far they are from each other, and how fast.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cpu::{Cpu, Group, within};
use super::error::{Checked, require, wrong};
use super::expected::{Expected, Wanted};
use super::huge_pages::HugePages;
use super::layout::{BLOCK, Layout};
use super::numbers::Numbers;
use super::plan::Plan;
use super::size::Size;

/// A memory node; its number is its place in the list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// Its CPUs; none for memory alone.
    #[serde(skip_serializing_if = "Numbers::is_empty")]
    pub cpus: Numbers,
    /// Its memory, in whole blocks of 128 MiB.
    pub memory: Size,
    /// How far each node is from it, in order: 10 is the node itself. Without any, others are 20 away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub distances: Vec<u8>,
    /// The node of the CPUs that are next to this memory; of a node with CPUs, itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<u32>,
    /// A cache before its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<SideCache>,
    /// Huge pages that are taken at boot.
    #[serde(skip_serializing_if = "HugePages::is_empty")]
    pub huge_pages: HugePages,
}

/// A cache before a node's memory (ACPI HMAT), direct mapped and written back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideCache {
    /// How large it is.
    pub size: Size,
    /// Bytes of a line.
    pub line: u16,
}

/// How fast the CPUs of one node reach the memory of another (ACPI HMAT).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The node of the CPUs.
    pub from: u32,
    /// The node of the memory.
    pub to: u32,
    /// Nanoseconds for an access.
    pub latency_ns: u32,
    /// Bytes in a second, in whole MiB.
    pub bandwidth: Size,
}

/// The nodes of a machine and the ways between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nodes<'a> {
    pub(super) cpu: &'a Cpu,
    pub(super) nodes: &'a [Node],
    pub(super) routes: &'a [Route],
}

/// Of the kernel's `MEMTIER_ADISTANCE_DRAM` and chunk: memory as fast as the first CPU node's is in the middle of tier 4.
const DRAM_DISTANCE: u64 = 4 * TIER + TIER / 2;
const TIER: u64 = 128;

/// What the guest's kernel keeps of a node's memory for itself: the page structures, and on some node its own text, the
/// bounce buffers and what firmware reserves.
const KEPT: Size = Size::mib(208);

impl Nodes<'_> {
    pub(super) fn check(&self) -> Checked {
        let mut taken = Numbers::default();
        for (row, node) in self.nodes.iter().enumerate() {
            let at = format!("nodes[{row}]");
            within(&node.cpus, self.cpu.count(), &format!("{at}.cpus"))?;
            let twice = node.cpus.0.intersection(&taken.0).next();
            let text = twice.map(|cpu| format!("CPU {cpu} is in an earlier node already"));
            require(
                twice.is_none(),
                format!("{at}.cpus"),
                text.unwrap_or_default(),
            )?;
            taken.0.extend(&node.cpus.0);
            self.check_node(row, node)?;
        }
        let missing = self.cpu.all().0.difference(&taken.0).next().copied();
        let text = missing.map(|cpu| format!("CPU {cpu} is in no node"));
        require(
            missing.is_none() || self.nodes.is_empty(),
            "nodes",
            text.unwrap_or_default(),
        )?;
        self.check_cores()?;
        self.check_distances()?;
        self.check_routes()
    }

    /// QEMU wants a distance for each pair of nodes, one way at least, or none at all.
    fn check_distances(&self) -> Checked {
        let told = |node: &Node| !node.distances.is_empty();
        let silent: Vec<usize> = (0..self.nodes.len())
            .filter(|id| self.nodes.get(*id).is_some_and(|node| !told(node)))
            .collect();
        let [first, second, ..] = silent.as_slice() else {
            return Ok(());
        };
        let text = format!("the distance between nodes {first} and {second} is missing");
        require(
            !self.nodes.iter().any(told),
            format!("nodes[{second}].distances"),
            text,
        )
    }

    fn check_node(&self, row: usize, node: &Node) -> Checked {
        let at = format!("nodes[{row}]");
        let whole = node.memory.0 > 0 && node.memory.is_multiple_of(BLOCK);
        let text = format!(
            "`{}` is not a whole number of blocks of {BLOCK}",
            node.memory
        );
        require(whole, format!("{at}.memory"), text)?;
        if !node.distances.is_empty() {
            let count = self.nodes.len();
            let text = format!("there must be {count} distances, one to each node");
            require(
                node.distances.len() == count,
                format!("{at}.distances"),
                text,
            )?;
            for (to, distance) in node.distances.iter().enumerate() {
                let right = if to == row {
                    *distance == 10
                } else {
                    *distance > 10
                };
                let text = "a node is 10 from itself, and more from any other";
                require(right, format!("{at}.distances"), text)?;
            }
        }
        if let Some(nearest) = node.nearest {
            let near = self.nodes.get(nearest as usize);
            let with_cpus = near.is_some_and(|node| !node.cpus.is_empty());
            let text = format!("node {nearest} is no node with CPUs");
            require(with_cpus, format!("{at}.nearest"), text)?;
            let itself = node.cpus.is_empty() || nearest as usize == row;
            require(
                itself,
                format!("{at}.nearest"),
                "a node with CPUs is nearest to itself",
            )?;
        }
        let cached = node.cache.is_some() && self.routes.is_empty();
        require(
            !cached,
            format!("{at}.cache"),
            "a cache before memory is told only with `routes`",
        )
    }

    fn check_cores(&self) -> Checked {
        for core in self.cpu.groups(Group::Core) {
            for (row, node) in self.nodes.iter().enumerate() {
                let inside = core.0.is_subset(&node.cpus.0) || core.0.is_disjoint(&node.cpus.0);
                let text = format!("the core with CPUs {core} is in more nodes than one");
                require(inside, format!("nodes[{row}].cpus"), text)?;
            }
        }
        Ok(())
    }

    fn check_routes(&self) -> Checked {
        if self.routes.is_empty() {
            return Ok(());
        }
        for (row, route) in self.routes.iter().enumerate() {
            let at = format!("routes[{row}]");
            let from = self.nodes.get(route.from as usize);
            let starts = from.is_some_and(|node| !node.cpus.is_empty());
            require(
                starts,
                format!("{at}.from"),
                format!("node {} is no node with CPUs", route.from),
            )?;
            let ends = (route.to as usize) < self.nodes.len();
            require(
                ends,
                format!("{at}.to"),
                format!("there is no node {}", route.to),
            )?;
            let same = |other: &&Route| (other.from, other.to) == (route.from, route.to);
            let once = self.routes.iter().filter(same).count() == 1;
            require(once, &at, "this way is described more than once")?;
            require(
                route.latency_ns > 0,
                format!("{at}.latency_ns"),
                "it takes some time",
            )?;
            let whole = route.bandwidth.0 > 0 && route.bandwidth.is_multiple_of(Size::mib(1));
            require(
                whole,
                format!("{at}.bandwidth"),
                "a whole number of MiB is needed",
            )?;
        }
        for (to, node) in self.nodes.iter().enumerate() {
            let nearest = self.nearest(to);
            let Some(nearest) = nearest else {
                let text = "with `routes`, a node without CPUs must say which node is nearest";
                return wrong(format!("nodes[{to}].nearest"), text);
            };
            let text = format!("the way from node {nearest} to node {to} is missing");
            require(self.route(to).is_some(), "routes", text)?;
            let fits = node
                .cache
                .as_ref()
                .is_none_or(|cache| cache.line.is_power_of_two());
            require(
                fits,
                format!("nodes[{to}].cache.line"),
                "a line is a power of two",
            )?;
        }
        Ok(())
    }

    /// The node of the CPUs that are next to a node's memory.
    fn nearest(&self, to: usize) -> Option<usize> {
        let node = self.nodes.get(to)?;
        match node.cpus.is_empty() {
            true => node.nearest.map(|nearest| nearest as usize),
            false => Some(to),
        }
    }

    /// The way from the CPUs that are next to a node's memory.
    fn route(&self, to: usize) -> Option<&Route> {
        let from = self.nearest(to)?;
        let is_it = |route: &&Route| (route.from as usize, route.to as usize) == (from, to);
        self.routes.iter().find(is_it)
    }

    pub(super) fn plan(&self, plan: &mut Plan) {
        for (id, node) in self.nodes.iter().enumerate() {
            plan.option(
                "object",
                format!("memory-backend-ram,id=node{id},size={}", node.memory),
            );
            let cpus = node.cpus.runs().into_iter();
            let cpus = cpus.map(|run| format!(",cpus={}-{}", run.start(), run.end()));
            let nearest = self.nearest(id).filter(|_| !self.routes.is_empty());
            let nearest = nearest.map(|nearest| format!(",initiator={nearest}"));
            plan.option(
                "numa",
                format!(
                    "node,nodeid={id},memdev=node{id}{}{}",
                    cpus.collect::<String>(),
                    nearest.unwrap_or_default()
                ),
            );
        }
        for (source, node) in self.nodes.iter().enumerate() {
            for (target, distance) in node.distances.iter().enumerate() {
                plan.option(
                    "numa",
                    format!("dist,src={source},dst={target},val={distance}"),
                );
            }
        }
        for route in self.routes {
            let way = format!("hmat-lb,initiator={},target={}", route.from, route.to);
            let way = format!("{way},hierarchy=memory,data-type=access");
            plan.option(
                "numa",
                format!("{way}-latency,latency={}", route.latency_ns),
            );
            plan.option(
                "numa",
                format!("{way}-bandwidth,bandwidth={}", route.bandwidth),
            );
        }
        for (id, node) in self.nodes.iter().enumerate() {
            if let Some(SideCache { size, line }) = &node.cache {
                let kind = "level=1,associativity=direct,policy=write-back";
                plan.option(
                    "numa",
                    format!("hmat-cache,node-id={id},size={size},{kind},line={line}"),
                );
            }
        }
    }

    /// `more` nodes come after these when the guest brings up memory.
    pub(super) fn expect(&self, expected: &mut Expected, layout: &Layout, more: usize) {
        let all = Numbers::below(u32::try_from(self.nodes.len() + more).unwrap_or(u32::MAX));
        for name in ["possible", "online", "has_memory"] {
            expected.is(format!("numa.{name}"), all.to_string());
        }
        let with_cpus = (0_u32..)
            .zip(self.nodes)
            .filter(|(_, node)| !node.cpus.is_empty());
        let with_cpus: Numbers = with_cpus.map(|(id, _)| id).collect();
        expected.is("numa.has_cpu", with_cpus.to_string());
        expected.rows("numa.nodes", &all.0);
        for (id, node) in self.nodes.iter().enumerate() {
            self.expect_node(expected, id, node);
        }
        for (id, blocks) in layout.blocks().iter().enumerate() {
            expected.is(
                format!("memory.blocks.nodes[{id}].blocks"),
                blocks.to_string(),
            );
        }
        for cpu in self.cpu.all().0 {
            let node = self
                .nodes
                .iter()
                .position(|node| node.cpus.0.contains(&cpu));
            expected.is(format!("cpu.cpus[{cpu}].node"), node);
        }
        // How fast memory behind CXL is, its own tables tell.
        if more == 0 {
            self.expect_tiers(expected);
        }
    }

    fn expect_node(&self, expected: &mut Expected, id: usize, node: &Node) {
        let at = format!("numa.nodes[{id}]");
        expected.is(format!("{at}.cpus"), node.cpus.to_string());
        let least = node.memory.0.saturating_sub(KEPT.0 + node.memory.0 / 32);
        expected.wants(
            format!("{at}.memory_total_bytes"),
            Wanted::Between(least, node.memory.0),
        );
        for to in 0..self.nodes.len() {
            expected.is(format!("{at}.distances.{to}"), self.distance(id, to));
        }
        match self.route(id) {
            Some(route) => self.expect_access(expected, &at, route),
            None => expected.wants(format!("{at}.access"), Wanted::Rows(Vec::new())),
        }
        let Some(cache) = &node.cache else {
            return expected.rows(format!("{at}.memory_side_caches"), [0; 0]);
        };
        let at = format!("{at}.memory_side_caches[level=1]");
        expected.is(format!("{at}.size_bytes"), cache.size.0);
        expected.is(format!("{at}.line_size_bytes"), cache.line);
        expected.is(format!("{at}.indexing"), "direct_mapped");
        expected.is(format!("{at}.write_policy"), "write_back");
    }

    fn expect_access(&self, expected: &mut Expected, at: &str, route: &Route) {
        for class in [0, 1] {
            let at = format!("{at}.access[class={class}]");
            expected.is(format!("{at}.initiators"), route.from.to_string());
            for way in ["read", "write"] {
                expected.is(format!("{at}.{way}_latency_ns"), route.latency_ns);
                expected.is(
                    format!("{at}.{way}_bandwidth_bytes_per_second"),
                    route.bandwidth.0,
                );
            }
        }
    }

    /// Without a distance of its own, a way takes that of the way back.
    fn distance(&self, from: usize, to: usize) -> u8 {
        let told = |from: usize, to: usize| self.nodes.get(from)?.distances.get(to).copied();
        let default = if from == to { 10 } else { 20 };
        told(from, to).or_else(|| told(to, from)).unwrap_or(default)
    }

    fn expect_tiers(&self, expected: &mut Expected) {
        let mut tiers: BTreeMap<u64, Numbers> = BTreeMap::new();
        for id in 0..self.nodes.len() {
            let number = u32::try_from(id).unwrap_or_default();
            tiers.entry(self.tier(id)).or_default().0.insert(number);
        }
        expected.rows("numa.tiers", tiers.keys());
        for (tier, nodes) in &tiers {
            expected.is(format!("numa.tiers[{tier}].nodes"), nodes.to_string());
            for node in &nodes.0 {
                expected.is(format!("numa.nodes[{node}].tier"), *tier);
            }
        }
    }

    /// The kernel's number of a node's memory tier: memory without CPUs by how much slower it is than the first CPU node's
    /// (`mt_perf_to_adistance` in mm/memory-tiers.c).
    fn tier(&self, id: usize) -> u64 {
        let with_cpus = |node: &Node| !node.cpus.is_empty();
        let near = self.nodes.get(id).is_none_or(with_cpus);
        let first = self
            .nodes
            .iter()
            .position(with_cpus)
            .and_then(|id| self.route(id));
        let (Some(first), Some(route), false) = (first, self.route(id), near) else {
            return DRAM_DISTANCE / TIER;
        };
        if !self.dram_is_alike(first) {
            return DRAM_DISTANCE / TIER;
        }
        let (latency, bandwidth) = (u64::from(route.latency_ns), route.bandwidth.0 >> 20);
        let slower = DRAM_DISTANCE * latency / u64::from(first.latency_ns);
        slower * (first.bandwidth.0 >> 20) / bandwidth / TIER
    }

    /// Whether all nodes with CPUs are as fast as the first, to a tenth; else the kernel compares with none.
    fn dram_is_alike(&self, first: &Route) -> bool {
        let near = |told: u64, of: u64| told.abs_diff(of) * 10 <= of;
        let with_cpus = (0..self.nodes.len()).filter(|id| {
            self.nodes
                .get(*id)
                .is_some_and(|node| !node.cpus.is_empty())
        });
        with_cpus.filter_map(|id| self.route(id)).all(|route| {
            near(route.latency_ns.into(), first.latency_ns.into())
                && near(route.bandwidth.0 >> 20, first.bandwidth.0 >> 20)
        })
    }
}
