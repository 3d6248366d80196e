//! What a monitor says: what it saw of one thing, that a round is complete, or that it could not look.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::alarm::entity::Entity;
use crate::alarm::key::{AlarmId, Key};
use crate::alarm::severity::Severity;
use crate::alarm::text::Text;
use crate::alarm::time::Stamp;

/// What a monitor tells the engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    /// What was seen of one key.
    Observed(Observation),
    /// A round is complete.
    Complete(Round),
    /// A whole probe failed, hung or died.
    Failed(Failure),
}

/// The name of a monitor, by which its alarms are known to be its own. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct MonitorName(Text);

impl MonitorName {
    pub(crate) fn new(name: &str) -> Self {
        Self(Text::clean(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What was seen of one key.
///
/// A monitor that polls says every key at every round, the sound ones too; one that the kernel wakes says what changed.
/// What is said holds until something else is said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) key: Key,
    /// Who says so.
    pub(crate) monitor: MonitorName,
    pub(crate) seen: Seen,
    /// What is wrong, in a sentence: "fan 2 stands still". Numbers that change from look to look belong into the evidence:
    /// another text is a change of the alarm that control planes are told, another number is not.
    pub(crate) text: Text,
    /// What the judgement rests on: register, counter, limit, kernel line. At most [`EVIDENCE_MAX`] are kept.
    pub(crate) evidence: Vec<Evidence>,
    /// When it was seen, which may be before it is told: a kernel line has its own time.
    pub(crate) at: Stamp,
}

/// More pieces of evidence are not kept.
pub(crate) const EVIDENCE_MAX: usize = 32;

/// A piece of evidence: `temp1_input` = `98 °C`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    pub(crate) name: Text,
    pub(crate) value: Text,
}

impl Evidence {
    /// Of any text: see [`Text::clean`].
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self {
            name: Text::clean(name),
            value: Text::clean(value),
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    /// A fault is there; without a severity it has that of the catalogue.
    Fault(Option<Severity>),
    /// There is none.
    Absent,
    /// A measured value, which is judged by bands.
    Value {
        /// In the unit that the catalogue names.
        value: f64,
        /// The thing's own limits, where it has some; else those of the catalogue. Those of the configuration go before both.
        bands: Option<Arc<Bands>>,
    },
    /// A counter of faults went up by so many since it was last seen; 0 says that it was looked at.
    Increase(u64),
    /// Not known: the probe failed. This never clears an alarm.
    Unknown(Text),
}

/// When a value becomes a fault, and when it no longer is one. Sorted, the gravest first; checked by [`Bands::new`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Vec<Band>", try_from = "Vec<Band>")]
pub(crate) struct Bands(Vec<Band>);

/// A band: `raise` at or beyond which a fault is of `severity`, and `clear` at or inside of which it no longer is.
/// Raise above clear is an upper limit, raise below clear a lower one; between them what was stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Band {
    pub(crate) severity: Severity,
    pub(crate) raise: f64,
    pub(crate) clear: f64,
}

/// Why bands are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum BandError {
    #[error(
        "a {severity} band from {raise} to {clear}: both must be numbers, and differ, or the alarm would come and go"
    )]
    Empty {
        severity: Severity,
        raise: f64,
        clear: f64,
    },
    #[error("two {severity} bands in the same direction")]
    Twice { severity: Severity },
    #[error(
        "the {graver} band begins at {graver_raise}, before the {milder} one at {milder_raise}"
    )]
    Disordered {
        graver: Severity,
        graver_raise: f64,
        milder: Severity,
        milder_raise: f64,
    },
    #[error("{count} bands: at most {BANDS_MAX}")]
    TooMany { count: usize },
}

/// Five severities, two directions.
pub(crate) const BANDS_MAX: usize = 10;

impl Band {
    /// Whether it is an upper limit.
    pub(crate) fn is_upper(&self) -> bool {
        self.raise > self.clear
    }

    /// Whether `value` is at or beyond the point where a fault begins.
    pub(crate) fn is_reached(&self, value: f64) -> bool {
        if self.is_upper() {
            value >= self.raise
        } else {
            value <= self.raise
        }
    }

    /// Whether `value` is at or inside of the point where it ends.
    pub(crate) fn is_left(&self, value: f64) -> bool {
        if self.is_upper() {
            value <= self.clear
        } else {
            value >= self.clear
        }
    }
}

impl Bands {
    /// Bands that go together.
    ///
    /// # Errors
    /// A band is empty or there twice, or a graver one begins before a milder one.
    pub(crate) fn new(mut bands: Vec<Band>) -> Result<Self, BandError> {
        if bands.len() > BANDS_MAX {
            return Err(BandError::TooMany { count: bands.len() });
        }
        bands.sort_by_key(|band| std::cmp::Reverse(band.severity));
        for band in &bands {
            let Band {
                severity,
                raise,
                clear,
            } = *band;
            let differ = raise < clear || raise > clear;
            if !differ || !raise.is_finite() || !clear.is_finite() {
                return Err(BandError::Empty {
                    severity,
                    raise,
                    clear,
                });
            }
        }
        for upper in [true, false] {
            let mut one_way = bands.iter().filter(|band| band.is_upper() == upper);
            let mut graver: Option<&Band> = one_way.next();
            for milder in one_way {
                if let Some(graver) = graver {
                    pair(graver, milder)?;
                }
                graver = Some(milder);
            }
        }
        Ok(Self(bands))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bands, the gravest first.
    pub(crate) fn rows(&self) -> &[Band] {
        &self.0
    }

    /// How grave `value` is where it was `before`; `None` for no fault. A band that was reached holds until it is left.
    pub(crate) fn judge(&self, value: f64, before: Option<Severity>) -> Option<Severity> {
        let holds = |band: &&Band| {
            band.is_reached(value) || (before >= Some(band.severity) && !band.is_left(value))
        };
        self.0.iter().find(holds).map(|band| band.severity)
    }
}

fn pair(graver: &Band, milder: &Band) -> Result<(), BandError> {
    if graver.severity == milder.severity {
        let severity = graver.severity;
        return Err(BandError::Twice { severity });
    }
    if !milder.is_reached(graver.raise) {
        return Err(BandError::Disordered {
            graver: graver.severity,
            graver_raise: graver.raise,
            milder: milder.severity,
            milder_raise: milder.raise,
        });
    }
    Ok(())
}

impl From<Bands> for Vec<Band> {
    fn from(bands: Bands) -> Self {
        bands.0
    }
}

impl TryFrom<Vec<Band>> for Bands {
    type Error = BandError;

    fn try_from(bands: Vec<Band>) -> Result<Self, BandError> {
        Self::new(bands)
    }
}

/// Which of a monitor's keys are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Only this alarm; `None` is all that the monitor says.
    pub(crate) alarm: Option<AlarmId>,
    /// Only this entity and what is within it.
    pub(crate) within: Entity,
}

impl Scope {
    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.alarm.as_ref().is_none_or(|alarm| *alarm == key.alarm)
            && key.entity.is_within(&self.within)
    }
}

/// A round is complete: of the monitor's keys in `scope` there are no others than those that it told of since `began`. What
/// is no longer there, such as a drive that was pulled, thus ends truthfully; that it is missing is another alarm.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Round {
    pub(crate) monitor: MonitorName,
    pub(crate) scope: Scope,
    /// Taken before the round's first observation was told.
    pub(crate) began: Stamp,
}

/// The monitor could not look at anything in `scope`: its alarms there are stale until it tells of them again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) monitor: MonitorName,
    pub(crate) scope: Scope,
    pub(crate) reason: Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn band(severity: Severity, raise: f64, clear: f64) -> Band {
        Band {
            severity,
            raise,
            clear,
        }
    }

    #[test]
    fn a_band_that_was_reached_holds_until_it_is_left() {
        let bands = Bands::new(vec![
            band(Severity::Major, 80.0, 75.0),
            band(Severity::Critical, 90.0, 85.0),
            band(Severity::Minor, 5.0, 8.0),
        ])
        .unwrap();
        let mut severity = None;
        for (value, expected) in [
            (20.0, None),
            (79.9, None),
            (80.0, Some(Severity::Major)),
            (76.0, Some(Severity::Major)),
            (90.0, Some(Severity::Critical)),
            (86.0, Some(Severity::Critical)),
            (85.0, Some(Severity::Major)),
            (75.0, None),
            (79.0, None),
            (5.0, Some(Severity::Minor)),
            (7.0, Some(Severity::Minor)),
            (8.0, None),
        ] {
            severity = bands.judge(value, severity);
            assert_eq!(severity, expected, "{value}");
        }
    }

    #[test]
    fn bands_that_make_no_sense_are_refused_by_name() {
        let (major, critical) = (Severity::Major, Severity::Critical);
        for (bands, says) in [
            (vec![band(major, 80.0, 80.0)], "a major band from 80 to 80"),
            (vec![band(major, f64::NAN, 1.0)], "both must be numbers"),
            (
                vec![band(major, f64::INFINITY, 1.0)],
                "both must be numbers",
            ),
            (
                vec![band(major, 80.0, 75.0), band(major, 82.0, 75.0)],
                "two major bands",
            ),
            (
                vec![band(major, 80.0, 75.0), band(critical, 70.0, 65.0)],
                "the critical band begins at 70, before the major one at 80",
            ),
            (
                vec![band(major, 10.0, 12.0), band(critical, 11.0, 13.0)],
                "the critical band begins at 11, before the major one at 10",
            ),
            (vec![band(major, 80.0, 75.0); 11], "11 bands: at most 10"),
        ] {
            let error = Bands::new(bands).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
