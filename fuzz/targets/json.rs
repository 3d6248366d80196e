//! An inventory from a file, as `gnomon diff` reads it: of a whole one, some values are others.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{Machine, spoilt_text};
use libhw::inventory::{Class, Inventory};
use serde_json::Value;

/// The JSON of a machine with something of everything.
fn whole() -> Value {
    let inventory = Machine::new().with(&[], |root| gnomon_fuzz::discovered(root, Class::ALL));
    serde_json::to_value(inventory).expect("an inventory is JSON")
}

/// One value on the way down from `value` becomes another, mostly one of the same type.
fn spoil(value: &mut Value, bytes: &mut Unstructured<'_>) -> Result<()> {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = bytes.choose_index(fields.len())?;
            let name = fields.keys().nth(at).cloned().unwrap_or_default();
            if bytes.ratio(1, 64)? {
                fields.remove(&name);
                return Ok(());
            }
            spoil(&mut fields[&name], bytes)
        }
        Value::Array(rows) if !rows.is_empty() => {
            let at = bytes.choose_index(rows.len())?;
            if bytes.ratio(1, 16)? {
                rows.push(rows[at].clone());
                return Ok(());
            }
            spoil(&mut rows[at], bytes)
        }
        leaf => {
            *leaf = other(leaf, bytes)?;
            Ok(())
        }
    }
}

fn other(leaf: &Value, bytes: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match leaf {
        _ if bytes.ratio(1, 32)? => Value::Null,
        Value::Bool(on) => (!on).into(),
        Value::Number(_) if bytes.ratio(1, 8)? => bytes.arbitrary::<i64>()?.into(),
        Value::Number(_) => bytes.arbitrary::<u8>()?.into(),
        Value::String(text) => {
            let text = spoilt_text(text.as_bytes(), bytes)?;
            String::from_utf8_lossy(&text).into_owned().into()
        }
        leaf => leaf.clone(),
    })
}

fn json(bytes: &[u8]) -> bool {
    thread_local!(static WHOLE: Value = whole());
    let mut value = WHOLE.with(Value::clone);
    let mut rest = Unstructured::new(bytes);
    let count = rest.int_in_range(0..=7).unwrap_or(0) / 4;
    for _ in 0..=count {
        // Too few bytes leave the document as it is.
        let _ = spoil(&mut value, &mut rest);
    }
    // The text itself is spoilt too, now and then.
    let mut text = value.to_string();
    if rest.ratio(1, 8).unwrap_or(false) {
        text.truncate(
            rest.choose_index(text.len())
                .map_or(0, |at| text.floor_char_boundary(at)),
        );
    }
    let inventory = serde_json::from_str::<Inventory>(&text);
    inventory.as_ref().map(gnomon_fuzz::holds).is_ok()
}

gnomon_fuzz::target!(json);
