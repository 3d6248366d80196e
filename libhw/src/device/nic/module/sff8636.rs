//! QSFP+ and QSFP28: SFF-8636, with levels in the lower half, identity in page 00h and limits in page 03h.

use super::{
    Lane, Memory, Module, ModuleNow, code, lengths, microamperes, microvolts, millicelsius,
    nanowatts,
};

/// Where a page's upper half begins.
const UPPER: usize = 128;

/// The module of its lower half, and the upper halves of pages 00h and 03h; a cable's page 03h is empty.
pub(super) fn read(lower: &[u8], identity: &[u8], limits: &[u8]) -> (Module, ModuleNow) {
    let memory = Memory(identity);
    let at = |place: usize| place - UPPER;
    let byte = |place: usize| memory.byte(at(place));
    let unit = |place: usize, length_dm: u32| u32::from(byte(place)) * length_dm;
    // Byte 147, upper four bits: from 1010 on it is copper, whose attenuation stands for the wavelength.
    let copper = byte(147) >> 4 >= 0xa;
    let wavelength = memory.word(at(186)).filter(|word| !copper && *word > 0);
    let rate = match byte(140) {
        0xff => u32::from(byte(222)) * 250,
        rate => u32::from(rate) * 100,
    };
    let metres = if copper || byte(130) == 0x23 {
        ("cable", unit(146, 10))
    } else {
        ("om4", unit(146, 20))
    };
    let mut module = Module {
        connector: code::connector(byte(130)),
        compliance: compliance(byte(131), byte(192)),
        vendor: memory.text(at(148), 16),
        vendor_oui: memory.oui(at(165)),
        part: memory.text(at(168), 16),
        revision: memory.text(at(184), 2),
        date: memory.date(at(212)),
        // In twentieths of a nanometre.
        wavelength_pm: wavelength.map(|word| u32::from(word) * 50),
        rate_mbaud: Some(rate).filter(|rate| *rate > 0),
        lengths: lengths(&[
            ("smf", unit(142, 10_000)),
            ("om3", unit(143, 20)),
            ("om2", unit(144, 10)),
            ("om1", unit(145, 10)),
            metres,
        ]),
        ..Module::default()
    };
    let limits = Memory(limits);
    let thresholds = [
        limits.threshold(0, "temperature_millicelsius", millicelsius),
        limits.threshold(16, "voltage_microvolts", microvolts),
        limits.threshold(48, "rx_power_nanowatts", nanowatts),
        limits.threshold(56, "bias_microamperes", microamperes),
        limits.threshold(64, "tx_power_nanowatts", nanowatts),
    ];
    module.thresholds = thresholds.into_iter().flatten().collect();
    (module, levels(Memory(lower), copper))
}

/// A cable measures nothing: its numbers are zeros.
fn levels(memory: Memory<'_>, copper: bool) -> ModuleNow {
    let measured = |word: Option<u16>| word.filter(|word| *word > 0);
    let lane = |lane: u32| {
        let place = 2 * (usize::try_from(lane).unwrap_or_default() - 1);
        Lane {
            id: lane,
            rx_power_nanowatts: memory.word(34 + place).map(nanowatts),
            bias_microamperes: memory.word(42 + place).map(microamperes),
            tx_power_nanowatts: memory.word(50 + place).map(nanowatts),
        }
    };
    ModuleNow {
        temperature_millicelsius: measured(memory.word(22)).map(millicelsius),
        voltage_microvolts: measured(memory.word(26)).map(microvolts),
        lanes: if copper {
            Vec::new()
        } else {
            (1..=4).map(lane).collect()
        },
        alarms: Vec::new(),
    }
}

/// Table 6-17, byte 131, and the extended code of byte 192.
fn compliance(byte: u8, extended: u8) -> Vec<String> {
    let words = [
        "40G active cable",
        "40GBASE-LR4",
        "40GBASE-SR4",
        "40GBASE-CR4",
        "10GBASE-SR",
        "10GBASE-LR",
        "10GBASE-LRM",
        "",
    ];
    // The highest bit says that the extended code tells more.
    code::bits(byte, words)
        .chain(code::extended(extended))
        .collect()
}
