//! QSFP-DD, OSFP, SFP-DD and others: the Common Management Interface Specification (CMIS 5.2), with identity in page 00h,
//! lengths and scales in page 01h, limits in page 02h and levels in page 11h.

use super::{
    Lane, Memory, Module, ModuleNow, Threshold, code, lengths, microvolts, millicelsius, nanowatts,
};
use crate::io::ethtool::Eeprom;

/// Where a page's upper half begins.
const UPPER: usize = 128;

/// Lanes of a bank.
const LANES: u32 = 8;

/// The module of its lower half and the pages that were read.
pub(super) fn read(lower: &[u8], eeprom: &Eeprom) -> (Module, ModuleNow) {
    let half = |page: u8| eeprom.half(0x50, page, 128);
    let (identity, advertised, limits, monitors) = (half(0), half(1), half(2), half(0x11));
    let memory = Memory(&identity);
    let at = |place: usize| place - UPPER;
    let mut module = Module {
        connector: code::connector(memory.byte(at(203))),
        compliance: media(lower),
        vendor: memory.text(at(129), 16),
        vendor_oui: memory.oui(at(145)),
        part: memory.text(at(148), 16),
        revision: memory.text(at(164), 2),
        date: memory.date(at(182)),
        ..Module::default()
    };
    let scale = scale(Memory(&advertised));
    let mut all = vec![("cable", cable_length(memory.byte(at(202))))];
    if !advertised.is_empty() {
        let memory = Memory(&advertised);
        module.wavelength_pm = memory
            .word(at(138))
            .filter(|word| *word > 0)
            .map(|word| u32::from(word) * 50);
        let byte = |place: usize| u32::from(memory.byte(at(place)));
        all.extend([
            ("smf", single_mode(memory.byte(at(132)))),
            ("om5", byte(133) * 20),
            ("om4", byte(134) * 20),
            ("om3", byte(135) * 20),
            ("om2", byte(136) * 10),
        ]);
    }
    module.lengths = lengths(&all);
    module.thresholds = thresholds(Memory(&limits), scale);
    (module, levels(Memory(lower), Memory(&monitors), scale))
}

/// Bits 6 and 7 are the unit, the others count it.
fn single_mode(byte: u8) -> u32 {
    let unit = [1000, 10_000, 0, 0];
    let unit = unit
        .get(usize::from(byte >> 6))
        .copied()
        .unwrap_or_default();
    u32::from(byte & 0x3f) * unit
}

/// In tenths of a metre, metres, tens and hundreds of metres.
fn cable_length(byte: u8) -> u32 {
    10_u32.pow(u32::from(byte >> 6)) * u32::from(byte & 0x3f)
}

/// What the unit of the laser's current is multiplied by: page 01h byte 160, bits 3 and 4.
fn scale(advertised: Memory<'_>) -> i64 {
    match advertised.byte(160 - UPPER) >> 3 & 3 {
        1 => 2,
        2 => 4,
        _ => 1,
    }
}

fn thresholds(memory: Memory<'_>, scale: i64) -> Vec<Threshold> {
    let all = [
        memory.threshold(0, "temperature_millicelsius", millicelsius),
        memory.threshold(8, "voltage_microvolts", microvolts),
        memory.threshold(48, "tx_power_nanowatts", nanowatts),
        memory
            .threshold(56, "bias_microamperes", super::microamperes)
            .map(|known| scaled(known, scale)),
        memory.threshold(64, "rx_power_nanowatts", nanowatts),
    ];
    all.into_iter().flatten().collect()
}

fn scaled(threshold: Threshold, scale: i64) -> Threshold {
    Threshold {
        high_alarm: threshold.high_alarm * scale,
        low_alarm: threshold.low_alarm * scale,
        high_warning: threshold.high_warning * scale,
        low_warning: threshold.low_warning * scale,
        ..threshold
    }
}

/// A flat module has no page 11h, and of what is not measured all lanes are 0.
fn levels(lower: Memory<'_>, monitors: Memory<'_>, scale: i64) -> ModuleNow {
    let lane = |lane: u32| {
        let place = 2 * (usize::try_from(lane).unwrap_or_default() - 1);
        let word = |at: usize| monitors.word(at - UPPER + place);
        Lane {
            id: lane,
            tx_power_nanowatts: word(154).map(nanowatts),
            bias_microamperes: word(170).map(|word| super::microamperes(word) * scale),
            rx_power_nanowatts: word(186).map(nanowatts),
        }
    };
    let read = monitors.word(0).is_some();
    let mut lanes: Vec<Lane> = if read {
        (1..=LANES).map(lane).collect()
    } else {
        Vec::new()
    };
    // A module of four lanes leaves the others at zero.
    let dark = |lane: &Lane| {
        let levels = [
            lane.tx_power_nanowatts,
            lane.bias_microamperes,
            lane.rx_power_nanowatts,
        ];
        levels.iter().all(|level| *level == Some(0))
    };
    while lanes.last().is_some_and(dark) {
        lanes.pop();
    }
    let measured = |word: Option<u16>| word.filter(|word| *word > 0);
    ModuleNow {
        temperature_millicelsius: measured(lower.word(14)).map(millicelsius),
        voltage_microvolts: measured(lower.word(16)).map(microvolts),
        lanes,
        alarms: Vec::new(),
    }
}

/// Byte 85 says which table of SFF-8024 the first application's media code, byte 87, is of.
fn media(lower: &[u8]) -> Vec<String> {
    const SINGLE_MODE: &[(u8, &str)] = &[
        (0x10, "100GBASE-LR4"),
        (0x14, "100GBASE-DR"),
        (0x15, "100G-FR/100GBASE-FR1"),
        (0x16, "100G-LR/100GBASE-LR1"),
        (0x17, "200GBASE-DR4"),
        (0x18, "200GBASE-FR4"),
        (0x19, "200GBASE-LR4"),
        (0x1a, "400GBASE-FR8"),
        (0x1b, "400GBASE-LR8"),
        (0x1c, "400GBASE-DR4"),
        (0x1d, "400G-FR4/400GBASE-FR4"),
        (0x1e, "400G-LR4-10"),
        (0x3e, "400ZR, DWDM"),
        (0x43, "400GBASE-LR4-6"),
    ];
    const MULTI_MODE: &[(u8, &str)] = &[
        (0x07, "50GBASE-SR"),
        (0x09, "100GBASE-SR4"),
        (0x0c, "100GBASE-SR2"),
        (0x0d, "100GBASE-SR1"),
        (0x0e, "200GBASE-SR4"),
        (0x10, "400GBASE-SR8"),
        (0x11, "400GBASE-SR4"),
        (0x12, "800GBASE-SR8"),
        (0x1a, "400GBASE-SR4.2"),
    ];
    let memory = Memory(lower);
    let (kind, media) = (memory.byte(85), memory.byte(87));
    let table = match kind {
        1 => MULTI_MODE,
        2 => SINGLE_MODE,
        3 => return vec!["passive cable".to_owned()],
        4 => return vec!["active cable".to_owned()],
        _ => return Vec::new(),
    };
    let known = table.iter().find(|(code, _)| *code == media);
    known
        .map(|(_, word)| (*word).to_owned())
        .into_iter()
        .collect()
}
