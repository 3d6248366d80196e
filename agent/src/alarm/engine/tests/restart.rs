use super::*;

const N: &str = "host=n1";

/// Another agent on what the first one left: in the same boot, or the next.
fn again(rig: &Rig, boot_number: u128) -> Rig {
    let json = serde_json::to_string(&rig.saved()).unwrap();
    let saved: Saved = serde_json::from_str(&json).unwrap();
    assert_eq!(saved, rig.saved());
    let now = if boot_number == 1 {
        rig.now + 5000
    } else {
        100
    };
    Rig::start(Limits::default(), saved, boot_number, now)
}

#[test]
fn a_loaded_alarm_is_unverified_until_it_is_seen() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    let instance = rig.instance(PLAIN, N);
    let mut rig = again(&rig, 1);
    assert!(rig.alarm(PLAIN, N).unwrap().unverified);
    assert_eq!(rig.instance(PLAIN, N), instance);
    assert_eq!(rig.engine.counts().major, 1);
    rig.fault(PLAIN, N);
    assert!(!rig.alarm(PLAIN, N).unwrap().unverified);
    assert_eq!(rig.happened(), ["[Verified]"]);
    rig.pass(1000);
    rig.absent(PLAIN, N);
    assert_eq!(
        rig.events.last().unwrap().what,
        What::Cleared {
            reason: Reason::Gone
        }
    );
}

#[test]
fn a_loaded_alarm_whose_fault_is_gone_is_cleared_as_verified() {
    for id in [PLAIN, SLOW] {
        let mut rig = Rig::new();
        rig.fault(id, N);
        rig.pass(10);
        let mut rig = again(&rig, 1);
        rig.absent(id, N);
        rig.pass(20);
        let reason = Reason::VerifiedAfterRestart;
        assert_eq!(rig.events.last().unwrap().what, What::Cleared { reason });
        assert_eq!(rig.happened(), ["Cleared"]);
    }
}

#[test]
fn a_loaded_alarm_never_seen_again_is_stale_and_not_cleared() {
    let mut rig = Rig::new();
    rig.fault(SLOW, N);
    rig.pass(10);
    rig.absent(SLOW, N);
    let mut rig = again(&rig, 1);
    rig.pass(299);
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.pass(1);
    assert_eq!(rig.happened(), ["Stale"]);
    rig.pass(86_400);
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.fault(SLOW, N);
    assert_eq!(rig.happened(), ["Verified"]);
}

#[test]
fn a_loaded_alarm_of_what_vanished_meanwhile_ends_with_the_first_round() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, "host=n1.disk=a");
    let mut rig = again(&rig, 1);
    rig.pass(1);
    let round = Round {
        monitor: MonitorName::new("m"),
        scope: Scope {
            alarm: None,
            within: Entity::host("n1"),
        },
        began: rig.stamp(),
    };
    rig.report(Report::Complete(round));
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn numbers_go_on_after_a_restart_and_begin_anew_after_a_boot() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    rig.absent(PLAIN, N);
    let mut same = again(&rig, 1);
    same.fault(PLAIN, N);
    assert_eq!(
        (same.events[0].id.sequence, same.events[0].notice),
        (3, Some(3))
    );
    let mut next = again(&rig, 2);
    next.fault(PLAIN, N);
    let id = EventId {
        boot: boot(2),
        sequence: 1,
    };
    assert_eq!(next.events[0].id, id);
}

#[test]
fn a_boot_clears_what_is_latched_until_one_and_nothing_else() {
    let mut rig = Rig::new();
    for id in ["t.latched.fault", "t.boot.fault"] {
        rig.fault(id, N);
        rig.absent(id, N);
    }
    rig.fault("t.boot.fault", "host=n1.dimm=b");
    let mut same = again(&rig, 1);
    same.take();
    assert_eq!(same.happened(), Vec::<String>::new());
    assert_eq!(same.alarm("t.boot.fault", N).unwrap().phase, Phase::Latched);
    let mut next = again(&rig, 2);
    next.take();
    assert_eq!(
        next.events[0].what,
        What::Cleared {
            reason: Reason::Rebooted
        }
    );
    assert_eq!(next.happened(), ["Cleared"]);
    assert!(next.alarm("t.latched.fault", N).is_some());
    assert!(
        next.alarm("t.boot.fault", "host=n1.dimm=b")
            .unwrap()
            .unverified
    );
}

#[test]
fn an_alarm_that_somebody_set_is_not_verified_by_anybody() {
    let mut rig = Rig::new();
    let set = Demand::Set {
        key: key("site.door.open", N),
        severity: None,
        text: text("open"),
    };
    rig.order(set).unwrap();
    let mut rig = again(&rig, 2);
    rig.pass(86_400);
    assert_eq!(rig.happened(), Vec::<String>::new());
    assert!(!rig.alarm("site.door.open", N).unwrap().unverified);
}

#[test]
fn an_alarm_that_the_catalogue_no_longer_has_is_cleared_and_says_so() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    let mut saved = rig.saved();
    saved.alarms[0].key = key("t.no.such", N);
    let mut rig = Rig::start(Limits::default(), saved, 1, 2000);
    rig.take();
    assert_eq!(
        rig.events[0].what,
        What::Cleared {
            reason: Reason::Undefined
        }
    );
    assert_eq!(rig.engine.counts(), Counts::default());
}

#[test]
fn masks_and_acknowledgements_outlive_a_restart() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, N);
    let instance = rig.instance(PLAIN, N);
    rig.order(Demand::Acknowledge(instance)).unwrap();
    let what = Matcher {
        alarm: None,
        within: Some(Entity::host("n1")),
    };
    let lasting = Some(Duration::from_secs(60));
    rig.order(Demand::Mask { what, lasting }).unwrap();
    let mut rig = again(&rig, 1);
    assert_eq!(rig.engine.counts().masked, 1);
    assert!(rig.alarm(PLAIN, N).unwrap().acknowledged.is_some());
    rig.fault(PLAIN, N);
    rig.pass(54);
    assert_eq!(rig.happened(), ["[Verified]"]);
    rig.pass(1);
    assert_eq!(rig.happened(), ["Unmasked"]);
}

#[test]
fn a_mask_s_end_is_by_the_wall_clock_after_a_boot_and_never_later_than_it_could_be() {
    let mut rig = Rig::new();
    let what = Matcher {
        alarm: None,
        within: Some(Entity::host("n1")),
    };
    let lasting = Some(Duration::from_secs(60));
    rig.order(Demand::Mask { what, lasting }).unwrap();
    let saved = rig.saved();
    for (wall, left) in [
        (0, 60_000),
        (30_000, 31_000 - 100),
        (3_600_000, 0),
        (-86_400_000, 60_000),
    ] {
        let place = Place {
            host: Entity::host("n1"),
            boot: boot(2),
            seed: [1, 2],
        };
        let engine = Engine::new(
            catalogue(),
            Limits::default(),
            place,
            saved.clone(),
            stamp(100, wall),
        );
        let until = engine
            .masks()
            .first()
            .map_or(100, |mask| mask.until.unwrap().boottime.as_millis());
        assert_eq!(until, 100 + left, "{wall}");
    }
}

#[test]
fn a_symptom_knows_its_cause_after_a_restart() {
    let mut rig = Rig::new();
    rig.fault("t.cause.host", N);
    rig.fault("t.cause.symptom", N);
    let mut rig = again(&rig, 1);
    rig.absent("t.cause.host", N);
    rig.fault("t.cause.symptom", N);
    rig.happened();
    rig.pass(30);
    assert_eq!(rig.happened(), ["Released"]);
}

#[test]
fn a_symptom_whose_release_was_due_when_the_agent_died_is_sent() {
    let mut rig = Rig::new();
    rig.fault("t.cause.host", N);
    rig.fault("t.cause.symptom", N);
    rig.absent("t.cause.host", N);
    let mut rig = again(&rig, 1);
    rig.pass(30);
    assert_eq!(rig.happened(), ["Released"]);
}
