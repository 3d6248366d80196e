//! Every way from a guest to its BMC, and what the BMC says of itself: to the inventory as to ipmitool.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gnomon_lab::initramfs::find_program;
use gnomon_lab::machine::{Bmc, DeviceId, Interface, find};
use gnomon_lab::{Boot, Machine, Vm, ready, skipped};
use serde_json::{Value, json};

const GUID: &str = "6c616221-0002-4000-8000-0000000000b7";
/// The same bytes in the kernel's order, which takes the first three fields to be sent with their last byte first.
const GUID_OF_KERNEL: &str = "2162616c-0200-0040-8000-0000000000b7";

#[test]
fn every_interface_leads_to_a_bmc() {
    if !ready() {
        return;
    }
    for (interface, name) in [
        (Interface::Kcs, "kcs"),
        (Interface::Bt, "bt"),
        (Interface::Ssif, "ssif"),
        (Interface::PciKcs, "pci_kcs"),
        (Interface::PciBt, "pci_bt"),
    ] {
        let device_id = DeviceId {
            revision: 3,
            firmware: "2.07".to_owned(),
            manufacturer: 0x2a2,
            product: 0x0f02,
        };
        let bmc = Bmc {
            interface,
            guid: Some(GUID.to_owned()),
            device_id: Some(device_id),
            ..Bmc::default()
        };
        let deep = answered(name, bmc);
        assert_eq!(deep["device_id"], 0x20, "{name}: QEMU knows no other");
        assert_eq!(deep["revision"], 3, "{name}");
        assert_eq!(deep["firmware_revision"], "2.07", "{name}");
        assert_eq!(deep["manufacturer_id"], 0x2a2, "{name}");
        assert_eq!(deep["product_id"], 0x0f02, "{name}");
        assert_eq!(deep["guid"], GUID_OF_KERNEL, "{name}");
    }
}

#[test]
fn a_program_that_acts_as_a_bmc_is_told_as_it_describes_itself() {
    if !ready() {
        return;
    }
    let Some(simulator) = find_program("ipmi_sim") else {
        skipped("no ipmi_sim: it is in Debian's openipmi");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let simulated = Simulated::start(&simulator, folder.path());
    for (interface, name) in [(Interface::Kcs, "sim_kcs"), (Interface::Bt, "sim_bt")] {
        let bmc = Bmc {
            interface,
            external: Some(format!("127.0.0.1:{}", simulated.port)),
            ..Bmc::default()
        };
        let deep = answered(name, bmc);
        let expected = json!({
            "device_id": 0x23,
            "revision": 9,
            "firmware_revision": "8.19",
            "ipmi_version": "2.0",
            "manufacturer_id": 0x1291,
            "product_id": 0x0f02,
            "provides_device_sdrs": false,
            // It answers the question for one to nobody inside.
            "guid": null,
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&deep[field], value, "{name}: {field}");
        }
    }
}

/// Boots a machine with the BMC, demands of the inventory what is expected of the machine, and of the BMC's own words
/// that ipmitool reads the same; tells them.
fn answered(name: &str, bmc: Bmc) -> Value {
    let machine = Machine {
        name: name.to_owned(),
        bmc: Some(bmc),
        ..Machine::plain()
    };
    let boot = Boot::new(&format!("bmc_{name}")).agent();
    let with_peer = find_program("ipmitool").is_some();
    let boot = if with_peer {
        boot.peer("ipmitool")
    } else {
        boot
    };
    let mut vm = Vm::boot(&machine, &boot.limit(crate::LIMIT)).unwrap();
    let limit = Duration::from_secs(5);
    vm.wait_for("/dev/ipmi0", limit, |vm| {
        Ok(vm.list("/dev")?.contains(&"ipmi0".to_owned()).then_some(()))
    })
    .unwrap();
    let inventory = crate::inventory(&mut vm);
    let said = crate::differences(&machine, &inventory);
    assert!(said.is_empty(), "{name}:\n{}", said.join("\n"));
    let at = "bmc.controllers[ipmi_bmc.0].deep";
    assert_eq!(find(&inventory, at), None, "{name}: the BMC was asked");
    let output = vm.run(&["gnomon", "inventory", "--json", "--deep", "bmc"]);
    let deep: Value = serde_json::from_str(&output.unwrap().stdout).unwrap();
    let deep = find(&deep, at).cloned().unwrap_or_default();
    if with_peer {
        let told = vm.run(&["ipmitool", "mc", "info"]).unwrap();
        assert_eq!(told.status, 0, "{name}: {told:?}");
        assert_eq!(as_ipmitool(&deep), facts(&told.stdout), "{name}");
    } else {
        skipped("no ipmitool to compare a BMC's words with");
    }
    deep
}

/// The lines `name : value`; what a BMC is besides stands below its name, a line each.
fn facts(text: &str) -> BTreeMap<String, String> {
    let mut facts: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some((name, value)) = line.split_once(':') {
            name.trim().clone_into(&mut last);
            facts.insert(last.clone(), value.trim().to_owned());
        } else if let Some(list) = facts.get_mut(&last) {
            let separator = if list.is_empty() { "" } else { ", " };
            list.push_str(separator);
            list.push_str(line.trim());
        }
    }
    // Names that it looks up, and what the kernel does not keep.
    for name in ["Manufacturer Name", "Product Name", "Device Available"] {
        facts.remove(name);
    }
    facts
}

/// What we tell, in ipmitool's words.
fn as_ipmitool(deep: &Value) -> BTreeMap<String, String> {
    let number = |field: &str| deep[field].as_u64().unwrap_or(u64::MAX);
    let text = |field: &str| deep[field].as_str().unwrap_or_default().to_owned();
    let product = number("product_id");
    let sdrs = deep["provides_device_sdrs"] == true;
    let support = deep["additional_device_support"].as_array();
    let support: Vec<&str> = support
        .into_iter()
        .flatten()
        .filter_map(|word| {
            let (_, name) = SUPPORT.iter().find(|(own, _)| word == own)?;
            Some(*name)
        })
        .collect();
    let mut facts: BTreeMap<String, String> = [
        ("Device ID", number("device_id").to_string()),
        ("Device Revision", number("revision").to_string()),
        ("Firmware Revision", text("firmware_revision")),
        ("IPMI Version", text("ipmi_version")),
        ("Manufacturer ID", number("manufacturer_id").to_string()),
        ("Product ID", format!("{product} ({product:#06x})")),
        (
            "Provides Device SDRs",
            if sdrs { "yes" } else { "no" }.to_owned(),
        ),
        ("Additional Device Support", support.join(", ")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    // The kernel writes the four bytes with the last one first.
    let bytes = text("aux_firmware_revision");
    let bytes: Vec<&str> = bytes.split_whitespace().rev().collect();
    if !bytes.is_empty() {
        facts.insert("Aux Firmware Rev Info".to_owned(), bytes.join(", "));
    }
    facts
}

/// What a BMC is besides: our word, ipmitool's.
const SUPPORT: [(&str, &str); 8] = [
    ("sensor", "Sensor Device"),
    ("sdr_repository", "SDR Repository Device"),
    ("sel", "SEL Device"),
    ("fru_inventory", "FRU Inventory Device"),
    ("ipmb_event_receiver", "IPMB Event Receiver"),
    ("ipmb_event_generator", "IPMB Event Generator"),
    ("bridge", "Bridge"),
    ("chassis", "Chassis Device"),
];

/// OpenIPMI's simulator, which ends with the test.
struct Simulated {
    process: Child,
    port: u16,
}

impl Simulated {
    fn start(program: &Path, folder: &Path) -> Self {
        // Free a moment ago; the simulator cannot take a listener of ours.
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let lan = format!(
            "name \"lab\"\nset_working_mc 0x20\n  startlan 1\n  endlan\n  \
             serial 15 127.0.0.1 {port} codec VM\n  startnow false\n"
        );
        let commands = "mc_setbmc 0x20\n\
             mc_add 0x20 0x23 no-device-sdrs 0x09 8 0x19 0x9f 0x1291 0xf02\nmc_enable 0x20\n";
        std::fs::write(folder.join("lan.conf"), lan).unwrap();
        std::fs::write(folder.join("commands"), commands).unwrap();
        let process = Command::new(program)
            .args(["-n", "-c", "lan.conf", "-f", "commands", "-s", "state"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, port }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
