//! LLDP frames as systemd-networkd keeps them.
#![cfg_attr(fuzzing, no_main)]

use libhw::device::nic::parse_lldp;

fn lldp(bytes: &[u8]) -> bool {
    let (neighbours, _) = parse_lldp(bytes);
    let json = serde_json::to_string(&neighbours).expect("JSON");
    assert_eq!(
        neighbours,
        serde_json::from_str::<Vec<libhw::device::nic::Neighbour>>(&json).expect("our own JSON")
    );
    !neighbours.is_empty()
}

gnomon_fuzz::target!(lldp);
