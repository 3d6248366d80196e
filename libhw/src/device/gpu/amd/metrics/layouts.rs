//! Where each layout of the table has what: a row is a field and its offset.

use super::Field::{
    self, Accumulation, Celsius, Centicelsius, Megahertz, Milliamperes, Millivolts, Milliwatts,
    PcieCount, PcieSpeed, PcieWidth, Residency, Throttle, Watts, WideMilliwatts, XgmiSpeed,
    XgmiStatus, XgmiTraffic, XgmiWidth,
};
use super::PcieCount::{NaksReceived, NaksSent, Recoveries, Replays, Rollovers};
use super::SOCKET;
use super::Width::{Eight, Four};
use crate::device::gpu::ThrottleReason;

type Rows = [(Field, usize)];

/// The rows of a layout; none of one that is not known.
pub(super) fn layout(format: u8, content: u8) -> &'static [&'static Rows] {
    match (format, content) {
        (1, 0) => &[V1_0],
        (1, 1 | 2) => &[V1_1],
        (1, 3) => &[V1_1, V1_3],
        (1, 4) => &[V1_4_HEAD, V1_4],
        (1, 5) => &[V1_4_HEAD, V1_5],
        (1, 6) => &[V1_4_HEAD, V1_6],
        (1, 7 | 8) => &[V1_4_HEAD, V1_7],
        (2, 1) => &[V2_1],
        (2, 2) => &[V2_1, V2_2],
        (2, 3) => &[V2_1, V2_2],
        (2, 4) => &[V2_1, V2_2, V2_4],
        (3, 0) => &[V3_0],
        _ => &[],
    }
}

/// The eight-byte clock comes first, so all stands eight bytes further on, behind a gap of four.
const V1_0: &Rows = &[
    (Celsius("edge"), 16),
    (Celsius("junction"), 18),
    (Celsius("mem"), 20),
    (Celsius("vrgfx"), 22),
    (Celsius("vrsoc"), 24),
    (Celsius("vrmem"), 26),
    (Watts(SOCKET), 34),
    (Megahertz("sclk"), 54),
    (Megahertz("socclk"), 56),
    (Megahertz("mclk"), 58),
    (Megahertz("vclk"), 60),
    (Megahertz("dclk"), 62),
    (Megahertz("vclk1"), 64),
    (Megahertz("dclk1"), 66),
];

const V1_1: &Rows = &[
    (Celsius("edge"), 4),
    (Celsius("junction"), 6),
    (Celsius("mem"), 8),
    (Celsius("vrgfx"), 10),
    (Celsius("vrsoc"), 12),
    (Celsius("vrmem"), 14),
    (Watts(SOCKET), 22),
    (Megahertz("sclk"), 54),
    (Megahertz("socclk"), 56),
    (Megahertz("mclk"), 58),
    (Megahertz("vclk"), 60),
    (Megahertz("dclk"), 62),
    (Megahertz("vclk1"), 64),
    (Megahertz("dclk1"), 66),
    (PcieWidth, 74),
    (PcieSpeed, 76),
    (Celsius("hbm0"), 88),
    (Celsius("hbm1"), 90),
    (Celsius("hbm2"), 92),
    (Celsius("hbm3"), 94),
];

const V1_3: &Rows = &[
    (Millivolts("soc"), 104),
    (Millivolts("vddgfx"), 106),
    (Millivolts("mem"), 108),
    (Throttle, 112),
];

/// What all of 1.4 to 1.8 begin with.
const V1_4_HEAD: &Rows = &[
    (Celsius("junction"), 4),
    (Celsius("mem"), 6),
    (Celsius("vrsoc"), 8),
    (Watts(SOCKET), 10),
];

const V1_4: &Rows = &[
    (PcieWidth, 48),
    (PcieSpeed, 50),
    (XgmiWidth, 52),
    (XgmiSpeed, 54),
    (PcieCount(Recoveries, Eight), 80),
    (PcieCount(Replays, Eight), 88),
    (PcieCount(Rollovers, Eight), 96),
    (XgmiTraffic, 104),
    (Megahertz("sclk"), 240),
    (Megahertz("socclk"), 256),
    (Megahertz("vclk"), 264),
    (Megahertz("dclk"), 272),
    (Megahertz("mclk"), 280),
];

const V1_5: &Rows = &[
    (PcieWidth, 80),
    (PcieSpeed, 82),
    (XgmiWidth, 84),
    (XgmiSpeed, 86),
    (PcieCount(Recoveries, Eight), 112),
    (PcieCount(Replays, Eight), 120),
    (PcieCount(Rollovers, Eight), 128),
    (PcieCount(NaksSent, Four), 136),
    (PcieCount(NaksReceived, Four), 140),
    (XgmiTraffic, 144),
    (Megahertz("sclk"), 280),
    (Megahertz("socclk"), 296),
    (Megahertz("vclk"), 304),
    (Megahertz("dclk"), 312),
    (Megahertz("mclk"), 320),
];

const V1_6: &Rows = &[
    (Accumulation, 32),
    (Residency(|| ThrottleReason::ProchotGfx), 36),
    (Residency(|| ThrottleReason::Ppt0), 40),
    (Residency(|| ThrottleReason::TempGpu), 44),
    (Residency(|| ThrottleReason::TempVrGfx), 48),
    (Residency(|| ThrottleReason::TempMem), 52),
    (PcieWidth, 60),
    (PcieSpeed, 62),
    (XgmiWidth, 64),
    (XgmiSpeed, 66),
    (PcieCount(Recoveries, Eight), 96),
    (PcieCount(Replays, Eight), 104),
    (PcieCount(Rollovers, Eight), 112),
    (PcieCount(NaksSent, Four), 120),
    (PcieCount(NaksReceived, Four), 124),
    (XgmiTraffic, 128),
    (Megahertz("sclk"), 264),
    (Megahertz("socclk"), 280),
    (Megahertz("vclk"), 288),
    (Megahertz("dclk"), 296),
    (Megahertz("mclk"), 304),
];

const V1_7: &Rows = &[
    (Accumulation, 40),
    (Residency(|| ThrottleReason::ProchotGfx), 44),
    (Residency(|| ThrottleReason::Ppt0), 48),
    (Residency(|| ThrottleReason::TempGpu), 52),
    (Residency(|| ThrottleReason::TempVrGfx), 56),
    (Residency(|| ThrottleReason::TempMem), 60),
    (PcieWidth, 68),
    (PcieSpeed, 70),
    (XgmiWidth, 72),
    (XgmiSpeed, 74),
    (PcieCount(Recoveries, Eight), 104),
    (PcieCount(Replays, Eight), 112),
    (PcieCount(Rollovers, Eight), 120),
    (PcieCount(NaksSent, Four), 128),
    (PcieCount(NaksReceived, Four), 132),
    (XgmiTraffic, 136),
    (XgmiStatus, 264),
    (Megahertz("sclk"), 296),
    (Megahertz("socclk"), 312),
    (Megahertz("vclk"), 320),
    (Megahertz("dclk"), 328),
    (Megahertz("mclk"), 336),
];

/// Its powers and activities have no unit that holds for all devices, so they are left to hwmon.
const V2_1: &Rows = &[
    (Centicelsius("edge"), 4),
    (Centicelsius("soc"), 6),
    (Megahertz("sclk"), 76),
    (Megahertz("socclk"), 78),
    (Megahertz("mclk"), 80),
    (Megahertz("fclk"), 82),
    (Megahertz("vclk"), 84),
    (Megahertz("dclk"), 86),
];

const V2_2: &Rows = &[(Throttle, 120)];

const V2_4: &Rows = &[
    (Milliwatts(SOCKET), 40),
    (Milliwatts("cpu"), 42),
    (Milliwatts("soc"), 44),
    (Milliwatts("gfx"), 46),
    (Millivolts("cpu"), 152),
    (Millivolts("vddnb"), 154),
    (Millivolts("vddgfx"), 156),
    (Milliamperes("cpu"), 158),
    (Milliamperes("soc"), 160),
    (Milliamperes("gfx"), 162),
];

const V3_0: &Rows = &[
    (Centicelsius("edge"), 4),
    (Centicelsius("soc"), 6),
    (Centicelsius("skin"), 40),
    (WideMilliwatts(SOCKET), 112),
    (WideMilliwatts("apu"), 120),
    (WideMilliwatts("gfx"), 124),
    (WideMilliwatts("core"), 132),
    (Residency(|| ThrottleReason::ProchotCpu), 228),
    (Residency(|| ThrottleReason::Spl), 232),
    (Residency(|| ThrottleReason::Fppt), 236),
    (Residency(|| ThrottleReason::Sppt), 240),
    (Residency(|| ThrottleReason::TempCore), 244),
    (Residency(|| ThrottleReason::TempGpu), 248),
    (Residency(|| ThrottleReason::TempSoc), 252),
];

/// The reasons by bit.
pub(super) const REASONS: &[(u32, ThrottleReason)] = &[
    (0, ThrottleReason::Ppt0),
    (1, ThrottleReason::Ppt1),
    (2, ThrottleReason::Ppt2),
    (3, ThrottleReason::Ppt3),
    (4, ThrottleReason::Spl),
    (5, ThrottleReason::Fppt),
    (6, ThrottleReason::Sppt),
    (7, ThrottleReason::SpptApu),
    (16, ThrottleReason::TdcGfx),
    (17, ThrottleReason::TdcSoc),
    (18, ThrottleReason::TdcMem),
    (19, ThrottleReason::TdcVdd),
    (20, ThrottleReason::TdcCvip),
    (21, ThrottleReason::EdcCpu),
    (22, ThrottleReason::EdcGfx),
    (23, ThrottleReason::Apcc),
    (32, ThrottleReason::TempGpu),
    (33, ThrottleReason::TempCore),
    (34, ThrottleReason::TempMem),
    (35, ThrottleReason::TempEdge),
    (36, ThrottleReason::TempHotspot),
    (37, ThrottleReason::TempSoc),
    (38, ThrottleReason::TempVrGfx),
    (39, ThrottleReason::TempVrSoc),
    (40, ThrottleReason::TempVrMem0),
    (41, ThrottleReason::TempVrMem1),
    (42, ThrottleReason::TempLiquid0),
    (43, ThrottleReason::TempLiquid1),
    (44, ThrottleReason::Vrhot0),
    (45, ThrottleReason::Vrhot1),
    (46, ThrottleReason::ProchotCpu),
    (47, ThrottleReason::ProchotGfx),
    (56, ThrottleReason::Ppm),
    (57, ThrottleReason::Fit),
];
