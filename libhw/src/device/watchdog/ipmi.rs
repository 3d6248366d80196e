//! The BMC's watchdog as its driver is set up (`Documentation/driver-api/ipmi.rst`): it stands in no class.

use serde::{Deserialize, Serialize};

use super::Directory;
use crate::parse;
use crate::survey::Survey;

/// The parameters of `ipmi_watchdog`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct IpmiWatchdog {
    /// `timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// `pretimeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretimeout_seconds: Option<u32>,
    /// `action`: what the BMC does: `none`, `reset`, `power_cycle`, `power_off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// `preaction`: how it warns: `pre_none`, `pre_smi`, `pre_nmi`, `pre_int`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preaction: Option<String>,
    /// `preop`: what the kernel does on the warning: `preop_none`, `preop_panic`, `preop_give_data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preop: Option<String>,
    /// `nowayout`: once started it cannot be stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_way_out: Option<bool>,
}

const PARAMETERS: &str = "sys/module/ipmi_watchdog/parameters";

pub(super) fn discover(survey: &Survey<'_>) -> Option<IpmiWatchdog> {
    let directory = Directory::list(survey, PARAMETERS.to_owned());
    if directory.names.is_empty() {
        return None;
    }
    Some(IpmiWatchdog {
        timeout_seconds: directory.value("timeout", parse::decimal),
        pretimeout_seconds: directory.value("pretimeout", parse::decimal),
        action: directory.text("action"),
        preaction: directory.text("preaction"),
        preop: directory.text("preop"),
        no_way_out: directory.value("nowayout", parse::switch),
    })
}
