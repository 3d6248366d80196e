//! Storms: more alarms of a kind than anybody reads are told one by one later, and their number at once; and more keys than
//! there is room for are refused, and counted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use crate::alarm::catalogue::settings::Storm;
use crate::alarm::catalogue::{Definition, Kind};
use crate::alarm::event::What;
use crate::alarm::instance::Alarm;
use crate::alarm::key::{AlarmId, Key};
use crate::alarm::observation::{Evidence, MonitorName, Observation, Seen};
use crate::alarm::text::Text;

use super::bucket::Tokens;
use super::registry::{Slot, Timer};
use super::{Engine, is_own};

/// More alarms of a kind than are told one by one.
pub(super) const STORM: AlarmId = AlarmId::of("agent.alarm.storm");
/// Observations that found no room, or name no alarm of the catalogue.
pub(super) const REFUSED: AlarmId = AlarmId::of("agent.alarm.refused");

/// What the engine says of itself is said at most so often.
const OWN_EVERY: Duration = Duration::from_secs(1);

/// The storms by kind, and what the engine has to say of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Storms {
    kinds: BTreeMap<Kind, State>,
    own: VecDeque<(Key, Seen, Text, Vec<Evidence>)>,
}

/// The alarms of one kind.
#[derive(Clone, Debug)]
struct State {
    tokens: Tokens,
    /// Those that wait to be told, the oldest first; some may be over by now.
    waiting: VecDeque<(Slot, Uuid)>,
    /// How many were folded since the storm began.
    folded: u64,
    told: Duration,
}

/// Observations that were refused.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusals {
    full: u64,
    undefined: u64,
    /// Not yet told.
    untold: u64,
    waits: bool,
}

impl Engine {
    /// Whether a new alarm waits to be told: there are more of its kind than anybody reads.
    pub(super) fn is_folded(
        &mut self,
        slot: Slot,
        kind: Kind,
        definition: &Definition,
        alarm: &Alarm,
    ) -> bool {
        if is_own(definition) || !self.may_announce(alarm) {
            return false;
        }
        let (storm, now) = (definition.settings.storm, self.now.boottime);
        let state = self
            .storms
            .kinds
            .entry(kind)
            .or_insert_with(|| State::new(storm, now));
        if state.waiting.is_empty() && state.tokens.take(storm, now) {
            return false;
        }
        self.fold(slot, kind, definition, alarm.instance);
        true
    }

    /// Lets an alarm wait to be told.
    pub(super) fn fold(&mut self, slot: Slot, kind: Kind, definition: &Definition, instance: Uuid) {
        let (storm, now) = (definition.settings.storm, self.now.boottime);
        let state = self
            .storms
            .kinds
            .entry(kind)
            .or_insert_with(|| State::new(storm, now));
        let begins = state.waiting.is_empty();
        state.waiting.push_back((slot, instance));
        state.folded += 1;
        if begins {
            let due = state
                .tokens
                .ready_at(storm, now)
                .min(now.saturating_add(OWN_EVERY));
            self.registry.set_timer(due, Timer::Storm(kind));
            self.tell_storm(kind, definition);
        }
    }

    /// Tells of those that wait, as many as may be told by now.
    pub(super) fn drain_storm(&mut self, kind: Kind) {
        let catalogue = std::sync::Arc::clone(&self.catalogue);
        let Some(definition) = catalogue.definition(kind) else {
            return;
        };
        let (storm, now) = (definition.settings.storm, self.now.boottime);
        loop {
            let Some(state) = self.storms.kinds.get_mut(&kind) else {
                return;
            };
            let Some((slot, instance)) = state.waiting.front().copied() else {
                break;
            };
            let waits = self
                .registry
                .alarm(slot)
                .is_some_and(|alarm| alarm.instance == instance && alarm.folded);
            if waits && !state.tokens.take(storm, now) {
                break;
            }
            state.waiting.pop_front();
            if waits {
                self.work(slot, |engine, track, _| {
                    if let Some(alarm) = &mut track.alarm {
                        alarm.folded = false;
                    }
                    engine.announce(track, What::Unfolded);
                });
            }
        }
        self.go_on_with(kind, definition);
    }

    /// Says how the storm is, and when to go on with it.
    fn go_on_with(&mut self, kind: Kind, definition: &Definition) {
        let (storm, now) = (definition.settings.storm, self.now.boottime);
        let Some(state) = self.storms.kinds.get(&kind) else {
            return;
        };
        let over = state.waiting.is_empty();
        let told_next = state.told.saturating_add(OWN_EVERY);
        if over || told_next <= now {
            self.tell_storm(kind, definition);
        }
        let Some(state) = self.storms.kinds.get_mut(&kind) else {
            return;
        };
        if !over {
            let due = state
                .told
                .saturating_add(OWN_EVERY)
                .min(state.tokens.ready_at(storm, now));
            self.registry.set_timer(due, Timer::Storm(kind));
            return;
        }
        state.folded = 0;
        if let Some((key, _, text, evidence)) = self.storms.own.back().cloned() {
            self.storms
                .own
                .push_back((key, Seen::Absent, text, evidence));
        }
    }

    fn tell_storm(&mut self, kind: Kind, definition: &Definition) {
        let Ok(entity) = self.host.with("alarm", definition.id.as_str()) else {
            return;
        };
        let now = self.now.boottime;
        let Some(state) = self.storms.kinds.get_mut(&kind) else {
            return;
        };
        state.told = now;
        let (folded, waiting) = (state.folded, state.waiting.len());
        let text = format!(
            "{folded} alarms of {} were folded, {waiting} of them wait to be told",
            definition.id
        );
        let evidence = vec![
            Evidence::new("folded", &folded.to_string()),
            Evidence::new("waiting", &waiting.to_string()),
        ];
        let key = Key::new(STORM, entity);
        self.storms
            .own
            .push_back((key, Seen::Fault(None), Text::clean(&text), evidence));
    }

    /// There is no room for a key.
    pub(super) fn refuse_key(&mut self) {
        self.refusals.full += 1;
        self.refuse();
    }

    /// The catalogue has no such alarm.
    pub(super) fn refuse_undefined(&mut self) {
        self.refusals.undefined += 1;
        self.refuse();
    }

    fn refuse(&mut self) {
        self.refusals.untold += 1;
        if !std::mem::replace(&mut self.refusals.waits, true) {
            let due = self.now.boottime.saturating_add(OWN_EVERY);
            self.registry.set_timer(due, Timer::Refusals);
            self.tell_refusals();
        }
    }

    /// Tells how many were refused since that was last told.
    pub(super) fn count_refusals(&mut self) {
        self.refusals.waits = false;
        if self.refusals.untold > 0 {
            self.refusals.waits = true;
            let due = self.now.boottime.saturating_add(OWN_EVERY);
            self.registry.set_timer(due, Timer::Refusals);
            self.tell_refusals();
        }
    }

    fn tell_refusals(&mut self) {
        let more = std::mem::take(&mut self.refusals.untold);
        let evidence = vec![
            Evidence::new("no room", &self.refusals.full.to_string()),
            Evidence::new("no such alarm", &self.refusals.undefined.to_string()),
        ];
        let key = Key::new(REFUSED, self.host.clone());
        let text = Text::clean("observations were refused: see the evidence for how many and why");
        self.storms
            .own
            .push_back((key, Seen::Increase(more), text, evidence));
    }

    /// Takes in what the engine has to say of itself.
    pub(super) fn report_own(&mut self) {
        while let Some((key, seen, text, evidence)) = self.storms.own.pop_front() {
            // A catalogue without our own alarms, as a test may have, has nowhere to say it.
            if self.catalogue.find(&key.alarm).is_none() {
                continue;
            }
            self.observe(Observation {
                key,
                monitor: MonitorName::new("agent"),
                seen,
                text,
                evidence,
                at: self.now,
            });
        }
    }
}

impl State {
    const fn new(storm: Storm, now: Duration) -> Self {
        Self {
            tokens: Tokens::full(storm, now),
            waiting: VecDeque::new(),
            folded: 0,
            told: now,
        }
    }
}
