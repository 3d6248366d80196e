use super::*;
use crate::inventory::{Class, Inventory, Scope, discover as discover_all};
use crate::tree::{Tree, told};

fn software(tree: &Tree, deep: bool) -> (Software, Inventory) {
    let scope = Scope {
        classes: vec![Class::Software],
        deep,
        ..Scope::default()
    };
    let inventory = discover_all(&tree.root(), &scope);
    (inventory.software.clone().unwrap(), inventory)
}

#[test]
fn the_system_is_told_by_its_own_file_or_the_vendors() {
    let tree = Tree::new(&[(
        "usr/lib/os-release",
        "ID=rhel\nVERSION_ID=\"9.3\"\nSUPPORT_END=2032-05-31\n",
    )]);
    let os = software(&tree, false).0.os.unwrap();
    assert_eq!(
        (
            os.id.as_str(),
            os.version_id.as_deref(),
            os.support_end.as_deref()
        ),
        ("rhel", Some("9.3"), Some("2032-05-31"))
    );
    tree.write("etc/os-release", "ID=own\n");
    assert_eq!(software(&tree, false).0.os.unwrap().id, "own");
    assert_eq!(software(&Tree::new(&[("proc/x", "")]), false).0.os, None);
}

fn efi(secure_boot: u8) -> Tree {
    let tree = Tree::new(&[
        ("sys/firmware/efi/fw_platform_size", "64\n"),
        ("sys/firmware/efi/systab", ""),
    ]);
    let mut parameters = vec!['\0'; 0x1000];
    parameters[0x1ec] = char::from(secure_boot);
    tree.write(
        "sys/kernel/boot_params/data",
        &parameters.into_iter().collect::<String>(),
    );
    tree
}

#[test]
fn secure_boot_is_what_the_loader_saw_and_on_request_what_the_firmware_says() {
    const OWNER: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
    for (byte, state) in [
        (0, None),
        (1, Some(SecureBoot::Unknown)),
        (2, Some(SecureBoot::Disabled)),
        (3, Some(SecureBoot::Enabled)),
    ] {
        let boot = software(&efi(byte), false).0.boot;
        assert_eq!(
            (boot.efi, boot.efi_bits, boot.secure_boot),
            (true, Some(64), state)
        );
    }
    for (secure, setup, state) in [
        ("\u{1}", "\0", SecureBoot::Enabled),
        ("\0", "\u{1}", SecureBoot::SetupMode),
        ("\0", "\0", SecureBoot::Disabled),
    ] {
        let tree = efi(1);
        tree.write(
            &format!("sys/firmware/efi/efivars/SecureBoot-{OWNER}"),
            &format!("\u{6}\0\0\0{secure}"),
        );
        tree.write(
            &format!("sys/firmware/efi/efivars/SetupMode-{OWNER}"),
            &format!("\u{6}\0\0\0{setup}"),
        );
        assert_eq!(software(&tree, true).0.boot.secure_boot, Some(state));
        assert_eq!(
            software(&tree, false).0.boot.secure_boot,
            Some(SecureBoot::Unknown)
        );
        tree.write(
            &format!("sys/firmware/efi/efivars/SecureBoot-{OWNER}"),
            "\u{6}",
        );
        assert_eq!(
            software(&tree, true).0.boot.secure_boot,
            Some(SecureBoot::Unknown)
        );
    }
    assert_eq!(
        software(&Tree::new(&[("sys/x", "")]), true).0.boot,
        Boot::default()
    );
}

#[test]
fn firmware_tells_how_its_last_update_went() {
    let tree = efi(0);
    for (entry, kind, status) in [(0, "1", "0"), (1, "2", "5"), (10, "9", "4096")] {
        for (name, text) in [
            ("fw_class", "34578c72-11dc-4378-bc7f-b643866f598c"),
            ("fw_type", kind),
            ("fw_version", "65586"),
            ("lowest_supported_fw_version", "65585"),
            ("last_attempt_version", "65587"),
            ("last_attempt_status", status),
            ("capsule_flags", "0x0"),
        ] {
            tree.write(
                &format!("sys/firmware/efi/esrt/entries/entry{entry}/{name}"),
                &format!("{text}\n"),
            );
        }
    }
    let (software, inventory) = software(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let told: Vec<_> = software
        .firmware_resources
        .iter()
        .map(|one| (one.id, one.kind, one.last_attempt_status))
        .collect();
    assert_eq!(
        told,
        [
            (0, Some(FirmwareKind::System), Some(UpdateStatus::Success)),
            (
                1,
                Some(FirmwareKind::Device),
                Some(UpdateStatus::AuthenticationError)
            ),
            (
                10,
                Some(FirmwareKind::Unknown(9)),
                Some(UpdateStatus::Unknown(4096))
            ),
        ]
    );
    assert_eq!(
        serde_json::to_string(&UpdateStatus::Unknown(4096)).unwrap(),
        "4096"
    );
    assert_eq!(
        serde_json::from_str::<UpdateStatus>("\"authentication_error\"").unwrap(),
        UpdateStatus::AuthenticationError
    );
}

/// A kernel that can choose how it preempts itself.
const KERNEL: &[(&str, &str)] = &[
    (
        "proc/version",
        "Linux version 6.12.1-rt (a@b) (gcc-14 (Debian) 14.2) #1 SMP PREEMPT_DYNAMIC Debian\n",
    ),
    ("proc/sys/kernel/osrelease", "6.12.1-rt\n"),
    ("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC Debian\n"),
    ("proc/cmdline", "ro preempt=voluntary\n"),
    ("proc/1/comm", "systemd\n"),
    ("sys/kernel/oops_count", "2\n"),
    ("sys/kernel/warn_count", "0\n"),
    ("sys/kernel/realtime", "0\n"),
    ("sys/kernel/kexec_crash_loaded", "1\n"),
    ("sys/kernel/kexec_crash_size", "268435456\n"),
    (
        "sys/kernel/debug/sched/preempt",
        "none voluntary (full) lazy \n",
    ),
    ("boot/config-6.12.1-rt", "CONFIG_HZ=1000\n"),
];

#[test]
fn the_kernel_tells_how_it_preempts_and_what_went_wrong_in_it() {
    let tree = Tree::new(KERNEL);
    let (mut shallow, inventory) = software(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let kernel = &shallow.kernel;
    assert_eq!(
        (kernel.preemption, kernel.realtime),
        (Some(Preemption::Voluntary), false)
    );
    assert_eq!(
        (kernel.build.as_deref(), kernel.init.as_deref()),
        (Some("1"), Some("systemd"))
    );
    assert_eq!(
        kernel.crash_kernel,
        Some(CrashKernel {
            loaded: true,
            reserved_bytes: Some(crate::units::Bytes(256 << 20))
        })
    );
    assert_eq!(
        (
            kernel.now.oopses,
            kernel.now.warnings,
            kernel.now.rcu_stalls
        ),
        (Some(2), Some(0), None)
    );
    assert!(kernel.config.is_empty());
    let deep = software(&tree, true).0.kernel;
    assert_eq!(
        (deep.preemption, deep.config.len()),
        (Some(Preemption::Full), 1)
    );
    tree.write("sys/kernel/oops_count", "3\n");
    tree.write("proc/sys/kernel/tainted", "128\n");
    tree.write("run/reboot-required", "*** System restart required ***\n");
    tree.write(
        "run/reboot-required.pkgs",
        "linux-base\nlibc6\nlinux-base\n",
    );
    let root = tree.root();
    refresh(&mut shallow, &Survey::new(&root, "software", false, false));
    assert_eq!(shallow.kernel.now.oopses, Some(3));
    assert_eq!(shallow.taints[0].kind, TaintKind::Died);
    assert!(shallow.reboot.marked);
    assert_eq!(shallow.reboot.packages, ["libc6", "linux-base"]);
}

#[test]
fn files_that_newer_kernels_moved_are_found() {
    let tree = Tree::new(&[
        ("sys/kernel/kexec/crash_loaded", "0\n"),
        ("sys/kernel/kexec/crash_size", "0\n"),
    ]);
    assert_eq!(
        software(&tree, false)
            .0
            .kernel
            .crash_kernel
            .map(|crash| crash.loaded),
        Some(false)
    );
}

/// Two modules, a part of the kernel with a parameter, and one without.
const MODULES: &[(&str, &str)] = &[
    (
        "proc/modules",
        "zfs 3706880 6 - Live 0x0000000000000000 (POE)\next4 1000 2 - Live 0x0\n",
    ),
    ("sys/module/zfs/version", "2.1.11-1\n"),
    ("sys/module/zfs/srcversion", "ABCDEF\n"),
    ("sys/module/zfs/parameters/zfs_arc_max", "0\n"),
    ("sys/module/zfs/parameters/secret_key", "x\n"),
    ("sys/module/zfs/parameters/broken", "x\n"),
    ("sys/module/printk/parameters/time", "Y\n"),
    ("sys/module/acpi/uevent", ""),
];

#[test]
fn modules_tell_their_versions_and_parameters_on_request() {
    let tree = Tree::new(MODULES);
    tree.fail(&[("sys/module/zfs/parameters/broken", 5)]);
    let (mut shallow, _) = software(&tree, false);
    assert_eq!(
        shallow
            .modules
            .iter()
            .map(|module| module.id.as_str())
            .collect::<Vec<_>>(),
        ["ext4", "zfs"]
    );
    assert_eq!(shallow.modules[1].version, None);
    let (deep, inventory) = software(&tree, true);
    assert_eq!(told(&inventory.problems), []);
    let ids: Vec<_> = deep
        .modules
        .iter()
        .map(|module| (module.id.as_str(), module.built_in))
        .collect();
    assert_eq!(ids, [("ext4", false), ("printk", true), ("zfs", false)]);
    let zfs = &deep.modules[2];
    assert_eq!(
        (
            zfs.version.as_deref(),
            zfs.source_version.as_deref(),
            zfs.taint.as_deref()
        ),
        (Some("2.1.11-1"), Some("ABCDEF"), Some("POE"))
    );
    let parameters: Vec<_> = zfs
        .parameters
        .iter()
        .map(|one| (one.id.as_str(), one.value.as_deref()))
        .collect();
    assert_eq!(
        parameters,
        [("secret_key", None), ("zfs_arc_max", Some("0"))]
    );
    tree.write("proc/modules", "zfs 3706880 7 - Live 0x0 (POE)\n");
    let root = tree.root();
    refresh(&mut shallow, &Survey::new(&root, "software", false, false));
    assert_eq!(
        (
            shallow.modules[0].now.references,
            shallow.modules[1].now.references
        ),
        (None, Some(7))
    );
}

#[test]
fn what_the_kernel_enforces_is_read_from_what_is_there() {
    let tree = Tree::new(&[
        (
            "sys/kernel/security/lsm",
            "lockdown,capability,yama,selinux",
        ),
        (
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
        ),
        ("sys/fs/selinux/enforce", "1"),
        ("sys/kernel/livepatch/kpatch_1/enabled", "1\n"),
        ("sys/kernel/livepatch/kpatch_1/transition", "0\n"),
    ]);
    let (software, inventory) = software(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    assert_eq!(
        software.security.modules,
        ["lockdown", "capability", "yama", "selinux"]
    );
    assert_eq!(
        (
            software.security.lockdown,
            software.security.selinux_enforcing
        ),
        (Some(Lockdown::Integrity), Some(true))
    );
    assert_eq!(software.livepatches[0].enabled, Some(true));
}

#[test]
fn a_kernel_without_its_modules_is_not_installed() {
    let tree = Tree::new(&[
        ("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"),
        ("lib/modules/6.1.0-18-amd64/modules.dep", ""),
        ("lib/modules/6.1.0-20-amd64/modules.dep", ""),
        ("lib/modules/6.1.0-21-amd64/updates/dkms/x.ko", ""),
    ]);
    let reboot = software(&tree, false).0.reboot;
    assert_eq!(reboot.newer_kernel.as_deref(), Some("6.1.0-20-amd64"));
    assert_eq!(reboot.kernels, ["6.1.0-18-amd64", "6.1.0-20-amd64"]);
    assert!(!reboot.marked);
}

/// Every file that the class reads.
const FILES: [&str; 25] = [
    "etc/os-release",
    "proc/version",
    "proc/cmdline",
    "proc/modules",
    "proc/1/comm",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/version",
    "proc/sys/kernel/tainted",
    "proc/sys/crypto/fips_enabled",
    "run/reboot-required.pkgs",
    "boot/config-1",
    "sys/firmware/efi/fw_platform_size",
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
    "sys/firmware/efi/esrt/entries/entry0/fw_type",
    "sys/firmware/efi/esrt/entries/entry0/last_attempt_status",
    "sys/kernel/boot_params/data",
    "sys/kernel/realtime",
    "sys/kernel/oops_count",
    "sys/kernel/kexec_crash_loaded",
    "sys/kernel/kexec_crash_size",
    "sys/kernel/security/lsm",
    "sys/kernel/security/lockdown",
    "sys/kernel/livepatch/p/enabled",
    "sys/kernel/debug/sched/preempt",
    "sys/module/m/parameters/p",
];

#[test]
fn a_broken_file_hides_no_other_and_breaks_nothing() {
    for odd in [
        "",
        "\0",
        "(null)\n",
        "99999999999999999999999\n",
        "\u{fffd}\u{1}",
        "a b c d e\n",
        "=\n\"",
        "#\n",
        ") #\n",
        "18446744073709551615\n",
    ] {
        let mut tree = Tree::new(&[]);
        for path in FILES {
            tree.write(path, odd);
        }
        for deep in [false, true] {
            let (_, inventory) = software(&tree, deep);
            let json = serde_json::to_string(&inventory).unwrap();
            assert_eq!(
                serde_json::from_str::<Inventory>(&json).unwrap(),
                inventory,
                "{odd:?}"
            );
        }
        tree = Tree::new(&[]);
        for path in FILES {
            tree.write(path, "1\n");
            tree.fail(&FILES.map(|path| (path, 5)));
        }
        let (_, inventory) = software(&tree, true);
        assert!(
            told(&inventory.problems)
                .iter()
                .all(|(_, reason)| *reason == "unreadable")
        );
    }
}

#[test]
fn a_machine_without_any_of_it_has_no_problems() {
    let (software, inventory) = software(&Tree::new(&[("proc/x", "")]), true);
    assert_eq!(
        (software, inventory.problems.len()),
        (Software::default(), 0)
    );
}
