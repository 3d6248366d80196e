//! What the other classes know of a PCI function: every row, of whatever table, that names it in `function`.

use std::collections::BTreeMap;

use libhw::inventory::{Class, Inventory};
use serde_json::{Map, Value};

/// A row of a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) class: Class,
    /// The table that it stands in.
    pub(crate) table: String,
    pub(crate) fields: Map<String, Value>,
}

impl Row {
    /// What the kernel calls it: `eth0`, `nvme0`, `ptp1`.
    pub(crate) fn id(&self) -> &str {
        let id = self.fields.get("id").and_then(Value::as_str);
        id.unwrap_or_default()
    }

    /// Its values, those of inner objects by their whole name: `now.temperature_millicelsius`.
    pub(crate) fn facts(&self) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        for (name, value) in &self.fields {
            if !matches!(name.as_str(), "id" | "function") {
                flatten(name, value, &mut facts);
            }
        }
        facts
    }
}

/// The rows, by the address of their function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(BTreeMap<String, Vec<Row>>);

impl Rows {
    /// Those of an inventory.
    pub(crate) fn of(inventory: &Inventory) -> Self {
        let Ok(Value::Object(classes)) = serde_json::to_value(inventory) else {
            return Self::default();
        };
        let mut rows = Self::default();
        for (name, tables) in classes {
            // The PCI functions themselves are what the rows are asked for.
            let class = name.parse::<Class>().ok();
            let (Some(class), Value::Object(tables)) =
                (class.filter(|class| *class != Class::Pci), tables)
            else {
                continue;
            };
            for (table, value) in tables {
                rows.take(class, &table, value);
            }
        }
        rows
    }

    fn take(&mut self, class: Class, table: &str, value: Value) {
        let Value::Array(all) = value else { return };
        for row in all {
            let Value::Object(fields) = row else { continue };
            if let Some(Value::String(function)) = fields.get("function") {
                let row = Row {
                    class,
                    table: table.to_owned(),
                    fields: fields.clone(),
                };
                self.0.entry(function.clone()).or_default().push(row);
            }
        }
    }

    /// The rows of one function, in the inventory's order.
    pub(crate) fn of_function(&self, function: &str) -> &[Row] {
        self.0.get(function).map_or(&[], Vec::as_slice)
    }
}

fn flatten(name: &str, value: &Value, facts: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (inner, value) in fields {
                flatten(&format!("{name}.{inner}"), value, facts);
            }
        }
        Value::Array(all) => {
            let words: Vec<String> = all.iter().map(plain).collect();
            facts.push((name.to_owned(), words.join(", ")));
        }
        other => facts.push((name.to_owned(), plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let words = fields
                .iter()
                .map(|(name, value)| format!("{name} {}", plain(value)));
            words.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(fields: &Value) -> Row {
        Row {
            class: Class::Pci,
            table: "rows".to_owned(),
            fields: fields.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn a_row_tells_its_values_by_their_whole_names() {
        let row = row(&json!({
            "id": "eth0", "function": "0000:3b:00.0", "mtu": 1500, "none": null,
            "now": {"up": true}, "modes": ["a", "b"], "parts": [{"id": 1, "name": "x"}],
        }));
        assert_eq!(row.id(), "eth0");
        let facts = row.facts();
        let facts: Vec<(&str, &str)> = facts
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            facts,
            [
                ("modes", "a, b"),
                ("mtu", "1500"),
                ("now.up", "true"),
                ("parts", "id 1 name x"),
            ]
        );
    }

    #[test]
    fn rows_are_found_by_their_function_and_by_nothing_else() {
        let mut rows = Rows::default();
        let table =
            json!([{"id": "a", "function": "0000:01:00.0"}, {"id": "b"}, 7, {"function": 3}]);
        rows.take(Class::Pci, "table", table);
        rows.take(Class::Pci, "no table", json!({"function": "0000:01:00.0"}));
        let found: Vec<&str> = rows
            .of_function("0000:01:00.0")
            .iter()
            .map(Row::id)
            .collect();
        assert_eq!(found, ["a"]);
        assert!(rows.of_function("0000:02:00.0").is_empty());
    }
}
