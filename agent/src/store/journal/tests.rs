use libhw::diff::{Change, ChangeKind};

use super::*;
use crate::store::page::Page;

fn record(id: usize) -> Record {
    Record {
        seq: 0,
        time: "2026-03-01T12:00:00.000000000Z".into(),
        boot_id: None,
        cause: "start".into(),
        change: Change {
            class: "pci".into(),
            table: "functions".into(),
            id: format!("{id:0100}"),
            change: ChangeKind::Added,
            fields: Vec::new(),
            row: None,
        },
    }
}

fn write(journal: &mut Journal, count: usize) {
    for id in 0..count {
        journal.push(record(id)).unwrap();
    }
    journal.flush().unwrap();
}

fn read(journal: &Journal, after: u64, limit: usize) -> Page {
    let Journal {
        directory,
        extent,
        pending,
        ..
    } = journal;
    page::read(directory, *extent, pending, after, limit).unwrap()
}

fn numbers(page: &Page) -> Vec<u64> {
    let record = |line: &String| serde_json::from_str::<Record>(line).unwrap().seq;
    page.lines.iter().map(record).collect()
}

#[test]
fn changes_are_numbered_from_one_and_on_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..3_u64 {
        let mut journal = Journal::open(directory.path(), 1 << 20).unwrap();
        assert_eq!(journal.extent().last, round * 2);
        write(&mut journal, 2);
        assert_eq!(
            numbers(&read(&journal, 0, 100)),
            (1..=round * 2 + 2).collect::<Vec<_>>()
        );
    }
}

#[test]
fn what_a_power_failure_left_is_cut_off_and_kept_aside() {
    for left in [
        &b"{\"seq\":4,\"time"[..],
        b"{\"seq\":9}\n",
        b"\0\0\0\0\0",
        b"\n",
        b"\xff\n{\"seq\":4}\n",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(directory.path(), 1 << 20).unwrap();
        write(&mut journal, 3);
        drop(journal);
        let path = directory.path().join(CURRENT);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole, left].concat()).unwrap();

        let mut journal = Journal::open(directory.path(), 1 << 20).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert_eq!(fs::read(directory.path().join(TORN)).unwrap(), left);
        write(&mut journal, 1);
        assert_eq!(numbers(&read(&journal, 0, 100)), [1, 2, 3, 4]);
    }
}

#[test]
fn a_full_file_becomes_the_one_before_and_the_numbers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(directory.path(), 2000).unwrap();
    for _ in 0..30 {
        write(&mut journal, 1);
    }
    let sizes =
        [CURRENT, BEFORE].map(|name| fs::metadata(directory.path().join(name)).unwrap().len());
    assert!(
        sizes.iter().all(|size| (1..=2000).contains(size)),
        "{sizes:?}"
    );
    let extent = journal.extent();
    assert!(extent.first > 1 && extent.last == 30, "{extent:?}");
    let page = read(&journal, 0, 100);
    assert_eq!(numbers(&page), (extent.first..=30).collect::<Vec<_>>());
    assert_eq!(page.total, 31 - extent.first);
    // The same at the next start, also when it finds an empty file.
    drop(journal);
    assert_eq!(
        Journal::open(directory.path(), 2000).unwrap().extent(),
        extent
    );
    fs::rename(
        directory.path().join(CURRENT),
        directory.path().join(BEFORE),
    )
    .unwrap();
    assert_eq!(
        Journal::open(directory.path(), 2000).unwrap().extent().last,
        30
    );
}

#[test]
fn any_page_of_a_large_file_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(directory.path(), 64 << 20).unwrap();
    for _ in 0..20 {
        write(&mut journal, 500);
    }
    for after in [0, 1, 499, 500, 4999, 5000, 9997, 9998, 9999] {
        let page = read(&journal, after, 3);
        let expected: Vec<_> = (after + 1..=10_000).take(3).collect();
        assert_eq!(numbers(&page), expected);
        let more = expected.last().filter(|last| **last < 10_000);
        assert_eq!(page.next, more.copied(), "after {after}");
        assert_eq!(page.total, 10_000);
    }
    for after in [10_000, 10_001, u64::MAX] {
        let page = read(&journal, after, 3);
        assert!(page.lines.is_empty() && page.next.is_none());
    }
}

#[test]
fn what_waits_is_read_as_if_it_were_written_and_is_not_lost_when_writing_fails() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(directory.path(), 1 << 20).unwrap();
    write(&mut journal, 2);
    let path = directory.path().join(CURRENT);
    let whole = fs::read(&path).unwrap();
    // A file that is open for reading alone refuses to be written, as a full disk does.
    journal.file = File::open(&path).unwrap();
    journal.push(record(3)).unwrap();
    journal.flush().unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), whole);
    let page = read(&journal, 1, 100);
    assert_eq!(
        (numbers(&page), page.total, page.next),
        (vec![2, 3], 3, None)
    );
    assert_eq!(read(&journal, 0, 2).next, Some(2));
    journal.file = create(&path, false).unwrap();
    journal.push(record(4)).unwrap();
    journal.flush().unwrap();
    assert!(journal.pending().is_empty());
    assert_eq!(numbers(&read(&journal, 0, 100)), [1, 2, 3, 4]);
}

#[test]
fn no_more_waits_than_there_is_room_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(directory.path(), 64 << 20).unwrap();
    let mut count = 0;
    while journal.has_room() {
        journal.push(record(count)).unwrap();
        count += 1;
    }
    assert!((1000..100_000).contains(&count), "{count}");
    journal.flush().unwrap();
    assert!(journal.has_room());
}
