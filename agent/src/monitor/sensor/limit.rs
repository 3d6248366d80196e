//! A channel's own limits as bands. What a chip calls a limit may be what nobody ever set.

use std::sync::Arc;

use libhw::device::sensor::{Alarm, Channel, ChannelKind, Limit, Unit};

use crate::alarm::observation::{Band, Bands};
use crate::alarm::severity::Severity;
use crate::monitor::told::number;

/// A limit with where it ends, its gravity, and the flag that the chip raises for it.
struct Kind {
    limit: Limit,
    ends: Limit,
    upper: bool,
    severity: Severity,
    alarm: Alarm,
}

/// The gravest first. A value beyond `max` or `min` is out of the ordinary, beyond the others it harms.
const KINDS: &[Kind] = &[
    kind(
        Limit::Emergency,
        Limit::EmergencyHyst,
        true,
        Severity::Critical,
        Alarm::Emergency,
    ),
    kind(
        Limit::Crit,
        Limit::CritHyst,
        true,
        Severity::Critical,
        Alarm::Crit,
    ),
    kind(
        Limit::Max,
        Limit::MaxHyst,
        true,
        Severity::Minor,
        Alarm::Max,
    ),
    kind(
        Limit::Lcrit,
        Limit::LcritHyst,
        false,
        Severity::Critical,
        Alarm::Lcrit,
    ),
    kind(
        Limit::Min,
        Limit::MinHyst,
        false,
        Severity::Minor,
        Alarm::Min,
    ),
];

const fn kind(limit: Limit, ends: Limit, upper: bool, severity: Severity, alarm: Alarm) -> Kind {
    Kind {
        limit,
        ends,
        upper,
        severity,
        alarm,
    }
}

/// Limits that somebody set, in the channel's own unit, with where a fault ends.
#[derive(Debug, Default)]
pub(super) struct Limits {
    rows: Vec<(Severity, Alarm, i64, i64)>,
    /// It has limits, and none of them was ever set: what the chip says of them means nothing.
    unset: bool,
}

impl Limits {
    /// Those of any channel but a fan.
    pub(super) fn of(channel: &Channel) -> Self {
        let mut rows: Vec<(Severity, Alarm, i64, i64)> = Vec::new();
        for kind in KINDS.iter().filter(|kind| is_meant(channel, kind.limit)) {
            let Some(limit) = channel.limits.get(&kind.limit).copied() else {
                continue;
            };
            // Before the emergency comes what is merely critical.
            let emergency = rows.iter().any(|(_, alarm, ..)| *alarm == Alarm::Emergency);
            let severity = match kind.alarm {
                Alarm::Crit if emergency => Severity::Major,
                _ => kind.severity,
            };
            let inside = |other: i64| {
                if kind.upper {
                    other < limit
                } else {
                    other > limit
                }
            };
            let told = channel.limits.get(&kind.ends).copied();
            let told = told.filter(|ends| inside(*ends) && is_possible(channel, *ends));
            let back = if kind.upper {
                -margin(channel.kind, limit)
            } else {
                margin(channel.kind, limit)
            };
            let ends = told.unwrap_or_else(|| limit.saturating_add(back));
            // A milder limit beyond a graver one is none.
            let graver = rows.iter().filter(|row| (row.2 > row.3) == kind.upper);
            if graver.clone().all(|row| {
                if kind.upper {
                    limit < row.2
                } else {
                    limit > row.2
                }
            }) {
                rows.push((severity, kind.alarm, limit, ends));
            }
        }
        let unset = rows.is_empty()
            && KINDS
                .iter()
                .any(|kind| channel.limits.contains_key(&kind.limit));
        Self { rows, unset }
    }

    /// Those of a fan: its least speed, and standing still where it runs by rights.
    pub(super) fn of_fan(channel: &Channel, ran: bool) -> Self {
        let min = channel
            .limits
            .get(&Limit::Min)
            .copied()
            .filter(|min| *min > 0);
        let mut rows = Vec::new();
        if min.is_some() || ran {
            rows.push((Severity::Major, Alarm::Alarm, 0, min.unwrap_or(1)));
        }
        if let Some(min) = min {
            rows.push((
                Severity::Minor,
                Alarm::Min,
                min,
                min.saturating_add((min / 20).max(1)),
            ));
        }
        let unset = min.is_none() && channel.limits.contains_key(&Limit::Min);
        Self { rows, unset }
    }

    /// As bands of the unit that `factor` of the channel's make one of.
    pub(super) fn bands(&self, factor: f64) -> Option<Arc<Bands>> {
        let band = |(severity, _, raise, clear): &(Severity, Alarm, i64, i64)| Band {
            severity: *severity,
            raise: number(*raise) / factor,
            clear: number(*clear) / factor,
        };
        let bands = Bands::new(self.rows.iter().map(band).collect()).ok()?;
        (!bands.rows().is_empty()).then(|| Arc::new(bands))
    }

    /// How grave `value` is.
    pub(super) fn judge(&self, value: i64) -> Option<Severity> {
        self.bands(1.0)?.judge(number(value), None)
    }

    /// In words, as evidence.
    pub(super) fn words(&self, factor: f64, unit: &str) -> Option<String> {
        let word = |(severity, _, raise, clear): &(Severity, Alarm, i64, i64)| {
            let way = if raise > clear { "from" } else { "down to" };
            format!("{severity} {way} {}{unit}", number(*raise) / factor)
        };
        let words: Vec<String> = self.rows.iter().map(word).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// Whether the chip says anything of this channel that means something.
    pub(super) fn has_alarms(&self, channel: &Channel) -> bool {
        !self.unset && !channel.now.alarms.is_empty()
    }

    /// The gravest alarm that the chip raises, and all of them in words.
    pub(super) fn raised(&self, channel: &Channel) -> Option<(Severity, String)> {
        if !self.has_alarms(channel) {
            return None;
        }
        let raised = channel.now.alarms.iter().filter(|(_, raised)| **raised);
        let grave = raised.filter_map(|(alarm, _)| {
            let severity = match alarm {
                // That power is held down is what a cap is for.
                Alarm::Cap => return None,
                // Of a power or current, `max` is often what it is held to.
                Alarm::Max if channel.kind == ChannelKind::Power => return None,
                Alarm::Alarm | Alarm::Max | Alarm::Min | Alarm::RatedMin | Alarm::RatedMax => {
                    Severity::Minor
                }
                Alarm::Crit | Alarm::Lcrit | Alarm::Emergency => Severity::Critical,
            };
            Some((severity, format!("{alarm:?}").to_lowercase()))
        });
        let grave: Vec<(Severity, String)> = grave.collect();
        let worst = grave.iter().map(|(severity, _)| *severity).max()?;
        let words: Vec<String> = grave.into_iter().map(|(_, word)| word).collect();
        Some((worst, words.join(", ")))
    }
}

/// Whether a limit of this kind of channel is one that must not be passed.
fn is_meant(channel: &Channel, limit: Limit) -> bool {
    let value = channel.limits.get(&limit).copied();
    let mean = match channel.kind {
        ChannelKind::Power => limit == Limit::Crit,
        _ => true,
    };
    mean && value.is_some_and(|value| is_possible(channel, value) && is_set(channel, limit, value))
}

/// Registers that nobody wrote to hold 0 or the end of their range.
fn is_set(channel: &Channel, limit: Limit, value: i64) -> bool {
    let upper = matches!(limit, Limit::Max | Limit::Crit | Limit::Emergency);
    match channel.kind {
        ChannelKind::Temperature if upper => value > 0,
        // Cold is no fault for most, and 0 °C is what a register holds that nobody wrote to.
        ChannelKind::Temperature => value != 0,
        ChannelKind::Voltage => value != 0,
        _ => value > 0,
    }
}

/// Whether a temperature can be one: no machine runs at -128 °C, 255 °C, or what 65535 K are.
fn is_possible(channel: &Channel, value: i64) -> bool {
    match channel.kind {
        ChannelKind::Temperature => (-100_000..=200_000).contains(&value),
        ChannelKind::Humidity => (0..100_000).contains(&value),
        _ => true,
    }
}

/// How far a value has to come back where the chip does not say: 2 degrees, else a fiftieth.
fn margin(kind: ChannelKind, limit: i64) -> i64 {
    match kind {
        ChannelKind::Temperature => 2000,
        _ => (limit.saturating_abs() / 50).max(1),
    }
}

/// How many of the channel's unit make one of the catalogue's, and the latter's sign.
pub(super) const fn scale(unit: Unit) -> (f64, &'static str) {
    match unit {
        Unit::Millivolt => (1000.0, " V"),
        Unit::Millicelsius => (1000.0, " °C"),
        Unit::Milliampere => (1000.0, " A"),
        Unit::Microwatt => (1_000_000.0, " W"),
        Unit::Microjoule => (1_000_000.0, " J"),
        Unit::Millipercent => (1000.0, " %"),
        Unit::Rpm => (1.0, " rpm"),
        Unit::Hertz => (1.0, " Hz"),
        Unit::PwmStep | Unit::None => (1.0, ""),
    }
}
