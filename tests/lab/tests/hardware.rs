//! Does the inventory tell what memory controllers, sensors, FPGAs, clock circuits and PTP ports of a real kernel do, and
//! what goes wrong with them?

use std::time::Duration;

use gnomon_lab::fault::FpgaStep;
use gnomon_lab::{Boot, LabError, Machine, Vm, fault, ready};
use libhw::join::dimm::{Basis, sticks};
use serde_json::{Value, json};

/// A machine with these modules of the lab there to be loaded; `None` where there are no machines.
fn booted(name: &str, modules: &[&str], peers: &[&str]) -> Option<Vm> {
    if !ready() {
        return None;
    }
    let boot = Boot::new(name).agent().limit(Duration::from_secs(40));
    let boot = peers.iter().fold(boot, |boot, peer| boot.peer(peer));
    let boot = boot.lab_modules(modules).unwrap();
    Some(Vm::boot(&Machine::plain(), &boot).unwrap())
}

fn inventory(vm: &mut Vm, arguments: &[&str]) -> Value {
    let argv = [&["gnomon", "inventory", "--json"], arguments].concat();
    let output = vm.run(&argv).unwrap();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The row of a table by the value of one of its fields.
fn row<'a>(table: &'a Value, field: &str, value: &Value) -> &'a Value {
    let rows = table
        .as_array()
        .unwrap_or_else(|| panic!("no table: {table}"));
    let found = rows.iter().find(|row| row[field] == *value);
    found.unwrap_or_else(|| panic!("no {field} {value} in {table:#}"))
}

#[test]
fn memory_errors_are_counted_on_the_dimm_that_has_them() {
    let Some(mut vm) = booted("memory_errors_are_counted", &["labhw"], &[]) else {
        return;
    };
    // QEMU's firmware names one socket, of all the memory; the label of the first counter is made to be its name.
    let labels = "labels=\"DIMM 0,DIMM_A2,DIMM_B1,DIMM_B2\" size_mib=512";
    vm.load("labhw", labels).unwrap();
    fault::memory_corrected(&mut vm, "DIMM 0", 3).unwrap();
    fault::memory_corrected(&mut vm, "DIMM_B1", 1).unwrap();
    fault::memory_uncorrected(&mut vm, "DIMM_A2", 2).unwrap();
    fault::memory_corrected(&mut vm, "?", 5).unwrap();
    assert!(matches!(
        fault::memory_corrected(&mut vm, "DIMM_Z9", 1),
        Err(LabError::Guest { .. })
    ));

    let seen = inventory(&mut vm, &["memory"]);
    let controller = &seen["memory"]["edac_controllers"][0]["now"];
    assert_eq!(
        (
            &controller["corrected"],
            &controller["corrected_unplaced"],
            &controller["uncorrected"]
        ),
        (&json!(9), &json!(5), &json!(2))
    );
    let counts = [
        ("DIMM 0", 3, 0),
        ("DIMM_A2", 0, 2),
        ("DIMM_B1", 1, 0),
        ("DIMM_B2", 0, 0),
    ];
    for (label, corrected, uncorrected) in counts {
        let dimm = row(&seen["memory"]["edac_dimms"], "label", &json!(label));
        let expected = json!({"corrected": corrected, "uncorrected": uncorrected});
        assert_eq!(dimm["now"], expected, "{label}");
    }
    let seen: libhw::inventory::Inventory = serde_json::from_value(seen).unwrap();
    let memory = seen.memory.as_ref().unwrap();
    let stick = &sticks(memory)[0];
    assert_eq!(stick.device.id, "DIMM 0");
    assert_eq!(stick.corrected, Some(3));
    assert_eq!(stick.basis, Some(Basis::Label));
}

#[test]
fn a_sensor_beyond_its_limit_raises_its_alarm_and_a_broken_one_hides_no_other() {
    let Some(mut vm) = booted("a_sensor_beyond_its_limit", &["labhw"], &[]) else {
        return;
    };
    vm.load("labhw", "").unwrap();
    let channel = |vm: &mut Vm, label: &str| {
        let seen = inventory(vm, &["sensor", "--deep"]);
        row(&seen["sensor"]["channels"], "label", &json!(label)).clone()
    };
    let quiet = channel(&mut vm, "CPU");
    assert_eq!(quiet["limits"], json!({"max": 85_000, "crit": 95_000}));
    assert_eq!(
        quiet["now"],
        json!({"input": 45_000, "fault": false, "alarms": {"max": false, "crit": false}})
    );

    // Each kind of sensor, beyond a limit on either side.
    let beyond = [
        (
            "labboard",
            "temp1",
            97_000,
            "CPU",
            json!({"max": true, "crit": true}),
        ),
        (
            "labboard",
            "temp2",
            1_000,
            "Inlet",
            json!({"min": true, "max": false}),
        ),
        ("labboard", "fan2", 0, "FAN2", json!({"min": true})),
        (
            "labboard",
            "in0",
            12_700,
            "12V",
            json!({"min": false, "max": true}),
        ),
        (
            "labpsu",
            "curr1",
            65_000,
            "IOUT",
            json!({"max": true, "crit": false}),
        ),
        (
            "labpsu",
            "power1",
            950_000_000,
            "PIN",
            json!({"max": true, "crit": true}),
        ),
    ];
    for (chip, sensor, value, label, alarms) in beyond {
        fault::sensor_input(&mut vm, chip, sensor, value).unwrap();
        let now = channel(&mut vm, label)["now"].clone();
        assert_eq!(now["input"], value, "{label}");
        assert_eq!(now["alarms"], alarms, "{label}");
    }
    fault::sensor_input(&mut vm, "labboard", "temp1", 45_000).unwrap();
    assert_eq!(channel(&mut vm, "CPU"), quiet);

    fault::sensor_fault(&mut vm, "labboard", "fan1", true).unwrap();
    assert_eq!(channel(&mut vm, "FAN1")["now"]["fault"], true);

    fault::sensor_unreadable(&mut vm, "labpsu", "in0", 5).unwrap();
    let seen = inventory(&mut vm, &["sensor", "--deep"]);
    let problem = &seen["problems"][0];
    assert_eq!(problem["reason"], "unreadable", "{problem}");
    assert!(problem["path"].as_str().unwrap().ends_with("/in0_input"));
    let other = row(&seen["sensor"]["channels"], "label", &json!("IOUT"));
    assert_eq!(other["now"]["input"], 65_000);
}

#[test]
fn a_hot_thermal_zone_is_told_with_its_trips_and_what_cools_it() {
    let Some(mut vm) = booted("a_hot_thermal_zone", &["labhw"], &[]) else {
        return;
    };
    vm.load("labhw", "").unwrap();
    fault::zone_temperature(&mut vm, 90_000).unwrap();
    // The governor turns the fan up step by step, once in each of its rounds.
    let seen = vm
        .wait_for("the fan turned up", Duration::from_secs(10), |vm| {
            let seen = inventory(vm, &["sensor", "--deep"]);
            let fan = row(&seen["sensor"]["cooling_devices"], "kind", &json!("labfan"));
            Ok((fan["now"]["state"] == 3).then_some(seen))
        })
        .unwrap();
    let zone = row(&seen["sensor"]["thermal_zones"], "kind", &json!("labzone"));
    assert_eq!(zone["now"]["temperature_millicelsius"], 90_000);
    let trips: Vec<(&Value, &Value)> = zone["trips"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trip| (&trip["kind"], &trip["temperature_millicelsius"]))
        .collect();
    assert_eq!(
        trips,
        [
            (&json!("passive"), &json!(80_000)),
            (&json!("hot"), &json!(95_000)),
            (&json!("critical"), &json!(105_000))
        ]
    );
    let fan = row(&seen["sensor"]["cooling_devices"], "kind", &json!("labfan"));
    assert_eq!(zone["cooling"][0]["cooling_device"], fan["id"]);
    fault::zone_temperature(&mut vm, 110_000).unwrap();
    let critical = vm.read("/sys/kernel/debug/labhw/thermal/critical").unwrap();
    assert_ne!(critical.trim(), "0");
}

#[test]
fn an_fpga_that_could_not_be_programmed_says_which_step_failed() {
    let Some(mut vm) = booted("an_fpga_that_could_not_be_programmed", &["labfpga"], &[]) else {
        return;
    };
    vm.load("labfpga", "").unwrap();
    let program = |vm: &mut Vm| vm.write("/sys/kernel/debug/labfpga/program", "an image");
    let states = |vm: &mut Vm| {
        let seen = inventory(vm, &["fpga"])["fpga"].clone();
        assert_eq!(seen["managers"][0]["name"], "Lab FPGA Manager");
        assert_eq!(seen["regions"].as_array().unwrap().len(), 1);
        (
            seen["managers"][0]["now"].clone(),
            seen["bridges"][0]["now"]["state"].clone(),
        )
    };
    program(&mut vm).unwrap();
    assert_eq!(
        states(&mut vm),
        (json!({"state": "operating"}), json!("enabled"))
    );
    let steps = [
        (FpgaStep::Init, "write_init_error"),
        (FpgaStep::Write, "write_error"),
        (FpgaStep::Complete, "write_complete_error"),
    ];
    for (step, state) in steps {
        fault::fpga_fails(&mut vm, step).unwrap();
        assert!(matches!(program(&mut vm), Err(LabError::Guest { .. })));
        assert_eq!(
            states(&mut vm),
            (json!({"state": state}), json!("disabled"))
        );
    }
    // FPGA_MGR_STATUS_CRC_ERR and FPGA_MGR_STATUS_INCOMPATIBLE_IMAGE_ERR.
    fault::fpga_status(&mut vm, 0b110).unwrap();
    let faults = json!(["reconfig CRC error", "reconfig incompatible image"]);
    assert_eq!(states(&mut vm).0["faults"], faults);
    fault::fpga_status(&mut vm, 0).unwrap();
    fault::fpga_fails(&mut vm, FpgaStep::None).unwrap();
    program(&mut vm).unwrap();
    assert_eq!(
        states(&mut vm),
        (json!({"state": "operating"}), json!("enabled"))
    );
}

#[test]
fn a_clock_circuit_falls_back_to_the_next_input_and_then_holds_over() {
    let Some(mut vm) = booted("a_clock_circuit_falls_back", &["labptp", "labdpll"], &[]) else {
        return;
    };
    vm.load("labptp", "").unwrap();
    vm.load("labdpll", "netdev=lptp0").unwrap();
    let circuits = |vm: &mut Vm| {
        let nic = inventory(vm, &["nic"])["nic"].clone();
        let state = |label: &str| {
            let pin = row(&nic["pins"], "label", &json!(label));
            pin["parents"][0]["state"].as_str().unwrap().to_owned()
        };
        let lock = nic["dplls"][0]["lock_status"].as_str().unwrap().to_owned();
        (lock, state("GNSS-1PPS"), state("C827_0-RCLKA"))
    };
    let told =
        |lock: &str, gnss: &str, synce: &str| (lock.to_owned(), gnss.to_owned(), synce.to_owned());
    let nic = inventory(&mut vm, &["nic"])["nic"].clone();
    let port = row(&nic["interfaces"], "id", &json!("lptp0"));
    let pin = row(&nic["pins"], "label", &json!("C827_0-RCLKA"));
    assert_eq!(port["dpll_pin"], pin["id"]);
    assert_eq!(
        circuits(&mut vm),
        told("locked_ho_acq", "connected", "selectable")
    );
    fault::circuit_signal(&mut vm, "gnss", false).unwrap();
    assert_eq!(
        circuits(&mut vm),
        told("locked_ho_acq", "selectable", "connected")
    );
    fault::circuit_signal(&mut vm, "synce", false).unwrap();
    assert_eq!(
        circuits(&mut vm),
        told("holdover", "selectable", "selectable")
    );
    let nic = inventory(&mut vm, &["nic"])["nic"].clone();
    assert_eq!(nic["dplls"][0]["lock_error"], "media_down", "{nic:#}");
    fault::circuit_signal(&mut vm, "gnss", true).unwrap();
    assert_eq!(
        circuits(&mut vm),
        told("locked_ho_acq", "connected", "selectable")
    );
    fault::circuit_holds_over(&mut vm, false).unwrap();
    fault::circuit_signal(&mut vm, "gnss", false).unwrap();
    assert_eq!(
        circuits(&mut vm),
        told("unlocked", "selectable", "selectable")
    );
}

#[test]
fn every_port_is_told_with_its_clock_its_stamps_and_its_pins() {
    let name = "every_port_is_told_with_its_clock";
    let Some(mut vm) = booted(name, &["labptp"], &["ethtool", "ip"]) else {
        return;
    };
    // A boundary clock between two others: both ports in the middle share a clock.
    vm.load("labptp", "pairs=2 phc=0,1,1,2").unwrap();
    let seen = inventory(&mut vm, &["nic", "ptp_clock", "--deep"]);
    for (port, clock) in [
        ("lptp0", "ptp0"),
        ("lptp1", "ptp1"),
        ("lptp2", "ptp1"),
        ("lptp3", "ptp2"),
    ] {
        let interface = row(&seen["nic"]["interfaces"], "id", &json!(port));
        let stamps = &interface["timestamping"];
        assert_eq!(stamps["clock"], clock);
        assert_eq!(
            stamps["tx_types"],
            json!(["off", "on", "onestep-sync", "onestep-p2p"])
        );
        let peer = vm.run(&["ethtool", "-T", port]).unwrap().stdout;
        assert!(
            peer.contains(&format!("PTP Hardware Clock: {}\n", &clock[3..])),
            "{peer}"
        );
        let words =
            ["modes", "tx_types", "rx_filters"].map(|list| stamps[list].as_array().unwrap());
        for word in words.into_iter().flatten() {
            let line = format!("\t{}\n", word.as_str().unwrap());
            assert!(peer.contains(&line), "{word} in {peer}");
        }
    }
    let clock = row(&seen["ptp_clock"]["clocks"], "id", &json!("ptp1"));
    assert_eq!(clock["interfaces"], json!(["lptp1", "lptp2"]));
    let features = [
        "external_timestamps",
        "periodic_outputs",
        "programmable_pins",
        "pps",
        "cross_timestamping",
    ];
    assert_eq!(
        features.map(|feature| &clock[feature]),
        [&json!(2), &json!(2), &json!(2), &json!(true), &json!(true)]
    );
    vm.write("/sys/class/ptp/ptp1/pins/SDP1", "2 0").unwrap();
    let seen = inventory(&mut vm, &["ptp_clock"]);
    let clock = row(&seen["ptp_clock"]["clocks"], "id", &json!("ptp1"));
    let pin = row(&clock["pins"], "id", &json!("SDP1"));
    assert_eq!(pin["now"]["function"], "periodic_output");
}

#[test]
fn a_pulled_cable_and_broken_frames_are_seen() {
    let Some(mut vm) = booted("a_pulled_cable", &["labptp"], &["ip"]) else {
        return;
    };
    vm.load("labptp", "").unwrap();
    for port in ["lptp0", "lptp1"] {
        assert_eq!(
            vm.run(&["ip", "link", "set", port, "up"]).unwrap().status,
            0
        );
    }
    let port = |vm: &mut Vm| {
        let seen = inventory(vm, &["nic", "--deep"]);
        row(&seen["nic"]["interfaces"], "id", &json!("lptp1")).clone()
    };
    let link = |vm: &mut Vm, wanted: &str| {
        vm.wait_for(wanted, Duration::from_secs(5), |vm| {
            let port = port(vm);
            Ok((port["operstate"] == wanted).then_some(port))
        })
        .unwrap()
    };
    let before = link(&mut vm, "up");
    assert_eq!(before["now"]["speed_mbps"], 10_000, "{before:#}");
    fault::plugged(&mut vm, 0, false).unwrap();
    let down = link(&mut vm, "down");
    fault::plugged(&mut vm, 0, true).unwrap();
    let after = link(&mut vm, "up");
    let count = |port: &Value| port["now"]["carrier_down_count"].as_i64().unwrap();
    assert_eq!(count(&down), count(&before) + 1);
    assert_eq!(count(&after), count(&down));

    // Every frame that leaves the other port now arrives broken; a new address is told to the neighbours at once.
    fault::corrupt_frames(&mut vm, 0, 100).unwrap();
    let argv = ["ip", "address", "add", "fe80::1234/64", "dev", "lptp0"];
    assert_eq!(vm.run(&argv).unwrap().status, 0);
    vm.wait_for(
        "a frame with a wrong checksum",
        Duration::from_secs(10),
        |vm| {
            let errors = port(vm)["now"]["rx_crc_errors"].as_u64();
            Ok(errors.filter(|errors| *errors > 0))
        },
    )
    .unwrap();
}

#[test]
fn the_modules_come_and_go_fifty_times() {
    let modules = ["labptp", "labhw", "labfpga", "labdpll"];
    let Some(mut vm) = booted("the_modules_come_and_go", &modules, &["rmmod"]) else {
        return;
    };
    for _ in 0..50 {
        for module in modules {
            vm.load(module, "").unwrap();
        }
        let output = vm
            .run(&["rmmod", "labdpll", "labptp", "labhw", "labfpga"])
            .unwrap();
        assert_eq!(output.status, 0, "{output:?}");
    }
    assert_eq!(vm.list("/sys/class/ptp").unwrap(), [""; 0]);
    assert_eq!(vm.list("/sys/class/hwmon").unwrap(), [""; 0]);
    let tainted: u32 = vm
        .read("/proc/sys/kernel/tainted")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // Modules of another tree, unsigned; no warning (bit 9) and no oops (bit 7).
    assert_eq!(tainted & (1 << 7 | 1 << 9), 0, "{tainted:#x}");
}
