//! Why a device runs slower than it could, in the words of those who make it.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $cause:ident)*) => {
        /// Why a device runs slower than it could.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum ThrottleReason {
            $($(#[$doc])* $variant,)*
            /// The driver's own word for a reason that this version does not know.
            #[serde(untagged)]
            Other(String),
        }

        impl ThrottleReason {
            /// What holds the device back; `None` for a word that this version does not know.
            #[must_use]
            pub const fn cause(&self) -> Option<ThrottleCause> {
                match self {
                    $(Self::$variant => Some(ThrottleCause::$cause),)*
                    Self::Other(_) => None,
                }
            }
        }
    };
}

/// What holds a device back: the sort of a [`ThrottleReason`], on which an alarm may depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThrottleCause {
    /// It would draw more power than it may.
    Power,
    /// It would draw more current than it, or its voltage regulator, may.
    Current,
    /// It, its memory or its voltage regulator is too hot.
    Thermal,
    /// Somebody else's signal: the board's, the power supply's, the CPU's.
    External,
    /// What somebody has set.
    Setting,
    /// Nothing to do.
    Idle,
}

reasons! {
    /// AMD PPT0: package power tracking, sustained.
    Ppt0 Power
    /// AMD PPT1.
    Ppt1 Power
    /// AMD PPT2.
    Ppt2 Power
    /// AMD PPT3.
    Ppt3 Power
    /// AMD SPL: sustained power limit.
    Spl Power
    /// AMD FPPT: fast package power tracking.
    Fppt Power
    /// AMD SPPT: slow package power tracking.
    Sppt Power
    /// AMD SPPT of the APU alone.
    SpptApu Power
    /// AMD TDC of the graphics rail: thermal design current.
    TdcGfx Current
    /// AMD TDC of the SoC rail.
    TdcSoc Current
    /// AMD TDC of the memory rail.
    TdcMem Current
    /// AMD TDC of the VDD rail.
    TdcVdd Current
    /// AMD TDC of the CVIP rail.
    TdcCvip Current
    /// AMD EDC of the CPU: electrical design current.
    EdcCpu Current
    /// AMD EDC of the graphics rail.
    EdcGfx Current
    /// AMD APCC: peak current control.
    Apcc Current
    /// AMD: the GPU.
    TempGpu Thermal
    /// AMD: a CPU core.
    TempCore Thermal
    /// AMD, Intel (`mem_thermal`): the memory.
    TempMem Thermal
    /// AMD: the edge of the die.
    TempEdge Thermal
    /// AMD: the hottest place of the die.
    TempHotspot Thermal
    /// AMD: the SoC.
    TempSoc Thermal
    /// AMD: the regulator of the graphics rail.
    TempVrGfx Thermal
    /// AMD: the regulator of the SoC rail.
    TempVrSoc Thermal
    /// AMD: the first regulator of the memory.
    TempVrMem0 Thermal
    /// AMD: the second regulator of the memory.
    TempVrMem1 Thermal
    /// AMD: the first place in the coolant.
    TempLiquid0 Thermal
    /// AMD: the second place in the coolant.
    TempLiquid1 Thermal
    /// AMD: a regulator's own signal.
    Vrhot0 Thermal
    /// AMD: another regulator's own signal.
    Vrhot1 Thermal
    /// AMD: the CPU's PROCHOT.
    ProchotCpu External
    /// AMD: PROCHOT of the graphics.
    ProchotGfx External
    /// AMD PPM.
    Ppm Power
    /// AMD FIT: what the silicon is to endure.
    Fit Current
    /// Intel PL1: sustained power.
    Pl1 Power
    /// Intel PL2: burst power.
    Pl2 Power
    /// Intel PL4: peak power or current.
    Pl4 Power
    /// Intel: PL1 of the whole platform.
    PsysPl1 Power
    /// Intel: PL2 of the whole platform.
    PsysPl2 Power
    /// Intel: the platform's critical power.
    PsysCrit Power
    /// Intel: the die.
    Thermal Thermal
    /// Intel: the SoC.
    SocThermal Thermal
    /// Intel: the SoC on average.
    SocAvgThermal Thermal
    /// Intel: the voltage regulator.
    VrThermal Thermal
    /// Intel: the voltage regulator's own signal.
    VrThermalert Thermal
    /// Intel RATL: running average of the temperature.
    Ratl Thermal
    /// Intel PROCHOT: somebody else's signal.
    Prochot External
    /// Intel: the power supply's signal (power brake).
    Pwrbrk External
    /// Intel: the regulator's thermal design current.
    VrTdc Current
    /// Intel ICCMAX.
    Iccmax Current
    /// Intel: the regulator's fast voltage mode.
    Fastvmode Current
    /// Intel: the frequency that was asked for.
    P0Freq Setting
    /// NVML `GpuIdle`.
    GpuIdle Idle
    /// NVML `ApplicationsClocksSetting`.
    ApplicationsClocksSetting Setting
    /// NVML `SwPowerCap`.
    SwPowerCap Power
    /// NVML `HwSlowdown`: a temperature, a power brake or a fast power excursion.
    HwSlowdown External
    /// NVML `SyncBoost`.
    SyncBoost Setting
    /// NVML `SwThermalSlowdown`.
    SwThermalSlowdown Thermal
    /// NVML `HwThermalSlowdown`.
    HwThermalSlowdown Thermal
    /// NVML `HwPowerBrakeSlowdown`: the power supply's signal.
    HwPowerBrakeSlowdown External
    /// NVML `DisplayClockSetting`.
    DisplayClockSetting Setting
}
