use super::*;

const PLACE: &str = "sys/devices/system/machinecheck";

fn amd() -> Tree {
    let tree = Tree::new(&[
        (&format!("{PLACE}/machinecheck0/bank0"), "ffffffff\n"),
        (&format!("{PLACE}/machinecheck0/check_interval"), "300\n"),
        (&format!("{PLACE}/machinecheck0/power/control"), "auto\n"),
    ]);
    for (block, limit, interrupt, count) in [
        ("machinecheck0/l2_cache/l2_cache", "4095\n", "1\n", "0\n"),
        ("machinecheck0/umc_0/dram_ecc", "4095\n", "1\n", "3\n"),
        ("machinecheck0/umc_0/misc_umc", "4095\n", "1\n", "0\n"),
        ("machinecheck1/l2_cache/l2_cache", "4000\n", "0\n", "17\n"),
    ] {
        for (name, text) in [
            ("threshold_limit", limit),
            ("interrupt_enable", interrupt),
            ("error_count", count),
        ] {
            tree.write(&format!("{PLACE}/{block}/{name}"), text);
        }
    }
    tree
}

fn deep(tree: &Tree) -> (Ras, Vec<Problem>) {
    let inventory = tree.discover_deep(Class::Ras);
    (inventory.ras.unwrap(), inventory.problems)
}

#[test]
fn amds_counters_are_told_by_block_with_the_cpus_that_counted() {
    let tree = amd();
    assert_eq!(read(&tree).0.thresholds, []);
    let (ras, problems) = deep(&tree);
    assert_eq!(told(&problems), []);
    let rows: Vec<_> = ras
        .thresholds
        .iter()
        .map(|row| {
            (
                row.id.as_str(),
                row.cpus.to_string(),
                row.limit,
                row.interrupt,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "l2_cache/l2_cache",
                "0-1".to_owned(),
                Some(4000),
                Some(false)
            ),
            ("umc_0/dram_ecc", "0".to_owned(), Some(4095), Some(true)),
            ("umc_0/misc_umc", "0".to_owned(), Some(4095), Some(true)),
        ]
    );
    let errors: Vec<_> = ras.thresholds.iter().map(|row| &row.now.errors).collect();
    assert_eq!(errors[0].iter().collect::<Vec<_>>(), [(&1, &17)]);
    assert_eq!(errors[1].iter().collect::<Vec<_>>(), [(&0, &3)]);
    tree.write(
        &format!("{PLACE}/machinecheck0/umc_0/dram_ecc/error_count"),
        "4\n",
    );
    let ras = refreshed(ras, &tree);
    assert_eq!(ras.thresholds[1].now.errors[&0], 4);
}

#[test]
fn a_malformed_counter_hides_no_other() {
    let tree = amd();
    let umc = format!("{PLACE}/machinecheck0/umc_0/dram_ecc");
    tree.write(&format!("{umc}/error_count"), "-1\n");
    tree.write(&format!("{umc}/threshold_limit"), "\0\n");
    tree.write(&format!("{umc}/interrupt_enable"), "99999999999999999999\n");
    tree.write(&format!("{PLACE}/machinecheck0/odd"), "x");
    tree.fail(&[(&format!("{PLACE}/machinecheck1/l2_cache"), libc::EACCES)]);
    let (ras, problems) = deep(&tree);
    assert_eq!(ras.thresholds.len(), 3);
    assert_eq!(ras.thresholds[1].limit, None);
    assert_eq!(ras.thresholds[0].cpus.to_string(), "0");
    assert_eq!(
        told(&problems),
        [
            (format!("/{umc}/error_count").as_str(), "malformed"),
            (format!("/{umc}/interrupt_enable").as_str(), "malformed"),
            (
                "/sys/devices/system/machinecheck/machinecheck1/l2_cache",
                "denied"
            ),
        ]
    );
}
