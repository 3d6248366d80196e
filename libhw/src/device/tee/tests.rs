use crate::device::tee::{Host, Name, Tee};
use crate::inventory::Class;
use crate::survey::{Problem, Survey};
use crate::tree::{Tree, told};
use crate::units::Bytes;

fn read(tree: &Tree) -> (Tee, Vec<Problem>) {
    let inventory = tree.discover(Class::Tee);
    (inventory.tee.unwrap(), inventory.problems)
}

/// Of each technology its name, what it says of the host, and whether this is a guest.
fn seen(files: &[(&str, &str)]) -> Vec<(Name, Host, bool)> {
    let (tee, problems) = read(&Tree::new(files));
    assert_eq!(told(&problems), []);
    let technologies = tee.technologies.iter();
    technologies
        .map(|one| (one.id, one.host, one.guest))
        .collect()
}

const KVM_AMD: &str = "sys/module/kvm_amd/parameters";

#[test]
fn a_host_of_sev_is_told_from_a_guest() {
    let (sev, es, snp) = (
        format!("{KVM_AMD}/sev"),
        format!("{KVM_AMD}/sev_es"),
        format!("{KVM_AMD}/sev_snp"),
    );
    let host = [
        (sev.as_str(), "Y\n"),
        (es.as_str(), "Y\n"),
        (snp.as_str(), "N\n"),
        ("sys/class/misc/sev/dev", "10:124\n"),
    ];
    assert_eq!(
        seen(&host),
        [
            (Name::Sev, Host::Enabled, false),
            (Name::SevEs, Host::Enabled, false),
            (Name::SevSnp, Host::Disabled, false),
        ]
    );
    // A key device alone says nothing of the hypervisor.
    assert_eq!(seen(&host[3..]), [(Name::Sev, Host::Unknown, false)]);
    let guest = [("sys/class/misc/sev-guest/dev", "10:1\n")];
    assert_eq!(seen(&guest), [(Name::SevSnp, Host::Unknown, true)]);
    let guest = [("sys/devices/system/cpu/sev/vmpl", "0\n")];
    assert_eq!(seen(&guest), [(Name::SevSnp, Host::Unknown, true)]);
}

/// A file, its text, and what it is a sign of.
const SIGNS: &[(&str, &str, (Name, Host, bool))] = &[
    (
        "sys/module/kvm_intel/parameters/tdx",
        "Y\n",
        (Name::Tdx, Host::Enabled, false),
    ),
    (
        "sys/class/misc/tdx_guest/dev",
        "10:1\n",
        (Name::Tdx, Host::Unknown, true),
    ),
    (
        "sys/class/misc/sgx_enclave/dev",
        "10:1\n",
        (Name::Sgx, Host::Enabled, false),
    ),
    (
        "sys/devices/platform/arm-cca-dev/uevent",
        "",
        (Name::Cca, Host::Unknown, true),
    ),
    (
        "proc/cmdline",
        "ro kvm-arm.mode=protected quiet\n",
        (Name::Pkvm, Host::Enabled, false),
    ),
    (
        "sys/firmware/uv/prot_virt_host",
        "1\n",
        (Name::SecureExecution, Host::Enabled, false),
    ),
    (
        "sys/firmware/uv/prot_virt_guest",
        "1\n",
        (Name::SecureExecution, Host::Unknown, true),
    ),
    (
        "sys/devices/system/cpu/svm",
        "1\n",
        (Name::Pef, Host::Unknown, true),
    ),
    (
        "sys/class/misc/nitro_enclaves/dev",
        "10:1\n",
        (Name::Nitro, Host::Enabled, false),
    ),
    (
        "sys/class/misc/nsm/dev",
        "10:1\n",
        (Name::Nitro, Host::Unknown, true),
    ),
];

#[test]
fn every_other_technology_has_its_own_sign() {
    for (path, text, expected) in SIGNS {
        assert_eq!(seen(&[(*path, *text)]), [*expected], "{path}");
    }
    for (path, text) in [
        ("proc/cmdline", "kvm-arm.mode=protected-not\n"),
        ("sys/firmware/uv/prot_virt_guest", "0\n"),
        ("sys/devices/system/cpu/svm", "0\n"),
    ] {
        assert_eq!(seen(&[(path, text)]), [], "{path}");
    }
}

#[test]
fn capacities_are_told_and_how_much_is_in_use_is_read_again() {
    let tree = Tree::new(&[
        (
            "sys/fs/cgroup/misc.capacity",
            "sev 410\nsev_es 99\nsgx_epc 66318110720\nnew_thing 1\n",
        ),
        (
            "sys/fs/cgroup/misc.current",
            "sev 3\nsev_es 0\nsgx_epc 4096\nnew_thing 0\n",
        ),
    ]);
    let (mut tee, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let of = |tee: &Tee| {
        let all = tee.technologies.iter();
        all.map(|one| (one.id, one.capacity, one.now.used))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(&tee),
        [
            (Name::Sev, Some(410), Some(3)),
            (Name::SevEs, Some(99), Some(0)),
            (Name::Sgx, Some(66_318_110_720), Some(4096)),
        ]
    );
    tree.write("sys/fs/cgroup/misc.current", "sev 4\n");
    let root = tree.root();
    super::refresh(&mut tee, &Survey::new(&root, "tee", false, false));
    assert_eq!(of(&tee)[0], (Name::Sev, Some(410), Some(4)));
    assert_eq!(of(&tee)[1].2, None);
}

#[test]
fn protected_memory_is_told_by_node_and_trusted_systems_with_their_applications() {
    let tree = Tree::new(&[
        (
            "sys/devices/system/node/node0/x86/sgx_total_bytes",
            "2126512128\n",
        ),
        ("sys/devices/system/node/node1/x86/sgx_total_bytes", "0\n"),
        ("sys/class/tee/tee0/rpmb_routing_model", "kernel\n"),
        ("sys/class/tee/teepriv0/dev", "247:16\n"),
        (
            "sys/bus/tee/devices/optee-ta-80a4c275-0a47-4905-8285-1486a9771a08/uevent",
            "",
        ),
        ("sys/devices/platform/firmware:optee/uevent", ""),
        ("sys/kernel/config/tsm/report/x", ""),
    ]);
    tree.link(
        "sys/class/tee/tee0/device",
        "../../../devices/platform/firmware:optee",
    );
    tree.link(
        "sys/devices/platform/firmware:optee/driver",
        "../../../bus/platform/drivers/optee",
    );
    let (tee, problems) = read(&tree);
    assert_eq!(told(&problems), []);
    let epc: Vec<_> = tee
        .sgx_epc
        .iter()
        .map(|epc| (epc.id, epc.size_bytes))
        .collect();
    assert_eq!(epc, [(0, Bytes(2_126_512_128))]);
    let [optee] = tee.trusted_os.as_slice() else {
        panic!("{tee:?}");
    };
    assert_eq!(
        (optee.id.as_str(), optee.driver.as_deref()),
        ("tee0", Some("optee"))
    );
    assert_eq!(optee.rpmb_routing_model.as_deref(), Some("kernel"));
    assert_eq!(optee.applications.len(), 1);
    assert!(tee.report);
}

#[test]
fn a_tree_without_any_is_no_problem_and_a_spoilt_one_tells_each_file() {
    let (tee, problems) = read(&Tree::new(&[]));
    assert_eq!((tee, problems), (Tee::default(), Vec::new()));
    for text in ["", "\0\0", "rubbish\n", "99999999999999999999999\n"] {
        let tree = Tree::new(&[
            ("sys/class/misc/sgx_enclave/dev", "10:1\n"),
            ("sys/firmware/uv/query/max_guests", text),
            ("sys/devices/system/node/node0/x86/sgx_total_bytes", text),
        ]);
        tree.write(&format!("{KVM_AMD}/sev"), text);
        let (tee, problems) = read(&tree);
        assert_eq!(tee.technologies.len(), 1, "{text:?}: {tee:?}");
        assert_eq!(problems.len(), 3, "{text:?}: {problems:?}");
    }
    let tree = Tree::new(&[("sys/fs/cgroup/misc.capacity", "sev\nsev_es 7\n")]);
    tree.fail(&[("sys/class/misc", libc::EIO)]);
    let (tee, problems) = read(&tree);
    assert_eq!(tee.technologies[0].id, Name::SevEs);
    assert_eq!(
        told(&problems),
        [
            ("/sys/class/misc", "unreadable"),
            ("/sys/fs/cgroup/misc.capacity", "malformed"),
        ]
    );
}
