//! PTP hardware clocks: /sys/class/ptp/ptpN.

use std::collections::{BTreeMap, BTreeSet};

use super::{Clock, ClockKind, ClockPin, ClockPinNow};
use crate::io::aside::Ask;
use crate::io::clock::Capabilities;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

const CLASS: &str = "sys/class/ptp";
const FUNCTIONS: &str = "sys/bus/pci/devices";

/// More than any clock has, so that a hostile tree cannot take all memory.
const PINS_MAX: usize = 1024;

/// Words in the names that drivers of hypervisors' clocks give them.
const HYPERVISORS: [&str; 4] = ["KVM", "vmclock", "VMware", "hyperv"];

/// The clocks, by number.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Clock> {
    let places = places(survey);
    places
        .into_iter()
        .map(|(number, directory)| clock(survey, number, &directory))
        .collect()
}

/// Each clock's number and directory. Some captured trees lack the class and have the clocks below their devices.
fn places(survey: &Survey<'_>) -> BTreeMap<u32, String> {
    let numbers = survey.numbered(CLASS, "ptp");
    if !numbers.is_empty() || survey.root().is_live() {
        let place = |number| (number, format!("{CLASS}/ptp{number}"));
        return numbers.into_iter().map(place).collect();
    }
    let mut places = BTreeMap::new();
    for function in survey.names(FUNCTIONS) {
        let directory = format!("{FUNCTIONS}/{function}/ptp");
        let numbers = survey.numbered(&directory, "ptp").into_iter();
        places.extend(numbers.map(|number| (number, format!("{directory}/ptp{number}"))));
    }
    places
}

/// Reads again how the pins are set.
pub(super) fn refresh(clock: &mut Clock, survey: &Survey<'_>) {
    for pin in &mut clock.pins {
        pin.now = pin_now(survey, &format!("{CLASS}/{}/pins/{}", clock.id, pin.id));
    }
}

fn clock(survey: &Survey<'_>, number: u32, directory: &str) -> Clock {
    let names = survey.names(directory);
    let has = |name: &str| {
        names
            .binary_search_by(|known| known.as_str().cmp(name))
            .is_ok()
    };
    let path = |name: &str| format!("{directory}/{name}");
    let count = |name: &str| has(name).then(|| survey.value(&path(name), parse::decimal::<u32>))?;
    let wide = |name: &str| has(name).then(|| survey.value(&path(name), parse::decimal::<u64>))?;
    let name = has("clock_name")
        .then(|| survey.text(&path("clock_name")))
        .flatten();
    // The class's own link goes all the way; a tree without the class has the way in its path.
    let whole = survey.keep(survey.root().link(directory));
    let device = survey.keep(survey.root().link(&path("device")));
    let way = whole.unwrap_or_else(|| directory.to_owned());
    let device = device.as_deref().map(|device| device.trim_end_matches('/'));
    let parent = parent(&way, number);
    let kind = kind(name.as_deref(), &way, parent.is_some());
    let caps = survey
        .deep()
        .then(|| capabilities(survey, number))
        .flatten();
    let function = parse::function_above(&way).or_else(|| device.and_then(parse::function_above));
    Clock {
        id: format!("ptp{number}"),
        kind: Some(kind),
        function: function.map(str::to_owned),
        interfaces: interfaces(survey, directory, device.is_some() && parent.is_none()),
        device: device
            .and_then(|device| device.rsplit('/').next())
            .map(str::to_owned),
        parent,
        max_adjustment_ppb: wide("max_adjustment"),
        max_phase_adjustment_ns: wide("max_phase_adjustment").filter(|ns| *ns > 0),
        alarms: count("n_alarms"),
        external_timestamps: count("n_external_timestamps"),
        periodic_outputs: count("n_periodic_outputs"),
        programmable_pins: count("n_programmable_pins"),
        pps: has("pps_available")
            .then(|| survey.value(&path("pps_available"), parse::switch))
            .flatten(),
        cross_timestamping: caps.map(|caps| caps.cross_timestamping),
        virtual_clocks_max: count("max_vclocks"),
        virtual_clocks: count("n_vclocks"),
        pins: if has("pins") {
            pins(survey, &path("pins"))
        } else {
            Vec::new()
        },
        name,
    }
}

/// What the driver says when its device is opened, to read.
fn capabilities(survey: &Survey<'_>, number: u32) -> Option<Capabilities> {
    let path = format!("dev/ptp{number}");
    survey.keep(survey.root().ask(&Ask::Clock { path }))
}

/// The clock above a virtual one.
///
/// ```text
/// ../../devices/pci0000:00/0000:00:03.0/ptp/ptp0/ptp/ptp1
/// ```
fn parent(way: &str, number: u32) -> Option<String> {
    let own = format!("ptp{number}");
    let mut above = way.rsplit('/').skip_while(|part| *part != own).skip(1);
    let is_clock = |part: &&str| {
        part.strip_prefix("ptp")
            .is_some_and(|rest| parse::decimal::<u32>(rest).is_ok())
    };
    above.find(is_clock).map(str::to_owned)
}

fn kind(name: Option<&str>, way: &str, on_clock: bool) -> ClockKind {
    let name = name.unwrap_or_default();
    if on_clock {
        ClockKind::Virtual
    } else if HYPERVISORS.iter().any(|word| name.contains(word)) {
        ClockKind::Hypervisor
    } else if name.to_lowercase().contains("mock") || way.contains("netdevsim") {
        ClockKind::Mock
    } else {
        ClockKind::Hardware
    }
}

/// The interfaces beside the clock, on the same device.
fn interfaces(survey: &Survey<'_>, directory: &str, on_device: bool) -> BTreeSet<String> {
    let beside = || survey.names(&format!("{directory}/device/net"));
    if on_device {
        beside().into_iter().collect()
    } else {
        BTreeSet::new()
    }
}

fn pins(survey: &Survey<'_>, directory: &str) -> Vec<ClockPin> {
    let pin = |id: String| ClockPin {
        now: pin_now(survey, &format!("{directory}/{id}")),
        id,
    };
    survey
        .names(directory)
        .into_iter()
        .take(PINS_MAX)
        .map(pin)
        .collect()
}

fn pin_now(survey: &Survey<'_>, path: &str) -> ClockPinNow {
    let (function, channel) = survey.value(path, set).unzip();
    ClockPinNow {
        function: function.map(Into::into),
        channel,
    }
}

/// A pin's function and channel.
///
/// ```text
/// 1 0
/// ```
fn set(text: &str) -> Parsed<(String, u32)> {
    const FUNCTIONS: &[&str] = &["none", "external_timestamp", "periodic_output", "phy_sync"];
    let expected = Expected("a pin's function and channel, two numbers");
    let (function, channel) = parse::trim(text)
        .split_once(char::is_whitespace)
        .ok_or(expected)?;
    let function = parse::decimal(function).map_err(|_| expected)?;
    let channel = parse::decimal(channel).map_err(|_| expected)?;
    Ok((crate::word::numbered(FUNCTIONS, 0, function), channel))
}
