//! FPGAs: the captures of OPAE's own tests, value by value against their files; and trees made up from the
//! kernel's and XRT's documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use libhw::device::fpga::{Fpga, Framework, ManagerState, PowerState, Reading};
use libhw::inventory::Class;

use crate::{replayed, synthetic};

/// What is known of a capture: its archive, and of its card the id, function, model, version, date and seed of the
/// image, interface, accelerator, and whether it has a controller. Versions and dates are those that OPAE's
/// `fpgainfo fme` prints for these ids: the three digits after the first, and the six before the last.
struct Known {
    archive: &'static str,
    card: [&'static str; 3],
    framework: Framework,
    image: [&'static str; 4],
    date: Option<&'static str>,
    seed: u32,
    afu: &'static str,
    controllers: usize,
}

const N3000: &str = "fpga/opae-dfl_n3000_nlb0.tar.gz";
const VC: &str = "fpga/opae-tmp-dcp-vc.tar.gz";
const RC: &str = "fpga/opae-tmp-dcp-rc-nlb3.tar.gz";
const ONE_SOCKET: &str = "fpga/opae-tmp-1socket-nlb0.tar.gz";

const KNOWN: [Known; 4] = [
    Known {
        archive: N3000,
        card: ["region0", "0000:05:00.0", "Intel PAC N3000"],
        framework: Framework::Dfl,
        image: [
            "0x202000200000237",
            "2.0.2",
            "0x1910174",
            "a5d72a3cc8b04939912cf715e5dc10ca",
        ],
        date: Some("2019-10-17"),
        seed: 4,
        afu: "9aeffe5f84570612c000c9660d824272",
        controllers: 1,
    },
    Known {
        archive: VC,
        card: ["intel-fpga-dev.0", "0000:05:00.0", "Intel PAC N3000"],
        framework: Framework::Opae,
        image: [
            "0x222000200567bd1",
            "2.2.2",
            "0x1",
            "cf9b1c5037c945e98030f921b17d2b3a",
        ],
        date: None,
        seed: 1,
        afu: "9aeffe5f84570612c000c9660d824272",
        controllers: 1,
    },
    Known {
        archive: RC,
        card: [
            "intel-fpga-dev.0",
            "0000:05:00.0",
            "Intel PAC with Arria 10 GX",
        ],
        framework: Framework::Opae,
        image: [
            "0x113000200000177",
            "1.1.3",
            "0x1809211",
            "f64e598bea11517fa28e7bc65d885104",
        ],
        date: Some("2018-09-21"),
        seed: 1,
        afu: "d8424dc4a4a3c413f89e433683f9040b",
        controllers: 0,
    },
    Known {
        archive: ONE_SOCKET,
        card: [
            "intel-fpga-dev.0",
            "0000:5e:00.0",
            "Intel Xeon with integrated FPGA",
        ],
        framework: Framework::Opae,
        image: [
            "0x6400002fc614bb9",
            "6.4.0",
            "0x1612156",
            "1a4222186dba448eb302425cbcde1406",
        ],
        date: Some("2016-12-15"),
        seed: 6,
        afu: "d8424dc4a4a3c413f89e433683f9040b",
        controllers: 0,
    },
];

/// The FPGAs of a capture, and where it lies.
fn captured(archive: &str) -> Option<(Fpga, PathBuf)> {
    let tree = support::machine(archive)?;
    let inventory = replayed(&tree, &[Class::Fpga]);
    assert_eq!(inventory.problems, [], "{archive}");
    Some((inventory.fpga.expect("the class"), tree))
}

#[test]
fn a_captured_card_is_what_fpgainfo_says_it_is() {
    for known in KNOWN {
        let Some((fpga, _)) = captured(known.archive) else {
            return;
        };
        // Of the one socket's three functions two are drivers' leftovers, without an entry in the class.
        let card = &fpga.cards[0];
        let [id, function, model] = known.card;
        assert_eq!(card.id, id, "{}", known.archive);
        assert_eq!(card.function.as_deref(), Some(function));
        assert_eq!(card.model.as_deref(), Some(model));
        assert_eq!(card.framework, known.framework);
        assert_eq!(card.port_count, Some(1));
        assert_eq!((card.socket, card.cache_size), (Some(0), Some(0)));
        assert_eq!(card.now.errors, Some(Vec::new()));
        let image = card.bitstream.as_ref().expect("an image");
        let [bits, version, metadata, interface] = known.image;
        assert_eq!(image.id, bits);
        assert_eq!(image.version, version);
        assert_eq!(image.metadata.as_deref(), Some(metadata));
        assert_eq!(image.interface_id.as_deref(), Some(interface));
        assert_eq!(image.synthesis_date.as_deref(), known.date);
        assert_eq!(image.seed, Some(known.seed));
        let [port] = &fpga.ports[..] else {
            panic!("{}: {:?}", known.archive, fpga.ports);
        };
        assert_eq!(port.afu_id.as_deref(), Some(known.afu));
        assert_eq!((port.card.as_str(), port.number), (id, Some(0)));
        assert_eq!(port.now.power_state, Some(PowerState::Normal));
        assert_eq!(
            (port.now.ap1_event, port.now.ap2_event),
            (Some(false), Some(false))
        );
        assert_eq!(port.latency_tolerant, Some(true));
        assert_eq!(fpga.controllers.len(), known.controllers);
    }
}

/// Every file below `top` with its text; links are not followed.
fn files(top: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut level = vec![top.to_owned()];
    while let Some(directory) = level.pop() {
        for entry in fs::read_dir(directory).expect("a directory").flatten() {
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                level.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).expect("a file");
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let text = text.trim_matches(['\0', '\n']).to_owned();
                found.insert(entry.path(), text);
            }
        }
    }
    found
}

#[test]
fn every_sensor_of_a_captured_card_reads_what_its_file_says() {
    let mut seen = 0;
    for archive in [N3000, VC] {
        let Some((fpga, tree)) = captured(archive) else {
            return;
        };
        for (path, text) in files(&tree.join("sys/devices")) {
            let name = path.file_name().expect("a name").to_string_lossy();
            let parent = path.parent().expect("a directory");
            let device = parent.file_name().expect("a name").to_string_lossy();
            let beside = |name: &str| fs::read_to_string(parent.join(name)).unwrap_or_default();
            let (end, kind, label) = if let Some(channel) = name.strip_suffix("_input") {
                let kind = channel.trim_end_matches(|sign: char| sign.is_ascii_digit());
                let label = beside(&format!("{channel}_label"));
                (format!("/{device}/{channel}"), kind.to_owned(), label)
            } else if name == "value" && device.starts_with("sensor") {
                (
                    format!("/{device}"),
                    beside("type").trim().to_owned(),
                    beside("name"),
                )
            } else {
                continue;
            };
            let sensor = fpga.sensors.iter().find(|one| one.id.ends_with(&end));
            let sensor = sensor.unwrap_or_else(|| panic!("{archive}: no {end}"));
            assert_eq!(sensor.label.as_deref(), Some(label.trim()), "{end}");
            let expected = text.parse::<i64>().ok().map(|value| match kind.as_str() {
                "temp" | "Temperature" => Reading::TemperatureMillicelsius(value),
                "in" | "Voltage" => Reading::VoltageMillivolts(value),
                "curr" | "Current" => Reading::CurrentMilliamps(value),
                "power" => Reading::PowerMicrowatts(value),
                "Power" => Reading::PowerMicrowatts(value * 1000),
                other => panic!("{other}"),
            });
            assert_eq!(sensor.now.reading, expected, "{archive}: {end}");
            seen += 1;
        }
    }
    assert_eq!(
        seen, 40,
        "20 hwmon channels of one, 20 sensors of the other"
    );
}

#[test]
fn every_private_feature_of_a_captured_card_is_listed_with_its_number() {
    let Some((fpga, tree)) = captured(N3000) else {
        return;
    };
    let raw: BTreeMap<String, u32> = files(&tree.join("sys/devices"))
        .into_iter()
        .filter(|(path, _)| path.ends_with("feature_id"))
        .map(|(path, text)| {
            let feature = path.parent().and_then(Path::file_name).expect("a feature");
            let number = u32::from_str_radix(text.trim_start_matches("0x"), 16);
            (
                format!("region0/{}", feature.to_string_lossy()),
                number.expect("a number"),
            )
        })
        .collect();
    let ours = fpga.features.iter();
    let ours: BTreeMap<String, u32> = ours
        .map(|one| (one.id.clone(), one.feature_id.expect("a number")))
        .collect();
    assert_eq!(ours, raw);
    let nios = fpga.features.iter().find(|one| one.feature_id == Some(0xd));
    let nios = nios.expect("the soft processor");
    assert_eq!(nios.nios_firmware.as_deref(), Some("3.0.1"));
    assert_eq!(nios.ethernet_fec.as_deref(), Some("rs"));
}

#[test]
fn the_controller_of_a_captured_card_tells_versions_keys_and_flash_counts() {
    // fpgainfo prints a version's first byte as a letter and the others as numbers: 0x44020014 is D.2.0.20.
    type Controller = (
        &'static str,
        [&'static str; 5],
        &'static [(&'static str, u32)],
    );
    let known: [Controller; 2] = [
        (
            N3000,
            [
                "region0/spi4.0",
                "0x44020006",
                "D.2.0.6",
                "D.2.0.20",
                "64:4c:36:11:f1:f0",
            ],
            &[("user", 9)],
        ),
        (
            VC,
            [
                "intel-fpga-dev.0/spi0.0",
                "0x43010006",
                "C.1.0.6",
                "C.1.0.6",
                "64:4c:36:11:f1:b0",
            ],
            &[("qspi", 31), ("smbus", 31)],
        ),
    ];
    for (archive, [id, raw, build, firmware, mac], counts) in known {
        let Some((fpga, _)) = captured(archive) else {
            return;
        };
        let [one] = &fpga.controllers[..] else {
            panic!("{archive}: {:?}", fpga.controllers);
        };
        assert_eq!(one.id, id);
        assert_eq!(one.build_raw.as_deref(), Some(raw));
        assert_eq!(one.build.as_deref(), Some(build));
        assert_eq!(one.firmware.as_deref(), Some(firmware));
        assert_eq!(one.mac_address.as_deref(), Some(mac));
        assert_eq!(one.mac_count, Some(8));
        let expected = counts
            .iter()
            .map(|(flash, count)| ((*flash).to_owned(), *count));
        assert_eq!(one.flash_counts, expected.collect());
        let keys = fpga.keys.iter();
        let keys: Vec<_> = keys
            .map(|key| (key.programmed, key.canceled.len()))
            .collect();
        assert_eq!(keys, [(Some(true), 0), (Some(false), 0), (Some(false), 0)]);
        let hash = "0x77698ea203e459f6cb0e65b54a1dd4ab47a6a6600e7988f723ad89f5b7f3673a";
        assert_eq!(fpga.keys[0].root_hash.as_deref(), Some(hash));
        let retimers = fpga.retimers.iter().map(|one| one.version.as_deref());
        let retimers: Vec<_> = retimers.collect();
        assert_eq!(retimers, [Some("101c.1064"), Some("101c.1064")]);
    }
}

#[test]
fn a_look_that_is_not_deep_asks_no_controller() {
    for archive in [N3000, VC] {
        let Some(tree) = support::machine(archive) else {
            return;
        };
        let root = libhw::io::root::Root::captured(&tree).expect("a tree");
        let scope = libhw::inventory::Scope {
            classes: vec![Class::Fpga],
            ..Default::default()
        };
        let inventory = libhw::inventory::discover(&root, &scope);
        let fpga = inventory.fpga.expect("the class");
        assert!(fpga.cards[0].bitstream.is_some() && fpga.ports[0].afu_id.is_some());
        let [controller] = &fpga.controllers[..] else {
            panic!("{:?}", fpga.controllers);
        };
        assert_eq!(
            (&controller.firmware, &controller.mac_address),
            (&None, &None)
        );
        assert!(fpga.keys.is_empty() && fpga.retimers.is_empty());
        let asked = fpga
            .sensors
            .iter()
            .filter(|one| one.id.contains("hwmon") || one.id.contains("spi"));
        assert!(asked.clone().count() >= 20);
        assert!(asked.into_iter().all(|one| one.now.reading.is_none()));
        assert_eq!(fpga.managers[0].now.state, Some(ManagerState::Unknown));
    }
}

#[test]
fn memories_and_power_of_the_older_driver_are_read() {
    let Some((fpga, _)) = captured(RC) else {
        return;
    };
    let memories = fpga.memories.iter();
    let memories: Vec<_> = memories
        .map(|one| (one.now.calibrated, one.now.failed))
        .collect();
    assert_eq!(
        memories,
        [(Some(true), Some(false)); 2],
        "complete 3, failure 0"
    );
    assert_eq!(
        fpga.sensors[0].now.reading,
        Some(Reading::TemperatureMillicelsius(38_000))
    );
    let Some((fpga, _)) = captured(ONE_SOCKET) else {
        return;
    };
    let power = fpga
        .sensors
        .iter()
        .find(|one| one.id.ends_with("power_mgmt"));
    let power = power.expect("its power");
    // consumed 0x17, threshold1 0x7f, in watts.
    assert_eq!(
        power.now.reading,
        Some(Reading::PowerMicrowatts(23_000_000))
    );
    assert_eq!(power.max, Some(Reading::PowerMicrowatts(127_000_000)));
    let heat = fpga
        .sensors
        .iter()
        .find(|one| one.id.ends_with("thermal_mgmt"));
    let heat = heat.expect("its temperature");
    assert_eq!(
        heat.now.reading,
        Some(Reading::TemperatureMillicelsius(37_000))
    );
    assert_eq!(
        heat.critical,
        Some(Reading::TemperatureMillicelsius(93_000))
    );
}

#[test]
fn a_card_of_the_kernels_newest_driver_and_a_soc_read_as_their_documents_say() {
    let inventory = synthetic("fpga-n6001-zynqmp", &[Class::Fpga]);
    assert_eq!(inventory.problems, []);
    let fpga = inventory.fpga.expect("the class");
    assert_eq!(fpga.cards[0].model.as_deref(), Some("Intel N6001"));
    assert_eq!(fpga.controllers[0].firmware.as_deref(), Some("3.11.2"));
    let zynqmp = &fpga.managers[1];
    let configuration = zynqmp.now.configuration.as_ref().expect("its status");
    assert!(configuration.done && configuration.faults.is_empty());
}

#[test]
fn cards_of_xrt_read_as_its_drivers_say() {
    let inventory = synthetic("fpga-xrt", &[Class::Fpga]);
    assert_eq!(inventory.problems, []);
    let fpga = inventory.fpga.expect("the class");
    let frameworks: Vec<_> = fpga
        .cards
        .iter()
        .map(|card| card.framework.clone())
        .collect();
    let expected = [
        Framework::XrtManagement,
        Framework::XrtUser,
        Framework::None,
        Framework::XrtManagement,
    ];
    assert_eq!(frameworks, expected);
    let boots: Vec<_> = fpga
        .cards
        .iter()
        .map(|card| card.image.as_ref().map(|image| image.boot.as_str()))
        .collect();
    assert_eq!(boots, [Some("user"), Some("user"), None, Some("factory")]);
}
