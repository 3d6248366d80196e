//! Machines drawn at random, each of which can be built and boots in a few seconds.

use super::{
    Bmc, Cpu, Device, Dimm, Group, HugePages, Interface, Iommu, Machine, Node, Numbers, Route,
    SideCache, Size, Slot,
};

/// At most so many CPUs: each costs the emulator a part of a second.
const CPUS_MAX: u32 = 8;
const NODES_MAX: usize = 4;
const MEMORY_MAX: Size = Size::gib(6);

/// Numbers that choices are made by: 0 is always the plainest choice, so that smaller numbers make a plainer machine.
#[derive(Debug)]
pub struct Dice<I>(I);

impl<I: Iterator<Item = u32>> Dice<I> {
    /// Dice that fall as `numbers` say, and to 0 when there are no more.
    pub const fn new(numbers: I) -> Self {
        Self(numbers)
    }

    /// A number below `count`.
    fn below(&mut self, count: u32) -> u32 {
        self.0.next().unwrap_or(0) % count.max(1)
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most - least + 1)
    }
}

impl Machine {
    /// The machine of a number: the same number makes the same machine.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Self {
            name: format!("random-{seed}"),
            ..Self::drawn(&mut Dice::new(stream(seed)))
        }
    }

    /// The machine that dice make.
    pub fn drawn<I: Iterator<Item = u32>>(dice: &mut Dice<I>) -> Self {
        let cpu = cpu(dice);
        let nodes = if dice.yes() {
            nodes(dice, &cpu)
        } else {
            Vec::new()
        };
        let memory = nodes
            .is_empty()
            .then(|| Size::mib(128 * u64::from(dice.between(4, 12))));
        let routes = if dice.yes() {
            routes(dice, &nodes)
        } else {
            Vec::new()
        };
        let with_cpus = nodes.iter().filter(|node| !node.cpus.is_empty()).count();
        let with_cpus = u32::try_from(with_cpus).unwrap_or(0);
        let several = nodes.len() > 1;
        let mut machine = Self {
            name: "drawn".to_owned(),
            about: "drawn at random".to_owned(),
            memory,
            iommu: [None, Some(Iommu::Intel), Some(Iommu::Virtio)][dice.below(3) as usize],
            devices: (0..dice.below(3))
                .map(|row| device(dice, row, several))
                .collect(),
            slots: (0..dice.below(4))
                .map(|row| slot(dice, row, with_cpus, several))
                .collect(),
            cpu,
            nodes,
            ..Self::default()
        };
        machine.with_caches(dice, routes);
        machine.with_watchdog(dice);
        machine.with_bmc(dice);
        machine.smbios.dimms = (0..dice.below(4)).map(|row| dimm(dice, row)).collect();
        machine
    }

    fn with_caches<I: Iterator<Item = u32>>(&mut self, dice: &mut Dice<I>, routes: Vec<Route>) {
        self.routes = routes;
        if self.routes.is_empty() {
            return;
        }
        for node in &mut self.nodes {
            if dice.below(4) == 3 {
                let size = Size::mib(16 << dice.below(3));
                node.cache = Some(SideCache { size, line: 64 });
            }
        }
    }

    fn with_watchdog<I: Iterator<Item = u32>>(&mut self, dice: &mut Dice<I>) {
        if dice.below(3) == 2 {
            self.devices.push(Device::I6300esb {});
        }
    }

    fn with_bmc<I: Iterator<Item = u32>>(&mut self, dice: &mut Dice<I>) {
        if dice.below(3) < 2 {
            return;
        }
        self.bmc = Some(Bmc {
            interface: if dice.yes() {
                Interface::Bt
            } else {
                Interface::Kcs
            },
            watchdog: dice.yes(),
            ..Bmc::default()
        });
    }
}

fn cpu<I: Iterator<Item = u32>>(dice: &mut Dice<I>) -> Cpu {
    let mut cpu = Cpu {
        sockets: dice.between(1, 3),
        dies: dice.between(1, 2),
        cores: dice.between(1, 3),
        threads: dice.between(1, 2),
        ..Cpu::default()
    };
    while cpu.count() > CPUS_MAX {
        let most = [&mut cpu.cores, &mut cpu.sockets, &mut cpu.dies];
        if let Some(most) = most.into_iter().max_by_key(|count| **count) {
            *most -= 1;
        }
    }
    if dice.below(4) == 3 {
        cpu.model = "max".to_owned();
    }
    let rest = cpu.count() - 1;
    let some = |dice: &mut Dice<I>| -> Numbers {
        let chosen = dice.yes() && rest > 0;
        (1..=rest).filter(|_| chosen && dice.yes()).collect()
    };
    cpu.isolated = some(dice);
    cpu.nohz_full = some(dice);
    cpu
}

/// Nodes of whole sockets or dies, and memory without CPUs.
fn nodes<I: Iterator<Item = u32>>(dice: &mut Dice<I>, cpu: &Cpu) -> Vec<Node> {
    let by = if dice.yes() {
        Group::Die
    } else {
        Group::Socket
    };
    let mut groups = cpu.groups(by);
    if groups.len() > NODES_MAX {
        groups = cpu.groups(Group::Socket);
    }
    let with_cpus = groups.len();
    let more = dice
        .below(3)
        .min(u32::try_from(NODES_MAX - with_cpus).unwrap_or(0)) as usize;
    groups.extend((0..more).map(|_| Numbers::default()));
    let far = dice.yes();
    let count = groups.len();
    let distances: Vec<Vec<u8>> = (0..count)
        .map(|row| {
            let to = |column| if row == column { 10 } else { distance(dice) };
            if far {
                (0..count).map(to).collect()
            } else {
                Vec::new()
            }
        })
        .collect();
    let mut left = MEMORY_MAX.0 >> 20;
    let nodes = groups
        .into_iter()
        .zip(distances)
        .enumerate()
        .map(|(row, (cpus, distances))| {
            let least = if row == 0 { 4 } else { 2 };
            let blocks = u64::from(dice.between(least, 10));
            let memory = 128 * blocks.min(left / 128 - 2 * (count - row - 1) as u64);
            left -= memory;
            let nearest = cpus
                .is_empty()
                .then(|| dice.below(u32::try_from(with_cpus).unwrap_or(1)));
            let of_2m = u64::from(if dice.yes() { dice.below(33) } else { 0 });
            let huge_pages = HugePages { of_2m, of_1g: 0 };
            Node {
                cpus,
                memory: Size::mib(memory),
                distances,
                nearest,
                cache: None,
                huge_pages,
            }
        });
    nodes.collect()
}

fn distance<I: Iterator<Item = u32>>(dice: &mut Dice<I>) -> u8 {
    u8::try_from(dice.between(11, 60)).unwrap_or(20)
}

/// A way from each node with CPUs to each node.
fn routes<I: Iterator<Item = u32>>(dice: &mut Dice<I>, nodes: &[Node]) -> Vec<Route> {
    let alike = dice.below(2) == 0;
    let mut routes = Vec::new();
    for (from, _) in (0..).zip(nodes).filter(|(_, node)| !node.cpus.is_empty()) {
        for (to, _) in (0..).zip(nodes) {
            let own = from == to && alike;
            routes.push(Route {
                from,
                to,
                latency_ns: if own { 100 } else { dice.between(100, 400) },
                bandwidth: Size::gib(if own {
                    100
                } else {
                    u64::from(dice.between(10, 100))
                }),
            });
        }
    }
    routes
}

/// Some device; `row` is the how manieth.
fn device<I: Iterator<Item = u32>>(dice: &mut Dice<I>, row: u32, several_nodes: bool) -> Device {
    match dice.below(if several_nodes { 8 } else { 9 }) {
        0 => Device::Edu {},
        1 => Device::VirtioRng {},
        2 => Device::VirtioNet {
            mac: None,
            aer: false,
        },
        3 => Device::Ivshmem {
            size: Size::mib(1 << dice.below(3)),
        },
        4 => Device::VirtioGpu {},
        5 => Device::Nvme {
            serial: format!("DRAWN{row}-{}", dice.below(1000)),
            size: Size::mib(u64::from(dice.between(1, 64))),
        },
        6 => Device::E1000e { mac: None },
        7 => Device::Igb { mac: None },
        _ => Device::VirtioCrypto {},
    }
}

fn slot<I: Iterator<Item = u32>>(dice: &mut Dice<I>, row: u32, nodes: u32, several: bool) -> Slot {
    let node = dice.below(nodes + 1).checked_sub(1);
    let (device_there, switch_there) = match dice.below(4) {
        0 => (false, false),
        3 => (false, true),
        _ => (true, false),
    };
    let of_no_node = several && node.is_none();
    let plugged = |dice: &mut Dice<I>, place: u32| device(dice, 10 * (row + 1) + place, of_no_node);
    let device = device_there.then(|| plugged(dice, 0));
    let ports = if switch_there { dice.between(1, 3) } else { 0 };
    let switch = (1..=ports).map(|place| {
        let there = dice.yes();
        let device = there.then(|| plugged(dice, place));
        Slot {
            device,
            ..Slot::default()
        }
    });
    Slot {
        node,
        device,
        switch: switch.collect(),
    }
}

fn dimm<I: Iterator<Item = u32>>(dice: &mut Dice<I>, row: u32) -> Dimm {
    let locator = format!("DIMM_{row}");
    if !dice.yes() {
        return Dimm {
            locator,
            ..Dimm::default()
        };
    }
    Dimm {
        locator,
        bank: dice.yes().then(|| format!("BANK {row}")),
        size: Some(Size::gib(1 << dice.below(4))),
        vendor: Some("Lab Memory".to_owned()),
        part: Some(format!("LM-{}", dice.below(100))),
        serial: Some(format!("D{:04}", dice.below(10000))),
        speed_mtps: Some(3200),
        configured_speed_mtps: Some([3200, 2933, 2666][dice.below(3) as usize]),
        ranks: Some(u8::try_from(dice.between(1, 4)).unwrap_or(1)),
    }
}

/// Numbers from a seed: SplitMix64.
fn stream(seed: u64) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from(mixed >> 33).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::machine::Wanted;

    proptest! {
        #[test]
        fn every_machine_that_dice_make_can_be_built_and_read_back(numbers in prop::collection::vec(any::<u32>(), 0..200)) {
            let machine = Machine::drawn(&mut Dice::new(numbers.into_iter()));
            prop_assert_eq!(machine.check(), Ok(()));
            let text = machine.to_toml().expect("a text");
            prop_assert_eq!(Machine::parse(&text).expect(&text), machine.clone());
            prop_assert!(machine.cpu.count() <= CPUS_MAX);
            prop_assert!(machine.memory_bytes() <= MEMORY_MAX, "{}", machine.memory_bytes());
            let facts = machine.expected().facts;
            let plain = facts.iter().filter(|fact| !matches!(fact.wanted, Wanted::Holds(_)));
            let paths: Vec<&str> = plain.map(|fact| fact.path.as_str()).collect();
            let once: BTreeSet<&str> = paths.iter().copied().collect();
            prop_assert_eq!(paths.len(), once.len());
            prop_assert!(!machine.plan(Path::new("/lab")).arguments.is_empty());
        }
    }

    #[test]
    fn without_numbers_the_plainest_machine_is_drawn() {
        let machine = Machine::drawn(&mut Dice::new(std::iter::empty()));
        assert_eq!(machine.cpu.count(), 1);
        assert_eq!(machine.memory, Some(Size::mib(512)));
        assert_eq!(
            (
                machine.devices.len(),
                machine.slots.len(),
                machine.nodes.len()
            ),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_seed_draws_the_same_machine_again_and_another_seed_another() {
        assert_eq!(Machine::random(7), Machine::random(7));
        let names = (0..64).map(|seed| Machine {
            name: "x".to_owned(),
            ..Machine::random(seed)
        });
        let texts: BTreeSet<String> = names
            .map(|machine| machine.to_toml().expect("a text"))
            .collect();
        assert_eq!(texts.len(), 64);
    }
}
