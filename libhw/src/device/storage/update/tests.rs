use std::fs;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::inventory::{Class, Inventory, Scope};
use crate::tree::Tree;

/// What happens to the drives of a made-up machine. The last two controllers are of one subsystem.
#[derive(Clone, Copy, Debug)]
enum Step {
    Plug { controller: u8 },
    Unplug { controller: u8 },
    Firmware { controller: u8, version: u8 },
    Attach { controller: u8, damaged: bool },
    Detach { controller: u8 },
    Divide { controller: u8, number: u8 },
    Map { controller: u8 },
    Unmap { controller: u8 },
}

impl Step {
    fn any() -> impl Strategy<Value = Self> {
        let one = || 0..4_u8;
        prop_oneof![
            3 => one().prop_map(|controller| Self::Plug { controller }),
            1 => one().prop_map(|controller| Self::Unplug { controller }),
            1 => (one(), 0..4_u8)
                .prop_map(|(controller, version)| Self::Firmware { controller, version }),
            3 => (one(), prop::bool::weighted(0.2))
                .prop_map(|(controller, damaged)| Self::Attach { controller, damaged }),
            1 => one().prop_map(|controller| Self::Detach { controller }),
            2 => (one(), 1..12_u8).prop_map(|(controller, number)| Self::Divide { controller, number }),
            1 => one().prop_map(|controller| Self::Map { controller }),
            1 => one().prop_map(|controller| Self::Unmap { controller }),
        ]
    }
}

struct Machine(Tree);

impl Machine {
    fn new() -> Self {
        Self(Tree::new(&[
            ("sys/block/sda/size", "1000\n"),
            ("sys/block/sda/dev", "8:0\n"),
            ("sys/block/sda/sda1/partition", "1\n"),
        ]))
    }

    fn place(&self, path: &str) -> PathBuf {
        self.0.directory_path().join(path)
    }

    fn has(&self, path: &str) -> bool {
        self.place(path).exists()
    }

    fn write(&self, folder: &str, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.0.write(&format!("{folder}/{name}"), text);
        }
    }

    fn forget(&self, links: &[String], folder: &str) {
        for link in links {
            fs::remove_file(self.place(link)).unwrap();
        }
        fs::remove_dir_all(self.place(folder)).unwrap();
    }

    /// Does it, and tells of it as the kernel does.
    fn take(&self, step: Step) -> Vec<Uevent> {
        match step {
            Step::Plug { controller } if !self.has(&drive(controller)) => self.plug(controller),
            Step::Unplug { controller } if self.has(&drive(controller)) => self.unplug(controller),
            Step::Firmware {
                controller,
                version,
            } if self.has(&drive(controller)) => {
                let text = format!("{version}\n");
                self.write(&drive(controller), &[("firmware_rev", &text)]);
                vec![event("change", "nvme", &drive(controller))]
            }
            Step::Attach {
                controller,
                damaged,
            } if self.has(&drive(controller)) => self.attach(controller, damaged),
            Step::Detach { controller } if self.has(&disk(controller)) => self.detach(controller),
            Step::Divide { controller, number } if self.has(&disk(controller)) => {
                let part = format!("{}/{}p{number}", disk(controller), name(controller));
                let text = format!("{number}\n");
                self.write(&part, &[("partition", &text), ("size", "8\n")]);
                vec![Uevent {
                    devtype: Some("partition".to_owned()),
                    ..event("add", "block", &part)
                }]
            }
            Step::Map { controller } if self.has(&disk(controller)) => self.map(controller),
            Step::Unmap { controller } if self.has(&mapped(controller)) => self.unmap(controller),
            _ => Vec::new(),
        }
    }

    fn plug(&self, controller: u8) -> Vec<Uevent> {
        let (own, of_all) = (drive(controller), subsystem(controller));
        let nqn = format!("nqn.{of_all}\n");
        self.write(
            &own,
            &[("model", "M\n"), ("state", "live\n"), ("subsysnqn", &nqn)],
        );
        let link = format!("sys/class/nvme/nvme{controller}");
        self.0.link(&link, &format!("../../../{own}"));
        let mut events = vec![event("add", "nvme", &own)];
        if !self.has(&of_all) {
            self.write(&of_all, &[("subsysnqn", &nqn)]);
            self.0
                .link(&class_of(&of_all), &format!("../../../{of_all}"));
            events.push(event("add", "nvme-subsystem", &of_all));
        }
        self.0.link(
            &format!("{of_all}/nvme{controller}"),
            &format!("../../../../../{own}"),
        );
        events
    }

    fn unplug(&self, controller: u8) -> Vec<Uevent> {
        let (own, of_all) = (drive(controller), subsystem(controller));
        fs::remove_file(self.place(&format!("{of_all}/nvme{controller}"))).unwrap();
        let other = controller ^ 1;
        let is_shared = controller > 1 && self.has(&drive(other));
        let mut events = if is_shared {
            Vec::new()
        } else {
            self.take(Step::Detach { controller })
        };
        self.forget(&[format!("sys/class/nvme/nvme{controller}")], &own);
        events.push(event("remove", "nvme", &own));
        if !is_shared {
            self.forget(&[class_of(&of_all)], &of_all);
            events.push(event("remove", "nvme-subsystem", &of_all));
        }
        events
    }

    fn attach(&self, controller: u8, damaged: bool) -> Vec<Uevent> {
        let (own, name) = (disk(controller), name(controller));
        let is_new = !self.has(&own);
        let size = if damaged { "many\n" } else { "4096\n" };
        let number = format!("259:{controller}\n");
        self.write(
            &own,
            &[
                ("size", size),
                ("dev", &number),
                ("nsid", "1\n"),
                ("queue/rotational", "0\n"),
            ],
        );
        if !is_new {
            return vec![event("change", "block", &own)];
        }
        self.0
            .link(&format!("sys/block/{name}"), &format!("../../{own}"));
        self.0.link(
            &format!("sys/class/block/{name}"),
            &format!("../../../{own}"),
        );
        self.0.link(&format!("{own}/device"), "..");
        let bdi = format!("devices/virtual/bdi/259:{controller}");
        vec![event("add", "bdi", &bdi), event("add", "block", &own)]
    }

    fn detach(&self, controller: u8) -> Vec<Uevent> {
        let mut events = self.take(Step::Unmap { controller });
        let (own, name) = (disk(controller), name(controller));
        let links = [
            format!("sys/block/{name}"),
            format!("sys/class/block/{name}"),
        ];
        self.forget(&links, &own);
        events.push(event("remove", "block", &own));
        events
    }

    fn map(&self, controller: u8) -> Vec<Uevent> {
        let (own, name) = (mapped(controller), name(controller));
        self.write(
            &own,
            &[
                ("size", "4096\n"),
                ("dm/name", "m\n"),
                (&format!("slaves/{name}/x"), ""),
            ],
        );
        let holder = format!("{}/holders/dm-{controller}/x", disk(controller));
        self.0.write(&holder, "");
        vec![event("change", "block", &own)]
    }

    fn unmap(&self, controller: u8) -> Vec<Uevent> {
        self.forget(&[], &mapped(controller));
        self.forget(&[], &format!("{}/holders", disk(controller)));
        vec![event("remove", "block", &mapped(controller))]
    }
}

fn drive(controller: u8) -> String {
    format!("sys/devices/pci0000:00/0000:0{controller}:00.0/nvme/nvme{controller}")
}

fn subsystem(controller: u8) -> String {
    format!(
        "sys/devices/virtual/nvme-subsystem/nvme-subsys{}",
        controller.min(2)
    )
}

fn class_of(subsystem: &str) -> String {
    format!(
        "sys/class/nvme-subsystem/{}",
        subsystem.rsplit('/').next().unwrap()
    )
}

fn name(controller: u8) -> String {
    format!("nvme{}n1", controller.min(2))
}

/// The namespace is its controller's own, or that of the subsystem.
fn disk(controller: u8) -> String {
    let above = if controller > 1 {
        subsystem(controller)
    } else {
        drive(controller)
    };
    format!("{above}/{}", name(controller))
}

fn mapped(controller: u8) -> String {
    format!("sys/block/dm-{}", controller.min(2))
}

fn event(action: &str, subsystem: &str, path: &str) -> Uevent {
    Uevent {
        action: action.to_owned(),
        devpath: format!("/{}", path.trim_start_matches("sys/")),
        subsystem: subsystem.to_owned(),
        ..Uevent::default()
    }
}

fn update(inventory: &mut Inventory, machine: &Machine, events: &[Uevent]) {
    let events: Vec<&Uevent> = events.iter().collect();
    inventory.update(
        Class::Storage,
        &events,
        &machine.0.root(),
        &Scope::default(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However many steps are told of at once.
    #[test]
    fn what_events_tell_of_and_a_whole_look_are_the_same(bursts in vec(vec(Step::any(), 0..5), 0..8)) {
        let machine = Machine::new();
        let mut inventory = machine.0.discover(Class::Storage);
        for burst in &bursts {
            let events: Vec<Uevent> = burst.iter().flat_map(|step| machine.take(*step)).collect();
            update(&mut inventory, &machine, &events);
            prop_assert_eq!(&inventory, &machine.0.discover(Class::Storage), "{:?}", burst);
        }
    }
}

#[test]
fn only_what_an_event_names_is_read() {
    let machine = Machine::new();
    let mut inventory = machine.0.discover(Class::Storage);
    // No event tells of this.
    machine.0.write("sys/block/sda/size", "2000\n");
    let plugged: Vec<Uevent> = [
        Step::Plug { controller: 0 },
        Step::Attach {
            controller: 0,
            damaged: false,
        },
    ]
    .into_iter()
    .flat_map(|step| machine.take(step))
    .collect();
    update(&mut inventory, &machine, &plugged);
    let storage = inventory.storage.clone().unwrap();
    let sizes: Vec<_> = storage
        .disks
        .iter()
        .map(|disk| (disk.id.as_str(), disk.size_bytes.map(|size| size.0)))
        .collect();
    assert_eq!(
        sizes,
        [("nvme0n1", Some(4096 * 512)), ("sda", Some(1000 * 512))]
    );
    assert_eq!(storage.nvme_subsystems[0].namespaces, [""; 0]);
    assert_eq!(
        storage.nvme_namespaces[0].controller.as_deref(),
        Some("nvme0")
    );
    // A file system without a device may be mounted: that is no single row.
    update(
        &mut inventory,
        &machine,
        &[event("add", "bdi", "devices/virtual/bdi/0:55")],
    );
    assert_eq!(inventory, machine.0.discover(Class::Storage));
}
