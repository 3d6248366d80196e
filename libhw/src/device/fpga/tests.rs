use super::*;
use crate::inventory::Class;
use crate::tree::{Tree, told};

const FUNCTION: &str = "sys/devices/pci0000:00/0000:05:00.0";
const ENGINE: &str = "sys/devices/pci0000:00/0000:05:00.0/fpga_region/region0/dfl-fme.0";
const PORT: &str = "sys/devices/pci0000:00/0000:05:00.0/fpga_region/region0/dfl-port.0";
const CONTROLLER: &str = "sys/devices/pci0000:00/0000:05:00.0/fpga_region/region0/dfl-fme.0/dfl_dev.1/spi_master/spi0/spi0.0";

/// A card with a controller, and its files by what is read of them: every one of them may be anything.
fn card(text: impl Fn(&str) -> String) -> Tree {
    let tree = Tree::new(&[]);
    tree.link(
        "sys/class/fpga_region/region0",
        "../../devices/pci0000:00/0000:05:00.0/fpga_region/region0",
    );
    tree.link(
        "sys/bus/pci/devices/0000:05:00.0",
        "../../../devices/pci0000:00/0000:05:00.0",
    );
    tree.write(
        &format!("{FUNCTION}/modalias"),
        "pci:v00008086d00000B30sv00008086sd00000000bc12sc00i00\n",
    );
    for (place, names) in files() {
        for name in names {
            tree.write(&format!("{place}/{name}"), &text(name));
        }
    }
    tree
}

fn files() -> Vec<(String, Vec<&'static str>)> {
    vec![
        (
            ENGINE.to_owned(),
            vec![
                "bitstream_id",
                "bitstream_metadata",
                "ports_num",
                "cache_size",
                "socket_id",
                "fabric_version",
            ],
        ),
        (
            format!("{ENGINE}/errors"),
            vec!["fme_errors", "catfatal_errors", "first_error"],
        ),
        (
            format!("{ENGINE}/emif_mgmt"),
            vec!["complete", "calibration_failure"],
        ),
        (
            format!("{ENGINE}/hwmon/hwmon0"),
            vec!["temp1_input", "temp1_max"],
        ),
        (
            format!("{ENGINE}/dfl_dev.1"),
            vec!["feature_id", "nios_fw_version", "retimer_A_mode"],
        ),
        (
            PORT.to_owned(),
            vec!["id", "afu_id", "power_state", "ap1_event", "ltr"],
        ),
        (format!("{PORT}/errors"), vec!["errors"]),
        (
            CONTROLLER.to_owned(),
            vec!["bmc_version", "bmcfw_version", "mac_count"],
        ),
        (
            format!("{CONTROLLER}/sec.1/security"),
            vec!["flash_count", "bmc_root_entry_hash", "bmc_canceled_csks"],
        ),
        (
            format!("{CONTROLLER}/x-hwmon.1/hwmon/hwmon1"),
            vec!["in0_input"],
        ),
    ]
}

fn deep(tree: &Tree) -> (Fpga, Vec<crate::survey::Problem>) {
    let root = tree.root();
    let survey = Survey::new(&root, "fpga", true, false);
    let fpga = discover(&survey);
    (fpga, survey.into_problems())
}

#[test]
fn a_machine_without_fpgas_has_none_and_no_problem() {
    let inventory = Tree::new(&[("proc/version", "Linux")]).discover(Class::Fpga);
    assert_eq!(inventory.fpga, Some(Fpga::default()));
    assert_eq!(told(&inventory.problems), []);
}

#[test]
fn whatever_the_files_hold_the_card_is_there_and_what_is_malformed_is_told() {
    let huge = "f".repeat(5000);
    for text in [
        "",
        "\0\0\0",
        "garbage\n",
        "-1\n",
        "0xffffffffffffffffff\n",
        "\u{fffd}é\n",
        &huge,
    ] {
        let tree = card(|_| text.to_owned());
        let (fpga, problems) = deep(&tree);
        assert_eq!(fpga.cards.len(), 1, "{text:?}");
        assert_eq!(fpga.ports.len(), 1);
        assert_eq!(fpga.controllers.len(), 1);
        let empty = text.trim_matches('\0').is_empty();
        assert_eq!(problems.is_empty(), empty, "{text:?}: {problems:?}");
        let mut again = fpga.clone();
        let root = tree.root();
        refresh(&mut again, &Survey::new(&root, "fpga", true, false));
        assert_eq!(again, fpga, "{text:?}");
    }
}

#[test]
fn a_card_whose_reads_fail_is_there_and_each_failure_is_told() {
    let tree = card(|_| "1\n".to_owned());
    let bitstream = format!("{ENGINE}/bitstream_id").replace(
        "sys/devices/pci0000:00/0000:05:00.0/fpga_region/region0",
        "sys/class/fpga_region/region0",
    );
    let engine = bitstream.trim_end_matches("/bitstream_id").to_owned();
    let afu = engine.replace("dfl-fme.0", "dfl-port.0/afu_id");
    let security = format!("{engine}/dfl_dev.1/spi_master/spi0/spi0.0/sec.1/security");
    let hash = format!("{security}/bmc_root_entry_hash");
    tree.fail(&[(&bitstream, 5), (&afu, 13), (&hash, 110)]);
    let (fpga, problems) = deep(&tree);
    assert_eq!(fpga.cards[0].bitstream, None);
    assert_eq!(fpga.cards[0].port_count, Some(1));
    let told: Vec<_> = told(&problems).into_iter().map(|(_, word)| word).collect();
    assert_eq!(told, ["unreadable", "timed out", "denied"]);
}

#[test]
fn links_that_lead_in_circles_are_survived() {
    let tree = card(|_| "1\n".to_owned());
    let region = "sys/devices/pci0000:00/0000:05:00.0/fpga_region/region0";
    tree.link(&format!("{region}/region0"), "region0");
    tree.link(&format!("{region}/subsystem"), ".");
    tree.link(&format!("{ENGINE}/driver"), "/dev/null");
    // Even one that has a name which leads on is followed no deeper than a bus is.
    tree.link(&format!("{CONTROLLER}/../spi9"), ".");
    tree.link(&format!("{ENGINE}/dfl_dev.1/spi_master/spi8"), "..");
    let (fpga, _) = deep(&tree);
    assert_eq!(fpga.cards.len(), 1);
    assert!(fpga.controllers.len() <= 8, "{:?}", fpga.controllers);
}

#[test]
fn the_image_of_an_n3000_says_what_its_network_does() {
    // Bits 35 to 32 are 4, bit 29 is PTP, and the lowest three bytes are the build.
    let text = |name: &str| match name {
        "bitstream_id" => "0x23000420010601\n".to_owned(),
        "feature_id" => "0xd\n".to_owned(),
        _ => "0\n".to_owned(),
    };
    let (fpga, _) = deep(&card(text));
    let image = fpga.cards[0].bitstream.as_ref().unwrap();
    assert_eq!(image.version, "0.2.3");
    assert_eq!(image.network.as_deref(), Some("2x2x25G"));
    assert_eq!(image.build.as_deref(), Some("1.6.1"));
    assert_eq!(image.options, ["ptp"]);
    assert_eq!(fpga.retimers[0].mode, Some(RetimerMode::Reset));
}

#[test]
fn error_bits_that_are_known_have_names() {
    let text = |name: &str| match name {
        "catfatal_errors" => "0x410\n".to_owned(),
        _ => "0x0\n".to_owned(),
    };
    let (fpga, _) = deep(&card(text));
    let errors = fpga.cards[0].now.errors.as_deref().unwrap();
    assert_eq!(errors[0].names, ["dram", "thermal"]);
    assert_eq!(errors.len(), 1);
}

#[test]
fn a_card_without_a_driver_is_a_card() {
    let tree = Tree::new(&[
        (
            "sys/bus/pci/devices/0000:3b:00.0/modalias",
            "pci:v00008086d00000B2Bsv00008086sd00000000bc12sc00i00\n",
        ),
        ("sys/bus/pci/devices/0000:3c:00.0/class", "0x120000\n"),
        ("sys/bus/pci/devices/0000:3c:00.0/vendor", "0x10ee\n"),
        ("sys/bus/pci/devices/0000:3c:00.0/device", "0x5000\n"),
        ("sys/bus/pci/devices/0000:3d:00.0/class", "0x020000\n"),
        ("sys/bus/pci/devices/0000:3d:00.0/vendor", "0x8086\n"),
        ("sys/bus/pci/devices/0000:3d:00.0/device", "0x1572\n"),
    ]);
    let fpga = tree.discover(Class::Fpga).fpga.unwrap();
    let cards: Vec<_> = fpga
        .cards
        .iter()
        .map(|card| (card.id.as_str(), card.model.as_deref()))
        .collect();
    let expected = [
        ("0000:3b:00.0", Some("Intel PAC D5005")),
        ("0000:3c:00.0", None),
    ];
    assert_eq!(cards, expected);
    assert!(
        fpga.cards
            .iter()
            .all(|card| card.framework == Framework::None)
    );
}

#[test]
fn what_took_a_deep_look_stays_until_the_next_one() {
    let tree = card(|_| "1\n".to_owned());
    let (before, _) = deep(&tree);
    let mut fpga = before.clone();
    let root = tree.root();
    refresh(&mut fpga, &Survey::new(&root, "fpga", false, false));
    assert_eq!(fpga, before);
    tree.write(&format!("{PORT}/ap1_event"), "0\n");
    tree.write(
        &format!("{CONTROLLER}/x-hwmon.1/hwmon/hwmon1/in0_input"),
        "2\n",
    );
    refresh(&mut fpga, &Survey::new(&root, "fpga", false, false));
    assert_eq!(fpga.ports[0].now.ap1_event, Some(false));
    let of_controller = |fpga: &Fpga| {
        let sensor = fpga.sensors.iter().find(|one| one.id.contains("in0"));
        sensor.unwrap().now.reading
    };
    assert_eq!(of_controller(&fpga), Some(Reading::VoltageMillivolts(1)));
    refresh(&mut fpga, &Survey::new(&root, "fpga", true, false));
    assert_eq!(of_controller(&fpga), Some(Reading::VoltageMillivolts(2)));
}
