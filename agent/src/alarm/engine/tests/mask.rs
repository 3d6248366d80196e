use super::*;

const A: &str = "host=n1.disk=a";

fn by_entity(within: &str, lasting: Option<u64>) -> Demand {
    Demand::Mask {
        what: Matcher {
            alarm: None,
            within: Some(Entity::parse(within).unwrap()),
        },
        lasting: lasting.map(Duration::from_secs),
    }
}

fn by_id(id: &str) -> Demand {
    Demand::Mask {
        what: Matcher {
            alarm: Some(AlarmId::parse(id).unwrap()),
            within: None,
        },
        lasting: None,
    }
}

fn mask(rig: &mut Rig, demand: Demand) -> Uuid {
    match rig.order(demand) {
        Ok(Done::Mask(id)) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_masked_alarm_lives_on_and_nobody_is_told() {
    let mut rig = Rig::new();
    let id = mask(&mut rig, by_entity("host=n1.disk=a", None));
    rig.fault(PLAIN, A);
    rig.fault(PLAIN, "host=n1.disk=ab");
    assert_eq!(rig.happened(), ["[Raised]", "Raised"]);
    assert_eq!(rig.alarm(PLAIN, A).unwrap().masked, [id]);
    assert_eq!(
        (rig.engine.counts().masked, rig.engine.counts().major),
        (1, 1)
    );
    rig.absent(PLAIN, A);
    assert_eq!(rig.happened(), ["[Cleared]"]);
}

#[test]
fn what_is_still_there_is_announced_when_it_is_unmasked() {
    let mut rig = Rig::new();
    let id = mask(&mut rig, by_id(PLAIN));
    rig.fault(PLAIN, A);
    rig.happened();
    rig.order(Demand::Unmask(id)).unwrap();
    assert_eq!(rig.happened(), ["Unmasked"]);
    assert_eq!(rig.order(Demand::Unmask(id)), Err(Refusal::NoMask(id)));
    rig.absent(PLAIN, A);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn a_mask_takes_back_what_was_sent() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, A);
    mask(&mut rig, by_id(PLAIN));
    let masked = rig.events.last().unwrap();
    assert!(!masked.alarm.is_announced());
    assert_eq!(rig.happened(), ["Raised", "Masked"]);
    rig.see(PLAIN, A, Seen::Unknown(text("gone")));
    assert_eq!(rig.happened(), ["[Stale]"]);
}

#[test]
fn a_mask_ends_by_itself_by_boottime() {
    let mut rig = Rig::new();
    mask(&mut rig, by_entity("host=n1", Some(60)));
    rig.fault(PLAIN, A);
    rig.wall = 3_600_000;
    rig.pass(59);
    assert_eq!(rig.happened(), ["[Raised]"]);
    rig.pass(1);
    assert_eq!(rig.happened(), ["Unmasked"]);
    assert!(rig.engine.masks().is_empty());
}

#[test]
fn an_alarm_with_two_masks_is_hidden_until_both_are_gone() {
    let mut rig = Rig::new();
    rig.fault(PLAIN, A);
    let one = mask(&mut rig, by_id(PLAIN));
    let other = mask(&mut rig, by_entity("host=n1", None));
    assert_eq!(rig.happened(), ["Raised", "Masked"]);
    rig.order(Demand::Unmask(one)).unwrap();
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.order(Demand::Unmask(other)).unwrap();
    assert_eq!(rig.happened(), ["Unmasked"]);
}

#[test]
fn an_unmasked_symptom_is_still_not_sent() {
    let mut rig = Rig::new();
    rig.fault("t.cause.host", "host=n1");
    let id = mask(&mut rig, by_id("t.cause.symptom"));
    rig.fault("t.cause.symptom", A);
    rig.order(Demand::Unmask(id)).unwrap();
    assert_eq!(rig.happened(), ["Raised", "[Raised]", "[Unmasked]"]);
}

#[test]
fn masks_that_make_no_sense_are_refused() {
    let mut rig = Rig::new();
    let all = Demand::Mask {
        what: Matcher {
            alarm: None,
            within: None,
        },
        lasting: None,
    };
    assert_eq!(rig.order(all), Err(Refusal::MaskAll));
    assert_eq!(
        rig.order(by_entity("host=n1", Some(0))),
        Err(Refusal::MaskNoTime)
    );
    let unknown = AlarmId::parse("t.no.such").unwrap();
    assert_eq!(
        rig.order(by_id("t.no.such")),
        Err(Refusal::NoDefinition(unknown))
    );
    for _ in 0..256 {
        mask(&mut rig, by_id(PLAIN));
    }
    assert_eq!(rig.order(by_id(PLAIN)), Err(Refusal::TooManyMasks(256)));
}
