//! How a device reaches others: NVLink, and what lies between them on PCI Express.

use serde::{Deserialize, Serialize};

use super::numbered;

/// An NVLink of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvLink {
    /// Its number in the device.
    pub id: u32,
    /// `nvmlDeviceGetNvLinkVersion`, as the library numbers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `nvmlDeviceGetNvLinkRemoteDeviceType`: what is at its other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<NvLinkEnd>,
    /// `nvmlDeviceGetNvLinkRemotePciInfo_v2`: the PCI function at its other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_function: Option<String>,
    /// What changes without an event.
    #[serde(default)]
    pub now: NvLinkNow,
}

numbered! {
    /// What an NVLink leads to (`nvmlIntNvLinkDeviceType_t`).
    NvLinkEnd {
        /// Another GPU.
        Gpu = 0,
        /// An IBM processor.
        IbmNpu = 1,
        /// An NVSwitch.
        Switch = 2,
        /// The library does not know.
        Unknown = 255,
    }
}

/// What changes in an NVLink without an event; each count since it was reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvLinkNow {
    /// `nvmlDeviceGetNvLinkState`: whether it carries data.
    pub active: bool,
    /// `NVML_NVLINK_ERROR_DL_REPLAY`: packets that were sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replays: Option<u64>,
    /// `NVML_NVLINK_ERROR_DL_RECOVERY`: times that it had to be trained again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<u64>,
    /// `NVML_NVLINK_ERROR_DL_CRC_FLIT`: flow control digits that came damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc_flit_errors: Option<u64>,
    /// `NVML_NVLINK_ERROR_DL_CRC_DATA`: data that came damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc_data_errors: Option<u64>,
    /// `NVML_NVLINK_ERROR_DL_ECC_DATA`: data that ECC found damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecc_errors: Option<u64>,
}

/// Another device, and what lies between: a field of the topology matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlPeer {
    /// The other device's PCI function.
    pub id: String,
    /// `nvmlDeviceGetTopologyCommonAncestor`: what a packet between them passes.
    pub path: NvmlPath,
    /// How many active NVLinks lead straight to it.
    #[serde(default)]
    pub nvlinks: u32,
}

numbered! {
    /// What lies between two devices (`nvmlGpuTopologyLevel_t`), with the letters of `nvidia-smi topo -m`.
    NvmlPath {
        /// They are on one board.
        Board = 0,
        /// PIX: one PCI Express switch.
        Switch = 10,
        /// PXB: several switches, and no host bridge.
        Switches = 20,
        /// PHB: a host bridge.
        HostBridge = 30,
        /// NODE: several host bridges of one memory node.
        Node = 40,
        /// SYS: the link between memory nodes.
        System = 50,
    }
}
