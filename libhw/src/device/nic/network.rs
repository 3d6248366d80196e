//! How this network namespace is asked: aside where a driver may hold whoever asks, for which a daemon may have to start
//! a process; else here.

use serde::de::DeserializeOwned;

use crate::io::aside::{Ask, Network as Question};
use crate::io::netlink::link::Link;
use crate::survey::Survey;

/// Buses whose interfaces answer from memory: the host of a virtual machine is not asked.
const FROM_MEMORY: [&str; 3] = ["virtio", "vmbus", "xen"];

/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;

/// The kernel's network, to be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network<'a> {
    pub(super) survey: &'a Survey<'a>,
    /// Whether there is a device that may hold whoever asks about anything in the network.
    pub(super) may_hold: bool,
}

impl<'a> Network<'a> {
    /// That of these interfaces.
    pub(super) fn of(survey: &'a Survey<'a>, links: &[Link]) -> Self {
        Self {
            survey,
            may_hold: links.iter().any(may_hold),
        }
    }

    /// Its interfaces, as the kernel itself keeps them.
    pub(super) fn links(survey: &Survey<'_>) -> Option<Vec<Link>> {
        survey.keep(survey.root().ask_here(&Ask::Network(Question::Links)))
    }

    /// What the kernel or a driver says.
    pub(super) fn ask<T: DeserializeOwned>(self, question: Question) -> Option<T> {
        let (root, ask) = (self.survey.root(), Ask::Network(question));
        self.survey.keep(if self.may_hold {
            root.ask(&ask)
        } else {
            root.ask_here(&ask)
        })
    }
}

/// Whether a driver of hardware is behind it that may hold whoever asks.
fn may_hold(link: &Link) -> bool {
    let bus = link.parent_bus.as_deref();
    is_of_device(link) && !bus.is_some_and(|bus| FROM_MEMORY.contains(&bus))
}

/// Whether a device is behind it, as far as netlink tells: what software made has a kind, and kernels before 5.14 don't say
/// which bus it is on.
pub(super) fn is_of_device(link: &Link) -> bool {
    link.kind.is_none() && link.link_type != LOOPBACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_driver_of_hardware_may_hold_whoever_asks() {
        let link = |kind: Option<&str>, link_type, bus: Option<&str>| Link {
            kind: kind.map(str::to_owned),
            link_type,
            parent_bus: bus.map(str::to_owned),
            ..Link::default()
        };
        for (link, expected) in [
            (link(None, 1, Some("pci")), true),
            (link(None, 1, Some("usb")), true),
            (link(None, 32, Some("pci")), true),
            (link(None, 1, None), true),
            (link(None, 1, Some("virtio")), false),
            (link(None, 1, Some("vmbus")), false),
            (link(None, LOOPBACK, None), false),
            (link(Some("bond"), 1, None), false),
        ] {
            assert_eq!(may_hold(&link), expected, "{link:?}");
        }
    }
}
