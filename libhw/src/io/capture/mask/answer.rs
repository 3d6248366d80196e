//! Identities in the answers of probes, which are JSON: texts under a telling key, and bytes as lists of numbers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::identity::{Identities, Kind, Notation};
use super::place;
use super::search::Search;

/// What in a key says that its value tells one unit.
const KEYS: [&str; 9] = [
    "serial",
    "uuid",
    "guid",
    "mac",
    "wwn",
    "asset_tag",
    "hostname",
    "address",
    "switch_id",
];

/// Adds the identities of an answer.
pub(super) fn collect(answer: &[u8], identities: &mut Identities) {
    if let Ok(answer) = serde_json::from_slice::<Value>(answer) {
        within("", &answer, identities);
    }
}

fn within(key: &str, value: &Value, identities: &mut Identities) {
    let telling = is_telling(key);
    match value {
        Value::String(text) if telling => {
            if let Some(span) = place::text(Kind::Serial, text.as_bytes(), 0..text.len()) {
                identities.add(span.kind, text.get(span.range).unwrap_or_default());
            }
        }
        Value::Array(values) => {
            if let (Some(bytes), true) = (bytes(values), telling) {
                let kind = match bytes.len() {
                    6 => Some(Kind::Mac),
                    8 => Some(Kind::Eui64),
                    16 => Some(Kind::Uuid),
                    _ => None,
                };
                if let Some(kind) = kind {
                    identities.add_bytes(kind, &bytes, Notation::Bytes);
                }
            }
            for value in values {
                within(key, value, identities);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                within(&name.to_lowercase(), value, identities);
            }
        }
        _ => {}
    }
}

/// The answer as it may be shown; `None` when it is no JSON.
pub(super) fn replaced(
    answer: &[u8],
    search: &Search,
    masked: &mut BTreeSet<usize>,
) -> Option<Vec<u8>> {
    let answer = serde_json::from_slice::<Value>(answer).ok()?;
    serde_json::to_vec(&shown("", answer, search, masked)).ok()
}

fn shown(key: &str, value: Value, search: &Search, masked: &mut BTreeSet<usize>) -> Value {
    match value {
        Value::String(value) => Value::String(text(&value, is_telling(key), search, masked)),
        Value::Array(values) => match bytes(&values) {
            Some(mut bytes) => {
                search.replace_bytes(&mut bytes, masked);
                Value::from(bytes)
            }
            None => values
                .into_iter()
                .map(|value| shown(key, value, search, masked))
                .collect(),
        },
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = shown(&name.to_lowercase(), value, search, masked);
                (text(&name, false, search, masked), value)
            })
            .collect(),
        other => other,
    }
}

fn text(text: &str, telling: bool, search: &Search, masked: &mut BTreeSet<usize>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let whole = place::text(Kind::Serial, &bytes, 0..bytes.len());
    let known = whole
        .filter(|_| telling)
        .and_then(|span| search.at(&bytes, span));
    search.replace(&mut bytes, known.as_slice(), masked);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_telling(key: &str) -> bool {
    KEYS.iter().any(|part| key.contains(part))
}

/// A list of at least one MAC address's length that can only be bytes.
fn bytes(values: &[Value]) -> Option<Vec<u8>> {
    let byte = |value: &Value| u8::try_from(value.as_u64()?).ok();
    let bytes: Vec<u8> = values.iter().map(byte).collect::<Option<_>>()?;
    (bytes.len() >= 6).then_some(bytes)
}
