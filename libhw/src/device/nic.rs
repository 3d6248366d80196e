//! Network interfaces, what they are made of and how they fare: link, timestamps, time-sensitive networking, modules,
//! RDMA, devlink and the clock circuits behind them.
//!
//! From rtnetlink, the ethtool, devlink and dpll families of generic netlink, and /sys/class/net and
//! /sys/class/infiniband (`Documentation/ABI/testing/sysfs-class-net`, `.../stable/sysfs-class-infiniband`). Where
//! netlink has no answer, as on most captured trees, sysfs alone tells what it can.
//!
//! LLDP neighbours are read where systemd-networkd leaves the frames that it heard. lldpd has no public interface but
//! a program of its own, and no program is started here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use crate::io::ethtool::{Channels, Coalesce, Fec, MacMerge, Pause, Rings};
pub use crate::io::netlink::link::Vf;
use crate::survey::Survey;
use crate::word::words;

mod devlink;
mod dpll;
mod interface;
mod lldp;
pub mod module;
mod network;
mod rdma;
mod sysfs;
mod timestamping;
mod tsn;

pub use devlink::{Devlink, DevlinkPort, Health, HealthNow, HealthReporter};
pub use dpll::{Dpll, DpllNow, LockStatus, Pin, PinNow, PinParent, PinState};
pub use lldp::{Neighbour, parse as parse_lldp};
pub use module::Module;
pub use rdma::{Rdma, RdmaPort, RdmaPortNow, RdmaPortState};
pub use timestamping::{Provider, RxFilter, Timestamping, TimestampingMode, TxType};
pub use tsn::{Qdisc, Tsn};

/// The network side of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Nic {
    /// By number in this network namespace.
    pub interfaces: Vec<Interface>,
    /// RDMA devices, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rdma: Vec<Rdma>,
    /// Devices of devlink, by bus and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devlinks: Vec<Devlink>,
    /// Clock circuits: Synchronous Ethernet and 1 PPS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dplls: Vec<Dpll>,
    /// The pins of clock circuits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
}

words! {
    /// What an interface is: hardware, or made by software (then `IFLA_INFO_KIND`'s word).
    pub enum InterfaceKind {
        /// A port of a device.
        Physical = "physical",
        /// An SR-IOV virtual function.
        VirtualFunction = "virtual_function",
        /// Stands for a port of an embedded switch (switchdev).
        Representor = "representor",
        /// The host to itself.
        Loopback = "loopback",
        /// Several interfaces as one.
        Bond = "bond",
        /// The same, by a daemon's rules.
        Team = "team",
        /// A software switch.
        Bridge = "bridge",
        /// A VLAN on another interface.
        Vlan = "vlan",
        /// One end of a pair.
        Veth = "veth",
        /// A second address on another interface.
        Macvlan = "macvlan",
        /// The same, for a program.
        Macvtap = "macvtap",
        /// A second IP host on another interface.
        Ipvlan = "ipvlan",
        /// A program's.
        Tun = "tun",
        /// Leads nowhere.
        Dummy = "dummy",
        /// Where received frames are queued.
        Ifb = "ifb",
        /// Made by software; which is not said.
        Virtual = "virtual",
    }

    /// RFC 2863's state of an interface, in the kernel's words (`operstate`).
    pub enum OperState {
        /// Works.
        Up = "up",
        /// Set down, or without carrier.
        Down = "down",
        /// What it lies on is down.
        LowerLayerDown = "lowerlayerdown",
        /// Waits for an event such as 802.1X.
        Dormant = "dormant",
        /// Some part is missing.
        NotPresent = "notpresent",
        /// Under test.
        Testing = "testing",
        /// The driver does not say.
        Unknown = "unknown",
    }

    /// Whether both ends may send at once.
    pub enum Duplex {
        /// They may.
        Full = "full",
        /// One at a time.
        Half = "half",
    }
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interface {
    /// Its name, `eno1`.
    pub id: String,
    /// `ifindex`: its number in this network namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InterfaceKind>,
    /// `type`: 1 is Ethernet, 32 InfiniBand, 772 loopback (`ARPHRD_*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_type: Option<u16>,
    /// The PCI function that it is on, as `pci.functions[].id`; of a virtio interface the one below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The physical function, of a virtual one (`device/physfn`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_function: Option<String>,
    /// The device that it is on, as its bus calls it: `virtio2`, `0000:3b:00.0`, `1-1.4:1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// `device/numa_node`; absent where firmware does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The driver (`ETHTOOL_GDRVINFO`, else `device/driver`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The driver's version, which is the kernel's for most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// The firmware's version, in the vendor's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// `address`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// `IFLA_PERM_ADDRESS`: the one that it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent_mac: Option<String>,
    /// `mtu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// `IFLA_MAX_MTU`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu_max: Option<u32>,
    /// `ifalias`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// `IFLA_ALT_IFNAME`: further names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternative_names: Vec<String>,
    /// `IFF_UP`: whether it was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `operstate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operstate: Option<OperState>,
    /// `carrier`; the kernel tells it only of an interface that was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<bool>,
    /// `speed`, in Mbit/s; absent while there is no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mbps: Option<u32>,
    /// `duplex`; absent while there is no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplex: Option<Duplex>,
    /// Whether it agrees on the speed with the other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoneg: Option<bool>,
    /// Lanes in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<u32>,
    /// The side that leads a BASE-T link: `master` or `slave`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_slave: Option<String>,
    /// The connector: `tp`, `fibre`, `da`, `none`, `other`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// `internal` or `external`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transceiver: Option<String>,
    /// What the link can do, offers and is offered, by the kernel's names of link modes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_modes: Option<LinkModes>,
    /// The bond, bridge, team or VRF that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// The interface that it lies on, or the other end of a veth; absent when that is in another network namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<String>,
    /// The VLAN, of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<Vlan>,
    /// `bonding/mode` of a bond, `802.3ad`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bond_mode: Option<String>,
    /// `bonding/active_slave` of a bond that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bond_active: Option<String>,
    /// `phys_port_name`: `p0`, `pf0vf3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phys_port_name: Option<String>,
    /// `phys_switch_id`: ports with the same one are of one embedded switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phys_switch_id: Option<String>,
    /// `dev_port`: which port of a function that has several; 0 is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev_port: Option<u32>,
    /// Receive queues that were made (`IFLA_NUM_RX_QUEUES`, `queues/rx-N`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rx_queues: Option<u32>,
    /// Send queues that were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_queues: Option<u32>,
    /// Queues in use, by what they are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// Descriptor rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rings: Option<Rings>,
    /// When it interrupts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<Coalesce>,
    /// Flow control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The features that are on, by the names of `ethtool -k`: `hw-tc-offload`, `rx-gro-hw`, `esp-hw-offload`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub features: BTreeSet<String>,
    /// What it can do with timestamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamping: Option<Timestamping>,
    /// What it can do for time-sensitive networking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsn: Option<Tsn>,
    /// The pin that has its recovered clock, as `pins[].id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpll_pin: Option<u32>,
    /// Virtual functions, as the physical function's driver has set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vfs: Vec<Vf>,
    /// Forward error correction; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fec: Option<FecModes>,
    /// The pluggable module; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<Module>,
    /// What changes without an event.
    #[serde(default)]
    pub now: InterfaceNow,
}

/// What changes in an interface without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InterfaceNow {
    /// `carrier_changes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_changes: Option<u32>,
    /// `carrier_down_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_down_count: Option<u32>,
    /// Its state in its master: `active`, `backup` in a bond; `forwarding`, `blocking`, ... in a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_state: Option<String>,
    /// `statistics`, by their names; zeros left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
    /// The counters of IEEE 802.3 and RMON, by group and name, zeros left out; of a deep look, and then kept fresh.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub standard_counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// The FEC mode in use and its counters; of a deep look, and then kept fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fec: Option<FecNow>,
    /// Who was heard by LLDP on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// Levels of the module: of a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<module::ModuleNow>,
}

/// Link modes, by the names of `enum ethtool_link_mode_bit_indices`: `25000baseCR/Full`, `Autoneg`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LinkModes {
    /// What it can do.
    pub supported: BTreeSet<String>,
    /// What it offers to the other end.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub advertised: BTreeSet<String>,
    /// What the other end offers.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub peer: BTreeSet<String>,
}

/// A VLAN on another interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vlan {
    /// Its number, 1 to 4094.
    pub number: u16,
    /// `802.1q` or `802.1ad`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}

/// How forward error correction is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FecModes {
    /// `RS`, `BASER`, `LLRS`, `Off`.
    pub configured: BTreeSet<String>,
    /// Whether the module says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<bool>,
}

/// How forward error correction fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FecNow {
    /// The mode in use: `RS`, `BASER`, `LLRS`, `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<String>,
    /// `corrected_blocks`, `uncorrectable_blocks`, `corrected_bits`: of all lanes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// Reads the class.
#[must_use]
pub fn discover(survey: &Survey<'_>) -> Nic {
    let (interfaces, network) = interface::discover(survey);
    let (dplls, pins) = dpll::discover(network);
    Nic {
        interfaces,
        rdma: rdma::discover(survey),
        devlinks: devlink::discover(network),
        dplls,
        pins,
    }
}

/// Adds the interfaces that came, without what their drivers have to be asked for, and takes away those that went. False,
/// and nothing is done, where there is no such difference and no driver has to be asked that may take its time.
pub(crate) fn skim(nic: &mut Nic, survey: &Survey<'_>) -> bool {
    interface::skim(&mut nic.interfaces, survey)
}

/// Reads again what changes without an event.
pub fn refresh(nic: &mut Nic, survey: &Survey<'_>) {
    let network = interface::refresh(&mut nic.interfaces, survey);
    rdma::refresh(&mut nic.rdma, survey);
    devlink::refresh(&mut nic.devlinks, network);
    dpll::refresh(&mut nic.dplls, &mut nic.pins, network);
}

impl Interface {
    /// Whether hardware is behind it, in this machine or its host.
    #[must_use]
    pub const fn is_hardware(&self) -> bool {
        matches!(
            self.kind,
            Some(
                InterfaceKind::Physical
                    | InterfaceKind::VirtualFunction
                    | InterfaceKind::Representor
            )
        )
    }
}

#[cfg(test)]
mod tests;
