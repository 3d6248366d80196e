use crate::inventory::Class;
use crate::tree::Tree;

use super::*;

fn gpu(tree: &Tree) -> (Gpu, Vec<crate::survey::Problem>) {
    let inventory = tree.discover(Class::Gpu);
    (inventory.gpu.unwrap(), inventory.problems)
}

#[test]
fn a_machine_without_accelerators_has_none() {
    assert_eq!(gpu(&Tree::new(&[])), (Gpu::default(), Vec::new()));
}
