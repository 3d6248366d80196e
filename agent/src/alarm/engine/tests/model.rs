//! The engine against a model that keeps all that was ever said, and looks at all of it each time.

use proptest::prelude::*;

use super::*;

const KEYS: [&str; 3] = ["host=n1.a=1", "host=n1.a=10", "host=n1.b=1"];

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    See(usize, Option<Severity>),
    Lose(usize),
    Jump(i64),
    Poll,
}

fn any_step() -> impl Strategy<Value = Step> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    prop_oneof![
        4 => (0..40_u64).prop_map(Step::Pass),
        6 => (0..KEYS.len(), prop::option::of(severity)).prop_map(|(key, seen)| Step::See(key, seen)),
        1 => (0..KEYS.len()).prop_map(Step::Lose),
        1 => (-3_600_000..3_600_000_i64).prop_map(Step::Jump),
        1 => Just(Step::Poll),
    ]
}

/// What was said of one key, and since when; and how grave its alarm is by that.
#[derive(Clone, Default)]
struct Key {
    said: Vec<(u64, Option<Severity>)>,
    blind: bool,
    level: Option<Severity>,
}

impl Key {
    /// Since when it is said, without a break, to be at least so grave; or to be less.
    fn since(&self, severity: Severity) -> (bool, u64) {
        let is = |said: &Option<Severity>| *said >= Some(severity);
        let Some((_, last)) = self.said.last() else {
            return (false, 0);
        };
        let run = self
            .said
            .iter()
            .rev()
            .take_while(|(_, said)| is(said) == is(last));
        (is(last), run.last().map_or(0, |(at, _)| *at))
    }

    /// One second passed: what is so grave for ten seconds is raised to it, and what is less for twenty falls below it.
    fn look(&mut self, now: u64) {
        if self.blind {
            return;
        }
        let is_up = |severity: &&Severity| matches!(self.since(**severity), (true, since) if now - since >= 10);
        let up = Severity::ALL.iter().rev().find(is_up).copied();
        let stays = |severity: &&Severity| {
            self.level >= Some(**severity)
                && !matches!(self.since(**severity), (false, since) if now - since >= 20)
        };
        let down = Severity::ALL.iter().rev().find(stays).copied();
        self.level = up.max(down);
    }

    /// What is said now. After blindness nobody knows since when it is less grave, so it is so since now: as if the gravest had
    /// been said just before. What is as grave as before counts from before.
    fn see(&mut self, now: u64, seen: Option<Severity>) {
        if std::mem::take(&mut self.blind) {
            self.said.push((now, Some(Severity::Critical)));
        }
        self.said.push((now, seen));
        self.look(now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_engine_says_what_the_model_says(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut rig = Rig::new();
        let mut keys = vec![Key::default(); KEYS.len()];
        for step in steps {
            match step {
                Step::Pass(seconds) => {
                    for _ in 0..seconds {
                        rig.now += 1000;
                        for key in &mut keys {
                            key.look(rig.now / 1000);
                        }
                    }
                    rig.take();
                }
                Step::See(index, seen) => {
                    keys[index].see(rig.now / 1000, seen);
                    rig.see(SLOW, KEYS[index], seen.map_or(Seen::Absent, |severity| Seen::Fault(Some(severity))));
                }
                Step::Lose(index) => {
                    keys[index].blind = true;
                    rig.see(SLOW, KEYS[index], Seen::Unknown(text("lost")));
                }
                Step::Jump(by) => rig.wall = by,
                Step::Poll => rig.take(),
            }
            for (key, entity) in keys.iter().zip(KEYS) {
                let alarm = rig.alarm(SLOW, entity);
                prop_assert_eq!(alarm.map(|alarm| alarm.severity), key.level, "{} at {}", entity, rig.now / 1000);
            }
        }
        check_events(&rig)?;
    }
}

/// Replaying the events gives the active alarms: what a control plane would hold.
fn check_events(rig: &Rig) -> Result<(), TestCaseError> {
    let mut held = std::collections::BTreeMap::new();
    for (number, event) in (1..).zip(&rig.events) {
        prop_assert_eq!((event.id.sequence, event.notice), (number, Some(number)));
        let before = match event.what {
            What::Cleared { .. } => held.remove(&event.alarm.key),
            _ => held.insert(event.alarm.key.clone(), event.alarm.instance),
        };
        let first = event.what == What::Raised;
        prop_assert_eq!(before, (!first).then_some(event.alarm.instance));
    }
    let active: std::collections::BTreeMap<_, _> = rig
        .engine
        .alarms()
        .map(|alarm| (alarm.key.clone(), alarm.instance))
        .collect();
    prop_assert_eq!(held, active);
    Ok(())
}
