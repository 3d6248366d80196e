//! The answers to `ETHTOOL_MSG_*_GET`, each a function from bytes to values.

use std::collections::BTreeMap;

use super::{
    Channels, Coalesce, Fec, MacMerge, Pause, Provider, Rings, Settings, Timestamping, bitset,
    command,
};
use crate::io::netlink::attribute::{Attribute, Attributes};
use crate::word::numbered;

/// What is asked by default: the driver answers from memory, or from a register.
pub(super) const COMMANDS: &[u8] = &[
    command::LINKINFO,
    command::LINKMODES,
    command::FEATURES,
    command::RINGS,
    command::CHANNELS,
    command::COALESCE,
    command::PAUSE,
    command::MM,
    command::TSINFO,
];

/// Puts the answer to `command` into `settings`; what is not understood is left out.
pub fn parse(command: u8, answer: &[u8], settings: &mut Settings) {
    let attributes = || Attributes::of(answer);
    match command {
        command::LINKINFO => attributes().for_each(|part| link_made(part, settings)),
        command::LINKMODES => attributes().for_each(|part| link_modes(part, settings)),
        command::FEATURES => attributes().for_each(|part| features(part, settings)),
        command::RINGS => settings.rings = rings(attributes()),
        command::CHANNELS => settings.channels = channels(attributes()),
        command::COALESCE => settings.coalesce = coalesce(attributes()),
        command::PAUSE => settings.pause = pause(attributes()),
        command::MM => settings.mac_merge = mac_merge(attributes()),
        command::TSINFO => settings.timestamping = Some(timestamping(attributes())),
        command::TSCONFIG => {
            let timestamping = settings.timestamping.get_or_insert_default();
            attributes().for_each(|part| configured(part, timestamping));
        }
        command::PHC_VCLOCKS => {
            let clocks = attributes().filter(|part| part.kind == 3);
            let bytes = clocks.flat_map(|part| part.value.chunks_exact(4));
            let numbers = bytes.filter_map(|bytes| bytes.try_into().ok().map(u32::from_ne_bytes));
            settings.virtual_clocks = numbers.take(1024).collect();
        }
        _ => {}
    }
}

fn link_made(part: Attribute<'_>, settings: &mut Settings) {
    const PORTS: &[&str] = &["tp", "aui", "mii", "fibre", "bnc", "da"];
    match (part.kind, part.small()) {
        (2, Some(0xef)) => settings.port = Some("none".to_owned()),
        (2, Some(0xff)) => settings.port = Some("other".to_owned()),
        (2, Some(port)) => settings.port = Some(numbered(PORTS, 0, port)),
        (6, Some(kind)) => {
            settings.transceiver = Some(numbered(&["internal", "external"], 0, kind));
        }
        _ => {}
    }
}

fn link_modes(part: Attribute<'_>, settings: &mut Settings) {
    const ROLES: &[&str] = &["unsupported", "unknown", "master", "slave", "error"];
    match part.kind {
        2 => settings.autoneg = part.switch(),
        3 => (settings.supported, settings.advertised) = bitset::names(part),
        4 => settings.peer = bitset::names(part).1,
        // All ones, and on old drivers 0 and 65535, where the link is down.
        5 => {
            settings.speed_mbps = part
                .small()
                .filter(|speed| !matches!(*speed, 0 | 65535 | u32::MAX));
        }
        6 => {
            let known = part.small().filter(|duplex| *duplex < 2);
            settings.duplex = known.map(|duplex| numbered(&["half", "full"], 0, duplex));
        }
        // 0 is unsupported, and 1 unknown.
        8 => {
            let state = part.small().filter(|state| *state >= 2);
            settings.master_slave = state.map(|state| numbered(ROLES, 0, state));
        }
        9 => settings.lanes = part.small(),
        _ => {}
    }
}

fn features(part: Attribute<'_>, settings: &mut Settings) {
    match part.kind {
        2 => settings.hardware_features = bitset::names(part).1,
        4 => settings.features = bitset::names(part).1,
        _ => {}
    }
}

fn rings(parts: Attributes<'_>) -> Option<Rings> {
    let mut rings = Rings::default();
    for part in parts {
        match part.kind {
            2 => rings.rx_max = part.small(),
            5 => rings.tx_max = part.small(),
            6 => rings.rx = part.small(),
            9 => rings.tx = part.small(),
            _ => {}
        }
    }
    (rings != Rings::default()).then_some(rings)
}

fn channels(parts: Attributes<'_>) -> Option<Channels> {
    let mut channels = Channels::default();
    for part in parts {
        match part.kind {
            2 => channels.rx_max = part.small(),
            3 => channels.tx_max = part.small(),
            5 => channels.combined_max = part.small(),
            6 => channels.rx = part.small(),
            7 => channels.tx = part.small(),
            8 => channels.other = part.small(),
            9 => channels.combined = part.small(),
            _ => {}
        }
    }
    (channels != Channels::default()).then_some(channels)
}

fn coalesce(parts: Attributes<'_>) -> Option<Coalesce> {
    let mut coalesce = Coalesce::default();
    for part in parts {
        match part.kind {
            2 => coalesce.rx_us = part.small(),
            3 => coalesce.rx_frames = part.small(),
            6 => coalesce.tx_us = part.small(),
            7 => coalesce.tx_frames = part.small(),
            11 => coalesce.adaptive_rx = part.switch(),
            12 => coalesce.adaptive_tx = part.switch(),
            _ => {}
        }
    }
    (coalesce != Coalesce::default()).then_some(coalesce)
}

fn pause(parts: Attributes<'_>) -> Option<Pause> {
    let mut pause = Pause::default();
    for part in parts {
        match part.kind {
            2 => pause.autoneg = part.switch(),
            3 => pause.rx = part.switch(),
            4 => pause.tx = part.switch(),
            _ => {}
        }
    }
    (pause != Pause::default()).then_some(pause)
}

fn mac_merge(parts: Attributes<'_>) -> Option<MacMerge> {
    const STATES: &[&str] = &[
        "unknown",
        "initial",
        "verifying",
        "succeeded",
        "failed",
        "disabled",
    ];
    let mut merge = MacMerge::default();
    for part in parts {
        match part.kind {
            2 => merge.pmac_enabled = part.switch(),
            3 => merge.tx_enabled = part.switch(),
            4 => merge.tx_active = part.switch(),
            5 => merge.tx_min_fragment_bytes = part.small(),
            8 => merge.verify_status = part.small().map(|state| numbered(STATES, 0, state)),
            _ => {}
        }
    }
    (merge != MacMerge::default()).then_some(merge)
}

/// `ETHTOOL_A_TSINFO_*`.
pub(super) fn timestamping(parts: Attributes<'_>) -> Timestamping {
    let mut timestamping = Timestamping::default();
    let (mut provider, mut source) = (None, None);
    for part in parts {
        match part.kind {
            2 => timestamping.modes = bitset::names(part).1,
            3 => timestamping.tx_types = bitset::names(part).1,
            4 => timestamping.rx_filters = bitset::names(part).1,
            5 => timestamping.phc = part.small(),
            7 => provider = self::provider(part),
            8 => {
                source = part
                    .small()
                    .map(|source| numbered(&["netdev", "phylib"], 1, source));
            }
            _ => {}
        }
    }
    timestamping.provider = provider.map(|provider| Provider { source, ..provider });
    timestamping
}

fn provider(part: Attribute<'_>) -> Option<Provider> {
    let find = |kind| part.nested().find(|part| part.kind == kind)?.small();
    Some(Provider {
        phc: find(1)?,
        qualifier: find(2).map(|kind| numbered(&["precise", "approx"], 0, kind)),
        source: None,
    })
}

/// `ETHTOOL_A_TSCONFIG_*`.
fn configured(part: Attribute<'_>, timestamping: &mut Timestamping) {
    let first = || bitset::names(part).1.into_iter().next();
    match part.kind {
        3 => timestamping.tx_type = first(),
        4 => timestamping.rx_filter = first(),
        _ => {}
    }
}

/// `ETHTOOL_A_FEC_*`.
pub(super) fn fec(answer: &[u8]) -> Option<Fec> {
    let mut fec = Fec::default();
    for part in Attributes::of(answer) {
        match part.kind {
            2 => fec.configured = bitset::names(part).1,
            3 => fec.auto = part.switch(),
            // The number of a link mode.
            4 => {
                fec.active = part.small().map(|mode| match mode {
                    49 => "None".to_owned(),
                    50 => "RS".to_owned(),
                    51 => "BASER".to_owned(),
                    74 => "LLRS".to_owned(),
                    other => other.to_string(),
                });
            }
            5 => fec.counters = fec_counters(part),
            _ => {}
        }
    }
    (fec != Fec::default()).then_some(fec)
}

/// Each a list of 64-bit numbers: the total, then that of each lane.
fn fec_counters(part: Attribute<'_>) -> BTreeMap<String, u64> {
    let names = ["corrected_blocks", "uncorrectable_blocks", "corrected_bits"];
    let mut counters = BTreeMap::new();
    for (kind, name) in (2..).zip(names) {
        let list = part.nested().find(|part| part.kind == kind);
        let total = list.and_then(|list| list.value.get(..8)?.try_into().ok());
        counters.extend(total.map(|total| (name.to_owned(), u64::from_ne_bytes(total))));
    }
    counters
}
