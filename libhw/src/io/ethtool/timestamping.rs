//! Timestamps: the rest of what the kernel tells, and its answer in bits for kernels before 5.6.

use std::collections::BTreeSet;
use std::io;

use super::{Settings, Timestamping, command, header, settings};
use crate::io::netlink::attribute::Attributes;
use crate::io::netlink::generic::Family;
use crate::io::netlink::offered;
use crate::io::sys;

/// What may be asked once it is known that there is a hardware clock.
pub(super) fn complete(family: &mut Family, name: &str, answer: &mut Settings) -> io::Result<()> {
    let Some(timestamping) = &answer.timestamping else {
        return Ok(());
    };
    if timestamping.phc.is_none() {
        return Ok(());
    }
    let has_providers = timestamping.provider.is_some();
    for command in [command::PHC_VCLOCKS, command::TSCONFIG] {
        if let Some(bytes) = offered(family.get(command, &header(name, 1, 0)))? {
            settings::parse(command, &bytes, answer);
        }
    }
    if has_providers {
        // A kernel that knows providers lists those of this interface alone.
        let rows = offered(family.list(command::TSINFO, &header(name, 1, 0)))?.unwrap_or_default();
        let all = rows
            .iter()
            .map(|row| settings::timestamping(Attributes::of(row)));
        let all: Vec<_> = all
            .filter_map(|timestamping| timestamping.provider)
            .collect();
        if let Some(timestamping) = answer.timestamping.as_mut().filter(|_| all.len() > 1) {
            timestamping.providers = all;
        }
    }
    Ok(())
}

/// `net/ethtool/common.c`, `sof_timestamping_names` and its sisters.
const MODES: [&str; 19] = [
    "hardware-transmit",
    "software-transmit",
    "hardware-receive",
    "software-receive",
    "software-system-clock",
    "hardware-legacy-clock",
    "hardware-raw-clock",
    "option-id",
    "sched-transmit",
    "ack-transmit",
    "option-cmsg",
    "option-tsonly",
    "option-stats",
    "option-pktinfo",
    "option-tx-swhw",
    "bind-phc",
    "option-id-tcp",
    "option-rx-filter",
    "tx-completion",
];

const TX_TYPES: [&str; 4] = ["off", "on", "onestep-sync", "onestep-p2p"];

const RX_FILTERS: [&str; 16] = [
    "none",
    "all",
    "some",
    "ptpv1-l4-event",
    "ptpv1-l4-sync",
    "ptpv1-l4-delay-req",
    "ptpv2-l4-event",
    "ptpv2-l4-sync",
    "ptpv2-l4-delay-req",
    "ptpv2-l2-event",
    "ptpv2-l2-sync",
    "ptpv2-l2-delay-req",
    "ptpv2-event",
    "ptpv2-sync",
    "ptpv2-delay-req",
    "ntp-all",
];

/// The answer of `ETHTOOL_GET_TS_INFO` in the words of the newer one.
pub(super) fn of_masks(answer: sys::TimestampingAnswer) -> Timestamping {
    Timestamping {
        modes: named(&MODES, answer.modes),
        tx_types: named(&TX_TYPES, answer.tx_types),
        rx_filters: named(&RX_FILTERS, answer.rx_filters),
        phc: u32::try_from(answer.phc).ok(),
        ..Timestamping::default()
    }
}

fn named(words: &[&str], mask: u32) -> BTreeSet<String> {
    let bits = (0..32).filter(|bit| mask & (1 << bit) != 0);
    bits.map(|bit| crate::word::numbered(words, 0, bit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_kernels_bits_are_the_words_of_a_new_one() {
        let answer = of_masks(sys::TimestampingAnswer {
            modes: 0x5f,
            phc: -1,
            tx_types: 0b11,
            rx_filters: 1 | 1 << 12 | 1 << 31,
        });
        let words = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        let modes = "hardware-raw-clock hardware-receive hardware-transmit software-receive \
                     software-system-clock software-transmit";
        assert_eq!(words(&answer.modes), modes);
        assert_eq!(words(&answer.tx_types), "off on");
        assert_eq!(words(&answer.rx_filters), "31 none ptpv2-event");
        assert_eq!(answer.phc, None);
    }
}
