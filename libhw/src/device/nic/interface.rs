//! Interfaces: what netlink tells of them, completed from sysfs; where netlink has no answer, from sysfs alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FecModes, FecNow, Interface, InterfaceKind, InterfaceNow, LinkModes, Neighbour, Nic, Vlan,
    lldp, module, network, network::Network, sysfs, tsn,
};
use crate::io::aside::Network as Question;
use crate::io::ethtool::{Deep, Eeprom, Settings};
use crate::io::netlink::link::Link;
use crate::survey::Survey;

/// `IFF_UP`.
const IFF_UP: u32 = 1;

/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;

/// More than any machine has, so that a hostile tree cannot take all memory.
const INTERFACES_MAX: usize = 1 << 16;

/// The interfaces, by number.
pub(super) fn discover<'a>(survey: &'a Survey<'a>) -> (Vec<Interface>, Network<'a>) {
    let listed = survey.names(sysfs::NET);
    let (links, told) = match Network::links(survey) {
        Some(links) => (links, true),
        None => (from_sysfs(survey, &listed), false),
    };
    let links: Vec<Link> = links.into_iter().take(INTERFACES_MAX).collect();
    let names: BTreeMap<u32, String> = links
        .iter()
        .map(|link| (link.index, link.name.clone()))
        .collect();
    let network = Network::of(survey, &links);
    let here = sysfs::Here::of(&listed, &names);
    let ours = |link: &Link| !told || here.has(survey, link);
    let mut interfaces: Vec<Interface> = links
        .iter()
        .map(|link| interface(network, link, &names, (told, ours(link))))
        .collect();
    interfaces.sort_by(|a, b| (a.index, &a.id).cmp(&(b.index, &b.id)));
    interfaces.dedup_by(|a, b| a.id == b.id);
    tsn::complete(network.ask(Question::Qdiscs), &mut interfaces);
    let mut neighbours = lldp::discover(survey);
    for interface in &mut interfaces {
        interface.now.neighbours = heard(&mut neighbours, interface);
    }
    (interfaces, network)
}

/// Adds the interfaces that came, as the kernel itself knows them, and takes away those that went; the others stay as they
/// were. False, and nothing is done, where there is no such difference but of what software made, and no driver has more
/// to tell that may take its time.
pub(super) fn skim(interfaces: &mut Vec<Interface>, survey: &Survey<'_>) -> bool {
    let Some(links) = Network::links(survey) else {
        return false;
    };
    let links: Vec<Link> = links.into_iter().take(INTERFACES_MAX).collect();
    let names: BTreeMap<u32, String> = links
        .iter()
        .map(|link| (link.index, link.name.clone()))
        .collect();
    let stays = |interface: &Interface| {
        let index = interface.index;
        index.is_some_and(|index| names.get(&index) == Some(&interface.id))
    };
    let known: BTreeSet<u32> = interfaces
        .iter()
        .filter(|interface| stays(interface))
        .filter_map(|interface| interface.index)
        .collect();
    let came = || links.iter().filter(|link| !known.contains(&link.index));
    let differs = known.len() < interfaces.len() || came().any(network::is_of_device);
    if !differs && !Network::of(survey, &links).may_hold {
        return false;
    }
    let listed = survey.names(sysfs::NET);
    let here = sysfs::Here::of(&listed, &names);
    interfaces.retain(stays);
    let row = |link: &Link| of_link(survey, link, &names, here.has(survey, link));
    interfaces.extend(came().map(row));
    interfaces.sort_by(|a, b| (a.index, &a.id).cmp(&(b.index, &b.id)));
    true
}

/// Reads again what changes without an event.
pub(super) fn refresh<'a>(interfaces: &mut [Interface], survey: &'a Survey<'a>) -> Network<'a> {
    let told = Network::links(survey).unwrap_or_default();
    let network = Network::of(survey, &told);
    let mut links: BTreeMap<String, Link> = told
        .into_iter()
        .map(|link| (link.name.clone(), link))
        .collect();
    let mut neighbours = lldp::discover(survey);
    for interface in interfaces {
        let link = links
            .remove(&interface.id)
            .or_else(|| sysfs::link(survey, &interface.id));
        let before = std::mem::take(&mut interface.now);
        interface.now = link.map(|link| now(&link)).unwrap_or_default();
        interface.now.neighbours = heard(&mut neighbours, interface);
        interface.now.module = before.module;
        if before.fec.is_some() || !before.standard_counters.is_empty() {
            device_counters(network, interface);
        }
    }
    network
}

/// The numbers of two hosts' interfaces may be the same: those of a tree that has none are nobody's.
fn heard(neighbours: &mut BTreeMap<u32, Vec<Neighbour>>, interface: &Interface) -> Vec<Neighbour> {
    let index = interface.index.filter(|index| *index > 0);
    index
        .and_then(|index| neighbours.remove(&index))
        .unwrap_or_default()
}

fn from_sysfs(survey: &Survey<'_>, listed: &[String]) -> Vec<Link> {
    let names = listed.iter().take(INTERFACES_MAX);
    names.filter_map(|name| sysfs::link(survey, name)).collect()
}

/// An interface as the kernel itself knows it.
fn of_link(
    survey: &Survey<'_>,
    link: &Link,
    names: &BTreeMap<u32, String>,
    ours: bool,
) -> Interface {
    let place = if ours {
        sysfs::place(survey, &link.name)
    } else {
        sysfs::Place::default()
    };
    let name_of = |index: u32| names.get(&index).cloned();
    let up = link.flags.map(|flags| flags & IFF_UP != 0);
    let lower = link
        .lower
        .filter(|lower| *lower != link.index && !link.lower_elsewhere);
    Interface {
        id: link.name.clone(),
        index: Some(link.index).filter(|index| *index > 0),
        kind: Some(kind(link, &place)),
        link_type: Some(link.link_type),
        function: function(link, &place),
        physical_function: place.physical_function,
        device: place.device.or_else(|| link.parent.clone()),
        node: place.node,
        driver: place.driver,
        mac: link.mac.clone(),
        permanent_mac: link.permanent_mac.clone(),
        mtu: link.mtu,
        mtu_max: link.mtu_max,
        alias: link.alias.clone(),
        alternative_names: link.alternative_names.clone(),
        enabled: up,
        operstate: link.operstate.as_deref().map(Into::into),
        // The kernel says 1 of an interface that is down and has never looked.
        carrier: link.carrier.filter(|_| up != Some(false)),
        master: link.master.and_then(name_of),
        lower: lower.and_then(name_of),
        vlan: link.vlan_id.map(|number| Vlan {
            number,
            protocol: link.vlan_protocol.clone(),
        }),
        bond_mode: link.bond_mode.clone(),
        bond_active: link.bond_active.and_then(name_of),
        phys_port_name: link.phys_port_name.clone(),
        phys_switch_id: link.phys_switch_id.clone(),
        dev_port: place.dev_port,
        rx_queues: link.rx_queues,
        tx_queues: link.tx_queues,
        dpll_pin: link.dpll_pin,
        vfs: link.vfs.clone(),
        now: now(link),
        ..Interface::default()
    }
}

/// An interface, and what its driver says of it.
fn interface(
    network: Network<'_>,
    link: &Link,
    names: &BTreeMap<u32, String>,
    (told, ours): (bool, bool),
) -> Interface {
    let survey = network.survey;
    let mut interface = of_link(survey, link, names, ours);
    let asked = asks(&interface);
    let name = link.name.clone();
    let settings = asked.then(|| network.ask(Question::Settings { interface: name }));
    match settings.flatten() {
        Some(settings) => configure(&mut interface, settings),
        // What is made by software has no speed that says anything; a tree tells what it has.
        None if ours && (asked || !told) => sysfs::speed(survey, &mut interface),
        None => {}
    }
    if survey.deep() && asked {
        look_deep(network, &mut interface);
    }
    interface
}

fn now(link: &Link) -> InterfaceNow {
    let counters = link.counters.iter().filter(|(_, count)| *count > 0);
    InterfaceNow {
        carrier_changes: link.carrier_changes,
        carrier_down_count: link.carrier_down_count,
        port_state: link.port_state.clone(),
        counters: counters.cloned().collect(),
        ..InterfaceNow::default()
    }
}

fn kind(link: &Link, place: &sysfs::Place) -> InterfaceKind {
    let on_device = place.device.is_some() || link.parent.is_some();
    let stands_for = link.phys_port_name.as_deref().is_some_and(stands_for);
    match link.kind.as_deref() {
        Some("ipvtap") => InterfaceKind::Other("ipvtap".to_owned()),
        Some(kind) => kind.into(),
        None if link.link_type == LOOPBACK => InterfaceKind::Loopback,
        None if place.physical_function.is_some() => InterfaceKind::VirtualFunction,
        None if stands_for && link.phys_switch_id.is_some() => InterfaceKind::Representor,
        None if on_device => InterfaceKind::Physical,
        None => InterfaceKind::Virtual,
    }
}

/// Whether a port's name is that of a function's side of an embedded switch (`Documentation/networking/devlink/devlink-port.rst`):
/// `pf0vf3`, `pf0sf88`, `c1pf0`; a port to the outside is `p0`.
fn stands_for(name: &str) -> bool {
    let controller = name
        .strip_prefix('c')
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    controller.unwrap_or(name).starts_with("pf")
}

fn function(link: &Link, place: &sysfs::Place) -> Option<String> {
    let on_pci = link.parent_bus.as_deref() == Some("pci");
    let parent = || link.parent.clone().filter(|_| on_pci);
    place.function.clone().or_else(parent)
}

/// Whether a driver is worth asking: hardware's, and of what is made by software that which has a speed of its own.
fn asks(interface: &Interface) -> bool {
    let made = matches!(
        interface.kind,
        Some(
            InterfaceKind::Bond | InterfaceKind::Team | InterfaceKind::Vlan | InterfaceKind::Bridge
        )
    );
    interface.is_hardware() || made
}

fn configure(interface: &mut Interface, settings: Settings) {
    let of_device = interface.driver.clone();
    if let Some(driver) = settings.driver {
        // A made interface has a driver too, whose versions say nothing.
        let hardware = interface.is_hardware();
        interface.driver = Some(driver.name);
        interface.driver_version = driver.version.filter(|_| hardware);
        interface.firmware = driver.firmware.filter(|_| hardware);
    }
    interface.speed_mbps = settings.speed_mbps;
    interface.duplex = settings.duplex.map(Into::into);
    interface.autoneg = settings.autoneg;
    interface.lanes = settings.lanes;
    interface.master_slave = settings.master_slave;
    interface.port = settings.port;
    interface.transceiver = settings.transceiver;
    interface.link_modes = (!settings.supported.is_empty()).then_some(LinkModes {
        supported: settings.supported,
        advertised: settings.advertised,
        peer: settings.peer,
    });
    interface.channels = settings.channels;
    interface.rings = settings.rings;
    interface.coalesce = settings.coalesce;
    interface.pause = settings.pause;
    interface.tsn = tsn::of(
        interface,
        of_device.as_deref(),
        settings.mac_merge,
        &settings.features,
        &settings.hardware_features,
    );
    interface.features = settings.features;
    let clocks = settings
        .virtual_clocks
        .iter()
        .map(|number| format!("ptp{number}"));
    interface.timestamping = settings.timestamping.map(|answer| super::Timestamping {
        virtual_clocks: clocks.collect(),
        ..answer.into()
    });
}

fn look_deep(network: Network<'_>, interface: &mut Interface) {
    if !interface.is_hardware() {
        return;
    }
    interface.fec = device_counters(network, interface);
    let question = Question::Module {
        interface: interface.id.clone(),
    };
    if let Some(eeprom) = network.ask::<Eeprom>(question) {
        let path = format!("gnomon/probes/ethtool-module-{}", interface.id);
        if let Some((module, now)) = module::read(&eeprom) {
            interface.module = Some(module);
            interface.now.module = Some(now);
        } else {
            let expected = "the memory of a module of SFF-8472, SFF-8636 or CMIS";
            let text = eeprom.pages.first().map(|page| page.bytes.to_string());
            let error = crate::error::Error::malformed(
                &format!("/{path}"),
                expected,
                &text.unwrap_or_default(),
            );
            network.survey.report(error);
        }
    }
}

/// Asks the device for its counters; how its FEC is set.
fn device_counters(network: Network<'_>, interface: &mut Interface) -> Option<FecModes> {
    let deep: Deep = network.ask(Question::Deep {
        interface: interface.id.clone(),
    })?;
    let mut counters = deep.counters;
    for group in counters.values_mut() {
        group.retain(|_, count| *count > 0);
    }
    counters.retain(|_, group| !group.is_empty());
    interface.now.standard_counters = counters;
    let fec = deep.fec?;
    interface.now.fec = Some(FecNow {
        active: fec.active,
        counters: fec.counters,
    });
    Some(FecModes {
        configured: fec.configured,
        auto: fec.auto,
    })
}

impl Nic {
    /// The interface called `name`.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|interface| interface.id == name)
    }

    /// The names of those that are part of `master`.
    #[must_use]
    pub fn ports_of(&self, master: &str) -> BTreeSet<&str> {
        let ports = self.interfaces.iter();
        ports
            .filter(|port| port.master.as_deref() == Some(master))
            .map(|port| port.id.as_str())
            .collect()
    }
}
