//! What interfaces can do with timestamps, in the kernel's words (`ETHTOOL_MSG_TSINFO_GET`,
//! `Documentation/networking/timestamping.rst`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::io::ethtool;
use crate::word::words;

words! {
    /// A capability of `SOF_TIMESTAMPING_*`, by the kernel's name (`Documentation/networking/timestamping.rst`).
    pub enum TimestampingMode {
        /// Stamps when a frame leaves, by hardware.
        HardwareTransmit = "hardware-transmit",
        /// The same, by the driver.
        SoftwareTransmit = "software-transmit",
        /// Stamps when a frame comes, by hardware.
        HardwareReceive = "hardware-receive",
        /// The same, by the kernel.
        SoftwareReceive = "software-receive",
        /// Reports software's stamps.
        SoftwareSystemClock = "software-system-clock",
        /// Obsolete.
        HardwareLegacyClock = "hardware-legacy-clock",
        /// Reports hardware's stamps, in the time of its own clock.
        HardwareRawClock = "hardware-raw-clock",
        /// When the queueing discipline got it.
        SchedTransmit = "sched-transmit",
        /// When the other end acknowledged it.
        AckTransmit = "ack-transmit",
        /// Stamps when the driver says that it was sent.
        TxCompletion = "tx-completion",
        /// Binds to a virtual clock.
        BindPhc = "bind-phc",
    }

    /// Which frames are stamped when they leave (`HWTSTAMP_TX_*`).
    pub enum TxType {
        /// None.
        Off = "off",
        /// Those that ask for it.
        On = "on",
        /// Sync messages too, in the message itself.
        OnestepSync = "onestep-sync",
        /// Peer delay answers as well.
        OnestepP2p = "onestep-p2p",
    }

    /// Which frames are stamped when they come (`HWTSTAMP_FILTER_*`).
    pub enum RxFilter {
        /// None.
        None = "none",
        /// All.
        All = "all",
        /// Some, also others than were asked for.
        Some = "some",
        /// PTP version 1 over UDP, all event messages.
        Ptpv1L4Event = "ptpv1-l4-event",
        /// The same, Sync alone.
        Ptpv1L4Sync = "ptpv1-l4-sync",
        /// The same, Delay_Req alone.
        Ptpv1L4DelayReq = "ptpv1-l4-delay-req",
        /// PTP version 2 over UDP.
        Ptpv2L4Event = "ptpv2-l4-event",
        /// The same, Sync alone.
        Ptpv2L4Sync = "ptpv2-l4-sync",
        /// The same, Delay_Req alone.
        Ptpv2L4DelayReq = "ptpv2-l4-delay-req",
        /// PTP version 2 over Ethernet.
        Ptpv2L2Event = "ptpv2-l2-event",
        /// The same, Sync alone.
        Ptpv2L2Sync = "ptpv2-l2-sync",
        /// The same, Delay_Req alone.
        Ptpv2L2DelayReq = "ptpv2-l2-delay-req",
        /// PTP version 2 over either.
        Ptpv2Event = "ptpv2-event",
        /// The same, Sync alone.
        Ptpv2Sync = "ptpv2-sync",
        /// The same, Delay_Req alone.
        Ptpv2DelayReq = "ptpv2-delay-req",
        /// NTP.
        NtpAll = "ntp-all",
    }
}

/// What an interface can do with timestamps (`ETHTOOL_MSG_TSINFO_GET`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Timestamping {
    /// The clock of its hardware, as `ptp_clock.clocks[].id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// What it stamps and how.
    pub modes: BTreeSet<TimestampingMode>,
    /// Which frames its hardware can stamp when they leave.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tx_types: BTreeSet<TxType>,
    /// Which frames its hardware can stamp when they come.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rx_filters: BTreeSet<RxFilter>,
    /// Who stamps, where the kernel says it (Linux 6.14); the one in use first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// The virtual clocks on it, as `ptp_clock.clocks[].id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub virtual_clocks: Vec<String>,
    /// How it is set (Linux 6.14): what is stamped when it leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_type: Option<TxType>,
    /// How it is set: what is stamped when it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_filter: Option<RxFilter>,
}

/// Who stamps (`ETHTOOL_A_TS_HWTSTAMP_PROVIDER_*`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    /// The clock.
    pub clock: String,
    /// `precise` (at the wire) or `approx` (at the DMA).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// `netdev` (the MAC, or MAC and PHY in one) or `phylib` (a PHY of its own).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl From<ethtool::Timestamping> for Timestamping {
    fn from(answer: ethtool::Timestamping) -> Self {
        let provider = |provider: ethtool::Provider| Provider {
            clock: format!("ptp{}", provider.phc),
            qualifier: provider.qualifier,
            source: provider.source,
        };
        let first = answer.provider.map(provider);
        let mut providers: Vec<_> = first.into_iter().collect();
        for other in answer.providers.into_iter().map(provider) {
            if !providers.contains(&other) {
                providers.push(other);
            }
        }
        Self {
            clock: answer.phc.map(|number| format!("ptp{number}")),
            modes: answer.modes.into_iter().map(Into::into).collect(),
            tx_types: answer.tx_types.into_iter().map(Into::into).collect(),
            rx_filters: answer.rx_filters.into_iter().map(Into::into).collect(),
            providers,
            virtual_clocks: Vec::new(),
            tx_type: answer.tx_type.map(Into::into),
            rx_filter: answer.rx_filter.map(Into::into),
        }
    }
}
