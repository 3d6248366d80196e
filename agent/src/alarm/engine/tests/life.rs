use super::*;

const N: &str = "host=n1";

#[test]
fn a_fault_is_raised_once_and_cleared_when_it_is_gone() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    rig.pass(10);
    rig.fault(PLAIN, N);
    rig.fault(PLAIN, N);
    assert_eq!(rig.happened(), ["Raised"]);
    let alarm = rig.alarm(PLAIN, N).unwrap();
    assert_eq!(
        (alarm.phase, alarm.severity, alarm.occurrences),
        (Phase::Raised, Severity::Major, 1)
    );
    assert_eq!(alarm.text.as_str(), "it is broken");
    assert_eq!(alarm.evidence, [Evidence::new("register", "7")]);
    rig.absent(PLAIN, N);
    let cleared = rig.events.last().unwrap().clone();
    assert_eq!(
        cleared.what,
        What::Cleared {
            reason: Reason::Gone
        }
    );
    assert_eq!(cleared.alarm.phase, Phase::Cleared);
    assert_eq!(cleared.alarm.cleared, Some(rig.stamp()));
    assert_eq!(rig.happened(), ["Cleared"]);
    assert_eq!((rig.engine.keys(), rig.engine.wake_at()), (0, None));
}

#[test]
fn clearing_one_entity_leaves_another_whose_name_begins_alike() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, "host=n1.sensor=CPU1_Temp");
    rig.fault(PLAIN, "host=n1.sensor=CPU1_Temp2");
    rig.absent(PLAIN, "host=n1.sensor=CPU1_Temp");
    assert!(rig.alarm(PLAIN, "host=n1.sensor=CPU1_Temp2").is_some());
    assert!(rig.alarm(PLAIN, "host=n1.sensor=CPU1_Temp").is_none());
}

#[test]
fn the_instance_is_the_same_from_raise_to_clear_and_another_after_it() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    let first = rig.instance(PLAIN, N);
    rig.see(PLAIN, N, Seen::Fault(Some(Severity::Critical)));
    assert_eq!(rig.instance(PLAIN, N), first);
    assert_eq!(
        rig.engine.alarm(first).unwrap().severity,
        Severity::Critical
    );
    rig.absent(PLAIN, N);
    assert!(rig.events.iter().all(|event| event.alarm.instance == first));
    rig.fault(PLAIN, N);
    assert_ne!(rig.instance(PLAIN, N), first);
    assert!(rig.engine.alarm(first).is_none());
}

#[test]
fn events_are_numbered_without_a_gap() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        rig.fault(PLAIN, N);
        rig.absent(PLAIN, N);
    }
    let numbers = rig.events.iter().map(|event| event.id.sequence);
    assert!(numbers.eq(1..=20));
    assert!(
        rig.events
            .iter()
            .map(|event| event.notice.unwrap())
            .eq(1..=20)
    );
    assert!(rig.events.iter().all(|event| event.id.boot == boot(1)));
}

#[test]
fn a_fault_that_does_not_last_is_never_raised() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.pass(9);
    rig.absent(SLOW, N);
    rig.pass(60);
    assert_eq!(rig.happened(), Vec::<String>::new());
    assert_eq!(rig.engine.keys(), 0);
}

#[test]
fn a_fault_that_lasts_is_raised_without_being_told_again() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    let seen = rig.stamp();
    assert_eq!(rig.engine.wake_at(), Some(Duration::from_secs(11)));
    rig.pass(10);
    assert_eq!(rig.happened(), ["Raised"]);
    let alarm = rig.alarm(SLOW, N).unwrap();
    assert_eq!(alarm.first_observed, seen);
    assert_eq!(alarm.raised, rig.stamp());
}

#[test]
fn a_fault_that_was_due_is_raised_even_when_nobody_polled_before_it_went() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.now += 15_000;
    rig.absent(SLOW, N);
    assert_eq!(rig.happened(), ["Raised"]);
    rig.pass(20);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn an_absence_that_does_not_last_clears_nothing() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.pass(10);
    rig.absent(SLOW, N);
    assert_eq!(rig.alarm(SLOW, N).unwrap().phase, Phase::Clearing);
    rig.pass(19);
    rig.fault(SLOW, N);
    rig.pass(100);
    assert_eq!(rig.alarm(SLOW, N).unwrap().phase, Phase::Raised);
    assert_eq!(rig.happened(), ["Raised"]);
    rig.absent(SLOW, N);
    rig.pass(20);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn an_alarm_stays_at_least_for_its_dwell_time() {
    let mut rig = Rig::new();
    rig.fault("t.dwell.fault", N);
    rig.absent("t.dwell.fault", N);
    rig.pass(59);
    assert_eq!(rig.happened(), ["Raised"]);
    rig.pass(1);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn a_value_is_judged_by_bands_and_one_between_them_changes_nothing() {
    let mut rig = Rig::new();
    for value in [79.0, 80.0, 76.0, 79.9, 75.0, 79.0] {
        rig.value(value);
    }
    assert_eq!(rig.happened(), ["Raised", "Cleared"]);
    rig.value(95.0);
    assert_eq!(
        rig.alarm("t.value.high", "host=n1.sensor=a")
            .unwrap()
            .severity,
        Severity::Critical
    );
    assert_eq!(
        rig.alarm("t.value.high", "host=n1.sensor=a").unwrap().value,
        Some(95.0)
    );
}

#[test]
fn the_limits_of_a_device_go_before_the_catalogue_s_and_the_configuration_s_before_both() {
    let own = Bands::new(vec![Band {
        severity: Severity::Minor,
        raise: 50.0,
        clear: 45.0,
    }])
    .unwrap();
    let seen = Seen::Value {
        value: 60.0,
        bands: Some(Arc::new(own)),
    };
    let mut rig = Rig::new();
    rig.see("t.value.high", N, seen.clone());
    assert_eq!(
        rig.alarm("t.value.high", N).unwrap().severity,
        Severity::Minor
    );
    let mut catalogue = Catalogue::clone(&catalogue());
    let id = AlarmId::parse("t.value.high").unwrap();
    let mut settings = catalogue.find(&id).unwrap().settings.clone();
    settings.bands_first = true;
    catalogue.set(&id, settings).unwrap();
    rig.engine.catalogue = Arc::new(catalogue);
    rig.see("t.value.high", "host=n1.sensor=b", seen);
    assert!(rig.alarm("t.value.high", "host=n1.sensor=b").is_none());
}

#[test]
fn a_graver_severity_is_told_at_once_and_milder_ones_are_folded_with_their_number() {
    let mut rig = Rig::new();
    rig.see(PLAIN, N, Seen::Fault(Some(Severity::Minor)));
    rig.see(PLAIN, N, Seen::Fault(Some(Severity::Critical)));
    assert_eq!(rig.happened(), ["Raised", "Changed"]);
    for severity in [Severity::Minor, Severity::Major, Severity::Warning] {
        rig.pass(1);
        rig.see(PLAIN, N, Seen::Fault(Some(severity)));
    }
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.pass(27);
    let changed = rig.events.last().unwrap();
    assert_eq!((&changed.what, changed.folded), (&What::Changed, 2));
    assert_eq!(changed.alarm.severity, Severity::Warning);
    assert_eq!(rig.happened(), ["Changed"]);
}

#[test]
fn another_text_is_a_change_and_another_number_is_not() {
    let mut rig = Rig::new();
    rig.value(80.0);
    rig.value(81.0);
    rig.pass(60);
    assert_eq!(rig.happened(), ["Raised"]);
    rig.see_as(
        "t.value.high",
        "host=n1.sensor=a",
        Seen::Value {
            value: 82.0,
            bands: None,
        },
        "it burns",
    );
    assert_eq!(rig.happened(), ["Changed"]);
    let alarm = rig.alarm("t.value.high", "host=n1.sensor=a").unwrap();
    assert_eq!((alarm.text.as_str(), alarm.value), ("it burns", Some(82.0)));
}

#[test]
fn changes_that_were_not_told_are_counted_in_the_clear() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    for said in ["a", "b", "c"] {
        rig.see_as(PLAIN, N, Seen::Fault(None), said);
    }
    rig.absent(PLAIN, N);
    assert_eq!(rig.events.last().unwrap().folded, 3);
    assert_eq!(rig.happened(), ["Raised", "Cleared"]);
}

#[test]
fn an_increase_is_a_fault_that_clears_when_no_more_come() {
    let mut rig = Rig::new();
    let id = "t.count.any";
    rig.see(id, N, Seen::Increase(0));
    assert_eq!(rig.engine.keys(), 0);
    rig.see(id, N, Seen::Increase(3));
    rig.pass(50);
    rig.see(id, N, Seen::Increase(4));
    rig.see(id, N, Seen::Increase(0));
    assert_eq!(rig.alarm(id, N).unwrap().occurrences, 7);
    rig.pass(59);
    assert_eq!(rig.happened(), ["Raised"]);
    rig.pass(1);
    assert_eq!(rig.events.last().unwrap().alarm.occurrences, 7);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn few_increases_in_a_long_time_are_no_fault_and_many_are() {
    let mut rig = Rig::new();
    let id = "t.count.rate";
    for _ in 0..20 {
        rig.see(id, N, Seen::Increase(2));
        rig.pass(1200);
    }
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.see(id, N, Seen::Increase(12));
    assert_eq!(rig.alarm(id, N).unwrap().severity, Severity::Minor);
    rig.see(id, N, Seen::Increase(200));
    assert_eq!(rig.alarm(id, N).unwrap().severity, Severity::Major);
    assert_eq!(rig.alarm(id, N).unwrap().occurrences, 212);
    rig.pass(60);
    assert_eq!(rig.happened(), ["Raised", "Changed", "Cleared"]);
    rig.pass(30 * 3600);
    assert_eq!(rig.engine.keys(), 0);
}

#[test]
fn what_came_before_the_limit_was_reached_is_counted_as_well() {
    let mut rig = Rig::new();
    let id = "t.count.rate";
    rig.see(id, N, Seen::Increase(9));
    let first = rig.stamp();
    rig.pass(60);
    rig.see(id, N, Seen::Increase(0));
    rig.see(id, N, Seen::Increase(3));
    let alarm = rig.alarm(id, N).unwrap();
    assert_eq!((alarm.occurrences, alarm.first_observed), (12, first));
}

#[test]
fn what_is_no_longer_there_ends_with_a_complete_round() {
    let mut rig = Rig::new();
    let entity = |name: &str| format!("host=n1.disk={name}");
    for name in ["a", "b", "c"] {
        rig.fault(SLOW, &entity(name));
    }
    rig.pass(10);
    rig.fault(SLOW, &entity("c"));
    rig.pass(10);
    let began = rig.stamp();
    rig.fault(SLOW, &entity("a"));
    rig.happened();
    let round = |within: &str| {
        Report::Complete(Round {
            monitor: MonitorName::new("m"),
            scope: Scope {
                alarm: None,
                within: Entity::parse(within).unwrap(),
            },
            began,
        })
    };
    rig.report(round("host=n1.disk=c"));
    assert_eq!(rig.happened(), ["Cleared"]);
    rig.report(round("host=n2"));
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.report(round("host=n1"));
    let cleared = rig.events.last().unwrap();
    assert_eq!(
        cleared.what,
        What::Cleared {
            reason: Reason::Vanished
        }
    );
    assert_eq!(cleared.alarm.key, key(SLOW, &entity("b")));
    assert_eq!(rig.happened(), ["Cleared"]);
    assert!(rig.alarm(SLOW, &entity("a")).is_some());
}

#[test]
fn a_round_of_one_monitor_ends_nothing_of_another() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    rig.pass(1);
    let round = Round {
        monitor: MonitorName::new("other"),
        scope: Scope {
            alarm: None,
            within: Entity::host("n1"),
        },
        began: rig.stamp(),
    };
    rig.report(Report::Complete(round));
    assert!(rig.alarm(PLAIN, N).is_some());
}

#[test]
fn a_wall_clock_that_jumps_changes_only_what_is_printed() {
    let run = |jumps: [i64; 4]| {
        let mut rig = Rig::new();
        rig.fault(SLOW, N);
        rig.wall = jumps[0];
        rig.pass(10);
        rig.wall = jumps[1];
        rig.absent(SLOW, N);
        rig.wall = jumps[2];
        rig.pass(19);
        rig.wall = jumps[3];
        rig.pass(2);
        rig.events
            .iter()
            .map(|event| (word(event), event.at.boottime))
            .collect::<Vec<_>>()
    };
    let hour = 3_600_000;
    assert_eq!(run([0; 4]), run([hour, -hour, hour, 0]));
    assert_eq!(run([0; 4]).len(), 2);
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut rig = Rig::new();
    rig.now = 100_000;
    rig.fault(SLOW, N);
    rig.now = 50_000;
    rig.fault(SLOW, N);
    rig.take();
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.now = 110_000;
    rig.take();
    assert_eq!(rig.happened(), ["Raised"]);
}

#[test]
fn a_latched_alarm_stays_until_somebody_clears_it() {
    let mut rig = Rig::new();
    let id = "t.latched.fault";
    rig.fault(id, N);
    rig.absent(id, N);
    rig.pass(86_400);
    assert_eq!(rig.happened(), ["Raised", "Latched"]);
    assert_eq!(rig.alarm(id, N).unwrap().phase, Phase::Latched);
    let instance = rig.instance(id, N);
    rig.fault(id, N);
    assert_eq!(
        (rig.alarm(id, N).unwrap().phase, rig.instance(id, N)),
        (Phase::Raised, instance)
    );
    assert_eq!(
        rig.order(Demand::Clear(instance)),
        Err(Refusal::StillThere(key(id, N)))
    );
    rig.absent(id, N);
    assert_eq!(rig.happened(), ["Changed", "Latched"]);
    assert_eq!(
        rig.order(Demand::Clear(instance)),
        Ok(Done::Alarm(instance))
    );
    let (by, note) = (text("ada"), text("on it"));
    assert_eq!(
        rig.events.last().unwrap().what,
        What::Cleared {
            reason: Reason::Order { by, note }
        }
    );
}

#[test]
fn counts_are_those_of_the_alarms_there_are() {
    let mut rig = Rig::new();
    rig.see(PLAIN, "host=n1.a=1", Seen::Fault(Some(Severity::Critical)));
    rig.see(PLAIN, "host=n1.a=2", Seen::Fault(Some(Severity::Minor)));
    rig.see(PLAIN, "host=n1.a=3", Seen::Fault(Some(Severity::Minor)));
    rig.see(PLAIN, "host=n1.a=3", Seen::Unknown(text("no answer")));
    let first = rig.instance(PLAIN, "host=n1.a=1");
    rig.order(Demand::Acknowledge(first)).unwrap();
    let expected = Counts {
        critical: 1,
        minor: 2,
        unacknowledged: 2,
        stale: 1,
        ..Counts::default()
    };
    assert_eq!(rig.engine.counts(), expected);
    rig.absent(PLAIN, "host=n1.a=1");
    rig.absent(PLAIN, "host=n1.a=2");
    rig.absent(PLAIN, "host=n1.a=3");
    assert_eq!(rig.engine.counts(), Counts::default());
}
