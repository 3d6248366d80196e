//! A machine whose agent is watched: when the kernel told of a thing, and when its record could be read.

use std::time::Duration;

use gnomon_lab::machine::Slot;
use gnomon_lab::{Boot, LabError, Machine, Vm, ready, scale};
use serde_json::{Value, json};

/// How soon after the kernel's event the record must be there.
const SOON: Duration = Duration::from_millis(50);

/// How long a test waits for what does come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Where the agent keeps its changes.
const CHANGES: &str = "/run/gnomon/changes.jsonl";

const TRACING: &str = "/sys/kernel/tracing";

/// An event, and the record that must follow it.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// What the kernel tells of the device: `add`, `remove`, `online`.
    pub(crate) act: &'static str,
    /// The kernel's name of the device.
    pub(crate) kernel_name: String,
    /// Fields that the record has.
    pub(crate) record: Value,
}

/// A record that came.
struct Came {
    after_ns: u64,
    at_ns: u64,
    expected: Expected,
}

/// A machine with an agent that runs in it.
pub(crate) struct Watched {
    pub(crate) vm: Vm,
    /// The process id of the agent.
    pub(crate) agent: u32,
    came: Vec<Came>,
}

impl Watched {
    /// A machine with so many free slots: `slot0` and on. While one CPU is in a driver that meets its device, the other can
    /// run the agent.
    pub(crate) fn with_slots(count: usize) -> Machine {
        let mut machine = Machine {
            slots: vec![Slot::default(); count],
            ..Machine::plain()
        };
        machine.cpu.cores = 2;
        machine.hot_plug.cpus = true;
        machine
    }

    /// Boots it, starts the agent, and waits until that has read everything; `None` where there are no machines.
    pub(crate) fn boot(name: &str, machine: &Machine, modules: &[&str]) -> Option<Self> {
        if !ready() {
            return None;
        }
        let boot = Boot::new(name)
            .agent()
            .modules(modules)
            .limit(Duration::from_secs(20));
        let mut vm = Vm::boot(machine, &boot).unwrap();
        trace_uevents(&mut vm);
        let state = ["--state-dir", "/run/gnomon", "--socket", "/run/gnomon.sock"];
        let agent = vm
            .spawn(&[&["gnomon", "agent"][..], &state].concat())
            .unwrap();
        vm.wait_for("the agent's first look", PATIENCE.mul_f64(scale()), |vm| {
            let names = vm.list("/run/gnomon").unwrap_or_default();
            Ok(names.contains(&"inventory.json".to_owned()).then_some(()))
        })
        .unwrap();
        vm.test("listen", json!({"file": CHANGES})).unwrap();
        Some(Self {
            vm,
            agent,
            came: Vec::new(),
        })
    }

    /// Plugs a device, and waits for these records.
    pub(crate) fn plugs(&mut self, device: Value, expected: &[&Expected]) {
        self.acts(expected, |vm| vm.qmp("device_add", device).map(drop));
    }

    /// Unplugs a device, and waits for these records and for QEMU to be done with it.
    pub(crate) fn unplugs(&mut self, id: &str, expected: &[&Expected]) {
        self.acts(expected, |vm| {
            vm.qmp("device_del", json!({"id": id})).map(drop)
        });
        let gone = self
            .vm
            .event_with("DEVICE_DELETED", PATIENCE.mul_f64(scale()), |event| {
                event["device"] == id
            });
        gone.unwrap();
    }

    /// Does something, and waits for the records that follow it.
    pub(crate) fn acts(
        &mut self,
        expected: &[&Expected],
        act: impl FnOnce(&mut Vm) -> Result<(), LabError>,
    ) {
        let after_ns = self.vm.test("now_ns", Value::Null).unwrap();
        act(&mut self.vm).unwrap();
        let limit_ms = PATIENCE.mul_f64(scale()).as_millis();
        for expected in expected {
            let asked = json!({"wanted": expected.record, "after_ns": after_ns,
                "limit_ms": u64::try_from(limit_ms).unwrap()});
            let found = self.vm.test("recorded", asked);
            let found = found.unwrap_or_else(|error| panic!("{}: {error}", expected.record));
            self.came.push(Came {
                after_ns: after_ns.as_u64().unwrap(),
                at_ns: found["at_ns"].as_u64().unwrap(),
                expected: (*expected).clone(),
            });
        }
    }

    /// The median time from the kernel's event to the record is short.
    pub(crate) fn are_soon(&mut self, what: &str) {
        let soon = SOON.mul_f64(scale());
        let times = self.print_times(what);
        let late: Vec<_> = times.iter().filter(|(_, median)| *median > soon).collect();
        assert!(late.is_empty(), "later than {soon:?}: {late:#?}");
    }

    /// Prints the median and the worst time from each of the kernel's events to its record; the medians.
    pub(crate) fn print_times(&mut self, what: &str) -> Vec<(String, Duration)> {
        let events = events(&self.vm.read(&format!("{TRACING}/trace")).unwrap());
        let mut times: Vec<(String, Vec<Duration>)> = Vec::new();
        for came in &self.came {
            let Expected {
                act,
                kernel_name,
                record,
            } = &came.expected;
            let of_it = |event: &&Event| {
                event.at_ns >= came.after_ns && event.act == *act && event.name == *kernel_name
            };
            let event = events.iter().find(of_it);
            let event = event.unwrap_or_else(|| panic!("no event {act} {kernel_name}: {events:?}"));
            let time = Duration::from_nanos(came.at_ns.saturating_sub(event.at_ns));
            let name = format!("{act} {kernel_name} in {}", record["class"]);
            match times.iter_mut().find(|(known, _)| *known == name) {
                Some((_, times)) => times.push(time),
                None => times.push((name, vec![time])),
            }
        }
        let line = |(name, mut times): (String, Vec<Duration>)| {
            times.sort_unstable();
            let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
            println!("{what}: {name}: median {median:.1?}, worst {worst:.1?}");
            (name, median)
        };
        times.into_iter().map(line).collect()
    }
}

/// Where the text of a uevent's message begins: by the kernel's own types; Linux 6.1 takes a place only.
const MESSAGES: [&str; 2] = ["+0(skb->data)", "+0(+208(%si))"];

/// Lets the kernel write down when it tells of a device, before anybody hears of it.
fn trace_uevents(vm: &mut Vm) {
    let probed = MESSAGES.iter().any(|message| {
        let probe = format!("p:lab_uevent netlink_broadcast text={message}:string");
        vm.write(&format!("{TRACING}/kprobe_events"), &probe)
            .is_ok()
    });
    assert!(probed, "{:?}", vm.read(&format!("{TRACING}/error_log")));
    for (file, text) in [
        ("trace_clock", "mono"),
        ("events/kprobes/lab_uevent/enable", "1"),
    ] {
        vm.write(&format!("{TRACING}/{file}"), text).unwrap();
    }
}

/// A uevent, as the trace has it.
#[derive(Debug)]
struct Event {
    at_ns: u64,
    act: String,
    name: String,
}

/// ```text
///  kworker/0:2-44      [000] .....    12.345678: lab_uevent: (netlink_broadcast+0x4/0x20) text="add@/devices/virtual/net/eth0"
/// ```
fn events(trace: &str) -> Vec<Event> {
    let event = |line: &str| {
        let (head, rest) = line.split_once(": lab_uevent: ")?;
        let seconds: f64 = head.split_whitespace().next_back()?.parse().ok()?;
        let (_, text) = rest.split_once(" text=\"")?;
        let (act, path) = text.trim_end_matches('"').split_once('@')?;
        let name = path.rsplit('/').next()?;
        Some(Event {
            at_ns: Duration::from_secs_f64(seconds)
                .as_nanos()
                .try_into()
                .ok()?,
            act: act.to_owned(),
            name: name.to_owned(),
        })
    };
    trace.lines().filter_map(event).collect()
}
