//! What changed between two inventories: rows added, removed and changed, field by field.
//!
//! It works on the inventory's JSON and so knows no class: an array of objects that have an `id` is a table,
//! whose rows are matched by it; all else is compared by path. The problems of a class are its table
//! `problems`, matched by their path.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::inventory::{Class, Inventory};
use crate::survey::Problem;

/// One row, or one class's own fields, that differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The device class: `pci`.
    pub class: String,
    /// The table in it: `functions`; empty for the class's own fields.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// The row's id: `0000:3b:00.0`; empty for the class's own fields.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What happened to it.
    pub change: ChangeKind,
    /// The fields that differ, by path: `link_max.width`. Empty for an added or removed row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// The whole row that was added or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Value>,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is gone.
    Removed,
    /// Some of its fields differ.
    Changed,
}

/// One field that differs; a side that is absent has no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The path of the field in its row: names, ids of rows and places in arrays, joined by dots.
    pub field: String,
    /// Its value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Its value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The table that a class's problems make.
const PROBLEMS: &str = "problems";

/// The name of what changes without an event.
const NOW: &str = "now";

/// What changed from `before` to `after`: by class, the class's own fields first, then its tables by name; in
/// each the rows removed and changed in the order of `before`, and those added in the order of `after`.
///
/// What stands below a `now` changes without an event and is left out unless `live` asks for it; a class
/// that one side lacks was not looked at there and is left out.
#[must_use]
pub fn diff(before: &Inventory, after: &Inventory, live: bool) -> Vec<Change> {
    let of = |of: &Class| diff_class(before, after, *of, live);
    Class::ALL.iter().flat_map(of).collect()
}

/// As [`diff`], of one class. Where nothing changed it costs a comparison.
#[must_use]
pub fn diff_class(before: &Inventory, after: &Inventory, of: Class, live: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.is_same(after, of) {
        return changes;
    }
    let name = of.name();
    if let (Some(before), Some(after)) = (fields(before, of, live), fields(after, of, live)) {
        class(name, &before, &after, &mut changes);
    }
    changes
}

/// A class that was looked at, as JSON, with its problems as one more table.
fn fields(inventory: &Inventory, of: Class, live: bool) -> Option<Map<String, Value>> {
    let Value::Object(mut fields) = inventory.value(of)? else {
        return None;
    };
    if !live {
        fields.remove(NOW);
        fields.values_mut().for_each(forget_now);
    }
    let problems: Vec<Value> = inventory.problems_of(of).filter_map(problem).collect();
    if !problems.is_empty() {
        fields.insert(PROBLEMS.to_owned(), Value::Array(problems));
    }
    Some(fields)
}

/// A problem, as a row.
fn problem(problem: &Problem) -> Option<Value> {
    let Ok(Value::Object(mut row)) = serde_json::to_value(problem) else {
        return None;
    };
    row.remove("class");
    let path = row.remove("path").unwrap_or_default();
    row.insert("id".to_owned(), path);
    Some(Value::Object(row))
}

/// Takes every `now` away, at whatever depth the types have one.
fn forget_now(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove(NOW);
            fields.values_mut().for_each(forget_now);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_now),
        _ => {}
    }
}

fn class(
    name: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let mut own = Vec::new();
    let mut tables = Vec::new();
    for key in keys(before, after) {
        let pair = (before.get(key), after.get(key));
        match rows(pair) {
            Some((before, after)) => table((name, key), before, after, &mut tables),
            None => compare(key, pair, &mut own),
        }
    }
    if !own.is_empty() {
        changes.push(changed((name, ""), String::new(), own));
    }
    changes.append(&mut tables);
}

/// The rows of both sides when this is a table; an absent or empty side is a table without rows.
type Rows<'a> = (&'a [Value], &'a [Value]);

fn rows<'a>((before, after): (Option<&'a Value>, Option<&'a Value>)) -> Option<Rows<'a>> {
    let side = |value: Option<&'a Value>| match value {
        None => Some(&[][..]),
        Some(Value::Array(items)) => items
            .iter()
            .all(|item| item.get("id").is_some())
            .then_some(items.as_slice()),
        Some(_) => None,
    };
    let (before, after) = (side(before)?, side(after)?);
    (!before.is_empty() || !after.is_empty()).then_some((before, after))
}

fn table(place: (&str, &str), before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    for (id, pair) in paired(before, after) {
        match pair {
            (Some(row), None) => changes.push(whole(place, ChangeKind::Removed, id, row)),
            (None, Some(row)) => changes.push(whole(place, ChangeKind::Added, id, row)),
            both => {
                let mut fields = Vec::new();
                compare("", both, &mut fields);
                if !fields.is_empty() {
                    changes.push(changed(place, id, fields));
                }
            }
        }
    }
}

/// Rows with their id, and how many rows before them had the same.
fn numbered(rows: &[Value]) -> impl Iterator<Item = ((String, usize), &Value)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    rows.iter().map(move |row| {
        let id = id(row);
        let count = seen.entry(id.clone()).or_default();
        *count += 1;
        ((id, *count), row)
    })
}

fn id(row: &Value) -> String {
    match row.get("id") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Walks two values side by side; as deep as the inventory's types are, which is little.
fn compare(path: &str, pair: (Option<&Value>, Option<&Value>), fields: &mut Vec<Field>) {
    match pair {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for key in keys(before, after) {
                compare(&below(path, key), (before.get(key), after.get(key)), fields);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if structured(before, after) => {
            for (key, pair) in paired(before, after) {
                compare(&below(path, &key), pair, fields);
            }
        }
        (before, after) if before == after => {}
        (before, after) => fields.push(Field {
            field: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// Whether arrays hold objects, which are compared one by one; a list of words is one value.
fn structured(before: &[Value], after: &[Value]) -> bool {
    before.iter().chain(after).all(Value::is_object)
}

type Pair<'a> = (Option<&'a Value>, Option<&'a Value>);

/// The items of two arrays of objects side by side: by id where all have one, else by place. Of items that
/// share an id the first goes with the first, the second with the second.
fn paired<'a>(before: &'a [Value], after: &'a [Value]) -> Vec<(String, Pair<'a>)> {
    if before
        .iter()
        .chain(after)
        .any(|item| item.get("id").is_none())
    {
        let length = before.len().max(after.len());
        return (0..length)
            .map(|place| (place.to_string(), (before.get(place), after.get(place))))
            .collect();
    }
    let mut left: HashMap<(String, usize), &Value> = numbered(after).collect();
    let mut pairs: Vec<(String, Pair<'a>)> = numbered(before)
        .map(|(key, item)| {
            let other = left.remove(&key);
            (key.0, (Some(item), other))
        })
        .collect();
    let added = numbered(after).filter(|(key, _)| left.contains_key(key));
    pairs.extend(added.map(|(key, item)| (key.0, (None, Some(item)))));
    pairs
}

/// The keys of both, sorted.
fn keys<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>) -> Vec<&'a str> {
    let new = after.keys().filter(|key| !before.contains_key(*key));
    let mut keys: Vec<&str> = before.keys().chain(new).map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn changed((class, table): (&str, &str), id: String, fields: Vec<Field>) -> Change {
    Change {
        class: class.to_owned(),
        table: table.to_owned(),
        id,
        change: ChangeKind::Changed,
        fields,
        row: None,
    }
}

fn whole((class, table): (&str, &str), change: ChangeKind, id: String, row: &Value) -> Change {
    Change {
        class: class.to_owned(),
        table: table.to_owned(),
        id,
        change,
        fields: Vec::new(),
        row: Some(row.clone()),
    }
}

#[cfg(test)]
mod tests;
