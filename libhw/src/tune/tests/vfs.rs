use super::*;

const CARD: &str = "sys/bus/pci/devices/0000:81:00.0";

fn card(number: u64) -> Tree {
    let tree = Tree::new(&[]);
    for (name, value) in [
        ("sriov_numvfs", number),
        ("sriov_totalvfs", 8),
        ("sriov_drivers_autoprobe", 1),
    ] {
        tree.write(&format!("{CARD}/{name}"), &format!("{value}\n"));
    }
    tree
}

fn functions(count: u64) -> VirtualFunctions {
    VirtualFunctions {
        address: "0000:81:00.0".parse().unwrap(),
        count,
        autoprobe: None,
        force: false,
    }
}

/// `sriov_numvfs` as drivers/pci/iov.c takes it: no other number while there are some.
fn iov(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
    let asked: u64 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
    if path.ends_with("sriov_numvfs") {
        let now = get(directory, path);
        if asked > get(directory, &path.replace("numvfs", "totalvfs")) {
            return Err(Errno::ERANGE);
        }
        if now != 0 && asked != 0 {
            return Err(Errno::EBUSY);
        }
    }
    put(directory, path, text);
    Ok(())
}

#[test]
fn virtual_functions_go_to_none_before_they_go_to_another_number() {
    for (before, asked, writes) in [
        (0, 4, &["4"][..]),
        (2, 4, &["0", "4"]),
        (4, 0, &["0"]),
        (4, 4, &[]),
    ] {
        let tree = card(before);
        let change =
            virtual_functions(&acting(&tree, iov), &functions(asked), Mode::Change).unwrap();
        assert_eq!(change.outcome, Outcome::Full, "{change}");
        let written: Vec<&str> = change
            .writes
            .iter()
            .map(|write| write.value.as_str())
            .collect();
        assert_eq!(written, writes);
        assert_eq!(
            get(tree.directory_path(), &format!("{CARD}/sriov_numvfs")),
            asked
        );
    }
}

#[test]
fn a_number_that_the_driver_refuses_leaves_as_many_as_before() {
    fn no_more_than_two(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
        match text.trim() {
            "3" | "4" if path.ends_with("sriov_numvfs") => Err(Errno::ENOSPC),
            _ => iov(directory, path, text),
        }
    }
    let tree = card(2);
    let asked = VirtualFunctions {
        autoprobe: Some(false),
        ..functions(4)
    };
    let change = virtual_functions(&acting(&tree, no_more_than_two), &asked, Mode::Change).unwrap();
    assert_eq!(refused(&change).0, Refusal::Busy);
    assert_eq!(
        get(tree.directory_path(), &format!("{CARD}/sriov_numvfs")),
        2
    );
    assert_eq!(
        get(
            tree.directory_path(),
            &format!("{CARD}/sriov_drivers_autoprobe")
        ),
        1
    );
    let undone: Vec<bool> = change.writes.iter().map(|write| write.undone).collect();
    assert_eq!(undone, [true, true, false]);
    assert!(!change.changed());
}

#[test]
fn what_cannot_be_set_back_is_said() {
    fn once(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
        match (path.ends_with("sriov_numvfs"), text.trim()) {
            (true, "0") => iov(directory, path, text),
            (true, _) => Err(Errno::EIO),
            _ => iov(directory, path, text),
        }
    }
    let tree = card(2);
    let change = virtual_functions(&acting(&tree, once), &functions(4), Mode::Change).unwrap();
    let (reason, detail) = refused(&change);
    assert_eq!(reason, Refusal::Failed);
    assert!(detail.contains("could not be set back to 2"), "{detail}");
    assert!(change.changed());
}

#[test]
fn a_driver_that_makes_fewer_took_it_in_part() {
    fn half(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
        let asked: u64 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
        iov(directory, path, &(asked / 2).to_string())
    }
    let tree = card(0);
    let change = virtual_functions(&acting(&tree, half), &functions(6), Mode::Change).unwrap();
    assert_eq!(
        change.outcome,
        Outcome::Partial {
            accepted: 3,
            asked: 6
        }
    );
}

#[test]
fn functions_that_a_guest_may_use_are_not_taken_away_unasked() {
    let tree = card(1);
    tree.link(&format!("{CARD}/virtfn0"), "../0000:81:00.1");
    tree.link(
        "sys/bus/pci/devices/0000:81:00.1/driver",
        "../../../drivers/vfio-pci",
    );
    let change = virtual_functions(&acting(&tree, iov), &functions(0), Mode::Change).unwrap();
    assert_eq!(
        refused(&change),
        (
            Refusal::Busy,
            "vfio-pci has the virtual functions 0, which guests may use"
        )
    );
    let asked = VirtualFunctions {
        force: true,
        ..functions(0)
    };
    let change = virtual_functions(&acting(&tree, iov), &asked, Mode::Change).unwrap();
    assert_eq!(change.outcome, Outcome::Full);
}

#[test]
fn functions_that_cannot_have_virtual_ones_are_refused() {
    let tree = card(0);
    tree.directory("sys/bus/pci/devices/0000:82:00.0/power");
    let root = acting(&tree, iov);
    let other = |address: &str| VirtualFunctions {
        address: address.parse().unwrap(),
        ..functions(1)
    };
    for (asked, reason) in [
        (functions(9), Refusal::Invalid),
        (other("0000:82:00.0"), Refusal::Unsupported),
        (other("0000:83:00.0"), Refusal::Invalid),
    ] {
        let change = virtual_functions(&root, &asked, Mode::Change).unwrap();
        assert_eq!(refused(&change).0, reason, "{change}");
    }
}
