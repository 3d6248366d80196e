use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, TcpStream};

use super::node::{Node, answer};

#[test]
fn the_inventory_is_answered_whole_or_by_class() {
    let node = Node::new();
    let agent = node.start();
    let whole = agent.json("/v1/inventory");
    let keys: Vec<_> = whole.as_object().unwrap().keys().cloned().collect();
    let classes = libhw::inventory::Class::ALL
        .iter()
        .map(|class| class.name());
    let mut expected: Vec<&str> = classes
        .chain(["kind", "problems", "schema_version"])
        .collect();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    let part = agent.json("/v1/inventory?class=numa,hugepages");
    assert_eq!(part["numa"], whole["numa"]);
    assert!(part.get("cpu").is_none() && part.get("hugepages").is_some());
    assert_eq!(agent.json("/v1/inventory?class=numa&class=hugepages"), part);
    let answer = agent.get("/v1/inventory");
    assert!(
        answer
            .body
            .starts_with("{\"schema_version\":1,\"kind\":\"gnomon.inventory\",")
    );
    assert!(
        answer.head.contains("\r\nage: ") && answer.head.contains("\r\ngnomon-time: 20"),
        "{answer:?}"
    );
    for (bad, says) in [
        ("/v1/inventory?class=gpus", "no device class"),
        ("/v1/inventory?klass=cpu", "no parameter"),
        ("/v1/changes?after=x", "expected a number"),
        ("/v1/changes?limit=0", "expected a number"),
        ("/v1/changes?page=2", "no parameter"),
    ] {
        let answer = agent.get(bad);
        assert!(
            answer.status == 400 && answer.body.contains(says),
            "{answer:?}"
        );
    }
}

#[test]
fn what_changes_without_an_event_is_read_when_asked() {
    let node = Node::new();
    let agent = node.start();
    let free = |agent: &super::node::Agent| {
        let inventory = agent.json("/v1/inventory?class=numa");
        inventory["numa"]["nodes"][0]["now"]["memory_free_bytes"].clone()
    };
    assert_eq!(free(&agent), 1024 * 1024);
    node.file(
        "sys/devices/system/node/node0/meminfo",
        "Node 0 MemTotal: 4194304 kB\nNode 0 MemFree: 2048 kB\n",
    );
    assert_eq!(free(&agent), 2048 * 1024);
    assert_eq!(
        agent.metric("gnomon_node_memory_free_bytes{node=\"0\"}"),
        "2097152"
    );
    assert_eq!(agent.json("/v1/changes")["total"], 0);
    // The size of a pool is no such value, but nothing tells of it either.
    node.pages(5);
    let pools = agent.json("/v1/inventory?class=hugepages");
    assert_eq!(pools["hugepages"]["pools"][0]["total"], 5);
    let changes = agent.json("/v1/changes");
    assert_eq!(changes["changes"][0]["cause"], "request");
    assert_eq!(changes["changes"][0]["fields"][0]["after"], 5);
}

#[test]
fn requests_that_are_none_of_ours_get_an_answer_and_do_no_harm() {
    let node = Node::new();
    let agent = node.start();
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100_000));
    let many: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    for (request, status) in [
        (
            "GET /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            404,
        ),
        (
            "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            404,
        ),
        (
            "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            405,
        ),
        (
            "DELETE /v1/changes HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            405,
        ),
        ("nonsense\r\n\r\n", 400),
        ("\u{1}\u{2}\u{3}\r\n\r\n", 400),
        (&long, 431),
        (&many, 431),
    ] {
        let answer = agent.ask(request);
        let shown: String = request.chars().take(60).collect();
        assert_eq!(answer.status, status, "{shown:?} {answer:?}");
    }
    let refused = agent.ask("PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(refused.head.contains("\r\nallow: get, head"), "{refused:?}");
    assert!(serde_json::from_str::<serde_json::Value>(&refused.body).is_ok());
    let head = agent.ask("HEAD /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("content-length: 15"), "{head:?}");
    assert_eq!(agent.get("/healthz").status, 200);
    assert!(!agent.log().contains("panick"), "{}", agent.log());
}

#[test]
fn a_crowd_of_silent_connections_does_not_lock_others_out() {
    let node = Node::new();
    let agent = node.start();
    let socket = node.path("run/agent.sock");
    // They hold every place until their time for a request is over.
    let _crowd: Vec<_> = (0..40)
        .map(|_| std::os::unix::net::UnixStream::connect(&socket).unwrap())
        .collect();
    assert_eq!(agent.get("/healthz").status, 200);
}

#[test]
fn a_loopback_port_serves_metrics_health_and_the_page_only() {
    let node = Node::new();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut command = node.command();
    command.arg("--listen").arg(port.to_string());
    let _agent = node.start_as(command, node.path("run/agent.sock"));
    let ask = |path: &str, host: &str| {
        use std::io::Write;
        let mut stream = TcpStream::connect(port).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        answer(stream).status
    };
    for path in ["/", "/metrics", "/healthz", "/readyz"] {
        assert_eq!(ask(path, &port.to_string()), 200, "{path}");
        assert_eq!(ask(path, "attacker.example"), 421, "{path}");
    }
    for path in ["/v1/inventory", "/v1/changes", "/v1"] {
        assert_eq!(ask(path, "localhost"), 404, "{path}");
    }
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let node = Node::new();
    for address in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464"] {
        let mut command = node.command();
        command.arg("--listen").arg(address);
        let line = node.refused(command);
        assert!(line.contains("other hosts"), "{line}");
        assert!(!node.path("state").exists() && !node.path("run").exists());
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = node.command();
    command
        .arg("--listen")
        .arg(taken.local_addr().unwrap().to_string());
    let line = node.refused(command);
    assert!(line.contains("cannot listen on 127.0.0.1"), "{line}");
    assert!(!node.path("run/agent.sock").exists());
}

#[test]
fn the_page_needs_nothing_else_and_lets_nothing_in() {
    let node = Node::new();
    node.pages(7);
    let agent = node.start();
    node.pages(8);
    agent.reload();
    let page = agent.get("/");
    assert_eq!(page.status, 200);
    let policy = page
        .head
        .lines()
        .find(|line| line.starts_with("content-security-policy:"))
        .unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    // The name of a namespace is no address that anything is loaded from.
    let body = page.body.replace("http://www.w3.org/2000/svg", "");
    for loads in [
        "<script",
        "http:",
        "https:",
        "@import",
        "url(",
        "javascript:",
        " onload",
        " style=",
    ] {
        assert!(!body.contains(loads), "{loads}");
    }
    assert!(body.contains("<svg"), "no picture");
    assert!(body.contains("total: 7 → 8"), "no change");
    assert!(
        body.contains("node-&quot;&lt;1&gt;&quot;") && !body.contains("<1>"),
        "not escaped"
    );
}

#[test]
fn the_metrics_are_what_prometheus_reads() {
    let node = Node::new();
    node.pages(3);
    let agent = node.start();
    agent.get("/nope");
    agent.get("/v1/inventory");
    let answer = agent.get("/metrics");
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        answer.head
    );
    let samples = parse(&answer.body);
    assert_eq!(samples["gnomon_hugepages{size_bytes=\"2097152\"}"], "3");
    assert_eq!(
        samples["gnomon_inventory_rows{class=\"numa\",table=\"nodes\"}"],
        "1"
    );
    assert_eq!(
        samples["gnomon_http_request_duration_seconds_count{path=\"other\",code=\"404\"}"],
        "1"
    );
    assert!(samples.keys().all(|name| name.starts_with("gnomon_")));
    let escaped = samples
        .keys()
        .any(|name| name.contains("hostname=\"node-\\\"<1>\\\"\""));
    assert!(escaped, "{}", answer.body);
}

/// A strict reading of the text exposition format: every sample belongs to the family above it, which has a
/// help and a type; no family comes twice and no sample either; counters end in `_total`.
fn parse(text: &str) -> BTreeMap<String, String> {
    assert!(text.ends_with('\n'));
    let mut samples = BTreeMap::new();
    let mut families = BTreeSet::new();
    let (mut family, mut kind) = (String::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(
                words.ends_with('.') && families.insert(name.to_owned()),
                "{line}"
            );
            let rest = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            let (same, its_kind) = rest.split_once(' ').unwrap();
            assert_eq!(same, name);
            assert!(
                ["gauge", "counter", "summary"].contains(&its_kind),
                "{line}"
            );
            assert_eq!(its_kind == "counter", name.ends_with("_total"), "{line}");
            (family, kind) = (name.to_owned(), its_kind.to_owned());
            continue;
        }
        let (name, value) = sample(line);
        let bare = name.split('{').next().unwrap();
        let ending = bare
            .strip_prefix(&family)
            .unwrap_or_else(|| panic!("{line} below {family}"));
        let endings: &[&str] = if kind == "summary" {
            &["_sum", "_count"]
        } else {
            &[""]
        };
        assert!(endings.contains(&ending), "{line}");
        assert!(
            samples.insert(name.clone(), value).is_none(),
            "twice: {line}"
        );
    }
    samples
}

/// A sample's name with its labels, and its value.
fn sample(line: &str) -> (String, String) {
    let letters = |name: &str| {
        let first = name
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_lowercase() || c == '_');
        first
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let name_end = line.find(['{', ' ']).unwrap();
    assert!(letters(&line[..name_end]), "{line}");
    let mut end = name_end;
    if line[end..].starts_with('{') {
        loop {
            let rest = &line[end + 1..];
            let equals = rest.find("=\"").unwrap();
            assert!(letters(&rest[..equals]), "{line}");
            let mut at = end + 1 + equals + 2;
            while !line[at..].starts_with('"') {
                let c = line[at..].chars().next().unwrap();
                if c == '\\' {
                    assert!(
                        ["\\\\", "\\\"", "\\n"]
                            .iter()
                            .any(|pair| line[at..].starts_with(pair)),
                        "{line}"
                    );
                    at += 1;
                }
                at += line[at..].chars().next().unwrap().len_utf8();
            }
            end = at + 1;
            if line[end..].starts_with('}') {
                end += 1;
                break;
            }
            assert!(line[end..].starts_with(','), "{line}");
        }
    }
    let value = line[end..].strip_prefix(' ').unwrap();
    value.parse::<f64>().unwrap();
    (line[..end].to_owned(), value.to_owned())
}
