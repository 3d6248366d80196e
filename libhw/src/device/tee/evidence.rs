//! Where the kernel shows that it can be a host of a technology, or is a guest of one.

use super::Name;

/// One sign.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// A switch of the hypervisor's module, and which way it stands: on or off.
    HostSwitch(&'static str),
    /// A device of /sys/class/misc that a host may have without being able to use it.
    Device(&'static str),
    /// A device of /sys/class/misc that only a host has which can use it.
    HostDevice(&'static str),
    /// A device of /sys/class/misc that only a guest has.
    GuestDevice(&'static str),
    /// A switch that a guest's kernel sets.
    GuestSwitch(&'static str),
    /// A directory that only a guest has.
    GuestDirectory(&'static str),
    /// A word of the kernel's command line that makes it a host.
    HostWord(&'static str),
    /// Its name in `misc.capacity` and `misc.current` of the misc cgroup controller.
    Misc(&'static str),
    /// A file with how many guests there can be.
    Capacity(&'static str),
}

/// Every sign of every technology.
pub(super) const SIGNS: &[(Name, Sign)] = &[
    (
        Name::Sev,
        Sign::HostSwitch("sys/module/kvm_amd/parameters/sev"),
    ),
    (Name::Sev, Sign::Device("sev")),
    (Name::Sev, Sign::Misc("sev")),
    (
        Name::SevEs,
        Sign::HostSwitch("sys/module/kvm_amd/parameters/sev_es"),
    ),
    (Name::SevEs, Sign::Misc("sev_es")),
    (
        Name::SevSnp,
        Sign::HostSwitch("sys/module/kvm_amd/parameters/sev_snp"),
    ),
    (Name::SevSnp, Sign::GuestDevice("sev-guest")),
    (
        Name::SevSnp,
        Sign::GuestDirectory("sys/devices/system/cpu/sev"),
    ),
    (
        Name::Tdx,
        Sign::HostSwitch("sys/module/kvm_intel/parameters/tdx"),
    ),
    (Name::Tdx, Sign::GuestDevice("tdx_guest")),
    (Name::Tdx, Sign::Misc("tdx")),
    (Name::Sgx, Sign::HostDevice("sgx_enclave")),
    (Name::Sgx, Sign::HostDevice("sgx_provision")),
    (Name::Sgx, Sign::HostDevice("sgx_vepc")),
    (Name::Sgx, Sign::Misc("sgx_epc")),
    (
        Name::Cca,
        Sign::GuestDirectory("sys/devices/platform/arm-cca-dev"),
    ),
    (Name::Pkvm, Sign::HostWord("kvm-arm.mode=protected")),
    (
        Name::SecureExecution,
        Sign::HostSwitch("sys/firmware/uv/prot_virt_host"),
    ),
    (
        Name::SecureExecution,
        Sign::GuestSwitch("sys/firmware/uv/prot_virt_guest"),
    ),
    (
        Name::SecureExecution,
        Sign::Capacity("sys/firmware/uv/query/max_guests"),
    ),
    (Name::Pef, Sign::GuestSwitch("sys/devices/system/cpu/svm")),
    (Name::Nitro, Sign::HostDevice("nitro_enclaves")),
    (Name::Nitro, Sign::GuestDevice("nsm")),
];
