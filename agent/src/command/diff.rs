//! `gnomon diff`: what changed between two inventories.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use libhw::diff::{self, Change, ChangeKind, Field};
use libhw::inventory::{self, Inventory, SCHEMA_VERSION, Scope};
use libhw::io::archive;
use libhw::units::{Bytes, BytesPerSecond, Hertz};
use serde::Serialize;
use serde_json::Value;

use crate::command::{self, Depth, Error, Form, Outcome};
use crate::host;
use crate::table::{Page, Paint, Style};

pub(crate) const HELP: &str = "\
Examples:
  gnomon inventory --json > before.json    keep how it is
  gnomon diff before.json live             what is different now
  gnomon diff node7.tar.gz node8.tar.gz    two captured machines
  gnomon diff --json before.json live      the same for a program
  gnomon diff --exit-code a.json b.json    for a script: is there a difference?

Output:
  + class table row ...                    a row that is new
  - class table row ...                    a row that is gone
  ~ class table row field before → after   a field of a row, or of the class where none is named
  A class that one side did not look at is left out.

Exit status:
  0 done, with --exit-code: and nothing differs
  1 failed, with --exit-code: or something differs";

/// The arguments of `gnomon diff`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DiffArguments {
    /// An inventory in JSON, a capture, a directory that holds sys/ or proc/, `live`, or - for JSON on standard input
    #[arg(value_name = "A", value_hint = ValueHint::AnyPath)]
    before: PathBuf,
    /// The same, later or elsewhere
    #[arg(value_name = "B", value_hint = ValueHint::AnyPath)]
    after: PathBuf,
    /// Compare also what changes without an event: free memory, frequencies, error counts
    #[arg(long)]
    live: bool,
    /// End with status 1 when something differs
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    depth: Depth,
    #[command(flatten)]
    form: Form,
}

/// What changed, for a program.
#[derive(Serialize)]
struct Report {
    schema_version: u32,
    kind: &'static str,
    before: String,
    after: String,
    changes: Vec<Change>,
}

/// No inventory of a machine is larger.
const JSON_MAX: u64 = 256 << 20;

/// Compares, and prints what changed.
pub(crate) fn run(arguments: &DiffArguments) -> Result<Outcome, Error> {
    let DiffArguments { before, after, .. } = arguments;
    if command::is_standard(before) && command::is_standard(after) {
        let text = "only one of the two can be standard input";
        return Err(Error::Usage(text.to_owned()));
    }
    let changes = diff::diff(
        &side(before, arguments.depth)?,
        &side(after, arguments.depth)?,
        arguments.live,
    );
    let report = Report {
        schema_version: SCHEMA_VERSION,
        kind: "gnomon.diff",
        before: before.display().to_string(),
        after: after.display().to_string(),
        changes,
    };
    arguments
        .form
        .write(&report, || view(&report.changes, Style::of_stdout()))?;
    let differs = arguments.exit_code && !report.changes.is_empty();
    Ok(if differs {
        Outcome::Differs
    } else {
        Outcome::Done
    })
}

/// The inventory that an argument stands for.
fn side(path: &Path, depth: Depth) -> Result<Inventory, Error> {
    let root = if path.as_os_str() == "live" {
        host::root(None)?
    } else if command::is_standard(path) {
        return parsed(path, io::stdin().lock());
    } else if holds_json(path) {
        let file = File::open(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        return parsed(path, file);
    } else {
        archive::open(path)?
    };
    let scope = Scope {
        deep: depth.deep,
        virtual_functions: depth.vfs,
        ..Scope::default()
    };
    Ok(inventory::discover(&root, &scope))
}

/// Whether a file begins as a JSON object does, which no archive does. What cannot be read is said later.
fn holds_json(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = |file: File| file.take(256).read_to_end(&mut head);
    let is_file = path.metadata().is_ok_and(|status| status.is_file());
    is_file && File::open(path).and_then(read).is_ok() && head.trim_ascii_start().starts_with(b"{")
}

fn parsed(path: &Path, file: impl Read) -> Result<Inventory, Error> {
    let path = path.to_owned();
    let mut text = Vec::new();
    if let Err(source) = file.take(JSON_MAX + 1).read_to_end(&mut text) {
        return Err(Error::Read { path, source });
    }
    if text.len() as u64 > JSON_MAX {
        let limit = JSON_MAX;
        return Err(Error::TooLarge { path, limit });
    }
    match Inventory::parse(&text) {
        Err(source) => Err(Error::NotAnInventory { path, source }),
        Ok(inventory) if inventory.schema_version != SCHEMA_VERSION => Err(Error::Schema {
            path,
            found: inventory.schema_version,
            known: SCHEMA_VERSION,
        }),
        Ok(inventory) => Ok(inventory),
    }
}

/// The changes for people, each on a line.
fn view(changes: &[Change], style: Style) -> String {
    let mut page = Page::new();
    for change in changes {
        let Change {
            class, table, id, ..
        } = change;
        let place = [class, table, id].map(String::as_str);
        let place = place.into_iter().filter(|part| !part.is_empty());
        let place = place.collect::<Vec<_>>().join(" ");
        match change.change {
            ChangeKind::Added => page.mark('+', Paint::Good, &whole(&place, change)),
            ChangeKind::Removed => page.mark('-', Paint::Bad, &whole(&place, change)),
            ChangeKind::Changed => {
                for field in &change.fields {
                    let text = format!("{place} {} {}", field.field, sides(field));
                    page.mark('~', Paint::Warning, &text);
                }
            }
        }
    }
    page.into_text(style)
}

/// The fields that tell a person what a row is, where it has them; the second name tells it better.
const TELLING: [(&str, &str); 16] = [
    ("class", ""),
    ("vendor", ""),
    ("vendor_id", "vendor"),
    ("device", ""),
    ("device_id", "device"),
    ("name", ""),
    ("level", ""),
    ("kind", ""),
    ("driver", ""),
    ("size_bytes", ""),
    ("memory_total_bytes", ""),
    ("total", ""),
    ("cpus", ""),
    ("nodes", ""),
    ("reason", ""),
    ("text", ""),
];

fn whole(place: &str, change: &Change) -> String {
    let field = |(name, better): &(&str, &str)| {
        let row = change
            .row
            .as_ref()
            .filter(|row| row.get(better).is_none())?;
        Some(shown(name, row.get(name)?)).filter(|text| !text.is_empty())
    };
    let fields: Vec<_> = TELLING.iter().filter_map(field).collect();
    format!("{place} {}", fields.join(" "))
        .trim_end()
        .to_owned()
}

fn sides(field: &Field) -> String {
    if let (Some(Value::Array(before)), Some(Value::Array(after))) = (&field.before, &field.after) {
        return words(before, after);
    }
    let side = |value: &Option<Value>| {
        let text = value.as_ref().map(|value| shown(&field.field, value));
        text.filter(|text| !text.is_empty())
            .unwrap_or_else(|| "none".to_owned())
    };
    format!("{} → {}", side(&field.before), side(&field.after))
}

/// Two lists of words as what left and what came: `-sse4_2 +avx512f`.
fn words(before: &[Value], after: &[Value]) -> String {
    let set = |side: &[Value]| side.iter().map(plain).collect::<BTreeSet<_>>();
    let (old, new) = (set(before), set(after));
    let gone = old.difference(&new).map(|word| format!("-{word}"));
    let come = new.difference(&old).map(|word| format!("+{word}"));
    let words: Vec<_> = gone.chain(come).collect();
    if words.is_empty() {
        "in another order".to_owned()
    } else {
        words.join(" ")
    }
}

type NumberForm = (&'static str, fn(u64) -> String);

/// How a number is written, by the end of its field's name; the first that fits.
const FORMS: [NumberForm; 8] = [
    ("_bytes_per_second", |value| {
        BytesPerSecond(value).to_string()
    }),
    ("_bytes", |value| Bytes(value).to_string()),
    ("_hz", |value| Hertz(value).to_string()),
    ("_ns", |value| format!("{value} ns")),
    ("_mtps", |value| format!("{value} MT/s")),
    ("class_id", |value| format!("0x{value:06x}")),
    ("vendor_id", |value| format!("0x{value:04x}")),
    ("device_id", |value| format!("0x{value:04x}")),
];

fn shown(name: &str, value: &Value) -> String {
    let form = FORMS.iter().find(|(end, _)| name.ends_with(end));
    match (form, value.as_u64()) {
        (Some((_, form)), Some(number)) => form(number),
        _ => plain(value),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use libhw::device::numa::{Node, Numa};
    use libhw::device::pci::{Function, Pci};

    use super::*;

    fn inventory(gib: u64, functions: Vec<Function>) -> Inventory {
        Inventory {
            numa: Some(Numa {
                nodes: vec![Node {
                    memory_total_bytes: Some(Bytes(gib << 30)),
                    ..Node::default()
                }],
                ..Numa::default()
            }),
            pci: Some(Pci { functions }),
            ..Inventory::default()
        }
    }

    #[test]
    fn changes_are_told_in_a_persons_units() {
        let card = Function {
            id: "0000:3b:00.0".into(),
            vendor_id: 0x8086,
            class: Some("Ethernet controller".into()),
            vendor: Some("Intel Corporation".into()),
            ..Function::default()
        };
        let other = Function {
            vendor_id: 0x15b3,
            driver: Some("mlx5_core".into()),
            ..card.clone()
        };
        let (before, after) = (inventory(64, vec![]), inventory(32, vec![card.clone()]));
        assert_eq!(
            view(&diff::diff(&before, &after, false), Style::default()),
            "~ numa nodes 0 memory_total_bytes 64 GiB → 32 GiB\n\
             + pci functions 0000:3b:00.0 Ethernet controller Intel Corporation 0x0000\n"
        );
        let (before, after) = (inventory(1, vec![card]), inventory(1, vec![other]));
        assert_eq!(
            view(&diff::diff(&before, &after, false), Style::default()),
            "~ pci functions 0000:3b:00.0 driver none → mlx5_core\n\
             ~ pci functions 0000:3b:00.0 vendor_id 0x8086 → 0x15b3\n"
        );
    }

    #[test]
    fn a_list_of_words_is_told_by_what_came_and_left() {
        let list = |text: &str| {
            text.chars()
                .map(|c| c.to_string().into())
                .collect::<Vec<Value>>()
        };
        assert_eq!(words(&list("abc"), &list("bcde")), "-a +d +e");
        assert_eq!(words(&list("ab"), &list("ba")), "in another order");
    }
}
