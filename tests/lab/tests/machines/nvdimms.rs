//! Memory that keeps its content: a disk to the guest, and no memory of the system's.

use gnomon_lab::machine::{Nvdimm, Size};
use gnomon_lab::{Boot, Machine, Vm, ready};

#[test]
fn memory_that_keeps_its_content_is_told_as_a_disk() {
    if !ready() {
        return;
    }
    let dimm = |mib| Nvdimm {
        size: Size::mib(mib),
        node: None,
    };
    let machine = Machine {
        name: "nvdimms".to_owned(),
        nvdimms: vec![dimm(128), dimm(256)],
        ..Machine::plain()
    };
    let boot = Boot::new("nvdimms").agent().limit(crate::LIMIT);
    let mut vm = Vm::boot(&machine, &boot).unwrap();
    let inventory = crate::inventory(&mut vm);
    let said = crate::differences(&machine, &inventory);
    assert!(said.is_empty(), "{}", said.join("\n"));
    for region in ["region0", "region1"] {
        let path = format!("/sys/bus/nd/devices/{region}/size");
        let size = vm.read(&path).unwrap();
        let disk = format!("pmem{}", &region[6..]);
        let sectors = vm.read(&format!("/sys/block/{disk}/size")).unwrap();
        let number = |text: &str| text.trim().parse::<u64>().unwrap();
        assert_eq!(number(&size), 512 * number(&sectors), "{region}");
    }
}
