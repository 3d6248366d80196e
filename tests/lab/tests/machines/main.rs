//! Does an inventory taken in a machine tell what the machine was described as? And what other programs tell there?

mod bmcs;
mod captures;
mod examples;
mod nvdimms;
mod peers;
mod random;
mod shell;

use std::time::Duration;

use gnomon_lab::machine::compare;
use gnomon_lab::{Boot, LabError, Machine, Vm};
use serde_json::Value;

/// How long a machine may run: several programs are run in it, on a busy host.
const LIMIT: Duration = Duration::from_secs(40);

/// The programs whose words are compared with ours.
const PEERS: [&str; 4] = ["lscpu", "numactl", "dmidecode", "lstopo-no-graphics"];

/// The machine with the agent and the peers.
fn boot(machine: &Machine, name: &str) -> Result<Vm, LabError> {
    let (key, secret) = captures::KEY;
    let names: Vec<&str> = machine.lab_modules.iter().map(String::as_str).collect();
    let boot = Boot::new(name).agent().limit(LIMIT).file(key, secret);
    let boot = boot.lab_modules(&names)?;
    let boot = PEERS.into_iter().fold(boot, Boot::peer);
    Vm::boot(machine, &boot)
}

/// What `gnomon inventory --json` tells.
fn inventory(vm: &mut Vm) -> Value {
    let output = vm
        .run(&["gnomon", "inventory", "--json"])
        .expect("an inventory");
    // 3 is an inventory with problems in it, which the comparison tells of.
    assert!([0, 3].contains(&output.status), "{output:?}");
    serde_json::from_str(&output.stdout).expect("JSON")
}

/// What the inventory tells otherwise than the machine is described, a line each.
fn differences(machine: &Machine, inventory: &Value) -> Vec<String> {
    let differences = compare(&machine.expected(), inventory);
    differences.iter().map(ToString::to_string).collect()
}
