use super::*;

#[test]
fn a_container_sees_its_own_group_wherever_it_is_mounted() {
    for (mount, member, directory) in [
        (
            "9 8 0:2 /docker/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "0::/docker/c1\n",
            "/sys/fs/cgroup",
        ),
        (
            "9 8 0:2 /docker/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "0::/docker/c1/in\n",
            "/sys/fs/cgroup/in",
        ),
        (
            "9 8 0:2 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "0::/../other\n",
            "/sys/fs/cgroup",
        ),
        (
            "9 8 0:2 /elsewhere /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "0::/docker/c1\n",
            "/sys/fs/cgroup",
        ),
        (
            "9 8 0:2 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "0::/gone\n",
            "/sys/fs/cgroup",
        ),
    ] {
        let tree = Tree::new(&[
            ("proc/self/mountinfo", mount),
            ("proc/self/cgroup", member),
            ("sys/fs/cgroup/memory.max", "1048576\n"),
            ("sys/fs/cgroup/in/memory.max", "max\n"),
            ("sys/fs/cgroup/in/pids.max", "10\n"),
        ]);
        let (limits, _) = limits(&tree);
        let own = &limits.cgroups[0];
        assert_eq!(
            (own.directory.as_str(), own.distance),
            (directory, 0),
            "{member}"
        );
        assert_eq!(
            limits.effective.memory.as_ref().map(|bound| bound.limit),
            Some(1 << 20)
        );
    }
}

#[test]
fn marks_of_containers_are_known() {
    for (files, kind) in [
        (&[(".dockerenv", "")][..], ContainerKind::Docker),
        (
            &[("run/.containerenv", "engine=\"podman-4.3.1\"\nname=\"x\"\n")],
            ContainerKind::Podman,
        ),
        (
            &[("run/systemd/container", "systemd-nspawn\n")],
            ContainerKind::Nspawn,
        ),
        (
            &[("run/systemd/container", "wsl\n")],
            ContainerKind::Other("wsl".into()),
        ),
        (
            &[
                ("run/secrets/kubernetes.io/serviceaccount/namespace", "x"),
                (".dockerenv", ""),
            ],
            ContainerKind::Kubernetes,
        ),
    ] {
        let (limits, _) = limits(&Tree::new(files));
        let container = limits.container.unwrap();
        assert_eq!(
            (container.kind, container.evidence.len()),
            (kind, files.len())
        );
    }
    let (limits, _) = limits(&Tree::new(&[("proc/x", "")]));
    assert_eq!(limits.container, None);
    assert_eq!(
        serde_json::to_string(&ContainerKind::Other("wsl".into())).unwrap(),
        "\"wsl\""
    );
}

#[test]
fn a_daemon_of_an_engine_is_no_container_of_it() {
    let tree = unified("/system.slice/docker.service");
    tree.write("sys/fs/cgroup/system.slice/docker.service/pids.max", "1\n");
    assert_eq!(limits(&tree).0.container, None);
    let tree = unified("/system.slice/docker-0123.scope");
    tree.write(
        "sys/fs/cgroup/system.slice/docker-0123.scope/pids.max",
        "1\n",
    );
    assert!(limits(&tree).0.container.is_some());
}
