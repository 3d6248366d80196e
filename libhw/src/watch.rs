//! Hot-plug: which classes a kernel uevent says to read again, and whether one was missed.
//!
//! ```text
//! add@/devices/pci0000:00/0000:00:05.0\0ACTION=add\0DEVPATH=/devices/...\0SUBSYSTEM=pci\0SEQNUM=4711\0
//! ```

use crate::device::{crypto, fpga, gpu};
use crate::directory::{self, Identity};
use crate::inventory::Class;

pub use crate::uevent::Uevent;

impl Uevent {
    /// The classes to read again: those that have rows of its subsystem, but for those that have none of such a device.
    pub fn classes(&self) -> impl Iterator<Item = Class> {
        let named = |class: &Class| class.subsystems().contains(&self.subsystem.as_str());
        Class::ALL.iter().copied().filter(named).filter(|class| {
            self.modalias
                .as_deref()
                .is_none_or(|modalias| may_have(*class, modalias))
        })
    }
}

/// Whether `class` may have a row of a device with this modalias; of other buses than these two every class may.
fn may_have(class: Class, modalias: &str) -> bool {
    let has: fn(&Identity) -> bool = match class {
        Class::Crypto if modalias.starts_with("virtio:") => {
            return crypto::may_have_virtio(modalias);
        }
        Class::Crypto => crypto::may_have,
        Class::Fpga => fpga::may_have,
        Class::Gpu => gpu::may_have,
        _ => return true,
    };
    directory::modalias(modalias).is_none_or(|identity| has(&identity))
}

/// What netlink tells of without a uevent ([`crate::io::monitor`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A link came, changed (carrier, master, address, MTU, settings, ...) or went.
    Link {
        /// The interface.
        name: String,
        /// Whether it went.
        removed: bool,
    },
    /// A device of devlink, one of its ports or health reporters came, changed or went.
    Devlink {
        /// Its bus and its name there.
        id: String,
    },
    /// A DPLL or one of its pins came, changed or went.
    Dpll {
        /// Its number.
        id: u32,
    },
}

impl Notice {
    /// The classes to read again.
    pub fn classes(&self) -> impl Iterator<Item = Class> {
        std::iter::once(Class::Nic)
    }
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link {
                name,
                removed: false,
            } => write!(f, "link {name}"),
            Self::Link {
                name,
                removed: true,
            } => write!(f, "link {name} removed"),
            Self::Devlink { id } => write!(f, "devlink {id}"),
            Self::Dpll { id } => write!(f, "dpll {id}"),
        }
    }
}

/// Counts the kernel's numbers of events, and so knows of those that never came.
///
/// Since Linux 6.11 two CPUs may send their events in the other order, so the count is only true when the
/// burst is over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequence {
    highest: Option<u64>,
    owed: u64,
}

impl Sequence {
    /// One that knows no number yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            highest: None,
            owed: 0,
        }
    }

    /// An event came; one without a number counts for nothing.
    pub const fn heard(&mut self, seqnum: Option<u64>) {
        let Some(seqnum) = seqnum else { return };
        match self.highest {
            Some(highest) if seqnum > highest => {
                self.owed = self.owed.saturating_add(seqnum - highest - 1);
                self.highest = Some(seqnum);
            }
            Some(_) => self.owed = self.owed.saturating_sub(1),
            None => self.highest = Some(seqnum),
        }
    }

    /// How many events of the burst never came; asked once it is over, and forgotten then. A network
    /// namespace keeps its devices' events to itself, so some hosts often miss a few that were not for us.
    pub const fn missed(&mut self) -> u64 {
        let missed = self.owed;
        self.owed = 0;
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    #[test]
    fn a_kernel_message_is_understood_and_others_are_not() {
        let message = b"add@/devices/pci0000:00/0000:00:05.0\0ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:05.0\0SUBSYSTEM=pci\0SEQNUM=4711\0";
        let event = Uevent::parse(message).unwrap();
        assert_eq!(event.action, "add");
        assert_eq!(event.devpath, "/devices/pci0000:00/0000:00:05.0");
        assert_eq!(event.seqnum, Some(4711));
        let classes: Vec<Class> = event.classes().collect();
        assert!(classes.contains(&Class::Pci) && !classes.contains(&Class::Hugepages));
        for none in [
            &b"libudev\0\xfe\xed\xca\xfe"[..],
            b"",
            b"\0\0",
            b"no head\0A=b\0",
        ] {
            assert_eq!(Uevent::parse(none), None);
        }
    }

    #[test]
    fn bytes_that_are_no_text_and_numbers_that_are_none_do_no_harm() {
        let event = Uevent::parse(b"add@/devices/\xff\0SUBSYSTEM=\xff\0SEQNUM=-1\0=\0\0").unwrap();
        assert_eq!(event.seqnum, None);
        assert_eq!(event.classes().count(), 0);
        let endless = [b"add@/d\0".as_slice(), &b"A=b\0".repeat(4096)].concat();
        assert_eq!(Uevent::parse(&endless).unwrap().devpath, "/d");
    }

    #[test]
    fn a_gap_in_the_numbers_is_noticed_and_another_order_is_none() {
        for (numbers, missed) in [
            (&[7][..], 0),
            (&[7, 8, 9], 0),
            (&[7, 9, 8, 10], 0),
            (&[7, 10], 2),
            (&[7, 10, 8], 1),
            (&[1, u64::MAX], u64::MAX - 2),
        ] {
            let mut sequence = Sequence::default();
            for number in numbers {
                sequence.heard(Some(*number));
            }
            sequence.heard(None);
            assert_eq!(sequence.missed(), missed, "{numbers:?}");
            assert_eq!(sequence.missed(), 0);
        }
    }

    /// Whatever is a row of a class is one that its modalias does not rule out.
    #[test]
    fn a_function_that_has_a_row_is_read_again_for_its_event() {
        let tree = Tree::new(&[]);
        let mut functions = Vec::new();
        for vendor in [0x8086_u32, 0x10de, 0x1002, 0x10ee, 0x177d, 0x19e5] {
            for device in [
                0x0435, 0x09c4, 0x0b30, 0x0d5c, 0x10c9, 0x37c8, 0x4940, 0x57c0, 0x9048, 0xa250,
            ] {
                for class in [
                    0x02_0000, 0x03_0000, 0x03_8000, 0x0b_4000, 0x10_8000, 0x12_0000,
                ] {
                    let number = functions.len();
                    let id = format!(
                        "{:04x}:00:{:02x}.{}",
                        number / 256,
                        number / 8 % 32,
                        number % 8
                    );
                    let (base, rest) = (class >> 16, class >> 8 & 0xff);
                    let modalias = format!(
                        "pci:v{vendor:08X}d{device:08X}sv00000000sd00000000bc{base:02X}sc{rest:02X}i00"
                    );
                    for (name, text) in [
                        ("vendor", format!("{vendor:#06x}")),
                        ("device", format!("{device:#06x}")),
                        ("class", format!("{class:#08x}")),
                        ("modalias", modalias.clone()),
                    ] {
                        tree.write(&format!("sys/bus/pci/devices/{id}/{name}"), &text);
                    }
                    functions.push((id, modalias));
                }
            }
        }
        for class in [Class::Gpu, Class::Fpga, Class::Crypto] {
            let inventory = tree.discover(class);
            let text = inventory.value(class).unwrap().to_string();
            let has_row = |id: &str| text.contains(&format!("\"{id}\""));
            let named = |modalias: &str| {
                let event = Uevent {
                    subsystem: "pci".to_owned(),
                    modalias: Some(modalias.to_owned()),
                    ..Uevent::default()
                };
                event.classes().any(|named| named == class)
            };
            let with_row = functions.iter().filter(|(id, _)| has_row(id));
            let ruled_out: Vec<_> = with_row
                .clone()
                .filter(|(_, modalias)| !named(modalias))
                .collect();
            assert!(ruled_out.is_empty(), "{class}: {ruled_out:?}");
            assert!(with_row.count() > 0, "{class}");
            assert!(
                functions.iter().any(|(_, modalias)| !named(modalias)),
                "{class}"
            );
        }
    }
}
