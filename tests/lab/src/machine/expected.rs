//! What an inventory must tell of a machine, as a table, and its comparison with what it does tell.

use std::fmt;

use serde_json::Value;

/// What the inventory must tell of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Where in the inventory's JSON: `cpu.online`; of a list the row with that `id`, `numa.nodes[1].cpus`, or with that
    /// value of a field, `nic.interfaces[function=0000:01:00.0].driver`.
    pub path: String,
    /// What must stand there.
    pub wanted: Wanted,
}

/// What must stand in one place of an inventory.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Just this.
    Is(Value),
    /// Something, which the description cannot know.
    Something,
    /// Nothing, or null.
    Nothing,
    /// A number from the first to the last.
    Between(u64, u64),
    /// A list whose rows have just these ids, in any order.
    Rows(Vec<String>),
    /// A list with so many rows.
    Count(usize),
    /// A list that holds this.
    Holds(Value),
}

/// One thing that an inventory tells otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What it should have told.
    pub fact: Fact,
    /// What it told; nothing where it told nothing.
    pub found: Option<Value>,
}

/// All that an inventory must tell of a machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// In the order of the inventory's classes.
    pub facts: Vec<Fact>,
}

impl Expected {
    /// Wants `value` at `path`.
    pub fn is(&mut self, path: impl Into<String>, value: impl Into<Value>) {
        self.wants(path, Wanted::Is(value.into()));
    }

    /// Wants `wanted` at `path`.
    pub fn wants(&mut self, path: impl Into<String>, wanted: Wanted) {
        let path = path.into();
        self.facts.push(Fact { path, wanted });
    }

    /// Wants just the rows with these ids in the list at `path`.
    pub fn rows<T: ToString>(&mut self, path: impl Into<String>, ids: impl IntoIterator<Item = T>) {
        let ids = ids.into_iter().map(|id| id.to_string()).collect();
        self.wants(path, Wanted::Rows(ids));
    }

    /// The table as JSON, a wanted value by its path.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let row = |fact: &Fact| (fact.path.clone(), fact.wanted.to_json());
        Value::Object(self.facts.iter().map(row).collect())
    }
}

/// What `inventory` tells otherwise than expected.
#[must_use]
pub fn compare(expected: &Expected, inventory: &Value) -> Vec<Difference> {
    let differs = |fact: &&Fact| !fact.wanted.matches(find(inventory, &fact.path));
    let difference = |fact: &Fact| Difference {
        fact: fact.clone(),
        found: find(inventory, &fact.path).cloned(),
    };
    expected
        .facts
        .iter()
        .filter(differs)
        .map(difference)
        .collect()
}

/// What stands at `path`, as [`Fact::path`] writes it.
#[must_use]
pub fn find<'a>(inventory: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path)
        .into_iter()
        .try_fold(inventory, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Row(selector) => row(value.as_array()?, selector),
        })
}

impl Wanted {
    fn matches(&self, found: Option<&Value>) -> bool {
        let found = found.filter(|found| !found.is_null());
        let Some(found) = found else {
            // An empty list or text is left out of an inventory by most classes, and told by others.
            return match self {
                Self::Nothing => true,
                Self::Is(value) => is_empty(value),
                Self::Rows(ids) => ids.is_empty(),
                Self::Count(count) => *count == 0,
                Self::Something | Self::Between(..) | Self::Holds(_) => false,
            };
        };
        match self {
            Self::Is(value) => found == value,
            Self::Something => true,
            Self::Nothing => false,
            Self::Between(low, high) => found
                .as_u64()
                .is_some_and(|found| (*low..=*high).contains(&found)),
            Self::Rows(ids) => found.as_array().is_some_and(|rows| has_ids(rows, ids)),
            Self::Count(count) => found.as_array().is_some_and(|rows| rows.len() == *count),
            Self::Holds(value) => found.as_array().is_some_and(|rows| rows.contains(value)),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Is(value) => value.clone(),
            other => Value::String(other.to_string()),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "{value}"),
            Self::Something => f.write_str("something"),
            Self::Nothing => f.write_str("nothing"),
            Self::Between(low, high) => write!(f, "a number from {low} to {high}"),
            Self::Rows(ids) if ids.is_empty() => f.write_str("no rows"),
            Self::Rows(ids) => write!(f, "the rows {}", ids.join(", ")),
            Self::Count(count) => write!(f, "{count} rows"),
            Self::Holds(value) => write!(f, "a list with {value} in it"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fact { path, wanted } = &self.fact;
        write!(f, "{path}: expected {wanted}, but the inventory tells ")?;
        match (&self.found, wanted) {
            (None, _) => f.write_str("nothing"),
            (Some(Value::Array(rows)), Wanted::Rows(_) | Wanted::Count(_)) => {
                let ids: Vec<String> = rows.iter().map(id).collect();
                match ids.is_empty() {
                    true => f.write_str("no rows"),
                    false => write!(f, "the rows {}", ids.join(", ")),
                }
            }
            (Some(found), _) => write!(f, "{found}"),
        }
    }
}

enum Step<'a> {
    Field(&'a str),
    Row(&'a str),
}

/// The steps of a path; a selector in brackets may hold dots.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.is_empty() {
            steps.push(Step::Field(name));
        }
        rest = match after
            .strip_prefix('[')
            .and_then(|after| after.split_once(']'))
        {
            Some((selector, after)) => {
                steps.push(Step::Row(selector));
                after
            }
            None => after.get(1..).unwrap_or_default(),
        };
    }
    steps
}

fn row<'a>(rows: &'a [Value], selector: &str) -> Option<&'a Value> {
    let (field, wanted) = selector.split_once('=').unwrap_or(("id", selector));
    let is_it = |row: &&Value| row.get(field).is_some_and(|value| text(value) == wanted);
    rows.iter().find(is_it)
}

fn has_ids(rows: &[Value], ids: &[String]) -> bool {
    let mut found: Vec<String> = rows.iter().map(id).collect();
    let mut wanted = ids.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    found == wanted
}

/// A row's id; of a list of plain values, the value.
fn id(row: &Value) -> String {
    text(row.get("id").unwrap_or(row))
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(rows) => rows.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inventory() -> Value {
        json!({
            "cpu": {"online": "0-7", "packages": [{"id": 0, "cpus": "0-3"}, {"id": 1, "cpus": "4-7"}]},
            "nic": {"interfaces": [{"id": "lo"}, {"id": "eth0", "function": "0000:01:00.0", "mtu": 1500}]},
            "pci": {"functions": [{"id": "0000:00:1f.2", "driver": "ahci", "flags": ["a", "b"]}]},
        })
    }

    #[test]
    fn a_path_leads_through_fields_ids_and_values_of_fields() {
        let inventory = inventory();
        for (path, value) in [
            ("cpu.online", json!("0-7")),
            ("cpu.packages[1].cpus", json!("4-7")),
            ("pci.functions[0000:00:1f.2].driver", json!("ahci")),
            ("nic.interfaces[function=0000:01:00.0].mtu", json!(1500)),
        ] {
            assert_eq!(find(&inventory, path), Some(&value), "{path}");
        }
        for path in [
            "cpu.none",
            "cpu.packages[2].cpus",
            "cpu.online.none",
            "cpu[0]",
            "nic.interfaces[a=b]",
        ] {
            assert_eq!(find(&inventory, path), None, "{path}");
        }
    }

    #[test]
    fn what_is_as_expected_makes_no_difference() {
        let mut expected = Expected::default();
        expected.is("cpu.online", "0-7");
        expected.is("cpu.offline", "");
        expected.wants("cpu.isolated", Wanted::Nothing);
        expected.wants("cpu.packages", Wanted::Something);
        expected.rows("cpu.packages", [1, 0]);
        expected.rows("gpu.adapters", [0; 0]);
        expected.wants("nic.interfaces[eth0].mtu", Wanted::Between(1500, 1500));
        expected.wants(
            "pci.functions[0000:00:1f.2].flags",
            Wanted::Holds("b".into()),
        );
        assert_eq!(compare(&expected, &inventory()), []);
    }

    #[test]
    fn a_difference_says_where_what_was_expected_and_what_was_found() {
        let mut expected = Expected::default();
        expected.is("cpu.packages[1].cpus", "4-6");
        expected.is("cpu.packages[2].cpus", "8");
        expected.rows("cpu.packages", [0, 1, 2]);
        expected.wants("nic.interfaces[eth0].mtu", Wanted::Between(1, 2));
        expected.wants("cpu.online", Wanted::Nothing);
        expected.wants("gpu.adapters", Wanted::Something);
        let said: Vec<String> = compare(&expected, &inventory())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            said,
            [
                r#"cpu.packages[1].cpus: expected "4-6", but the inventory tells "4-7""#,
                r#"cpu.packages[2].cpus: expected "8", but the inventory tells nothing"#,
                "cpu.packages: expected the rows 0, 1, 2, but the inventory tells the rows 0, 1",
                "nic.interfaces[eth0].mtu: expected a number from 1 to 2, but the inventory tells 1500",
                r#"cpu.online: expected nothing, but the inventory tells "0-7""#,
                "gpu.adapters: expected something, but the inventory tells nothing",
            ]
        );
    }
}
