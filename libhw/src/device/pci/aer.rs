//! Advanced Error Reporting counters (`Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats`).
//!
//! ```text
//! RxErr 2
//! BadTLP 0
//! TOTAL_ERR_COR 2
//! ```

use std::collections::BTreeMap;

use crate::device::pci::attributes::Attributes;
use crate::device::pci::{Aer, AerReceived};
use crate::parse::{self, Expected, Parsed};

/// The counters of a function, `None` where it has none. They are the kernel's own: no device is asked.
pub(super) fn read(attributes: &Attributes<'_>) -> Option<Aer> {
    let counters = |name| attributes.value(name, counters);
    let (correctable, nonfatal, fatal) = (
        counters("aer_dev_correctable"),
        counters("aer_dev_nonfatal"),
        counters("aer_dev_fatal"),
    );
    let received = received(attributes);
    if correctable.is_none() && nonfatal.is_none() && fatal.is_none() && received.is_none() {
        return None;
    }
    Some(Aer {
        correctable: correctable.unwrap_or_default(),
        nonfatal: nonfatal.unwrap_or_default(),
        fatal: fatal.unwrap_or_default(),
        received,
    })
}

fn received(attributes: &Attributes<'_>) -> Option<AerReceived> {
    let total = |name| attributes.value(name, parse::decimal);
    Some(AerReceived {
        correctable: total("aer_rootport_total_err_cor")?,
        nonfatal: total("aer_rootport_total_err_nonfatal").unwrap_or_default(),
        fatal: total("aer_rootport_total_err_fatal").unwrap_or_default(),
    })
}

/// The counters that are not zero; the total, which is their sum, is left out.
fn counters(text: &str) -> Parsed<BTreeMap<String, u64>> {
    const EXPECTED: Expected = Expected("lines of an error's name and its count");
    let mut counters = BTreeMap::new();
    for line in text
        .lines()
        .map(parse::trim)
        .filter(|line| !line.is_empty())
    {
        // Linux 4.19 wrote the names in words: `Receiver Error 0`.
        let (name, count) = line.rsplit_once(char::is_whitespace).ok_or(EXPECTED)?;
        let count: u64 = parse::decimal(count).map_err(|_| EXPECTED)?;
        if count > 0 && !name.starts_with("TOTAL_ERR") {
            let name = parse::nonempty(name).ok_or(EXPECTED)?;
            counters.insert(name, count);
        }
    }
    // The register has 32 bits, so no function counts more kinds of error.
    if counters.len() > 32 {
        return Err(EXPECTED);
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_and_zeros_are_left_out() {
        let text = "RxErr 2\nBadTLP 0\nBad DLLP 7\nTOTAL_ERR_COR 9\n";
        let counters = counters(text).unwrap();
        assert_eq!(
            counters.into_iter().collect::<Vec<_>>(),
            [("Bad DLLP".to_owned(), 7), ("RxErr".to_owned(), 2)]
        );
    }

    #[test]
    fn lines_that_count_nothing_are_refused() {
        for text in ["RxErr", "RxErr x", "RxErr -1", "RxErr 18446744073709551616"] {
            assert!(counters(text).is_err(), "{text:?}");
        }
        let many: String = (0..40).map(|bit| format!("E{bit} 1\n")).collect();
        assert!(counters(&many).is_err());
        assert_eq!(counters(""), Ok(BTreeMap::new()));
    }
}
