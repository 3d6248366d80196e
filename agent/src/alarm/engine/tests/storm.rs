use super::*;

const ID: &str = "t.storm.fault";

fn entity(number: usize) -> String {
    format!("host=n1.port={number}")
}

fn evidence(alarm: &Alarm, name: &str) -> u64 {
    let found = alarm.evidence.iter().find(|one| one.name.as_str() == name);
    found.unwrap().value.as_str().parse().unwrap()
}

#[test]
fn more_alarms_of_a_kind_than_its_bucket_holds_are_folded_and_told_later() {
    let mut rig = Rig::new();
    for number in 0..6 {
        rig.fault(ID, &entity(number));
    }
    let storm = rig
        .alarm("agent.alarm.storm", "host=n1.alarm=t\\.storm\\.fault")
        .unwrap();
    assert_eq!(evidence(storm, "folded"), 1);
    assert_eq!(
        rig.happened(),
        [
            "Raised", "Raised", "Raised", "[Raised]", "Raised", "[Raised]", "[Raised]"
        ]
    );
    assert_eq!(rig.engine.counts().major, 6);
    rig.pass(10);
    assert_eq!(rig.happened(), ["Changed", "Unfolded", "Changed"]);
    let storm = rig
        .alarm("agent.alarm.storm", "host=n1.alarm=t\\.storm\\.fault")
        .unwrap();
    assert_eq!(
        (evidence(storm, "folded"), evidence(storm, "waiting")),
        (3, 2)
    );
    rig.absent(ID, &entity(4));
    assert_eq!(rig.happened(), ["[Cleared]"]);
    rig.pass(20);
    assert_eq!(
        rig.happened(),
        ["Changed", "Unfolded", "Changed", "Cleared"]
    );
    assert!(rig.engine.alarms().all(Alarm::is_announced));
    assert_eq!(rig.engine.counts().major, 5);
}

#[test]
fn the_clear_of_a_storm_tells_the_exact_number() {
    let mut rig = Rig::new();
    for number in 0..50 {
        rig.fault(ID, &entity(number));
    }
    for number in 0..50 {
        rig.absent(ID, &entity(number));
    }
    rig.pass(10);
    let last = rig.events.last().unwrap();
    assert_eq!(last.alarm.key.alarm, AlarmId::of("agent.alarm.storm"));
    assert_eq!(
        last.what,
        What::Cleared {
            reason: Reason::Gone
        }
    );
    assert_eq!(
        (
            evidence(&last.alarm, "folded"),
            evidence(&last.alarm, "waiting")
        ),
        (47, 0)
    );
    assert_eq!(rig.engine.alarms().count(), 0);
}

#[test]
fn a_storm_of_one_kind_folds_nothing_of_another() {
    let mut rig = Rig::new();
    for number in 0..10 {
        rig.fault(ID, &entity(number));
    }
    rig.happened();
    rig.fault(PLAIN, "host=n1");
    assert_eq!(rig.happened(), ["Raised"]);
}

#[test]
fn a_folded_alarm_is_told_after_a_restart() {
    let mut rig = Rig::new();
    for number in 0..5 {
        rig.fault(ID, &entity(number));
    }
    let mut rig = Rig::start(Limits::default(), rig.saved(), 1, 2000);
    for number in 0..5 {
        rig.fault(ID, &entity(number));
    }
    rig.pass(30);
    assert_eq!(
        rig.happened()
            .iter()
            .filter(|word| *word == "Unfolded")
            .count(),
        2
    );
    assert!(rig.engine.alarms().all(Alarm::is_announced));
}

#[test]
fn ten_thousand_alarms_in_a_second_keep_within_the_cap_and_every_one_is_counted() {
    let limits = Limits {
        keys_max: 4000,
        ..Limits::default()
    };
    let mut rig = Rig::start(limits, Saved::default(), 1, 1000);
    for number in 0..10_000 {
        if number % 10 == 0 {
            rig.now += 1;
        }
        let id = ["t.plain.fault", "t.storm.fault"][number % 2];
        rig.fault(id, &entity(number));
    }
    // What the engine says of itself finds room beyond the cap: a storm of one kind, and what was refused.
    let is_own = |alarm: &&Alarm| alarm.key.alarm.as_str().starts_with("agent.");
    let own = rig.engine.alarms().filter(is_own).count();
    let taken = rig.engine.alarms().count() - own;
    assert!(rig.engine.keys() <= 4000 + own);
    assert!((4000 - own..=4000).contains(&taken), "{taken}");
    rig.pass(2);
    let refused = rig.alarm("agent.alarm.refused", "host=n1").unwrap();
    assert_eq!(refused.occurrences, 10_000 - taken as u64);
    assert_eq!(evidence(refused, "no room"), refused.occurrences);
    let told = rig
        .events
        .iter()
        .filter(|event| event.what == What::Raised && event.is_told())
        .count()
        - own;
    let folded: u64 = rig
        .engine
        .alarms()
        .filter(|alarm| alarm.key.alarm == AlarmId::of("agent.alarm.storm"))
        .map(|alarm| evidence(alarm, "folded"))
        .sum();
    assert_eq!(told + usize::try_from(folded).unwrap(), taken);
    assert_eq!(rig.engine.counts().major, taken as u64 + 1);
    let numbers = rig.events.iter().filter_map(|event| event.notice);
    assert!(numbers.eq(1..=rig.events.iter().filter(|event| event.is_told()).count() as u64));
}

#[test]
fn an_alarm_that_the_catalogue_does_not_have_is_refused_and_counted() {
    let mut rig = Rig::new();
    for _ in 0..7 {
        rig.fault("t.no.such", "host=n1");
    }
    rig.pass(1);
    let refused = rig.alarm("agent.alarm.refused", "host=n1").unwrap();
    assert_eq!(
        (refused.occurrences, evidence(refused, "no such alarm")),
        (7, 7)
    );
    rig.pass(60);
    assert_eq!(rig.happened(), ["Raised", "Cleared"]);
    assert_eq!((rig.engine.keys(), rig.engine.wake_at()), (0, None));
}

#[test]
fn what_only_came_and_went_makes_room_for_a_fault() {
    let limits = Limits {
        keys_max: 2,
        ..Limits::default()
    };
    let mut rig = Rig::start(limits, Saved::default(), 1, 1000);
    for number in 0..2 {
        rig.fault("t.flap.fault", &entity(number));
        rig.absent("t.flap.fault", &entity(number));
    }
    assert_eq!(rig.engine.keys(), 2);
    rig.fault(PLAIN, "host=n1.a=1");
    rig.fault(PLAIN, "host=n1.a=2");
    assert_eq!((rig.engine.keys(), rig.engine.alarms().count()), (2, 2));
    rig.fault(PLAIN, "host=n1.a=3");
    assert!(rig.alarm("agent.alarm.refused", "host=n1").is_some());
}
