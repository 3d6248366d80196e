//! The plugs for screens (`Documentation/gpu/drm-kms.rst`).

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

use super::Adapter;

/// A plug for a screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Connector {
    /// The kernel's name of it: `card0-DP-1`.
    pub id: String,
    /// `status`: whether a screen is plugged in.
    pub status: ConnectorStatus,
}

/// Whether a screen is plugged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectorStatus {
    /// One is.
    Connected,
    /// None is.
    Disconnected,
    /// The kernel's word for another state, such as `unknown`.
    #[serde(untagged)]
    Other(String),
}

/// Fills in the plugs of each device. Their last known state is told, and no screen is asked.
pub(super) fn fill(survey: &Survey<'_>, adapters: &mut [Adapter]) {
    if adapters.iter().all(|adapter| adapter.nodes.is_empty()) {
        return;
    }
    for id in survey.names(DRM).into_iter().take(CONNECTORS_MAX) {
        let Some((card, _)) = id.split_once('-') else {
            continue;
        };
        let of = |adapter: &&mut Adapter| adapter.nodes.iter().any(|node| node == card);
        let Some(adapter) = adapters.iter_mut().find(of) else {
            continue;
        };
        let status = match survey.text(&format!("{DRM}/{id}/status")).as_deref() {
            Some("connected") => ConnectorStatus::Connected,
            Some("disconnected") => ConnectorStatus::Disconnected,
            Some(other) => ConnectorStatus::Other(other.to_owned()),
            None => continue,
        };
        adapter.connectors.push(Connector { id, status });
    }
}

const DRM: &str = "sys/class/drm";

/// More than any machine has.
const CONNECTORS_MAX: usize = 4096;
