use crate::device::bmc::{
    Address, AddressOrigin, AddressSpace, Bmc, Controller, DeviceSupport, DeviceType,
    HostInterfaceType, InterfaceType, ProtocolType,
};
use crate::inventory::Class;
use crate::io::root::Root;
use crate::survey::{Problem, Survey};
use crate::tree::{Tree, told};

mod tables;

const BMC: &str = "sys/devices/platform/ipmi_bmc.0";
const KCS: &str = "sys/devices/pci0000:00/0000:00:1f.0/IPI0001:00";

fn read(tree: &Tree) -> (Bmc, Vec<Problem>) {
    let inventory = tree.discover(Class::Bmc);
    (inventory.bmc.unwrap(), inventory.problems)
}

fn deep(tree: &Tree) -> (Bmc, Vec<Problem>) {
    let inventory = tree.discover_deep(Class::Bmc);
    (inventory.bmc.unwrap(), inventory.problems)
}

/// A KCS behind a bridge, as Linux 6.12 shows it, without the driver of its device file.
fn bare() -> Tree {
    let tree = Tree::new(&[]);
    for (name, text) in [
        ("type", "kcs\n"),
        ("params", "kcs,i/o,0xca2,rsp=1,rsi=1,rsh=0,irq=5,ipmb=32\n"),
        ("interrupts_enabled", "1\n"),
        ("complete_transactions", "8\n"),
        ("hosed_count", "0\n"),
        ("nr_users", "2\n"),
        ("nr_msgs", "0\n"),
    ] {
        tree.write(&format!("{KCS}/{name}"), text);
    }
    for (name, text) in [
        ("device_id", "32\n"),
        ("revision", "1\n"),
        ("firmware_revision", "2.7\n"),
        ("aux_firmware_revision", "0x00 0x01 0x02 0x03\n"),
        ("ipmi_version", "2.0\n"),
        ("manufacturer_id", "0x0002a2\n"),
        ("product_id", "0x0100\n"),
        ("provides_device_sdrs", "1\n"),
        ("additional_device_support", "0xbf\n"),
        ("guid", "6c616221-0002-4000-8000-0000000000b7\n"),
    ] {
        tree.write(&format!("{BMC}/{name}"), text);
    }
    tree.directory("sys/bus/platform/drivers/ipmi_si");
    tree.directory("sys/bus/platform/devices");
    for (path, target) in [
        (
            format!("{KCS}/driver"),
            "../../../../bus/platform/drivers/ipmi_si",
        ),
        (format!("{KCS}/bmc"), "../../../platform/ipmi_bmc.0"),
        (
            format!("{BMC}/ipmi0"),
            "../../pci0000:00/0000:00:1f.0/IPI0001:00",
        ),
        (
            "sys/bus/platform/devices/ipmi_bmc.0".to_owned(),
            "../../../devices/platform/ipmi_bmc.0",
        ),
    ] {
        tree.link(&path, target);
    }
    tree.directory("sys/bus/platform/drivers/ipmi");
    tree.link(
        "sys/bus/platform/drivers/ipmi/ipmi_bmc.0",
        "../../../../devices/platform/ipmi_bmc.0",
    );
    tree
}

/// The same with its device file.
fn whole() -> Tree {
    let tree = bare();
    let file = format!("{KCS}/ipmi/ipmi0");
    tree.write(
        &format!("{file}/uevent"),
        "MAJOR=244\nMINOR=0\nDEVNAME=ipmi0\n",
    );
    tree.link(&format!("{file}/device"), "../../../IPI0001:00");
    tree.directory("sys/class/ipmi");
    let target = "../../devices/pci0000:00/0000:00:1f.0/IPI0001:00/ipmi/ipmi0";
    tree.link("sys/class/ipmi/ipmi0", target);
    tree
}

#[test]
fn an_interface_tells_what_leads_to_the_bmc() {
    let (bmc, problems) = read(&whole());
    assert_eq!(problems, []);
    let [interface] = bmc.interfaces.as_slice() else {
        panic!("{bmc:?}");
    };
    assert_eq!(interface.id, "ipmi0");
    assert_eq!(interface.interface_type, Some(InterfaceType::Kcs));
    assert_eq!(interface.driver.as_deref(), Some("ipmi_si"));
    assert_eq!(interface.device.as_deref(), Some("IPI0001:00"));
    assert_eq!(interface.device_file.as_deref(), Some("/dev/ipmi0"));
    assert_eq!(interface.device_number.as_deref(), Some("244:0"));
    assert_eq!(interface.function.as_deref(), Some("0000:00:1f.0"));
    let address = interface.address.as_ref().unwrap();
    assert_eq!((&address.space, address.base), (&AddressSpace::Io, 0xca2));
    assert_eq!((interface.irq, interface.ipmb_address), (Some(5), Some(32)));
    assert_eq!(interface.controller.as_deref(), Some("ipmi_bmc.0"));
    assert_eq!(interface.now.interrupts_enabled, Some(true));
    assert_eq!(interface.now.users, Some(2));
    assert_eq!(interface.now.counters["complete_transactions"], 8);
    let controller = Controller {
        id: "ipmi_bmc.0".to_owned(),
        deep: None,
    };
    assert_eq!(bmc.controllers, [controller]);
}

#[test]
fn without_the_driver_of_its_device_file_an_interface_is_told_all_the_same() {
    let (bare, problems) = read(&bare());
    assert_eq!(problems, []);
    let (mut whole, _) = read(&whole());
    whole.interfaces[0].device_file = None;
    whole.interfaces[0].device_number = None;
    assert_eq!(bare, whole);
}

#[test]
fn a_bmc_is_asked_in_a_deep_look_alone() {
    let (bmc, problems) = deep(&whole());
    assert_eq!(problems, []);
    let id = bmc.controllers[0].deep.as_ref().unwrap();
    assert_eq!((id.device_id, id.revision), (Some(32), Some(1)));
    assert_eq!(id.firmware_revision.as_deref(), Some("2.07"));
    assert_eq!(
        id.aux_firmware_revision.as_deref(),
        Some("0x00 0x01 0x02 0x03")
    );
    assert_eq!(id.ipmi_version.as_deref(), Some("2.0"));
    assert_eq!(
        (id.manufacturer_id, id.product_id),
        (Some(674), Some(0x100))
    );
    assert_eq!(id.provides_device_sdrs, Some(true));
    let support = id.additional_device_support.as_ref().unwrap();
    assert_eq!(support.len(), 7);
    assert!(!support.contains(&DeviceSupport::Bridge), "{support:?}");
    assert!(support.contains(&DeviceSupport::Chassis), "{support:?}");
    assert_eq!(
        id.guid.as_deref(),
        Some("6c616221-0002-4000-8000-0000000000b7")
    );
}

#[test]
fn a_bmc_that_let_us_wait_is_asked_no_more() {
    const TIMED_OUT: i32 = 110;
    let tree = whole();
    let place = "sys/bus/platform/devices/ipmi_bmc.0";
    let (first, second) = (format!("{place}/device_id"), format!("{place}/revision"));
    tree.fail(&[(&first, TIMED_OUT), (&second, TIMED_OUT)]);
    let (bmc, problems) = deep(&tree);
    let first = format!("/{first}");
    assert_eq!(told(&problems), [(first.as_str(), "timed out")]);
    assert_eq!(bmc.controllers[0].deep, Some(Default::default()));
    assert_eq!(bmc.interfaces.len(), 1);
}

#[test]
fn an_ssif_is_told_by_its_driver_and_its_name_where_the_kernel_says_no_more() {
    let tree = Tree::new(&[]);
    let client = "sys/devices/pci0000:00/0000:00:1f.4/i2c-7/7-0010";
    tree.write(&format!("{client}/ipmi/ipmi1/uevent"), "MAJOR=240\n");
    tree.directory("sys/bus/i2c/drivers/ipmi_ssif");
    tree.link(
        &format!("{client}/driver"),
        "../../../../../bus/i2c/drivers/ipmi_ssif",
    );
    tree.link(&format!("{client}/ipmi/ipmi1/device"), "../../../7-0010");
    tree.directory("sys/class/ipmi");
    let target = "../../devices/pci0000:00/0000:00:1f.4/i2c-7/7-0010/ipmi/ipmi1";
    tree.link("sys/class/ipmi/ipmi1", target);
    let (bmc, problems) = read(&tree);
    assert_eq!(problems, []);
    let interface = &bmc.interfaces[0];
    assert_eq!(interface.interface_type, Some(InterfaceType::Ssif));
    let address = Address {
        space: AddressSpace::I2c,
        base: 0x10,
    };
    assert_eq!(interface.address, Some(address));
    assert_eq!(interface.function.as_deref(), Some("0000:00:1f.4"));
    assert_eq!(
        (&interface.device_file, &interface.device_number),
        (&None, &None)
    );
    assert!(bmc.controllers.is_empty());
}

#[test]
fn what_the_driver_counts_is_read_again() {
    let tree = whole();
    let (mut bmc, _) = read(&tree);
    tree.write(&format!("{KCS}/hosed_count"), "3\n");
    tree.write(&format!("{KCS}/interrupts_enabled"), "0\n");
    let root = tree.root();
    let survey = Survey::new(&root, "bmc", false, false);
    super::refresh(&mut bmc, &survey);
    assert_eq!(survey.into_problems(), []);
    let now = &bmc.interfaces[0].now;
    assert_eq!(now.counters["hosed_count"], 3);
    assert_eq!(now.interrupts_enabled, Some(false));
}

#[test]
fn a_machine_without_a_bmc_has_none() {
    let (bmc, problems) = deep(&Tree::new(&[("proc/cpuinfo", "")]));
    assert_eq!((bmc, problems), (Bmc::default(), Vec::new()));
}

#[test]
fn whatever_stands_in_the_files_is_a_problem_of_its_own() {
    for text in ["", "\0\0\0", "garbage", "99999999999999999999999"] {
        let tree = whole();
        for name in ["params", "interrupts_enabled", "hosed_count", "nr_users"] {
            tree.write(&format!("{KCS}/{name}"), text);
        }
        for name in [
            "device_id",
            "firmware_revision",
            "manufacturer_id",
            "product_id",
            "provides_device_sdrs",
            "additional_device_support",
        ] {
            tree.write(&format!("{BMC}/{name}"), text);
        }
        let (bmc, problems) = deep(&tree);
        let expected = if text.trim_matches('\0').is_empty() {
            0
        } else {
            10
        };
        assert_eq!(problems.len(), expected, "{text:?}: {problems:?}");
        assert!(told(&problems).iter().all(|(_, why)| *why == "malformed"));
        assert_eq!(bmc.interfaces[0].irq, None);
        let id = bmc.controllers[0].deep.as_ref().unwrap();
        assert_eq!((id.device_id, id.revision), (None, Some(1)));
        assert_eq!(id.ipmi_version.as_deref(), Some("2.0"));
    }
}

#[test]
fn what_is_denied_or_broken_hides_nothing_else() {
    const DENIED: i32 = 13;
    const BROKEN: i32 = 5;
    let tree = whole();
    let params = "/sys/class/ipmi/ipmi0/device/params";
    let guid = "/sys/bus/platform/devices/ipmi_bmc.0/guid";
    let entry = "/sys/firmware/dmi/tables/smbios_entry_point";
    let errors = [(params, BROKEN), (guid, DENIED), (entry, DENIED)];
    tree.fail(&errors.map(|(path, errno)| (path.trim_start_matches('/'), errno)));
    let (bmc, problems) = deep(&tree);
    let mut problems = told(&problems);
    problems.sort_unstable();
    assert_eq!(
        problems,
        [(guid, "denied"), (params, "unreadable"), (entry, "denied")]
    );
    assert_eq!(bmc.interfaces[0].interface_type, Some(InterfaceType::Kcs));
    let id = bmc.controllers[0].deep.as_ref().unwrap();
    assert_eq!((id.device_id, id.guid.as_deref()), (Some(32), None));
}

#[test]
fn this_host_is_read_without_a_problem_that_is_malformed() {
    let root = Root::live().unwrap();
    let survey = Survey::new(&root, "bmc", false, false);
    let mut bmc = super::discover(&survey);
    super::refresh(&mut bmc, &survey);
    let problems = survey.into_problems();
    assert!(
        told(&problems).iter().all(|(_, why)| *why != "malformed"),
        "{problems:?}"
    );
}
