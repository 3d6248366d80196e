//! Devices by their PCI ids, and platform devices by their drivers' names: facts of the kernel's drivers/crypto
//! and of DPDK's drivers/baseband.

use super::{Kind, Service};
use crate::directory::Identity;

/// A name, and what it is the name of.
pub(super) type Named = (&'static str, fn() -> Kind);

/// What is known of a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) kind: fn() -> Kind,
    /// What it is called.
    pub(super) model: &'static str,
    /// Of QAT, its generation by the kernel's count.
    pub(super) generation: Option<u32>,
    pub(super) virtual_function: bool,
}

/// Vendor, device, device of its virtual functions, what it is, what it is called, its generation.
type Row = (
    u16,
    u16,
    Option<u16>,
    fn() -> Kind,
    &'static str,
    Option<u32>,
);

const DEVICES: &[Row] = &[
    (
        0x8086,
        0x0434,
        Some(0x0442),
        || Kind::Qat,
        "DH89xxCC",
        Some(1),
    ),
    (
        0x8086,
        0x0435,
        Some(0x0443),
        || Kind::Qat,
        "DH895xCC",
        Some(2),
    ),
    (0x8086, 0x37c8, Some(0x37c9), || Kind::Qat, "C62x", Some(2)),
    (0x8086, 0x19e2, Some(0x19e3), || Kind::Qat, "C3xxx", Some(2)),
    (0x8086, 0x6f54, Some(0x6f55), || Kind::Qat, "D15xx", Some(2)),
    (0x8086, 0x18ee, Some(0x18ef), || Kind::Qat, "200xx", Some(2)),
    (0x8086, 0x18a0, Some(0x18a1), || Kind::Qat, "C4xxx", Some(3)),
    (0x8086, 0x4940, Some(0x4941), || Kind::Qat, "4xxx", Some(4)),
    (0x8086, 0x4942, Some(0x4943), || Kind::Qat, "401xx", Some(4)),
    (0x8086, 0x4944, Some(0x4945), || Kind::Qat, "402xx", Some(4)),
    (0x8086, 0x4946, Some(0x4947), || Kind::Qat, "420xx", Some(4)),
    (0x8086, 0x4948, Some(0x4949), || Kind::Qat, "6xxx", Some(6)),
    (
        0x8086,
        0x0b25,
        None,
        || Kind::Dsa,
        "Data Streaming Accelerator",
        None,
    ),
    (
        0x8086,
        0x11fb,
        None,
        || Kind::Dsa,
        "Data Streaming Accelerator",
        None,
    ),
    (
        0x8086,
        0x1212,
        None,
        || Kind::Dsa,
        "Data Streaming Accelerator",
        None,
    ),
    (
        0x8086,
        0x0cfe,
        None,
        || Kind::Iaa,
        "In-Memory Analytics Accelerator",
        None,
    ),
    (
        0x8086,
        0x1216,
        None,
        || Kind::Iaa,
        "In-Memory Analytics Accelerator",
        None,
    ),
    (
        0x1022,
        0x1537,
        None,
        || Kind::AmdCcp,
        "Cryptographic Coprocessor",
        None,
    ),
    (
        0x1022,
        0x1456,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x1468,
        None,
        || Kind::AmdCcp,
        "Cryptographic Coprocessor",
        None,
    ),
    (
        0x1022,
        0x1486,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x15df,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x1498,
        None,
        || Kind::AmdCcp,
        "Cryptographic Coprocessor",
        None,
    ),
    (
        0x1022,
        0x14ca,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x15c7,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x1649,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x1134,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x17e0,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1022,
        0x156e,
        None,
        || Kind::AmdCcp,
        "Secure Processor",
        None,
    ),
    (
        0x1af4,
        0x1054,
        None,
        || Kind::VirtioCrypto,
        "virtio-crypto",
        None,
    ),
    (0x19e5, 0xa250, Some(0xa251), || Kind::HisiZip, "ZIP", None),
    (0x19e5, 0xa255, Some(0xa256), || Kind::HisiSec, "SEC2", None),
    (
        0x19e5,
        0xa258,
        Some(0xa259),
        || Kind::HisiHpre,
        "HPRE",
        None,
    ),
    (
        0x177d,
        0xa040,
        Some(0xa041),
        || Kind::Cpt,
        "OCTEON TX CPT",
        None,
    ),
    (
        0x177d,
        0xa0fd,
        Some(0xa0fe),
        || Kind::Cpt,
        "OCTEON TX2 CPT",
        None,
    ),
    (
        0x177d,
        0xa0f2,
        Some(0xa0f3),
        || Kind::Cpt,
        "OCTEON 10 CPT",
        None,
    ),
    (
        0x177d,
        0xa01a,
        None,
        || Kind::OcteonZip,
        "OCTEON TX ZIP",
        None,
    ),
    (
        0x177d,
        0x0012,
        Some(0x0013),
        || Kind::Nitrox,
        "NITROX V",
        None,
    ),
    (0x11ab, 0x0a30, None, || Kind::Safexcel, "SafeXcel", None),
];

/// The name of a platform driver, or how it begins, what it drives and whether each of its devices is one
/// accelerator; job rings of one accelerator are not.
const DRIVERS: &[Named] = &[
    ("caam", || Kind::Caam),
    ("dpaa2_caam", || Kind::Caam),
    ("talitos", || Kind::Talitos),
    ("marvell-cesa", || Kind::Cesa),
    ("crypto-safexcel", || Kind::Safexcel),
    ("hisi_sec_platform_driver", || Kind::HisiSec),
    ("hisi-trng-v2", || Kind::HisiTrng),
    ("nx-compress-pseries", || Kind::Nx),
    ("nx-compress-powernv", || Kind::Nx),
];

/// Platform drivers of smaller makes, by name: what is known of them is only that.
const OTHER_DRIVERS: &[&str] = &[
    "artpec6-crypto",
    "aspeed-hace",
    "atmel_aes",
    "atmel_sha",
    "atmel_tdes",
    "bcm-spu-crypto-driver",
    "ccree",
    "crypto4xx",
    "gxl-crypto",
    "img-hash-accelerator",
    "inside-secure-eip93",
    "jh7110-crypto",
    "keembay-ocs-aes",
    "keembay-ocs-ecc",
    "keembay-ocs-hcu",
    "mtk-crypto",
    "mxs-dcp",
    "omap-aes",
    "omap-des",
    "omap-sham",
    "qcrypto",
    "rk3288-crypto",
    "s5p-secss",
    "sa2ul-crypto",
    "sl3516-crypto",
    "stm32-crc32",
    "stm32-cryp",
    "stm32-hash",
    "sun4i-ss",
    "sun8i-ce",
    "sun8i-ss",
    "tegra-se",
    "zynqmp-aes",
    "zynqmp-sha3-384",
];

/// The PCI device, when it is known or its class says enough.
pub(super) fn device(identity: &Identity) -> Option<Known> {
    let of = |row: &&Row| {
        let device = Some(identity.device);
        row.0 == identity.vendor && (Some(row.1) == device || row.2 == device)
    };
    let known = DEVICES.iter().find(of);
    let known = known.map(|(_, device, _, kind, model, generation)| Known {
        kind: *kind,
        model,
        generation: *generation,
        virtual_function: *device != identity.device,
    });
    let controller = Known {
        kind: || Kind::Controller,
        model: "",
        generation: None,
        virtual_function: false,
    };
    known.or_else(|| (identity.class >> 16 == 0x10).then_some(controller))
}

/// The platform driver's accelerator.
pub(super) fn driver(name: &str) -> Option<Kind> {
    let known = DRIVERS.iter().find(|(driver, _)| *driver == name);
    known.map(|(_, kind)| kind()).or_else(|| {
        let other = OTHER_DRIVERS.contains(&name);
        other.then(|| Kind::Other(name.to_owned()))
    })
}

/// What a kind does, as far as its kind says so.
pub(super) fn services(kind: &Kind) -> Vec<Service> {
    use Service::{Asymmetric, Compression, DataMovement, Random, Symmetric};
    match kind {
        Kind::Dsa => vec![DataMovement],
        Kind::Iaa | Kind::HisiZip | Kind::OcteonZip => vec![Compression],
        Kind::Nx => vec![Symmetric, Compression],
        Kind::HisiHpre => vec![Asymmetric],
        Kind::HisiTrng => vec![Random],
        Kind::AmdCcp | Kind::Caam => vec![Symmetric, Asymmetric, Random],
        Kind::HisiSec | Kind::Cesa | Kind::Safexcel | Kind::Chelsio => vec![Symmetric],
        Kind::Talitos => vec![Symmetric, Random],
        Kind::Cpt | Kind::Nitrox | Kind::CryptoExpress => vec![Symmetric, Asymmetric],
        _ => Vec::new(),
    }
}

/// Forward error correction for vRAN: vendor, device of the physical function, of the virtual ones, and its name.
const FEC: &[(u16, u16, u16, &str)] = &[
    (
        0x8086,
        0x0d5c,
        0x0d5d,
        "Intel vRAN Dedicated Accelerator ACC100",
    ),
    (
        0x8086,
        0x57c4,
        0x57c5,
        "Intel vRAN Dedicated Accelerator ACC101",
    ),
    (0x8086, 0x57c0, 0x57c1, "Intel vRAN Boost 1 (ACC200)"),
    (0x8086, 0x57c2, 0x57c3, "Intel vRAN Boost 2"),
    (0x8086, 0x0d8f, 0x0d90, "Intel PAC N3000, 5GNR FEC"),
    (0x8086, 0x5799, 0x579a, "Intel FPGA, 5GNR FEC (AGX100)"),
    (0x1172, 0x5052, 0x5050, "Intel PAC N3000, LTE FEC"),
];

/// The name of a forward error correction device, and whether it is a virtual function.
pub(super) fn fec(identity: &Identity) -> Option<(&'static str, bool)> {
    FEC.iter().find_map(|(vendor, physical, virtuals, name)| {
        let of = |device: u16| (identity.vendor, identity.device) == (*vendor, device);
        (of(*physical) || of(*virtuals)).then(|| (*name, of(*virtuals)))
    })
}
