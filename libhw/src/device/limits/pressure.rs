//! Pressure stall information (`Documentation/accounting/psi.rst`).

use super::{Pressure, Stall};
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// Of the whole machine.
pub(super) fn of_host(survey: &Survey<'_>) -> Vec<Pressure> {
    let names = survey.names("proc/pressure");
    let read =
        |name: &String| survey.value(&format!("proc/pressure/{name}"), |text| parse(name, text));
    names.iter().filter_map(read).collect()
}

/// One file.
///
/// ```text
/// some avg10=0.00 avg60=0.12 avg300=0.04 total=157622151
/// full avg10=0.00 avg60=0.00 avg300=0.00 total=4222152
/// ```
pub(super) fn parse(id: &str, text: &str) -> Parsed<Pressure> {
    let mut pressure = Pressure {
        id: id.to_owned(),
        ..Pressure::default()
    };
    for line in text
        .lines()
        .map(parse::trim)
        .filter(|line| !line.is_empty())
    {
        match line.split_once(' ') {
            Some(("some", rest)) => pressure.some = Some(stall(rest)?),
            Some(("full", rest)) => pressure.full = Some(stall(rest)?),
            _ => return Err(EXPECTED),
        }
    }
    if pressure.some.is_none() && pressure.full.is_none() {
        return Err(EXPECTED);
    }
    Ok(pressure)
}

const EXPECTED: Expected =
    Expected("lines such as `some avg10=0.00 avg60=0.12 avg300=0.04 total=15`");

fn stall(text: &str) -> Parsed<Stall> {
    let value = |name: &str| {
        let mut pairs = text
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let average = |name| value(name).and_then(millipercent).ok_or(EXPECTED);
    Ok(Stall {
        avg10_millipercent: average("avg10")?,
        avg60_millipercent: average("avg60")?,
        avg300_millipercent: average("avg300")?,
        total_us: parse::decimal(value("total").ok_or(EXPECTED)?)?,
    })
}

/// A percentage with two digits behind its point.
fn millipercent(text: &str) -> Option<u64> {
    let (whole, hundredths) = text.split_once('.')?;
    let hundredths = Some(hundredths).filter(|digits| digits.len() == 2)?;
    let whole: u64 = parse::decimal(whole).ok()?;
    let hundredths: u64 = parse::decimal(hundredths).ok()?;
    whole.checked_mul(1000)?.checked_add(hundredths * 10)
}
