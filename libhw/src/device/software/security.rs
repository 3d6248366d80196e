//! What the kernel enforces: security modules, lockdown; and what was patched into it.
//!
//! `Documentation/admin-guide/LSM/index.rst`, kernel_lockdown(7), `Documentation/ABI/testing/sysfs-kernel-livepatch`.

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;

/// What the kernel enforces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Security {
    /// `/sys/kernel/security/lsm`: the security modules, in the order in which they are asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// `/sys/kernel/security/lockdown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockdown: Option<Lockdown>,
    /// `/sys/fs/selinux/enforce`: whether SELinux forbids, or only tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selinux_enforcing: Option<bool>,
}

/// What root may not do to the running kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Lockdown {
    /// `none`.
    None,
    /// `integrity`: change it.
    Integrity,
    /// `confidentiality`: change it, or read secrets from it.
    Confidentiality,
    /// What this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// A patch of the running kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Livepatch {
    /// Its name.
    pub id: String,
    /// `enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `transition`: whether some tasks still run, or already run, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_transition: Option<bool>,
}

const SECURITY: &str = "sys/kernel/security";

pub(super) fn discover(survey: &Survey<'_>, sys_kernel: &[String]) -> Security {
    let there = sys_kernel.iter().any(|name| name == "security");
    let names = if there {
        survey.names(SECURITY)
    } else {
        Vec::new()
    };
    let path = |name: &str| {
        let there = names.iter().any(|known| known == name);
        there.then(|| format!("{SECURITY}/{name}"))
    };
    let modules = path("lsm")
        .and_then(|path| survey.text(&path))
        .unwrap_or_default();
    let selinux = modules.split(',').any(|name| name == "selinux");
    Security {
        lockdown: path("lockdown")
            .and_then(|path| survey.value(&path, parse::chosen))
            .map(lockdown),
        selinux_enforcing: selinux
            .then(|| survey.value("sys/fs/selinux/enforce", parse::switch))
            .flatten(),
        modules: modules.split(',').filter_map(parse::nonempty).collect(),
    }
}

fn lockdown(word: String) -> Lockdown {
    match word.as_str() {
        "none" => Lockdown::None,
        "integrity" => Lockdown::Integrity,
        "confidentiality" => Lockdown::Confidentiality,
        _ => Lockdown::Unknown(word),
    }
}

pub(super) fn livepatches(survey: &Survey<'_>, sys_kernel: &[String]) -> Vec<Livepatch> {
    const DIRECTORY: &str = "sys/kernel/livepatch";
    if !sys_kernel.iter().any(|name| name == "livepatch") {
        return Vec::new();
    }
    let patch = |id: String| {
        let switch = |name: &str| survey.value(&format!("{DIRECTORY}/{id}/{name}"), parse::switch);
        Livepatch {
            enabled: switch("enabled"),
            in_transition: switch("transition"),
            id,
        }
    };
    survey.names(DIRECTORY).into_iter().map(patch).collect()
}
