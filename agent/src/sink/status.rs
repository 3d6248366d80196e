//! What `gnomon sinks` shows of a sink.

use serde::Serialize;

/// A sink as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    /// Since when the peer is reached: RFC 3339 in UTC; `None` while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected_since: Option<String>,
    /// Events that the peer has yet to acknowledge.
    pub(crate) lag_events: u64,
    /// How long ago the oldest of them happened.
    pub(crate) lag_seconds: u64,
    /// Why it could not be reached, the last time that it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_error: Option<LastError>,
    /// Events that the peer acknowledged, since the agent started.
    pub(crate) delivered: u64,
    /// Events and alarms that the peer refused for good, since the agent started.
    pub(crate) refused: u64,
}

/// What went wrong, without a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LastError {
    /// RFC 3339 in UTC.
    pub(crate) time: String,
    pub(crate) what: String,
}
