//! Does a capture tell what the machine told: us, lstopo and lscpu?

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use libhw::error::Error;
use libhw::inventory;
use libhw::io::capture::{self, Captured, Options};
use libhw::io::{archive, root::Root};
use serde_json::Value;

/// The tar of a capture, and what was captured.
fn captured(root: Root, options: &Options) -> (Vec<u8>, Captured) {
    let mut tar = Vec::new();
    let captured = capture::write(root, options, "machine", &mut tar).expect("a capture");
    (tar, captured)
}

fn unmasked() -> Options {
    Options {
        unmasked: true,
        ..Options::default()
    }
}

/// A capture as others unpack it.
fn unpacked(tar: &[u8], into: &Path) -> PathBuf {
    let file = into.join("capture.tar");
    std::fs::write(&file, tar).expect("room for the capture");
    let status = Command::new("tar")
        .arg("-xf")
        .arg(&file)
        .arg("-C")
        .arg(into)
        .status();
    assert!(status.expect("tar").success());
    into.join("machine")
}

/// Runs `look` on every machine's tree, on all processors, and says by name what it found wrong.
fn on_every_tree(look: impl Fn(&Path) -> Result<(), String> + Sync) {
    let Some(trees) = support::trees() else {
        return;
    };
    let (next, wrong) = (Mutex::new(trees.iter()), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let Some(tree) = next.lock().expect("a lock").next() else {
                return;
            };
            if let Err(difference) = look(&tree.directory) {
                let line = format!("{}: {difference}", tree.name);
                wrong.lock().expect("a lock").push(line);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..workers {
            scope.spawn(worker);
        }
    });
    let wrong = wrong.into_inner().expect("a lock");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A capture replays to the inventory that was read when it was made, and captured again it has the same bytes.
fn we_say_the_same(tar: &[u8], captured: &Captured, replayed: Root) -> Result<(), String> {
    let scope = inventory::Scope::default();
    let anew = inventory::discover(&replayed, &scope);
    if anew != captured.inventory {
        let [then, now] = [&captured.inventory, &anew]
            .map(|inventory| serde_json::to_value(inventory).expect("JSON"));
        let place = difference(&then, &now, "").unwrap_or_default();
        return Err(format!("another inventory: {place}"));
    }
    let (again, _) = self::captured(replayed, &unmasked());
    if again != tar {
        return Err("the capture of a capture has other bytes".into());
    }
    Ok(())
}

/// The first place at which two documents differ, and what stands there.
fn difference(then: &Value, now: &Value, place: &str) -> Option<String> {
    match (then, now) {
        _ if then == now => None,
        (Value::Object(a), Value::Object(b)) => {
            let mut names = a.keys().chain(b.keys());
            names.find_map(|name| {
                let of = |all: &serde_json::Map<_, _>| all.get(name).cloned().unwrap_or_default();
                difference(&of(a), &of(b), &format!("{place}/{name}"))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut rows = a.iter().zip(b).enumerate();
            rows.find_map(|(row, (then, now))| difference(then, now, &format!("{place}/{row}")))
        }
        _ => Some(
            format!("{place}: {then} became {now}")
                .chars()
                .take(600)
                .collect(),
        ),
    }
}

/// A capture as we open it.
fn opened(tar: &[u8]) -> Root {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("capture");
    std::fs::write(&file, tar).expect("room for the capture");
    archive::open(&file).expect("a capture")
}

/// What a program says of a tree, line by line, and how it ended. hwloc numbers what it finds in the order in which
/// the file system lists it, which is no part of the answer.
fn said(program: &str, arguments: &[&str], tree: &Path) -> Vec<String> {
    let arguments = arguments.iter().map(|argument| match *argument {
        "TREE" => tree.as_os_str(),
        other => other.as_ref(),
    });
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        // Nothing of the host that runs the test: not its devices, nor itself where the tree is its own root.
        .env("HWLOC_PLUGINS_PATH", "/nonexistent")
        .env("HWLOC_THISSYSTEM", "0")
        .output()
        .expect(program);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<String> = said.lines().map(without_gp_index).collect();
    if said.starts_with("<?xml") {
        lines.sort();
    }
    lines.push(output.status.to_string());
    lines
}

fn without_gp_index(line: &str) -> String {
    match line.split_once(" gp_index=\"") {
        Some((before, after)) => {
            let (_, after) = after.split_once('"').unwrap_or_default();
            format!("{before}{after}")
        }
        None => line.to_owned(),
    }
}

const LOOKS: &[(&str, &[&str])] = &[
    (
        "lstopo",
        &[
            "-i",
            "TREE",
            "--if",
            "fsroot",
            "--disallowed",
            "--of",
            "xml",
        ],
    ),
    ("lstopo", &["-i", "TREE", "--if", "fsroot", "--of", "xml"]),
    (
        "lstopo",
        &[
            "-i",
            "TREE",
            "--if",
            "fsroot",
            "--disallowed",
            "--whole-io",
            "--of",
            "xml",
        ],
    ),
    ("lscpu", &["--sysroot", "TREE", "-J"]),
    ("lscpu", &["--sysroot", "TREE", "-p"]),
    ("lscpu", &["--sysroot", "TREE", "-e"]),
    ("lscpu", &["--sysroot", "TREE", "-C"]),
];

fn first_difference(source: &[String], copy: &[String]) -> Option<String> {
    let only =
        |here: &[String], there: &[String]| here.iter().find(|line| !there.contains(line)).cloned();
    (source != copy).then(|| {
        let (lost, new) = (only(source, copy), only(copy, source));
        format!("lost {lost:?}, new {new:?}")
    })
}

fn others_say_the_same(tree: &Path, copy: &Path) -> Result<(), String> {
    for (program, arguments) in LOOKS {
        let (source, copied) = (
            said(program, arguments, tree),
            said(program, arguments, copy),
        );
        if let Some(difference) = first_difference(&source, &copied) {
            return Err(format!("{program} {}: {difference}", arguments.join(" ")));
        }
    }
    Ok(())
}

#[test]
fn lstopo_lscpu_and_we_say_of_every_machine_s_capture_what_they_say_of_its_source() {
    let peers = support::installed("lstopo") && support::installed("lscpu");
    on_every_tree(|tree| {
        let root = Root::captured(tree).map_err(|error| error.to_string())?;
        let (tar, captured) = captured(root, &unmasked());
        let replayed = opened(&tar);
        if peers {
            others_say_the_same(tree, replayed.place())?;
        }
        we_say_the_same(&tar, &captured, replayed)?;
        let root = Root::captured(tree).map_err(|error| error.to_string())?;
        let (masked, _) = self::captured(root, &Options::default());
        if masked == tar {
            return Ok(());
        }
        let masked = inventory::discover(&opened(&masked), &inventory::Scope::default());
        match shape(&masked) == shape(&captured.inventory) {
            true => Ok(()),
            false => Err("masked, it has another shape".into()),
        }
    });
}

/// An inventory with nothing left of its texts but their length.
fn shape(inventory: &inventory::Inventory) -> Value {
    fn without_texts(value: &mut Value) {
        match value {
            Value::String(text) => *value = text.len().into(),
            Value::Array(values) => values.iter_mut().for_each(without_texts),
            Value::Object(fields) => fields.values_mut().for_each(without_texts),
            _ => {}
        }
    }
    let mut shape = serde_json::to_value(inventory).expect("JSON");
    without_texts(&mut shape);
    shape
}

#[test]
fn lstopo_lscpu_and_we_say_of_a_capture_what_they_say_of_this_host() {
    let (tar, captured) = captured(Root::live().expect("this host"), &unmasked());
    assert_eq!(we_say_the_same(&tar, &captured, opened(&tar)), Ok(()));
    if support::installed("lstopo") && support::installed("lscpu") {
        let directory = tempfile::tempdir().expect("a directory");
        let copy = unpacked(&tar, directory.path());
        assert_eq!(others_say_the_same(Path::new("/"), &copy), Ok(()));
    }
}

/// A machine with an identity in each place where discovery or another tool looks.
fn planted() -> tempfile::TempDir {
    let tree = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    write("etc/machine-id", "8f14e45fceea167a5a36dedd4bea2543\n");
    write("proc/sys/kernel/hostname", "rack7-node12\n");
    write("proc/cpuinfo", "processor : 0\nSerial : 00000000fa42c9d1\n");
    write("proc/meminfo", "MemTotal: 16384 kB\n");
    write("sys/class/dmi/id/sys_vendor", "Maker\n");
    write("sys/class/dmi/id/product_serial", "BRD7Q42\n");
    write(
        "sys/class/dmi/id/product_uuid",
        "4C4C4544-0051-3010-8052-B4C04F4A3732\n",
    );
    write(
        "sys/firmware/dmi/tables/DMI",
        "\x01\x08\0\0\0\0\0\x01BRD7Q42\0\0",
    );
    write(
        "sys/devices/eth/net/enx3cecef123456/address",
        "3c:ec:ef:12:34:56\n",
    );
    write("sys/devices/system/cpu/possible", "0\n");
    write("sys/devices/system/cpu/online", "0\n");
    write(
        "run/udev/data/b8:0",
        "E:ID_SERIAL_SHORT=S4EVNX0N123456\nE:ID_WWN=0x5000c500a1b2c3d4\n",
    );
    write(
        "gnomon/errors.json",
        r#"{"proc/meminfo": 5, "sys/class/net/enx3cecef123456/dev_id": 13}"#,
    );
    std::fs::create_dir_all(tree.path().join("sys/class/net")).expect("a directory");
    let link = |target: &str, path: &str| {
        std::os::unix::fs::symlink(target, tree.path().join(path)).expect("a link");
    };
    link(
        "../../devices/eth/net/enx3cecef123456",
        "sys/class/net/enx3cecef123456",
    );
    tree
}

const PLANTED: [&str; 11] = [
    "8f14e45fceea167a5a36dedd4bea2543",
    "rack7-node12",
    "fa42c9d1",
    "BRD7Q42",
    "4C4C4544-0051-3010-8052-B4C04F4A3732",
    "4c4c4544",
    "3c:ec:ef:12:34:56",
    "3cecef123456",
    "S4EVNX0N123456",
    "5000c500a1b2c3d4",
    "b4c04f4a3732",
];

fn found(tar: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(tar).to_lowercase();
    let is_in = |needle: &&str| text.contains(&needle.to_lowercase());
    PLANTED.into_iter().filter(is_in).collect()
}

#[test]
fn what_tells_this_machine_from_others_is_in_no_capture_unless_asked_for() {
    let tree = planted();
    let root = || Root::captured(tree.path()).expect("the tree");
    let (tar, plain) = captured(root(), &unmasked());
    assert_eq!(plain.masked, 0);
    // Where discovery doesn't ask, nothing is saved.
    assert!(found(&tar).len() >= 8, "{:?}", found(&tar));
    let (tar, shown) = captured(root(), &Options::default());
    assert_eq!(found(&tar), [""; 0]);
    assert!(shown.masked >= 5, "{}", shown.masked);
    assert_eq!(
        captured(root(), &Options::default()).0,
        tar,
        "not the same again"
    );
    let mut named = Vec::new();
    let masked = capture::write(root(), &Options::default(), "of-rack7-node12", &mut named);
    masked.expect("a capture");
    assert_eq!(found(&named), [""; 0]);
    let copy = opened(&tar);
    assert_eq!(copy.names("sys/class/net").expect("names").len(), 1);
    let vendor = copy.text("sys/class/dmi/id/sys_vendor").expect("a text");
    assert_eq!(vendor.as_deref(), Some("Maker\n"));
}

#[test]
fn a_name_that_was_only_listed_is_listed_in_the_replay_and_has_no_file() {
    let tree = planted();
    let write = |path: &str| {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, "unread").expect("a file");
    };
    for pcr in 0..24 {
        write(&format!("sys/class/tpm/tpm0/pcr-sha256/{pcr}"));
    }
    write("sys/kernel/security/tpm0/binary_bios_measurements");
    write("sys/devices/eth/net/enx3cecef123456/of-S4EVNX0N123456");
    let root = || Root::captured(tree.path()).expect("the tree");
    let (tar, plain) = captured(root(), &unmasked());
    assert_eq!(we_say_the_same(&tar, &plain, opened(&tar)), Ok(()));
    let (masked, _) = captured(root(), &Options::default());
    assert_eq!(found(&masked), [""; 0]);
    for tar in [tar, masked] {
        let copy = opened(&tar);
        let inventory = inventory::discover(&copy, &inventory::Scope::default());
        let chip = &inventory.tpm.expect("TPMs").chips[0];
        assert_eq!(chip.banks[0].pcr_count, 24);
        assert_eq!(chip.event_log, Some(true));
        let bytes = copy.bytes("sys/class/tpm/tpm0/pcr-sha256/0");
        assert_eq!(bytes.expect("no error"), None);
        let nic = &copy.names("sys/class/net").expect("names")[0];
        let names = copy.names(&format!("sys/class/net/{nic}")).expect("names");
        assert!(
            names.iter().any(|name| name.starts_with("of-")),
            "{names:?}"
        );
        let record = std::fs::remove_file(copy.place().join("gnomon/listed.json"));
        record.expect("the record of names");
        let older = Root::captured(copy.place()).expect("a capture of before");
        let names = older.names("sys/class/tpm/tpm0/pcr-sha256").expect("names");
        assert_eq!(names, [""; 0]);
    }
}

/// Takes a few blocks, as a disk that is nearly full.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_ends() {
    let tree = planted();
    let (tar, _) = captured(Root::captured(tree.path()).expect("the tree"), &unmasked());
    for room in [0, 511, 512, 4096, tar.len() - 1] {
        let root = Root::captured(tree.path()).expect("the tree");
        let error = capture::write(root, &unmasked(), "machine", &mut Full(room));
        let error = error.expect_err("no room");
        assert_eq!(error.to_string(), "write the capture", "{room}");
    }
}

/// Set for the part of a test that runs as nobody.
const AS_NOBODY: &str = "GNOMON_TEST_TREE";

#[test]
fn what_an_unprivileged_user_may_not_read_is_denied_and_replays_as_denied() {
    if let Some(tree) = std::env::var_os(AS_NOBODY) {
        denied_as_nobody(Path::new(&tree));
        return;
    }
    let tree = planted();
    let mode = |path: &str, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(tree.path().join(path), mode).expect("a mode");
    };
    mode("", 0o755);
    mode("sys/class/dmi/id/product_serial", 0o400);
    mode("sys/devices/eth", 0o700);
    // A copy, since others may not be able to reach the build's own directory; or else the test itself, since
    // from some temporary directories nothing is run.
    let (test, copy) = (
        std::env::current_exe().expect("this test"),
        tree.path().join("test"),
    );
    std::fs::copy(&test, &copy).expect("a copy");
    let Some(output) = [copy, test]
        .iter()
        .find_map(|test| run_as_nobody(test, tree.path()))
    else {
        support::skipped("nobody may run a test here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{said}");
}

/// Runs the test that calls this again; without an answer when it may not be run.
fn run_as_nobody(test: &Path, tree: &Path) -> Option<Output> {
    let mut child = Command::new(test);
    child
        .args([
            "--exact",
            "what_an_unprivileged_user_may_not_read_is_denied_and_replays_as_denied",
        ])
        .env(AS_NOBODY, tree);
    let id = Command::new("id").arg("-u").output().expect("id");
    if id.stdout == b"0\n" {
        std::os::unix::process::CommandExt::uid(&mut child, 65534);
    }
    child.output().ok()
}

fn denied_as_nobody(tree: &Path) {
    let root = Root::captured(tree).expect("the tree");
    for path in [
        "sys/class/dmi/id/product_serial",
        "sys/class/net/enx3cecef123456/address",
        "sys/devices/eth/net",
    ] {
        let error = root.bytes(path).expect_err(path);
        assert!(matches!(error, Error::Denied { .. }), "{error}");
    }
    assert!(matches!(
        root.names("sys/devices/eth"),
        Err(Error::Denied { .. })
    ));
    assert!(matches!(
        root.slow_bytes("sys/class/dmi/id/product_serial", 9),
        Err(Error::Denied { .. })
    ));
    let (tar, _) = captured(root, &unmasked());
    assert!(opened(&tar).text("proc/cpuinfo").expect("a text").is_some());
}
