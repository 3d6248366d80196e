//! Every way from a guest to its BMC.

use gnomon_lab::machine::{Bmc, Interface};
use gnomon_lab::{Boot, Machine, Vm, ready};

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
        let bmc = Bmc {
            interface,
            sdr_file: None,
            guid: None,
            external: None,
            watchdog: false,
        };
        let machine = Machine {
            name: name.to_owned(),
            bmc: Some(bmc),
            ..Machine::plain()
        };
        let mut vm = Vm::boot(&machine, &Boot::new(&format!("bmc_{name}")).agent()).unwrap();
        let inventory = crate::inventory(&mut vm);
        let said = crate::differences(&machine, &inventory);
        assert!(said.is_empty(), "{name}:\n{}", said.join("\n"));
        let limit = std::time::Duration::from_secs(5);
        vm.wait_for("/dev/ipmi0", limit, |vm| {
            Ok(vm.list("/dev")?.contains(&"ipmi0".to_owned()).then_some(()))
        })
        .unwrap();
    }
}
