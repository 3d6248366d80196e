use super::*;

fn policy(id: u32, frequency: &str) -> Files {
    [
        ("affected_cpus", format!("{id}\n")),
        ("scaling_driver", "acpi-cpufreq\n".to_owned()),
        ("scaling_governor", "performance\n".to_owned()),
        ("cpuinfo_max_freq", "2300000\n".to_owned()),
        ("scaling_cur_freq", format!("{frequency}\n")),
    ]
    .map(|(name, text)| (format!("cpufreq/policy{id}/{name}"), text))
    .into()
}

#[test]
fn policies_tell_governor_and_frequencies() {
    let (cpu, problems) = read_all(&[told("0-1\n"), policy(0, "1200000"), policy(1, "<unknown>")]);
    assert_eq!(problems, []);
    assert_eq!(cpu.policies.len(), 2);
    let first = &cpu.policies[0];
    assert_eq!(
        (first.driver.as_deref(), first.governor.as_deref()),
        (Some("acpi-cpufreq"), Some("performance"))
    );
    assert_eq!(first.hardware_max_hz, Some(Hertz::from_khz(2_300_000)));
    assert_eq!(first.now.frequency_hz, Some(Hertz::from_khz(1_200_000)));
    assert_eq!(cpu.policies[1].now.frequency_hz, None);
}

#[test]
fn a_policy_with_no_cpu_online_is_left_out() {
    let (cpu, _) = read_all(&[told("0\n"), policy(0, "1"), policy(1, "1")]);
    assert_eq!(
        cpu.policies
            .iter()
            .map(|policy| policy.id)
            .collect::<Vec<_>>(),
        [0]
    );
}

#[test]
fn before_policies_each_cpu_has_its_own_directory() {
    let (cpu, _) = read_all(&[
        told("0-3\n"),
        each(0..4, "cpufreq/affected_cpus", |cpu| {
            if cpu < 2 { "0 1\n" } else { "2 3\n" }.into()
        }),
        each(0..4, "cpufreq/scaling_governor", |_| "ondemand\n".into()),
    ]);
    let policies: Vec<_> = cpu
        .policies
        .iter()
        .map(|policy| (policy.id, policy.cpus.to_string()))
        .collect();
    assert_eq!(policies, [(0, "0-1".into()), (2, "2-3".into())]);
}

#[test]
fn refresh_reads_the_frequencies_again_and_nothing_else() {
    let tree = tempfile::tempdir().unwrap();
    let place = tree.path().join(CPUS);
    let write = |name: &str, text: &str| {
        fs::create_dir_all(place.join(name).parent().unwrap()).unwrap();
        fs::write(place.join(name), text).unwrap();
    };
    write("online", "0\n");
    for (name, text) in policy(0, "1000") {
        write(&name, &text);
    }
    let (mut cpu, _) = read_tree(tree.path());
    write("cpufreq/policy0/scaling_cur_freq", "2000\n");
    write("cpufreq/policy0/scaling_governor", "powersave\n");
    let root = Root::captured(tree.path()).unwrap();
    refresh(&mut cpu, &Survey::new(&root, "cpu", false, false));
    assert_eq!(
        cpu.policies[0].now.frequency_hz,
        Some(Hertz::from_khz(2000))
    );
    assert_eq!(cpu.policies[0].governor.as_deref(), Some("performance"));
}

#[test]
fn turbo_switched_off_is_no_boost() {
    let (cpu, _) = read(&[("intel_pstate/no_turbo", "1\n")]);
    assert_eq!(cpu.boost, Some(false));
    let (cpu, _) = read(&[("cpufreq/boost", "1\n")]);
    assert_eq!(cpu.boost, Some(true));
}
