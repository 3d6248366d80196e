//! Which request gets which answer.

use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode, header};
use libhw::inventory::{Class, Inventory};
use serde_json::json;

use super::health::{Health, Status};
use super::{Published, Shared, metrics, page};
use crate::event;
use crate::store;

/// How many changes come in a page when nobody says, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// Over which kind of socket a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The UNIX socket: its mode says who may ask, and they may ask for everything.
    Unix,
    /// A loopback port, which every user of the host reaches: health, metrics and the page.
    Loopback,
}

/// A request, as far as anything here depends on it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) door: Door,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) host: Option<&'a HeaderValue>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A thing that can be asked for. The first path that matches is it; all else is not found.
struct Route {
    path: &'static str,
    doors: &'static [Door],
}

const EVERYWHERE: &[Door] = &[Door::Unix, Door::Loopback];

const ROUTES: &[Route] = &[
    Route {
        path: "/",
        doors: EVERYWHERE,
    },
    Route {
        path: "/healthz",
        doors: EVERYWHERE,
    },
    Route {
        path: "/readyz",
        doors: EVERYWHERE,
    },
    Route {
        path: "/metrics",
        doors: EVERYWHERE,
    },
    Route {
        path: "/v1/inventory",
        doors: &[Door::Unix],
    },
    Route {
        path: "/v1/changes",
        doors: &[Door::Unix],
    },
];

/// What is said of a path that is none of ours, in the metrics: anybody may invent paths.
const OTHER: &str = "other";

/// The answer, and the path that it is counted under.
pub(crate) async fn answer(shared: &Arc<Shared>, asked: &Asked<'_>) -> (&'static str, Answer) {
    let route = ROUTES.iter().find(|route| route.path == asked.path);
    let Some(route) = route.filter(|route| route.doors.contains(&asked.door)) else {
        let known = ROUTES
            .iter()
            .filter(|route| route.doors.contains(&asked.door));
        let paths: Vec<_> = known.map(|route| route.path).collect();
        let what = format!("nothing is here; there are {}", paths.join(", "));
        return (OTHER, Answer::error(StatusCode::NOT_FOUND, &what));
    };
    if asked.method != Method::GET && asked.method != Method::HEAD {
        let what = "this can only be read: GET or HEAD";
        let answer = Answer::error(StatusCode::METHOD_NOT_ALLOWED, what);
        return (route.path, answer.with(header::ALLOW, "GET, HEAD"));
    }
    if asked.door == Door::Loopback && !asked.host.is_some_and(names_loopback) {
        // A web page may have its own name resolve to 127.0.0.1, and so read what it should not.
        let what = "the Host of this request is not a loopback address or localhost";
        return (
            route.path,
            Answer::error(StatusCode::MISDIRECTED_REQUEST, what),
        );
    }
    let answer = match route.path {
        "/" => page(shared).await,
        "/healthz" => health(shared).await,
        "/readyz" => readiness(shared),
        "/metrics" => metrics(shared).await,
        "/v1/inventory" => inventory(shared, asked.query).await,
        _ => changes(shared, asked.query).await,
    };
    (route.path, answer)
}

impl Answer {
    fn new(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let answer = Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.into(),
        };
        answer
            .with(header::CONTENT_TYPE, content_type)
            .with(header::CACHE_CONTROL, "no-store")
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    fn json(value: &impl serde::Serialize) -> Self {
        Self::written(serde_json::to_vec(value))
    }

    fn written(json: serde_json::Result<Vec<u8>>) -> Self {
        match json {
            Ok(mut body) => {
                body.push(b'\n');
                Self::new("application/json", body)
            }
            Err(error) => Self::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    pub(crate) fn error(status: StatusCode, what: &str) -> Self {
        let body = json!({ "error": what, "status": status.as_u16() });
        Self::new("application/json", format!("{body}\n")).status(status)
    }

    const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Says how old what it tells is: RFC 9111 §5.1, and to the nanosecond.
    fn aged(mut self, published: &Published) -> Self {
        let time = event::rfc3339(published.time);
        if let Ok(time) = HeaderValue::try_from(time) {
            self.headers.insert("gnomon-time", time);
        }
        let age = published.age().as_secs();
        self.headers.insert(header::AGE, age.into());
        self
    }
}

async fn page(shared: &Shared) -> Answer {
    let published = shared.now(Class::ALL).await;
    let health = Health::of(shared).await;
    let changes = read_changes(shared, &published, Tail(page::CHANGES)).await;
    let body = page::render(&published, &health, &changes.unwrap_or_default().lines);
    let answer = Answer::new("text/html; charset=utf-8", body);
    answer
        .with(header::CONTENT_SECURITY_POLICY, page::SECURITY_POLICY)
        .with(header::REFERRER_POLICY, "no-referrer")
        .aged(&published)
}

async fn health(shared: &Shared) -> Answer {
    let health = Health::of(shared).await;
    let answer = Answer::json(&health);
    if health.status() == Status::Failing {
        answer.status(StatusCode::SERVICE_UNAVAILABLE)
    } else {
        answer
    }
}

fn readiness(shared: &Shared) -> Answer {
    if shared.last().fresh {
        return Answer::json(&json!({ "ready": true }));
    }
    let reason = "the first inventory is not complete";
    let answer = Answer::json(&json!({ "ready": false, "reason": reason }));
    answer.status(StatusCode::SERVICE_UNAVAILABLE)
}

async fn metrics(shared: &Shared) -> Answer {
    let published = shared.now(metrics::CLASSES).await;
    let body = metrics::render(&published, shared);
    // The version of the exposition format, which scrapers ask for.
    Answer::new("text/plain; version=0.0.4; charset=utf-8", body)
}

async fn inventory(shared: &Shared, query: &str) -> Answer {
    let mut classes: Option<Vec<Class>> = None;
    for (key, value) in pairs(query) {
        let parsed: Result<Vec<Class>, String> = match key.as_str() {
            "class" => value.split(',').map(str::parse).collect(),
            _ => Err(format!("no parameter {key:?}: there is class")),
        };
        match parsed {
            Ok(parsed) => classes.get_or_insert_default().extend(parsed),
            Err(what) => return Answer::error(StatusCode::BAD_REQUEST, &what),
        }
    }
    let published = shared.now(classes.as_deref().unwrap_or(Class::ALL)).await;
    let nothing = !Class::ALL
        .iter()
        .any(|class| published.inventory.has(*class));
    if !published.fresh && nothing {
        let what = "the first inventory is not complete: ask again in a moment";
        return Answer::error(StatusCode::SERVICE_UNAVAILABLE, what);
    }
    let mut whole = Inventory::clone(&published.inventory);
    whole.problems = published.problems();
    if let Some(classes) = classes {
        for class in Class::ALL.iter().filter(|class| !classes.contains(class)) {
            whole.forget(*class);
        }
    }
    Answer::written(whole.emit()).aged(&published)
}

async fn changes(shared: &Shared, query: &str) -> Answer {
    let (mut after, mut limit) = (0, LIMIT);
    for (key, value) in pairs(query) {
        let number = value.parse::<u64>().ok();
        match (key.as_str(), number) {
            ("after", Some(number)) => after = number,
            ("limit", Some(number @ 1..)) => {
                limit = usize::try_from(number).unwrap_or(LIMIT_MAX).min(LIMIT_MAX);
            }
            ("after" | "limit", _) => {
                let what = format!("{key}: expected a number, found {value:?}");
                return Answer::error(StatusCode::BAD_REQUEST, &what);
            }
            _ => {
                let what = format!("no parameter {key:?}: there are after and limit");
                return Answer::error(StatusCode::BAD_REQUEST, &what);
            }
        }
    }
    let published = shared.last();
    match read_changes(shared, &published, After(after, limit)).await {
        Ok(page) => {
            let next = page.next.map_or("null".to_owned(), |next| next.to_string());
            let body = format!(
                "{{\"schema_version\":1,\"kind\":\"gnomon.changes\",\"changes\":[{}],\"total\":{},\"next\":{next}}}\n",
                page.lines.join(","),
                page.total
            );
            Answer::new("application/json", body)
        }
        Err(error) => {
            let what = format!("the changes cannot be read: {error}");
            Answer::error(StatusCode::INTERNAL_SERVER_ERROR, &what)
        }
    }
}

/// Which changes.
enum Part {
    /// Those after a number, at most so many.
    After(u64, usize),
    /// The last so many.
    Tail(usize),
}
use Part::{After, Tail};

/// Reads changes on a thread of its own: a disk that hangs must not hang the API.
async fn read_changes(
    shared: &Shared,
    published: &Published,
    part: Part,
) -> std::io::Result<store::page::Page> {
    let (extent, pending) = (published.extent, Arc::clone(&published.pending));
    let directory = shared.state_dir.clone();
    let (after, limit) = match part {
        After(after, limit) => (after, limit),
        Tail(count) => {
            let last = pending.back().map_or(extent.last, |waiting| waiting.seq);
            (last.saturating_sub(count as u64), count)
        }
    };
    let read = move || store::page::read(&directory, extent, &pending, after, limit);
    tokio::task::spawn_blocking(read).await?
}

/// Whether a Host header names this host by a loopback address, or as localhost.
fn names_loopback(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The `key=value` pairs of a query.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(key), decoded(value))
    })
}

/// Undoes percent-encoding (RFC 3986 §2.1); what is none stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| byte == b'%');
        let code = code.and_then(|code| str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_apart_and_decoded() {
        let taken: Vec<_> = pairs("class=cpu%2cpci&&after=&x&%=%zz%4").collect();
        let expected = [
            ("class", "cpu,pci"),
            ("after", ""),
            ("x", ""),
            ("%", "%zz%4"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(taken, expected);
    }

    #[test]
    fn only_names_of_this_host_pass() {
        for (host, passes) in [
            ("127.0.0.1:9464", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("[::1]:9464", true),
            ("127.9.9.9", true),
            ("evil.example:9464", false),
            ("localhost.evil.example", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(
                names_loopback(&HeaderValue::from_static(host)),
                passes,
                "{host}"
            );
        }
    }
}
