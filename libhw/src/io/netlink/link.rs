//! Interfaces and what they are made of, from rtnetlink (`RTM_GETLINK`, rtnetlink(7), `include/uapi/linux/if_link.h`).

use std::io;

use netlink_packet_core::{NlasIterator, ParseableParametrized};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{
    DpllPin, InfoBond, InfoBondPort, InfoBridgePort, InfoData, InfoPortData, InfoVlan,
    LinkAttribute, LinkInfo, LinkVfInfo, Prop, State, Stats64, VfInfo,
};
use nix::sys::socket::SockProtocol;
use serde::{Deserialize, Serialize};

use super::Socket;
use super::attribute::Request;

const RTM_GETLINK: u16 = 18;
const IFLA_EXT_MASK: u16 = 29;
/// `RTEXT_FILTER_VF`: with the virtual functions.
const WITH_VFS: u32 = 1;

/// `struct ifinfomsg`: family, type, index, flags, change.
const HEADER: usize = 16;

/// One interface, as the kernel tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// `IFLA_IFNAME`.
    pub name: String,
    /// Its number in this network namespace.
    pub index: u32,
    /// `ARPHRD_*`: 1 is Ethernet, 32 InfiniBand, 772 loopback.
    pub link_type: u16,
    /// `IFF_*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<u32>,
    /// `IFLA_INFO_KIND`: `bond`, `vlan`, ...; none for hardware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `IFLA_ADDRESS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// `IFLA_PERM_ADDRESS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permanent_mac: Option<String>,
    /// `IFLA_MTU`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// `IFLA_MAX_MTU`; none where the driver sets no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu_max: Option<u32>,
    /// `IFLA_OPERSTATE`, in the words of RFC 2863 that sysfs has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operstate: Option<String>,
    /// `IFLA_CARRIER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<bool>,
    /// `IFLA_CARRIER_CHANGES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_changes: Option<u32>,
    /// `IFLA_CARRIER_UP_COUNT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_up_count: Option<u32>,
    /// `IFLA_CARRIER_DOWN_COUNT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_down_count: Option<u32>,
    /// `IFLA_MASTER`: the number of the bond, bridge, team or VRF that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<u32>,
    /// `IFLA_LINK`: the number of the interface that it lies on, or of a veth's other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<u32>,
    /// Whether `lower` is in another network namespace.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lower_elsewhere: bool,
    /// `IFLA_PARENT_DEV_BUS_NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_bus: Option<String>,
    /// `IFLA_PARENT_DEV_NAME`: the device that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `IFLA_PHYS_PORT_NAME`: `p0`, `pf0vf3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phys_port_name: Option<String>,
    /// `IFLA_PHYS_SWITCH_ID`, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phys_switch_id: Option<String>,
    /// `IFLA_IFALIAS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// `IFLA_ALT_IFNAME`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternative_names: Vec<String>,
    /// `IFLA_NUM_RX_QUEUES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_queues: Option<u32>,
    /// `IFLA_NUM_TX_QUEUES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_queues: Option<u32>,
    /// `IFLA_VLAN_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan_id: Option<u16>,
    /// `IFLA_VLAN_PROTOCOL`: `802.1Q` or `802.1ad`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan_protocol: Option<String>,
    /// `IFLA_BOND_MODE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bond_mode: Option<String>,
    /// `IFLA_BOND_ACTIVE_SLAVE`: a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bond_active: Option<u32>,
    /// State as a part of its master: `active`, `backup`; `forwarding`, `blocking`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_state: Option<String>,
    /// `IFLA_DPLL_PIN`: the pin that has the port's recovered clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpll_pin: Option<u32>,
    /// `IFLA_VFINFO_LIST`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vfs: Vec<Vf>,
    /// `IFLA_STATS64`, under the names that sysfs has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counters: Vec<(String, u64)>,
}

/// A virtual function, as its physical function's driver tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vf {
    /// Its number: N of `virtfnN`.
    pub id: u32,
    /// The address that was set for it; none is all zeros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The VLAN that its frames are put in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan_id: Option<u32>,
    /// The priority in that VLAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<u32>,
    /// The most that it may send, in Mbit/s; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_max_mbps: Option<u32>,
    /// What it is promised, in Mbit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_min_mbps: Option<u32>,
    /// Whether it may only send from its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoof_check: Option<bool>,
    /// Whether it may change its address and listen to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<bool>,
    /// `auto` (as the physical function's), `enable` or `disable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_state: Option<String>,
}

/// The interfaces of this network namespace, by number.
///
/// # Errors
/// When the kernel cannot be asked.
pub(in crate::io) fn ask() -> io::Result<Vec<Link>> {
    let mut socket = Socket::open(SockProtocol::NetlinkRoute)?;
    let filter = Request::default().with_u32(IFLA_EXT_MASK, WITH_VFS);
    let request = [&[0; HEADER], filter.as_bytes()].concat();
    let rows = socket.list(RTM_GETLINK, &request)?;
    Ok(rows.iter().filter_map(|row| parse(row)).collect())
}

/// A message about one interface. An attribute that is not understood is left out; `None` without a name.
#[must_use]
pub fn parse(payload: &[u8]) -> Option<Link> {
    let word = |at: usize| {
        Some(u32::from_ne_bytes(
            payload.get(at..at + 4)?.try_into().ok()?,
        ))
    };
    let mut link = Link {
        link_type: u16::from_ne_bytes(payload.get(2..4)?.try_into().ok()?),
        index: word(4)?,
        flags: Some(word(8)?),
        ..Link::default()
    };
    for attribute in NlasIterator::new(payload.get(HEADER..)?).map_while(Result::ok) {
        if let Ok(attribute) = LinkAttribute::parse_with_param(&attribute, AddressFamily::Unspec) {
            take(&mut link, attribute);
        }
    }
    let named = !link.name.is_empty() && !link.name.contains('/');
    named.then_some(link)
}

fn take(link: &mut Link, attribute: LinkAttribute) {
    match attribute {
        LinkAttribute::IfName(name) => link.name = name,
        LinkAttribute::Address(bytes) => link.mac = address(&bytes),
        LinkAttribute::PermAddress(bytes) => link.permanent_mac = address(&bytes),
        LinkAttribute::Mtu(mtu) => link.mtu = Some(mtu),
        LinkAttribute::MaxMtu(mtu) => link.mtu_max = Some(mtu).filter(|mtu| *mtu > 0),
        LinkAttribute::OperState(state) => link.operstate = Some(operstate(state)),
        LinkAttribute::Carrier(carrier) => link.carrier = Some(carrier != 0),
        LinkAttribute::CarrierChanges(count) => link.carrier_changes = Some(count),
        LinkAttribute::CarrierUpCount(count) => link.carrier_up_count = Some(count),
        LinkAttribute::CarrierDownCount(count) => link.carrier_down_count = Some(count),
        LinkAttribute::Controller(index) => link.master = Some(index),
        LinkAttribute::Link(index) => link.lower = Some(index).filter(|index| *index > 0),
        LinkAttribute::LinkNetNsId(_) => link.lower_elsewhere = true,
        LinkAttribute::ParentDevName(name) => link.parent = Some(name),
        LinkAttribute::ParentDevBusName(name) => link.parent_bus = Some(name),
        LinkAttribute::PhysPortName(name) => link.phys_port_name = Some(name),
        LinkAttribute::PhysSwitchId(id) => link.phys_switch_id = hex(id.id.get(..id.len)),
        LinkAttribute::IfAlias(alias) => link.alias = Some(alias),
        LinkAttribute::NumRxQueues(count) => link.rx_queues = Some(count),
        LinkAttribute::NumTxQueues(count) => link.tx_queues = Some(count),
        LinkAttribute::PropList(list) => link.alternative_names = alternatives(list),
        LinkAttribute::LinkInfo(list) => list.into_iter().for_each(|info| made_of(link, info)),
        LinkAttribute::VfInfoList(list) => link.vfs = list.into_iter().filter_map(vf).collect(),
        LinkAttribute::Stats64(stats) => link.counters = counters(&stats),
        LinkAttribute::DpllPin(list) => link.dpll_pin = list.iter().find_map(pin),
        _ => {}
    }
}

fn made_of(link: &mut Link, info: LinkInfo) {
    match info {
        LinkInfo::Kind(kind) => link.kind = Some(kind.to_string()),
        LinkInfo::Data(InfoData::Vlan(list)) => {
            for part in list {
                match part {
                    InfoVlan::Id(id) => link.vlan_id = Some(id),
                    InfoVlan::Protocol(protocol) => link.vlan_protocol = Some(protocol.to_string()),
                    _ => {}
                }
            }
        }
        LinkInfo::Data(InfoData::Bond(list)) => {
            for part in list {
                match part {
                    InfoBond::Mode(mode) => link.bond_mode = Some(mode.to_string()),
                    InfoBond::ActivePort(index) => {
                        link.bond_active = Some(index).filter(|index| *index > 0);
                    }
                    _ => {}
                }
            }
        }
        LinkInfo::PortData(InfoPortData::BondPort(list)) => {
            for part in list {
                if let InfoBondPort::BondPortState(state) = part {
                    link.port_state = Some(state.to_string());
                }
            }
        }
        LinkInfo::PortData(InfoPortData::BridgePort(list)) => {
            for part in list {
                if let InfoBridgePort::State(state) = part {
                    link.port_state = Some(u8::from(state))
                        .map(|state| crate::word::numbered(BRIDGE_STATES, 0, state.into()));
                }
            }
        }
        _ => {}
    }
}

/// `BR_STATE_*`.
const BRIDGE_STATES: &[&str] = &[
    "disabled",
    "listening",
    "learning",
    "forwarding",
    "blocking",
];

fn vf(list: LinkVfInfo) -> Option<Vf> {
    let mut vf = Vf::default();
    let mut known = false;
    for part in list.0 {
        match part {
            VfInfo::Mac(part) => {
                (vf.id, known) = (part.vf_id, true);
                vf.mac = address(part.mac.get(..6)?);
            }
            VfInfo::Vlan(part) if part.vlan_id > 0 => {
                vf.vlan_id = Some(part.vlan_id);
                vf.qos = Some(part.qos).filter(|qos| *qos > 0);
            }
            VfInfo::Rate(part) => {
                vf.rate_max_mbps = Some(part.max_tx_rate).filter(|rate| *rate > 0);
                vf.rate_min_mbps = Some(part.min_tx_rate).filter(|rate| *rate > 0);
            }
            // All ones where the driver does not say.
            VfInfo::SpoofCheck(part) => vf.spoof_check = Some(part.enabled),
            VfInfo::Trust(part) => vf.trust = Some(part.enabled),
            VfInfo::LinkState(part) => {
                let state = u32::from(part.state);
                vf.link_state = Some(crate::word::numbered(
                    &["auto", "enable", "disable"],
                    0,
                    state,
                ));
            }
            _ => {}
        }
    }
    known.then_some(vf)
}

fn pin(pin: &DpllPin) -> Option<u32> {
    match pin {
        DpllPin::PinId(id) => Some(*id),
        _ => None,
    }
}

fn alternatives(list: Vec<Prop>) -> Vec<String> {
    let name = |prop| match prop {
        Prop::AltIfName(name) => Some(name),
        _ => None,
    };
    list.into_iter().filter_map(name).collect()
}

/// The words of sysfs, `net/core/net-sysfs.c`.
fn operstate(state: State) -> String {
    let words = [
        "unknown",
        "notpresent",
        "down",
        "lowerlayerdown",
        "testing",
        "dormant",
        "up",
    ];
    crate::word::numbered(&words, 0, u8::from(state).into())
}

/// Bytes as the kernel writes an address; all zeros are none.
pub(crate) fn address(bytes: &[u8]) -> Option<String> {
    if bytes.iter().all(|byte| *byte == 0) {
        return None;
    }
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(parts.join(":"))
}

fn hex(bytes: Option<&[u8]>) -> Option<String> {
    let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn counters(stats: &Stats64) -> Vec<(String, u64)> {
    let all = [
        ("collisions", stats.collisions),
        ("multicast", stats.multicast),
        ("rx_bytes", stats.rx_bytes),
        ("rx_compressed", stats.rx_compressed),
        ("rx_crc_errors", stats.rx_crc_errors),
        ("rx_dropped", stats.rx_dropped),
        ("rx_errors", stats.rx_errors),
        ("rx_fifo_errors", stats.rx_fifo_errors),
        ("rx_frame_errors", stats.rx_frame_errors),
        ("rx_length_errors", stats.rx_length_errors),
        ("rx_missed_errors", stats.rx_missed_errors),
        ("rx_nohandler", stats.rx_nohandler),
        ("rx_over_errors", stats.rx_over_errors),
        ("rx_packets", stats.rx_packets),
        ("tx_aborted_errors", stats.tx_aborted_errors),
        ("tx_bytes", stats.tx_bytes),
        ("tx_carrier_errors", stats.tx_carrier_errors),
        ("tx_compressed", stats.tx_compressed),
        ("tx_dropped", stats.tx_dropped),
        ("tx_errors", stats.tx_errors),
        ("tx_fifo_errors", stats.tx_fifo_errors),
        ("tx_heartbeat_errors", stats.tx_heartbeat_errors),
        ("tx_packets", stats.tx_packets),
        ("tx_window_errors", stats.tx_window_errors),
    ];
    all.map(|(name, count)| (name.to_owned(), count)).to_vec()
}
