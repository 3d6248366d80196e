use std::collections::BTreeMap;

use libhw::device::pci::{Aer, Function, FunctionNow, Link, Pci};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Scene, row, wrong};

use super::ROW;

const GEN4X16: Link = Link {
    speed_mtps: Some(16_000),
    width: Some(16),
};

fn function(id: &str, parent: Option<&str>, class_id: u32) -> Function {
    Function {
        id: id.to_owned(),
        class_id,
        vendor_id: 0x8086,
        device_id: 0x1592,
        parent: parent.map(str::to_owned),
        link_max: Some(GEN4X16),
        now: FunctionNow {
            power_state: Some("D0".to_owned()),
            link: Some(GEN4X16),
            aer: None,
        },
        ..Function::default()
    }
}

const PORT: u32 = 0x06_04_00;
const NIC: u32 = 0x02_00_00;
const GPU: u32 = 0x03_02_00;

/// A port with a device below it, whose link runs so.
fn machine(class_id: u32, speed: u32, width: u32) -> Vec<Function> {
    let mut port = function("0000:00:01.0", None, PORT);
    let mut device = function("0000:01:00.0", Some("0000:00:01.0"), class_id);
    let link = Link {
        speed_mtps: Some(speed),
        width: Some(width),
    };
    port.now.link = Some(link);
    device.now.link = Some(link);
    vec![port, device]
}

fn look(scene: &mut Scene, functions: Vec<Function>) -> Vec<crate::monitor::scene::Said> {
    let inventory = Inventory {
        pci: Some(Pci { functions }),
        ..Inventory::default()
    };
    wrong(&scene.look_at(&inventory))
}

fn degraded(word: &str) -> [crate::monitor::scene::Said; 1] {
    [row("hw.pcie.link-degraded", "pci=0000:01:00\\.0", word)]
}

#[test]
fn a_link_that_was_better_is_at_fault_and_one_that_never_was_is_a_warning() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(
        look(&mut scene, machine(NIC, 16_000, 8)),
        degraded("fault warning")
    );
    assert_eq!(look(&mut scene, machine(NIC, 16_000, 16)), []);
    assert_eq!(look(&mut scene, machine(NIC, 16_000, 8)), degraded("fault"));
    scene.reboot();
    assert_eq!(look(&mut scene, machine(NIC, 2_500, 16)), degraded("fault"));
    assert_eq!(look(&mut scene, machine(NIC, 16_000, 16)), []);
}

#[test]
fn a_gpu_may_slow_its_link_down_and_not_narrow_it_and_a_sleeper_says_nothing() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(look(&mut scene, machine(GPU, 2_500, 16)), []);
    assert_eq!(look(&mut scene, machine(GPU, 16_000, 16)), []);
    assert_eq!(look(&mut scene, machine(GPU, 2_500, 16)), []);
    assert_eq!(look(&mut scene, machine(GPU, 2_500, 8)), degraded("fault"));
    let mut asleep = machine(NIC, 2_500, 1);
    asleep[1].now.power_state = Some("D3hot".to_owned());
    assert_eq!(look(&mut scene, asleep), []);
    // The upper end counts: a device with a switch inside says of its own end what it likes.
    let mut inside = machine(NIC, 16_000, 16);
    inside[0].now.link = Some(Link {
        width: Some(4),
        ..GEN4X16
    });
    assert_eq!(look(&mut scene, inside), degraded("fault"));
}

#[test]
fn a_switch_has_links_above_and_below_and_none_inside() {
    let slow = Link {
        speed_mtps: Some(8_000),
        width: Some(4),
    };
    let mut port = function("0000:00:01.0", None, PORT);
    let upstream = function("0000:01:00.0", Some("0000:00:01.0"), PORT);
    // The bus in the switch is no link, whatever its ports say of themselves.
    let mut downstream = function("0000:02:00.0", Some("0000:01:00.0"), PORT);
    downstream.now.link = Some(slow);
    let device = function("0000:03:00.0", Some("0000:02:00.0"), NIC);
    port.now.link = Some(GEN4X16);
    let mut scene = Scene::new(&ROW, &[]);
    let wrong = look(&mut scene, vec![port, upstream, downstream, device]);
    assert_eq!(
        wrong,
        [row(
            "hw.pcie.link-degraded",
            "pci=0000:03:00\\.0",
            "fault warning"
        )]
    );
    // A ring of bridges ends.
    let mut one = function("0000:00:01.0", Some("0000:01:00.0"), PORT);
    one.link_max = Some(slow);
    let other = function("0000:01:00.0", Some("0000:00:01.0"), PORT);
    look(&mut scene, vec![one, other]);
}

#[test]
fn errors_are_told_by_growth_for_each_function() {
    let counted = |correctable: u64, nonfatal: u64, fatal: u64| {
        let of = |name: &str, count: u64| BTreeMap::from([(name.to_owned(), count)]);
        let mut function = function("0000:01:00.0", None, NIC);
        function.now.aer = Some(Aer {
            correctable: of("RxErr", correctable),
            nonfatal: of("CmpltTO", nonfatal),
            fatal: of("DLP", fatal),
            received: None,
        });
        vec![function]
    };
    let pci = "pci=0000:01:00\\.0";
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(
        look(&mut scene, counted(7, 0, 1)),
        [row("hw.pcie.fatal", pci, "+1")]
    );
    let both = [
        row("hw.pcie.corrected", pci, "+2"),
        row("hw.pcie.uncorrected", pci, "+1"),
    ];
    assert_eq!(look(&mut scene, counted(9, 1, 1)), both);
    assert_eq!(look(&mut scene, counted(9, 1, 1)), []);
    // The device was taken out and put back: it counts from 0.
    assert_eq!(
        look(&mut scene, counted(1, 0, 0)),
        [row("hw.pcie.corrected", pci, "+1")]
    );
}

#[test]
fn a_function_that_does_not_answer_is_told_until_it_does() {
    let mut scene = Scene::new(&ROW, &[]);
    let mut dead = machine(NIC, 16_000, 16);
    dead[1].now.power_state = Some("error".to_owned());
    dead[1].now.link = None;
    assert_eq!(
        look(&mut scene, dead),
        [row("hw.pcie.unresponsive", "pci=0000:01:00\\.0", "fault")]
    );
    assert_eq!(look(&mut scene, machine(NIC, 16_000, 16)), []);
}
