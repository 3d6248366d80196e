use super::*;

fn policies() -> Tree {
    let tree = Tree::new(&[]);
    for (policy, cpus) in [(0, "0"), (1, "1"), (2, "2 3")] {
        let directory = format!("sys/devices/system/cpu/cpufreq/policy{policy}");
        for (name, text) in [
            ("affected_cpus", cpus),
            ("scaling_governor", "powersave"),
            ("scaling_available_governors", "performance powersave"),
            ("energy_performance_preference", "balance_power"),
            (
                "energy_performance_available_preferences",
                "default performance balance_power power",
            ),
        ] {
            tree.write(&format!("{directory}/{name}"), &format!("{text}\n"));
        }
    }
    tree
}

fn governors(tree: &Tree) -> Vec<String> {
    let read = |policy| {
        tree.root().text(&format!(
            "sys/devices/system/cpu/cpufreq/policy{policy}/scaling_governor"
        ))
    };
    (0..3)
        .map(|policy| read(policy).unwrap().unwrap().trim().to_owned())
        .collect()
}

fn performance(cpus: Option<&str>) -> Governor {
    Governor {
        name: Some("performance".to_owned()),
        preference: None,
        cpus: cpus.map(|cpus| cpus.parse().unwrap()),
    }
}

#[test]
fn a_governor_is_set_for_the_cpus_that_are_named_and_no_others() {
    let tree = policies();
    let root = acting(&tree, willing);
    let change = governor(&root, &performance(Some("0,2-3")), Mode::Change).unwrap();
    assert_eq!(
        (change.outcome.clone(), change.writes.len()),
        (Outcome::Full, 2)
    );
    assert_eq!(
        governors(&tree),
        ["performance", "powersave", "performance"]
    );
    let change = governor(&root, &performance(None), Mode::Change).unwrap();
    assert_eq!(
        (change.outcome.clone(), change.writes.len()),
        (Outcome::Full, 1)
    );
    assert!(
        change
            .to_string()
            .starts_with("tune governor all cpus to performance by uid ")
    );
}

#[test]
fn a_governor_that_one_policy_refuses_is_set_for_none() {
    fn not_the_last(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
        match path.contains("policy2") {
            true => Err(Errno::EINVAL),
            false => willing(directory, path, text),
        }
    }
    fn not_really(directory: &Path, path: &str, text: &str) -> Result<(), Errno> {
        match path.contains("policy1") {
            true => Ok(()),
            false => willing(directory, path, text),
        }
    }
    for (kernel, reason) in [
        (not_the_last as fn(&Path, &str, &str) -> _, Refusal::Invalid),
        (not_really, Refusal::Failed),
    ] {
        let tree = policies();
        let change = governor(&acting(&tree, kernel), &performance(None), Mode::Change).unwrap();
        assert_eq!(refused(&change).0, reason, "{change}");
        assert_eq!(governors(&tree), ["powersave", "powersave", "powersave"]);
    }
}

#[test]
fn a_preference_is_a_word_that_is_offered_or_a_number() {
    let tree = policies();
    let root = acting(&tree, willing);
    let asked = |word: &str| Governor {
        preference: Some(word.to_owned()),
        ..Governor::default()
    };
    for word in ["power", "128"] {
        let change = governor(&root, &asked(word), Mode::Change).unwrap();
        assert_eq!(change.outcome, Outcome::Full, "{change}");
    }
    let change = governor(&root, &asked("turbo"), Mode::Change).unwrap();
    assert_eq!(refused(&change).0, Refusal::Unsupported);
}

#[test]
fn cpus_and_governors_that_do_not_fit_are_refused() {
    let tree = policies();
    let root = acting(&tree, willing);
    let unknown = Governor {
        name: Some("ondemand".to_owned()),
        ..Governor::default()
    };
    for (asked, reason, detail) in [
        (
            performance(Some("2")),
            Refusal::Invalid,
            "cpus 2-3 change frequency together: name also 3",
        ),
        (
            performance(Some("0,7")),
            Refusal::Invalid,
            "cpus 7 have no frequency to be chosen, or are offline",
        ),
        (
            unknown,
            Refusal::Unsupported,
            "policy0 does not offer ondemand: there are performance powersave",
        ),
    ] {
        let change = governor(&root, &asked, Mode::Change).unwrap();
        assert_eq!(refused(&change), (reason, detail));
    }
    assert_eq!(governors(&tree), ["powersave", "powersave", "powersave"]);
    let none = Tree::new(&[("sys/x", "")]);
    let change = governor(&acting(&none, willing), &performance(None), Mode::Change).unwrap();
    assert_eq!(
        refused(&change),
        (Refusal::Unsupported, "no driver of cpufreq")
    );
}
