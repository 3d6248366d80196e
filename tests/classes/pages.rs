//! Has each device class its page in docs/inventory, and does the page say what the types say?
//!
//! A page is made of the inventory's JSON Schema, whose descriptions are the types' documentation: a field has
//! one place where it is explained. `UPDATE_GOLDEN=1` writes the pages anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use libhw::inventory::{Class, Inventory};
use serde_json::Value;

#[test]
fn every_class_has_a_page_that_explains_each_of_its_fields() {
    let schema = schemars::schema_for!(Inventory).to_value();
    for class in Class::ALL {
        let page = page(&schema, *class);
        assert!(
            !page.contains("| |"),
            "a field of {class} has no documentation"
        );
        support::golden(&folder().join(format!("{class}.md")), &page);
    }
    support::golden(&folder().join("README.md"), &index(&schema));
}

#[test]
fn there_is_no_page_of_a_class_that_is_gone() {
    for entry in std::fs::read_dir(folder())
        .expect("the folder of pages")
        .flatten()
    {
        let path = entry.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        assert!(
            name == "README" || name.parse::<Class>().is_ok(),
            "{}: no such class",
            path.display()
        );
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/inventory")
}

/// The field's definition in the schema of a class.
fn field(schema: &Value, class: Class) -> &Value {
    &schema["properties"][class.name()]
}

fn index(schema: &Value) -> String {
    let mut text = String::from(
        "# The inventory, class by class\n\n\
         `gnomon inventory CLASS --json` prints one of them. What every field means is told on the class's page, which is made \
         of the same documentation as the library's; what could not be had stands in `problems`, with its reason.\n\n\
         | class | what it is | read again when the kernel announces something of |\n|---|---|---|\n",
    );
    for class in Class::ALL {
        let subsystems: Vec<_> = class
            .subsystems()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let _ = writeln!(
            text,
            "| [{class}]({class}.md) | {} | {} |",
            said(field(schema, *class)),
            subsystems.join(", ")
        );
    }
    text
}

/// The page of a class: a table for each of its types, the outer before the inner.
fn page(schema: &Value, class: Class) -> String {
    let mut text = format!("# {class}\n\n{}\n", said(field(schema, class)));
    let mut todo: Vec<String> = references(field(schema, class));
    let mut done: BTreeSet<String> = BTreeSet::new();
    while !todo.is_empty() {
        let name = todo.remove(0);
        if !done.insert(name.clone()) {
            continue;
        }
        let definition = &schema["$defs"][&name];
        let _ = write!(text, "\n## {name}\n\n{}\n", said(definition));
        text.push_str(&table(definition));
        todo.extend(references(definition));
    }
    text
}

fn table(definition: &Value) -> String {
    let mut text = String::new();
    if let Some(properties) = definition["properties"].as_object() {
        text.push_str("\n| field | type | meaning |\n|---|---|---|\n");
        for (name, field) in properties {
            let _ = writeln!(text, "| `{name}` | {} | {} |", kind(field), said(field));
        }
    }
    let words = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| definition[key].as_array());
    let words: Vec<&Value> = words.flatten().collect();
    if !words.is_empty() {
        text.push_str("\n| value | meaning |\n|---|---|\n");
    }
    for word in words {
        for value in values(word) {
            let _ = writeln!(text, "| {value} | {} |", said(word));
        }
    }
    text
}

/// What a variant of an enumeration looks like.
fn values(word: &Value) -> Vec<String> {
    let code = |value: &Value| format!("`{}`", value.to_string().trim_matches('"'));
    if let Some(all) = word["enum"].as_array() {
        return all.iter().map(code).collect();
    }
    if word.get("const").is_some() {
        return vec![code(&word["const"])];
    }
    vec![kind(word)]
}

/// A description in one line: a table has no other. Links of rustdoc lose their brackets.
fn said(field: &Value) -> String {
    let text = field["description"].as_str().unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace("[`", "`")
        .replace("`]", "`")
        .replace('|', "\\|")
}

/// A type in a few words: `integer`, `list of Pool`, `Bytes, or nothing`.
fn kind(field: &Value) -> String {
    if let Some(name) = field["$ref"].as_str() {
        return named(name);
    }
    if let Some(all) = field["anyOf"].as_array() {
        let words: Vec<String> = all.iter().map(kind).collect();
        return words.join(", or ");
    }
    if let Some(all) = field["type"].as_array() {
        let words = all.iter().map(|one| word(one.as_str().unwrap_or_default()));
        return words.collect::<Vec<_>>().join(", or ");
    }
    match field["type"].as_str() {
        Some("array") => format!("list of {}", kind(&field["items"])),
        Some("object") if field["additionalProperties"].is_object() => {
            format!("{} by name", kind(&field["additionalProperties"]))
        }
        Some("object") => {
            let keys = field["properties"].as_object();
            let keys = keys.into_iter().flat_map(|all| all.keys());
            let keys: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
            format!("object of {}", keys.join(", "))
        }
        Some(other) => word(other),
        None => "anything".to_owned(),
    }
}

fn word(name: &str) -> String {
    if name == "null" { "nothing" } else { name }.to_owned()
}

fn named(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    format!("[{name}](#{})", name.to_lowercase())
}

/// The types that a definition names, in order.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("$ref", Some(name)) => {
                    vec![name.rsplit('/').next().unwrap_or_default().to_owned()]
                }
                _ => references(value),
            })
            .collect(),
        Value::Array(all) => all.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
