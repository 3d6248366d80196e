//! Caches, from `cpuN/cache` (`Documentation/ABI/testing/sysfs-devices-system-cpu`).
//!
//! Each cache is read once, from its lowest CPU. What a cache is beyond its size and its CPUs (level, type,
//! line, ways, sets) is read once for each design: CPUs of one model and kind whose caches have the same
//! sizes in the same places have the same caches. Sizes are read one by one, since caches of one design do
//! come in several (a die with stacked cache beside one without). Which places there are is listed once for a
//! design too, and again for a CPU that has one less or one more.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::{Cache, CacheKind, Group, fitting, of_cpu, resctrl, set};
use crate::idset::IdSet;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// The caches of the `online` CPUs, which form `cores`; `design` says which CPUs are of one design.
pub(super) fn read<D: Copy + Eq + Hash>(
    survey: &Survey<'_>,
    online: &IdSet,
    cores: &[Group],
    design: impl Fn(u32) -> D,
) -> Vec<Cache> {
    let mut reader = Reader {
        survey,
        numbered: resctrl::is_mounted(survey),
        online,
        cores,
        places: BTreeMap::new(),
        listed: HashMap::new(),
        shapes: HashMap::new(),
        done: IdSet::new(),
    };
    for cpu in online.iter() {
        if !reader.done.contains(cpu) {
            reader.read(cpu, design(cpu));
        }
    }
    let places = reader
        .places
        .into_values()
        .flat_map(|place| place.instances);
    places.filter_map(Instance::cache).collect()
}

/// The caches that are told for every core alike, made one for each.
pub(super) fn of_each_core(cores: &[Group], caches: &[Cache]) -> Vec<Cache> {
    let of_core = |core: &Group| {
        let cpus = core.cpus.clone();
        caches.iter().cloned().map(move |cache| Cache {
            cpus: cpus.clone(),
            ..cache
        })
    };
    cores.iter().flat_map(of_core).collect()
}

/// The caches that sparc tells as attributes of the CPU itself (`arch/sparc/kernel/sysfs.c`). It doesn't say
/// who shares them: a core is the least that does.
pub(super) fn of_sparc(survey: &Survey<'_>, cores: &[Group]) -> Vec<Cache> {
    const FILES: [(&str, u32, CacheKind); 3] = [
        ("l1_dcache", 1, CacheKind::Data),
        ("l1_icache", 1, CacheKind::Instruction),
        ("l2_cache", 2, CacheKind::Unified),
    ];
    let mut caches = Vec::new();
    for core in cores {
        for (name, level, kind) in FILES {
            let bytes = |what| {
                let path = of_cpu(core.id, format_args!("{name}_{what}"));
                survey.value(&path, parse::size)
            };
            let Some(size) = bytes("size") else {
                break;
            };
            caches.push(Cache {
                level,
                kind,
                size_bytes: Some(size),
                line_size_bytes: bytes("line_size"),
                cpus: core.cpus.clone(),
                ..Cache::default()
            });
        }
        if caches.is_empty() {
            break;
        }
    }
    caches
}

/// A table of caches: sorted, named, and so that a CPU has one cache of a level and type. Of two that
/// overlap the one with the lower CPU keeps what both claim.
pub(super) fn table(mut caches: Vec<Cache>) -> Vec<Cache> {
    caches.sort_by(|a, b| (a.level, a.kind, &a.cpus).cmp(&(b.level, b.kind, &b.cpus)));
    let mut placed: BTreeMap<(u32, CacheKind), IdSet> = BTreeMap::new();
    caches.retain_mut(|cache| {
        let unplaced = cache.cpus.is_empty();
        let placed = placed.entry((cache.level, cache.kind)).or_default();
        cache.cpus = cache.cpus.difference(placed);
        *placed = placed.union(&cache.cpus);
        unplaced || !cache.cpus.is_empty()
    });
    for cache in &mut caches {
        let letter = match cache.kind {
            CacheKind::Data => "d",
            CacheKind::Instruction => "i",
            CacheKind::Unified => "",
        };
        cache.id = match cache.cpus.first() {
            Some(cpu) => format!("L{}{letter}.{cpu}", cache.level),
            None => format!("L{}{letter}", cache.level),
        };
    }
    caches
}

/// The caches at one place, `cache/indexN`, of all CPUs.
#[derive(Debug, Default)]
struct Place {
    instances: Vec<Instance>,
    cpus: IdSet,
}

/// A cache.
#[derive(Debug)]
struct Instance {
    size: Option<Bytes>,
    kernel_id: Option<u64>,
    cpus: IdSet,
    shape: Option<Shape>,
}

/// What the caches at one place of one design have in common.
#[derive(Clone, Copy, Debug)]
struct Shape {
    level: u32,
    kind: CacheKind,
    line_size: Option<Bytes>,
    ways: Option<u32>,
    sets: Option<u32>,
    /// Whether the kernel numbers them, which depends on the architecture and the firmware.
    numbered: bool,
}

impl Instance {
    /// Gives it its shape if it has none yet, and then reads what only that tells to be there.
    fn describe(&mut self, survey: &Survey<'_>, cpu: u32, index: u32, shape: Option<Shape>) {
        if self.shape.is_none() {
            self.shape = shape;
            let numbered = shape.is_some_and(|shape| shape.numbered);
            self.kernel_id = numbered.then(|| kernel_id(survey, cpu, index)).flatten();
        }
    }

    fn cache(self) -> Option<Cache> {
        let shape = self.shape?;
        Some(Cache {
            id: String::new(),
            level: shape.level,
            kind: shape.kind,
            size_bytes: self.size,
            line_size_bytes: shape.line_size,
            ways: shape.ways,
            sets: shape.sets,
            kernel_id: self.kernel_id,
            cpus: self.cpus,
        })
    }
}

/// The size of a cache at each place of a CPU.
type Sizes = Vec<(u32, Option<Bytes>)>;

struct Reader<'a, D> {
    survey: &'a Survey<'a>,
    /// Whether anything names caches by the kernel's numbers; on a large machine these are every sixth file.
    numbered: bool,
    online: &'a IdSet,
    cores: &'a [Group],
    places: BTreeMap<u32, Place>,
    /// The places that the last CPU of a design had when they were listed.
    listed: HashMap<D, Vec<u32>>,
    shapes: HashMap<(D, Sizes), Vec<Option<Shape>>>,
    /// The CPUs that share every cache of one that was read.
    done: IdSet,
}

/// Where a cache of a CPU stands: its place, and which of that place's instances it is.
type Found = (u32, usize);

impl<D: Copy + Eq + Hash> Reader<'_, D> {
    fn read(&mut self, cpu: u32, design: D) {
        let found = self.find(cpu, design);
        let mut sizes = Sizes::new();
        let mut shared = self.online.clone();
        for (index, at) in &found {
            if let Some(instance) = self
                .places
                .get(index)
                .and_then(|place| place.instances.get(*at))
            {
                sizes.push((*index, instance.size));
                shared = shared.intersection(&instance.cpus);
            }
        }
        if found.is_empty() {
            return;
        }
        // Who shares all caches of a CPU has no others, unless that CPU's first ones are missing.
        if gapless(found.iter().map(|(index, _)| *index)) {
            self.done = self.done.union(&shared);
        }
        let shapes = self.shapes.entry((design, sizes)).or_insert_with(|| {
            let shape = |(index, _): &Found| shape(self.survey, self.numbered, cpu, *index);
            found.iter().map(shape).collect()
        });
        for ((index, at), shape) in found.iter().zip(shapes) {
            let place = self.places.get_mut(index);
            if let Some(instance) = place.and_then(|place| place.instances.get_mut(*at)) {
                instance.describe(self.survey, cpu, *index, *shape);
            }
        }
    }

    /// The caches of a CPU, at the places of the last CPU of its design if it has these and not one more.
    fn find(&mut self, cpu: u32, design: D) -> Vec<Found> {
        if let Some(places) = self.listed.get(&design).cloned() {
            let found: Vec<Found> = self.found(cpu, &places).collect();
            let next = places.last().map_or(0, |last| last.saturating_add(1));
            let more = self.survey.raw(&attribute(cpu, next, "level")).is_some();
            // Places with a gap are a machine's own; of these every CPU is asked.
            if gapless(places.iter().copied()) && found.len() == places.len() && !more {
                return found;
            }
        }
        let places = self.survey.numbered(&of_cpu(cpu, "cache"), "index");
        let found = self.found(cpu, &places).collect();
        self.listed.insert(design, places);
        found
    }

    /// The caches that a CPU has at these places, read if they are not known from another CPU.
    fn found(&mut self, cpu: u32, places: &[u32]) -> impl Iterator<Item = Found> {
        places.iter().filter_map(move |index| {
            let place = self.places.entry(*index).or_default();
            let known = place.find(cpu);
            let at =
                known.or_else(|| place.add(self.survey, (self.online, self.cores), cpu, *index))?;
            Some((*index, at))
        })
    }
}

impl Place {
    /// Where the cache of `cpu` stands, if it is known from another CPU.
    fn find(&self, cpu: u32) -> Option<usize> {
        let mut instances = self.instances.iter();
        let known = self.cpus.contains(cpu);
        known.then(|| instances.rposition(|instance| instance.cpus.contains(cpu)))?
    }

    /// Reads the cache of `cpu`; there is none if neither its CPUs nor its size are told.
    fn add(
        &mut self,
        survey: &Survey<'_>,
        (online, cores): (&IdSet, &[Group]),
        cpu: u32,
        index: u32,
    ) -> Option<usize> {
        let path = |name: &str| attribute(cpu, index, name);
        let sets = ["shared_cpu_map", "shared_cpu_list"].into_iter();
        let sets = sets.filter_map(|name| set(survey, &path(name)));
        // Some ia64 kernels print an empty set.
        let sets = sets
            .map(|cpus| cpus.intersection(online))
            .filter(|cpus| !cpus.is_empty());
        let told = fitting(sets, cpu, &self.cpus);
        let size = bytes(survey, &path("size"));
        if told.is_none() && size.is_none() {
            return None;
        }
        // The threads of a core share all its caches: that is the least that is known.
        let core = || {
            cores
                .iter()
                .map(|core| &core.cpus)
                .find(|cpus| cpus.contains(cpu))
        };
        let cpus = told.or_else(|| core().map(|cpus| cpus.difference(&self.cpus)));
        let cpus = cpus.unwrap_or_else(|| IdSet::from_iter([cpu]));
        self.cpus = self.cpus.union(&cpus);
        self.instances.push(Instance {
            size,
            kernel_id: None,
            cpus,
            shape: None,
        });
        Some(self.instances.len() - 1)
    }
}

/// Whether places count up from the first one.
fn gapless(places: impl Iterator<Item = u32>) -> bool {
    places
        .enumerate()
        .all(|(count, place)| u32::try_from(count) == Ok(place))
}

fn attribute(cpu: u32, index: u32, name: &str) -> String {
    of_cpu(cpu, format_args!("cache/index{index}/{name}"))
}

/// A size; old kernels write 0 for one that they don't know.
fn bytes(survey: &Survey<'_>, path: &str) -> Option<Bytes> {
    survey
        .value(path, parse::size)
        .filter(|size| *size != Bytes(0))
}

fn kernel_id(survey: &Survey<'_>, cpu: u32, index: u32) -> Option<u64> {
    survey.value(&attribute(cpu, index, "id"), parse::decimal)
}

/// `None` for what has no level or no type: it is no cache.
fn shape(survey: &Survey<'_>, numbered: bool, cpu: u32, index: u32) -> Option<Shape> {
    let path = |name: &str| attribute(cpu, index, name);
    let level = survey.value(&path("level"), parse::decimal)?;
    let kind = survey.text(&path("type"))?;
    Some(Shape {
        level,
        kind: CacheKind::of(&kind)?,
        line_size: bytes(survey, &path("coherency_line_size")),
        ways: survey.value(&path("ways_of_associativity"), parse::decimal),
        sets: survey.value(&path("number_of_sets"), parse::decimal),
        numbered: numbered && kernel_id(survey, cpu, index).is_some(),
    })
}
