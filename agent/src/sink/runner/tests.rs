use super::*;
use crate::alarm::severity::Severity;
use crate::sink::outbox::Queued;
use crate::sink::outbox::memory::Memory;
use crate::sink::peer::{alarm, at, cleared, event, id, raised};

/// A peer in memory: what it was told, and what it does.
#[derive(Debug, Default)]
struct Told {
    ids: Vec<String>,
    levels: Vec<(Why, usize)>,
    attempts: usize,
    down: bool,
    refuses: Vec<String>,
    takes_at_once: Option<usize>,
    repeat: Option<Duration>,
    closed: bool,
}

struct Script(Arc<Mutex<Told>>);

impl Sink for Script {
    fn hold(&mut self, level: &mut Level<'_>, why: Why, _: Now) -> Result<Vec<Refused>, Failure> {
        let mut told = self.0.lock().unwrap();
        told.attempts += 1;
        if told.down {
            return Err(Failure::new("down"));
        }
        let mut count = 0;
        loop {
            let page = level.page()?;
            assert!(page.len() <= crate::sink::PAGE);
            if page.is_empty() {
                break;
            }
            count += page.len();
        }
        told.levels.push((why, count));
        Ok(Vec::new())
    }

    fn deliver(&mut self, batch: &[Queued], _: Now) -> Delivery {
        let mut told = self.0.lock().unwrap();
        let most = told.takes_at_once.unwrap_or(batch.len());
        let mut delivery = Delivery::default();
        for (count, queued) in batch.iter().enumerate() {
            if told.down || count == most {
                delivery.failure = Some(Failure::new("down"));
                break;
            }
            if told.refuses.contains(&queued.id()) {
                let (name, why) = (queued.id(), "too ugly".to_owned());
                delivery.refused.push(Refused { name, why });
            } else {
                told.ids.push(queued.id());
            }
            delivery.through = Some(queued.position);
        }
        delivery
    }

    fn repeat(&self) -> Option<Duration> {
        self.0.lock().unwrap().repeat
    }

    fn close(&mut self) {
        self.0.lock().unwrap().closed = true;
    }
}

type Lines = Arc<Mutex<Vec<String>>>;

fn runner() -> (Runner, Arc<Memory>, Arc<Mutex<Told>>, Lines) {
    let outbox = Arc::new(Memory::default());
    let told = Arc::new(Mutex::new(Told::default()));
    let sink = Box::new(Script(Arc::clone(&told)));
    let mut runner = Runner::new("s", sink, Arc::clone(&outbox) as Arc<dyn Outbox>, 42);
    let lines = Lines::default();
    let said = Arc::clone(&lines);
    runner.say = Box::new(move |_, line| said.lock().unwrap().push(line.to_owned()));
    (runner, outbox, told, lines)
}

fn ids(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(id).collect()
}

#[test]
fn what_waits_is_told_in_its_order_and_then_nothing_is_due() {
    let (mut runner, outbox, told, _) = runner();
    (1..=5).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    assert_eq!(runner.step(at(0)), None);
    assert_eq!(told.lock().unwrap().ids, ids(1..=5));
    assert_eq!(told.lock().unwrap().levels, [(Why::Connected, 5)]);
    assert_eq!(outbox.acknowledged("s"), 5);
    assert_eq!(runner.step(at(1)), None);
    assert_eq!(told.lock().unwrap().ids.len(), 5);
}

#[test]
fn events_for_the_history_alone_are_not_told() {
    let (mut runner, outbox, told, _) = runner();
    let mut symptom = raised(1, "host=n1.fan=1");
    symptom.notice = None;
    outbox.tell(symptom);
    outbox.tell(raised(2, "host=n1.fan=2"));
    runner.step(at(0));
    assert_eq!(told.lock().unwrap().ids, ids(2..=2));
}

#[test]
fn a_peer_that_is_gone_for_a_day_is_asked_seldom_and_then_holds_everything_once() {
    let (mut runner, outbox, told, lines) = runner();
    told.lock().unwrap().down = true;
    let mut now = Duration::ZERO;
    let mut sequence = 0;
    while now < Duration::from_secs(24 * 3600) {
        sequence += 1;
        outbox.tell(raised(sequence, &format!("host=n1.fan={sequence}")));
        let due = runner
            .step(Now {
                monotonic: now,
                ..at(0)
            })
            .unwrap();
        assert!(
            due > now && due - now <= Duration::from_secs(300),
            "{now:?} {due:?}"
        );
        // A new event is no reason to try earlier.
        assert_eq!(
            runner.step(Now {
                monotonic: now,
                ..at(0)
            }),
            Some(due)
        );
        now = due;
    }
    let attempts = told.lock().unwrap().attempts;
    assert!((288..=600).contains(&attempts), "{attempts}");
    let status = runner.status().clone();
    assert_eq!(status.lag_events, sequence);
    assert_eq!(status.last_error.as_ref().unwrap().what, "down");
    assert_eq!(lines.lock().unwrap().len(), 1, "an outage is told once");
    told.lock().unwrap().down = false;
    while runner
        .step(Now {
            monotonic: now,
            ..at(86_400)
        })
        .is_some()
    {}
    assert_eq!(told.lock().unwrap().ids, ids(1..=sequence));
    assert_eq!(runner.status().lag_events, 0);
    assert!(outbox.largest() <= BATCH);
}

#[test]
fn the_cursor_moves_with_the_peer_and_never_before_it() {
    let (mut runner, outbox, told, _) = runner();
    (1..=7).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    told.lock().unwrap().takes_at_once = Some(3);
    let mut now = 0;
    for acknowledged in [3, 6] {
        let due = runner.step(at(now)).unwrap();
        assert_eq!(outbox.acknowledged("s"), acknowledged);
        // There was progress: the next attempt is as soon as the first.
        assert!(due <= at(now).monotonic + Duration::from_secs(1));
        now += 2;
    }
    runner.step(at(now));
    assert_eq!(told.lock().unwrap().ids, ids(1..=7));
    assert_eq!(told.lock().unwrap().levels.len(), 3, "after each failure");
}

#[test]
fn what_is_refused_for_good_is_named_once_counted_and_in_nobodys_way() {
    let (mut runner, outbox, told, lines) = runner();
    (1..=6).for_each(|n| outbox.tell(raised(n, &format!("host=n1.fan={n}"))));
    told.lock().unwrap().refuses = ids(2..=4);
    assert_eq!(runner.step(at(0)), None);
    let status = runner.status().clone();
    assert_eq!((status.delivered, status.refused), (3, 3));
    assert_eq!(told.lock().unwrap().ids, [id(1), id(5), id(6)]);
    let lines = lines.lock().unwrap();
    let refusals: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("refused"))
        .collect();
    assert_eq!(
        refusals,
        [&format!("sink s: {} refused for good: too ugly", id(2))]
    );
}

#[test]
fn a_peer_that_forgets_is_told_the_set_again_when_it_wants_it() {
    let (mut runner, outbox, told, _) = runner();
    told.lock().unwrap().repeat = Some(Duration::from_secs(60));
    outbox.tell(raised(1, "host=n1.fan=1"));
    outbox.tell(raised(2, "host=n1.fan=2"));
    assert_eq!(runner.step(at(0)), Some(Duration::from_secs(60)));
    outbox.tell(cleared(3, "host=n1.fan=1"));
    assert_eq!(runner.step(at(30)), Some(Duration::from_secs(60)));
    assert_eq!(runner.step(at(60)), Some(Duration::from_secs(120)));
    let levels = told.lock().unwrap().levels.clone();
    assert_eq!(levels, [(Why::Connected, 2), (Why::Repeat, 1)]);
}

#[test]
fn the_set_is_read_page_by_page_and_holds_what_control_planes_are_to_hold() {
    let (mut runner, outbox, told, _) = runner();
    for n in 1..=1234 {
        let mut alarm = alarm(&format!("host=n1.fan={n}"), Severity::Minor);
        alarm.announced = n % 2 == 0;
        outbox.tell(event(n, crate::alarm::event::What::Raised, alarm));
    }
    while runner.step(at(0)).is_some() {}
    assert_eq!(told.lock().unwrap().levels, [(Why::Connected, 617)]);
    assert_eq!(told.lock().unwrap().ids.len(), 1234);
}

#[test]
fn a_restart_begins_where_the_peer_had_got() {
    let (mut first, outbox, told, _) = runner();
    outbox.tell(raised(1, "host=n1.fan=1"));
    first.step(at(0));
    outbox.tell(raised(2, "host=n1.fan=2"));
    let sink = Box::new(Script(Arc::clone(&told)));
    let mut second = Runner::new("s", sink, outbox, 43);
    second.step(at(0));
    assert_eq!(told.lock().unwrap().ids, ids(1..=2));
}

#[test]
fn the_thread_waits_for_the_bell_and_stops_at_once() {
    let (runner, outbox, told, _) = runner();
    let running = start(runner).unwrap();
    for sequence in 1..=20 {
        outbox.tell(raised(sequence, &format!("host=n1.fan={sequence}")));
        running.ring();
        crate::sink::peer::eventually("an event that is told", || {
            (outbox.acknowledged("s") == sequence).then_some(())
        });
    }
    assert_eq!(running.status().name, "s");
    let began = Instant::now();
    running.stop();
    assert!(began.elapsed() < Duration::from_secs(5));
    let told = told.lock().unwrap();
    assert!(told.closed);
    assert_eq!(told.ids, ids(1..=20));
}
