//! Hot-plug: which classes a kernel uevent says to read again.
//!
//! ```text
//! add@/devices/pci0000:00/0000:00:05.0\0ACTION=add\0DEVPATH=/devices/...\0SUBSYSTEM=pci\0SEQNUM=4711\0
//! ```

use crate::inventory::Class;

/// One uevent of the kernel (`lib/kobject_uevent.c`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uevent {
    /// `add`, `remove`, `change`, `online`, `offline`, `bind`, `unbind`, `move`.
    pub action: String,
    /// The device's path below /sys.
    pub devpath: String,
    /// Its subsystem.
    pub subsystem: String,
    /// The kernel's count: a gap means that we missed some.
    pub seqnum: Option<u64>,
}

impl Uevent {
    /// A message of the kernel's; `None` for udev's own, which have another head, and for what is no uevent.
    #[must_use]
    pub fn parse(message: &[u8]) -> Option<Self> {
        let mut parts = message
            .split(|byte| *byte == 0)
            .map(String::from_utf8_lossy);
        let head = parts.next()?;
        let (action, devpath) = head.split_once('@')?;
        let mut event = Self {
            action: action.to_owned(),
            devpath: devpath.to_owned(),
            ..Self::default()
        };
        for part in parts {
            match part.split_once('=') {
                Some(("SUBSYSTEM", value)) => value.clone_into(&mut event.subsystem),
                Some(("SEQNUM", value)) => event.seqnum = value.parse().ok(),
                _ => {}
            }
        }
        Some(event)
    }

    /// The classes to read again.
    pub fn classes(&self) -> impl Iterator<Item = Class> {
        let named = |class: &Class| class.subsystems().contains(&self.subsystem.as_str());
        Class::ALL.iter().copied().filter(named)
    }
}
