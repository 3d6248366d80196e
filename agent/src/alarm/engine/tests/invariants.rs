//! What holds whatever is said, with flapping, storms, masks, causes, latches, orders, restarts and a small cap.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const ENTITIES: [&str; 5] = [
    "host=n1",
    "host=n1.a=1",
    "host=n1.a=1.b=2",
    "host=n1.a=2",
    "host=n2",
];

const IDS: [&str; 9] = [
    PLAIN,
    SLOW,
    "t.dwell.fault",
    "t.flap.fault",
    "t.latched.fault",
    "t.count.any",
    "t.storm.fault",
    "t.cause.host",
    "t.cause.symptom",
];

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    See(usize, usize, u8),
    Round(usize),
    Fail(usize),
    Mask(usize, u64),
    Unmask,
    Acknowledge(usize),
    Clear(usize),
    Restart(u128),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..70_u64).prop_map(Step::Pass),
        30 => (0..IDS.len(), 0..ENTITIES.len(), 0..6_u8).prop_map(|(id, entity, seen)| Step::See(id, entity, seen)),
        1 => (0..ENTITIES.len()).prop_map(Step::Round),
        1 => (0..ENTITIES.len()).prop_map(Step::Fail),
        1 => (0..ENTITIES.len(), 0..100_u64).prop_map(|(entity, lasting)| Step::Mask(entity, lasting)),
        1 => Just(Step::Unmask),
        1 => (0..8_usize).prop_map(Step::Acknowledge),
        1 => (0..8_usize).prop_map(Step::Clear),
        1 => (1..3_u128).prop_map(Step::Restart),
    ]
}

fn limits() -> Limits {
    Limits {
        keys_max: 20,
        ..Limits::default()
    }
}

fn seen(number: u8) -> Seen {
    match number {
        0 | 1 => Seen::Absent,
        2 => Seen::Unknown(text("lost")),
        3 => Seen::Fault(Some(Severity::Critical)),
        4 => Seen::Increase(2),
        _ => Seen::Fault(None),
    }
}

fn scope(entity: usize) -> Scope {
    Scope {
        alarm: None,
        within: Entity::parse(ENTITIES[entity]).unwrap(),
    }
}

fn instance(rig: &Rig, number: usize) -> Uuid {
    rig.engine
        .alarms()
        .nth(number)
        .map_or(Uuid::nil(), |alarm| alarm.instance)
}

fn act(rig: &mut Rig, step: &Step) {
    match *step {
        Step::Pass(seconds) => rig.pass(seconds),
        Step::See(id, entity, number) => rig.see(IDS[id], ENTITIES[entity], seen(number)),
        Step::Round(entity) => rig.report(Report::Complete(Round {
            monitor: MonitorName::new("m"),
            scope: scope(entity),
            began: rig.stamp(),
        })),
        Step::Fail(entity) => rig.report(Report::Failed(Failure {
            monitor: MonitorName::new("m"),
            scope: scope(entity),
            reason: text("died"),
        })),
        Step::Mask(entity, lasting) => {
            let what = Matcher {
                alarm: None,
                within: Some(scope(entity).within),
            };
            let lasting = Some(Duration::from_secs(lasting));
            let _ = rig.order(Demand::Mask { what, lasting });
        }
        Step::Unmask => {
            if let Some(id) = rig.engine.masks().first().map(|mask| mask.id) {
                rig.order(Demand::Unmask(id)).unwrap();
            }
        }
        Step::Acknowledge(number) => {
            let _ = rig.order(Demand::Acknowledge(instance(rig, number)));
        }
        Step::Clear(number) => {
            let _ = rig.order(Demand::Clear(instance(rig, number)));
        }
        Step::Restart(boot_number) => restart(rig, boot_number),
    }
}

/// Another agent on what this one left: what control planes hold stays.
fn restart(rig: &mut Rig, boot_number: u128) {
    let events = std::mem::take(&mut rig.events);
    let now = rig.now + 1000;
    *rig = Rig::start(limits(), rig.saved(), boot_number, now);
    rig.events = events;
    rig.take();
}

/// What a control plane holds that is told of each event once, and which forgets nothing.
fn held(rig: &Rig) -> BTreeMap<super::Key, Uuid> {
    let mut held = BTreeMap::new();
    for event in rig.events.iter().filter(|event| event.is_told()) {
        match event.alarm.is_announced() && event.alarm.is_active() {
            true => held.insert(event.alarm.key.clone(), event.alarm.instance),
            false => held.remove(&event.alarm.key),
        };
    }
    held
}

fn check(rig: &Rig) -> Result<(), TestCaseError> {
    let announced: BTreeMap<_, _> = rig
        .engine
        .alarms()
        .filter(|alarm| alarm.is_announced())
        .map(|alarm| (alarm.key.clone(), alarm.instance))
        .collect();
    prop_assert_eq!(held(rig), announced);
    let mut counts = Counts::default();
    for alarm in rig.engine.alarms() {
        counts.add(alarm);
        prop_assert!(alarm.is_active());
        prop_assert!(alarm.masked.is_empty() || !alarm.is_announced());
        prop_assert!(!alarm.folded || !alarm.is_announced());
        let masks = rig
            .engine
            .masks()
            .iter()
            .filter(|mask| mask.what.holds(&alarm.key));
        prop_assert_eq!(masks.count(), alarm.masked.len());
        if let Some(cause) = alarm.cause {
            prop_assert!(rig.engine.alarm(cause).is_some(), "{:?}", alarm.key);
        }
    }
    prop_assert_eq!(rig.engine.counts(), counts);
    prop_assert!(rig.engine.keys() <= limits().keys_max + 3);
    let wake = rig.engine.wake_at();
    prop_assert!(
        wake.is_none_or(|wake| wake > rig.stamp().boottime),
        "{:?}",
        wake
    );
    Ok(())
}

/// Numbers have no gap within a boot; an instance is raised once, and nothing is said of it after its end.
fn check_history(events: &[Event]) -> Result<(), TestCaseError> {
    let mut last: BTreeMap<Uuid, (u64, u64)> = BTreeMap::new();
    let mut alive = BTreeMap::new();
    for event in events {
        let (sequence, notice) = last.entry(event.id.boot).or_default();
        *sequence += 1;
        *notice += u64::from(event.is_told());
        prop_assert_eq!(event.id.sequence, *sequence);
        prop_assert!(event.notice.is_none_or(|number| number == *notice));
        let (key, instance) = (event.alarm.key.clone(), event.alarm.instance);
        match event.what {
            What::Raised => prop_assert_eq!(alive.insert(key, instance), None),
            What::Cleared { .. } => prop_assert_eq!(alive.remove(&key), Some(instance)),
            _ => prop_assert_eq!(alive.get(&key), Some(&instance)),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn control_planes_hold_the_true_set_whatever_is_said(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut rig = Rig::start(limits(), Saved::default(), 1, 1000);
        let mut boots = 1;
        for step in &steps {
            if let Step::Restart(number) = step {
                // A boot that is over does not come back.
                boots += number - 1;
                restart(&mut rig, boots);
            } else {
                act(&mut rig, step);
            }
            check(&rig)?;
        }
        check_history(&rig.events)?;
    }
}
