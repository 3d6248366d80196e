use crate::monitor::scene::{Scene, row};

use super::ROW;

const PROBE: &str = "gnomon/probes/dpll.json";

#[test]
fn a_circuit_that_followed_a_source_is_told_when_it_loses_it() {
    let mut scene = Scene::ttar(&ROW, "telco-nic");
    let pps = row("ptp.synce-lost", "dpll=pps b49691fffe005110", "fault major");
    let eec = |word: &str| row("ptp.synce-lost", "dpll=eec b49691fffe005110", word);
    assert_eq!(scene.wrong(), std::slice::from_ref(&pps));
    scene.edit(PROBE, "locked_ho_acq", "holdover");
    assert_eq!(scene.wrong(), [eec("fault major"), pps.clone()]);
    scene.edit(
        PROBE,
        "\"eec\",\"mode\":\"automatic\",\"lock_status\":\"holdover\"",
        "\"eec\",\"mode\":\"automatic\",\"lock_status\":\"unlocked\"",
    );
    assert_eq!(scene.wrong(), [eec("fault critical"), pps.clone()]);
    scene.edit(PROBE, "\"unlocked\"", "\"locked\"");
    assert_eq!(scene.wrong(), [pps]);
}

#[test]
fn a_circuit_that_never_followed_one_is_not_missed() {
    let mut scene = Scene::ttar(&ROW, "telco-nic");
    scene.edit(PROBE, "\"locked_ho_acq\"", "\"unlocked\"");
    scene.edit(PROBE, "\"holdover\"", "\"state of tomorrow\"");
    assert_eq!(scene.wrong(), []);
}
