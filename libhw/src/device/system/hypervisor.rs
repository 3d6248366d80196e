//! What the machine runs on, when it is a guest.
//!
//! Asked in this order, the surest first: /proc/sysinfo (s390), Xen's own files, CPUID (x86, where it is final
//! in both ways), the device tree, DMI's names, and the `hypervisor` flag, which tells that there is one and
//! not which.

use super::evidence::Evidence;
use super::{Hypervisor, HypervisorKind};
use crate::io::probe;
use crate::parse;

/// What a hypervisor calls itself in CPUID, NUL bytes and spaces trimmed, and our word for it.
const SIGNATURES: &[(&str, &str)] = &[
    ("ACRNACRNACRN", "acrn"),
    ("Apple VZ", "apple"),
    ("bhyve bhyve", "bhyve"),
    ("EVMMEVMMEVMM", "intel-kgt"),
    ("HAXMHAXMHAXM", "haxm"),
    ("Jailhouse", "jailhouse"),
    ("KVMKVMKVM", "kvm"),
    ("Linux KVM Hv", "kvm"),
    ("lrpepyh  vr", "parallels"),
    ("lrpepyh vr", "parallels"),
    ("Microsoft Hv", HYPER_V),
    ("MicrosoftXTA", "microsoft-xta"),
    ("OpenBSDVMM58", "openbsd-vmm"),
    ("prl hyperv", "parallels"),
    ("QNXQVMBSQG", "qnx"),
    ("SRESRESRESRE", "sre"),
    ("TCGTCGTCGTCG", "qemu"),
    ("UnisysSpar64", "unisys-s-par"),
    ("VBoxVBoxVBox", "virtualbox"),
    ("VMwareVMware", "vmware"),
    ("XenVMMXenVMM", "xen"),
    ("___ NVMM ___", "nvmm"),
];

/// Others offer its interface as well, to please Windows.
const HYPER_V: &str = "hyper-v";

/// What hypervisors write into a guest's DMI: whole words at the beginning of a name.
const DMI_NAMES: &[(&str, &str)] = &[
    ("Alibaba Cloud ECS", "kvm"),
    ("Amazon EC2", "kvm"),
    ("Apple Virtualization", "apple"),
    ("BHYVE", "bhyve"),
    ("CloudStack KVM", "kvm"),
    ("DigitalOcean Droplet", "kvm"),
    ("Google Compute Engine", "kvm"),
    ("Hetzner vServer", "kvm"),
    ("KVM", "kvm"),
    ("KubeVirt", "kvm"),
    ("Microsoft Corporation Virtual Machine", HYPER_V),
    ("Nutanix AHV", "kvm"),
    ("OpenStack", "kvm"),
    ("Parallels", "parallels"),
    ("QEMU", "qemu"),
    ("RHEL-AV", "kvm"),
    ("RHEV Hypervisor", "kvm"),
    ("VMware", "vmware"),
    ("VirtualBox", "virtualbox"),
    ("Xen", "xen"),
    ("innotek GmbH", "virtualbox"),
    ("oVirt Node", "kvm"),
    // QEMU's old default for the chassis, so it counts least.
    ("Bochs", "qemu"),
];

/// A device tree's `hypervisor/compatible`, or its root's, and our word for it.
const DEVICE_TREE_NAMES: &[(&str, &str)] = &[
    ("linux,kvm", "kvm"),
    ("xen,xen", "xen"),
    ("vmware", "vmware"),
    ("linux,dummy-virt", "qemu"),
    ("riscv-virtio", "qemu"),
    ("qemu,pseries", "qemu"),
];

/// The hypervisor; `None` on bare metal.
pub(super) fn discover(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    if let Some(found) = of_sysinfo(evidence).or_else(|| of_xen(evidence)) {
        return Some(found);
    }
    let survey = evidence.survey;
    match survey.keep(probe::hypervisor_signatures(survey.root())) {
        Some(signatures) => of_cpuid(&signatures),
        None => of_device_tree(evidence)
            .or_else(|| of_power_partition(evidence))
            .or_else(|| of_dmi(evidence))
            .or_else(|| of_cpuinfo(evidence)),
    }
}

fn named(vendor: &str, kind: HypervisorKind) -> Hypervisor {
    Hypervisor {
        vendor: vendor.to_owned(),
        kind,
        version: None,
        guest_name: None,
        guest_uuid: None,
    }
}

/// ```text
/// LPAR Name:            L16
/// VM00 Name:            rhel8-1
/// VM00 Control Program: z/VM    6.4.0
/// ```
///
/// VM00 is the innermost; outside of all is the partition.
fn of_sysinfo(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    let Some(program) = evidence.sysinfo("VM00 Control Program") else {
        evidence.sysinfo("LPAR Number")?;
        return Some(Hypervisor {
            guest_name: evidence.sysinfo("LPAR Name"),
            ..named("pr/sm", HypervisorKind::Partition)
        });
    };
    let (name, version) = program.split_once(' ').unwrap_or((program.as_str(), ""));
    let vendor = match name {
        "KVM/Linux" => "kvm",
        "z/VM" => "z/vm",
        other => other,
    };
    let name = evidence.sysinfo("VM00 Extended Name");
    Some(Hypervisor {
        version: parse::nonempty(version),
        guest_name: name.or_else(|| evidence.sysinfo("VM00 Name")),
        guest_uuid: evidence.sysinfo("VM00 UUID"),
        ..named(vendor, HypervisorKind::Full)
    })
}

/// `Documentation/ABI/stable/sysfs-hypervisor-xen`; before sysfs had it, only /proc/xen.
fn of_xen(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    let survey = evidence.survey;
    let Some(kind) = survey.text("sys/hypervisor/type") else {
        let old = !survey.names("proc/xen").is_empty();
        return old.then(|| named("xen", HypervisorKind::Para));
    };
    let part = |name: &str| survey.raw(&format!("sys/hypervisor/version/{name}"));
    let part = |name: &str| part(name).map(|text| parse::trim(&text).to_owned());
    let version = part("major").zip(part("minor"));
    let extra = part("extra").unwrap_or_default();
    let full = survey
        .text("sys/hypervisor/guest_type")
        .is_some_and(|guest| guest != "PV");
    Some(Hypervisor {
        version: version.map(|(major, minor)| format!("{major}.{minor}{extra}")),
        guest_uuid: survey
            .raw("sys/hypervisor/uuid")
            .and_then(|text| super::label::label(&text)),
        ..named(
            &kind,
            if full {
                HypervisorKind::Full
            } else {
                HypervisorKind::Para
            },
        )
    })
}

fn of_cpuid(signatures: &[String]) -> Option<Hypervisor> {
    let signatures = signatures.iter().filter_map(|text| parse::nonempty(text));
    let signatures: Vec<String> = signatures.collect();
    let known = signatures.iter().filter_map(|own| row(SIGNATURES, own));
    let known: Vec<&str> = known.collect();
    let other = known.iter().find(|vendor| **vendor != HYPER_V);
    let vendor = other.or(known.first()).copied();
    let vendor = vendor.or(signatures.first().map(String::as_str))?;
    Some(named(vendor, HypervisorKind::Full))
}

fn row(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let row = table.iter().find(|(own, _)| *own == name)?;
    Some(row.1)
}

fn of_device_tree(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    let own = evidence.device_tree_list("hypervisor/compatible");
    let names = own
        .iter()
        .chain(evidence.device_tree_list("compatible").iter())
        .find_map(|name| row(DEVICE_TREE_NAMES, name));
    let vendor = names.or(own.first().map(String::as_str))?;
    // Who stands in the device tree is there to be called.
    let kind = if own.is_empty() {
        HypervisorKind::Full
    } else {
        HypervisorKind::Para
    };
    Some(named(vendor, kind))
}

/// PowerVM names the partition in the device tree; without one, only a partition has shared processors.
fn of_power_partition(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    let guest_name = evidence.device_tree_label("ibm,partition-name");
    let names = evidence.device_tree.names();
    let managed = names.iter().any(|name| name == "hmc-managed?");
    let configured = || {
        ["proc/powerpc/lparcfg", "proc/ppc64/lparcfg"]
            .iter()
            .filter_map(|path| evidence.survey.raw(path))
            .any(|text| text.contains("shared_processor_mode="))
    };
    let partition = guest_name.is_some() || managed || configured();
    partition.then(|| Hypervisor {
        guest_name,
        ..named("powervm", HypervisorKind::Partition)
    })
}

fn of_dmi(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    if !evidence.dmi.is_present() {
        return None;
    }
    let label = |name: &str| evidence.dmi_label(name).unwrap_or_default();
    let (vendor, product) = (label("sys_vendor"), label("product_name"));
    // A cloud's bare machines carry its name too.
    if product.contains(".metal") {
        return None;
    }
    let both = format!("{vendor} {product}");
    let rest = ["board_vendor", "bios_vendor", "chassis_vendor"].map(label);
    let labels: Vec<String> = [vendor, product, both].into_iter().chain(rest).collect();
    let (_, vendor) = DMI_NAMES
        .iter()
        .find(|(name, _)| labels.iter().any(|label| begins_with_words(label, name)))?;
    Some(named(vendor, HypervisorKind::Full))
}

/// Xen is no Xenon.
fn begins_with_words(label: &str, words: &str) -> bool {
    let rest = label.strip_prefix(words);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphabetic()))
}

fn of_cpuinfo(evidence: &Evidence<'_>) -> Option<Hypervisor> {
    if evidence.cpuinfo("vendor_id") == Some("User Mode Linux") {
        return Some(named("uml", HypervisorKind::Para));
    }
    let machine = evidence.cpuinfo("machine").unwrap_or_default();
    if machine.contains("emulated by qemu") {
        return Some(named("qemu", HypervisorKind::Full));
    }
    let mut flags = evidence.cpuinfo("flags")?.split(' ');
    let flagged = flags.any(|flag| flag == "hypervisor");
    flagged.then(|| named("unknown", HypervisorKind::Full))
}
