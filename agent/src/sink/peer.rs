//! What the sinks' tests share: events to tell, a clock, and programs to tell them to.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use crate::alarm::entity::Entity;
use crate::alarm::event::{Event, EventId, Reason, What};
use crate::alarm::event_type::EventType;
use crate::alarm::instance::{Alarm, Phase};
use crate::alarm::key::{AlarmId, Key};
use crate::alarm::observation::MonitorName;
use crate::alarm::probable_cause::ProbableCause;
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::{Quality, Stamp};
use crate::sink::{Now, Origin};

pub(super) const BOOT: Uuid = Uuid::from_u128(0xb007);

/// How long a program may take for what it does at once.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn origin() -> Origin {
    Origin {
        node: "n/1 ü".to_owned(),
    }
}

/// So many seconds after the beginning of a test, by the clock that a runner waits by; by the other it is now.
pub(super) fn at(seconds: u64) -> Now {
    Now {
        monotonic: Duration::from_secs(seconds),
        realtime: Timestamp::now(),
    }
}

/// An alarm of `entity` such as `host=n1.fan=2`, as it is while it holds.
pub(super) fn alarm(entity: &str, severity: Severity) -> Alarm {
    let stamp = Stamp {
        realtime: Timestamp::now(),
        boottime: Duration::from_secs(5),
        quality: Quality::Unknown,
    };
    let entity = Entity::parse(entity).unwrap();
    let bytes = entity.to_string();
    let sum = bytes
        .bytes()
        .fold(7_u128, |sum, byte| sum.wrapping_mul(257) + u128::from(byte));
    Alarm {
        instance: Uuid::from_u128(sum),
        key: Key::new(AlarmId::of("hw.fan.failed"), entity),
        monitor: MonitorName::new("sensors"),
        boot: BOOT,
        phase: Phase::Raised,
        severity,
        event_type: EventType::Equipment,
        probable_cause: ProbableCause::EquipmentMalfunction,
        service_affecting: false,
        text: Text::clean("fan 2 stands still: \"0 rpm\" – größer"),
        repair: Text::clean("replace it"),
        evidence: Vec::new(),
        value: Some(0.0),
        occurrences: 1,
        first_observed: stamp,
        raised: stamp,
        changed: stamp,
        cleared: None,
        acknowledged: None,
        masked: Vec::new(),
        stale: None,
        unverified: false,
        flapping: None,
        cause: None,
        folded: false,
        announced: true,
        set_by: None,
    }
}

/// The event of number `sequence`, by which `alarm` became what it is.
pub(super) fn event(sequence: u64, what: What, alarm: Alarm) -> Event {
    Event {
        id: EventId {
            boot: BOOT,
            sequence,
        },
        notice: Some(sequence),
        at: alarm.changed,
        what,
        folded: 0,
        alarm: Box::new(alarm),
    }
}

pub(super) fn raised(sequence: u64, entity: &str) -> Event {
    event(sequence, What::Raised, alarm(entity, Severity::Major))
}

pub(super) fn cleared(sequence: u64, entity: &str) -> Event {
    let mut alarm = alarm(entity, Severity::Major);
    alarm.phase = Phase::Cleared;
    alarm.cleared = Some(alarm.changed);
    let reason = Reason::Gone;
    event(sequence, What::Cleared { reason }, alarm)
}

/// The name of event `sequence`.
pub(super) fn id(sequence: u64) -> String {
    format!("{BOOT}/{sequence}")
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks again until there is an answer.
pub(super) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that serves at a port, and is killed with the value.
pub(super) struct Program(Child);

impl Program {
    pub(super) fn serve(command: &mut Command, port: u16) -> Self {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Self(quiet.spawn().unwrap());
        eventually("a program that listens", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        });
        program
    }
}

impl Drop for Program {
    /// SIGKILL.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a webhook's receiver does with one request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Answers with a status, and headers that end in CRLF.
    Answer(u16, &'static str),
    /// Says nothing until the other side gives up.
    Stall,
    /// Resets the connection with the request unread.
    Reset,
    /// Reads half of the body and closes.
    HalfRead,
    /// Reads all and closes in the middle of its answer's head.
    HalfAnswer,
    /// Takes it, and promises a body that does not come.
    NoBody,
    /// Answers what is no HTTP.
    Garbage,
}

/// A request that was received whole, and its answer.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: String,
    pub(super) status: u16,
}

/// A webhook's receiver that misbehaves by a script, and answers 204 when that has ended.
pub(super) struct Receiver {
    pub(super) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Act>>,
    requests: Mutex<Vec<Request>>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&ours);
                std::thread::spawn(move || while serve(stream.as_ref().unwrap(), &shared) {});
            }
        });
        Self { port, shared }
    }

    pub(super) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.shared.script.lock().unwrap().extend(acts);
    }

    /// The requests that were received whole, and forgets them.
    pub(super) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }

    pub(super) fn is_done(&self) -> bool {
        self.shared.script.lock().unwrap().is_empty()
    }
}

/// Serves one request; whether there may be another on the connection.
fn serve(stream: &TcpStream, shared: &Shared) -> bool {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match reader.read_line(&mut head) {
            Ok(count) if count > 0 => {}
            _ => return false,
        }
    }
    let act = shared.script.lock().unwrap().pop_front();
    let act = act.unwrap_or(Act::Answer(204, ""));
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1).map_or(0, |rest| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![
        0;
        if matches!(act, Act::HalfRead) {
            length / 2
        } else {
            length
        }
    ];
    if matches!(act, Act::Reset) {
        let linger = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        nix::sys::socket::setsockopt(stream, nix::sys::socket::sockopt::Linger, &linger).unwrap();
        return false;
    }
    reader.read_exact(&mut body).is_ok() && answer(&act, (head, body), reader, shared)
}

/// Does what the script says with a request; whether there may be another on the connection.
fn answer(
    act: &Act,
    (head, body): (String, Vec<u8>),
    mut reader: BufReader<&TcpStream>,
    shared: &Shared,
) -> bool {
    let keep = |status| {
        shared.requests.lock().unwrap().push(Request {
            head: head.clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
            status,
        });
    };
    let mut out = *reader.get_ref();
    match act {
        Act::Answer(status, headers) => {
            keep(*status);
            let length = if *status == 204 {
                ""
            } else {
                "Content-Length: 0\r\n"
            };
            let answer = format!("HTTP/1.1 {status} X\r\n{length}{headers}\r\n");
            out.write_all(answer.as_bytes()).is_ok()
        }
        Act::NoBody => {
            keep(200);
            let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            let _ = reader.read(&mut [0]);
            false
        }
        Act::Stall => {
            let _ = reader.read(&mut [0]);
            false
        }
        Act::HalfAnswer => {
            let _ = out.write_all(b"HTTP/1.1 200 O");
            false
        }
        Act::Garbage => {
            let _ = out.write_all(b"220 mail ready\r\n\r\n");
            false
        }
        Act::HalfRead | Act::Reset => false,
    }
}
