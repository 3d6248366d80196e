//! A uevent of the kernel: which device came, changed or went.
//!
//! ```text
//! add@/devices/pci0000:00/0000:00:05.0\0ACTION=add\0DEVPATH=/devices/...\0SUBSYSTEM=pci\0SEQNUM=4711\0
//! ```

/// One uevent of the kernel (`lib/kobject_uevent.c`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uevent {
    /// `add`, `remove`, `change`, `online`, `offline`, `bind`, `unbind`, `move`.
    pub action: String,
    /// The device's path below /sys.
    pub devpath: String,
    /// Its subsystem.
    pub subsystem: String,
    /// What it is among those: `disk` and `partition` of block devices; of the subsystems that have several kinds.
    pub devtype: Option<String>,
    /// What a driver knows it by: `pci:v00008086d000010C9…`; of the buses that the kernel finds drivers for.
    pub modalias: Option<String>,
    /// The kernel's count: a gap means that we missed some.
    pub seqnum: Option<u64>,
}

impl Uevent {
    /// The kernel's name of the device: the last part of its path.
    #[must_use]
    pub fn device(&self) -> &str {
        self.devpath.rsplit('/').next().unwrap_or_default()
    }

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
        // The kernel gives an event 64 variables at most (`UEVENT_NUM_ENVP`).
        for part in parts.take(64) {
            match part.split_once('=') {
                Some(("SUBSYSTEM", value)) => value.clone_into(&mut event.subsystem),
                Some(("DEVTYPE", value)) => event.devtype = Some(value.to_owned()),
                Some(("MODALIAS", value)) => event.modalias = Some(value.to_owned()),
                Some(("SEQNUM", value)) => event.seqnum = value.parse().ok(),
                _ => {}
            }
        }
        Some(event)
    }
}
