//! Do Debian's ptp4l and phc2sys keep one clock of the lab by the other, and how well?
//!
//! This is the yardstick for an engine of our own: the same module, the same faults, the same truth. Offsets are those
//! that the module knows, not those that a servo believes.

use std::time::Duration;

use gnomon_lab::yardstick::{self, Gauge};
use gnomon_lab::{Boot, LabError, Machine, Vm, fault, ready};

const MASTER: &str = "lptp0";
const SLAVE: &str = "lptp1";
const LIMIT: Duration = Duration::from_secs(40);

/// Eight messages a second, so that a servo settles within seconds.
const QUICK: &str = "[global]
network_transport L2
logAnnounceInterval -2
announceReceiptTimeout 4
logSyncInterval -3
logMinDelayReqInterval -3
logMinPdelayReqInterval -3
tx_timestamp_timeout 200
fault_reset_interval ASAP
summary_interval 4
";

/// Two ports, the second with an oscillator that is 25 ppm fast; `None` where there are no machines.
fn booted(name: &str, peers: &[&str]) -> Option<Vm> {
    if !ready() {
        return None;
    }
    let boot = Boot::new(name).limit(Duration::from_secs(60)).peer("ip");
    let boot = peers.iter().fold(boot, |boot, peer| boot.peer(peer));
    let boot = boot.lab_modules(&["labptp"]).unwrap();
    let mut vm = Vm::boot(&Machine::plain(), &boot).unwrap();
    vm.load("labptp", "error_ppb=0,25000").unwrap();
    for port in [MASTER, SLAVE] {
        assert_eq!(
            vm.run(&["ip", "link", "set", port, "up"]).unwrap().status,
            0
        );
    }
    Some(vm)
}

/// Starts ptp4l on a port: its process id.
fn ptp4l(vm: &mut Vm, port: &str, options: &str) -> u32 {
    let path = format!("/etc/{port}.conf");
    let config = format!("{QUICK}uds_address /run/{port}\n{options}");
    vm.write(&path, &config).unwrap();
    vm.spawn(&["ptp4l", "-i", port, "-f", &path, "-m", "-q"])
        .unwrap()
}

fn pair(vm: &mut Vm, options: &str) -> (u32, u32) {
    let master = ptp4l(vm, MASTER, options);
    let slave = ptp4l(vm, SLAVE, &format!("{options}slaveOnly 1\n"));
    (master, slave)
}

fn end(vm: &mut Vm, (master, slave): (u32, u32)) {
    for id in [master, slave] {
        vm.kill(id, 15).unwrap();
        vm.wait(id, Duration::from_secs(5)).unwrap();
    }
}

/// What a program has said: ptp4l writes what it does to one file, and what goes wrong to the other.
fn words(vm: &mut Vm, id: u32) -> Result<String, LabError> {
    let out = vm.read(&format!("/run/lab/{id}.out"))?;
    Ok(out + &vm.read(&format!("/run/lab/{id}.err"))?)
}

/// Waits for a program to say something.
fn said(vm: &mut Vm, id: u32, awaited: &str) {
    let heard = vm.wait_for(awaited, LIMIT, |vm| {
        Ok(words(vm, id)?.contains(awaited).then_some(()))
    });
    if heard.is_err() {
        panic!("{awaited:?} is not in {}", words(vm, id).unwrap());
    }
}

/// Waits until the slave's clock was for a whole second no further than `within_ns` from `around_ns`.
fn settled(vm: &mut Vm, around_ns: i64, within_ns: i64) -> Gauge {
    let mut last = None;
    yardstick::reset(vm, 1).unwrap();
    let settled = vm.wait_for("a clock that has settled", LIMIT, |vm| {
        let second = yardstick::gauge(vm, 1)?.filter(|gauge| gauge.samples >= 100);
        let Some(gauge) = second else {
            return Ok(None);
        };
        last = Some(gauge);
        let near = |offset: i64| (offset - around_ns).abs() <= within_ns;
        if near(gauge.min_ns) && near(gauge.max_ns) {
            return Ok(Some(gauge));
        }
        yardstick::reset(vm, 1)?;
        Ok(None)
    });
    settled.unwrap_or_else(|error| panic!("{error}: last {last:?}"))
}

/// The frequency that the clock was set to, as `clock_adjtime` on `/dev/ptp1` tells it.
///
/// ```text
/// phc_ctl[5.123]: clock frequency offset is -24999.374390ppb
/// ```
fn frequency_ppb(vm: &mut Vm) -> f64 {
    let output = vm.run(&["phc_ctl", "/dev/ptp1", "freq"]).unwrap();
    let text = format!("{}{}", output.stdout, output.stderr);
    let number = text
        .split("offset is ")
        .nth(1)
        .and_then(|rest| rest.split("ppb").next());
    let number = number.unwrap_or_else(|| panic!("no frequency in {text:?}"));
    number.parse().unwrap()
}

fn statistic(vm: &mut Vm, port: &str, name: &str) -> u64 {
    let text = vm.run(&["ethtool", "-S", port]).unwrap().stdout;
    let value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
    value
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

#[test]
fn ptp4l_takes_25_ppm_from_a_clock_and_holds_it_when_its_master_is_gone() {
    let Some(mut vm) = booted("ptp4l_takes_25_ppm", &["ptp4l", "phc_ctl"]) else {
        return;
    };
    let (master, slave) = pair(&mut vm, "");
    said(&mut vm, slave, "UNCALIBRATED to SLAVE");
    let gauge = settled(&mut vm, 0, 100);
    assert!(gauge.rms_ns <= 50, "{gauge:?}");
    // What makes 1.000025 of the oscillator's rate one: a little less than the error itself.
    let frequency = frequency_ppb(&mut vm);
    assert!((frequency + 24_999.4).abs() < 100.0, "{frequency}");

    // A path that is 4 us longer one way moves the clock by half of that, and no node can know.
    fault::wire_delay(&mut vm, 0, 9_000).unwrap();
    settled(&mut vm, -2_000, 100);
    fault::wire_delay(&mut vm, 0, 5_000).unwrap();
    fault::oscillator_error(&mut vm, 1, 26_000).unwrap();
    settled(&mut vm, 0, 100);
    let frequency = frequency_ppb(&mut vm);
    assert!((frequency + 25_999.3).abs() < 100.0, "{frequency}");

    vm.kill(master, 9).unwrap();
    said(&mut vm, slave, "ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES");
    // Nobody steers it now: a frequency within 0.1 ppm of the right one drifts by less than this in a second.
    settled(&mut vm, 0, 2_000);
}

#[test]
fn a_one_step_sync_carries_the_time_at_which_it_left() {
    one_step(
        "a_one_step_sync",
        "time_stamping onestep\n",
        "tx_onestep_sync",
    );
}

#[test]
fn a_one_step_sync_over_udp_keeps_its_checksum() {
    let options = "time_stamping onestep\nnetwork_transport UDPv6\n";
    one_step("a_one_step_sync_over_udp", options, "tx_onestep_sync");
}

#[test]
fn a_one_step_peer_delay_carries_the_time_that_it_took() {
    let options = "time_stamping p2p1step\ndelay_mechanism P2P\n";
    one_step("a_one_step_peer_delay", options, "tx_onestep_pdelay_resp");
}

fn one_step(name: &str, options: &str, counter: &str) {
    let Some(mut vm) = booted(name, &["ptp4l", "ethtool"]) else {
        return;
    };
    let pair = pair(&mut vm, &format!("{options}twoStepFlag 0\n"));
    said(&mut vm, pair.1, "UNCALIBRATED to SLAVE");
    settled(&mut vm, 0, 100);
    end(&mut vm, pair);
    assert!(statistic(&mut vm, MASTER, counter) > 8);
    assert_eq!(statistic(&mut vm, MASTER, "tx_onestep_errors"), 0);
    assert_eq!(statistic(&mut vm, SLAVE, "tx_onestep_sync"), 0);
}

#[test]
fn a_lost_or_late_transmit_stamp_is_a_fault_that_passes() {
    let Some(mut vm) = booted("a_lost_transmit_stamp", &["ptp4l", "ethtool"]) else {
        return;
    };
    let (master, slave) = pair(&mut vm, "");
    said(&mut vm, slave, "UNCALIBRATED to SLAVE");
    let times = |vm: &mut Vm| -> Result<usize, LabError> {
        Ok(words(vm, master)?
            .matches("timed out while polling for tx timestamp")
            .count())
    };
    assert_eq!(times(&mut vm).unwrap(), 0);
    fault::lose_next_stamps(&mut vm, 0, 1).unwrap();
    said(&mut vm, master, "timed out while polling for tx timestamp");
    said(&mut vm, master, "clearing fault immediately");
    assert_eq!(statistic(&mut vm, MASTER, "tx_hwtstamp_lost"), 1);

    let before = times(&mut vm).unwrap();
    fault::late_stamps(&mut vm, 0, 400).unwrap();
    vm.wait_for("a stamp that came too late", LIMIT, |vm| {
        Ok((times(vm)? > before).then_some(()))
    })
    .unwrap();
    fault::late_stamps(&mut vm, 0, 0).unwrap();
    settled(&mut vm, 0, 200);
    assert_eq!(statistic(&mut vm, MASTER, "tx_hwtstamp_lost"), 1);
}

#[test]
fn lost_frames_and_a_wandering_oscillator_cost_nanoseconds() {
    let Some(mut vm) = booted("lost_frames", &["ptp4l"]) else {
        return;
    };
    for port in [0, 1] {
        fault::lose_frames(&mut vm, port, 10).unwrap();
        fault::wire_jitter(&mut vm, port, 50).unwrap();
    }
    fault::oscillator_wander(&mut vm, 1, 20).unwrap();
    let (_, slave) = pair(&mut vm, "");
    said(&mut vm, slave, "UNCALIBRATED to SLAVE");
    let gauge = settled(&mut vm, 0, 1_000);
    // A clock that nothing disturbs would be exact.
    assert!(gauge.worst_ns() > 1, "{gauge:?}");
}

#[test]
fn phc2sys_keeps_one_clock_by_the_other() {
    let Some(mut vm) = booted("phc2sys_keeps_one_clock", &["phc2sys", "phc_ctl"]) else {
        return;
    };
    let argv = [
        "phc2sys",
        "-s",
        "/dev/ptp0",
        "-c",
        "/dev/ptp1",
        "-O",
        "0",
        "-R",
        "8",
        "-m",
        "-q",
    ];
    vm.spawn(&argv).unwrap();
    // It reads one clock after the other, and the host may let the machine wait between the two.
    vm.wait_for("the oscillator's error made good", LIMIT, |vm| {
        let frequency = frequency_ppb(vm);
        Ok(((frequency + 24_999.4).abs() < 10_000.0).then_some(()))
    })
    .unwrap();
    settled(&mut vm, 0, 100_000);
}

#[test]
fn an_edge_of_one_clock_is_stamped_by_the_other() {
    let Some(mut vm) = booted("an_edge_of_one_clock", &[]) else {
        return;
    };
    let ptp = |file: &str| format!("/sys/class/ptp/{file}");
    vm.write(&ptp("ptp0/pins/SDP1"), "2 0").unwrap();
    vm.write(&ptp("ptp1/pins/SDP1"), "1 0").unwrap();
    vm.write(&ptp("ptp1/extts_enable"), "0 1").unwrap();
    vm.write(&ptp("ptp0/period"), "0 0 0 0 100000000").unwrap();
    let mut stamps: Vec<i64> = Vec::new();
    while stamps.len() < 12 {
        let event = vm
            .wait_for("an edge", LIMIT, |vm| {
                // Where nothing is queued, the kernel hands out one NUL.
                let event = vm.read(&ptp("ptp1/fifo"))?;
                Ok(event.starts_with('0').then_some(event))
            })
            .unwrap();
        let numbers: Vec<i64> = event
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        let [channel, seconds, nanoseconds] = numbers[..] else {
            panic!("{event:?}");
        };
        assert_eq!(channel, 0);
        stamps.push(seconds * 1_000_000_000 + nanoseconds);
    }
    // 100 ms of one clock are so long for the other, however late the interrupt was.
    for two in stamps.windows(2) {
        assert!((two[1] - two[0] - 100_002_500).abs() <= 1, "{stamps:?}");
    }

    vm.write(&ptp("ptp0/pps_enable"), "1").unwrap();
    let assert = vm
        .wait_for("a pulse", LIMIT, |vm| {
            let text = vm.read("/sys/class/pps/pps0/assert")?;
            Ok((!text.starts_with("0.000000000")).then_some(text))
        })
        .unwrap();
    assert!(assert.trim().ends_with("#1"), "{assert}");
}

#[test]
fn an_oscillator_that_changes_does_not_move_its_clock() {
    let Some(mut vm) = booted("an_oscillator_that_changes", &[]) else {
        return;
    };
    fault::oscillator_error(&mut vm, 1, 0).unwrap();
    let before = yardstick::offset_ns(&mut vm, 1).unwrap();
    assert_eq!(yardstick::offset_ns(&mut vm, 1).unwrap(), before);
    for _ in 0..20 {
        fault::oscillator_error(&mut vm, 1, 1_000_000).unwrap();
        fault::oscillator_error(&mut vm, 1, 0).unwrap();
    }
    let after = yardstick::offset_ns(&mut vm, 1).unwrap();
    assert_eq!(yardstick::offset_ns(&mut vm, 1).unwrap(), after);
    assert!(after > before);
    // 1000 ppm are a million nanoseconds in a second, and that is far more than the requests took.
    assert!(after - before < 5_000_000, "{before} {after}");
    assert!(fault::oscillator_error(&mut vm, 1, 1_000_001).is_err());
}
