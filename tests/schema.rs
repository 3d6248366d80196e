//! Does the inventory's JSON hold to the schema that is checked in?

use jsonschema::Validator;
use libhw::inventory::{self, Inventory, Scope};
use libhw::io::root::Root;
use serde_json::{Value, json};
use support::synthetic::Shape;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/inventory.schema.json");

#[test]
fn the_schema_that_is_checked_in_is_the_one_of_the_types() {
    let made = schema();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap();
        std::fs::write(GOLDEN, text + "\n").unwrap();
    }
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(GOLDEN).unwrap()).unwrap();
    let same = made == golden;
    assert!(
        same,
        "UPDATE_GOLDEN=1 writes it anew; git diff then shows what clients will see"
    );
}

#[test]
fn this_host_holds_to_the_schema() {
    let inventory = inventory::discover(&Root::live().unwrap(), &closest());
    assert_eq!(faults(&strict(), &inventory), Vec::<String>::new());
}

#[test]
fn a_made_up_machine_holds_to_the_schema_and_has_no_problems() {
    let shape = Shape {
        packages: 2,
        dies: 2,
        cores: 2,
        threads: 2,
        functions: 3,
    };
    let directory = tempfile::tempdir().unwrap();
    support::synthetic::write(&support::synthetic::tree(shape), directory.path()).unwrap();
    let inventory = inventory::discover(&Root::captured(directory.path()).unwrap(), &closest());
    assert_eq!(faults(&strict(), &inventory), Vec::<String>::new());
    assert_eq!(inventory.problems, []);
}

#[test]
fn every_captured_machine_holds_to_the_schema() {
    let Some(trees) = support::trees() else {
        return;
    };
    let validator = strict();
    for tree in trees {
        let root = Root::captured(&tree.directory).unwrap();
        let inventory = inventory::discover(&root, &closest());
        let faults = faults(&validator, &inventory);
        assert_eq!(faults, Vec::<String>::new(), "{}", tree.name);
    }
}

#[test]
fn a_wrong_document_is_refused() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let right = json!({"schema_version": 1, "kind": "gnomon.inventory", "problems": []});
    assert!(validator.is_valid(&right));
    for (pointer, wrong) in [
        ("/schema_version", json!("1")),
        ("/schema_version", json!(-1)),
        ("/kind", json!("lshw")),
        ("/problems", json!([{"class": "cpu"}])),
        (
            "/problems",
            json!([{"class": "cpu", "path": "/sys", "reason": "shy"}]),
        ),
        ("/problems", json!(null)),
    ] {
        let mut document = right.clone();
        *document.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&document), "{document}");
    }
    for wrong in [
        json!({"packages": [{"id": "zero"}]}),
        json!({"online": "0,,1"}),
        json!({"caches": [{"id": "L1d.0", "level": 1, "kind": "Purple", "cpus": "0"}]}),
    ] {
        let mut document = right.clone();
        document["cpu"] = wrong;
        assert!(!validator.is_valid(&document), "{document}");
    }
}

/// Everything that can be asked.
fn closest() -> Scope {
    Scope {
        deep: true,
        virtual_functions: true,
        ..Scope::default()
    }
}

fn schema() -> Value {
    schemars::schema_for!(Inventory).to_value()
}

/// The schema as a promise to us: clients must bear fields that they don't know, but our own output has none.
fn strict() -> Validator {
    let mut schema = schema();
    close(&mut schema);
    for definition in schema["$defs"].as_object_mut().unwrap().values_mut() {
        close(definition);
    }
    jsonschema::validator_for(&schema).unwrap()
}

fn close(schema: &mut Value) {
    if schema.get("properties").is_some() {
        schema["unevaluatedProperties"] = false.into();
    }
}

/// What is wrong with an inventory, at most a few of all.
fn faults(validator: &Validator, inventory: &Inventory) -> Vec<String> {
    let document = serde_json::to_value(inventory).unwrap();
    let faults = validator.iter_errors(&document).take(5);
    faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}
