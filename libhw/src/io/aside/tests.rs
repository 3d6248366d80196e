#![expect(clippy::disallowed_methods, reason = "a test makes up its tree")]

use std::fs;
use std::time::Instant;

use super::*;

/// A shell in the place of our own program.
fn asking(script: &str) -> Processes {
    Processes::new(["/bin/sh", "-c", script].map(OsString::from).to_vec())
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
            r#"{"value":[134,128,255]}"#,
        ),
        (
            r#"{"ask":"bytes","path":"sys/config","length":1}"#,
            r#"{"value":[134]}"#,
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
    let space: Space = serde_json::from_value(value).unwrap();
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
    let first = processes.ask(&space("/a")).unwrap();
    assert_eq!(processes.ask(&space("/b")).unwrap(), first);
    processes.rest();
    assert!(!fs::exists(format!("/proc/{first}")).unwrap());
    assert_ne!(processes.ask(&space("/a")).unwrap(), first);
}

#[test]
fn one_that_ended_while_it_waited_is_replaced() {
    let processes = asking("read -r ask; echo \"{\\\"value\\\":$$}\"; exec <&- >&-");
    let first = processes.ask(&space("/a")).unwrap();
    while fs::exists(format!("/proc/{first}/fd")).unwrap()
        && fs::read_dir(format!("/proc/{first}/fd")).is_ok_and(|fds| fds.count() > 0)
    {
        std::thread::yield_now();
    }
    assert_ne!(processes.ask(&space("/a")).unwrap(), first);
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
            assert_eq!(answer, Ok(1.into()));
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
