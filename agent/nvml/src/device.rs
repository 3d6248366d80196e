//! What is asked of one device.

use std::collections::BTreeMap;
use std::ffi::CStr;

use libhw::device::gpu::ThrottleReason;
use libhw::device::gpu::nvml::{
    Nvml, NvmlClocks, NvmlDevice, NvmlError, NvmlFan, NvmlLink, NvmlMode, NvmlNow, NvmlPower,
    NvmlRefusal, NvmlState, NvmlTemperature,
};
use libhw::units::Hertz;

use crate::lines::Lines;
use crate::refusal;
use crate::sys::{Buffer, FanSpeed, FieldValue, Handle, Library, PciInfo, Utilization};

mod links;
mod memory;

/// More fans than any board has.
const FANS_MAX: u32 = 16;

/// `NVML_FI_DEV_MEMORY_TEMP`.
const MEMORY_TEMPERATURE: u32 = 82;

/// The library as it is asked of one device, or of itself: what it refuses is kept, each function once.
pub(crate) struct Asked<'a> {
    library: &'a Library,
    lines: &'a mut Lines,
    device: String,
    refused: BTreeMap<String, NvmlError>,
    /// It does not answer any more, so nothing else is asked of it.
    state: NvmlState,
}

impl<'a> Asked<'a> {
    pub(crate) const fn new(library: &'a Library, lines: &'a mut Lines, device: String) -> Self {
        Self {
            library,
            lines,
            device,
            refused: BTreeMap::new(),
            state: NvmlState::Answers,
        }
    }

    /// Calls a function, and returns why it did not answer.
    pub(crate) fn must<T>(
        &mut self,
        name: &str,
        call: impl FnOnce(&Library) -> Result<T, NvmlError>,
    ) -> Result<T, NvmlRefusal> {
        self.lines.calls(name, &self.device);
        call(self.library).map_err(|error| {
            match error {
                NvmlError::GpuIsLost => self.state = NvmlState::Lost,
                NvmlError::ResetRequired => self.state = NvmlState::ResetRequired,
                _ => {}
            }
            refusal(name, error)
        })
    }

    /// Calls a function, and keeps why it did not answer.
    fn may<T>(
        &mut self,
        name: &str,
        call: impl FnOnce(&Library) -> Result<T, NvmlError>,
    ) -> Option<T> {
        if self.state == NvmlState::Lost {
            return None;
        }
        let answer = self.must(name, call);
        answer.map_err(|refusal| self.keep(refusal)).ok()
    }

    /// As [`Asked::may`], of a part that a device may well not have, which then is not worth a word.
    fn part<T>(
        &mut self,
        name: &str,
        call: impl FnOnce(&Library) -> Result<T, NvmlError>,
    ) -> Option<T> {
        if self.state == NvmlState::Lost {
            return None;
        }
        match self.must(name, call) {
            Ok(value) => Some(value),
            Err(refusal) => {
                if !refusal.error.is_absence() {
                    self.keep(refusal);
                }
                None
            }
        }
    }

    /// Calls the first of several functions that the library has: the newest is named first.
    pub(crate) fn first(
        &mut self,
        names: &[(&str, &CStr)],
        mut call: impl FnMut(&Library, &CStr) -> Result<(), NvmlError>,
    ) -> Option<()> {
        for (place, (name, symbol)) in names.iter().enumerate() {
            let older = place + 1 < names.len();
            match self.must(name, |library| call(library, symbol)) {
                Ok(()) => return Some(()),
                Err(refusal) if older && is_too_new(refusal.error) => {}
                Err(refusal) => {
                    self.keep(refusal);
                    return None;
                }
            }
        }
        None
    }

    /// A text; one that is empty, or that is none, is absent.
    pub(crate) fn text(
        &mut self,
        name: &str,
        call: impl FnOnce(&Library, &mut Buffer) -> Result<(), NvmlError>,
    ) -> Option<String> {
        self.may(name, |library| {
            let mut buffer = [0; 256];
            call(library, &mut buffer)?;
            let end = buffer.iter().position(|byte| *byte == 0);
            let text = buffer
                .get(..end.unwrap_or(buffer.len()))
                .unwrap_or_default();
            let text = std::str::from_utf8(text).map_err(|_| NvmlError::Malformed)?;
            let is_text = !text.chars().any(char::is_control);
            is_text
                .then(|| text.trim().to_owned())
                .ok_or(NvmlError::Malformed)
        })
        .filter(|text| !text.is_empty())
    }

    pub(crate) fn keep(&mut self, refusal: NvmlRefusal) {
        self.refused.entry(refusal.id).or_insert(refusal.error);
    }

    /// What was refused.
    pub(crate) fn refused(&mut self) -> Vec<NvmlRefusal> {
        let refused = std::mem::take(&mut self.refused);
        refused
            .into_iter()
            .map(|(id, error)| NvmlRefusal { id, error })
            .collect()
    }
}

/// Whether an older function may know what this one does not.
const fn is_too_new(error: NvmlError) -> bool {
    matches!(
        error,
        NvmlError::NoFunction
            | NvmlError::FunctionNotFound
            | NvmlError::ArgumentVersionMismatch
            | NvmlError::NotSupported
            | NvmlError::InvalidArgument
    )
}

/// A device with its questions.
struct Gpu<'a, 'b> {
    asked: &'a mut Asked<'b>,
    handle: Handle,
}

impl Gpu<'_, '_> {
    fn number(&mut self, name: &'static CStr) -> Option<u32> {
        let handle = self.handle;
        self.asked.may(&name.to_string_lossy(), |library| {
            let mut number = 0;
            library.number(name, handle, &mut number).map(|()| number)
        })
    }

    fn number_of(&mut self, name: &'static CStr, of: u32) -> Option<u32> {
        let handle = self.handle;
        self.asked.may(&name.to_string_lossy(), |library| {
            let mut number = 0;
            library
                .number_of(name, handle, of, &mut number)
                .map(|()| number)
        })
    }

    fn two(&mut self, name: &'static CStr) -> Option<(u32, u32)> {
        let handle = self.handle;
        self.asked.may(&name.to_string_lossy(), |library| {
            let (mut first, mut second) = (0, 0);
            let asked = library.two(name, handle, &mut first, &mut second);
            asked.map(|()| (first, second))
        })
    }

    fn long(&mut self, name: &'static CStr) -> Option<u64> {
        let handle = self.handle;
        self.asked.may(&name.to_string_lossy(), |library| {
            let mut number = 0;
            library.long(name, handle, &mut number).map(|()| number)
        })
    }

    fn text(&mut self, name: &'static CStr) -> Option<String> {
        let handle = self.handle;
        self.asked.text(&name.to_string_lossy(), |library, buffer| {
            library.text(name, handle, buffer)
        })
    }

    fn inforom(&mut self, object: u32) -> Option<String> {
        let (name, handle) = (c"nvmlDeviceGetInforomVersion", self.handle);
        self.asked.text(&name.to_string_lossy(), |library, buffer| {
            library.text_of(name, handle, object, buffer)
        })
    }

    fn mode(&mut self, name: &'static CStr) -> Option<NvmlMode> {
        let (current, pending) = self.two(name)?;
        Some(NvmlMode {
            current: current == 1,
            pending: pending == 1,
        })
    }

    fn link(&mut self, generation: &'static CStr, width: &'static CStr) -> Option<NvmlLink> {
        Some(NvmlLink {
            generation: self.number(generation)?,
            width: self.number(width)?,
        })
    }

    fn clocks(&mut self, name: &'static CStr) -> NvmlClocks {
        let mut clock = |of| {
            let megahertz = self.number_of(name, of)?;
            Some(Hertz(u64::from(megahertz) * 1_000_000))
        };
        NvmlClocks {
            graphics_hz: clock(0),
            sm_hz: clock(1),
            memory_hz: clock(2),
            video_hz: clock(3),
        }
    }

    fn power(&mut self) -> NvmlPower {
        let limits = self.two(c"nvmlDeviceGetPowerManagementLimitConstraints");
        NvmlPower {
            enforced_milliwatts: self.number(c"nvmlDeviceGetEnforcedPowerLimit"),
            limit_milliwatts: self.number(c"nvmlDeviceGetPowerManagementLimit"),
            default_milliwatts: self.number(c"nvmlDeviceGetPowerManagementDefaultLimit"),
            min_milliwatts: limits.map(|(min, _)| min),
            max_milliwatts: limits.map(|(_, max)| max),
        }
    }

    fn temperature_limits(&mut self) -> NvmlTemperature {
        let mut limit = |of| self.number_of(c"nvmlDeviceGetTemperatureThreshold", of);
        NvmlTemperature {
            shutdown_celsius: limit(0),
            slowdown_celsius: limit(1),
            memory_max_celsius: limit(2),
            max_celsius: limit(3),
        }
    }

    fn memory_temperature(&mut self) -> Option<u32> {
        let handle = self.handle;
        let mut values = [FieldValue::of(MEMORY_TEMPERATURE)];
        self.asked.may("nvmlDeviceGetFieldValues", |library| {
            library.fields(c"nvmlDeviceGetFieldValues", handle, 1, &mut values)?;
            let [value] = &values;
            NvmlError::of(value.status).map_or(Ok(()), Err)?;
            value.unsigned().ok_or(NvmlError::Malformed)
        })
    }

    fn throttle(&mut self) -> Option<Vec<ThrottleReason>> {
        let (handle, mut bits) = (self.handle, 0);
        let names = [
            (
                "nvmlDeviceGetCurrentClocksEventReasons",
                c"nvmlDeviceGetCurrentClocksEventReasons",
            ),
            (
                "nvmlDeviceGetCurrentClocksThrottleReasons",
                c"nvmlDeviceGetCurrentClocksThrottleReasons",
            ),
        ];
        self.asked.first(&names, |library, name| {
            library.long(name, handle, &mut bits)
        })?;
        Some(reasons(bits))
    }

    fn fans(&mut self) -> Vec<NvmlFan> {
        let count = self.number(c"nvmlDeviceGetNumFans").unwrap_or_default();
        let fan = |fan| {
            let handle = self.handle;
            let speed_percent = self.number_of(c"nvmlDeviceGetFanSpeed_v2", fan);
            let speed_rpm = self.asked.may("nvmlDeviceGetFanSpeedRPM", |library| {
                let mut speed = FanSpeed::of(fan);
                library.fan(c"nvmlDeviceGetFanSpeedRPM", handle, &mut speed)?;
                Ok(speed.speed)
            });
            NvmlFan {
                id: fan,
                speed_percent,
                speed_rpm,
            }
        };
        (0..count.min(FANS_MAX)).map(fan).collect()
    }

    fn now(&mut self) -> NvmlNow {
        let handle = self.handle;
        let busy = self.asked.may("nvmlDeviceGetUtilizationRates", |library| {
            let mut busy = Utilization::default();
            library.utilization(c"nvmlDeviceGetUtilizationRates", handle, &mut busy)?;
            Ok(busy)
        });
        NvmlNow {
            // 32 is "unknown".
            performance_state: self
                .number(c"nvmlDeviceGetPerformanceState")
                .filter(|state| *state < 16),
            throttle: self.throttle(),
            clocks: self.clocks(c"nvmlDeviceGetClockInfo"),
            temperature_celsius: self.number_of(c"nvmlDeviceGetTemperature", 0),
            memory_temperature_celsius: self.memory_temperature(),
            power_milliwatts: self.number(c"nvmlDeviceGetPowerUsage"),
            energy_millijoules: self.long(c"nvmlDeviceGetTotalEnergyConsumption"),
            compute_percent: busy.map(|busy| busy.gpu),
            memory_percent: busy.map(|busy| busy.memory),
            encoder_percent: self
                .two(c"nvmlDeviceGetEncoderUtilization")
                .map(|(busy, _)| busy),
            decoder_percent: self
                .two(c"nvmlDeviceGetDecoderUtilization")
                .map(|(busy, _)| busy),
            fans: self.fans(),
            link: self.link(
                c"nvmlDeviceGetCurrPcieLinkGeneration",
                c"nvmlDeviceGetCurrPcieLinkWidth",
            ),
            link_replays: self.number(c"nvmlDeviceGetPcieReplayCounter"),
            memory: memory::errors(self),
        }
    }

    fn lasting(&mut self) -> Nvml {
        Nvml {
            board_part_number: self.text(c"nvmlDeviceGetBoardPartNumber"),
            architecture: self.number(c"nvmlDeviceGetArchitecture").map(Into::into),
            compute_capability: self
                .two(c"nvmlDeviceGetCudaComputeCapability")
                .map(|(major, minor)| format!("{major}.{minor}")),
            cores: self.number(c"nvmlDeviceGetNumGpuCores"),
            inforom_image: self.text(c"nvmlDeviceGetInforomImageVersion"),
            inforom_ecc: self.inforom(1),
            inforom_power: self.inforom(2),
            memory_bus_width_bits: self.number(c"nvmlDeviceGetMemoryBusWidth"),
            ecc: self.mode(c"nvmlDeviceGetEccMode"),
            mig: self.mode(c"nvmlDeviceGetMigMode"),
            persistence: self
                .number(c"nvmlDeviceGetPersistenceMode")
                .map(|mode| mode == 1),
            compute_mode: self.number(c"nvmlDeviceGetComputeMode").map(Into::into),
            power: self.power(),
            temperature: self.temperature_limits(),
            clocks_max: self.clocks(c"nvmlDeviceGetMaxClockInfo"),
            link_max: self.link(
                c"nvmlDeviceGetMaxPcieLinkGeneration",
                c"nvmlDeviceGetMaxPcieLinkWidth",
            ),
            ..Nvml::default()
        }
    }
}

/// The bits of `nvmlClocksEventReasons`.
fn reasons(bits: u64) -> Vec<ThrottleReason> {
    const KNOWN: [ThrottleReason; 9] = [
        ThrottleReason::GpuIdle,
        ThrottleReason::ApplicationsClocksSetting,
        ThrottleReason::SwPowerCap,
        ThrottleReason::HwSlowdown,
        ThrottleReason::SyncBoost,
        ThrottleReason::SwThermalSlowdown,
        ThrottleReason::HwThermalSlowdown,
        ThrottleReason::HwPowerBrakeSlowdown,
        ThrottleReason::DisplayClockSetting,
    ];
    let set = (0..u64::BITS).filter(|bit| bits >> bit & 1 == 1);
    let reason = |bit: u32| {
        let known = usize::try_from(bit).ok().and_then(|bit| KNOWN.get(bit));
        known
            .cloned()
            .unwrap_or_else(|| ThrottleReason::Other(format!("bit{bit}")))
    };
    set.map(reason).collect()
}

/// The PCI function that a device is; `None`, and a line that says why, where the library does not tell.
pub(crate) fn function(library: &Library, lines: &mut Lines, handle: Handle) -> Option<String> {
    let mut pci = PciInfo::default();
    let mut asked = Asked::new(library, lines, String::new());
    let names = [
        ("nvmlDeviceGetPciInfo_v3", c"nvmlDeviceGetPciInfo_v3"),
        ("nvmlDeviceGetPciInfo_v2", c"nvmlDeviceGetPciInfo_v2"),
    ];
    let found = asked.first(&names, |library, name| library.pci(name, handle, &mut pci));
    let refused = asked.refused();
    for refusal in refused {
        lines.write(&libhw::device::gpu::nvml::NvmlLine::Refuses(refusal));
    }
    found.and_then(|()| address(&pci))
}

/// The address as the kernel writes it. The library knows of no function but the first.
fn address(pci: &PciInfo) -> Option<String> {
    let (domain, bus, device) = (pci.domain, pci.bus, pci.device);
    (bus <= 0xff && device <= 0x1f).then(|| format!("{domain:04x}:{bus:02x}:{device:02x}.0"))
}

/// Asks all of a device; `all` are the devices of the machine, and this one.
pub(crate) fn ask(
    library: &Library,
    lines: &mut Lines,
    handle: Handle,
    function: &str,
    all: &[(Handle, String)],
) -> NvmlDevice {
    let mut asked = Asked::new(library, lines, function.to_owned());
    let mut gpu = Gpu {
        asked: &mut asked,
        handle,
    };
    let mut device = NvmlDevice {
        function: function.to_owned(),
        name: gpu.text(c"nvmlDeviceGetName"),
        uuid: gpu.text(c"nvmlDeviceGetUUID"),
        serial: gpu.text(c"nvmlDeviceGetSerial"),
        vbios: gpu.text(c"nvmlDeviceGetVbiosVersion"),
        nvml: gpu.lasting(),
    };
    let nvml = &mut device.nvml;
    nvml.now = gpu.now();
    memory::sizes(&mut gpu, nvml);
    if nvml.mig.is_some_and(|mig| mig.current) {
        nvml.instances = memory::instances(&mut gpu);
    }
    nvml.nvlinks = links::nvlinks(&mut gpu);
    nvml.peers = links::peers(&mut gpu, function, all, &nvml.nvlinks);
    nvml.state = asked.state;
    nvml.unavailable = asked.refused();
    device
}
