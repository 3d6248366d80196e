//! Facts of the host that are no file: what uname(2) and CPUID say. Recorded by a capture, and
//! answered from the record on a captured tree.

use crate::error::Result;
use crate::io::clock::{self, Discipline};
use crate::io::root::Root;

/// The architecture in uname's words, `x86_64`; `None` on a tree that has no record of it.
///
/// # Errors
/// When uname fails, or the record is damaged.
pub(crate) fn machine(root: &Root) -> Result<Option<String>> {
    root.probe("uname", || {
        let name = nix::sys::utsname::uname()?;
        Ok(Some(name.machine().to_string_lossy().into_owned()))
    })
}

/// The user as whom we run, getuid(2).
pub(crate) fn user() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// What a hypervisor calls itself in CPUID leaves 0x40000000 and 0x40000100: `KVMKVMKVM`, NUL-padded.
///
/// None on bare metal: an empty list. `None` where there is no CPUID, and on a tree without a record of it.
///
/// # Errors
/// When the record is damaged.
pub(crate) fn hypervisor_signatures(root: &Root) -> Result<Option<Vec<String>>> {
    root.probe("cpuid-hypervisor", || Ok(signatures()))
}

/// How the kernel keeps time (adjtimex(2)); `None` on a tree without a record of it.
///
/// # Errors
/// When a sandbox forbids to ask.
pub(crate) fn discipline(root: &Root) -> Result<Option<Discipline>> {
    root.probe("adjtimex", || Ok(Some(clock::discipline()?)))
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn signatures() -> Option<Vec<String>> {
    #[cfg(target_arch = "x86")]
    use std::arch::x86::__cpuid;
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::__cpuid;

    // Leaf 1, ECX bit 31: never set by a processor, always by a hypervisor that lets itself be seen.
    if __cpuid(1).ecx & (1 << 31) == 0 {
        return Some(Vec::new());
    }
    // A hypervisor that also offers Hyper-V's interface moves its own leaves 0x100 further on.
    let signature = |leaf| {
        let answer = __cpuid(leaf);
        let bytes = [answer.ebx, answer.ecx, answer.edx].map(u32::to_le_bytes);
        String::from_utf8_lossy(bytes.as_flattened()).into_owned()
    };
    Some([0x4000_0000, 0x4000_0100].map(signature).to_vec())
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
const fn signatures() -> Option<Vec<String>> {
    None
}
