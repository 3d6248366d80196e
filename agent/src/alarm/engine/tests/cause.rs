use super::*;

const CAUSE: &str = "t.cause.host";
const SYMPTOM: &str = "t.cause.symptom";
const S: &str = "host=n1.nic=a.port=0";

#[test]
fn a_symptom_is_linked_to_its_active_cause_and_not_sent() {
    let mut rig = Rig::new();
    rig.fault(CAUSE, "host=n1");
    rig.fault(SYMPTOM, S);
    assert_eq!(rig.happened(), ["Raised", "[Raised]"]);
    assert_eq!(
        rig.alarm(SYMPTOM, S).unwrap().cause,
        Some(rig.instance(CAUSE, "host=n1"))
    );
    assert!(!rig.alarm(SYMPTOM, S).unwrap().is_announced());
    rig.absent(SYMPTOM, S);
    assert_eq!(rig.happened(), ["[Cleared]"]);
}

#[test]
fn a_symptom_that_outlives_its_cause_is_sent_after_a_while() {
    let mut rig = Rig::new();
    rig.fault(CAUSE, "host=n1");
    rig.fault(SYMPTOM, S);
    rig.absent(CAUSE, "host=n1");
    rig.happened();
    rig.pass(29);
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.pass(1);
    assert_eq!(rig.happened(), ["Released"]);
    assert!(rig.alarm(SYMPTOM, S).unwrap().is_announced());
    rig.absent(SYMPTOM, S);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn a_symptom_that_ends_soon_after_its_cause_is_never_sent() {
    let mut rig = Rig::new();
    rig.fault(CAUSE, "host=n1");
    rig.fault(SYMPTOM, S);
    rig.absent(CAUSE, "host=n1");
    rig.pass(20);
    rig.absent(SYMPTOM, S);
    rig.pass(100);
    assert_eq!(
        rig.happened(),
        ["Raised", "[Raised]", "Cleared", "[Cleared]"]
    );
}

#[test]
fn a_cause_that_comes_later_is_told_of_and_the_symptom_stays() {
    let mut rig = Rig::new();
    rig.fault(SYMPTOM, S);
    rig.fault(CAUSE, "host=n1");
    assert_eq!(rig.happened(), ["Raised", "Raised", "Linked"]);
    assert!(rig.alarm(SYMPTOM, S).unwrap().is_announced());
    assert_eq!(
        rig.alarm(SYMPTOM, S).unwrap().cause,
        Some(rig.instance(CAUSE, "host=n1"))
    );
    rig.absent(SYMPTOM, S);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn a_cause_that_comes_back_in_the_while_takes_its_symptom_again() {
    let mut rig = Rig::new();
    rig.fault(CAUSE, "host=n1");
    rig.fault(SYMPTOM, S);
    rig.absent(CAUSE, "host=n1");
    rig.pass(10);
    rig.fault(CAUSE, "host=n1");
    rig.happened();
    rig.pass(100);
    assert_eq!(rig.happened(), Vec::<String>::new());
    assert_eq!(
        rig.alarm(SYMPTOM, S).unwrap().cause,
        Some(rig.instance(CAUSE, "host=n1"))
    );
}

#[test]
fn a_symptom_that_is_graver_than_its_cause_is_sent() {
    let mut rig = Rig::new();
    rig.fault(CAUSE, "host=n1");
    rig.fault(SYMPTOM, S);
    rig.happened();
    rig.see(SYMPTOM, S, Seen::Fault(Some(Severity::Critical)));
    assert_eq!(rig.happened(), ["Released"]);
    rig.see(
        SYMPTOM,
        "host=n1.nic=b",
        Seen::Fault(Some(Severity::Critical)),
    );
    assert_eq!(rig.happened(), ["Raised"]);
    assert!(rig.alarm(SYMPTOM, "host=n1.nic=b").unwrap().cause.is_some());
}

#[test]
fn another_cause_that_is_active_takes_over() {
    let mut rig = Rig::new();
    rig.fault(CAUSE, "host=n1");
    rig.fault(PLAIN, S);
    rig.fault(SYMPTOM, S);
    rig.absent(CAUSE, "host=n1");
    rig.pass(100);
    assert_eq!(
        rig.happened(),
        ["Raised", "Raised", "[Raised]", "Cleared", "[Linked]"]
    );
    assert_eq!(
        rig.alarm(SYMPTOM, S).unwrap().cause,
        Some(rig.instance(PLAIN, S))
    );
}

#[test]
fn entities_have_to_be_related_as_the_catalogue_says() {
    for (id, entity, is_cause) in [
        (CAUSE, "host=n1", true),
        (CAUSE, "host=n1.psu=1", true),
        (CAUSE, "host=n10", false),
        (PLAIN, S, true),
        (PLAIN, "host=n1.nic=a", false),
        (SLOW, "host=n1.nic=a", true),
        (SLOW, S, true),
        (SLOW, "host=n1.nic=a.port=0.queue=1", false),
        (SLOW, "host=n1.nic=b", false),
        ("t.value.high", "host=n1.nic=a.port=0.laser=1", true),
        ("t.value.high", "host=n1.nic=a", false),
        ("t.dwell.fault", S, false),
    ] {
        let mut first = Rig::new();
        let mut later = Rig::new();
        first.fault(id, entity);
        first.pass(10);
        first.fault(SYMPTOM, S);
        later.fault(SYMPTOM, S);
        later.fault(id, entity);
        later.pass(10);
        for rig in [first, later] {
            assert_eq!(
                rig.alarm(SYMPTOM, S).unwrap().cause.is_some(),
                is_cause,
                "{id} of {entity}"
            );
        }
    }
}

#[test]
fn what_is_latched_and_gone_explains_nothing() {
    let text = CATALOGUE.replacen(
        "[\"t.cause.host\"]",
        "[\"t.cause.host\"]\nlatched = \"operator\"",
        1,
    );
    let mut rig = Rig::new();
    rig.engine.catalogue = Arc::new(Catalogue::parse(&text).unwrap());
    rig.fault(CAUSE, "host=n1");
    rig.absent(CAUSE, "host=n1");
    rig.fault(SYMPTOM, S);
    assert_eq!(rig.happened(), ["Raised", "Latched", "Raised"]);
}
