//! Cryptography and compression: accelerators, instructions, who serves an algorithm, random numbers, and the
//! vRAN accelerators for forward error correction.
//!
//! From PCI and the kernel's buses for it (dsa, ap, virtio, uacce, platform), /proc/crypto, /proc/cpuinfo and
//! hwrng. What a driver answers from memory or from one register is read each time; what asks a device's
//! firmware (QAT's heartbeat) only in a deep look.

use serde::{Deserialize, Serialize};

use crate::directory::Identity;
use crate::survey::Survey;
use crate::word::words;

mod accelerator;
mod algorithm;
mod ap;
mod dsa;
mod fec;
mod hwrng;
mod instruction;
mod known;
mod psp;
mod qat;
mod served;
mod uacce;

pub use accelerator::{Accelerator, AcceleratorNow};
pub use algorithm::{Algorithm, Implementation, ImplementationNow};
pub use ap::{ApCard, ApNow, ApQueue};
pub use dsa::{Command, Dsa, DsaEngine, DsaGroup, DsaNow, SoftwareError, WorkQueue, WorkQueueNow};
pub use fec::Fec;
pub use hwrng::{Hwrng, HwrngNow};
pub use instruction::Instruction;
pub use psp::Psp;
pub use qat::{Qat, QatNow};
pub use uacce::{Uacce, UacceNow};

/// What the machine has for cryptography and compression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Crypto {
    /// Every device for it, of whatever make; the tables that follow say more of some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<Accelerator>,
    /// Intel QuickAssist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub qat: Vec<Qat>,
    /// Intel Data Streaming and In-Memory Analytics Accelerators (/sys/bus/dsa).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dsa: Vec<Dsa>,
    /// Their engines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dsa_engines: Vec<DsaEngine>,
    /// Their groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dsa_groups: Vec<DsaGroup>,
    /// Their work queues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub work_queues: Vec<WorkQueue>,
    /// What AMD Secure Processors say of the platform's protection.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub psp: Vec<Psp>,
    /// Accelerators that programs reach by shared virtual addressing (/sys/class/uacce).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uacce: Vec<Uacce>,
    /// IBM Crypto Express cards (/sys/bus/ap).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ap_cards: Vec<ApCard>,
    /// Their queues, one for each domain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ap_queues: Vec<ApQueue>,
    /// vRAN accelerators for forward error correction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fec: Vec<Fec>,
    /// The CPU's instructions for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<Instruction>,
    /// What the kernel takes for each algorithm when it is asked for by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<Algorithm>,
    /// Every implementation that is registered (/proc/crypto), in the kernel's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implementations: Vec<Implementation>,
    /// /proc/sys/crypto/fips_enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fips: Option<bool>,
    /// The hardware random number generator (/sys/class/misc/hw_random).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hwrng: Option<Hwrng>,
}

words! {
    /// What an accelerator is.
    pub enum Kind {
        /// Intel QuickAssist.
        Qat = "qat",
        /// Intel Data Streaming Accelerator.
        Dsa = "dsa",
        /// Intel In-Memory Analytics Accelerator.
        Iaa = "iaa",
        /// AMD Secure Processor with its Cryptographic Coprocessor.
        AmdCcp = "amd_ccp",
        /// A paravirtual one.
        VirtioCrypto = "virtio_crypto",
        /// NXP Cryptographic Acceleration and Assurance Module.
        Caam = "caam",
        /// NXP and Freescale's older one.
        Talitos = "talitos",
        /// HiSilicon: compression.
        HisiZip = "hisi_zip",
        /// HiSilicon: symmetric.
        HisiSec = "hisi_sec",
        /// HiSilicon: asymmetric.
        HisiHpre = "hisi_hpre",
        /// HiSilicon: true random numbers.
        HisiTrng = "hisi_trng",
        /// Marvell OCTEON TX cryptography.
        Cpt = "cpt",
        /// Marvell OCTEON TX compression.
        OcteonZip = "octeon_zip",
        /// Marvell NITROX.
        Nitrox = "nitrox",
        /// Marvell CESA.
        Cesa = "cesa",
        /// Inside Secure SafeXcel.
        Safexcel = "safexcel",
        /// IBM Power's nest accelerator.
        Nx = "nx",
        /// IBM Crypto Express.
        CryptoExpress = "crypto_express",
        /// Chelsio's, a part of its network adapters.
        Chelsio = "chelsio",
        /// Of PCI class 10h, encryption controller, and nothing more known.
        Controller = "controller",
    }

    /// What an accelerator does.
    pub enum Service {
        /// Ciphers and hashes.
        Symmetric = "symmetric",
        /// Public keys.
        Asymmetric = "asymmetric",
        /// Compression and decompression.
        Compression = "compression",
        /// Decompression alone.
        Decompression = "decompression",
        /// Random numbers.
        Random = "random",
        /// Copying, comparing and checksums.
        DataMovement = "data_movement",
    }

    /// How an accelerator fares.
    pub enum State {
        /// Running.
        Up = "up",
        /// Stopped by its owner.
        Down = "down",
        /// No driver has it.
        Unbound = "unbound",
        /// Switched off, or not configured.
        Offline = "offline",
        /// Stopped after an error.
        Halted = "halted",
        /// Its driver gave it up.
        Failed = "failed",
        /// It asks to be reset.
        NeedsReset = "needs_reset",
        /// The kernel keeps programs from it after too many errors.
        Isolated = "isolated",
        /// It stopped itself after a hardware error.
        Checkstopped = "checkstopped",
        /// It does not answer.
        Unresponsive = "unresponsive",
    }

    /// Who does the work of an implementation.
    pub enum ServedBy {
        /// A device.
        Accelerator = "accelerator",
        /// Instructions of the CPU that are there for it, or for vectors.
        Instructions = "instructions",
        /// The kernel's library, which takes instructions where the CPU has them, and does not say so.
        Library = "library",
        /// Plain code.
        Software = "software",
    }

    /// What is asked for by name: the types of /proc/crypto that stand in for each other.
    pub enum Interface {
        /// One block of a cipher.
        Cipher = "cipher",
        /// A cipher in a mode: `skcipher`, `lskcipher`.
        Skcipher = "skcipher",
        /// A cipher with authentication.
        Aead = "aead",
        /// A hash or a keyed hash: `shash`, `ahash`.
        Hash = "hash",
        /// Encryption with public keys.
        Akcipher = "akcipher",
        /// Signatures.
        Sig = "sig",
        /// Key agreement.
        Kpp = "kpp",
        /// Random numbers.
        Rng = "rng",
        /// Compression: `scomp`, `acomp`.
        Acomp = "acomp",
        /// Compression by the older interface.
        Compression = "compression",
    }

    /// How a function is bound.
    pub enum Binding {
        /// To no driver.
        None = "none",
        /// To VFIO: a program has it behind the IOMMU.
        Vfio = "vfio",
        /// To UIO: a program has it, with nothing between it and memory.
        Uio = "uio",
        /// To a driver that does nothing but make virtual functions.
        Stub = "stub",
    }

    /// Whether a function is physical or virtual.
    pub enum Role {
        /// Physical.
        Pf = "pf",
        /// Virtual.
        Vf = "vf",
    }

    /// A DSA work queue's mode (`Documentation/ABI/stable/sysfs-driver-dma-idxd`).
    pub enum QueueMode {
        /// Of one client.
        Dedicated = "dedicated",
        /// Of many.
        Shared = "shared",
    }
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Crypto {
    let mut crypto = Crypto::default();
    dsa::discover(survey, &mut crypto);
    ap::discover(survey, &mut crypto);
    accelerator::discover(survey, &mut crypto);
    uacce::discover(survey, &mut crypto);
    crypto.instructions = instruction::discover(survey);
    algorithm::discover(survey, &mut crypto);
    crypto.hwrng = hwrng::discover(survey);
    crypto
}

/// Reads again what changes without an event. What takes a deep look stays as the last one had it.
pub fn refresh(crypto: &mut Crypto, survey: &Survey<'_>) {
    let fresh = discover(survey);
    macro_rules! take {
        ($($table:ident)*) => {$(
            for row in &mut crypto.$table {
                if let Some(new) = fresh.$table.iter().find(|new| new.id == row.id) {
                    row.now.clone_from(&new.now);
                }
            }
        )*};
    }
    take!(dsa work_queues uacce ap_cards ap_queues implementations);
    for row in &mut crypto.accelerators {
        if let Some(new) = fresh.accelerators.iter().find(|new| new.id == row.id) {
            row.now.renew(&new.now, survey.deep());
        }
    }
    for row in &mut crypto.qat {
        if let Some(new) = fresh.qat.iter().find(|new| new.id == row.id) {
            row.now.renew(&new.now, survey.deep());
        }
    }
    if let (Some(row), Some(new)) = (&mut crypto.hwrng, &fresh.hwrng) {
        row.now.clone_from(&new.now);
    }
}

/// Whether a PCI function may have a row here.
pub(crate) fn may_have(function: &Identity) -> bool {
    accelerator::is_one(function)
}

/// Whether a device of virtio may have a row here, by its modalias.
pub(crate) fn may_have_virtio(modalias: &str) -> bool {
    accelerator::is_virtio_crypto(modalias)
}

#[cfg(test)]
mod tests;
