use std::collections::BTreeMap;

use libhw::device::nic::{Duplex, Interface, InterfaceKind, InterfaceNow, LinkModes, Nic};
use libhw::inventory::Inventory;

use crate::monitor::scene::{Said, Scene, row, wrong};

use super::ROW;

const LINKS: &str = "gnomon/probes/nic-links.json";

fn port(carrier: Option<bool>, changes: u32) -> Interface {
    Interface {
        id: "eth0".to_owned(),
        kind: Some(InterfaceKind::Physical),
        permanent_mac: Some("02:00:00:00:00:01".to_owned()),
        enabled: Some(carrier.is_some()),
        carrier,
        now: InterfaceNow {
            carrier_changes: Some(changes),
            ..InterfaceNow::default()
        },
        ..Interface::default()
    }
}

fn look(scene: &mut Scene, interface: Interface) -> Vec<Said> {
    let nic = Some(Nic {
        interfaces: vec![interface],
        ..Nic::default()
    });
    wrong(&scene.look_at(&Inventory {
        nic,
        ..Inventory::default()
    }))
}

fn down() -> Said {
    row("hw.nic.link-down", "nic=eth0", "fault")
}

#[test]
fn a_link_that_was_up_is_missed_and_one_that_never_was_or_is_not_wanted_is_not() {
    let mut scene = Scene::new(&ROW, &[]);
    assert_eq!(look(&mut scene, port(Some(false), 0)), []);
    assert_eq!(look(&mut scene, port(Some(true), 1)), []);
    let flap = |by: u32| row("hw.nic.link-flaps", "nic=eth0", &format!("+{by}"));
    assert_eq!(look(&mut scene, port(Some(false), 2)), [down(), flap(1)]);
    // Somebody took it down; the cable is still out when it comes up again, after a restart of the agent and of the machine.
    assert_eq!(look(&mut scene, port(None, 2)), []);
    scene.reboot();
    assert_eq!(look(&mut scene, port(Some(false), 0)), [down()]);
    assert_eq!(look(&mut scene, port(Some(true), 21)), [flap(10)]);
}

#[test]
fn a_link_is_slow_against_what_both_ends_offer_and_against_itself() {
    let mut scene = Scene::new(&ROW, &[]);
    let at = |speed: u32, duplex: Duplex, peer: &[&str]| {
        let modes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Interface {
            speed_mbps: Some(speed),
            duplex: Some(duplex),
            link_modes: Some(LinkModes {
                advertised: modes(&[
                    "100baseT/Full",
                    "1000baseT/Full",
                    "10000baseT/Full",
                    "Autoneg",
                ]),
                peer: modes(peer),
                ..LinkModes::default()
            }),
            ..port(Some(true), 1)
        }
    };
    let slow = [row("hw.nic.speed-degraded", "nic=eth0", "fault")];
    assert_eq!(look(&mut scene, at(100, Duplex::Full, &[])), []);
    assert_eq!(look(&mut scene, at(100, Duplex::Half, &[])), slow);
    assert_eq!(
        look(
            &mut scene,
            at(
                100,
                Duplex::Full,
                &["1000baseT/Full", "garbage", "base", "99999999999base"]
            )
        ),
        slow
    );
    assert_eq!(
        look(&mut scene, at(1000, Duplex::Full, &["1000baseT/Full"])),
        []
    );
    assert_eq!(look(&mut scene, at(100, Duplex::Full, &[])), slow);
    // Another boot, perhaps another switch.
    scene.reboot();
    assert_eq!(look(&mut scene, at(100, Duplex::Full, &[])), []);
}

#[test]
fn errors_are_told_by_growth_whether_zeros_are_left_out_or_not() {
    let mut scene = Scene::new(&ROW, &[]);
    let with = |counters: &[(&str, u64)]| {
        let counters: BTreeMap<String, u64> = counters
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        let mut interface = port(Some(true), 1);
        interface.now.counters = counters;
        interface
    };
    assert_eq!(look(&mut scene, with(&[("rx_bytes", 5)])), []);
    let told = [
        row("hw.nic.errors", "nic=eth0", "+5"),
        row("hw.nic.drops", "nic=eth0", "+7"),
    ];
    let counters = [
        ("rx_errors", 3),
        ("tx_errors", 2),
        ("rx_crc_errors", 3),
        ("rx_missed_errors", 7),
        ("rx_fifo_errors", 7),
    ];
    assert_eq!(look(&mut scene, with(&counters)), told);
    // The driver was loaded again.
    assert_eq!(look(&mut scene, with(&[("rx_bytes", 1)])), []);
}

#[test]
fn a_bond_that_runs_on_with_one_member_lacks_the_other() {
    let mut scene = Scene::ttar(&ROW, "telco-nic");
    let told = scene.wrong();
    // It was up in this boot: it was gained as often as it was lost.
    let down = row("hw.nic.link-down", "nic=eno2np1", "fault");
    let bond = row("hw.nic.bond-degraded", "nic=bond0", "fault");
    assert!(told.contains(&down) && told.contains(&bond), "{told:?}");
    scene.edit(
        LINKS,
        "\"operstate\":\"down\",\"carrier\":false,\"carrier_changes\":12",
        "\"operstate\":\"up\",\"carrier\":true,\"carrier_changes\":13",
    );
    let told = scene.wrong();
    assert!(!told.contains(&down) && !told.contains(&bond), "{told:?}");
}

#[test]
fn a_health_reporter_in_error_is_told() {
    let mut scene = Scene::ttar(&ROW, "telco-nic");
    let inventory = scene.inventory();
    let states = |inventory: &Inventory| {
        inventory.nic.as_ref().map_or(0, |nic| {
            nic.devlinks.iter().map(|one| one.reporters.len()).sum()
        })
    };
    let count: usize = states(&inventory);
    let said = scene.said();
    assert!(
        said.iter().filter(|said| said.0 == "hw.nic.health").count() >= count && count > 0,
        "{said:?}"
    );
}
