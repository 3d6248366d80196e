use super::*;

fn inventory(json: &str) -> Inventory {
    let head = r#"{"schema_version":1,"kind":"gnomon.inventory","#;
    serde_json::from_str(&format!("{head}{json}}}")).unwrap()
}

fn interface<'a>(inventory: &'a Inventory, name: &str) -> &'a Interface {
    inventory.nic.as_ref().unwrap().interface(name).unwrap()
}

#[test]
fn a_clock_that_nobody_was_asked_about_is_the_only_one_on_the_device() {
    let inventory = inventory(
        r#""nic":{"interfaces":[
            {"id":"a","kind":"physical","function":"0000:01:00.0"},
            {"id":"b","kind":"physical","function":"0000:02:00.0"},
            {"id":"c","kind":"physical","function":"0000:01:00.0","timestamping":{"modes":["software-receive"]}},
            {"id":"v","kind":"vlan","lower":"a"},
            {"id":"bond","kind":"bond"},
            {"id":"p","kind":"physical","master":"bond","timestamping":{"modes":[],"clock":"ptp0"}},
            {"id":"q","kind":"physical","master":"bond","timestamping":{"modes":[],"clock":"ptp1"}}]},
           "ptp_clock":{"clocks":[
            {"id":"ptp0","function":"0000:01:00.0"},
            {"id":"ptp1","function":"0000:02:00.0"},
            {"id":"ptp2","function":"0000:02:00.0"},
            {"id":"ptp3","function":"0000:01:00.0","parent":"ptp0"}]}"#,
    );
    let clock = |name| {
        clock_of_interface(&inventory, interface(&inventory, name)).map(|clock| clock.id.as_str())
    };
    assert_eq!(clock("a"), Some("ptp0"));
    assert_eq!(clock("b"), None);
    assert_eq!(clock("c"), None);
    assert_eq!(clock("v"), Some("ptp0"));
    assert_eq!(clock("q"), Some("ptp1"));
    assert_eq!(clock("bond"), None);
    let clocks = &inventory.ptp_clock.as_ref().unwrap().clocks;
    let names = |clock| {
        let all = interfaces_of_clock(&inventory, clock);
        all.iter()
            .map(|interface| interface.id.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (names(&clocks[0]), names(&clocks[3])),
        ("a p".into(), "a p".into())
    );
}

#[test]
fn time_measurement_over_pci_needs_every_bridge_on_the_way() {
    let with = |bridge: &str| {
        inventory(&format!(
            r#""nic":{{"interfaces":[{{"id":"a","function":"0000:01:00.0"}}]}},
               "pci":{{"functions":[
                {{"id":"0000:00:01.0","class_id":0,"vendor_id":0,"device_id":0,"deep":{{"extended_capabilities":[{bridge}]}}}},
                {{"id":"0000:01:00.0","class_id":0,"vendor_id":0,"device_id":0,"parent":"0000:00:01.0","node":1,
                  "deep":{{"extended_capabilities":["precision_time_measurement"]}}}}]}}"#
        ))
    };
    let ptm = |inventory: &Inventory| has_ptm(inventory, interface(inventory, "a"));
    let all = with(r#""precision_time_measurement""#);
    assert_eq!(ptm(&all), Some(true));
    assert_eq!(ptm(&with("")), Some(false));
    assert_eq!(node_of_interface(&all, interface(&all, "a")), Some(1));
    let shallow = inventory(r#""nic":{"interfaces":[{"id":"a"}]},"pci":{"functions":[]}"#);
    assert_eq!(ptm(&shallow), None);
}

#[test]
fn a_port_knows_its_pin_its_circuits_its_receiver_and_its_rdma_device() {
    let inventory = inventory(
        r#""nic":{"interfaces":[{"id":"a","function":"0000:01:00.1","dpll_pin":7},{"id":"b"}],
           "dplls":[{"id":0,"clock_mac":"aa"},{"id":1,"clock_mac":"bb"}],
           "pins":[{"id":7,"clock_mac":"aa","parents":[{"dpll":0}]},{"id":8}],
           "rdma":[{"id":"r0","function":"0000:01:00.1","ports":[{"id":1}]},{"id":"r1","ports":[{"id":1,"interface":"b"}]}]},
           "ptp_clock":{"clocks":[],"gnss":[{"id":"gnss0","function":"0000:01:00.0"},{"id":"gnss1"}]}"#,
    );
    let (a, b) = (interface(&inventory, "a"), interface(&inventory, "b"));
    assert_eq!(pin_of_interface(&inventory, a).unwrap().id, 7);
    let dplls: Vec<u32> = dplls_of_interface(&inventory, a)
        .iter()
        .map(|dpll| dpll.id)
        .collect();
    assert_eq!(
        (dplls, dplls_of_interface(&inventory, b).len()),
        (vec![0], 0)
    );
    let dpll = &inventory.nic.as_ref().unwrap().dplls[0];
    assert_eq!(pins_of_dpll(&inventory, dpll).len(), 1);
    let gnss = |of| {
        gnss_of_interface(&inventory, of)
            .iter()
            .map(|gnss| gnss.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((gnss(a), gnss(b)), (vec!["gnss0".to_owned()], vec![]));
    let rdma = |of| {
        rdma_of_interface(&inventory, of)
            .iter()
            .map(|rdma| rdma.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (rdma(a), rdma(b)),
        (vec!["r0".to_owned()], vec!["r1".to_owned()])
    );
}
