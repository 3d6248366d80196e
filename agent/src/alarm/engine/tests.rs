use crate::alarm::instance::Phase;
use crate::alarm::key::{AlarmId, Key};
use crate::alarm::mask::Matcher;
use crate::alarm::observation::{
    Band, Bands, Evidence, Failure, MonitorName, Observation, Report, Round, Scope, Seen,
};
use crate::alarm::order::{Demand, Done, Order, Refusal};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::Quality;

use super::*;

mod cause;
mod flap;
mod invariants;
mod life;
mod mask;
mod model;
mod orders;
mod restart;
mod stale;
mod storm;

/// Alarms with one property each.
const CATALOGUE: &str = r#"
["t.plain.fault"]
title = "Plain"
severity = "major"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "No times, no flapping."
repair = "Mend it."
flap = false

["t.slow.fault"]
title = "Slow"
severity = "major"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "It has to last."
raise_for = "10s"
clear_for = "20s"
flap = false

["t.dwell.fault"]
title = "Dwelling"
severity = "major"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "It stays for a while."
dwell = "60s"
flap = false

["t.flap.fault"]
title = "Flapping"
severity = "major"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "It flaps at four transitions."
flap = { transitions = 4, within = "60s", quiet = "100s" }

["t.latched.fault"]
title = "Latched"
severity = "critical"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "It stays."
latched = "operator"

["t.boot.fault"]
title = "Latched until a boot"
severity = "critical"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "It stays."
latched = "boot"

["t.value.high"]
title = "High"
severity = "major"
event_type = "environmental"
probable_cause = "temperature-unacceptable"
meaning = "It is judged."
bands = [{ severity = "major", raise = 80, clear = 75 }, { severity = "critical", raise = 90, clear = 85 }]
flap = false

["t.count.any"]
title = "Counted"
severity = "minor"
event_type = "equipment"
probable_cause = "corrupt-data"
meaning = "Each counts."
clear_for = "60s"
flap = false

["t.count.rate"]
title = "Counted over an hour"
severity = "minor"
event_type = "equipment"
probable_cause = "corrupt-data"
meaning = "Many count."
over = "1h"
bands = [{ severity = "minor", raise = 10, clear = 5 }, { severity = "major", raise = 100, clear = 50 }]
clear_for = "60s"
flap = false

["t.storm.fault"]
title = "Stormy"
severity = "major"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "Three are told at once."
storm = { burst = 3, every = "10s" }
flap = false

["t.cause.host"]
title = "A cause"
severity = "major"
event_type = "equipment"
probable_cause = "power-problem"
meaning = "It explains others."
flap = false

["t.cause.symptom"]
title = "A symptom"
severity = "minor"
event_type = "equipment"
probable_cause = "equipment-malfunction"
meaning = "It is explained."
flap = false
causes = [
    { alarm = "t.cause.host", related = "same-host" },
    { alarm = "t.plain.fault", related = "same-entity" },
    { alarm = "t.slow.fault", related = "within" },
    { alarm = "t.value.high", related = "around" },
]

["agent.alarm.storm"]
title = "Storm"
severity = "minor"
event_type = "processing-error"
probable_cause = "congestion"
meaning = "Many."
flap = false
change_every = "5s"

["agent.alarm.refused"]
title = "Refused"
severity = "major"
event_type = "processing-error"
probable_cause = "resource-at-or-nearing-capacity"
meaning = "Too many."
flap = false
clear_for = "60s"
"#;

const CUSTOM: &str = r#"
["site.door.open"]
title = "The door is open"
severity = "minor"
event_type = "environmental"
probable_cause = "enclosure-door-open"
meaning = "Somebody may be inside."
raise_for = "10s"
"#;

const PLAIN: &str = "t.plain.fault";
const SLOW: &str = "t.slow.fault";

/// An engine, and the time that it is told.
struct Rig {
    engine: Engine,
    /// In milliseconds since the boot.
    now: u64,
    /// By how much the wall clock is off.
    wall: i64,
    events: Vec<Event>,
}

fn boot(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn catalogue() -> Arc<Catalogue> {
    let ours = Catalogue::parse(CATALOGUE).unwrap();
    Arc::new(ours.with(toml::from_str(CUSTOM).unwrap()).unwrap())
}

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn key(id: &str, entity: &str) -> Key {
    Key::new(AlarmId::parse(id).unwrap(), Entity::parse(entity).unwrap())
}

impl Rig {
    fn new() -> Self {
        Self::start(Limits::default(), Saved::default(), 1, 1_000)
    }

    fn start(limits: Limits, saved: Saved, boot_number: u128, now: u64) -> Self {
        let place = Place {
            host: Entity::host("n1"),
            boot: boot(boot_number),
            seed: [now, 42],
        };
        let engine = Engine::new(catalogue(), limits, place, saved, stamp(now, 0));
        Self {
            engine,
            now,
            wall: 0,
            events: Vec::new(),
        }
    }

    fn stamp(&self) -> Stamp {
        stamp(self.now, self.wall)
    }

    /// Lets seconds pass, waking up whenever the engine wants to.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + seconds * 1000;
        while let Some(wake) = self.engine.wake_at() {
            // The next millisecond, since a timer may stand between two.
            let wake = u64::try_from(wake.as_nanos().div_ceil(1_000_000)).unwrap();
            if wake > end {
                break;
            }
            self.now = wake.max(self.now);
            self.take();
        }
        self.now = end;
        self.take();
    }

    fn take(&mut self) {
        let events = self.engine.poll(self.stamp());
        self.events.extend(events);
    }

    fn report(&mut self, report: Report) {
        self.engine.handle(report, self.stamp());
        self.take();
    }

    fn see_as(&mut self, id: &str, entity: &str, seen: Seen, said: &str) {
        let observation = Observation {
            key: key(id, entity),
            monitor: MonitorName::new("m"),
            seen,
            text: text(said),
            evidence: vec![Evidence::new("register", "7")],
            at: self.stamp(),
        };
        self.report(Report::Observed(observation));
    }

    fn see(&mut self, id: &str, entity: &str, seen: Seen) {
        self.see_as(id, entity, seen, "it is broken");
    }

    fn fault(&mut self, id: &str, entity: &str) {
        self.see(id, entity, Seen::Fault(None));
    }

    fn absent(&mut self, id: &str, entity: &str) {
        self.see(id, entity, Seen::Absent);
    }

    fn value(&mut self, value: f64) {
        self.see(
            "t.value.high",
            "host=n1.sensor=a",
            Seen::Value { value, bands: None },
        );
    }

    fn order(&mut self, what: Demand) -> Result<Done, Refusal> {
        let order = Order {
            by: text("ada"),
            note: text("on it"),
            what,
        };
        let done = self.engine.operate(order, self.stamp());
        self.take();
        done
    }

    /// What happened since the last call, a word each; those that sinks are not told of in brackets.
    fn happened(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        events.iter().map(word).collect()
    }

    fn alarm(&self, id: &str, entity: &str) -> Option<&Alarm> {
        let key = key(id, entity);
        self.engine.alarms().find(|alarm| alarm.key == key)
    }

    fn instance(&self, id: &str, entity: &str) -> Uuid {
        self.alarm(id, entity).unwrap().instance
    }

    /// What a store would give back.
    fn saved(&self) -> Saved {
        Saved {
            alarms: self.engine.alarms().cloned().collect(),
            masks: self.engine.masks().to_vec(),
            last: self.engine.last(),
        }
    }
}

fn stamp(now: u64, wall: i64) -> Stamp {
    let realtime = 1_700_000_000_000 + i64::try_from(now).unwrap() + wall;
    Stamp {
        realtime: jiff::Timestamp::from_millisecond(realtime).unwrap(),
        boottime: Duration::from_millis(now),
        quality: Quality::Unknown,
    }
}

fn word(event: &Event) -> String {
    let debug = format!("{:?}", event.what);
    let name: String = debug.chars().take_while(|c| c.is_alphanumeric()).collect();
    if event.is_told() {
        name
    } else {
        format!("[{name}]")
    }
}
