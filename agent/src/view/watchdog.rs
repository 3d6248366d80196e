//! Watchdogs: which there are, whether they watch, and who restarted the machine last.

use libhw::device::watchdog::{Flag, IpmiWatchdog, LockupDetector, Timer, TimerState, Watchdog};
use libhw::inventory::Inventory;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, range, some};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(watchdog) = &inventory.watchdog else {
        return;
    };
    if *watchdog == Watchdog::default() {
        return;
    }
    page.title("Watchdogs");
    page.table(&timers(watchdog, detail));
    let mut facts = Table::facts();
    facts.fact("IPMI", watchdog.ipmi.as_ref().map(ipmi).unwrap_or_default());
    let lockup = watchdog.lockup_detector.as_ref();
    facts.fact(
        "Lockup detectors",
        lockup.map(detectors).unwrap_or_default(),
    );
    page.table(&facts);
}

/// How many timers, and how many of them watch.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let watchdog = inventory.watchdog.as_ref()?;
    let timers = &watchdog.timers;
    let active = timers
        .iter()
        .filter(|timer| timer.now.state == Some(TimerState::Active));
    let bitten = timers
        .iter()
        .any(|timer| timer.boot_status.contains(&Flag::CardReset));
    let active = active.count();
    let parts = [
        (!timers.is_empty()).then(|| plural(timers.len(), "watchdog")),
        (!timers.is_empty()).then(|| format!("{active} active")),
        bitten.then(|| "restarted the machine last".to_owned()),
        watchdog.ipmi.as_ref().map(|_| "IPMI".to_owned()),
    ];
    some(joined(parts, ", "))
}

fn timers(watchdog: &Watchdog, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Left("watchdog"),
        Column::Wrap("identity"),
        Column::Left("state"),
        Column::Right("timeout"),
        Column::Right("left"),
        Column::Left("warns"),
        Column::Left("stops"),
        Column::Wrap("last start"),
        Column::Left("function"),
        Column::Wrap("options"),
    ]);
    for timer in &watchdog.timers {
        table.row(row(timer, detail));
    }
    table
}

fn row(timer: &Timer, detail: bool) -> [Cell; 10] {
    let seconds = |seconds: u32| format!("{seconds} s");
    let limits = range(
        timer.timeout_min_seconds.filter(|least| *least > 0),
        timer.timeout_max_seconds.filter(|most| *most > 0),
    );
    let limits = some(limits)
        .filter(|_| detail)
        .map(|limits| format!("({limits})"));
    let options: Vec<&str> = timer.options.iter().map(flag).collect();
    [
        timer.id.as_str().into(),
        Cell::of(timer.identity.as_ref().or(timer.driver.as_ref())),
        state(timer),
        joined([timer.timeout_seconds.map(seconds), limits], " ").into(),
        Cell::of(timer.now.time_left_seconds.map(seconds).as_ref()),
        warns(timer).into(),
        match timer.no_way_out {
            Some(true) => "never".into(),
            Some(false) => "on request".into(),
            None => Cell::default(),
        },
        last_start(timer),
        Cell::of(timer.function.as_ref()),
        if detail {
            options.join(", ").into()
        } else {
            Cell::default()
        },
    ]
}

fn state(timer: &Timer) -> Cell {
    match &timer.now.state {
        Some(TimerState::Active) => Cell::new("active", Paint::Good),
        Some(TimerState::Inactive) => Cell::new("inactive", Paint::Faint),
        Some(TimerState::Other(word)) => word.as_str().into(),
        None => Cell::default(),
    }
}

fn warns(timer: &Timer) -> String {
    let Some(seconds) = timer.pretimeout_seconds.filter(|seconds| *seconds > 0) else {
        return String::new();
    };
    let governor = timer.pretimeout_governor.as_ref();
    joined(
        [
            Some(format!("{seconds} s before")),
            governor.map(|governor| format!("({governor})")),
        ],
        " ",
    )
}

/// What the watchdog knows of it; nothing is the usual case.
fn last_start(timer: &Timer) -> Cell {
    let words: Vec<&str> = timer.boot_status.iter().map(flag).collect();
    Cell::new(words.join(", "), Paint::Warning)
}

const fn flag(flag: &Flag) -> &str {
    match flag {
        Flag::Overheat => "overheated",
        Flag::FanFault => "fan failed",
        Flag::External1 => "external relay 1",
        Flag::External2 => "external relay 2",
        Flag::PowerUnder => "power too weak",
        Flag::CardReset => "restarted by the watchdog",
        Flag::PowerOver => "power too strong",
        Flag::SetTimeout => "timeout can be set",
        Flag::MagicClose => "magic close",
        Flag::Pretimeout => "warning",
        Flag::AlarmOnly => "alarm only",
        Flag::KeepalivePing => "keepalive",
        Flag::Other(word) => word.as_str(),
    }
}

fn ipmi(ipmi: &IpmiWatchdog) -> String {
    let parts = [
        ipmi.timeout_seconds.map(|seconds| format!("{seconds} s")),
        ipmi.action.clone(),
        ipmi.preaction.clone().filter(|word| word != "pre_none"),
        ipmi.preop.clone().filter(|word| word != "preop_none"),
        ipmi.no_way_out
            .filter(|stays| *stays)
            .map(|_| "never stops".to_owned()),
    ];
    joined(parts, ", ")
}

fn detectors(detector: &LockupDetector) -> String {
    let on = |word: &str, on: Option<bool>| {
        on.map(|on| format!("{word} {}", if on { "on" } else { "off" }))
    };
    let parts = [
        on("soft", detector.soft),
        on("hard", detector.hard),
        detector
            .threshold_seconds
            .map(|seconds| format!("after {seconds} s")),
        detector.cpus.as_ref().map(|cpus| format!("CPUs {cpus}")),
    ];
    joined(parts, ", ")
}
