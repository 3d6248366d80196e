use super::*;
use tempfile::{TempDir, tempdir};

/// The `position`th event, with that as its number too.
fn event(position: u64, instance: &str) -> Entry {
    Entry {
        position,
        boot: "b1".to_owned(),
        sequence: position,
        told: true,
        instance: instance.to_owned(),
        key: format!("hw.sensor {instance}"),
        body: format!("{{\"sequence\":{position}}}"),
        folded: 0,
    }
}

fn batch(events: impl IntoIterator<Item = Entry>) -> Batch {
    Batch {
        events: events.into_iter().collect(),
        ..Batch::default()
    }
}

const SMALL: Limits = Limits {
    events_max: 100,
    bytes_max: 8 << 20,
    reserved_bytes: 1 << 20,
    waiting_max: 50,
};

fn open(directory: &TempDir, limits: Limits) -> (Store, Found) {
    Store::open(&directory.path().join("alarms.db"), limits).expect("a database")
}

fn positions(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.position).collect()
}

#[test]
fn a_step_is_there_after_a_restart_with_its_state_and_its_event() {
    let directory = tempdir().expect("a directory");
    let (mut store, found) = open(&directory, SMALL);
    assert_eq!(
        (found.marks.len(), found.alarms.len(), found.reserved),
        (0, 0, true)
    );
    let mut step = batch([event(1, "i1"), event(2, "i2")]);
    step.alarms.insert("k1".to_owned(), Some("{}".to_owned()));
    step.alarms
        .insert("k2".to_owned(), Some("{\"a\":1}".to_owned()));
    step.marks.insert("ids".to_owned(), "{}".to_owned());
    store.put(step);
    assert!(store.is_behind());
    assert_eq!(store.flush().expect("room"), Some(2));
    assert!(!store.is_behind());
    assert_eq!(store.flush().expect("nothing to do"), None);
    drop(store);

    let (mut store, found) = open(&directory, SMALL);
    assert_eq!(found.marks.get("ids").map(String::as_str), Some("{}"));
    assert_eq!(
        found.alarms,
        [
            ("k1".to_owned(), "{}".to_owned()),
            ("k2".to_owned(), "{\"a\":1}".to_owned())
        ]
    );
    assert_eq!(
        store.events(0, 10).expect("events"),
        [event(1, "i1"), event(2, "i2")]
    );
    let mut step = batch([event(3, "i1")]);
    step.alarms.insert("k1".to_owned(), None);
    store.put(step);
    store.flush().expect("room");
    drop(store);
    let (_, found) = open(&directory, SMALL);
    assert_eq!(found.alarms.len(), 1);
}

#[test]
fn what_was_not_flushed_is_in_no_part_on_disk() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    let mut step = batch([event(1, "i1")]);
    step.alarms.insert("k1".to_owned(), Some("{}".to_owned()));
    store.put(step);
    drop(store);
    let (store, found) = open(&directory, SMALL);
    assert_eq!((found.marks.len(), found.alarms.len()), (0, 0));
    assert!(store.events(0, 10).expect("events").is_empty());
}

#[test]
fn each_sink_has_its_own_cursor_which_never_goes_back() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.put(batch((1..=5).map(|seq| event(seq, "i"))));
    store.flush().expect("room");
    store.acknowledge("mqtt", 3, Some("{}")).expect("room");
    store.acknowledge("file", 5, None).expect("room");
    store.acknowledge("mqtt", 2, None).expect("room");
    let progress = store.progress().expect("sinks");
    let told: Vec<_> = progress
        .iter()
        .map(|of| (of.sink.as_str(), of.cursor, of.state.as_deref()))
        .collect();
    assert_eq!(told, [("file", 5, None), ("mqtt", 3, Some("{}"))]);
    assert_eq!(positions(&store.events(3, 10).expect("events")), [4, 5]);
    store.forget("mqtt").expect("room");
    assert_eq!(store.progress().expect("sinks").len(), 1);
}

#[test]
fn history_is_told_latest_first_and_of_one_alarm() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.put(batch(
        (1..=6).map(|seq| event(seq, if seq % 2 == 0 { "even" } else { "odd" })),
    ));
    store.flush().expect("room");
    assert_eq!(
        positions(&store.history(None, u64::MAX, 3).expect("events")),
        [6, 5, 4]
    );
    assert_eq!(
        positions(&store.history(None, 4, 10).expect("events")),
        [3, 2, 1]
    );
    assert_eq!(
        positions(
            &store
                .history(Some("hw.sensor even"), u64::MAX, 10)
                .expect("events")
        ),
        [6, 4, 2]
    );
}

#[test]
fn at_the_bound_the_oldest_go_that_every_sink_has_acknowledged() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.acknowledge("a", 80, None).expect("room");
    store.acknowledge("b", 30, None).expect("room");
    for seq in 1..=100 {
        store.put(batch([event(seq, &format!("i{seq}"))]));
        store.flush().expect("room");
    }
    store.put(batch([event(101, "new")]));
    store.flush().expect("what b has acknowledged goes");
    let kept = store.events(0, 1000).expect("events");
    assert_eq!(positions(&kept), (31..=101).collect::<Vec<_>>());
}

#[test]
fn at_the_bound_unacknowledged_events_of_one_instance_become_its_latest() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.acknowledge("dead", 0, None).expect("room");
    for seq in 1..=1000 {
        let instance = if seq % 10 == 0 {
            format!("i{}", seq % 7)
        } else {
            "flaps".to_owned()
        };
        store.put(batch([event(seq, &instance)]));
        store.flush().expect("room is made by folding");
    }
    let kept = store.events(0, 10_000).expect("events");
    assert!(kept.len() <= SMALL.events_max);
    let told: u64 = kept.iter().map(|entry| entry.folded + 1).sum();
    assert_eq!(
        told, 1000,
        "every event is told, or counted by a later one of its instance"
    );
    assert_eq!(kept.last().map(|entry| entry.position), Some(1000));
    assert!(
        kept.iter()
            .all(|entry| entry.body == format!("{{\"sequence\":{}}}", entry.sequence))
    );
}

#[test]
fn at_the_bound_with_nothing_to_fold_the_events_wait() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.acknowledge("dead", 0, None).expect("room");
    for seq in 1..=100 {
        store.put(batch([event(seq, &format!("i{seq}"))]));
        store.flush().expect("room");
    }
    store.put(batch([event(101, "one too many")]));
    assert!(matches!(store.flush(), Err(Error::Bound(_))));
    assert!(store.is_behind());
    store.acknowledge("dead", 50, None).expect("room");
    assert_eq!(store.flush().expect("room"), Some(101));
}

#[test]
fn what_waits_is_folded_with_exact_counts() {
    let mut waiting = batch((1..=9).map(|seq| event(seq, if seq % 3 == 0 { "a" } else { "b" })));
    waiting.fold();
    let told: Vec<_> = waiting
        .events
        .iter()
        .map(|entry| (entry.position, entry.folded))
        .collect();
    assert_eq!(told, [(8, 5), (9, 2)]);
    waiting.events.push(event(10, "a"));
    waiting.fold();
    let told: Vec<_> = waiting
        .events
        .iter()
        .map(|entry| (entry.position, entry.folded))
        .collect();
    assert_eq!(told, [(8, 5), (10, 3)]);
}

#[test]
fn the_file_stays_within_its_bound_of_bytes() {
    let directory = tempdir().expect("a directory");
    let limits = Limits {
        events_max: 1_000_000,
        bytes_max: 2 << 20,
        reserved_bytes: 1 << 20,
        waiting_max: 1000,
    };
    let (mut store, _) = open(&directory, limits);
    let body = "x".repeat(1000);
    for hundred in 0..100 {
        let events = (1..=100).map(|one| Entry {
            body: body.clone(),
            ..event(hundred * 100 + one, &format!("i{one}"))
        });
        store.put(batch(events));
        store.flush().expect("old ones go");
    }
    let size = std::fs::metadata(directory.path().join("alarms.db"))
        .expect("the file")
        .len();
    assert!(size <= limits.bytes_max, "{size}");
    let kept = store.events(0, 100_000).expect("events");
    assert!(kept.len() > 500, "{}", kept.len());
    assert_eq!(kept.last().map(|entry| entry.position), Some(10_000));
}

#[test]
fn a_damaged_file_is_put_aside_and_replaced() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("alarms.db");
    std::fs::write(&path, [b'x'; 5000]).expect("room");
    let (mut store, found) = open(&directory, SMALL);
    let aside = found.damaged.expect("the damage is told");
    assert_eq!(std::fs::read(aside).expect("the file"), [b'x'; 5000]);
    store.put(batch([event(1, "i")]));
    store.flush().expect("room");
    drop(store);

    // A page in the middle, of a database that opens.
    let mut bytes = std::fs::read(&path).expect("the file");
    for byte in &mut bytes[4096..8192] {
        *byte = 0xff;
    }
    std::fs::write(&path, bytes).expect("room");
    let (_, found) = open(&directory, SMALL);
    assert!(found.damaged.is_some());
}

#[test]
fn a_database_of_a_later_version_is_left_as_it_is() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("alarms.db");
    drop(open(&directory, SMALL));
    let db = Connection::open(&path).expect("the file");
    db.pragma_update(None, "user_version", 99).expect("room");
    drop(db);
    let error = Store::open(&path, SMALL).expect_err("it is later");
    assert!(matches!(error, Error::Newer { version: 99, .. }), "{error}");
    assert!(error.to_string().contains("use a later agent"), "{error}");
}

#[test]
fn a_kill_between_the_fillers_leaves_nothing_behind() {
    let directory = tempdir().expect("a directory");
    let (store, _) = open(&directory, SMALL);
    store
        .db
        .execute("INSERT INTO reserve (filler) VALUES (zeroblob(100000))", [])
        .expect("room");
    drop(store);
    let (store, _) = open(&directory, SMALL);
    let rows: i64 = store
        .db
        .query_row("SELECT count(*) FROM reserve", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(rows, 0);
}

#[test]
fn an_open_that_is_repeated_does_not_grow_the_file() {
    let directory = tempdir().expect("a directory");
    let size = || {
        std::fs::metadata(directory.path().join("alarms.db"))
            .expect("the file")
            .len()
    };
    drop(open(&directory, SMALL));
    let first = size();
    for _ in 0..5 {
        drop(open(&directory, SMALL));
    }
    assert!(size() <= first + (256 << 10), "{first} became {}", size());
    assert!(first >= SMALL.reserved_bytes);
}

/// A file system of its own, which a test can fill.
struct Disk(TempDir);

impl Disk {
    /// `None` where none can be mounted: it takes root.
    fn of(size: &str) -> Option<Self> {
        let directory = tempdir().expect("a directory");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(directory.path())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(directory));
        }
        support::skipped("a tmpfs cannot be mounted here; it takes root");
        None
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.path().join("others")).expect("a file");
        let block = [b'x'; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.path().join("others")).expect("the file");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status();
    }
}

#[test]
fn a_disk_that_others_filled_takes_events_into_the_room_allocated_ahead() {
    let Some(disk) = Disk::of("16m") else {
        return;
    };
    let (mut store, found) = open(&disk.0, Limits::default());
    assert!(found.reserved);
    disk.fill();
    let body = "x".repeat(1000);
    for seq in 1..=2000 {
        let waiting = Entry {
            body: body.clone(),
            ..event(seq, &format!("i{seq}"))
        };
        store.put(batch([waiting]));
        store.flush().expect("room that was allocated ahead");
    }
    let mut last = 2000;
    let full = loop {
        last += 1;
        let waiting = Entry {
            body: body.clone(),
            ..event(last, &format!("i{last}"))
        };
        store.put(batch([waiting]));
        match store.flush() {
            Ok(_) => assert!(last < 100_000, "a full disk never ends"),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, Error::Full(_)), "{full:?}");
    assert!(full.to_string().contains("no space left"), "{full}");
    assert!(store.is_behind());
    disk.free();
    assert_eq!(store.flush().expect("room again"), Some(last));
    let kept = store.events(0, 100_000).expect("events");
    assert_eq!(
        positions(&kept),
        (1..=last).collect::<Vec<_>>(),
        "nothing is lost"
    );
}

#[test]
fn a_disk_that_is_full_at_the_start_is_told_and_used_when_there_is_room() {
    let Some(disk) = Disk::of("3m") else {
        return;
    };
    let (mut store, found) = open(&disk.0, Limits::default());
    assert!(!found.reserved, "four megabytes do not fit three");
    store.put(batch([event(1, "i")]));
    assert_eq!(store.flush().expect("there is room for one"), Some(1));
}

#[test]
fn what_sinks_are_not_told_is_in_the_history_alone_and_goes_first() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.acknowledge("dead", 0, None).expect("room");
    let silent = |position| Entry {
        told: position % 2 == 0,
        ..event(position, &format!("i{position}"))
    };
    store.put(batch((1..=100).map(silent)));
    store.flush().expect("room");
    assert_eq!(positions(&store.events(0, 3).expect("events")), [2, 4, 6]);
    assert_eq!(
        positions(&store.history(None, u64::MAX, 3).expect("events")),
        [100, 99, 98]
    );
    store.put(batch([event(101, "new")]));
    store.flush().expect("the silent ones go");
    assert_eq!(store.events(0, 1000).expect("events").len(), 51);
}

#[test]
fn a_position_is_never_given_twice() {
    let directory = tempdir().expect("a directory");
    let (mut store, _) = open(&directory, SMALL);
    store.put(batch([event(1, "i"), event(2, "i")]));
    store.flush().expect("room");
    store.db.execute("DELETE FROM event", []).expect("room");
    drop(store);
    let (mut store, _) = open(&directory, SMALL);
    store.put(batch([event(3, "i")]));
    assert_eq!(store.flush().expect("room"), Some(3));
}
