//! What every command says, and how it ends.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::machine;

/// A made-up machine in `tree`, in a directory of its own in which commands run.
pub(crate) struct Lab(TempDir);

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        machine::write(&lab.path("tree"));
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon"));
        command
            .args(line.split_whitespace())
            .current_dir(self.0.path());
        command.env_clear().stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What a command prints that does what was asked for.
    pub(crate) fn stdout(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(status_and_complaint(&output), (0, String::new()), "{line}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.stdout(line)).unwrap()
    }
}

pub(crate) fn status_and_complaint(output: &Output) -> (i32, String) {
    let complaint = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code().unwrap(), complaint)
}

/// Compares with the text in this folder, or writes it.
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli")
        .join(name);
    support::golden(&path, text);
}

#[test]
fn every_command_explains_itself() {
    let lab = Lab::new();
    for command in [
        "",
        "inventory",
        "inventory device",
        "topology",
        "capture",
        "diff",
        "agent",
        "alarms",
        "completions",
        "man",
    ] {
        let text = lab.stdout(&format!("{command} --help"));
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        let name = format!("help {command}").trim_end().replace(' ', "-");
        golden(&format!("{name}.txt"), &text);
    }
}

#[test]
fn the_version_is_told() {
    let text = Lab::new().stdout("--version");
    assert_eq!(text, format!("gnomon {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_help_goes_to_standard_error() {
    let output = Lab::new().run("");
    let (status, text) = status_and_complaint(&output);
    assert_eq!((status, output.stdout.len()), (2, 0));
    assert!(text.contains("Usage: gnomon <COMMAND>"), "{text}");
}

#[test]
fn what_is_wrong_is_told_in_one_line() {
    let lab = Lab::new();
    fs::write(lab.path("text.json"), "{\"kind\": 1}").unwrap();
    fs::write(lab.path("cut.json"), "{\"schema_version\": 1,").unwrap();
    let newer = "{\"schema_version\": 999, \"kind\": \"gnomon.inventory\"}";
    fs::write(lab.path("newer.json"), newer).unwrap();
    fs::write(lab.path("here.tar"), "").unwrap();
    fs::write(lab.path("short.key"), "secret\n").unwrap();
    let mut text = String::new();
    for line in [
        "inventry",
        "inventory gpus",
        "inventory --rot tree",
        "inventory --json --yaml",
        "inventory cpu device 01:00.0",
        "inventory device",
        "inventory device 1",
        "inventory device 7f:00.0 --root tree",
        "inventory --root absent",
        "topology --root absent",
        "topology --root tree --svg absent/picture.svg",
        "capture",
        "capture --root tree -o machine.zip",
        "capture --root tree -o here.tar",
        "capture --root tree -o absent/machine.tar",
        "capture --root absent -o machine.tar",
        "capture --root tree -o machine.tar --mask-key absent",
        "capture --root tree -o machine.tar --mask-key short.key",
        "diff tree",
        "diff - -",
        "diff absent tree",
        "diff text.json tree",
        "diff cut.json tree",
        "diff newer.json tree",
        "agent --listen here",
        "completions ksh",
        "man -o absent",
        "man inventory nothing",
    ] {
        let output = lab.run(line);
        let (status, complaint) = status_and_complaint(&output);
        assert_ne!(status, 0, "{line}");
        assert_eq!(complaint.lines().count(), 1, "{line}: {complaint}");
        assert!(complaint.starts_with("gnomon: "), "{line}: {complaint}");
        assert!(output.stdout.is_empty(), "{line}");
        text.push_str(&format!("$ gnomon {line}\n{complaint}[{status}]\n\n"));
    }
    golden("errors.txt", &text);
    assert_eq!(
        names(lab.0.path()),
        [
            "cut.json",
            "here.tar",
            "newer.json",
            "short.key",
            "text.json",
            "tree"
        ]
    );
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_inventory_is_a_page_for_people() {
    let lab = Lab::new();
    golden("inventory.txt", &lab.stdout("inventory --root tree"));
    let detailed = "inventory --root tree cpu numa hugepages pci --vfs";
    golden("inventory-detailed.txt", &lab.stdout(detailed));
    golden(
        "device.txt",
        &lab.stdout("inventory device --root tree 1:0.0"),
    );
}

#[test]
fn the_inventory_is_json_for_programs() {
    let lab = Lab::new();
    let text = lab.stdout("inventory --root tree --json");
    let head = "{\n  \"schema_version\": 1,\n  \"kind\": \"gnomon.inventory\",\n";
    assert!(text.starts_with(head), "{text}");
    assert_eq!(text, lab.stdout("inventory --root tree --json"));
    let all = lab.json("inventory --root tree --json");
    assert_eq!(
        all["numa"]["nodes"][1]["memory_total_bytes"],
        32_768_000_u64 << 10
    );
    let some = lab.json("inventory --root tree numa cpu numa --json");
    assert_eq!(some["numa"], all["numa"]);
    assert_eq!(some.get("pci"), None);
}

#[test]
fn yaml_says_the_same_as_json() {
    let lab = Lab::new();
    let yaml = lab.stdout("inventory --root tree --yaml");
    let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(yaml, lab.json("inventory --root tree --json"));
}

#[test]
fn virtual_functions_are_listed_when_asked_for() {
    let lab = Lab::new();
    let count = |line: &str| lab.json(line)["pci"]["functions"].as_array().unwrap().len();
    assert_eq!(count("inventory --root tree pci --json"), 4);
    assert_eq!(count("inventory --root tree pci --json --vfs"), 6);
}

#[test]
fn a_device_is_told_with_the_cpus_near_to_it() {
    let lab = Lab::new();
    let device = lab.json("inventory device 0000:02:00.0 --root tree --json");
    assert_eq!(device["kind"], "gnomon.pci_function");
    assert_eq!(device["near"]["cpus"], "2-3,6-7");
    assert_eq!(device["near"]["isolated"], "2-3,6-7");
    assert_eq!(device["path"][0], "0000:00:02.0");
    let vf = lab.json("inventory device 0000:01:01.1 --root tree --json");
    assert_eq!(vf["function"]["physical_function"], "0000:01:00.0");
}

#[test]
fn a_value_that_cannot_be_had_makes_it_partly_done() {
    let lab = Lab::new();
    let denied = "{\"sys/devices/system/cpu/online\": 13}";
    machine::put(&lab.path("tree"), "gnomon/errors.json", denied);
    let inventory = lab.json("inventory --root tree cpu --json");
    assert_eq!(inventory["problems"][0]["reason"], "denied");
    let broken = "{\"sys/devices/system/cpu/online\": 5}";
    machine::put(&lab.path("tree"), "gnomon/errors.json", broken);
    let output = lab.run("inventory --root tree cpu --json");
    assert_eq!(status_and_complaint(&output), (3, String::new()));
    let inventory: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(inventory["problems"][0]["reason"], "unreadable");
    assert_eq!(inventory["cpu"]["possible"], "0-8");
    let text = String::from_utf8(lab.run("inventory --root tree").stdout).unwrap();
    assert!(text.contains("Problems\n"), "{text}");
}

/// A second tree that differs from the first one in a few places.
fn changed(lab: &Lab) {
    let tree = lab.path("later");
    machine::write(&tree);
    machine::put(&tree, "proc/sys/kernel/osrelease", "6.12.10-amd64");
    let node = "sys/devices/system/node/node1/meminfo";
    let meminfo = "Node 1 MemTotal: 16384000 kB\nNode 1 MemFree: 99 kB";
    machine::put(&tree, node, meminfo);
    fs::remove_file(tree.join("sys/bus/pci/devices/0000:02:00.0")).unwrap();
    let cpuinfo = fs::read_to_string(tree.join("proc/cpuinfo")).unwrap();
    let cpuinfo = cpuinfo.replace("vme sse2", "sse2 avx512f");
    machine::put(&tree, "proc/cpuinfo", cpuinfo.trim_end());
}

#[test]
fn a_difference_is_told_row_by_row() {
    let lab = Lab::new();
    changed(&lab);
    golden("diff.txt", &lab.stdout("diff tree later"));
    golden("diff-back.txt", &lab.stdout("diff later tree --live"));
    let report = lab.json("diff tree later --json");
    assert_eq!(report["kind"], "gnomon.diff");
    assert_eq!(report["before"], "tree");
    let removed = report["changes"].as_array().unwrap().iter();
    let removed =
        removed.filter(|change| change["change"] == "removed" && change["class"] == "pci");
    let removed: Vec<_> = removed.map(|change| change["id"].clone()).collect();
    assert_eq!(removed, ["0000:02:00.0"]);
}

#[test]
fn a_saved_inventory_can_be_compared_with_a_tree() {
    let lab = Lab::new();
    changed(&lab);
    let saved = lab.stdout("inventory --root tree --json");
    fs::write(lab.path("saved.json"), &saved).unwrap();
    assert_eq!(lab.stdout("diff saved.json tree --live --exit-code"), "");
    assert_eq!(
        lab.stdout("diff saved.json later"),
        lab.stdout("diff tree later")
    );
    let mut command = lab.command("diff - tree --exit-code");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(saved.as_bytes())
        .unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn a_script_can_ask_whether_there_is_a_difference() {
    let lab = Lab::new();
    changed(&lab);
    let output = lab.run("diff tree later --exit-code");
    assert_eq!(status_and_complaint(&output), (1, String::new()));
    assert_eq!(lab.run("diff tree tree --exit-code").status.code(), Some(0));
}

#[test]
fn this_host_does_not_differ_from_itself() {
    let output = Lab::new().run("diff live live --exit-code");
    assert_eq!(status_and_complaint(&output), (0, String::new()));
}

#[test]
fn a_capture_replays_to_the_same_inventory() {
    let lab = Lab::new();
    let expected = lab.stdout("inventory --root tree --json");
    for name in ["a.tar", "a.tar.gz", "a.tgz"] {
        let output = lab.run(&format!("capture --root tree -o {name} --unmasked"));
        let (status, summary) = status_and_complaint(&output);
        assert_eq!((status, output.stdout.len()), (0, 0), "{summary}");
        assert!(summary.starts_with(&format!("{name}: ")), "{summary}");
        assert_eq!(summary.lines().count(), 1, "{summary}");
        let replayed = lab.stdout(&format!("inventory --root {name} --json"));
        assert!(replayed == expected, "{name}: {replayed}");
    }
    assert_eq!(names(lab.0.path()), ["a.tar", "a.tar.gz", "a.tgz", "tree"]);
    let output = lab.run("capture --root tree -o -");
    assert_eq!(output.stdout.get(257..262), Some(&b"ustar"[..]));
}

#[test]
fn one_key_makes_one_pseudonym() {
    let lab = Lab::new();
    let serial = "SN-4711-0815";
    machine::put(&lab.path("tree"), "sys/class/dmi/id/product_serial", serial);
    fs::write(lab.path("a.key"), "correct horse battery staple\n").unwrap();
    fs::write(lab.path("b.key"), "correct horse battery staple").unwrap();
    fs::write(lab.path("c.key"), "incorrect horse battery staple").unwrap();
    let masked = |key: &str| {
        lab.run(&format!(
            "capture --root tree -o {key}.tar --mask-key {key}"
        ));
        let system = lab.json(&format!("inventory system --root {key}.tar --json"));
        system["system"]["product"]["serial"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (a, b, c) = (masked("a.key"), masked("b.key"), masked("c.key"));
    assert_eq!(a, b);
    assert_ne!(a, c);
    assert_ne!(a, serial);
}

#[test]
fn a_capture_replaces_a_file_only_when_forced() {
    let lab = Lab::new();
    fs::write(lab.path("a.tar"), "mine").unwrap();
    assert_eq!(
        lab.run("capture --root tree -o a.tar").status.code(),
        Some(1)
    );
    assert_eq!(fs::read(lab.path("a.tar")).unwrap(), b"mine");
    assert_eq!(
        lab.run("capture --root tree -o a.tar --force")
            .status
            .code(),
        Some(0)
    );
    assert!(fs::metadata(lab.path("a.tar")).unwrap().len() > 1024);
}

#[test]
fn an_unmasked_capture_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new();
    lab.run("capture --root tree -o a.tar --unmasked");
    let mode = fs::metadata(lab.path("a.tar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_picture_is_drawn_into_a_file_or_to_standard_output() {
    let lab = Lab::new();
    lab.stdout("topology --root tree --svg a.svg");
    let file = fs::read_to_string(lab.path("a.svg")).unwrap();
    assert!(file.contains("<svg"), "{file}");
    assert_eq!(lab.stdout("topology --root tree --svg -"), file);
    assert_eq!(
        lab.stdout("topology --root tree --text"),
        lab.stdout("topology --root tree")
    );
}

#[test]
fn every_shell_gets_its_completions() {
    let lab = Lab::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = lab.stdout(&format!("completions {shell}"));
        for word in ["gnomon", "inventory", "exit-code"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let lab = Lab::new();
    fs::create_dir(lab.path("man")).unwrap();
    lab.stdout("man -o man");
    let pages = names(&lab.path("man"));
    assert_eq!(
        pages,
        [
            "gnomon-agent.1",
            "gnomon-capture.1",
            "gnomon-completions.1",
            "gnomon-diff.1",
            "gnomon-inventory-device.1",
            "gnomon-inventory.1",
            "gnomon-man.1",
            "gnomon-topology.1",
            "gnomon-tune-governor.1",
            "gnomon-tune-hugepages.1",
            "gnomon-tune-vfs.1",
            "gnomon-tune.1",
            "gnomon.1",
        ]
    );
    for page in pages {
        let text = fs::read_to_string(lab.path("man").join(&page)).unwrap();
        assert!(text.contains(".SH \"EXAMPLES\""), "{page}");
    }
    let one = fs::read_to_string(lab.path("man/gnomon-inventory-device.1")).unwrap();
    assert_eq!(lab.stdout("man inventory device"), one);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let lab = Lab::new();
    for line in [
        "inventory --json",
        "inventory",
        "--help",
        "man",
        "diff live live --json",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = lab.command(line).stdout(writer).output().unwrap();
        assert_eq!(status_and_complaint(&output), (0, String::new()), "{line}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let lab = Lab::new();
    for line in [
        "inventory --json",
        "inventory --yaml",
        "inventory",
        "man",
        "completions bash",
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = lab.command(line).stdout(full).output().unwrap();
        let complaint = "gnomon: write standard output: No space left on device\n";
        assert_eq!(
            status_and_complaint(&output),
            (1, complaint.to_owned()),
            "{line}"
        );
    }
}
