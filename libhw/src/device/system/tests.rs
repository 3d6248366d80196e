use proptest::prelude::*;

use super::label::label;
use super::{Hypervisor, HypervisorKind, System, Unit, version};
use crate::inventory::Class;
use crate::survey::Problem;
use crate::tree::{Tree, told};

mod dmi;

fn read(tree: &Tree) -> (System, Vec<Problem>) {
    let inventory = tree.discover(Class::System);
    (inventory.system.unwrap(), inventory.problems)
}

fn system(files: &[(&str, &str)]) -> System {
    let (system, problems) = read(&Tree::new(files));
    assert_eq!(problems, [], "{files:?}");
    system
}

fn hypervisor(files: &[(&str, &str)]) -> Option<(String, HypervisorKind)> {
    let found = system(files).hypervisor?;
    Some((found.vendor, found.kind))
}

#[test]
fn the_kernel_and_the_machine_tell_who_they_are() {
    let system = system(&[
        ("proc/sys/kernel/hostname", "compute-0\n"),
        ("proc/sys/kernel/osrelease", "6.12.9-amd64\n"),
        (
            "proc/sys/kernel/version",
            "#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1\n",
        ),
        ("proc/sys/kernel/arch", "x86_64\n"),
        (
            "proc/sys/kernel/random/boot_id",
            "0b6f9a2e-0000-4000-8000-000000000001\n",
        ),
        ("etc/machine-id", "\n"),
        (
            "var/lib/dbus/machine-id",
            "0123456789abcdef0123456789abcdef\n",
        ),
    ]);
    assert_eq!(system.hostname.as_deref(), Some("compute-0"));
    assert_eq!(system.kernel_release.as_deref(), Some("6.12.9-amd64"));
    assert_eq!(
        system.kernel_version.as_deref(),
        Some("#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1")
    );
    assert_eq!(system.architecture.as_deref(), Some("x86_64"));
    assert_eq!(
        system.boot_id.as_deref(),
        Some("0b6f9a2e-0000-4000-8000-000000000001")
    );
    assert_eq!(
        system.machine_id.as_deref(),
        Some("0123456789abcdef0123456789abcdef")
    );
}

#[test]
fn proc_version_stands_in_for_what_a_tree_lacks() {
    let text = "Linux version 4.14.0-49.el7a.ppc64le (root@host) (gcc version 4.8.5 (Red Hat 4.8.5-28) (GCC)) #1 SMP Fri Mar 30 12:06:11 CDT 2018\n";
    let system = system(&[("proc/version", text)]);
    assert_eq!(
        system.kernel_release.as_deref(),
        Some("4.14.0-49.el7a.ppc64le")
    );
    assert_eq!(
        system.kernel_version.as_deref(),
        Some("#1 SMP Fri Mar 30 12:06:11 CDT 2018")
    );
    assert_eq!(system.architecture.as_deref(), Some("ppc64le"));
    assert_eq!(version("Linux version 6.1"), None);
}

#[test]
fn an_id_that_is_none_is_a_problem_and_an_unset_one_is_absent() {
    let tree = Tree::new(&[("etc/machine-id", "no id\n")]);
    let (system, problems) = read(&tree);
    assert_eq!(
        (system.machine_id, told(&problems)),
        (None, vec![("/etc/machine-id", "malformed")])
    );
    let tree = Tree::new(&[
        ("etc/machine-id", "uninitialized\n"),
        ("proc/sys/kernel/hostname", "(none)\n"),
    ]);
    assert_eq!(read(&tree), (System::default(), vec![]));
}

/// A file, its text, and the architecture that it tells of.
const ARCHITECTURES: &[(&str, &str, Option<&str>)] = &[
    ("gnomon/probes/uname.json", "\"riscv64\"", Some("riscv64")),
    (
        "proc/version",
        "Linux version 6.12.9-amd64 (u@h) (gcc) #1 SMP\n",
        Some("x86_64"),
    ),
    (
        "proc/version",
        "Linux version 6.1.0 (u@amd64-host) (aarch64-linux-gnu-gcc-12 (Debian) 12.2.0, GNU ld) #1 SMP\n",
        Some("aarch64"),
    ),
    (
        "proc/version",
        "Linux version 6.1.0 (u@h.x86_64) (gcc) #1 SMP\n",
        None,
    ),
    ("proc/cpuinfo", "flags\t\t: fpu lm nx\n", Some("x86_64")),
    (
        "proc/cpuinfo",
        "cpu family\t: 15\nfdiv_bug\t: no\nflags\t\t: fpu lm nx\n",
        Some("i686"),
    ),
    (
        "proc/cpuinfo",
        "cpu family\t: 5\nflags\t\t: fpu tsc\n",
        Some("i586"),
    ),
    (
        "proc/cpuinfo",
        "vendor_id       : IBM/S390\n",
        Some("s390x"),
    ),
    (
        "proc/cpuinfo",
        "Processor\t: ARMv7 Processor rev 4 (v7l)\n",
        Some("armv7l"),
    ),
    (
        "proc/cpuinfo",
        "Processor\t: AArch64 Processor rev 4 (aarch64)\n",
        Some("aarch64"),
    ),
    (
        "proc/cpuinfo",
        "CPU implementer\t: 0x41\nCPU architecture: 8\n",
        Some("aarch64"),
    ),
    ("proc/cpuinfo", "isa\t\t: rv64imafdc\n", Some("riscv64")),
    (
        "proc/cpuinfo",
        "ISA\t\t\t: loongarch32 loongarch64\n",
        Some("loongarch64"),
    ),
    (
        "proc/cpuinfo",
        "cpu\t\t: POWER7 (architected), altivec supported\n",
        Some("ppc64"),
    ),
    ("proc/cpuinfo", "cpu\t\t: POWER9, altivec supported\n", None),
    ("proc/cpuinfo", "type\t\t: sun4u\n", Some("sparc64")),
    ("proc/cpuinfo", "arch       : IA-64\n", Some("ia64")),
    ("proc/cpuinfo", "\0\0\n", None),
];

#[test]
fn the_architecture_is_drawn_from_what_a_tree_has() {
    for (path, text, expected) in ARCHITECTURES {
        let architecture = system(&[(path, text)]).architecture;
        assert_eq!(architecture.as_deref(), *expected, "{text:?}");
    }
}

#[test]
fn cpuid_names_the_hypervisor_and_is_believed_when_it_names_none() {
    for (answer, expected) in [
        (r#"["KVMKVMKVM\u0000\u0000\u0000", "\u0000"]"#, Some("kvm")),
        (r#"["Microsoft Hv", "\u0001\u0000"]"#, Some("hyper-v")),
        (
            r#"["Microsoft Hv", "KVMKVMKVM\u0000\u0000\u0000"]"#,
            Some("kvm"),
        ),
        (r#"["MyOwnMonitor", ""]"#, Some("MyOwnMonitor")),
        (r#"["\u0000", ""]"#, None),
        ("[]", None),
    ] {
        let files = [
            ("gnomon/probes/cpuid-hypervisor.json", answer),
            ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n"),
        ];
        let vendor = hypervisor(&files).map(|(vendor, _)| vendor);
        assert_eq!(vendor.as_deref(), expected, "{answer}");
    }
}

#[test]
fn a_damaged_answer_of_a_probe_is_a_problem() {
    let tree = Tree::new(&[("gnomon/probes/cpuid-hypervisor.json", "7")]);
    let (system, problems) = read(&tree);
    assert_eq!(system.hypervisor, None);
    let path = "/gnomon/probes/cpuid-hypervisor.json";
    assert_eq!(told(&problems), [(path, "malformed")]);
}

#[test]
fn xen_tells_how_it_runs_its_guests() {
    let full = [
        ("sys/hypervisor/type", "xen\n"),
        ("sys/hypervisor/guest_type", "HVM\n"),
        ("sys/hypervisor/version/major", "4\n"),
        ("sys/hypervisor/version/minor", "17\n"),
        ("sys/hypervisor/version/extra", ".2-pre\n"),
        (
            "sys/hypervisor/uuid",
            "00000000-0000-0000-0000-000000000000\n",
        ),
    ];
    let expected = Hypervisor {
        vendor: "xen".to_owned(),
        kind: HypervisorKind::Full,
        version: Some("4.17.2-pre".to_owned()),
        guest_name: None,
        guest_uuid: None,
    };
    assert_eq!(system(&full).hypervisor, Some(expected));
    let para = Some(("xen".to_owned(), HypervisorKind::Para));
    assert_eq!(hypervisor(&full[..1]), para);
    let old = [("proc/xen/capabilities", "control_d\n")];
    assert_eq!(hypervisor(&old), para);
}

#[test]
fn s390_tells_its_partition_its_guest_and_its_model() {
    let machine = "Manufacturer:         IBM             \n\
        Type:                 2964\n\
        Model:                703              N96             \n\
        Sequence Code:        00000000000829E7\n\
        LPAR Number:          71\n\
        LPAR Name:            S35LP67 \n";
    let partition = system(&[("proc/sysinfo", machine)]);
    let product = Unit {
        vendor: Some("IBM".to_owned()),
        name: Some("2964".to_owned()),
        version: Some("703 N96".to_owned()),
        serial: Some("00000000000829E7".to_owned()),
        ..Unit::default()
    };
    assert_eq!(partition.product, Some(product));
    let found = partition.hypervisor.unwrap();
    assert_eq!(
        (found.vendor.as_str(), found.kind),
        ("pr/sm", HypervisorKind::Partition)
    );
    assert_eq!(found.guest_name.as_deref(), Some("S35LP67"));

    let guest = format!(
        "{machine}VM00 Name:            LINUX1  \n\
        VM00 Control Program: z/VM    6.4.0   \n\
        VM01 Name:            OUTER\nVM01 Control Program: KVM/Linux\n"
    );
    let found = system(&[("proc/sysinfo", &guest)]).hypervisor.unwrap();
    assert_eq!(
        (found.vendor.as_str(), found.kind),
        ("z/vm", HypervisorKind::Full)
    );
    assert_eq!(found.version.as_deref(), Some("6.4.0"));
    assert_eq!(found.guest_name.as_deref(), Some("LINUX1"));
}

#[test]
fn the_device_tree_tells_model_compatible_and_hypervisor() {
    let tree = Tree::new(&[
        (
            "sys/firmware/devicetree/base/model",
            "Raspberry Pi 4 Model B Rev 1.4\0",
        ),
        (
            "sys/firmware/devicetree/base/compatible",
            "raspberrypi,4-model-b\0brcm,bcm2711\0",
        ),
        (
            "sys/firmware/devicetree/base/serial-number",
            "10000000abcdef01\0",
        ),
        (
            "sys/firmware/devicetree/base/hypervisor/compatible",
            "xen,xen-4.11\0xen,xen\0",
        ),
    ]);
    tree.directory("proc");
    tree.link("proc/device-tree", "/sys/firmware/devicetree/base");
    let (system, problems) = read(&tree);
    assert_eq!(problems, []);
    assert_eq!(
        system.devicetree_model.as_deref(),
        Some("Raspberry Pi 4 Model B Rev 1.4")
    );
    assert_eq!(
        system.devicetree_compatible,
        ["raspberrypi,4-model-b", "brcm,bcm2711"]
    );
    let product = system.product.unwrap();
    assert_eq!(product.serial.as_deref(), Some("10000000abcdef01"));
    assert_eq!(
        system.firmware.unwrap().interface.as_deref(),
        Some("devicetree")
    );
    let found = system.hypervisor.unwrap();
    assert_eq!(
        (found.vendor.as_str(), found.kind),
        ("xen", HypervisorKind::Para)
    );
}

const VENDOR: &str = "sys/class/dmi/id/sys_vendor";
const PRODUCT: &str = "sys/class/dmi/id/product_name";

type Found = Option<(&'static str, HypervisorKind)>;

/// A file, its text, and the hypervisor that it tells of.
const HYPERVISORS: &[(&str, &str, Found)] = &[
    (VENDOR, "QEMU\n", Some(("qemu", HypervisorKind::Full))),
    (
        VENDOR,
        "VMware, Inc.\n",
        Some(("vmware", HypervisorKind::Full)),
    ),
    (VENDOR, "Xenon Systems\n", None),
    (VENDOR, "Xen\n", Some(("xen", HypervisorKind::Full))),
    (
        PRODUCT,
        "VirtualBox\n",
        Some(("virtualbox", HypervisorKind::Full)),
    ),
    (
        PRODUCT,
        "CloudStack KVM Hypervisor\n",
        Some(("kvm", HypervisorKind::Full)),
    ),
    (PRODUCT, "PowerEdge R740\n", None),
    (
        "proc/cpuinfo",
        "flags : fpu hypervisor lm\n",
        Some(("unknown", HypervisorKind::Full)),
    ),
    ("proc/cpuinfo", "flags : fpu lm\n", None),
    (
        "proc/cpuinfo",
        "vendor_id : User Mode Linux\n",
        Some(("uml", HypervisorKind::Para)),
    ),
    (
        "proc/cpuinfo",
        "machine : CHRP IBM pSeries (emulated by qemu)\n",
        Some(("qemu", HypervisorKind::Full)),
    ),
    (
        "proc/device-tree/compatible",
        "linux,dummy-virt\0",
        Some(("qemu", HypervisorKind::Full)),
    ),
    (
        "proc/device-tree/ibm,partition-name",
        "lp1\0",
        Some(("powervm", HypervisorKind::Partition)),
    ),
    (
        "proc/powerpc/lparcfg",
        "lparcfg 1.9\nshared_processor_mode=1\n",
        Some(("powervm", HypervisorKind::Partition)),
    ),
];

#[test]
fn hypervisors_leave_their_names_in_many_places() {
    for (path, text, expected) in HYPERVISORS {
        let expected = expected.map(|(vendor, kind)| (vendor.to_owned(), kind));
        assert_eq!(hypervisor(&[(path, text)]), expected, "{path} {text:?}");
    }
}

#[test]
fn a_name_may_take_vendor_and_product_and_a_clouds_bare_machine_is_none() {
    let full = |vendor: &str| Some((vendor.to_owned(), HypervisorKind::Full));
    let windows = [
        (VENDOR, "Microsoft Corporation\n"),
        (PRODUCT, "Virtual Machine\n"),
    ];
    assert_eq!(hypervisor(&windows), full("hyper-v"));
    let metal = [(VENDOR, "Amazon EC2\n"), (PRODUCT, "m6g.metal\n")];
    assert_eq!(hypervisor(&metal), None);
    assert_eq!(hypervisor(&metal[..1]), full("kvm"));
}

proptest! {
    #[test]
    fn a_label_is_one_line_of_printable_text(text in "\\PC*[\\s\\S]*") {
        if let Some(kept) = label(&text) {
            prop_assert!(!kept.is_empty() && !kept.contains(char::is_control));
            prop_assert_eq!(label(&kept), Some(kept));
        }
    }
}
