//! What `gnomon alarms` says of the catalogue.

use serde_json::Value;

use crate::command::{Lab, golden, status_and_complaint};

#[test]
fn alarms_are_listed_by_what_their_ids_begin_with() {
    let lab = Lab::new();
    golden("alarms-list.txt", &lab.stdout("alarms list hw.memory"));
    let all = lab.json("alarms list --json");
    let ids = all
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap());
    assert!(ids.clone().count() >= 90);
    assert!(ids.is_sorted());
}

#[test]
fn an_alarm_is_explained_to_people_and_programs() {
    let lab = Lab::new();
    golden(
        "alarms-explain.txt",
        &lab.stdout("alarms explain host.memory.pressure"),
    );
    let row = lab.json("alarms explain host.memory.pressure --json");
    assert_eq!(row["probable_cause"], "out-of-memory");
    assert_eq!(row["causes"], Value::from(vec!["host.memory.usage"]));
}

#[test]
fn an_alarm_that_there_is_not_is_refused_by_name() {
    let lab = Lab::new();
    for line in [
        "alarms explain hw.memmory.corrected",
        "alarms list hw.memmory.corrected",
    ] {
        let complaint =
            "gnomon: no alarm \"hw.memmory.corrected\" (gnomon alarms list)\n".to_owned();
        assert_eq!(status_and_complaint(&lab.run(line)), (1, complaint));
    }
}
