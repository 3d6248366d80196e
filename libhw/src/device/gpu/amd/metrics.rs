//! `gpu_metrics`: a table that the device's firmware fills, in a layout that its header names
//! (`drivers/gpu/drm/amd/include/kgd_pp_interface.h`).
//!
//! ```text
//! 78 00 01 03 ...    120 bytes, format 1, content 3
//! ```
//!
//! What a device does not have is all ones.

use std::collections::BTreeSet;

use crate::device::gpu::device::Device;
use crate::device::gpu::reading::{
    ClockDomain, CurrentSensor, PowerSensor, TemperatureSensor, ThrottleResidency, VoltageSensor,
};
use crate::device::gpu::{AdapterNow, ThrottleReason};
use crate::units::{Bytes, Hertz};

use super::{Amd, XgmiLink};
use layouts::{REASONS, layout};

mod attributes;
mod layouts;

/// Reads the table, and adds what nothing else has told.
pub(super) fn read(device: &Device<'_>, amd: &mut Amd, now: &mut AdapterNow) {
    let Some(bytes) = device.ask_bytes("gpu_metrics") else {
        return;
    };
    let Some(table) = Table::open(&bytes) else {
        device.malformed("gpu_metrics", "a table with its length in front", &bytes);
        return;
    };
    table.decode(amd, now);
}

/// A table, cut to the length that it says it has.
struct Table<'a> {
    bytes: &'a [u8],
    format: u8,
    content: u8,
}

impl<'a> Table<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let [low, high, format, content] = *bytes.first_chunk()?;
        let length = usize::from(u16::from_le_bytes([low, high]));
        let bytes = bytes.get(..length).filter(|_| length >= 4)?;
        Some(Self {
            bytes,
            format,
            content,
        })
    }

    fn decode(&self, amd: &mut Amd, now: &mut AdapterNow) {
        amd.now.metrics_revision = Some(format!("{}.{}", self.format, self.content));
        if (self.format, self.content) == (1, 9) {
            return attributes::decode(self, amd, now);
        }
        for (field, offset) in layout(self.format, self.content).iter().copied().flatten() {
            self.add(*field, *offset, amd, now);
        }
    }

    /// The number of so many bytes at `offset`, unless all its bits are set.
    fn number<const WIDTH: usize>(&self, offset: usize) -> Option<u64> {
        self.wide(offset, WIDTH)
    }

    fn wide(&self, offset: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(offset..offset.checked_add(width)?)?;
        let value = bytes
            .iter()
            .rev()
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        bytes.iter().any(|byte| *byte != 0xff).then_some(value)
    }

    fn add(&self, field: Field, at: usize, amd: &mut Amd, now: &mut AdapterNow) {
        match field {
            Field::Celsius(id) => {
                temperature(now, id, self.number::<2>(at).map(|value| value * 1000));
            }
            Field::Centicelsius(id) => {
                temperature(now, id, self.number::<2>(at).map(|value| value * 10));
            }
            Field::Watts(id) => power(now, id, self.number::<2>(at).map(|value| value * 1_000_000)),
            Field::Milliwatts(id) => power(now, id, self.number::<2>(at).map(|value| value * 1000)),
            Field::WideMilliwatts(id) => {
                power(now, id, self.number::<4>(at).map(|value| value * 1000));
            }
            Field::Megahertz(id) => clock(now, id, self.number::<2>(at)),
            Field::Millivolts(id) => voltage(now, id, self.number::<2>(at)),
            Field::Milliamperes(id) => current(now, id, self.number::<2>(at)),
            Field::Throttle => now.throttle = self.number::<8>(at).map(reasons),
            Field::Residency(reason) => {
                let count = self.number::<4>(at);
                amd.now
                    .throttle_residencies
                    .extend(count.map(|count| ThrottleResidency {
                        id: reason(),
                        count,
                    }));
            }
            Field::Accumulation => amd.now.accumulation_counter = self.number::<4>(at),
            Field::PcieWidth => now.pcie.width = self.number::<2>(at).filter(|width| *width > 0),
            Field::PcieSpeed => {
                let speed = self.number::<2>(at).filter(|speed| *speed > 0);
                now.pcie.speed_mtps = speed.map(|tenths| tenths * 100);
            }
            Field::PcieCount(count, Width::Four) => set(now, count, self.number::<4>(at)),
            Field::PcieCount(count, Width::Eight) => set(now, count, self.number::<8>(at)),
            Field::XgmiWidth => amd.now.xgmi_width = self.number::<2>(at),
            Field::XgmiSpeed => amd.now.xgmi_speed_gbps = self.number::<2>(at),
            Field::XgmiTraffic => self.xgmi(at, amd),
            Field::XgmiStatus => self.xgmi_status(at, amd),
        }
    }

    /// What each link has read, then what each has written, in kilobytes.
    fn xgmi(&self, at: usize, amd: &mut Amd) {
        for id in 0..XGMI_LINKS {
            let read = self.number::<8>(at + 8 * id);
            let written = self.number::<8>(at + 8 * (XGMI_LINKS + id));
            if read.is_some() || written.is_some() {
                amd.now.xgmi_links.push(XgmiLink {
                    id,
                    up: None,
                    read_bytes: read.map(Bytes::from_kib),
                    written_bytes: written.map(Bytes::from_kib),
                });
            }
        }
    }

    fn xgmi_status(&self, at: usize, amd: &mut Amd) {
        for link in &mut amd.now.xgmi_links {
            link.up = self.number::<2>(at + 2 * link.id).map(|status| status != 0);
        }
    }
}

fn temperature(now: &mut AdapterNow, id: &str, millicelsius: Option<u64>) {
    let known = now.temperatures.iter().any(|sensor| sensor.id == id);
    let value = millicelsius.and_then(|value| i64::try_from(value).ok());
    if let Some(value) = value.filter(|value| *value > 0 && !known) {
        now.temperatures.push(TemperatureSensor {
            id: id.to_owned(),
            value_millicelsius: Some(value),
            ..TemperatureSensor::default()
        });
    }
}

fn power(now: &mut AdapterNow, id: &str, microwatts: Option<u64>) {
    // The socket's is hwmon's first, under a name of its own.
    let known = id == SOCKET && !now.powers.is_empty();
    if let Some(value) = microwatts.filter(|_| !known) {
        now.powers.push(PowerSensor {
            id: id.to_owned(),
            average_microwatts: Some(value),
            ..PowerSensor::default()
        });
    }
}

fn clock(now: &mut AdapterNow, id: &str, megahertz: Option<u64>) {
    let Some(value) = megahertz.map(|value| Hertz(value * 1_000_000)) else {
        return;
    };
    match now.clocks.iter_mut().find(|clock| clock.id == id) {
        Some(clock) => clock.value_hz = clock.value_hz.or(Some(value)),
        None => now.clocks.push(ClockDomain {
            id: id.to_owned(),
            value_hz: Some(value),
            ..ClockDomain::default()
        }),
    }
}

fn voltage(now: &mut AdapterNow, id: &str, millivolts: Option<u64>) {
    let known = now.voltages.iter().any(|sensor| sensor.id == id);
    let value = millivolts.and_then(|value| i64::try_from(value).ok());
    if let Some(value_millivolts) = value.filter(|_| !known) {
        now.voltages.push(VoltageSensor {
            id: id.to_owned(),
            value_millivolts,
        });
    }
}

fn current(now: &mut AdapterNow, id: &str, milliamperes: Option<u64>) {
    if let Some(value) = milliamperes {
        now.currents.push(CurrentSensor {
            id: id.to_owned(),
            value_milliamperes: i64::try_from(value).ok(),
            critical_milliamperes: None,
        });
    }
}

fn set(now: &mut AdapterNow, count: PcieCount, value: Option<u64>) {
    let pcie = &mut now.pcie;
    *match count {
        PcieCount::Recoveries => &mut pcie.recoveries,
        PcieCount::Replays => &mut pcie.replays,
        PcieCount::Rollovers => &mut pcie.replay_rollovers,
        PcieCount::NaksSent => &mut pcie.naks_sent,
        PcieCount::NaksReceived => &mut pcie.naks_received,
    } = value;
}

/// The reasons whose bits are set, as all devices number them (`SMU_THROTTLER_*_BIT` in `amdgpu_smu.h`).
fn reasons(status: u64) -> BTreeSet<ThrottleReason> {
    let set = |bit: &u32| status >> bit & 1 != 0;
    let reason = |bit: u32| {
        let known = REASONS.iter().find(|(known, _)| *known == bit);
        known.map_or_else(
            || ThrottleReason::Other(format!("bit {bit}")),
            |(_, reason)| reason.clone(),
        )
    };
    (0..u64::BITS).filter(set).map(reason).collect()
}

/// What stands in the table.
#[derive(Clone, Copy)]
enum Field {
    Celsius(&'static str),
    Centicelsius(&'static str),
    Watts(&'static str),
    Milliwatts(&'static str),
    WideMilliwatts(&'static str),
    Megahertz(&'static str),
    Millivolts(&'static str),
    Milliamperes(&'static str),
    Throttle,
    Residency(fn() -> ThrottleReason),
    Accumulation,
    PcieWidth,
    PcieSpeed,
    PcieCount(PcieCount, Width),
    XgmiWidth,
    XgmiSpeed,
    XgmiTraffic,
    XgmiStatus,
}

#[derive(Clone, Copy)]
enum PcieCount {
    Recoveries,
    Replays,
    Rollovers,
    NaksSent,
    NaksReceived,
}

#[derive(Clone, Copy)]
enum Width {
    Four,
    Eight,
}

/// `NUM_XGMI_LINKS`.
const XGMI_LINKS: usize = 8;

/// The power of all that is in the socket.
const SOCKET: &str = "socket";

#[cfg(test)]
mod tests;
