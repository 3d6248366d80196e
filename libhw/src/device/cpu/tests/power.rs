//! Idle states, throttling, interrupts, resctrl and what steers the frequency.

use super::super::*;
use crate::inventory::{Class, Inventory, Scope, discover as discover_all};
use crate::tree::{Tree, told};

mod interrupts;

const CPUS: &str = "sys/devices/system/cpu";

fn cpu(tree: &Tree, deep: bool) -> (Cpu, Inventory) {
    let scope = Scope {
        classes: vec![Class::Cpu],
        deep,
        ..Scope::default()
    };
    let inventory = discover_all(&tree.root(), &scope);
    (inventory.cpu.clone().unwrap(), inventory)
}

/// Four CPUs, two threads to a core, two cores to a package.
fn four() -> Tree {
    let tree = Tree::new(&[]);
    for name in ["present", "online"] {
        tree.write(&format!("{CPUS}/{name}"), "0-3\n");
    }
    for cpu in 0..4_u32 {
        let core = cpu / 2 * 2;
        tree.write(
            &format!("{CPUS}/cpu{cpu}/topology/thread_siblings_list"),
            &format!("{core}-{}\n", core + 1),
        );
        tree.write(
            &format!("{CPUS}/cpu{cpu}/topology/core_siblings_list"),
            "0-3\n",
        );
        tree.write(
            &format!("{CPUS}/cpu{cpu}/topology/core_id"),
            &format!("{}\n", cpu / 2),
        );
        tree.write(
            &format!("{CPUS}/cpu{cpu}/topology/physical_package_id"),
            "0\n",
        );
    }
    tree
}

fn with_states(tree: &Tree, cpus: std::ops::Range<u32>, names: &[&str]) {
    for cpu in cpus {
        for (number, name) in names.iter().enumerate() {
            let directory = format!("{CPUS}/cpu{cpu}/cpuidle/state{number}");
            for (file, text) in [
                ("name", *name),
                ("desc", if number == 0 { "<null>" } else { "MWAIT 0x20" }),
                ("latency", "133"),
                ("residency", "600"),
                ("power", "4294967295"),
                ("default_status", "enabled"),
                ("disable", if cpu == 3 { "1" } else { "0" }),
                ("usage", "10"),
                ("time", "1000"),
                ("rejected", "1"),
                ("above", "2"),
                ("below", "3"),
            ] {
                tree.write(&format!("{directory}/{file}"), &format!("{text}\n"));
            }
        }
    }
}

/// Two kinds of cores, each with its own states.
fn hybrid() -> Tree {
    let tree = four();
    tree.write("sys/devices/cpu_core/cpus", "0-1\n");
    tree.write("sys/devices/cpu_atom/cpus", "2-3\n");
    tree.write(&format!("{CPUS}/cpuidle/current_driver"), "intel_idle\n");
    tree.write(&format!("{CPUS}/cpuidle/current_governor"), "menu\n");
    tree.write(
        &format!("{CPUS}/cpuidle/available_governors"),
        "menu teo \n",
    );
    with_states(&tree, 0..2, &["POLL", "C1E", "C6"]);
    with_states(&tree, 2..4, &["POLL", "C10"]);
    tree
}

#[test]
fn idle_states_are_read_once_for_each_kind() {
    let tree = hybrid();
    let (shallow, inventory) = cpu(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let idle = shallow.idle.unwrap();
    assert_eq!(
        (idle.driver.as_deref(), idle.governor.as_deref()),
        (Some("intel_idle"), Some("menu"))
    );
    assert_eq!(idle.available_governors, ["menu", "teo"]);
    let told: Vec<_> = idle
        .states
        .iter()
        .map(|state| (state.id.as_str(), state.kind, state.name.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("0/0", Some(0), Some("POLL")),
            ("0/1", Some(0), Some("C1E")),
            ("0/2", Some(0), Some("C6")),
            ("2/0", Some(2), Some("POLL")),
            ("2/1", Some(2), Some("C10")),
        ]
    );
    let c6 = &idle.states[2];
    assert_eq!(
        (
            c6.latency_us,
            c6.residency_us,
            c6.power_mw,
            c6.enabled_by_default
        ),
        (Some(133), Some(600), None, Some(true))
    );
    assert_eq!(
        (
            idle.states[0].description.as_deref(),
            c6.description.as_deref(),
            c6.now
        ),
        (None, Some("MWAIT 0x20"), None)
    );
}

#[test]
fn idle_states_are_counted_on_request_on_all_cpus_of_the_kind() {
    let tree = hybrid();
    let (mut deep, _) = cpu(&tree, true);
    let states = deep.idle.clone().unwrap().states;
    assert_eq!(states[4].disabled_cpus.to_string(), "3");
    let now = IdleStateNow {
        entered: 20,
        time_us: 2000,
        rejected: 2,
        too_deep: 4,
        too_shallow: 6,
    };
    assert_eq!(states[4].now, Some(now));
    tree.write(&format!("{CPUS}/cpu3/cpuidle/state1/usage"), "11\n");
    let root = tree.root();
    refresh(&mut deep, &Survey::new(&root, "cpu", false, false));
    assert_eq!(
        deep.idle.unwrap().states[4].now,
        Some(IdleStateNow { entered: 21, ..now })
    );
}

#[test]
fn a_kernel_without_idle_states_has_no_idle() {
    let tree = four();
    tree.write(&format!("{CPUS}/cpuidle/current_driver"), "none\n");
    assert_eq!(cpu(&tree, true).0.idle, None);
}

#[test]
fn heat_is_counted_once_for_each_package_and_on_request_for_each_core() {
    let tree = four();
    for cpu in 0..4 {
        let directory = format!("{CPUS}/cpu{cpu}/thermal_throttle");
        for (name, text) in [
            ("core_throttle_count", format!("{}\n", cpu / 2)),
            ("core_throttle_max_time_ms", "5\n".to_owned()),
            ("core_throttle_total_time_ms", "9\n".to_owned()),
            ("package_throttle_count", "7\n".to_owned()),
        ] {
            tree.write(&format!("{directory}/{name}"), &text);
        }
    }
    let told = |cpu: &Cpu| {
        cpu.throttles
            .iter()
            .map(|row| (row.id.clone(), row.now.count, row.now.longest_ms))
            .collect::<Vec<_>>()
    };
    let (shallow, inventory) = cpu(&tree, false);
    assert_eq!(inventory.problems, []);
    assert_eq!(told(&shallow), [("package0".to_owned(), Some(7), None)]);
    let (mut deep, _) = cpu(&tree, true);
    assert_eq!(
        told(&deep),
        [
            ("package0".to_owned(), Some(7), None),
            ("core0".to_owned(), Some(0), Some(5)),
            ("core2".to_owned(), Some(1), Some(5)),
        ]
    );
    tree.write(
        &format!("{CPUS}/cpu2/thermal_throttle/core_throttle_count"),
        "3\n",
    );
    let root = tree.root();
    refresh(&mut deep, &Survey::new(&root, "cpu", false, false));
    assert_eq!(deep.throttles[2].now.count, Some(3));
    assert!(cpu(&four(), true).0.throttles.is_empty());
}

/// Two groups, one of them with a group that monitors in it.
const RESCTRL: &[(&str, &str)] = &[
    ("info/L3/num_closids", "16"),
    ("info/L3/cbm_mask", "7ff"),
    ("info/L3/min_cbm_bits", "1"),
    ("info/L3/shareable_bits", "600"),
    ("info/L3/sparse_masks", "0"),
    ("info/MB/num_closids", "8"),
    ("info/MB/min_bandwidth", "10"),
    ("info/MB/bandwidth_gran", "10"),
    ("info/MB/delay_linear", "1"),
    ("info/MB/thread_throttle_mode", "max"),
    ("info/L3_MON/num_rmids", "176"),
    ("info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes"),
    ("info/last_cmd_status", "ok"),
    ("schemata", "    MB:0=100\n    L3:0=7ff"),
    ("mode", "shareable"),
    ("cpus_list", "0-1"),
    ("mon_data/mon_L3_00/llc_occupancy", "4096"),
    ("mon_data/mon_L3_00/mbm_total_bytes", "Unavailable"),
    ("vran/schemata", "L3:0=7"),
    ("vran/mode", "exclusive"),
    ("vran/cpus_list", "2-3"),
    ("vran/mon_groups/one/cpus_list", ""),
];

#[test]
fn shares_of_caches_are_those_of_each_group() {
    let tree = four();
    let resctrl = "sys/fs/resctrl";
    for (path, text) in RESCTRL {
        tree.write(&format!("{resctrl}/{path}"), &format!("{text}\n"));
    }
    let (shallow, inventory) = cpu(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let told = shallow.resctrl.unwrap();
    let ids: Vec<&str> = told.resources.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["L3", "L3_MON", "MB"]);
    assert_eq!(
        (
            told.resources[0].mask.as_deref(),
            told.resources[0].groups_max
        ),
        (Some("7ff"), Some(16))
    );
    assert_eq!(
        told.resources[1].features,
        ["llc_occupancy", "mbm_total_bytes"]
    );
    let groups: Vec<_> = told
        .groups
        .iter()
        .map(|one| {
            (
                one.id.as_str(),
                one.mode.clone(),
                one.shares.len(),
                one.now.is_some(),
            )
        })
        .collect();
    assert_eq!(
        groups,
        [
            ("/", Some(ResctrlMode::Shareable), 2, false),
            ("/vran", Some(ResctrlMode::Exclusive), 1, false),
            ("/vran/mon_groups/one", None, 0, false),
        ]
    );
    let (mut deep, _) = cpu(&tree, true);
    let counters = |cpu: &Cpu| {
        let now = cpu.resctrl.as_ref().unwrap().groups[0].now.clone().unwrap();
        now.counters
            .into_iter()
            .map(|one| one.bytes)
            .collect::<Vec<_>>()
    };
    assert_eq!(counters(&deep), [Some(4096), None]);
    tree.write(
        &format!("{resctrl}/mon_data/mon_L3_00/llc_occupancy"),
        "8192\n",
    );
    let root = tree.root();
    refresh(&mut deep, &Survey::new(&root, "cpu", false, false));
    assert_eq!(counters(&deep), [Some(8192), None]);
    let unmounted = four();
    unmounted.directory(resctrl);
    assert_eq!(cpu(&unmounted, true).0.resctrl, None);
}

/// A policy of all CPUs, its driver, and two uncores.
const SCALING: &[(&str, &str)] = &[
    ("amd_pstate/status", "guided"),
    ("amd_pstate/prefcore", "enabled"),
    ("cpufreq/policy0/affected_cpus", "0 1 2 3"),
    ("cpufreq/policy0/scaling_governor", "schedutil"),
    (
        "cpufreq/policy0/scaling_available_governors",
        "performance schedutil",
    ),
    (
        "intel_uncore_frequency/package_01_die_00/initial_min_freq_khz",
        "800000",
    ),
    (
        "intel_uncore_frequency/package_01_die_00/initial_max_freq_khz",
        "2400000",
    ),
    (
        "intel_uncore_frequency/package_01_die_00/min_freq_khz",
        "800000",
    ),
    (
        "intel_uncore_frequency/package_01_die_00/max_freq_khz",
        "2000000",
    ),
    (
        "intel_uncore_frequency/package_01_die_00/current_freq_khz",
        "1600000",
    ),
    ("intel_uncore_frequency/uncore02/package_id", "0"),
];

#[test]
fn what_steers_the_frequency_is_told_beside_the_policies() {
    let tree = four();
    for (path, text) in SCALING {
        tree.write(&format!("{CPUS}/{path}"), &format!("{text}\n"));
    }
    let (shallow, inventory) = cpu(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let scaling = shallow.scaling.unwrap();
    assert_eq!(
        (
            scaling.driver.as_deref(),
            scaling.status,
            scaling.preferred_cores
        ),
        (Some("amd_pstate"), Some(ScalingStatus::Guided), Some(true))
    );
    assert_eq!(scaling.available_governors, ["performance", "schedutil"]);
    let uncores: Vec<_> = shallow
        .uncores
        .iter()
        .map(|one| (one.id.as_str(), one.package, one.die, one.now.frequency_hz))
        .collect();
    assert_eq!(
        uncores,
        [
            ("package_01_die_00", Some(1), Some(0), None),
            ("uncore02", Some(0), None, None)
        ]
    );
    let (mut deep, _) = cpu(&tree, true);
    assert_eq!(
        deep.uncores[0].now.frequency_hz,
        Some(Hertz::from_khz(1_600_000))
    );
    tree.write(
        &format!("{CPUS}/intel_uncore_frequency/package_01_die_00/current_freq_khz"),
        "1700000\n",
    );
    let root = tree.root();
    refresh(&mut deep, &Survey::new(&root, "cpu", false, false));
    assert_eq!(
        deep.uncores[0].now.frequency_hz,
        Some(Hertz::from_khz(1_700_000))
    );
}

#[test]
fn files_of_power_and_shares_that_are_broken_break_nothing() {
    const FILES: [&str; 18] = [
        "proc/interrupts",
        "proc/irq/default_smp_affinity",
        "proc/irq/9/smp_affinity_list",
        "sys/fs/resctrl/info/L3/num_closids",
        "sys/fs/resctrl/schemata",
        "sys/fs/resctrl/mode",
        "sys/fs/resctrl/mon_data/mon_L3_00/llc_occupancy",
        "sys/devices/system/cpu/cpuidle/current_driver",
        "sys/devices/system/cpu/cpu0/cpuidle/state0/name",
        "sys/devices/system/cpu/cpu0/cpuidle/state0/latency",
        "sys/devices/system/cpu/cpu0/cpuidle/state0/disable",
        "sys/devices/system/cpu/cpu0/cpuidle/state0/usage",
        "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count",
        "sys/devices/system/cpu/intel_pstate/status",
        "sys/devices/system/cpu/intel_pstate/max_perf_pct",
        "sys/devices/system/cpu/intel_uncore_frequency/package_x_die_y/max_freq_khz",
        "sys/devices/system/cpu/cpufreq/policy0/affected_cpus",
        "sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors",
    ];
    for odd in [
        "",
        "\0",
        "(null)\n",
        "99999999999999999999999\n",
        "a b c\n",
        "-1\n",
        "CPU0 CPU1\n:\n9: 18446744073709551615 1 x\n9: 1 1\n",
        "L3:0=f;\n",
        "[]\n",
    ] {
        let tree = four();
        for path in FILES {
            tree.write(path, odd);
        }
        let (_, inventory) = cpu(&tree, true);
        let json = serde_json::to_string(&inventory).unwrap();
        assert_eq!(
            serde_json::from_str::<Inventory>(&json).unwrap(),
            inventory,
            "{odd:?}"
        );
        tree.fail(&FILES.map(|path| (path, 5)));
        let (_, inventory) = cpu(&tree, true);
        assert!(
            told(&inventory.problems)
                .iter()
                .all(|(_, reason)| *reason == "unreadable")
        );
    }
}
