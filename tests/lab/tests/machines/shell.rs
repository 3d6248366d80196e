//! `gnomon-lab run` without a command.

use std::io::Write;
use std::process::{Command, Stdio};

use gnomon_lab::initramfs::find_program;
use gnomon_lab::{ready, skipped};

#[test]
fn a_shell_takes_its_commands_from_a_pipe_and_its_status_is_told() {
    if !ready() {
        return;
    }
    if find_program("busybox").is_none() {
        skipped("no busybox: it is in Debian's busybox-static");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("shell.toml");
    std::fs::write(&machine, "name = \"shell\"\nmemory = \"512M\"\n").unwrap();
    let mut shell = Command::new(env!("CARGO_BIN_EXE_gnomon-lab"))
        .arg("run")
        .arg(machine)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Before the guest has even started, and without the last line's end.
    let mut input = shell.stdin.take().unwrap();
    let commands = b"echo first: $((6 * 7))\nstty size\n(exit 3)";
    input.write_all(commands).unwrap();
    drop(input);
    let output = shell.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "first: 42\n24 80\n");
    assert_eq!(output.status.code(), Some(3));
}
