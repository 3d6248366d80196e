//! PCI devices.

use serde::{Deserialize, Serialize};

use super::error::{Checked, require};
use super::expected::{Expected, Wanted};
use super::plan::{Content, Plan, escape};
use super::size::Size;

/// A PCI device that QEMU has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Device {
    /// Intel 82576: a PTP hardware clock, and seven virtual functions.
    Igb {
        /// Its address; without one, the next of 02:00:00:00:00:01 and on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
    },
    /// Intel 82574L: a PTP hardware clock.
    E1000e {
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
    },
    /// A network interface of virtio.
    VirtioNet {
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
        /// Whether it reports errors (AER), which needs a slot.
        #[serde(default)]
        aer: bool,
    },
    /// An NVMe controller with one namespace, which holds zeros.
    Nvme {
        /// Its serial number.
        serial: String,
        /// The size of the namespace.
        size: Size,
    },
    /// Cryptography by virtio. Its driver wants a slot of a node, where there are several nodes.
    VirtioCrypto {},
    /// A graphics adapter of virtio.
    VirtioGpu {},
    /// A random number generator of virtio.
    VirtioRng {},
    /// A device for teaching, which no driver binds to.
    Edu {},
    /// Memory shared with nobody; no driver binds to it.
    Ivshmem {
        /// Its size, a power of two.
        size: Size,
    },
    /// A watchdog, Intel 6300ESB.
    I6300esb {},
}

/// What a device is to the guest.
struct Sort {
    vendor: u16,
    device: u16,
    /// On the root bus itself, where virtio keeps its older ids.
    device_on_root: u16,
    class: u32,
    driver: Option<&'static str>,
    modules: &'static [&'static str],
}

const fn sort(vendor: u16, device: u16, class: u32, modules: &'static [&'static str]) -> Sort {
    Sort {
        vendor,
        device,
        device_on_root: device,
        class,
        driver: None,
        modules,
    }
}

const fn driven(by: &'static str, sort: Sort) -> Sort {
    Sort {
        driver: Some(by),
        ..sort
    }
}

const fn virtio(device: u16, on_root: u16, class: u32, modules: &'static [&'static str]) -> Sort {
    let sort = driven("virtio-pci", sort(0x1af4, device, class, modules));
    Sort {
        device_on_root: on_root,
        ..sort
    }
}

/// Where a device is, and the names that its backends may have.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// QEMU's name of it; its backends' begin so.
    pub(super) id: &'a str,
    /// QEMU's name of the bus, with the place there where it matters: `bus=pcie.0,addr=0x1`.
    pub(super) bus: &'a str,
    /// Its address in the guest.
    pub(super) address: &'a str,
    /// Whether that is the root bus itself.
    pub(super) on_root: bool,
    /// The how manieth network interface it is, from 1.
    pub(super) interface: u8,
}

impl Device {
    fn sort(&self) -> Sort {
        match self {
            Self::Igb { .. } => driven("igb", sort(0x8086, 0x10c9, 0x02_0000, &["igb", "igbvf"])),
            Self::E1000e { .. } => driven("e1000e", sort(0x8086, 0x10d3, 0x02_0000, &["e1000e"])),
            Self::VirtioNet { .. } => virtio(0x1041, 0x1000, 0x02_0000, &["virtio_net"]),
            Self::Nvme { .. } => driven("nvme", sort(0x1b36, 0x0010, 0x01_0802, &["nvme"])),
            Self::VirtioCrypto {} => virtio(0x1054, 0x1054, 0x00_ff00, &["virtio_crypto"]),
            Self::VirtioGpu {} => virtio(0x1050, 0x1050, 0x03_8000, &["virtio-gpu"]),
            Self::VirtioRng {} => virtio(0x1044, 0x1005, 0x00_ff00, &["virtio-rng"]),
            Self::Edu {} => sort(0x1234, 0x11e8, 0x00_ff00, &[]),
            Self::Ivshmem { .. } => sort(0x1af4, 0x1110, 0x05_0000, &[]),
            Self::I6300esb {} => driven(
                "i6300ESB timer",
                sort(0x8086, 0x25ab, 0x08_8000, &["i6300esb"]),
            ),
        }
    }

    /// Its address, of a network interface: its own, or that of its number.
    fn mac(&self, interface: u8) -> Option<String> {
        match self {
            Self::Igb { mac } | Self::E1000e { mac } | Self::VirtioNet { mac, .. } => {
                let by_number = || format!("02:00:00:00:00:{interface:02x}");
                Some(mac.clone().unwrap_or_else(by_number))
            }
            _ => None,
        }
    }

    pub(super) fn is_interface(&self) -> bool {
        self.mac(0).is_some()
    }

    /// Whether its driver wants to know its node, and `node` tells none though there are several.
    pub(super) fn lacks_node(&self, node: Option<u32>, nodes: usize) -> bool {
        matches!(self, Self::VirtioCrypto {}) && node.is_none() && nodes > 1
    }

    pub(super) fn check(&self, path: &str, on_root: bool) -> Checked {
        match self {
            Self::Nvme { serial, size } => {
                let right = !serial.is_empty()
                    && serial.len() <= 20
                    && serial.bytes().all(|b| b.is_ascii_graphic());
                let text = format!("`{serial}` is not 1 to 20 letters, digits and signs");
                require(right, format!("{path}.serial"), text)?;
                let whole = size.0 > 0 && size.is_multiple_of(Size(4096));
                let text = format!("`{size}` is not a whole number of blocks of 4K");
                require(whole, format!("{path}.size"), text)
            }
            Self::Ivshmem { size } => {
                let right = size.0.is_power_of_two() && *size >= Size::mib(1);
                require(
                    right,
                    format!("{path}.size"),
                    "a power of two from 1M on is needed",
                )
            }
            Self::VirtioNet { aer, .. } if *aer && on_root => require(
                false,
                format!("{path}.aer"),
                "errors are reported only from a slot",
            ),
            _ => Ok(()),
        }?;
        let mac = self
            .mac(1)
            .unwrap_or_else(|| "02:00:00:00:00:01".to_owned());
        let text = format!("`{mac}` is no address of one interface, such as 02:00:00:00:00:01");
        require(is_unicast(&mac), format!("{path}.mac"), text)
    }

    pub(super) fn plan(&self, place: &Place<'_>, plan: &mut Plan) {
        let Place { id, bus, .. } = place;
        let mut options = String::new();
        if let Some(mac) = self.mac(place.interface) {
            plan.option("netdev", format!("user,id={id}-net,restrict=on"));
            options = format!(",netdev={id}-net,mac={mac}");
        }
        let name = match self {
            Self::Igb { .. } => "igb",
            Self::E1000e { .. } => "e1000e",
            Self::VirtioNet { aer, .. } => {
                options.push_str(if *aer { ",aer=on" } else { "" });
                "virtio-net-pci"
            }
            Self::Nvme { serial, size } => {
                let file = plan.file(&format!("{id}.img"), Content::Zeros(size.0));
                let drive = format!("file={file},if=none,id={id}-drive,format=raw");
                plan.option("drive", drive);
                options = format!(",drive={id}-drive,serial={}", escape(serial));
                "nvme"
            }
            Self::VirtioCrypto {} => {
                plan.option(
                    "object",
                    format!("cryptodev-backend-builtin,id={id}-crypto"),
                );
                options = format!(",cryptodev={id}-crypto");
                "virtio-crypto-pci"
            }
            Self::VirtioGpu {} => "virtio-gpu-pci",
            Self::VirtioRng {} => "virtio-rng-pci",
            Self::Edu {} => "edu",
            Self::Ivshmem { size } => {
                let memory = format!("memory-backend-ram,id={id}-memory,size={size},share=on");
                plan.option("object", memory);
                options = format!(",memdev={id}-memory");
                "ivshmem-plain"
            }
            Self::I6300esb {} => "i6300esb",
        };
        plan.device(format!("{name},id={id},{bus}{options}"));
        plan.modules(self.sort().modules);
    }

    /// What the inventory tells of it, beside its place.
    pub(super) fn expect(&self, place: &Place<'_>, expected: &mut Expected) {
        let (sort, function) = (self.sort(), place.address);
        let at = format!("pci.functions[{function}]");
        let device = if place.on_root {
            sort.device_on_root
        } else {
            sort.device
        };
        expected.is(format!("{at}.vendor_id"), sort.vendor);
        expected.is(format!("{at}.device_id"), device);
        expected.is(format!("{at}.class_id"), sort.class);
        match sort.driver {
            Some(driver) => expected.is(format!("{at}.driver"), driver),
            None => expected.wants(format!("{at}.driver"), Wanted::Nothing),
        }
        if let Some(mac) = self.mac(place.interface) {
            let at = format!("nic.interfaces[function={function}]");
            expected.is(format!("{at}.kind"), "physical");
            expected.is(format!("{at}.mac"), mac);
            expected.is(format!("{at}.mtu"), 1500);
            let driver = sort.driver.filter(|driver| *driver != "virtio-pci");
            expected.is(format!("{at}.driver"), driver.unwrap_or("virtio_net"));
        }
        self.expect_class(function, expected);
    }

    fn expect_class(&self, function: &str, expected: &mut Expected) {
        match self {
            Self::Igb { .. } => {
                let sriov = format!("pci.functions[{function}].sriov");
                expected.is(format!("{sriov}.vfs_total"), 7);
                expected.is(format!("{sriov}.vfs"), 0);
                expected.is(format!("{sriov}.vf_device_id"), 0x10ca);
                expect_clock(function, expected);
            }
            Self::E1000e { .. } => expect_clock(function, expected),
            Self::Nvme { serial, size } => {
                let at = format!("storage.nvme_controllers[function={function}]");
                expected.is(format!("{at}.serial"), serial.as_str());
                expected.is(format!("{at}.model"), "QEMU NVMe Ctrl");
                expected.is(format!("{at}.transport"), "pcie");
                expected.is(format!("{at}.state"), "live");
                let disk = format!("storage.disks[serial={serial}]");
                expected.is(format!("{disk}.size_bytes"), size.0);
            }
            Self::VirtioCrypto {} => {
                let at = format!("crypto.accelerators[function={function}]");
                expected.is(format!("{at}.kind"), "virtio_crypto");
                expected.is(format!("{at}.driver"), "virtio_crypto");
            }
            Self::VirtioGpu {} => {
                let at = format!("gpu.adapters[{function}]");
                expected.is(format!("{at}.kind"), "virtual");
                expected.is(format!("{at}.device_id"), 0x1050);
            }
            Self::VirtioRng {} => {
                expected.wants(
                    "crypto.hwrng.available",
                    Wanted::Holds("virtio_rng.0".into()),
                );
            }
            Self::I6300esb {} => {
                let at = "watchdog.timers[identity=i6300ESB timer]";
                expected.is(format!("{at}.timeout_max_seconds"), 2046);
                expected.is(format!("{at}.now.state"), "inactive");
            }
            Self::VirtioNet { .. } | Self::Edu {} | Self::Ivshmem { .. } => {}
        }
    }
}

fn expect_clock(function: &str, expected: &mut Expected) {
    let clock = format!("ptp_clock.clocks[function={function}]");
    expected.is(format!("{clock}.kind"), "hardware");
    let at = format!("nic.interfaces[function={function}].timestamping");
    expected.wants(format!("{at}.clock"), Wanted::Something);
    for mode in [
        "hardware-transmit",
        "hardware-receive",
        "hardware-raw-clock",
    ] {
        expected.wants(format!("{at}.modes"), Wanted::Holds(mode.into()));
    }
}

fn is_unicast(mac: &str) -> bool {
    let bytes: Vec<Option<u8>> = mac
        .split(':')
        .map(|byte| {
            let two = byte.len() == 2 && !byte.starts_with('+');
            two.then(|| u8::from_str_radix(byte, 16).ok())?
        })
        .collect();
    let one = matches!(bytes.first(), Some(Some(first)) if first & 1 == 0);
    bytes.len() == 6 && one && bytes.iter().all(Option::is_some) && mac != "00:00:00:00:00:00"
}
