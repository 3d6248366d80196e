use super::*;
use crate::sink::outbox::Outbox;
use crate::sink::outbox::memory::Memory;
use crate::sink::peer::{at, raised};

fn sink(path: &Path) -> File {
    File::new(FileSink {
        path: path.to_owned(),
    })
}

fn queued(range: std::ops::RangeInclusive<u64>) -> Vec<Queued> {
    let memory = Memory::default();
    range.for_each(|n| memory.tell(raised(n, "host=n1.fan=2")));
    memory.events(0, 100).unwrap().queued
}

fn sequences(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let events = text
        .lines()
        .map(serde_json::from_str::<crate::alarm::event::Event>);
    events
        .filter_map(Result::ok)
        .map(|event| event.id.sequence)
        .collect()
}

#[test]
fn every_event_is_a_line_behind_those_of_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    assert_eq!(sink(&path).deliver(&queued(1..=3), at(0)).through, Some(3));
    assert_eq!(sink(&path).deliver(&queued(4..=4), at(0)).through, Some(1));
    assert_eq!(sequences(&path), [1, 2, 3, 4]);
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let away = directory.path().join("events.jsonl.1");
    let mut sink = sink(&path);
    sink.deliver(&queued(1..=1), at(0));
    fs::rename(&path, &away).unwrap();
    sink.deliver(&queued(2..=2), at(0));
    fs::remove_file(&path).unwrap();
    sink.deliver(&queued(3..=3), at(0));
    assert_eq!((sequences(&away), sequences(&path)), (vec![1], vec![3]));
}

#[test]
fn a_line_that_was_cut_is_ended_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    fs::write(&path, "{\"id\":{\"bo").unwrap();
    sink(&path).deliver(&queued(1..=1), at(0));
    assert_eq!(sequences(&path), [1]);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
}

#[test]
fn what_is_no_file_of_ours_fails_and_acknowledges_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
    let nowhere = directory.path().join("none/events.jsonl");
    for path in [fifo.as_path(), &link, &nowhere, directory.path()] {
        let delivery = sink(path).deliver(&queued(1..=1), at(0));
        assert_eq!(delivery.through, None);
        let what = delivery.failure.unwrap().what;
        assert!(what.starts_with(&path.display().to_string()), "{what}");
    }
}
