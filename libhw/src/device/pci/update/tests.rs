use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::inventory::{Class, Inventory, Scope};
use crate::tree::Tree;

/// What happens to the function in a slot of a made-up machine.
#[derive(Clone, Copy, Debug)]
enum Step {
    Plug { slot: u8, damaged: bool },
    Unplug { slot: u8 },
    Bind { slot: u8 },
    Change { slot: u8, revision: u8 },
    MakeVirtual { slot: u8, count: u8 },
}

impl Step {
    fn any() -> impl Strategy<Value = Self> {
        let slot = 1..5_u8;
        prop_oneof![
            3 => (slot.clone(), prop::bool::weighted(0.2))
                .prop_map(|(slot, damaged)| Self::Plug { slot, damaged }),
            2 => slot.clone().prop_map(|slot| Self::Unplug { slot }),
            1 => slot.clone().prop_map(|slot| Self::Bind { slot }),
            1 => (slot.clone(), 0..4_u8).prop_map(|(slot, revision)| Self::Change { slot, revision }),
            1 => (slot, 0..3_u8).prop_map(|(slot, count)| Self::MakeVirtual { slot, count }),
        ]
    }
}

/// A machine with a root port for each slot.
struct Machine(Tree);

impl Machine {
    fn new() -> Self {
        let machine = Self(Tree::new(&[]));
        for slot in 1..5 {
            machine.function(&format!("0000:00:0{slot}.0"), "", false);
            let place = format!("sys/bus/pci/slots/{slot}/address");
            machine.0.write(&place, &format!("0000:0{slot}:00\n"));
        }
        machine
    }

    fn place(&self, path: &str) -> std::path::PathBuf {
        self.0.directory_path().join(path)
    }

    fn has(&self, id: &str) -> bool {
        self.place(&format!("sys/bus/pci/devices/{id}")).exists()
    }

    fn function(&self, id: &str, above: &str, damaged: bool) {
        let path = format!("sys/devices/pci0000:00{above}/{id}");
        let vendor = if damaged { "nobody\n" } else { "0x8086\n" };
        for (name, text) in [
            ("vendor", vendor),
            ("device", "0x10c9\n"),
            ("class", "0x020000\n"),
            ("revision", "0x01\n"),
            ("sriov_totalvfs", "7\n"),
        ] {
            self.0.write(&format!("{path}/{name}"), text);
        }
        let target = format!("../../../devices/pci0000:00{above}/{id}");
        self.0.link(&format!("sys/bus/pci/devices/{id}"), &target);
    }

    fn forget(&self, slot: u8, id: &str) {
        fs::remove_file(self.place(&format!("sys/bus/pci/devices/{id}"))).unwrap();
        fs::remove_dir_all(self.place(&own(slot, id))).unwrap();
    }

    /// Does it, and tells of it as the kernel does.
    fn take(&self, step: Step) -> Vec<Uevent> {
        match step {
            Step::Plug { slot, damaged } if !self.has(&first(slot)) => {
                self.function(&first(slot), &format!("/0000:00:0{slot}.0"), damaged);
                vec![event("add", &first(slot))]
            }
            Step::Unplug { slot } if self.has(&first(slot)) => {
                let mut events = self.take(Step::MakeVirtual { slot, count: 0 });
                self.forget(slot, &first(slot));
                events.push(event("remove", &first(slot)));
                events
            }
            Step::Bind { slot } if self.has(&first(slot)) => {
                let link = format!("{}/driver", own(slot, &first(slot)));
                let _ = fs::remove_file(self.place(&link));
                self.0.link(&link, "../../../../bus/pci/drivers/igb");
                vec![event("bind", &first(slot))]
            }
            Step::Change { slot, revision } if self.has(&first(slot)) => {
                let path = format!("{}/revision", own(slot, &first(slot)));
                self.0.write(&path, &format!("0x0{revision}\n"));
                vec![event("change", &first(slot))]
            }
            Step::MakeVirtual { slot, count } if self.has(&first(slot)) => {
                self.make_virtual(slot, count)
            }
            _ => Vec::new(),
        }
    }

    fn make_virtual(&self, slot: u8, count: u8) -> Vec<Uevent> {
        let mut events = Vec::new();
        for number in 0..3 {
            let id = format!("0000:0{slot}:10.{number}");
            let link = format!("{}/virtfn{number}", own(slot, &first(slot)));
            match (self.has(&id), number < count) {
                (true, false) => {
                    fs::remove_file(self.place(&link)).unwrap();
                    self.forget(slot, &id);
                    events.push(event("remove", &id));
                }
                (false, true) => {
                    self.function(&id, &format!("/0000:00:0{slot}.0"), false);
                    self.0.link(&link, &format!("../{id}"));
                    let back = format!("{}/physfn", own(slot, &id));
                    self.0.link(&back, &format!("../{}", first(slot)));
                    events.push(event("add", &id));
                }
                _ => {}
            }
        }
        events
    }
}

/// The first function of the card in a slot.
fn first(slot: u8) -> String {
    format!("0000:0{slot}:00.0")
}

fn own(slot: u8, id: &str) -> String {
    format!("sys/devices/pci0000:00/0000:00:0{slot}.0/{id}")
}

fn event(action: &str, id: &str) -> Uevent {
    Uevent {
        action: action.to_owned(),
        devpath: format!("/devices/pci0000:00/{id}"),
        subsystem: "pci".to_owned(),
        ..Uevent::default()
    }
}

fn update(inventory: &mut Inventory, machine: &Machine, events: &[Uevent]) {
    let events: Vec<&Uevent> = events.iter().collect();
    inventory.update(Class::Pci, &events, &machine.0.root(), &Scope::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However many steps are told of at once.
    #[test]
    fn what_events_tell_of_and_a_whole_look_are_the_same(bursts in vec(vec(Step::any(), 0..4), 0..8)) {
        let machine = Machine::new();
        let mut inventory = machine.0.discover(Class::Pci);
        for burst in &bursts {
            let events: Vec<Uevent> = burst.iter().flat_map(|step| machine.take(*step)).collect();
            update(&mut inventory, &machine, &events);
            prop_assert_eq!(&inventory, &machine.0.discover(Class::Pci), "{:?}", burst);
        }
    }
}

#[test]
fn only_the_function_that_an_event_names_is_read() {
    let machine = Machine::new();
    machine.take(Step::Plug {
        slot: 1,
        damaged: false,
    });
    let mut inventory = machine.0.discover(Class::Pci);
    // No event tells of the first.
    machine.take(Step::Change {
        slot: 1,
        revision: 3,
    });
    let events = machine.take(Step::Plug {
        slot: 2,
        damaged: false,
    });
    update(&mut inventory, &machine, &events);
    let revisions: Vec<_> = inventory
        .pci
        .iter()
        .flat_map(|pci| &pci.functions)
        .filter(|function| function.parent.is_some())
        .map(|function| (function.slot.as_deref(), function.revision))
        .collect();
    assert_eq!(revisions, [(Some("1"), Some(1)), (Some("2"), Some(1))]);
    update(&mut inventory, &machine, &[event("change", "0000:01:00.0")]);
    assert_eq!(inventory, machine.0.discover(Class::Pci));
}
