//! What comes and goes, before drivers are asked.

use proptest::collection::btree_map;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::inventory::{Inventory, Scope};

/// A port of hardware, one of virtio, and two that software made.
const KINDS: [(u16, &str, &str); 4] = [
    (1, "pci", ""),
    (1, "virtio", ""),
    (1, "", "veth"),
    (772, "", ""),
];

/// Interfaces, each of one of those kinds, by number.
fn machine(interfaces: &BTreeMap<u32, usize>) -> Tree {
    let links: Vec<Value> = interfaces
        .iter()
        .map(|(index, of)| {
            let (link_type, bus, kind) = KINDS[*of];
            let mut link = json!({"name": format!("if{index}-{of}"), "index": index,
                "link_type": link_type, "mtu": 1500});
            for (field, word) in [("parent_bus", bus), ("kind", kind)] {
                if !word.is_empty() {
                    link[field] = json!(word);
                }
            }
            link
        })
        .collect();
    Tree::new(&[(
        "gnomon/probes/nic-links.json",
        &Value::from(links).to_string(),
    )])
}

fn skim(inventory: &mut Inventory, tree: &Tree) -> bool {
    inventory.skim(Class::Nic, &tree.root(), &Scope::default())
}

fn interfaces() -> impl Strategy<Value = BTreeMap<u32, usize>> {
    btree_map(1..7_u32, 0..KINDS.len(), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_skim_has_the_interfaces_of_a_whole_look(before in interfaces(), after in interfaces()) {
        let mut inventory = machine(&before).discover(Class::Nic);
        let known = inventory.clone();
        let tree = machine(&after);
        let whole = tree.discover(Class::Nic);
        // No driver answers here, so a whole look knows no more of them.
        if skim(&mut inventory, &tree) {
            prop_assert_eq!(inventory.nic, whole.nic);
        } else {
            prop_assert_eq!(&inventory, &known);
            let made = |kind: &usize| KINDS[*kind].0 == 772 || !KINDS[*kind].2.is_empty();
            for (index, kind) in &after {
                prop_assert!(made(kind) || before.get(index) == Some(kind));
            }
        }
    }
}

#[test]
fn what_has_no_answer_is_not_skimmed() {
    let mut inventory = machine(&BTreeMap::from([(1, 0)])).discover(Class::Nic);
    let known = inventory.clone();
    assert!(!skim(&mut inventory, &Tree::new(&[])));
    assert_eq!(inventory, known);
}
