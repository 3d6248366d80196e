//! How many observations the alarm engine takes in a second, of ten thousand keys: `ci/bench`, or
//! `cargo run --release -p gnomon-benches --bin alarms -- --bench`.
//!
//! The agent is no library: its engine is taken in as a module, as it stands.

#![expect(
    dead_code,
    reason = "what is measured is a part of the module that is taken in"
)]

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use uuid::Uuid;

#[path = "../agent/src"]
mod agent {
    pub(crate) mod alarm;
}
use agent::alarm;

use alarm::catalogue::Catalogue;
use alarm::engine::{Engine, Limits, Place, Saved};
use alarm::entity::Entity;
use alarm::key::{AlarmId, Key};
use alarm::observation::{MonitorName, Observation, Report, Seen};
use alarm::text::Text;
use alarm::time::{Quality, Stamp};

const KEYS: u64 = 10_000;

const FAN: AlarmId = AlarmId::of("hw.sensor.fan");

fn stamp(milliseconds: u64) -> Stamp {
    Stamp {
        realtime: jiff::Timestamp::UNIX_EPOCH,
        boottime: Duration::from_millis(milliseconds),
        quality: Quality::Unknown,
    }
}

fn engine() -> Engine {
    let catalogue = Arc::new(Catalogue::embedded().expect("our own catalogue"));
    let place = Place {
        host: Entity::host("n1"),
        boot: Uuid::from_u128(1),
        seed: [1, 2],
    };
    Engine::new(
        catalogue,
        Limits::default(),
        place,
        Saved::default(),
        stamp(0),
    )
}

/// A round of a monitor that sees `seen` of every key.
fn round(seen: &Seen) -> Vec<Report> {
    let host = Entity::host("n1");
    let one = |number| {
        let entity = host
            .with("sensor", &format!("fan{number}_input"))
            .expect("a name");
        Report::Observed(Observation {
            key: Key::new(FAN, entity),
            monitor: MonitorName::new("sensors"),
            seen: seen.clone(),
            text: Text::clean("the fan stands still"),
            evidence: Vec::new(),
            at: stamp(0),
        })
    };
    (0..KEYS).map(one).collect()
}

fn handle(engine: &mut Engine, reports: Vec<Report>, milliseconds: u64) {
    for report in reports {
        engine.handle(report, stamp(milliseconds));
    }
}

fn rounds(c: &mut Criterion) {
    let mut group = c.benchmark_group("alarm engine, 10,000 keys");
    group.throughput(Throughput::Elements(KEYS));
    let (fault, sound) = (round(&Seen::Fault(None)), round(&Seen::Absent));

    let mut idle = engine();
    group.bench_function("nothing is wrong", |b| {
        b.iter_batched(
            || sound.clone(),
            |reports| handle(&mut idle, reports, 1),
            BatchSize::LargeInput,
        );
    });

    let mut active = engine();
    handle(&mut active, fault.clone(), 1);
    active.poll(stamp(60_000));
    assert_eq!(
        active
            .alarms()
            .filter(|alarm| alarm.key.alarm == FAN)
            .count() as u64,
        KEYS
    );
    group.bench_function("all are raised, and seen again", |b| {
        b.iter_batched(
            || fault.clone(),
            |reports| handle(&mut active, reports, 60_000),
            BatchSize::LargeInput,
        );
    });

    group.bench_function("all are raised and cleared", |b| {
        let setup = || (engine(), fault.clone(), sound.clone());
        let run = |(mut engine, fault, sound): (Engine, Vec<Report>, Vec<Report>)| {
            handle(&mut engine, fault, 1);
            let raised = engine.poll(stamp(20_000)).len();
            handle(&mut engine, sound, 30_000);
            let cleared = engine.poll(stamp(90_000)).len();
            (raised, cleared, engine)
        };
        b.iter_batched(setup, run, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, rounds);
criterion_main!(benches);
