//! SFP, SFP+ and SFP28: SFF-8472, whose identity is at address A0h and whose diagnostics are at A2h.

use super::{
    Lane, Memory, Module, ModuleNow, code, lengths, microamperes, microvolts, millicelsius,
    nanowatts,
};

/// Byte 92: diagnostics are there, and need no calibration by the reader.
const DIAGNOSTICS: u8 = 0x40;
const INTERNALLY_CALIBRATED: u8 = 0x20;

/// Byte 8: the cable is passive or active copper.
const CABLE: u8 = 0x0c;

/// The module of the halves at A0h and A2h; the second is empty without diagnostics.
pub(super) fn read(identity: &[u8], diagnostics: &[u8]) -> (Module, ModuleNow) {
    let memory = Memory(identity);
    let cable = memory.byte(8) & CABLE != 0;
    let unit = |at: usize, length_dm: u32| u32::from(memory.byte(at)) * length_dm;
    // In kilometres, or in hundreds of metres where the reach is short.
    let single_mode = unit(14, 10_000).max(unit(15, 1000));
    let copper = if cable { "cable" } else { "om4" };
    // Byte 18 is metres of copper, or tens of metres of OM4.
    let copper_length = unit(18, if cable { 10 } else { 100 });
    let wavelength = memory.word(60).filter(|_| !cable);
    let rate = match memory.byte(12) {
        0xff => u32::from(memory.byte(66)) * 250,
        rate => u32::from(rate) * 100,
    };
    let module = Module {
        connector: code::connector(memory.byte(2)),
        compliance: compliance(memory),
        vendor: memory.text(20, 16),
        vendor_oui: memory.oui(37),
        part: memory.text(40, 16),
        revision: memory.text(56, 4),
        date: memory.date(84),
        wavelength_pm: wavelength
            .filter(|nm| *nm > 0)
            .map(|nm| u32::from(nm) * 1000),
        rate_mbaud: Some(rate).filter(|rate| *rate > 0),
        lengths: lengths(&[
            ("smf", single_mode),
            ("om2", unit(16, 100)),
            ("om1", unit(17, 100)),
            (copper, copper_length),
            ("om3", unit(19, 100)),
        ]),
        ..Module::default()
    };
    // Calibration by the reader was for the first generation alone; its raw numbers would mislead.
    let kind = memory.byte(92);
    if kind & DIAGNOSTICS == 0 || kind & INTERNALLY_CALIBRATED == 0 || diagnostics.is_empty() {
        return (module, ModuleNow::default());
    }
    diagnosed(module, Memory(diagnostics))
}

fn diagnosed(module: Module, memory: Memory<'_>) -> (Module, ModuleNow) {
    let thresholds = [
        memory.threshold(0, "temperature_millicelsius", millicelsius),
        memory.threshold(8, "voltage_microvolts", microvolts),
        memory.threshold(16, "bias_microamperes", microamperes),
        memory.threshold(24, "tx_power_nanowatts", nanowatts),
        memory.threshold(32, "rx_power_nanowatts", nanowatts),
    ];
    let module = Module {
        thresholds: thresholds.into_iter().flatten().collect(),
        ..module
    };
    let now = ModuleNow {
        temperature_millicelsius: memory.word(96).map(millicelsius),
        voltage_microvolts: memory.word(98).map(microvolts),
        lanes: vec![Lane {
            id: 1,
            bias_microamperes: memory.word(100).map(microamperes),
            tx_power_nanowatts: memory.word(102).map(nanowatts),
            rx_power_nanowatts: memory.word(104).map(nanowatts),
        }],
        alarms: Vec::new(),
    };
    (module, now)
}

/// Table 5-3, bytes 3, 6 and 8, and the extended code of byte 36.
fn compliance(memory: Memory<'_>) -> Vec<String> {
    let ten = [
        "",
        "",
        "",
        "",
        "10GBASE-SR",
        "10GBASE-LR",
        "10GBASE-LRM",
        "10GBASE-ER",
    ];
    let one = [
        "1000BASE-SX",
        "1000BASE-LX",
        "1000BASE-CX",
        "1000BASE-T",
        "100BASE-LX/LX10",
        "100BASE-FX",
        "BASE-BX10",
        "BASE-PX",
    ];
    let cable = ["", "", "passive cable", "active cable", "", "", "", ""];
    code::bits(memory.byte(3), ten)
        .chain(code::bits(memory.byte(6), one))
        .chain(code::bits(memory.byte(8), cable))
        .chain(code::extended(memory.byte(36)))
        .collect()
}
