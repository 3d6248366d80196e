//! An inventory from a file, as `gnomon diff` reads it: of a whole one, some values are others.
#![cfg_attr(fuzzing, no_main)]

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{Machine, rarely, spoilt_text};
use libhw::diff;
use libhw::inventory::{Class, Inventory};
use serde_json::Value;

/// No mutant has more spoilt places.
const SPOILT_MAX: usize = 8;

/// The JSON of a machine with something of everything.
struct Whole {
    inventory: Inventory,
    json: Value,
    /// Where its values stand (RFC 6901).
    places: Vec<String>,
    /// The values that the fields of a name have: what the reader takes for one of them.
    known: BTreeMap<String, Vec<Value>>,
}

impl Whole {
    fn new() -> Self {
        let inventory = Machine::new().with(&[], |root| gnomon_fuzz::discovered(root, Class::ALL));
        let mut whole = Self {
            json: serde_json::to_value(&inventory).expect("an inventory is JSON"),
            inventory,
            places: Vec::new(),
            known: BTreeMap::new(),
        };
        let json = whole.json.clone();
        whole.note("", &json);
        whole
    }

    fn note(&mut self, place: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.note(&format!("{place}/{name}"), value);
                }
            }
            Value::Array(rows) => {
                for (index, row) in rows.iter().enumerate() {
                    self.note(&format!("{place}/{index}"), row);
                }
            }
            leaf => {
                let known = self.known.entry(name(place)).or_default();
                if !known.contains(leaf) {
                    known.push(leaf.clone());
                }
            }
        }
        self.places.push(place.to_owned());
    }

    /// The JSON with one value spoilt; as it is where an earlier change took that value away.
    fn spoil(&self, json: &mut Value, bytes: &mut Unstructured<'_>) -> Result<()> {
        let place = bytes.choose(&self.places)?;
        match json.pointer_mut(place) {
            Some(Value::Object(fields)) if !fields.is_empty() => {
                let at = bytes.choose_index(fields.len())?;
                if rarely(bytes, 4) {
                    let name = fields.keys().nth(at).cloned().unwrap_or_default();
                    fields.remove(&name);
                }
            }
            Some(Value::Array(rows)) if !rows.is_empty() => {
                let at = bytes.choose_index(rows.len())?;
                match bytes.int_in_range(0..=3)? {
                    0 => rows.push(rows[at].clone()),
                    1 => rows.swap(0, at),
                    2 => drop(rows.remove(at)),
                    _ => rows.truncate(at),
                }
            }
            Some(leaf) => *leaf = self.other(&name(place), leaf, bytes)?,
            None => {}
        }
        Ok(())
    }

    /// Another value for a field, mostly of the same type.
    fn other(&self, name: &str, leaf: &Value, bytes: &mut Unstructured<'_>) -> Result<Value> {
        if rarely(bytes, 24) {
            return Ok(Value::Null);
        }
        Ok(match (bytes.int_in_range(0..=3)?, leaf) {
            (_, Value::Bool(on)) => (!on).into(),
            (0, Value::Number(_)) => bytes.arbitrary::<i64>()?.into(),
            (1, Value::Number(_)) => bytes.arbitrary::<u32>()?.into(),
            (2, Value::Number(_)) => bytes.arbitrary::<u8>()?.into(),
            (0 | 1, Value::String(text)) => {
                let text = spoilt_text(text.as_bytes(), bytes)?;
                String::from_utf8_lossy(&text).into_owned().into()
            }
            _ => match self.known.get(name) {
                Some(known) => bytes.choose(known)?.clone(),
                None => leaf.clone(),
            },
        })
    }
}

/// What a place is called without its numbers: the field's name, or its list's.
fn name(place: &str) -> String {
    let parts = place.rsplit('/');
    let mut named = parts.filter(|part| part.parse::<usize>().is_err());
    named.next().unwrap_or_default().to_owned()
}

fn json(bytes: &[u8]) -> bool {
    thread_local!(static WHOLE: Whole = Whole::new());
    WHOLE.with(|whole| {
        let mut json = whole.json.clone();
        let mut rest = Unstructured::new(bytes);
        let torn = rarely(&mut rest, 32);
        for _ in 0..SPOILT_MAX {
            if rest.is_empty() {
                break;
            }
            // Too few bytes leave the rest as it is.
            let _ = whole.spoil(&mut json, &mut rest);
        }
        let mut text = json.to_string();
        if torn {
            let at = rest.choose_index(text.len()).unwrap_or_default();
            text.truncate(text.floor_char_boundary(at));
        }
        let Ok(inventory) = serde_json::from_str::<Inventory>(&text) else {
            return false;
        };
        gnomon_fuzz::holds(&inventory);
        let changes = diff::diff(&whole.inventory, &inventory, true);
        let _ = serde_json::to_string(&changes).expect("changes are JSON");
        // What nothing was done to is no mutant, and proves nothing.
        json != whole.json
    })
}

gnomon_fuzz::target!(json);
