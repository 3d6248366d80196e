//! The agent's configuration: what is taken is safe to work with, and what is not is told with its line.
#![cfg_attr(fuzzing, no_main)]

use std::path::Path;

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{rarely, some, spoilt_text};

/// The agent is a program; of its source, what reads the configuration.
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the agent uses the rest"
)]
#[path = "../../agent/src"]
mod agent {
    pub(crate) mod config;
    pub(crate) mod log;
}

use agent::{config, log};
use config::Config;

/// A key and values that it takes.
type Key = (&'static str, &'static [&'static str]);

/// The keys of each table.
const TABLES: &[(&str, &[Key])] = &[
    (
        "agent",
        &[
            ("state_dir", &["\"/var/lib/gnomon\"", "'/s'"]),
            ("socket", &["\"/run/gnomon/agent.sock\"", "'/a b'"]),
            ("listen", &["\"127.0.0.1:9464\"", "\"[::1]:0\""]),
            (
                "log",
                &["\"error\"", "\"warning\"", "\"info\"", "\"debug\""],
            ),
            ("changes_max_bytes", &["67108864", "0x10_0000", "1_048_576"]),
        ],
    ),
    (
        "inventory",
        &[
            (
                "interval",
                &["0", "\"0\"", "\"90s\"", "\"5m\"", "\"1h\"", "\"366d\""],
            ),
            (
                "classes",
                &["[\"cpu\"]", "[\n  'pci', # why\n  'cpu', 'pci',\n]"],
            ),
            ("deep", &["true", "false"]),
            ("virtual_functions", &["true", "false"]),
        ],
    ),
    (
        "sink.journal",
        &[("type", &["\"file\""]), ("path", &["\"/j\"", "\"-\""])],
    ),
    (
        "sink.hook",
        &[
            ("type", &["\"cloudevents\""]),
            ("url", &["\"https://c.example/e\"", "\"http://[::1]:1/\""]),
            ("batched", &["true", "false"]),
            ("timeout", &["\"10s\""]),
        ],
    ),
    (
        "sink.alerts",
        &[
            ("type", &["\"alertmanager\""]),
            ("url", &["\"http://127.0.0.1:9093\""]),
            ("repeat", &["\"60s\""]),
            ("generator_url", &["\"https://n.example/\""]),
        ],
    ),
    (
        "sink.broker",
        &[
            ("type", &["\"mqtt\""]),
            ("url", &["\"mqtts://b.example:8883\"", "\"mqtt://b\""]),
            ("prefix", &["\"gnomon\"", "\"a/b\""]),
            ("username", &["\"node\""]),
            ("keep_alive", &["\"30s\""]),
        ],
    ),
];

/// Values that a key of another type takes, or none.
const ODD: &[&str] = &[
    "\"\"",
    "-1",
    "18446744073709551616",
    "1.5",
    "nan",
    "{}",
    "[]",
    "[[]]",
    "\"\\u0000\"",
    "\"relative\"",
    "1979-05-27T07:32:00Z",
    "\"0.0.0.0:1\"",
    "\"1 fortnight\"",
];

/// What is done to a document: a fault hides all that stands behind it, so there is but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    OddValue,
    SpoiltValue,
    UnknownKey,
    SpoiltText,
}

/// How often each is done.
const FAULTS: &[(Fault, usize)] = &[
    (Fault::None, 5),
    (Fault::OddValue, 3),
    (Fault::SpoiltValue, 6),
    (Fault::UnknownKey, 1),
    (Fault::SpoiltText, 1),
];

fn document(bytes: &mut Unstructured<'_>) -> Result<String> {
    let faults = FAULTS
        .iter()
        .flat_map(|(fault, often)| vec![*fault; *often]);
    let fault = bytes.choose_iter(faults.collect::<Vec<_>>())?;
    let mut left = bytes.int_in_range(0..=4_u8)?;
    let mut text = String::new();
    for (table, keys) in TABLES {
        text.push_str(&format!("[{table}]\n"));
        for (key, values) in *keys {
            if bytes.ratio(1, 4)? {
                continue;
            }
            let here = left == 0;
            left = left.wrapping_sub(1);
            let value = match fault {
                Fault::OddValue if here => (*bytes.choose(ODD)?).to_owned(),
                Fault::SpoiltValue if here => spoilt(bytes.choose(values)?, bytes)?,
                _ => (*bytes.choose(values)?).to_owned(),
            };
            text.push_str(&format!("{key} = {value}\n"));
            if here && fault == Fault::UnknownKey {
                text.push_str(&format!("{} = {value}\n", lossy(&some(bytes)?)));
            }
        }
    }
    if fault == Fault::SpoiltText {
        text = lossy(&spoilt_text(text.as_bytes(), bytes)?);
    }
    Ok(text)
}

/// A value with other content; a text mostly stays one.
fn spoilt(value: &str, bytes: &mut Unstructured<'_>) -> Result<String> {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let text = lossy(&spoilt_text(inner.unwrap_or(value).as_bytes(), bytes)?);
    Ok(if inner.is_some() && !rarely(bytes, 8) {
        // What JSON escapes TOML takes, but for one character.
        serde_json::Value::from(text).to_string()
    } else {
        text
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Past the first check is what is TOML, and says something.
fn config(bytes: &[u8]) -> bool {
    let mut rest = Unstructured::new(bytes);
    let text = document(&mut rest).unwrap_or_default();
    match Config::parse(Path::new("g.toml"), &text) {
        Ok(config) => holds(&config),
        Err(error) => told(&text, &error.to_string()),
    }
    let says = |value: &toml::Value| value.as_table().is_none_or(|table| !table.is_empty());
    toml::from_str::<toml::Table>(&text).is_ok_and(|tables| tables.values().any(says))
}

/// What a person relies on: each fault has a line of the file, or is the file's, and says something.
fn told(text: &str, error: &str) {
    let lines = text.matches('\n').count() + 1;
    for fault in error.split('\n') {
        let rest = fault.strip_prefix("g.toml:").expect("the file's name");
        let (line, what) = rest.split_once(": ").unwrap_or(("", rest));
        let line = line.parse::<usize>();
        assert!(
            line.is_ok_and(|line| (1..=lines).contains(&line)),
            "{fault:?}"
        );
        assert!(!what.trim().is_empty(), "{fault:?}");
    }
}

/// What the agent relies on.
fn holds(config: &Config) {
    for path in config.state_dir.iter().chain(&config.socket) {
        assert!(path.is_absolute(), "{path:?}");
    }
    assert!(
        config
            .socket
            .iter()
            .all(|path| path.as_os_str().len() <= 107)
    );
    assert!(
        config
            .listen
            .is_none_or(|address| address.ip().to_canonical().is_loopback())
    );
    assert!(config.changes_max_bytes >= 1 << 20);
    assert!(config.interval.is_none_or(|interval| !interval.is_zero()));
    let classes = &config.scope.classes;
    assert!(!classes.is_empty() && classes.is_sorted());
}

gnomon_fuzz::target!(config);
