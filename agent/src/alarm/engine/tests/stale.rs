use super::*;

const N: &str = "host=n1";

fn unknown() -> Seen {
    Seen::Unknown(text("the probe gave no answer in 2 s"))
}

#[test]
fn a_probe_that_dies_marks_its_alarm_stale_and_clears_nothing() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    rig.see(PLAIN, N, unknown());
    rig.see(PLAIN, N, unknown());
    rig.pass(86_400);
    assert_eq!(rig.happened(), ["Raised", "Stale"]);
    let stale = rig.alarm(PLAIN, N).unwrap().stale.clone().unwrap();
    assert_eq!(stale.reason.as_str(), "the probe gave no answer in 2 s");
    rig.fault(PLAIN, N);
    assert_eq!(rig.happened(), ["Verified"]);
    assert!(rig.alarm(PLAIN, N).unwrap().stale.is_none());
}

#[test]
fn a_stale_alarm_that_is_seen_to_be_gone_is_cleared() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    rig.see(PLAIN, N, unknown());
    rig.absent(PLAIN, N);
    assert_eq!(rig.happened(), ["Raised", "Stale", "Cleared"]);
}

#[test]
fn time_without_sight_clears_nothing() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.pass(10);
    rig.absent(SLOW, N);
    rig.pass(10);
    rig.see(SLOW, N, unknown());
    rig.pass(100);
    assert_eq!(rig.happened(), ["Raised", "Stale"]);
    rig.absent(SLOW, N);
    rig.pass(19);
    assert!(rig.alarm(SLOW, N).is_some());
    rig.pass(1);
    assert_eq!(rig.happened().last().unwrap(), "Cleared");
}

#[test]
fn time_without_sight_raises_nothing() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.see(SLOW, N, unknown());
    rig.pass(100);
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.fault(SLOW, N);
    assert_eq!(rig.happened(), ["Raised"]);
}

#[test]
fn no_sight_of_what_is_sound_is_no_alarm() {
    let mut rig = Rig::new();
    rig.see(PLAIN, N, unknown());
    assert_eq!(rig.engine.keys(), 0);
}

#[test]
fn a_value_that_is_no_number_is_no_knowledge() {
    let mut rig = Rig::new();
    rig.value(f64::NAN);
    assert_eq!(rig.engine.keys(), 0);
    rig.value(95.0);
    rig.value(f64::NAN);
    rig.pass(100);
    assert_eq!(rig.happened(), ["Raised", "Stale"]);
}

#[test]
fn a_monitor_that_dies_marks_all_its_alarms_in_scope_stale() {
    let mut rig = Rig::new();
    for entity in ["host=n1.disk=a", "host=n1.disk=b", "host=n1.fan=1"] {
        rig.fault(PLAIN, entity);
    }
    rig.happened();
    let failure = |monitor: &str| {
        Report::Failed(Failure {
            monitor: MonitorName::new(monitor),
            scope: Scope {
                alarm: Some(AlarmId::of(PLAIN)),
                within: Entity::parse("host=n1.disk=a").unwrap(),
            },
            reason: text("killed at its deadline"),
        })
    };
    rig.report(failure("other"));
    rig.report(failure("m"));
    assert_eq!(rig.happened(), ["Stale"]);
    assert_eq!(rig.engine.counts().stale, 1);
}

#[test]
fn a_stale_alarm_may_be_cleared_by_somebody_who_knows() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    let instance = rig.instance(PLAIN, N);
    assert_eq!(
        rig.order(Demand::Clear(instance)),
        Err(Refusal::StillThere(key(PLAIN, N)))
    );
    rig.see(PLAIN, N, unknown());
    assert!(rig.order(Demand::Clear(instance)).is_ok());
    assert_eq!(rig.engine.keys(), 0);
}
