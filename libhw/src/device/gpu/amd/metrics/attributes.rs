//! The table from 1.9 on (Linux 6.18): each value says itself what it is (`enum amdgpu_metrics_attr_id` and its
//! neighbours in `kgd_pp_interface.h`).
//!
//! ```text
//! 0c00 0109   0200 0000   00 04 20 01 00 00 00 00   41 00   ...
//! header      2 values    unit, type, id, count     value
//! ```

use super::{PcieCount, SOCKET, Table, clock, power, set, temperature};
use crate::device::gpu::AdapterNow;
use crate::device::gpu::ThrottleReason;
use crate::device::gpu::amd::{Amd, XgmiLink};
use crate::device::gpu::reading::ThrottleResidency;
use crate::units::Bytes;

/// Behind the header and the number of values.
const FIRST: usize = 8;

/// No device has more links.
const LINKS_MAX: usize = 64;

/// `AMDGPU_METRICS_UNIT_SPEED_1`: gigatransfers a second, and not tenths of one.
const WHOLE_GTPS: u64 = 6;

/// One value, or several of the same.
#[derive(Clone, Copy)]
struct Attribute<'a> {
    table: &'a Table<'a>,
    id: u64,
    unit: u64,
    /// Bytes of one.
    width: usize,
    count: usize,
    at: usize,
}

/// Reads what the table has.
pub(super) fn decode(table: &Table<'_>, amd: &mut Amd, now: &mut AdapterNow) {
    let mut at = FIRST;
    for _ in 0..table.number::<4>(4).unwrap_or_default() {
        let Some(attribute) = attribute(table, at) else {
            return;
        };
        add(attribute, amd, now);
        at = attribute.at + attribute.width * attribute.count;
    }
}

/// The value that begins at `at`; `None` at the end, and where its type is not known, since then so is its length.
fn attribute<'a>(table: &'a Table<'a>, at: usize) -> Option<Attribute<'a>> {
    let code = table.number::<8>(at)?;
    let part = |shift: u32, bits: u32| code >> shift & ((1 << bits) - 1);
    let width = match part(20, 4) {
        0 | 1 => 1,
        2 | 3 => 2,
        4 | 5 => 4,
        6 | 7 => 8,
        _ => return None,
    };
    Some(Attribute {
        table,
        id: part(10, 10),
        unit: part(24, 8),
        width,
        count: usize::try_from(part(0, 10)).ok()?,
        at: at + 8,
    })
}

impl Attribute<'_> {
    /// One of the values, unless all its bits are set.
    fn value(self, number: usize) -> Option<u64> {
        let value = self.table.wide(self.at + number * self.width, self.width);
        value.filter(|_| number < self.count)
    }

    fn first(self) -> Option<u64> {
        self.value(0)
    }

    fn celsius(self, id: &str, now: &mut AdapterNow) {
        let value = self.first().and_then(|value| value.checked_mul(1000));
        temperature(now, id, value);
    }

    fn megahertz(self, id: &str, now: &mut AdapterNow) {
        let value = self.first();
        clock(now, id, value.filter(|value| *value < 1 << 32));
    }
}

fn add(value: Attribute<'_>, amd: &mut Amd, now: &mut AdapterNow) {
    let pcie = |count, now: &mut AdapterNow| set(now, count, value.first());
    match value.id {
        0 => value.celsius("junction", now),
        1 => value.celsius("mem", now),
        2 => value.celsius("vrsoc", now),
        3 => {
            let watts = value.first();
            power(
                now,
                SOCKET,
                watts.and_then(|watts| watts.checked_mul(1_000_000)),
            );
        }
        9 => amd.now.accumulation_counter = value.first(),
        10 => residency(value, ThrottleReason::ProchotGfx, amd),
        11 => residency(value, ThrottleReason::Ppt0, amd),
        12 => residency(value, ThrottleReason::TempGpu, amd),
        13 => residency(value, ThrottleReason::TempVrGfx, amd),
        14 => residency(value, ThrottleReason::TempMem, amd),
        16 => now.pcie.width = value.first().filter(|width| *width > 0),
        17 => {
            let scale = if value.unit == WHOLE_GTPS { 1000 } else { 100 };
            let speed = value.first().filter(|speed| *speed > 0);
            now.pcie.speed_mtps = speed.and_then(|speed| speed.checked_mul(scale));
        }
        18 => amd.now.xgmi_width = value.first(),
        19 => amd.now.xgmi_speed_gbps = value.first(),
        24 => pcie(PcieCount::Recoveries, now),
        25 => pcie(PcieCount::Replays, now),
        26 => pcie(PcieCount::Rollovers, now),
        27 => pcie(PcieCount::NaksSent, now),
        28 => pcie(PcieCount::NaksReceived, now),
        29 => links(value, amd, |link, kib| {
            link.read_bytes = Some(Bytes::from_kib(kib));
        }),
        30 => links(value, amd, |link, kib| {
            link.written_bytes = Some(Bytes::from_kib(kib));
        }),
        31 => links(value, amd, |link, status| link.up = Some(status != 0)),
        33 => value.megahertz("sclk", now),
        34 => value.megahertz("socclk", now),
        35 => value.megahertz("vclk", now),
        36 => value.megahertz("dclk", now),
        37 => value.megahertz("mclk", now),
        _ => {}
    }
}

fn residency(value: Attribute<'_>, id: ThrottleReason, amd: &mut Amd) {
    let residencies = &mut amd.now.throttle_residencies;
    residencies.extend(value.first().map(|count| ThrottleResidency { id, count }));
}

/// What stands of each link, by its number.
fn links(value: Attribute<'_>, amd: &mut Amd, put: impl Fn(&mut XgmiLink, u64)) {
    for id in 0..value.count.min(LINKS_MAX) {
        let Some(told) = value.value(id) else {
            continue;
        };
        let all = &mut amd.now.xgmi_links;
        let at = all.iter().position(|link| link.id >= id);
        let at = at.unwrap_or(all.len());
        if all.get(at).is_none_or(|link| link.id != id) {
            let link = XgmiLink {
                id,
                up: None,
                read_bytes: None,
                written_bytes: None,
            };
            all.insert(at, link);
        }
        if let Some(link) = all.get_mut(at) {
            put(link, told);
        }
    }
}
