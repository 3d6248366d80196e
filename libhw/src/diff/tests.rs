use proptest::prelude::*;

use super::*;
use crate::device::cpu::{Cpu, Model};
use crate::device::numa::{Access, Node, Numa};
use crate::device::pci::{Bar, Function, Link, Pci};
use crate::device::system::System;
use crate::survey::{Problem, Reason};
use crate::units::Bytes;

fn with_pci(functions: Vec<Function>) -> Inventory {
    Inventory {
        pci: Some(Pci { functions }),
        ..Inventory::default()
    }
}

fn function(id: &str, vendor_id: u16) -> Function {
    Function {
        id: id.to_owned(),
        vendor_id,
        ..Function::default()
    }
}

fn node(id: u32, gib: u64) -> Node {
    Node {
        id,
        memory_total_bytes: Some(Bytes(gib << 30)),
        ..Node::default()
    }
}

fn with_numa(nodes: Vec<Node>) -> Inventory {
    Inventory {
        numa: Some(Numa {
            nodes,
            ..Numa::default()
        }),
        ..Inventory::default()
    }
}

fn lines(changes: &[Change]) -> Vec<String> {
    let line = |change: &Change| {
        let fields: Vec<_> = change
            .fields
            .iter()
            .map(|field| {
                let text =
                    |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
                format!(
                    " {}: {} -> {}",
                    field.field,
                    text(&field.before),
                    text(&field.after)
                )
            })
            .collect();
        let sign = match change.change {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        format!(
            "{sign} {} {} {}{}",
            change.class,
            change.table,
            change.id,
            fields.concat()
        )
    };
    changes.iter().map(line).collect()
}

#[test]
fn rows_are_matched_by_id_wherever_they_stand() {
    let before = with_pci(vec![
        function("0000:00:01.0", 1),
        function("0000:00:02.0", 2),
    ]);
    let after = with_pci(vec![
        function("0000:00:00.0", 9),
        function("0000:00:02.0", 3),
    ]);
    let changes = diff(&before, &after, false);
    assert_eq!(
        lines(&changes),
        [
            "- pci functions 0000:00:01.0",
            "~ pci functions 0000:00:02.0 vendor_id: 2 -> 3",
            "+ pci functions 0000:00:00.0",
        ]
    );
    let rows: Vec<_> = changes
        .iter()
        .map(|change| change.row.as_ref().map(|row| row["vendor_id"].clone()))
        .collect();
    assert_eq!(rows, [Some(1.into()), None, Some(9.into())]);
}

#[test]
fn a_field_is_named_by_its_path() {
    let mut before = function("0000:00:01.0", 1);
    let mut after = before.clone();
    before.link_max = Some(Link {
        speed_mtps: Some(8000),
        width: Some(16),
    });
    after.link_max = Some(Link {
        speed_mtps: Some(8000),
        width: None,
    });
    let bar = |id, size| Bar {
        id,
        size_bytes: Bytes(size),
        ..Bar::default()
    };
    before.bars = vec![bar(0, 4096), bar(2, 4096)];
    after.bars = vec![bar(2, 8192)];
    let changes = diff(&with_pci(vec![before]), &with_pci(vec![after]), false);
    let fields: Vec<_> = changes[0]
        .fields
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["bars.0", "bars.2.size_bytes", "link_max.width"]);
}

#[test]
fn rows_without_an_id_are_compared_by_place() {
    let mut before = node(0, 1);
    let mut after = node(0, 1);
    before.access = vec![Access::default()];
    after.access = vec![
        Access {
            class: 1,
            ..Access::default()
        },
        Access::default(),
    ];
    let changes = diff(&with_numa(vec![before]), &with_numa(vec![after]), false);
    let fields: Vec<_> = changes[0]
        .fields
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["access.0.class", "access.1"]);
}

#[test]
fn a_class_has_fields_of_its_own() {
    let host = |name: &str| Inventory {
        system: Some(System {
            hostname: Some(name.to_owned()),
            ..System::default()
        }),
        ..Inventory::default()
    };
    assert_eq!(
        lines(&diff(&host("a"), &host("b"), false)),
        ["~ system   hostname: \"a\" -> \"b\""]
    );
}

#[test]
fn a_list_of_words_is_one_value() {
    let cpu = |flags: &[&str]| Inventory {
        cpu: Some(Cpu {
            models: vec![Model {
                flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
                ..Model::default()
            }],
            ..Cpu::default()
        }),
        ..Inventory::default()
    };
    assert_eq!(
        lines(&diff(&cpu(&["a", "b"]), &cpu(&["b"]), false)),
        ["~ cpu models 0 flags: [\"a\",\"b\"] -> [\"b\"]"]
    );
}

#[test]
fn what_changes_without_an_event_is_compared_only_when_asked_for() {
    let mut after = node(0, 1);
    after.now.memory_free_bytes = Some(Bytes(1));
    let (before, after) = (with_numa(vec![node(0, 1)]), with_numa(vec![after]));
    assert_eq!(diff(&before, &after, false), []);
    assert_eq!(
        lines(&diff(&before, &after, true)),
        ["~ numa nodes 0 now.memory_free_bytes: - -> 1"]
    );
}

#[test]
fn an_added_row_holds_nothing_that_changes_without_an_event() {
    let changes = diff(&with_numa(vec![]), &with_numa(vec![node(1, 1)]), false);
    assert_eq!(lines(&changes), ["+ numa nodes 1"]);
    assert_eq!(changes[0].row.as_ref().and_then(|row| row.get("now")), None);
}

#[test]
fn a_class_that_was_not_looked_at_has_not_changed() {
    let before = with_numa(vec![node(0, 1)]);
    let after = with_pci(vec![function("0000:00:01.0", 1)]);
    assert_eq!(diff(&before, &after, true), []);
}

#[test]
fn problems_are_a_table_of_their_class() {
    let with = |reason| {
        let mut inventory = with_pci(vec![]);
        inventory.problems = vec![
            Problem {
                class: "pci".into(),
                path: "/sys/a".into(),
                reason,
            },
            Problem {
                class: "cpu".into(),
                path: "/sys/b".into(),
                reason: Reason::Denied,
            },
        ];
        inventory
    };
    assert_eq!(
        lines(&diff(
            &with(Reason::Denied),
            &with(Reason::Unsupported),
            false
        )),
        ["~ pci problems /sys/a reason: \"denied\" -> \"unsupported\""]
    );
    assert_eq!(
        lines(&diff(&with_pci(vec![]), &with(Reason::Denied), false)),
        ["+ pci problems /sys/a"]
    );
}

#[test]
fn rows_that_share_an_id_are_paired_in_order() {
    let (a, b) = (function("x", 1), function("x", 2));
    let before = with_pci(vec![a.clone(), b.clone()]);
    assert_eq!(diff(&before, &before, false), []);
    assert_eq!(
        lines(&diff(
            &before,
            &with_pci(vec![a, b, function("x", 3)]),
            false
        )),
        ["+ pci functions x"]
    );
}

/// Makes of `before`'s table what `changes` say that it became.
fn replay(before: &Inventory, changes: &[Change]) -> Vec<Value> {
    let mut rows = match serde_json::to_value(before).unwrap()["pci"]["functions"].clone() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    for change in changes {
        match change.change {
            ChangeKind::Removed => rows.retain(|row| row["id"] != *change.id),
            ChangeKind::Added => rows.push(change.row.clone().unwrap()),
            ChangeKind::Changed => {
                let row = rows.iter_mut().find(|row| row["id"] == *change.id).unwrap();
                for field in &change.fields {
                    let fields = row.as_object_mut().unwrap();
                    match &field.after {
                        Some(value) => fields.insert(field.field.clone(), value.clone()),
                        None => fields.remove(&field.field),
                    };
                }
            }
        }
    }
    rows.sort_by_key(|row| row["id"].to_string());
    rows
}

fn functions() -> impl Strategy<Value = Vec<Function>> {
    let row = (
        0_u8..12,
        any::<u16>(),
        proptest::option::of("[a-z]{1,3}"),
        proptest::option::of(0_u32..3),
    );
    proptest::collection::btree_map(0_u8..12, row, 0..8).prop_map(|rows| {
        rows.into_iter()
            .map(|(id, (_, vendor_id, driver, node))| Function {
                driver,
                node,
                ..function(&format!("0000:00:{id:02x}.0"), vendor_id)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn an_inventory_does_not_differ_from_itself(rows in functions(), live in any::<bool>()) {
        let inventory = with_pci(rows);
        prop_assert_eq!(diff(&inventory, &inventory, live), vec![]);
    }

    #[test]
    fn the_changes_lead_from_one_to_the_other(before in functions(), after in functions()) {
        let (before, after) = (with_pci(before), with_pci(after));
        let changes = diff(&before, &after, true);
        prop_assert_eq!(replay(&before, &changes), replay(&after, &[]));
        prop_assert_eq!(&changes, &diff(&before, &after, true));
    }

    #[test]
    fn the_way_back_has_as_many_changes(before in functions(), after in functions()) {
        let (before, after) = (with_pci(before), with_pci(after));
        prop_assert_eq!(diff(&before, &after, true).len(), diff(&after, &before, true).len());
    }
}
