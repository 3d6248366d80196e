//! Where each device class was seen to be right: the README's table is made of these rows.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use libhw::inventory::Class;

use lab::LAB;
use rows::ROWS;

mod lab;
mod rows;

/// How it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Another program's answer on the same tree or host, named.
    Peer(&'static str),
    /// A captured machine's own files, read independently.
    Capture,
    /// This host, whatever it is.
    RealMachine,
    /// A real kernel in the lab.
    Lab,
    /// A tree made up from the kernel's documents.
    Synthetic,
}

/// What is reported of a class, how that was seen to be right, and the test that shows it.
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) what: &'static str,
    pub(super) how: How,
    pub(super) test: &'static str,
}

const fn row(class: &'static str, what: &'static str, how: How, test: &'static str) -> Row {
    Row {
        class,
        what,
        how,
        test,
    }
}

const BEGIN: &str = "<!-- verified: made by tests/classes/verified.rs -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_readme_says_what_was_verified_and_how() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("the table's begin");
    let (_, after) = rest.split_once(END).expect("the table's end");
    support::golden(&path, &format!("{before}{BEGIN}{}{END}{after}", table()));
}

/// The rows as a table; those of a class together, what was seen in the same way in one line.
fn table() -> String {
    let mut text = String::from("| class | what is reported | verified against |\n|---|---|---|\n");
    let class = |name: &str| name.parse::<Class>().expect("a class");
    let mut rows: Vec<&Row> = ROWS.iter().chain(LAB).collect();
    rows.sort_by_key(|row| class(row.class));
    for row in rows {
        let how = match row.how {
            How::Peer(name) => format!("`{name}`, on the same machine or tree"),
            How::Capture => "captured machines, read independently".to_owned(),
            How::RealMachine => "the machine that runs the tests".to_owned(),
            How::Lab => format!("a real kernel in the lab, `{}`", row.test),
            How::Synthetic => "made-up trees only".to_owned(),
        };
        let _ = writeln!(text, "| {} | {} | {how} |", row.class, row.what);
    }
    text
}

#[test]
fn every_row_names_a_class_and_a_test_that_is_there() {
    let mut sources = String::new();
    for folder in ["tests", "libhw/src", "agent"] {
        read_all(&top().join(folder), &mut sources);
    }
    for row in ROWS.iter().chain(LAB) {
        assert!(row.class.parse::<Class>().is_ok(), "{}", row.class);
        assert!(!row.what.is_empty());
        let found = sources.contains(&format!("fn {}()", row.test));
        assert!(
            found,
            "{}: no test is called {} ({:?})",
            row.class, row.test, row.how
        );
    }
}

/// One that is `#[ignore]`d shows nothing.
#[test]
fn every_row_of_the_lab_names_a_test_that_the_lab_runs() {
    let mut sources = String::new();
    read_all(&top().join("tests/lab/tests"), &mut sources);
    for row in LAB {
        let run = format!("#[test]\nfn {}()", row.test);
        assert!(sources.contains(&run), "{}: {}", row.class, row.test);
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}
