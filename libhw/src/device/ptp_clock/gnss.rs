//! GNSS receivers: /sys/class/gnss/gnssN (`Documentation/ABI/testing/sysfs-class-gnss`).

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;
use crate::word::words;

const CLASS: &str = "sys/class/gnss";

words! {
    /// What a receiver speaks.
    GnssProtocol {
        /// NMEA 0183.
        Nmea "NMEA",
        /// SiRF Binary.
        Sirf "SiRF",
        /// u-blox's UBX.
        Ubx "UBX",
        /// MediaTek's.
        Mtk "MTK",
    }
}

/// A receiver; its device is `/dev/gnssN`, which is never opened here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gnss {
    /// Its name, `gnss0`.
    pub id: String,
    /// `type`: what it speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<GnssProtocol>,
    /// The PCI function that it is on, where it is on a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The device that it is on, as its bus calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The receivers, by number.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Gnss> {
    let receiver = |number: u32| {
        let id = format!("gnss{number}");
        let directory = format!("{CLASS}/{id}");
        let whole = survey
            .keep(survey.root().link(&directory))
            .unwrap_or_default();
        let device = survey
            .keep(survey.root().link(&format!("{directory}/device")))
            .unwrap_or_default();
        let device = device.trim_end_matches('/');
        let function = parse::function_above(&whole).or_else(|| parse::function_above(device));
        Gnss {
            protocol: survey.text(&format!("{directory}/type")).map(Into::into),
            function: function.map(str::to_owned),
            device: device.rsplit('/').next().and_then(parse::nonempty),
            id,
        }
    };
    survey
        .numbered(CLASS, "gnss")
        .into_iter()
        .map(receiver)
        .collect()
}
