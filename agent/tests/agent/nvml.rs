//! NVIDIA's library, which does whatever a broken driver does: the agent and the command line stay whole, and say it.
//!
//! The library is made for the test (agent/nvml/tests/stub.c), and so is the device: a mount namespace of its own
//! shows a PCI function that this host does not have.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::node::{Node, skip};

/// The program that asks the library, beside `gnomon`, built once.
fn asks() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "gnomon-nvml",
                "--message-format=json",
            ])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(built.status.success());
        let text = String::from_utf8(built.stdout).unwrap();
        let messages = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut programs =
            messages.filter_map(|message| Some(message["executable"].as_str()?.into()));
        programs.next().unwrap()
    })
}

/// A library that obeys `STUB`, and a namespace with a device for it.
struct Host {
    node: Node,
    holder: Child,
}

impl Host {
    /// `None`, and told, where it cannot be made.
    fn new() -> Option<Self> {
        let node = Node::new();
        let place = node.path("library");
        fs::create_dir(&place).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("nvml/tests/stub.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(place.join("libnvidia-ml.so.1"))
            .arg(source)
            .status();
        match built {
            Ok(status) => assert!(status.success()),
            Err(error) => {
                skip(&format!("cc: {error}"));
                return None;
            }
        }
        let script = "mount -t tmpfs devices /sys/bus/pci/devices 2>&1 && cd /sys/bus/pci/devices && \
             for bus in 81 c1; do mkdir 0000:$bus:00.0 && cd 0000:$bus:00.0 && echo 0x030200 >class && \
             echo 0x10de >vendor && echo 0x2330 >device && cd .. || exit 1; done && \
             echo mounted && exec sleep 1000 </dev/null >/dev/null 2>&1";
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let out = holder.stdout.as_mut().unwrap();
        std::io::Read::read_to_string(out, &mut said).unwrap();
        let host = Self { node, holder };
        if said.trim() == "mounted" {
            return Some(host);
        }
        skip(&format!("a device cannot be made up: {}", said.trim()));
        None
    }

    /// A command on this host whose library does what `stub` says.
    fn command(&self, stub: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()))
            .arg("--")
            .arg(env!("CARGO_BIN_EXE_gnomon"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LD_LIBRARY_PATH", self.node.path("library"))
            .current_dir("/");
        if !stub.is_empty() {
            command.env("STUB", stub);
        }
        command
    }

    /// The inventory of the command line, and its exit status.
    fn inventory(&self, stub: &str) -> (Value, Option<i32>) {
        let mut command = self.command(stub, &["inventory", "gpu", "--deep", "--json"]);
        let output = command.output().unwrap();
        let inventory = serde_json::from_slice(&output.stdout).unwrap();
        (inventory, output.status.code())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The problems that the library has.
fn problems(inventory: &Value) -> Vec<String> {
    let problems = inventory["problems"].as_array().unwrap().iter();
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    problems
        .filter(|problem| text(problem, "path").starts_with("/nvml"))
        .map(|problem| {
            [
                text(problem, "path"),
                text(problem, "reason"),
                text(problem, "error"),
            ]
            .join(" ")
        })
        .collect()
}

fn adapter(inventory: &Value) -> &Value {
    let adapters = inventory["gpu"]["adapters"].as_array().unwrap();
    let at = |adapter: &&Value| adapter["id"] == "0000:81:00.0";
    adapters.iter().find(at).unwrap()
}

#[test]
fn the_command_line_stays_whole_whatever_the_library_does() {
    let beside = asks();
    let expected = Path::new(env!("CARGO_BIN_EXE_gnomon")).with_file_name("gnomon-nvml");
    if beside != expected {
        return skip("gnomon-nvml was built in another place than gnomon");
    }
    let Some(host) = Host::new() else { return };

    let (inventory, status) = host.inventory("");
    assert_eq!((problems(&inventory), status), (vec![], Some(0)));
    let gpu = adapter(&inventory);
    assert_eq!(gpu["product"], "NVIDIA H100 80GB HBM3");
    assert_eq!(gpu["nvml"]["ecc"]["current"], true);
    assert_eq!(gpu["nvml"]["nvlinks"][0]["remote_function"], "0000:c1:00.0");
    assert_eq!(inventory["gpu"]["nvml"]["cuda_version"], "12.4");

    for (stub, problem) in [
        (
            "crash:nvmlInit_v2",
            "/nvml unreadable ended by signal 11 in nvmlInit_v2",
        ),
        (
            "crash:nvmlDeviceGetSerial",
            "/nvml unreadable ended by signal 11 in nvmlDeviceGetSerial of 0000:81:00.0",
        ),
        (
            "fail:nvmlDeviceGetSerial:4",
            "/nvml/0000:81:00.0/nvmlDeviceGetSerial denied ",
        ),
        (
            "fail:nvmlDeviceGetSerial:15",
            "/nvml/0000:81:00.0/nvmlDeviceGetSerial unreadable the device is lost",
        ),
        (
            "fail:nvmlInit_v2:18",
            "/nvml/nvmlInit_v2 unreadable the library and the kernel's driver are of different versions; \
             reboot or reload the driver",
        ),
        (
            "hostile",
            "/nvml/0000:81:00.0/nvmlDeviceGetName unreadable the library's answer makes no sense",
        ),
    ] {
        let (inventory, status) = host.inventory(stub);
        let found = problems(&inventory);
        assert!(
            found.iter().any(|found| found == problem),
            "{stub}: {found:?}"
        );
        let denied = stub.ends_with(":4");
        assert_eq!(status, Some(if denied { 0 } else { 3 }), "{stub}");
        assert_eq!(adapter(&inventory)["vendor"], "nvidia", "{stub}");
    }

    // Without a look that is deep nobody is asked.
    let mut shallow = host.command("crash:nvmlInit_v2", &["inventory", "gpu", "--json"]);
    let output = shallow.output().unwrap();
    let inventory: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(problems(&inventory), [""; 0]);
    assert_eq!(adapter(&inventory)["nvml"], Value::Null);
}

#[test]
fn the_agent_stays_whole_when_the_library_hangs() {
    let Some(host) = Host::new() else { return };
    let config = host.node.path("gnomon.toml");
    let helper = asks().display();
    let text =
        format!("[inventory]\ndeep = true\nclasses = ['gpu', 'pci']\nnvml_helper = '{helper}'\n");
    fs::write(&config, text).unwrap();
    let [config, state, socket] = ["gnomon.toml", "state", "run/agent.sock"]
        .map(|name| host.node.path(name).to_string_lossy().into_owned());
    let arguments = [
        "agent",
        "--config",
        &config,
        "--state-dir",
        &state,
        "--socket",
        &socket,
    ];
    let command = host.command("hang:nvmlDeviceGetEccMode", &arguments);
    let started = Instant::now();
    let agent = host
        .node
        .start_as(command, host.node.path("run/agent.sock"));
    assert!(
        started.elapsed() < Duration::from_secs(40),
        "{:?}",
        started.elapsed()
    );
    let inventory = agent.json("/v1/inventory");
    assert_eq!(
        problems(&inventory),
        ["/nvml/nvmlDeviceGetEccMode/0000:81:00.0 timed_out "]
    );
    // What it had said by then is there.
    assert_eq!(inventory["gpu"]["nvml"]["driver_version"], "550.54.15");
    assert_eq!(inventory["gpu"]["adapters"].as_array().unwrap().len(), 2);
    assert_eq!(agent.json("/healthz")["status"], "ok");
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", agent.child.id()));
    assert_eq!(children.unwrap().trim(), "");
    assert!(agent.stop().success());
}
