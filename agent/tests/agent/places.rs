use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use super::node::{Node, Tmpfs, as_nobody};

#[test]
fn it_starts_answers_and_stops_without_leaving_its_socket() {
    let node = Node::new();
    let agent = node.start();
    let socket = fs::metadata(node.path("run/agent.sock")).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o7777, 0o660);
    let mode = |name: &str| fs::metadata(node.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("run"), mode("state")), (0o755, 0o700));
    assert_eq!(mode("state/inventory.json"), 0o600);
    assert_eq!(agent.get("/readyz").status, 200);
    assert!(agent.stop().success());
    assert!(!node.path("run/agent.sock").exists());
    assert!(node.state("inventory.json").exists());
}

#[test]
fn a_socket_in_use_is_refused_and_the_one_of_a_killed_agent_is_replaced() {
    let node = Node::new();
    let agent = node.start();
    let mut second = node.bare();
    second
        .arg("--root")
        .arg(node.tree())
        .arg("--state-dir")
        .arg(node.path("other"));
    second.arg("--socket").arg(node.path("run/agent.sock"));
    let line = node.refused(second);
    assert!(line.contains("an agent answers there already"), "{line}");
    assert_eq!(agent.get("/readyz").status, 200);
    agent.kill();
    assert!(node.path("run/agent.sock").exists());
    let agent = node.start();
    assert_eq!(agent.get("/readyz").status, 200);
}

#[test]
fn what_is_no_socket_of_an_agent_is_left_alone() {
    let node = Node::new();
    fs::create_dir(node.path("run")).unwrap();
    fs::write(node.path("run/agent.sock"), "kept").unwrap();
    let line = node.refused(node.command());
    assert!(line.contains("no socket"), "{line}");
    assert_eq!(
        fs::read_to_string(node.path("run/agent.sock")).unwrap(),
        "kept"
    );
    // Somebody else's socket that answers is in use, whoever that is.
    fs::remove_file(node.path("run/agent.sock")).unwrap();
    let _theirs = UnixListener::bind(node.path("run/agent.sock")).unwrap();
    assert!(
        node.refused(node.command())
            .contains("answers there already")
    );
}

#[test]
fn two_agents_do_not_share_a_state_directory() {
    let node = Node::new();
    let agent = node.start();
    let mut second = node.bare();
    second
        .arg("--root")
        .arg(node.tree())
        .arg("--state-dir")
        .arg(node.path("state"));
    second.arg("--socket").arg(node.path("other.sock"));
    let line = node.refused(second);
    assert!(line.contains("another agent uses it"), "{line}");
    assert!(!node.path("other.sock").exists());
    assert_eq!(agent.get("/readyz").status, 200);
}

#[test]
fn a_state_directory_that_cannot_be_one_is_refused() {
    let node = Node::new();
    fs::write(node.path("state"), "kept").unwrap();
    let line = node.refused(node.command());
    assert!(
        line.contains(&format!("state directory {}", node.path("state").display())),
        "{line}"
    );
    assert_eq!(fs::read_to_string(node.path("state")).unwrap(), "kept");
    assert!(!node.path("run").exists());
}

#[test]
fn a_read_only_state_directory_is_refused_and_keeps_what_it_has() {
    let node = Node::new();
    let Some(mount) = Tmpfs::mount(&node.path("state"), "size=4m") else {
        return;
    };
    node.start().stop();
    let before = fs::read(node.state("inventory.json")).unwrap();
    mount.remount("ro");
    let line = node.refused(node.command());
    assert!(
        line.contains("cannot write to it: Read-only file system"),
        "{line}"
    );
    assert_eq!(fs::read(node.state("inventory.json")).unwrap(), before);
    assert!(!node.path("run/agent.sock").exists());
}

#[test]
fn a_full_state_directory_is_refused() {
    let node = Node::new();
    let Some(_mount) = Tmpfs::mount(&node.path("state"), "size=64k") else {
        return;
    };
    let line = node.refused(node.command());
    assert!(line.contains("state directory"), "{line}");
    assert!(
        line.contains("full") || line.contains("No space left"),
        "{line}"
    );
    assert_eq!(
        fs::read_dir(node.path("state")).unwrap().count(),
        1,
        "more than the lock was left"
    );
}

#[test]
fn without_rights_all_goes_to_the_user() {
    let node = Node::new();
    for name in ["xdg-state", "xdg-run"] {
        fs::create_dir(node.path(name)).unwrap();
        fs::set_permissions(node.path(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    // The directory of the test is its owner's alone.
    fs::set_permissions(node.path("."), fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = node.bare();
    command.arg("--root").arg(node.tree());
    command
        .env("XDG_STATE_HOME", node.path("xdg-state"))
        .env("XDG_RUNTIME_DIR", node.path("xdg-run"));
    if as_nobody(&mut command).is_none() {
        return;
    }
    let socket = node.path("xdg-run/gnomon/agent.sock");
    let (agent, _) = node.spawn(&mut command, socket);
    fs::set_permissions(node.path("notify"), fs::Permissions::from_mode(0o777)).unwrap();
    agent.until("the socket is there", || {
        node.path("xdg-run/gnomon/agent.sock").exists()
    });
    agent.until("it is ready", || agent.get("/readyz").status == 200);
    // A replay keeps its own state apart from the host's.
    assert!(node.path("xdg-state/gnomon/replay").is_dir());
    assert!(!node.path("xdg-state/gnomon/inventory.json").exists());
}

#[test]
fn a_tree_that_is_none_is_refused() {
    let node = Node::new();
    fs::write(node.path("file"), "no archive").unwrap();
    for tree in ["nowhere", "file"] {
        let mut command = node.bare();
        command
            .arg("--root")
            .arg(node.path(tree))
            .arg("--state-dir")
            .arg(node.path("state"));
        command.arg("--socket").arg(node.path("agent.sock"));
        let line = node.refused(command);
        assert!(line.contains(node.path(tree).to_str().unwrap()), "{line}");
        assert!(!node.path("state").exists());
    }
}
