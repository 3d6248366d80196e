//! CPUs: what they are, how they are made up, their caches, frequencies and weaknesses.

use std::collections::{BTreeMap, BTreeSet};

use libhw::device::cpu::{Cache, CacheKind, Cpu, Group, Model, VulnerabilityState};
use libhw::idset::IdSet;
use libhw::inventory::Inventory;
use libhw::units::Bytes;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{counted, joined, plural, some, yes};

mod frequency;
mod threads;

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(cpu) = &inventory.cpu else {
        return;
    };
    page.title("CPU");
    page.table(&facts(cpu, detail));
    page.table(&caches(cpu));
    page.table(&frequency::table(cpu));
    if detail {
        page.table(&vulnerabilities(cpu));
        page.table(&threads::table(cpu));
    }
}

/// How many of what.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let cpu = inventory.cpu.as_ref()?;
    let online = cpu.cpus.iter().filter(|cpu| cpu.online).count();
    let offline = cpu.offline.as_ref().map_or(0, IdSet::len);
    let count = |count: usize, noun: &str| (count > 0).then(|| plural(count, noun));
    let names: Vec<String> = models(cpu).into_keys().collect();
    let parts = [
        count(online, "CPU"),
        (offline > 0).then(|| format!("{offline} offline")),
        count(cpu.packages.len(), "package"),
        count(cpu.dies.len(), "die"),
        count(cpu.cores.len(), "core"),
        some(names.join(", ")),
    ];
    some(joined(parts, ", "))
}

fn facts(cpu: &Cpu, detail: bool) -> Table {
    let mut facts = Table::facts();
    let models = models(cpu);
    for (name, cpus) in &models {
        let cpus = (models.len() > 1).then(|| format!("cpus {}", counted(cpus)));
        facts.fact("Model", joined([Some(name.clone()), cpus], ", "));
    }
    facts.fact("Made up of", made_up_of(cpu));
    for kind in &cpu.kinds {
        let capacity = kind.capacity.map(|capacity| format!("capacity {capacity}"));
        let parts = [
            kind.name.clone(),
            capacity,
            Some(format!("cpus {}", counted(&kind.cpus))),
        ];
        facts.fact("Kind", joined(parts, ", "));
    }
    sets(cpu, &mut facts);
    facts.fact("SMT", smt(cpu));
    facts.fact("Boost", cpu.boost.map(yes).unwrap_or_default());
    if detail {
        for (name, words) in words_of_models(cpu) {
            facts.fact(name, words);
        }
    } else {
        weaknesses(cpu, &mut facts);
    }
    facts
}

/// The models by name: those that differ in something else, such as a flag, share one.
fn models(cpu: &Cpu) -> BTreeMap<String, IdSet> {
    let mut models: BTreeMap<String, IdSet> = BTreeMap::new();
    for one in &cpu.models {
        let cpus = models.entry(model(one)).or_default();
        *cpus = cpus.union(&one.cpus);
    }
    models
}

/// `AMD EPYC 7451 24-Core Processor, AuthenticAMD family 23 model 1 stepping 2, microcode 0x8001227`.
fn model(model: &Model) -> String {
    let said =
        |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {value}"));
    let number = [
        model.vendor.clone(),
        said("family", &model.family),
        said("model", &model.model),
        said("stepping", &model.stepping),
    ];
    let number = Some(joined(number, " ")).filter(|number| !number.is_empty());
    joined(
        [
            model.name.clone(),
            number,
            said("microcode", &model.microcode),
        ],
        ", ",
    )
}

/// The flags and bugs that every model has, and of each model what it has beyond.
fn words_of_models(cpu: &Cpu) -> Vec<(&'static str, String)> {
    type Words = fn(&Model) -> &Vec<String>;
    let kinds: [(&'static str, Words); 2] =
        [("Flags", |one| &one.flags), ("Bugs", |one| &one.bugs)];
    let mut told = Vec::new();
    for (name, words) in kinds {
        let of = |one| {
            words(one)
                .iter()
                .map(String::as_str)
                .collect::<BTreeSet<_>>()
        };
        let mut sets = cpu.models.iter().map(of);
        let first = sets.next().unwrap_or_default();
        let shared = sets.fold(first, |shared, set| &shared & &set);
        told.push((name, shared.iter().copied().collect::<Vec<_>>().join(" ")));
        for one in &cpu.models {
            let own = &of(one) - &shared;
            if !own.is_empty() {
                let own = own.into_iter().collect::<Vec<_>>().join(" ");
                told.push((name, format!("{own} on cpus {}", counted(&one.cpus))));
            }
        }
    }
    told
}

/// `2 packages × 4 dies × 6 cores × 2 threads = 96 cpus` where each is made up of the same number of the
/// next; else the plain counts.
fn made_up_of(cpu: &Cpu) -> String {
    let levels: [(&str, &[Group]); 6] = [
        ("drawer", &cpu.drawers),
        ("book", &cpu.books),
        ("package", &cpu.packages),
        ("die", &cpu.dies),
        ("cluster", &cpu.clusters),
        ("core", &cpu.cores),
    ];
    let levels: Vec<_> = levels
        .into_iter()
        .filter(|(_, groups)| !groups.is_empty())
        .collect();
    let online = cpu.cpus.iter().filter(|thread| thread.online).count();
    if levels.is_empty() {
        return if online == 0 {
            String::new()
        } else {
            plural(online, "cpu")
        };
    }
    let total = plural(online, "cpu");
    factors(&levels, online).map_or_else(
        || {
            let counts = levels
                .iter()
                .map(|(name, groups)| Some(plural(groups.len(), name)));
            joined(counts.chain([Some(total.clone())]), ", ")
        },
        |factors| format!("{} = {total}", factors.join(" × ")),
    )
}

/// How many of each are in one of the level above, if that is the same everywhere: then all groups of a
/// level have the same number of CPUs, and together all of them.
fn factors(levels: &[(&str, &[Group])], online: usize) -> Option<Vec<String>> {
    let mut above = online;
    let mut factors = Vec::new();
    for (name, groups) in levels {
        let size = groups.first()?.cpus.len();
        let even = groups.iter().all(|group| group.cpus.len() == size);
        if !even || size == 0 || size * groups.len() != online || !above.is_multiple_of(size) {
            return None;
        }
        factors.push(plural(above / size, name));
        above = size;
    }
    factors.push(plural(above, "thread"));
    Some(factors)
}

/// The sets that say something: those that are just all CPUs don't.
fn sets(cpu: &Cpu, facts: &mut Table) {
    let online = cpu.online.as_ref();
    let other = |set: &Option<IdSet>| {
        set.as_ref()
            .filter(|set| Some(*set) != online && !set.is_empty())
            .map(counted)
    };
    facts.fact("Online", online.map(counted).unwrap_or_default());
    if let Some(text) = other(&cpu.offline) {
        facts.fact("Offline", Cell::new(text, Paint::Warning));
    }
    for (name, set) in [
        ("Possible", &cpu.possible),
        ("Present", &cpu.present),
        ("Isolated", &cpu.isolated),
        ("No tick", &cpu.nohz_full),
    ] {
        facts.fact(name, other(set).unwrap_or_default());
    }
}

fn smt(cpu: &Cpu) -> String {
    let active = cpu
        .smt_active
        .map(|active| if active { "active" } else { "not active" });
    let control = cpu
        .smt_control
        .as_deref()
        .map(|control| format!("control {control}"));
    joined([active.map(str::to_owned), control], ", ")
}

fn caches(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[
        Column::Left("cache"),
        Column::Right("count"),
        Column::Right("size"),
        Column::Right("in all"),
        Column::Right("cpus each"),
        Column::Right("ways"),
        Column::Right("line"),
    ]);
    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
    for cache in &cpu.caches {
        *groups.entry(Alike::of(cache)).or_default() += 1;
    }
    for (alike, count) in groups {
        let all = |size: Bytes| Bytes(size.0.saturating_mul(count as u64));
        table.row([
            alike.name.into(),
            count.to_string().into(),
            Cell::of(alike.size.as_ref()),
            Cell::of(alike.size.map(all).as_ref()),
            Cell::of(Some(alike.cpus).filter(|cpus| *cpus > 0).as_ref()),
            ways(alike.ways).into(),
            Cell::of(alike.line.as_ref()),
        ]);
    }
    table
}

/// What caches of one row have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    level: u32,
    name: String,
    size: Option<Bytes>,
    cpus: usize,
    ways: Option<u32>,
    line: Option<Bytes>,
}

impl Alike {
    fn of(cache: &Cache) -> Self {
        let kind = match cache.kind {
            CacheKind::Data => "d",
            CacheKind::Instruction => "i",
            CacheKind::Unified => "",
        };
        Self {
            level: cache.level,
            name: format!("L{}{kind}", cache.level),
            size: cache.size_bytes,
            cpus: cache.cpus.len(),
            ways: cache.ways,
            line: cache.line_size_bytes,
        }
    }
}

fn ways(ways: Option<u32>) -> String {
    match ways {
        None => String::new(),
        Some(0) => "full".to_owned(),
        Some(ways) => ways.to_string(),
    }
}

/// The states, worst first.
const STATES: [(VulnerabilityState, &str, Paint); 4] = [
    (VulnerabilityState::Vulnerable, "Vulnerable", Paint::Bad),
    (VulnerabilityState::Unknown, "Unknown", Paint::Warning),
    (VulnerabilityState::Mitigated, "Mitigated", Paint::Plain),
    (
        VulnerabilityState::NotAffected,
        "Not affected",
        Paint::Faint,
    ),
];

fn weaknesses(cpu: &Cpu, facts: &mut Table) {
    for (state, name, paint) in STATES {
        let of_state = cpu.vulnerabilities.iter().filter(|one| one.state == state);
        let names = joined(of_state.map(|one| Some(one.id.as_str())), ", ");
        facts.fact(name, Cell::new(names, paint));
    }
}

fn vulnerabilities(cpu: &Cpu) -> Table {
    let mut table = Table::new(&[Column::Left("vulnerability"), Column::Wrap("state")]);
    for one in &cpu.vulnerabilities {
        let paint = STATES.iter().find(|(state, _, _)| *state == one.state);
        let paint = paint.map_or(Paint::Plain, |(_, _, paint)| *paint);
        table.row([one.id.as_str().into(), Cell::new(&one.text, paint)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use libhw::device::cpu::Thread;

    use super::*;

    fn groups(lists: &[&str]) -> Vec<Group> {
        let group = |list: &&str| Group {
            cpus: list.parse().unwrap(),
            ..Group::default()
        };
        lists.iter().map(group).collect()
    }

    fn threads(count: u32) -> Vec<Thread> {
        let thread = |id| Thread {
            id,
            online: true,
            ..Thread::default()
        };
        (0..count).map(thread).collect()
    }

    #[test]
    fn an_even_machine_is_told_as_a_product() {
        let mut cpu = Cpu {
            packages: groups(&["0-3", "4-7"]),
            dies: groups(&["0-3", "4-7"]),
            cores: groups(&["0-1", "2-3", "4-5", "6-7"]),
            cpus: threads(8),
            ..Cpu::default()
        };
        assert_eq!(
            made_up_of(&cpu),
            "2 packages × 1 die × 2 cores × 2 threads = 8 cpus"
        );
        cpu.cores = groups(&["0", "1", "2-3", "4-5", "6-7"]);
        assert_eq!(made_up_of(&cpu), "2 packages, 2 dies, 5 cores, 8 cpus");
        cpu.packages = groups(&["0-3"]);
        assert_eq!(made_up_of(&cpu), "1 package, 2 dies, 5 cores, 8 cpus");
    }

    #[test]
    fn flags_that_every_model_has_are_told_once() {
        let model = |cpus: &str, flags: &[&str]| Model {
            cpus: cpus.parse().unwrap(),
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            ..Model::default()
        };
        let cpu = Cpu {
            models: vec![model("0-3", &["avx", "fpu"]), model("4", &["fpu"])],
            ..Cpu::default()
        };
        assert_eq!(
            words_of_models(&cpu),
            [
                ("Flags", "fpu".to_owned()),
                ("Flags", "avx on cpus 0-3 (4)".to_owned()),
                ("Bugs", String::new()),
            ]
        );
    }

    #[test]
    fn a_machine_that_says_nothing_of_itself_is_told_by_its_cpus() {
        let mut cpu = Cpu::default();
        assert_eq!(made_up_of(&cpu), "");
        cpu.cpus = threads(2);
        assert_eq!(made_up_of(&cpu), "2 cpus");
        cpu.cores = groups(&[""]);
        assert_eq!(made_up_of(&cpu), "1 core, 2 cpus");
    }
}
