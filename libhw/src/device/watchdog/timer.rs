//! The timers of the watchdog class.

use serde::{Deserialize, Serialize};

use super::Directory;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// A watchdog (`/sys/class/watchdog/watchdogN`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timer {
    /// The kernel's name: `watchdog0`.
    pub id: String,
    /// `identity`: what the driver calls it, `iTCO_wdt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The driver that is bound to the device, where there is a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The PCI function that it hangs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `fw_version`: of the device's firmware; 0 where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<u32>,
    /// `timeout`: seconds without food after which it strikes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// `min_timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_min_seconds: Option<u32>,
    /// `max_timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_max_seconds: Option<u32>,
    /// `pretimeout`: so many seconds before it strikes, it warns; 0 is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretimeout_seconds: Option<u32>,
    /// `pretimeout_governor`: what the kernel does on the warning: `noop`, `panic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretimeout_governor: Option<String>,
    /// `pretimeout_available_governors`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pretimeout_governors: Vec<String>,
    /// `nowayout`: once started it cannot be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_way_out: Option<bool>,
    /// `options`: what it can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Flag>,
    /// `bootstatus`: why the machine was started last, as far as the watchdog knows: `card_reset` is its own doing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boot_status: Vec<Flag>,
    /// `access_cs0`: of ASPEED chips that started from the second flash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate_boot: Option<bool>,
    /// What changes without an event.
    #[serde(default)]
    pub now: TimerNow,
}

/// What changes in a watchdog without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TimerNow {
    /// `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<TimerState>,
    /// `status`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<Flag>,
    /// `timeleft`: seconds until it strikes; only in a deep look, since it asks the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_left_seconds: Option<u32>,
}

/// Whether a watchdog watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimerState {
    /// A program has it open and must feed it.
    Active,
    /// Nobody has started it: a machine that hangs stays so.
    Inactive,
    /// A word of a later kernel.
    #[serde(untagged)]
    Other(String),
}

/// A bit of `options`, `status` and `bootstatus` (`WDIOF_*`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The machine was too hot.
    Overheat,
    /// A fan failed.
    FanFault,
    /// The first external relay.
    External1,
    /// The second external relay.
    External2,
    /// The power supply was too weak.
    PowerUnder,
    /// The watchdog restarted the machine.
    CardReset,
    /// The power supply was too strong.
    PowerOver,
    /// The timeout can be set.
    SetTimeout,
    /// It stops when a program says so before it closes.
    MagicClose,
    /// It can warn before it strikes.
    Pretimeout,
    /// It does nothing but warn.
    AlarmOnly,
    /// It is fed by a call.
    KeepalivePing,
    /// A bit of a later kernel: `0x10000`.
    #[serde(untagged)]
    Other(String),
}

const TIMERS: &str = "sys/class/watchdog";

/// The bits, as `include/uapi/linux/watchdog.h` has them.
const FLAGS: &[(u32, Flag)] = &[
    (0x0001, Flag::Overheat),
    (0x0002, Flag::FanFault),
    (0x0004, Flag::External1),
    (0x0008, Flag::External2),
    (0x0010, Flag::PowerUnder),
    (0x0020, Flag::CardReset),
    (0x0040, Flag::PowerOver),
    (0x0080, Flag::SetTimeout),
    (0x0100, Flag::MagicClose),
    (0x0200, Flag::Pretimeout),
    (0x0400, Flag::AlarmOnly),
    (0x8000, Flag::KeepalivePing),
];

pub(super) fn discover(survey: &Survey<'_>) -> Vec<Timer> {
    let numbers = survey.numbered(TIMERS, "watchdog").into_iter();
    numbers
        .map(|number| timer(survey, &format!("watchdog{number}")))
        .collect()
}

pub(super) fn refresh(timer: &mut Timer, survey: &Survey<'_>) {
    let path = format!("{TIMERS}/{}", timer.id);
    let before = &timer.now;
    let had = [
        (before.state.is_some(), "state"),
        // An empty status may have been read as well as not.
        (before.state.is_some(), "status"),
    ];
    let names = had.iter().filter(|(had, _)| *had);
    let names = names.map(|(_, name)| (*name).to_owned()).collect();
    let asked = before.time_left_seconds.is_some();
    let directory = Directory {
        survey,
        path,
        names,
    };
    timer.now = TimerNow {
        time_left_seconds: asked.then(|| time_left(&directory)).flatten(),
        ..now(&directory)
    };
}

fn timer(survey: &Survey<'_>, id: &str) -> Timer {
    let directory = Directory::list(survey, format!("{TIMERS}/{id}"));
    let seconds = |name: &str| directory.value(name, parse::decimal);
    let flags = |name: &str| directory.value(name, flags).unwrap_or_default();
    let governors = directory.text("pretimeout_available_governors");
    let governors = governors.unwrap_or_default();
    let governors = governors.split_whitespace().map(str::to_owned).collect();
    let linked = directory.has("device");
    let driver = || survey.link_name(&format!("{}/device/driver", directory.path));
    let ask = survey.deep() && directory.has("timeleft");
    Timer {
        id: id.to_owned(),
        identity: directory.text("identity"),
        driver: linked.then(driver).flatten(),
        function: linked.then(|| function(&directory)).flatten(),
        firmware_version: seconds("fw_version"),
        timeout_seconds: seconds("timeout"),
        timeout_min_seconds: seconds("min_timeout"),
        timeout_max_seconds: seconds("max_timeout"),
        pretimeout_seconds: seconds("pretimeout"),
        pretimeout_governor: directory.text("pretimeout_governor"),
        pretimeout_governors: governors,
        no_way_out: directory.value("nowayout", parse::switch),
        options: flags("options"),
        boot_status: flags("bootstatus"),
        alternate_boot: directory.value("access_cs0", parse::switch),
        now: TimerNow {
            time_left_seconds: ask.then(|| time_left(&directory)).flatten(),
            ..now(&directory)
        },
    }
}

fn now(directory: &Directory<'_>) -> TimerNow {
    TimerNow {
        state: directory.text("state").map(|word| match word.as_str() {
            "active" => TimerState::Active,
            "inactive" => TimerState::Inactive,
            _ => TimerState::Other(word),
        }),
        status: directory.value("status", flags).unwrap_or_default(),
        time_left_seconds: None,
    }
}

fn time_left(directory: &Directory<'_>) -> Option<u32> {
    let survey = directory.survey;
    let path = format!("{}/timeleft", directory.path);
    let bytes = survey.keep(survey.root().slow_bytes(&path, 16))?;
    survey.parsed(&path, &String::from_utf8_lossy(&bytes), parse::decimal)
}

/// The PCI function in the place of the device: the last part of it that is an address.
fn function(directory: &Directory<'_>) -> Option<String> {
    let survey = directory.survey;
    let target = survey.keep(survey.root().link(&format!("{}/device", directory.path)))?;
    parse::function_above(&target).map(str::to_owned)
}

/// Bits; `options` and `status` are written in hexadecimal, `bootstatus` in decimal.
///
/// ```text
/// 0x8180
/// 32
/// ```
fn flags(text: &str) -> Parsed<Vec<Flag>> {
    let text = parse::trim(text);
    let bits = if text.starts_with("0x") {
        parse::hex(text)
            .ok()
            .and_then(|bits| u32::try_from(bits).ok())
    } else {
        parse::decimal(text).ok()
    };
    let bits: u32 = bits.ok_or(Expected("bits such as 0x8180 or 32"))?;
    let known = FLAGS.iter().fold(0, |all, (bit, _)| all | bit);
    let mut flags: Vec<Flag> = FLAGS
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, flag)| flag.clone())
        .collect();
    let rest = bits & !known;
    if rest != 0 {
        flags.push(Flag::Other(format!("{rest:#x}")));
    }
    Ok(flags)
}
