use std::collections::BTreeMap;

use super::*;
use crate::survey::Survey;

const FC: &str = "sys/devices/pci0000:00/0000:00:02.0/0000:3b:00.0/host3/fc_host/host3";

fn fc() -> Tree {
    let tree = Tree::new(&[]);
    for (name, text) in [
        ("node_name", "0x20000024ff000001\n"),
        ("port_name", "0x21000024ff000001\n"),
        ("fabric_name", "0x0\n"),
        ("port_id", "0x010200\n"),
        ("port_type", "NPort (fabric via point-to-point)\n"),
        ("port_state", "Online\n"),
        ("speed", "32 Gbit\n"),
        ("supported_speeds", "8 Gbit, 16 Gbit, 32 Gbit\n"),
        ("supported_classes", "Class 3\n"),
        ("dev_loss_tmo", "30\n"),
        ("statistics/tx_frames", "0x10\n"),
        ("statistics/error_frames", "0x0\n"),
        ("statistics/nos_count", "0xffffffffffffffff\n"),
        ("statistics/reset_statistics", "1\n"),
    ] {
        tree.write(&format!("{FC}/{name}"), text);
    }
    tree.link("sys/class/fc_host/host3", &format!("../../../{FC}"));
    tree
}

#[test]
fn a_port_of_fibre_channel_tells_its_names_its_speed_and_its_state() {
    let tree = fc();
    let (storage, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let [host] = storage.fc_hosts.as_slice() else {
        panic!("{storage:?}");
    };
    assert_eq!(host.function.as_deref(), Some("0000:3b:00.0"));
    assert_eq!(host.port_name.as_deref(), Some("0x21000024ff000001"));
    assert_eq!(host.node_name.as_deref(), Some("0x20000024ff000001"));
    assert_eq!(host.supported_speeds_mbps, [8000, 16_000, 32_000]);
    assert_eq!(host.device_loss_seconds, Some(30));
    assert_eq!(host.now.state, Some(FcPortState::Online));
    assert_eq!(host.now.speed_mbps, Some(32_000));
    assert_eq!(host.now.fabric_name, None);
    // The counters make the driver ask its firmware.
    assert!(host.now.counters.is_empty());
    let (mut storage, _) = look(&tree, true);
    let counted = BTreeMap::from([("tx_frames".to_owned(), 16)]);
    assert_eq!(storage.fc_hosts[0].now.counters, counted);
    tree.write(&format!("{FC}/port_state"), "Linkdown\n");
    tree.write(&format!("{FC}/speed"), "Unknown\n");
    tree.write(&format!("{FC}/statistics/tx_frames"), "0x11\n");
    refresh(
        &mut storage,
        &Survey::new(&tree.root(), "storage", false, false),
    );
    let now = &storage.fc_hosts[0].now;
    assert_eq!(
        (&now.state, now.speed_mbps),
        (&Some(FcPortState::Linkdown), None)
    );
    assert_eq!(now.counters["tx_frames"], 17);
}

const PHY: &str = "sys/devices/pci0000:00/0000:00:03.0/0000:03:00.0/host11";

fn sas() -> Tree {
    let tree = Tree::new(&[]);
    for (phy, rate) in [
        ("phy-11:10", "12.0 Gbit\n"),
        ("phy-11:9", "22.5 Gbit\n"),
        ("phy-11:0:4", "Phy disabled\n"),
        ("phy-9:0", "Link Rate failed\n"),
        ("phy-9:1", "Spin-up hold\n"),
        ("phy-9:2", "Unknown\n"),
    ] {
        let place = format!("{PHY}/{phy}/sas_phy/{phy}");
        for (name, text) in [
            ("sas_address", "0x500062b2047b51c4\n"),
            ("phy_identifier", "10\n"),
            ("device_type", "end device\n"),
            ("enable", "1\n"),
            ("initiator_port_protocols", "smp, stp, ssp\n"),
            ("target_port_protocols", "none\n"),
            ("minimum_linkrate", "3.0 Gbit\n"),
            ("maximum_linkrate", "12.0 Gbit\n"),
            ("maximum_linkrate_hw", "12.0 Gbit\n"),
            ("invalid_dword_count", "0\n"),
            ("running_disparity_error_count", "7\n"),
            ("loss_of_dword_sync_count", "1\n"),
            ("phy_reset_problem_count", "0\n"),
            ("negotiated_linkrate", rate),
        ] {
            tree.write(&format!("{place}/{name}"), text);
        }
        tree.link(
            &format!("sys/class/sas_phy/{phy}"),
            &format!("../../../{place}"),
        );
    }
    tree
}

#[test]
fn the_ends_of_sas_cables_tell_their_rate_or_why_there_is_none() {
    let tree = sas();
    let (storage, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let phys = storage.sas_phys.iter();
    let phys: Vec<_> = phys
        .map(|phy| (phy.id.as_str(), phy.now.rate_mbps, phy.now.state.clone()))
        .collect();
    let up = Some(SasPhyState::Up);
    assert_eq!(
        phys,
        [
            ("phy-9:0", None, Some(SasPhyState::RateFailed)),
            ("phy-9:1", None, Some(SasPhyState::SpinupHold)),
            ("phy-9:2", None, Some(SasPhyState::Unknown)),
            ("phy-11:0:4", None, Some(SasPhyState::Disabled)),
            ("phy-11:9", Some(22_500), up.clone()),
            ("phy-11:10", Some(12_000), up),
        ]
    );
    let phy = &storage.sas_phys[5];
    assert_eq!(phy.function.as_deref(), Some("0000:03:00.0"));
    assert_eq!((phy.number, phy.enabled), (Some(10), Some(true)));
    assert_eq!(phy.initiator_protocols, ["smp", "stp", "ssp"]);
    assert!(phy.target_protocols.is_empty());
    let rates = (
        phy.rate_min_mbps,
        phy.rate_max_mbps,
        phy.rate_max_hardware_mbps,
    );
    assert_eq!(rates, (Some(3000), Some(12_000), Some(12_000)));
    assert_eq!(phy.now.errors, None);
    let errors = look(&tree, true).0.sas_phys[5].now.errors.unwrap();
    assert_eq!(
        (
            errors.invalid_dwords,
            errors.disparity_errors,
            errors.lost_syncs
        ),
        (Some(0), Some(7), Some(1))
    );
}

#[test]
fn ways_of_multipath_tell_whether_they_run_and_which_the_device_wants() {
    let dm = "sys/block/dm-0";
    let mut files = vec![
        (format!("{dm}/dm/uuid"), "mpath-3600508b4\n"),
        (format!("{dm}/dm/name"), "mpatha\n"),
        (format!("{dm}/slaves/sda/x"), ""),
        (format!("{dm}/slaves/sdb/x"), ""),
    ];
    for (disk, state, access, preferred) in [
        ("sda", "running\n", "active/optimized\n", "1\n"),
        ("sdb", "transport-offline\n", "standby\n", "0\n"),
    ] {
        let device = format!("sys/block/{disk}/device");
        files.push((format!("{device}/state"), state));
        files.push((format!("{device}/access_state"), access));
        files.push((format!("{device}/preferred_path"), preferred));
    }
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    let tree = Tree::new(&files);
    let (mut storage, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let way = |id: &str, state, access, preferred| Way {
        id: id.to_owned(),
        state: Some(state),
        access: Some(access),
        preferred: Some(preferred),
    };
    let (running, gone) = (DeviceState::Running, DeviceState::TransportOffline);
    let sda = way("sda", running.clone(), AccessState::Optimized, true);
    let sdb = way("sdb", gone, AccessState::Standby, false);
    assert_eq!(storage.mapped_devices[0].now.ways, [sda.clone(), sdb]);
    tree.write("sys/block/sdb/device/state", "running\n");
    refresh(
        &mut storage,
        &Survey::new(&tree.root(), "storage", false, false),
    );
    let sdb = way("sdb", running, AccessState::Standby, false);
    assert_eq!(storage.mapped_devices[0].now.ways, [sda, sdb]);
}

#[test]
fn a_malformed_port_hides_no_other_and_absent_ones_are_no_problem() {
    let (storage, inventory) = look(&Tree::new(&[]), true);
    assert!(storage.fc_hosts.is_empty() && storage.sas_phys.is_empty());
    assert_eq!(told(&inventory.problems), []);
    for text in [
        "",
        "\0\0",
        "999999999999999999999 Gbit\n",
        "\u{feff}x!\n",
        "4 Gbit,\n",
    ] {
        let tree = fc();
        for name in [
            "speed",
            "supported_speeds",
            "dev_loss_tmo",
            "port_state",
            "statistics/tx_frames",
        ] {
            tree.write(&format!("{FC}/{name}"), text);
        }
        let (storage, _) = look(&tree, true);
        assert_eq!(
            storage.fc_hosts[0].port_name.as_deref(),
            Some("0x21000024ff000001")
        );
        assert_eq!(storage.fc_hosts[0].now.speed_mbps, None, "{text:?}");
        let tree = sas();
        for name in [
            "negotiated_linkrate",
            "enable",
            "phy_identifier",
            "invalid_dword_count",
        ] {
            tree.write(&format!("{PHY}/phy-9:0/sas_phy/phy-9:0/{name}"), text);
        }
        let (storage, _) = look(&tree, true);
        assert_eq!(
            (storage.sas_phys.len(), storage.sas_phys[0].now.rate_mbps),
            (6, None)
        );
        assert_eq!(
            storage.sas_phys[0].sas_address.as_deref(),
            Some("0x500062b2047b51c4")
        );
    }
}

#[test]
fn a_port_that_answers_with_an_error_is_a_problem_and_hides_no_other() {
    let tree = fc();
    tree.fail(&[
        ("sys/class/fc_host/host3/speed", libc::EIO),
        (
            "sys/class/fc_host/host3/statistics/tx_frames",
            libc::ETIMEDOUT,
        ),
        ("sys/class/sas_phy", libc::EACCES),
    ]);
    let (_, inventory) = look(&tree, true);
    assert_eq!(
        told(&inventory.problems),
        [
            ("/sys/class/fc_host/host3/speed", "unreadable"),
            ("/sys/class/fc_host/host3/statistics/tx_frames", "timed out"),
            ("/sys/class/sas_phy", "denied"),
        ]
    );
}
