//! Cards: those that a framework has, and functions of FPGA makers that none has.

use serde::{Deserialize, Serialize};

use super::errors::{self, ErrorRegister};
use super::sensor::Source;
use super::xrt::{self, Shell};
use super::{Boot, Fpga, Framework, bitstream, class, controller, memory, model, port, sensor};
use crate::directory::{self, Directory};
use crate::parse;
use crate::survey::Survey;

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Card {
    /// The kernel's name for it (`region0`, `intel-fpga-dev.0`), else the address of its function.
    pub id: String,
    /// Its PCI function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Who drives it.
    pub framework: Framework,
    /// What it is, by its PCI ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The driver bound to its function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The static image that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitstream: Option<Bitstream>,
    /// `ports_num`: how many ports it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_count: Option<u32>,
    /// `socket_id`; only of an FPGA in the processor's package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<u32>,
    /// `cache_size`, in the driver's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_size: Option<u64>,
    /// `fabric_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fabric_version: Option<u64>,
    /// What XRT tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Which image it booted; of Intel cards only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// What changes without an event.
    #[serde(default)]
    pub now: CardNow,
}

/// What changes in a card without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CardNow {
    /// The error registers that are not zero (`errors/*`); absent where the card has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ErrorRegister>>,
    /// `ready` of XRT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// `dev_offline` of XRT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline: Option<bool>,
    /// `firewall/detected_level` of XRT: above 0 a firewall has tripped. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_level: Option<u32>,
    /// `firewall/detected_level_name` of XRT. Only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<String>,
}

/// The static image of an Intel card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bitstream {
    /// `bitstream_id` in hexadecimal.
    pub id: String,
    /// Its version, of bits 59 to 48: `2.0.2`.
    pub version: String,
    /// `bitstream_metadata` in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// When it was synthesized, of bits 27 to 4 of the metadata: `2019-10-17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthesis_date: Option<String>,
    /// The seed of its synthesis, bits 3 to 0 of the metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// `pr/interface_id`, or `compat_id` of the region: what a partial image must fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_id: Option<String>,
    /// What the image does with the network ports of a PAC N3000: `8x10G`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The build of a PAC N3000's image, bits 23 to 0: `0.2.55`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// What else a PAC N3000's image has: `seu_detection`, `ptp`, ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// Which image a card booted, and will boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Image {
    /// The user's or the factory's.
    pub boot: Boot,
    /// The page in the driver's words (`fpga_user1`), where there are more than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// `power_on_image`: what is tried at the next power-on, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub power_on: Vec<String>,
}

impl Card {
    fn new(id: &str, framework: Framework) -> Self {
        Self {
            id: id.to_owned(),
            function: None,
            framework,
            model: None,
            driver: None,
            bitstream: None,
            port_count: None,
            socket: None,
            cache_size: None,
            fabric_version: None,
            shell: None,
            image: None,
            now: CardNow::default(),
        }
    }
}

const OPAE: &str = "sys/class/fpga";

/// XRT's two drivers.
const XRT: [&str; 2] = ["xclmgmt", "xocl"];

/// Adds every card, and all that is on it. `regions` are those of the kernel's class.
pub(super) fn discover<'a>(survey: &'a Survey<'a>, regions: &[Directory<'a>], fpga: &mut Fpga) {
    for region in regions {
        if units(region, "dfl-").next().is_some() {
            intel(survey, region, Framework::Dfl, fpga);
        }
    }
    for name in survey.names(OPAE) {
        let container = Directory::list(survey, format!("{OPAE}/{name}"));
        if units(&container, "intel-fpga-").next().is_some() {
            intel(survey, &container, Framework::Opae, fpga);
        }
    }
    for (identity, function) in directory::functions(survey, model::is_card) {
        let known = |card: &Card| card.function.as_deref() == Some(&identity.id);
        if fpga.cards.iter().any(known) {
            continue;
        }
        let mut card = Card {
            function: Some(identity.id.clone()),
            model: model::name(&identity).map(str::to_owned),
            driver: function.link_name("driver"),
            ..Card::new(&identity.id, Framework::None)
        };
        if card
            .driver
            .as_deref()
            .is_some_and(|driver| XRT.contains(&driver))
        {
            xrt::read(&mut card, &function, survey.deep(), fpga);
        }
        fpga.cards.push(card);
    }
}

/// The names of the management engine and the ports in a container.
fn units<'b>(container: &'b Directory<'_>, prefix: &str) -> impl Iterator<Item = &'b str> {
    let is_unit = move |name: &&str| {
        let unit = name.strip_prefix(prefix);
        unit.is_some_and(|unit| unit.starts_with("fme.") || unit.starts_with("port."))
    };
    container.names().filter(is_unit)
}

fn intel(survey: &Survey<'_>, container: &Directory<'_>, framework: Framework, fpga: &mut Fpga) {
    let deep = survey.deep();
    let function = container.function();
    let identity = function
        .as_deref()
        .and_then(|function| directory::identity(survey, function));
    let model = identity.as_ref().and_then(model::name);
    let mut card = Card {
        model: model.map(str::to_owned),
        driver: function.as_deref().and_then(|function| {
            survey.link_name(&format!("{}/{function}/driver", directory::FUNCTIONS))
        }),
        function,
        ..Card::new(container.name(), framework)
    };
    let is = |name: &str, unit: &str| name.contains(unit);
    for engine in container.all_below(|name| is(name, "-fme.")) {
        management(&mut card, &engine, deep, fpga);
    }
    for directory in container.all_below(|name| is(name, "-port.")) {
        let port = port::read(&card.id, &directory);
        for feature in port::features(&directory) {
            let feature = port::feature(&card.id, Some(&port.id), &feature, deep);
            fpga.features.extend(feature);
        }
        fpga.ports.push(port);
    }
    fpga.cards.push(card);
}

/// Adds what the management engine has.
fn management(card: &mut Card, engine: &Directory<'_>, deep: bool, fpga: &mut Fpga) {
    card.bitstream = bitstream::read(engine, model::is_n3000(card.model.as_deref()));
    card.port_count = engine.value("ports_num", parse::decimal);
    card.socket = engine.value("socket_id", parse::decimal);
    card.cache_size = engine.value("cache_size", parse::decimal);
    card.fabric_version = engine.value("fabric_version", parse::decimal);
    card.now.errors = errors::read(engine);
    class::of_engine(engine, deep, fpga);
    let id = card.id.as_str();
    fpga.sensors
        .extend(sensor::hwmon(id, engine, Source::Register));
    fpga.sensors.extend(sensor::of_engine(id, engine));
    fpga.memories.extend(memory::of_engine(id, engine));
    let features = port::features(engine);
    for feature in &features {
        fpga.features.extend(port::feature(id, None, feature, deep));
        fpga.memories.extend(memory::of_feature(id, feature));
    }
    for directory in controller::find(engine, &features) {
        controller::read(id, &directory, deep, fpga);
        if deep && card.image.is_none() {
            card.image = controller::image(&directory);
        }
    }
    if deep {
        for feature in &features {
            controller::retimer_modes(id, feature, &mut fpga.retimers);
        }
    }
}
