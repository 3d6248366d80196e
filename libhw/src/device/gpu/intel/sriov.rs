//! How xe shares a device's time among its SR-IOV functions (`Documentation/ABI/testing/sysfs-driver-intel-xe-sriov`).

use serde::{Deserialize, Serialize};

use crate::device::gpu::device::Device;
use crate::parse;
use crate::units::Bytes;

/// What one function is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SchedulingProfile {
    /// `pf`, `vf1`, `vf2`, ...
    pub id: String,
    /// `device`: its PCI function, while it is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `profile/exec_quantum_ms`: for how long it runs at a time; 0 is without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_quantum_ms: Option<u64>,
    /// `profile/preempt_timeout_us`: how long it may take to stop; 0 is without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempt_timeout_us: Option<u64>,
    /// `profile/sched_priority`: `low`, `normal` or `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// `profile/vram_quota` of a virtual function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vram_quota_bytes: Option<Bytes>,
}

/// The physical function, and the virtual ones by number: only the enabled ones unless virtual functions are asked for.
pub(super) fn read(device: &Device<'_>) -> Vec<SchedulingProfile> {
    if !device.has(PLACE) {
        return Vec::new();
    }
    let number = |name: &String| parse::decimal::<u16>(name.strip_prefix("vf")?).ok();
    let mut names = device.names_in(PLACE);
    names.retain(|name| name == "pf" || number(name).is_some());
    names.sort_by_key(number);
    let profiles = names.into_iter().map(|id| profile(device, id));
    let all = device.survey.virtual_functions();
    profiles
        .filter(|profile| all || profile.function.is_some())
        .collect()
}

fn profile(device: &Device<'_>, id: String) -> SchedulingProfile {
    let path = |name: &str| format!("{PLACE}/{id}/{name}");
    let number = |name: &str| device.value_in(&path(&format!("profile/{name}")), parse::decimal);
    SchedulingProfile {
        function: device.survey.link_name(&device.path(&path("device"))),
        exec_quantum_ms: number("exec_quantum_ms"),
        preempt_timeout_us: number("preempt_timeout_us"),
        priority: device.value_in(&path("profile/sched_priority"), parse::chosen),
        vram_quota_bytes: number("vram_quota").map(Bytes),
        id,
    }
}

const PLACE: &str = "sriov_admin";
