//! What a terminal gets that a pipe does not: colours, its width, and no archive.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::command::{Lab, golden, status_and_complaint};

/// What a command prints on a terminal of this many columns.
fn on_terminal(lab: &Lab, line: &str, columns: u16, variable: (&str, &str)) -> String {
    let size = nix::pty::Winsize {
        ws_row: 50,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(Some(&size), None).unwrap();
    let mut command = lab.command(line);
    command
        .env(variable.0, variable.1)
        .stdout(Stdio::from(slave));
    let mut child = command.spawn().unwrap();
    // The terminal's own end is closed only when we hold it no longer.
    drop(command);
    let text = read_terminal(master);
    assert!(child.wait().unwrap().success(), "{line}");
    text
}

/// Reads until the terminal hangs up, which reading tells as an error.
fn read_terminal(master: OwnedFd) -> String {
    let mut terminal = File::from(master);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let lab = Lab::new();
    let line = "inventory --root tree cpu";
    let escape = '\u{1b}';
    assert!(on_terminal(&lab, line, 200, ("TERM", "xterm")).contains(escape));
    assert!(!on_terminal(&lab, line, 200, ("NO_COLOR", "1")).contains(escape));
    assert!(!on_terminal(&lab, line, 200, ("TERM", "dumb")).contains(escape));
    assert!(!lab.stdout(line).contains(escape));
}

#[test]
fn a_table_keeps_to_the_terminal() {
    let lab = Lab::new();
    let text = on_terminal(&lab, "inventory --root tree", 79, ("NO_COLOR", "1"));
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(
        widest.is_some_and(|widest| (60..=79).contains(&widest)),
        "{widest:?}: {text}"
    );
    golden("inventory-79-columns.txt", &text);
}

#[test]
fn an_archive_never_goes_to_a_terminal() {
    let lab = Lab::new();
    let size = None;
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(size, None).unwrap();
    let output = lab
        .command("capture --root tree -o -")
        .stdout(Stdio::from(slave))
        .output();
    let (status, complaint) = status_and_complaint(&output.unwrap());
    assert_eq!(status, 2);
    assert!(
        complaint.contains("an archive is not for a terminal"),
        "{complaint}"
    );
    drop(master);
}
