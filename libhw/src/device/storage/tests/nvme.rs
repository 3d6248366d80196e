//! Controllers, namespaces and subsystems.

use super::*;

pub(super) const NVME: &[(&str, &str)] = &[
    (
        "sys/class/nvme/nvme0/model",
        "CT2000P3SSD8                            \n",
    ),
    ("sys/class/nvme/nvme0/serial", "2232E6429912        \n"),
    ("sys/class/nvme/nvme0/firmware_rev", "P9CR30A \n"),
    ("sys/class/nvme/nvme0/transport", "pcie\n"),
    ("sys/class/nvme/nvme0/address", "0000:01:00.0\n"),
    ("sys/class/nvme/nvme0/state", "live\n"),
    ("sys/class/nvme/nvme0/numa_node", "-1\n"),
    ("sys/class/nvme/nvme0/cntlid", "1\n"),
    ("sys/class/nvme/nvme0/queue_count", "17\n"),
    ("sys/class/nvme/nvme0/passthru_err_log_enabled", "off\n"),
    ("sys/class/nvme/nvme0/nvme0n1/nsid", "1\n"),
    ("sys/class/nvme/nvme0/nvme0n1/size", "3907029168\n"),
    ("sys/class/nvme/nvme0/nvme0n1/nuse", "3907029168\n"),
    ("sys/class/nvme/nvme0/nvme0n1/metadata_bytes", "0\n"),
    (
        "sys/class/nvme/nvme0/nvme0n1/queue/logical_block_size",
        "512\n",
    ),
    ("sys/class/nvme/nvme0/hwmon3/name", "nvme\n"),
    ("sys/class/nvme/nvme1/state", "resetting\n"),
    ("sys/class/nvme/nvme1/transport", "tcp\n"),
    (
        "sys/class/nvme/nvme1/nvme1c1n1/ana_state",
        "non-optimized\n",
    ),
    (
        "sys/class/nvme-subsystem/nvme-subsys1/subsysnqn",
        "nqn.2014-08.org.nvmexpress:uuid:b45d5e4b-1e7f-6ded-beef-deadcafe1234\n",
    ),
    (
        "sys/class/nvme-subsystem/nvme-subsys1/iopolicy",
        "round-robin\n",
    ),
    ("sys/class/nvme-subsystem/nvme-subsys1/nvme1/x", ""),
    ("sys/class/nvme-subsystem/nvme-subsys1/nvme10/x", ""),
    ("sys/class/nvme-subsystem/nvme-subsys1/nvme2/x", ""),
    ("sys/class/nvme-subsystem/nvme-subsys1/nvme1n1/nsid", "1\n"),
];

#[test]
fn nvme_controllers_namespaces_and_the_ways_to_them_are_told_apart() {
    let tree = Tree::new(NVME);
    let (storage, inventory) = look(&tree, false);
    assert_eq!(told(&inventory.problems), []);
    let [disk, network] = storage.nvme_controllers.as_slice() else {
        panic!("{storage:?}");
    };
    assert_eq!(disk.model.as_deref(), Some("CT2000P3SSD8"));
    assert_eq!(disk.function.as_deref(), Some("0000:01:00.0"));
    assert_eq!((disk.node, disk.queues), (None, Some(17)));
    assert_eq!(disk.passthrough_errors_logged, Some(false));
    assert_eq!(network.state, Some(ControllerState::Resetting));
    let rows: Vec<_> = storage
        .nvme_namespaces
        .iter()
        .map(|row| {
            (
                row.id.as_str(),
                row.controller.as_deref(),
                row.subsystem.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("nvme0n1", Some("nvme0"), None),
            ("nvme1c1n1", Some("nvme1"), None),
            ("nvme1n1", None, Some("nvme-subsys1")),
        ]
    );
    assert_eq!(
        storage.nvme_namespaces[0].size_bytes,
        Some(Bytes(2_000_398_934_016))
    );
    assert_eq!(storage.nvme_namespaces[0].blocks_used, None);
    assert_eq!(
        storage.nvme_namespaces[1].ana_state,
        Some(AnaState::NonOptimized)
    );
    let subsystem = &storage.nvme_subsystems[0];
    assert_eq!(subsystem.controllers, ["nvme1", "nvme2", "nvme10"]);
    assert_eq!(subsystem.namespaces, ["nvme1n1"]);
    assert_eq!(
        look(&tree, true).0.nvme_namespaces[0].blocks_used,
        Some(3_907_029_168)
    );
}
