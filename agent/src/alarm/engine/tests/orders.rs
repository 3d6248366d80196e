use super::*;

const N: &str = "host=n1";
const DOOR: &str = "site.door.open";

fn set(id: &str, severity: Option<Severity>, said: &str) -> Demand {
    Demand::Set {
        key: key(id, N),
        severity,
        text: text(said),
    }
}

#[test]
fn an_acknowledgement_says_who_when_and_why_and_ends_with_the_alarm() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    let instance = rig.instance(PLAIN, N);
    rig.pass(5);
    rig.order(Demand::Acknowledge(instance)).unwrap();
    let known = rig.alarm(PLAIN, N).unwrap().acknowledged.clone().unwrap();
    assert_eq!(
        (known.by.as_str(), known.note.as_str(), known.at),
        ("ada", "on it", rig.stamp())
    );
    assert_eq!(rig.engine.counts().unacknowledged, 0);
    rig.order(Demand::Unacknowledge(instance)).unwrap();
    rig.order(Demand::Unacknowledge(instance)).unwrap();
    rig.order(Demand::Acknowledge(instance)).unwrap();
    assert_eq!(
        rig.happened(),
        ["Raised", "Acknowledged", "Unacknowledged", "Acknowledged"]
    );
    rig.absent(PLAIN, N);
    rig.fault(PLAIN, N);
    assert!(rig.alarm(PLAIN, N).unwrap().acknowledged.is_none());
    assert_eq!(
        rig.order(Demand::Acknowledge(instance)),
        Err(Refusal::NoAlarm(instance))
    );
}

#[test]
fn a_user_s_alarm_is_set_at_once_changed_and_cleared_by_order() {
    let mut rig = Rig::new();
    let done = rig.order(set(DOOR, None, "open")).unwrap();
    let instance = rig.instance(DOOR, N);
    assert_eq!(done, Done::Alarm(instance));
    let alarm = rig.alarm(DOOR, N).unwrap();
    assert_eq!(
        (alarm.severity, alarm.set_by.clone()),
        (Severity::Minor, Some(text("ada")))
    );
    rig.order(set(DOOR, Some(Severity::Critical), "wide open"))
        .unwrap();
    assert_eq!(rig.instance(DOOR, N), instance);
    assert_eq!(rig.happened(), ["Raised", "Changed"]);
    rig.order(Demand::Clear(instance)).unwrap();
    assert_eq!(rig.happened(), ["Cleared"]);
    assert!(rig.alarm(DOOR, N).is_none());
}

#[test]
fn what_a_monitor_sees_cannot_be_set_by_order() {
    let mut rig = Rig::new();
    assert_eq!(
        rig.order(set(PLAIN, None, "x")),
        Err(Refusal::NotCustom(key(PLAIN, N)))
    );
    let unknown = AlarmId::parse("t.no.such").unwrap();
    assert_eq!(
        rig.order(set("t.no.such", None, "x")),
        Err(Refusal::NoDefinition(unknown))
    );
    assert_eq!(rig.engine.keys(), 0);
}

#[test]
fn an_order_for_what_is_not_there_is_refused_by_name() {
    let mut rig = Rig::new();
    let id = Uuid::from_u128(7);
    for order in [
        Demand::Acknowledge(id),
        Demand::Unacknowledge(id),
        Demand::Clear(id),
    ] {
        let error = rig.order(order).unwrap_err().to_string();
        assert!(
            error.contains("00000000-0000-0000-0000-000000000007"),
            "{error}"
        );
    }
}

#[test]
fn a_fault_that_is_gone_and_has_yet_to_stay_away_may_be_cleared() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.pass(10);
    rig.absent(SLOW, N);
    let instance = rig.instance(SLOW, N);
    rig.order(Demand::Clear(instance)).unwrap();
    assert_eq!(rig.happened(), ["Raised", "Cleared"]);
    rig.pass(100);
    assert_eq!(rig.happened(), Vec::<String>::new());
}
