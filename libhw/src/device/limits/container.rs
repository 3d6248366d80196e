//! Whether we run in a container, by the marks that container engines leave.
//!
//! `/run/.containerenv` (podman), `/.dockerenv` (docker), `/run/systemd/container` (systemd's container interface,
//! <https://systemd.io/CONTAINER_INTERFACE>), the secrets that Kubernetes mounts, and the names of control groups. The environment
//! of process 1 would tell too, but holds secrets, so it is never read.

use serde::{Deserialize, Serialize};

use super::Cgroup;
use crate::survey::Survey;

/// The container that we run in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Container {
    /// What runs it.
    pub kind: ContainerKind,
    /// What told of it: paths, or the `id` of a control group.
    pub evidence: Vec<String>,
}

/// What runs a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContainerKind {
    /// A pod of Kubernetes, by whatever engine.
    Kubernetes,
    /// Docker.
    Docker,
    /// Podman, or another user of libpod.
    Podman,
    /// CRI-O.
    Crio,
    /// containerd.
    Containerd,
    /// LXC, LXD or Incus.
    Lxc,
    /// systemd-nspawn.
    Nspawn,
    /// What the container interface calls itself.
    #[serde(untagged)]
    Other(String),
}

/// Files that stand in one sort of container only; docker's is empty.
const FILES: [(&str, ContainerKind); 2] = [
    ("run/.containerenv", ContainerKind::Podman),
    (".dockerenv", ContainerKind::Docker),
];

/// Where every pod's account is mounted.
const POD: &str = "run/secrets/kubernetes.io";

/// Words in the paths of control groups, most telling first.
const GROUPS: [(&str, ContainerKind); 7] = [
    ("kubepods", ContainerKind::Kubernetes),
    ("crio-", ContainerKind::Crio),
    ("libpod", ContainerKind::Podman),
    ("docker", ContainerKind::Docker),
    ("cri-containerd", ContainerKind::Containerd),
    ("lxc", ContainerKind::Lxc),
    ("systemd-nspawn", ContainerKind::Nspawn),
];

pub(super) fn discover(survey: &Survey<'_>, groups: &[Cgroup]) -> Option<Container> {
    let mut found = Vec::new();
    if !survey.names(POD).is_empty() {
        found.push((ContainerKind::Kubernetes, format!("/{POD}")));
    }
    for (path, kind) in FILES {
        if survey.raw(path).is_some() {
            found.push((kind, format!("/{path}")));
        }
    }
    if let Some(name) = survey.text("run/systemd/container") {
        found.push((named(&name), "/run/systemd/container".to_owned()));
    }
    for (word, kind) in GROUPS {
        // A daemon of an engine is no container of it: docker.service, lxcfs.service.
        let holds = |group: &&Cgroup| {
            group
                .path
                .split('/')
                .any(|part| part.contains(word) && !part.ends_with(".service"))
        };
        if let Some(group) = groups
            .iter()
            .filter(|group| group.distance == 0)
            .find(holds)
        {
            found.push((kind, group.id.clone()));
        }
    }
    let (kind, _) = found.first()?.clone();
    let mut evidence: Vec<String> = found.into_iter().map(|(_, evidence)| evidence).collect();
    evidence.dedup();
    Some(Container { kind, evidence })
}

fn named(name: &str) -> ContainerKind {
    match name {
        "docker" => ContainerKind::Docker,
        "podman" => ContainerKind::Podman,
        "lxc" | "lxc-libvirt" => ContainerKind::Lxc,
        "systemd-nspawn" => ContainerKind::Nspawn,
        other => ContainerKind::Other(other.to_owned()),
    }
}
