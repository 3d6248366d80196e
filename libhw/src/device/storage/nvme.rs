//! NVMe controllers, namespaces and subsystems (/sys/class/nvme, /sys/class/nvme-subsystem;
//! `Documentation/ABI/testing/sysfs-nvme`, `drivers/nvme/host/sysfs.c`).

use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, natural};
use super::drive::Drive;
use crate::io::aside::Command;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

mod health;

pub use health::{CriticalWarning, NvmeFirmware, NvmeHealth, NvmeIdentity};

/// An NVMe controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmeController {
    /// The kernel's name, `nvme0`.
    pub id: String,
    /// `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `serial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `firmware_rev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// `transport`: `pcie`, `tcp`, `rdma`, `fc`, `loop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// `address`: a PCI address, or where the controller is on its network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The PCI function that it is, or that its network card is where the kernel says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `numa_node`; absent where firmware does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// `state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ControllerState>,
    /// `cntlid`: its number in its subsystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_id: Option<u32>,
    /// `cntrltype`: `io`, `discovery`, `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_type: Option<String>,
    /// `subsysnqn`: the qualified name of its subsystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_nqn: Option<String>,
    /// `queue_count`: its queues, the one for admin commands counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<u32>,
    /// `sqsize`: the entries of a queue, less one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_size: Option<u32>,
    /// `kato`: how often it must hear of us, in milliseconds; 0 never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive_ms: Option<u64>,
    /// `passthru_err_log_enabled`: whether the kernel logs what goes wrong with commands of programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passthrough_errors_logged: Option<bool>,
    /// What Identify Controller says; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<NvmeIdentity>,
    /// The firmware in its slots; only in a deep look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_slots: Option<NvmeFirmware>,
    /// What changes without an event.
    #[serde(default)]
    pub now: NvmeControllerNow,
}

/// What changes in a controller without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct NvmeControllerNow {
    /// Its health; only in a deep look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<NvmeHealth>,
}

/// What a controller is doing (`drivers/nvme/host/sysfs.c`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ControllerState {
    /// It is being set up.
    New,
    /// It works.
    Live,
    /// It is being reset.
    Resetting,
    /// It is being connected again.
    Connecting,
    /// It is going away, and commands still end.
    Deleting,
    /// It is going away.
    #[serde(rename = "deleting (no IO)")]
    DeletingNoIo,
    /// It did not come back from a reset.
    Dead,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// An NVMe namespace; or, where several controllers lead to one, a way to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmeNamespace {
    /// The kernel's name: `nvme0n1`, of a way to it `nvme0c1n1`.
    pub id: String,
    /// The controller that it belongs to, or that is the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The subsystem, of a namespace that several controllers lead to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem: Option<String>,
    /// `nsid`: its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsid: Option<u32>,
    /// `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// `queue/logical_block_size`: the data in a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_bytes: Option<Bytes>,
    /// `metadata_bytes`: what each block has beside its data (Linux 6.8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_bytes: Option<Bytes>,
    /// `csi`: its command set, 0 for blocks, 2 for zones (Linux 6.8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_set: Option<u32>,
    /// `wwid`: what tells it from all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wwid: Option<String>,
    /// `nguid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nguid: Option<String>,
    /// `eui`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eui: Option<String>,
    /// `uuid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// `ana_state`: how good this way is, as the controller says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ana_state: Option<AnaState>,
    /// `ana_grpid`: the group whose ways change together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ana_group: Option<u32>,
    /// `nuse`: blocks in use, in a deep look: it asks the controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks_used: Option<u64>,
}

/// How good a way to a namespace is (asymmetric namespace access, NVM Express Base Specification 2.0 §8.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnaState {
    /// As good as it can be.
    Optimized,
    /// Slower.
    NonOptimized,
    /// Closed for now.
    Inaccessible,
    /// Closed for good.
    PersistentLoss,
    /// In between.
    Change,
    /// A word that no kernel had when this was written.
    #[serde(untagged)]
    Other(String),
}

/// An NVMe subsystem: controllers that share namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmeSubsystem {
    /// The kernel's name, `nvme-subsys0`.
    pub id: String,
    /// `subsysnqn`: its qualified name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nqn: Option<String>,
    /// `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `serial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `firmware_rev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// `subsystype`: `nvm`, `discovery`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsystem_type: Option<String>,
    /// `iopolicy`: how the kernel chooses among several ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_policy: Option<String>,
    /// Its controllers, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<String>,
    /// Its namespaces that the kernel offers as disks, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
}

/// Where controllers are.
pub(super) const CONTROLLERS: &str = "sys/class/nvme";

/// Where subsystems are.
pub(super) const SUBSYSTEMS: &str = "sys/class/nvme-subsystem";

/// More than any machine has, so that a hostile tree ends.
const NAMESPACES_MAX: usize = 65_536;

type All = (Vec<NvmeController>, Vec<NvmeNamespace>, Vec<NvmeSubsystem>);

/// Controllers, namespaces and subsystems.
pub(super) fn discover(survey: &Survey<'_>) -> All {
    let (mut controllers, mut namespaces) = (Vec::new(), Vec::new());
    let mut subsystems = Vec::new();
    for number in survey.numbered(CONTROLLERS, "nvme") {
        let (controller, own) = read_controller(survey, number);
        namespaces.extend(own);
        controllers.push(controller);
    }
    for number in subsystem_numbers(survey) {
        let (subsystem, shared) = read_subsystem(survey, number);
        namespaces.extend(shared);
        subsystems.push(subsystem);
    }
    namespaces.truncate(NAMESPACES_MAX);
    sort(&mut namespaces);
    (controllers, namespaces, subsystems)
}

/// Puts namespaces in the order of their names, the ways to one before it.
pub(super) fn sort(namespaces: &mut [NvmeNamespace]) {
    namespaces
        .sort_by_cached_key(|namespace| (natural(&namespace.id), namespace.subsystem.clone()));
}

/// The controller `nvmeN`, and the namespaces that belong to it alone.
pub(super) fn read_controller(
    survey: &Survey<'_>,
    number: u32,
) -> (NvmeController, Vec<NvmeNamespace>) {
    let id = format!("nvme{number}");
    let own = Attributes::list(survey, format!("{CONTROLLERS}/{id}"));
    let of_it = |namespace| NvmeNamespace {
        controller: Some(id.clone()),
        ..namespace
    };
    let namespaces = below(&own).map(of_it).collect();
    let mut controller = controller(survey, &own, id);
    if survey.deep() {
        ask(survey, &mut controller);
    }
    (controller, namespaces)
}

/// The numbers of the subsystems, in order.
pub(super) fn subsystem_numbers(survey: &Survey<'_>) -> Vec<u32> {
    survey.numbered(SUBSYSTEMS, "nvme-subsys")
}

/// The subsystem `nvme-subsysN`, and the namespaces that its controllers share.
pub(super) fn read_subsystem(
    survey: &Survey<'_>,
    number: u32,
) -> (NvmeSubsystem, Vec<NvmeNamespace>) {
    let id = format!("nvme-subsys{number}");
    let own = Attributes::list(survey, format!("{SUBSYSTEMS}/{id}"));
    let of_it = |namespace| NvmeNamespace {
        subsystem: Some(id.clone()),
        ..namespace
    };
    let shared: Vec<NvmeNamespace> = below(&own).map(of_it).collect();
    (subsystem(&own, id, &shared), shared)
}

/// Asks again for health, where it was read before.
pub(super) fn refresh(controllers: &mut [NvmeController], survey: &Survey<'_>) {
    for controller in controllers {
        let path = format!("{CONTROLLERS}/{}/state", controller.id);
        controller.state = survey.text(&path).map(state);
        if controller.now.health.is_some() {
            let file = format!("dev/{}", controller.id);
            let drive = Drive::new(survey, &file);
            controller.now.health = health(&drive);
        }
    }
}

fn controller(survey: &Survey<'_>, own: &Attributes<'_>, id: String) -> NvmeController {
    let way = survey.keep(survey.root().link(&own.base));
    let address = own.text("address");
    let links = [way, own.link("device"), address.clone()];
    let node = own.value("numa_node", parse::decimal_or_none);
    NvmeController {
        id,
        model: own.text("model"),
        serial: own.text("serial"),
        firmware: own.text("firmware_rev"),
        transport: own.text("transport"),
        function: links
            .iter()
            .flatten()
            .find_map(|link| parse::function_above(link))
            .map(str::to_owned),
        address,
        node: node.flatten(),
        state: own.text("state").map(state),
        controller_id: own.value("cntlid", parse::decimal),
        controller_type: own.text("cntrltype"),
        subsystem_nqn: own.text("subsysnqn"),
        queues: own.value("queue_count", parse::decimal),
        queue_size: own.value("sqsize", parse::decimal),
        keep_alive_ms: own.value("kato", parse::decimal),
        passthrough_errors_logged: own.value("passthru_err_log_enabled", on_or_off),
        ..NvmeController::default()
    }
}

fn on_or_off(text: &str) -> parse::Parsed<bool> {
    match parse::trim(text) {
        "on" => Ok(true),
        "off" => Ok(false),
        other => parse::switch(other).map_err(|_| parse::Expected("on or off")),
    }
}

fn state(word: String) -> ControllerState {
    match word.as_str() {
        "new" => ControllerState::New,
        "live" => ControllerState::Live,
        "resetting" => ControllerState::Resetting,
        "connecting" => ControllerState::Connecting,
        "deleting" => ControllerState::Deleting,
        "deleting (no IO)" => ControllerState::DeletingNoIo,
        "dead" => ControllerState::Dead,
        _ => ControllerState::Other(word),
    }
}

/// The namespaces in a directory: those that are named after a controller, and the ways to them.
fn below<'a>(own: &'a Attributes<'_>) -> impl Iterator<Item = NvmeNamespace> + 'a {
    let names = own.names.iter().filter(|name| is_namespace(name));
    names.map(|name| namespace(&own.below(name), name))
}

/// ```text
/// nvme0n1
/// nvme0c1n1
/// ```
fn is_namespace(name: &str) -> bool {
    let Some((controller, namespace)) = name
        .strip_prefix("nvme")
        .and_then(|rest| rest.rsplit_once('n'))
    else {
        return false;
    };
    let is_number = |text: &str| parse::decimal::<u32>(text).is_ok();
    let mut parts = controller.split('c');
    is_number(namespace) && parts.clone().count() <= 2 && parts.all(is_number)
}

fn namespace(own: &Attributes<'_>, id: &str) -> NvmeNamespace {
    let sectors: Option<u64> = own.value("size", parse::decimal);
    let queue = own.below("queue");
    let block: Option<u64> = queue.value("logical_block_size", parse::decimal);
    let metadata: Option<u64> = own.value("metadata_bytes", parse::decimal);
    let used = own.survey.deep().then(|| own.value("nuse", parse::decimal));
    NvmeNamespace {
        id: id.to_owned(),
        nsid: own.value("nsid", parse::decimal),
        size_bytes: sectors.map(|sectors| Bytes(sectors.saturating_mul(super::statistics::SECTOR))),
        block_bytes: block.map(Bytes),
        metadata_bytes: metadata.map(Bytes),
        command_set: own.value("csi", parse::decimal),
        wwid: own.text("wwid"),
        nguid: own.text("nguid"),
        eui: own.text("eui"),
        uuid: own.text("uuid"),
        ana_state: own.text("ana_state").map(ana_state),
        ana_group: own.value("ana_grpid", parse::decimal),
        blocks_used: used.flatten(),
        ..NvmeNamespace::default()
    }
}

fn ana_state(word: String) -> AnaState {
    match word.as_str() {
        "optimized" => AnaState::Optimized,
        "non-optimized" => AnaState::NonOptimized,
        "inaccessible" => AnaState::Inaccessible,
        "persistent-loss" => AnaState::PersistentLoss,
        "change" => AnaState::Change,
        _ => AnaState::Other(word),
    }
}

fn subsystem(own: &Attributes<'_>, id: String, shared: &[NvmeNamespace]) -> NvmeSubsystem {
    let is_controller = |name: &&String| {
        let number = name.strip_prefix("nvme");
        number.is_some_and(|number| parse::decimal::<u32>(number).is_ok())
    };
    let mut controllers: Vec<String> = own.names.iter().filter(is_controller).cloned().collect();
    controllers.sort_by_key(|name| natural(name));
    NvmeSubsystem {
        nqn: own.text("subsysnqn"),
        model: own.text("model"),
        serial: own.text("serial"),
        firmware: own.text("firmware_rev"),
        subsystem_type: own.text("subsystype"),
        io_policy: own.text("iopolicy"),
        controllers,
        namespaces: shared
            .iter()
            .map(|namespace| namespace.id.clone())
            .collect(),
        id,
    }
}

/// Asks a controller that works; one that does not would keep the question until it does.
fn ask(survey: &Survey<'_>, controller: &mut NvmeController) {
    if !matches!(controller.state, None | Some(ControllerState::Live)) {
        return;
    }
    let file = format!("dev/{}", controller.id);
    let drive = Drive::new(survey, &file);
    controller.identity = drive.ask(Command::NvmeIdentify).and_then(|bytes| {
        let identity = NvmeIdentity::parse(&bytes);
        if identity.is_none() {
            drive.malformed("4096 bytes of Identify Controller", &bytes);
        }
        identity
    });
    controller.now.health = health(&drive);
    let firmware = drive.ask(Command::NvmeFirmware);
    controller.firmware_slots = firmware.and_then(|bytes| NvmeFirmware::parse(&bytes));
}

fn health(drive: &Drive<'_>) -> Option<NvmeHealth> {
    let bytes = drive.ask(Command::NvmeHealth)?;
    let health = NvmeHealth::parse(&bytes);
    if health.is_none() {
        drive.malformed("512 bytes of SMART / Health Information", &bytes);
    }
    health
}
