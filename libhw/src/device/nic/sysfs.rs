//! What /sys/class/net tells of an interface (`Documentation/ABI/testing/sysfs-class-net`, `.../sysfs-class-net-statistics`).

use std::collections::BTreeMap;

use super::Interface;
use crate::error::Error;
use crate::io::netlink::link::Link;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// Where the interfaces are.
pub(super) const NET: &str = "sys/class/net";

/// Where an interface sits.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) device: Option<String>,
    pub(super) function: Option<String>,
    pub(super) physical_function: Option<String>,
    pub(super) driver: Option<String>,
    pub(super) node: Option<u32>,
    pub(super) dev_port: Option<u32>,
}

/// The interfaces that sysfs lists, beside those of which netlink told: sysfs may show another network namespace than
/// the one that we are in.
pub(super) struct Here<'a> {
    listed: &'a [String],
    /// Whether both have the same names.
    alike: bool,
}

impl<'a> Here<'a> {
    /// Of a sorted list, and what netlink told.
    pub(super) fn of(listed: &'a [String], told: &BTreeMap<u32, String>) -> Self {
        let has = |name: &str| {
            listed
                .binary_search_by(|known| known.as_str().cmp(name))
                .is_ok()
        };
        let others = usize::from(has("bonding_masters"));
        let alike = listed.len() - others == told.len() && told.values().all(|name| has(name));
        Self { listed, alike }
    }

    /// Whether what sysfs has under an interface's name is the one that netlink told of.
    pub(super) fn has(&self, survey: &Survey<'_>, link: &Link) -> bool {
        let index = || survey.value(&format!("{NET}/{}/ifindex", link.name), parse::decimal);
        self.listed.binary_search(&link.name).is_ok() && (self.alike || index() == Some(link.index))
    }
}

/// Where the interface `name` sits, and who drives it.
pub(super) fn place(survey: &Survey<'_>, name: &str) -> Place {
    let directory = format!("{NET}/{name}");
    let whole = survey.keep(survey.root().link(&directory));
    if whole
        .as_deref()
        .is_some_and(|way| way.contains("devices/virtual/"))
    {
        return Place::default();
    }
    // The class's own link tells the device too; where it was captured as a directory, the device's link does.
    let beside = || survey.keep(survey.root().link(&format!("{directory}/device")));
    let Some(way) = whole
        .as_deref()
        .and_then(device_of)
        .map(str::to_owned)
        .or_else(beside)
    else {
        return Place::default();
    };
    let way = way.trim_end_matches('/');
    let device = way.rsplit('/').next().map(str::to_owned);
    let function = parse::function_above(way);
    let on_pci = device.as_deref() == function;
    let number = |name: &str| survey.value(&format!("{directory}/{name}"), parse::decimal_or_none);
    Place {
        physical_function: on_pci
            .then(|| survey.link_name(&format!("{directory}/device/physfn")))
            .flatten(),
        driver: survey.link_name(&format!("{directory}/device/driver")),
        node: on_pci
            .then(|| number("device/numa_node"))
            .flatten()
            .flatten(),
        dev_port: number("dev_port").flatten().filter(|port| *port > 0),
        function: function.map(str::to_owned),
        device,
    }
}

/// The way to the device of an interface.
///
/// ```text
/// ../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0
/// ```
fn device_of(way: &str) -> Option<&str> {
    let (device, _) = way.rsplit_once("/net/")?;
    device.contains("devices/").then_some(device)
}

/// All that sysfs tells, as netlink would; `None` when there is no such directory.
pub(super) fn link(survey: &Survey<'_>, name: &str) -> Option<Link> {
    let attributes = Attributes::list(survey, name)?;
    let number = |name: &str| attributes.value(name, parse::decimal::<u32>);
    let flags = attributes.value("flags", parse::hex);
    let index = number("ifindex").unwrap_or_default();
    Some(Link {
        name: name.to_owned(),
        index,
        link_type: attributes.value("type", parse::decimal).unwrap_or_default(),
        flags: flags.and_then(|flags| u32::try_from(flags).ok()),
        kind: made_by(&attributes),
        mac: attributes
            .text("address")
            .filter(|mac| mac.bytes().any(|byte| !b"0:".contains(&byte))),
        mtu: number("mtu"),
        operstate: attributes.text("operstate"),
        carrier: attributes.value("carrier", parse::switch),
        carrier_changes: number("carrier_changes"),
        carrier_up_count: number("carrier_up_count"),
        carrier_down_count: number("carrier_down_count"),
        master: attributes
            .has("master")
            .then(|| attributes.nested("master/ifindex"))
            .flatten(),
        lower: number("iflink").filter(|lower| *lower != index && *lower > 0),
        phys_port_name: attributes.text("phys_port_name"),
        phys_switch_id: attributes.text("phys_switch_id"),
        alias: attributes.text("ifalias"),
        rx_queues: attributes.queues("rx-"),
        tx_queues: attributes.queues("tx-"),
        vlan_id: vlan(&attributes),
        bond_mode: attributes.bonding("mode"),
        bond_active: attributes
            .bonding("active_slave")
            .and_then(|name| survey.value(&format!("{NET}/{name}/ifindex"), parse::decimal)),
        port_state: port_state(&attributes),
        counters: counters(&attributes),
        ..Link::default()
    })
}

/// Speed and duplex, which a kernel tells only of a link that is up.
pub(super) fn speed(survey: &Survey<'_>, interface: &mut Interface) {
    let directory = format!("{NET}/{}", interface.id);
    let speed = offered(survey, &format!("{directory}/speed"), parse::signed);
    // -1 where the driver does not know; 65535 is the same in 16 bits, of old drivers.
    let known = speed.and_then(|speed| u32::try_from(speed).ok());
    interface.speed_mbps = known.filter(|speed| !matches!(*speed, 0 | 65535 | u32::MAX));
    let duplex = offered(survey, &format!("{directory}/duplex"), parse::text);
    interface.duplex = duplex.filter(|word| word != "unknown").map(Into::into);
}

/// A value of a file that drivers refuse with `EINVAL` or `EOPNOTSUPP` where they have none.
fn offered<T>(survey: &Survey<'_>, path: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
    let text = match survey.root().text(path) {
        Err(Error::Unsupported { .. }) => None,
        Err(Error::Read { source, .. }) if source.raw_os_error() == Some(libc::EINVAL) => None,
        answer => survey.keep(answer),
    };
    let text = text.filter(|text| !parse::trim(text).is_empty())?;
    survey.parsed(path, &text, parse)
}

/// One interface's directory, which is listed once.
struct Attributes<'a> {
    survey: &'a Survey<'a>,
    directory: String,
    names: Vec<String>,
}

impl<'a> Attributes<'a> {
    fn list(survey: &'a Survey<'a>, name: &str) -> Option<Self> {
        let directory = format!("{NET}/{name}");
        let names = survey.names(&directory);
        // `bonding_masters` is a file beside them.
        let is_there = || survey.keep(survey.root().link(&directory)).is_some();
        (!names.is_empty() || is_there()).then_some(Self {
            survey,
            directory,
            names,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.names
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
    }

    fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        let path = format!("{}/{name}", self.directory);
        self.has(name).then(|| offered(self.survey, &path, parse))?
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name, parse::text)
    }

    fn nested(&self, path: &str) -> Option<u32> {
        self.survey
            .value(&format!("{}/{path}", self.directory), parse::decimal)
    }

    /// The first word of a file of a bond's: `802.3ad 4`.
    fn bonding(&self, name: &str) -> Option<String> {
        let text = self.has("bonding").then(|| {
            self.survey
                .text(&format!("{}/bonding/{name}", self.directory))
        })??;
        text.split_whitespace().next().map(str::to_owned)
    }

    fn queues(&self, prefix: &str) -> Option<u32> {
        let names = self
            .has("queues")
            .then(|| self.survey.names(&format!("{}/queues", self.directory)))?;
        let count = names.iter().filter(|name| name.starts_with(prefix)).count();
        u32::try_from(count).ok()
    }
}

/// The kind of what is made by software, as far as its directory tells.
fn made_by(attributes: &Attributes<'_>) -> Option<String> {
    let directories = [
        ("bonding", "bond"),
        ("bridge", "bridge"),
        ("tun_flags", "tun"),
    ];
    let mut directories = directories.into_iter();
    if let Some((_, kind)) = directories.find(|(name, _)| attributes.has(name)) {
        return Some(kind.to_owned());
    }
    let events = attributes.text("uevent")?;
    let mut lines = events.lines();
    let kind = lines
        .find_map(|line| line.strip_prefix("DEVTYPE="))?
        .to_owned();
    // The types of hardware, `wlan` and the like, are no kinds.
    ["vlan", "bond", "bridge", "vxlan", "geneve", "macsec"]
        .contains(&kind.as_str())
        .then_some(kind)
}

/// The number of a VLAN.
///
/// ```text
/// eth0.5  VID: 5  REORDER_HDR: 1  dev->priv_flags: 1021
/// ```
fn vlan(attributes: &Attributes<'_>) -> Option<u16> {
    if made_by(attributes).as_deref() != Some("vlan") {
        return None;
    }
    let name = attributes.directory.rsplit('/').next()?;
    let path = format!("proc/net/vlan/{name}");
    let text = attributes.survey.raw(&path)?;
    let number = |text: &str| {
        let mut words = text.split_whitespace().skip_while(|word| *word != "VID:");
        let expected = Expected("VID: and a number");
        words.nth(1).ok_or(expected).and_then(parse::decimal)
    };
    attributes.survey.parsed(&path, &text, number)
}

fn port_state(attributes: &Attributes<'_>) -> Option<String> {
    let text = |name: &str| {
        attributes
            .survey
            .text(&format!("{}/{name}", attributes.directory))
    };
    if attributes.has("bonding_slave") {
        return text("bonding_slave/state");
    }
    let state = attributes
        .has("brport")
        .then(|| attributes.nested("brport/state"))??;
    let words = [
        "disabled",
        "listening",
        "learning",
        "forwarding",
        "blocking",
    ];
    Some(crate::word::numbered(&words, 0, state))
}

fn counters(attributes: &Attributes<'_>) -> Vec<(String, u64)> {
    if !attributes.has("statistics") {
        return Vec::new();
    }
    let directory = format!("{}/statistics", attributes.directory);
    let names = attributes.survey.names(&directory);
    let count = |name: String| {
        let count = attributes
            .survey
            .value(&format!("{directory}/{name}"), parse::decimal)?;
        Some((name, count))
    };
    names.into_iter().filter_map(count).collect()
}
