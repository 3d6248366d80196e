//! The machines that come with the lab.

use std::path::Path;

use gnomon_lab::{Machine, ready};

use crate::{boot, differences, inventory, peers};

pub(crate) fn example(name: &str) -> Machine {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("machines/{name}.toml"));
    Machine::parse(&std::fs::read_to_string(path).expect("an example")).expect("a machine")
}

#[test]
fn the_two_socket_server_is_as_described() {
    if !ready() {
        return;
    }
    let machine = example("two-socket-server");
    let mut vm = boot(&machine, "two_socket_server").unwrap();
    let inventory = inventory(&mut vm);
    let mut said = differences(&machine, &inventory);
    said.extend(peers::differences(&mut vm, &inventory));
    assert!(said.is_empty(), "{}", said.join("\n"));
}
