#![expect(clippy::disallowed_methods, reason = "a test makes up its tree")]

use std::fs;
use std::time::Instant;

use super::*;

/// A shell in the place of our own program.
fn asking(script: &str) -> Processes {
    Processes::new(["/bin/sh", "-c", script].map(OsString::from).to_vec())
}

/// The number that a process answers, its own.
fn number(answer: Result<Vec<u8>, Errno>) -> u32 {
    serde_json::from_slice(&answer.unwrap()).unwrap()
}

fn space(path: &str) -> Ask {
    Ask::Space { path: path.into() }
}

#[test]
fn a_question_and_its_answer_are_a_line_each() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("sys")).unwrap();
    fs::write(directory.path().join("sys/config"), [0x86, 0x80, 0xff]).unwrap();
    let tree = Tree::at(directory.path()).unwrap();
    let answered = |lines: &str| {
        let mut out = Vec::new();
        answer_all(&tree, lines.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for (ask, reply) in [
        (
            r#"{"ask":"bytes","path":"sys/config","length":64}"#,
            r#"{"value":"8680ff"}"#,
        ),
        (
            r#"{"ask":"bytes","path":"sys/config","length":1}"#,
            r#"{"value":"86"}"#,
        ),
        (
            r#"{"ask":"bytes","path":"sys/none","length":1}"#,
            r#"{"failed":2}"#,
        ),
        (r#"{"ask":"what","path":"sys"}"#, r#"{"failed":74}"#),
        ("", r#"{"failed":74}"#),
    ] {
        assert_eq!(answered(&format!("{ask}\n")), format!("{reply}\n"), "{ask}");
    }
    let reply = answered(r#"{"ask":"space","path":"sys"}"#);
    let Reply::Value(value) = serde_json::from_str(&reply).unwrap() else {
        panic!("{reply}");
    };
    let space: Space = serde_json::from_str(value.get()).unwrap();
    assert!(space.size_bytes >= space.free_bytes && space.free_bytes >= space.available_bytes);
    assert_eq!(answered(""), "");
}

#[test]
fn a_capture_has_one_name_for_each_question() {
    let long = "/".to_owned() + &"ab c".repeat(200);
    let names = ["/", "/mnt/data", "/mnt!data", "/mnt/../é", "/mnt%2F", &long];
    let names = names.map(|path| space(path).name());
    assert_eq!(names[0], "space/!");
    assert_eq!(names[1], "space/!mnt!data");
    assert_eq!(names[2], "space/!mnt%21data");
    assert_eq!(names[3], "space/!mnt!..!%C3%A9");
    assert_eq!(names[4], "space/!mnt%252F");
    let parts = names[5].split('/');
    assert!(parts.clone().all(|part| (1..=240).contains(&part.len())));
    assert_eq!(parts.skip(1).collect::<String>().len(), 1 + 200 * 6);
}

#[test]
fn one_process_answers_until_it_may_rest() {
    let processes = asking("while read -r ask; do echo \"{\\\"value\\\":$$}\"; done");
    let first = number(processes.ask(&space("/a")));
    assert_eq!(number(processes.ask(&space("/b"))), first);
    processes.rest();
    assert!(!fs::exists(format!("/proc/{first}")).unwrap());
    assert_ne!(number(processes.ask(&space("/a"))), first);
}

#[test]
fn one_that_ended_while_it_waited_is_replaced() {
    let processes = asking("read -r ask; echo \"{\\\"value\\\":$$}\"; exec <&- >&-");
    let first = number(processes.ask(&space("/a")));
    while fs::exists(format!("/proc/{first}/fd")).unwrap()
        && fs::read_dir(format!("/proc/{first}/fd")).is_ok_and(|fds| fds.count() > 0)
    {
        std::thread::yield_now();
    }
    assert_ne!(number(processes.ask(&space("/a"))), first);
}

#[test]
fn whatever_a_process_does_instead_of_answering_is_an_error() {
    for (script, errno) in [
        ("read -r ask; exit 1", NO_ANSWER),
        ("read -r ask; kill -SEGV $$", NO_ANSWER),
        ("read -r ask; echo '{\"value\":'", NO_ANSWER),
        ("read -r ask; echo '{\"value\":1}{}'", NO_ANSWER),
        ("read -r ask; printf '{\"value\":1}'", NO_ANSWER),
        (
            "read -r ask; echo '{\"failed\":13}'; read -r ask",
            Errno::EACCES,
        ),
        ("read -r ask; cat /dev/zero", Errno::EFBIG),
    ] {
        let processes = asking(script);
        let answer = processes.ask(&space("/a"));
        // A whole answer without an end of line is one, if its process says nothing more.
        if script.contains("printf") {
            assert_eq!(answer, Ok(b"1".to_vec()));
        } else {
            assert_eq!(answer, Err(errno), "{script}");
        }
    }
    let none = Processes::new(vec!["/nonexistent/program".into()]);
    assert_eq!(none.ask(&space("/a")), Err(NO_ANSWER));
    assert_eq!(Processes::new(vec![]).ask(&space("/a")), Err(NO_ANSWER));
    let long = none.ask(&space(&"a".repeat(ASK_MAX)));
    assert_eq!(long, Err(Errno::ENAMETOOLONG));
}

#[test]
fn one_that_does_not_answer_is_killed_at_the_deadline() {
    let processes = asking("read -r ask; exec sleep 1000");
    let started = Instant::now();
    assert_eq!(processes.ask(&space("/a")), Err(Errno::ETIMEDOUT));
    assert!((LIMIT..2 * LIMIT).contains(&started.elapsed()));
    // The kernel does not hold it, so that the same may be asked again.
    assert!(processes.is_free());
}

#[test]
fn while_a_driver_holds_one_question_no_other_is_asked_of_the_network() {
    let tree = Arc::new(Tree::at("/".as_ref()).unwrap());
    let mut aside = Aside::default();
    // What the process says of itself tells it from the thread.
    let script = "while read -r ask; do echo '{\"value\":[]}'; done";
    aside.ask_in_process(["/bin/sh", "-c", script].map(OsString::from).to_vec());
    let (links, settings) = (
        Ask::Network(Network::Links),
        Ask::Network(Network::Settings {
            interface: "lo".into(),
        }),
    );
    assert_eq!(aside.ask(&tree, &settings), Ok(b"[]".to_vec()));
    assert!(aside.ask_here(&tree, &links).unwrap().len() > 2);
    // A thread that waits for the network's lock speaks against both.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let stuck = aside
        .threads
        .within(Duration::ZERO, &links.waits_for(), move || {
            let _ = held.recv();
            Ok(())
        });
    assert_eq!(stuck, Err(Errno::ETIMEDOUT));
    assert_eq!(aside.ask(&tree, &settings), Err(Errno::ETIMEDOUT));
    assert_eq!(aside.ask_here(&tree, &links), Err(Errno::ETIMEDOUT));
    assert!(aside.ask(&tree, &space("/a")).is_ok());
    drop(release);
    while aside.ask(&tree, &settings).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn a_process_that_the_kernel_holds_speaks_against_asking_here() {
    let processes = asking("exec sleep 1000");
    let settings = Ask::Network(Network::Links).waits_for();
    let child = child::Child::start(&["sleep", "1000"].map(OsString::from)).unwrap();
    processes.leave_behind(settings.clone(), child);
    assert_eq!(processes.may_ask(&settings), Err(Errno::ETIMEDOUT));
    assert_eq!(processes.may_ask(&space("/a").waits_for()), Ok(()));
}

#[test]
fn a_setting_is_written_and_how_long_it_may_take_is_said() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("sys")).unwrap();
    fs::write(directory.path().join("sys/setting"), "0").unwrap();
    let tree = Tree::at(directory.path()).unwrap();
    let write = |path: &str| Ask::Write {
        path: path.into(),
        text: "8\n".into(),
        limit_s: 60,
    };
    assert_eq!(answer(&tree, &write("sys/setting")), Ok(b"null".to_vec()));
    let text = fs::read_to_string(directory.path().join("sys/setting")).unwrap();
    assert_eq!(text, "8\n");
    // The kernel's own ETIMEDOUT is an answer.
    assert_eq!(answer(&tree, &write("sys/none")), Ok(b"2".to_vec()));
    assert_eq!(answer(&tree, &write("etc/passwd")), Ok(b"18".to_vec()));
    assert_eq!(write("sys/setting").limit(), Duration::from_secs(60));
}
