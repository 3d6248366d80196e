//! A device's memory: its size, its errors, and what it is cut into.

use libhw::device::gpu::nvml::{
    MigInstance, Nvml, NvmlEccCount, NvmlError, NvmlMemoryNow, NvmlRemappedRows, NvmlRetiredPages,
};
use libhw::units::Bytes;

use super::Gpu;
use crate::sys::{Attributes, Handle, Histogram, Memory, MemoryV2};

/// The places of `nvmlMemoryLocation_t`, by number.
const PLACES: [&str; 8] = [
    "l1_cache",
    "l2_cache",
    "dram",
    "register_file",
    "texture_memory",
    "texture_shm",
    "cbu",
    "sram",
];

/// More instances than any device can be cut into.
const INSTANCES_MAX: u32 = 64;

/// Fills in how large the memory is, and how much of it is used.
pub(super) fn sizes(gpu: &mut Gpu<'_, '_>, nvml: &mut Nvml) {
    let now = &mut nvml.now.memory;
    if let Some(memory) = v2(gpu) {
        nvml.memory_bytes = Some(Bytes(memory.total));
        nvml.memory_reserved_bytes = Some(Bytes(memory.reserved));
        now.used_bytes = Some(Bytes(memory.used));
        now.free_bytes = Some(Bytes(memory.free));
    } else if let Some(memory) = v1(gpu, c"nvmlDeviceGetMemoryInfo", gpu.handle) {
        // This one counts what is reserved as used.
        nvml.memory_bytes = Some(Bytes(memory.total));
        now.used_bytes = Some(Bytes(memory.used));
        now.free_bytes = Some(Bytes(memory.free));
    }
    if let Some(bar1) = v1(gpu, c"nvmlDeviceGetBAR1MemoryInfo", gpu.handle) {
        nvml.bar1_bytes = Some(Bytes(bar1.total));
        now.bar1_used_bytes = Some(Bytes(bar1.used));
        now.bar1_free_bytes = Some(Bytes(bar1.free));
    }
}

fn v2(gpu: &mut Gpu<'_, '_>) -> Option<MemoryV2> {
    let handle = gpu.handle;
    gpu.asked.part("nvmlDeviceGetMemoryInfo_v2", |library| {
        let mut memory = MemoryV2::default();
        library.memory_v2(c"nvmlDeviceGetMemoryInfo_v2", handle, &mut memory)?;
        is_whole(memory.total, [memory.used, memory.free]).map(|()| memory)
    })
}

fn v1(gpu: &mut Gpu<'_, '_>, name: &'static std::ffi::CStr, handle: Handle) -> Option<Memory> {
    gpu.asked.may(&name.to_string_lossy(), |library| {
        let mut memory = Memory::default();
        library.memory(name, handle, &mut memory)?;
        is_whole(memory.total, [memory.used, memory.free]).map(|()| memory)
    })
}

/// A part larger than the whole is no answer.
fn is_whole(total: u64, parts: [u64; 2]) -> Result<(), NvmlError> {
    let fits = parts.iter().all(|part| *part <= total);
    fits.then_some(()).ok_or(NvmlError::Malformed)
}

/// The errors of the memory.
pub(super) fn errors(gpu: &mut Gpu<'_, '_>) -> NvmlMemoryNow {
    NvmlMemoryNow {
        ecc: ecc(gpu),
        retired_pages: retired(gpu),
        remapped_rows: remapped(gpu),
        ..NvmlMemoryNow::default()
    }
}

fn ecc(gpu: &mut Gpu<'_, '_>) -> Vec<NvmlEccCount> {
    let mut counts = Vec::new();
    let handle = gpu.handle;
    for (place, id) in (0..).zip(PLACES) {
        let mut of = |error, counter| {
            let name = c"nvmlDeviceGetMemoryErrorCounter";
            gpu.asked
                .part("nvmlDeviceGetMemoryErrorCounter", |library| {
                    let mut count = 0;
                    let asked =
                        library.long_of_three(name, handle, error, counter, place, &mut count);
                    asked.map(|()| count)
                })
        };
        counts.extend(counted(id, &mut of));
    }
    let mut total = |error, counter| {
        let name = c"nvmlDeviceGetTotalEccErrors";
        gpu.asked.may("nvmlDeviceGetTotalEccErrors", |library| {
            let mut count = 0;
            let asked = library.long_of(name, handle, error, counter, &mut count);
            asked.map(|()| count)
        })
    };
    counts.extend(counted("total", &mut total));
    counts
}

/// The counts of one place, if it has any.
fn counted(id: &str, of: &mut dyn FnMut(u32, u32) -> Option<u64>) -> Option<NvmlEccCount> {
    let count = NvmlEccCount {
        id: id.to_owned(),
        corrected_volatile: of(0, 0),
        uncorrected_volatile: of(1, 0),
        corrected_aggregate: of(0, 1),
        uncorrected_aggregate: of(1, 1),
    };
    let any = count.corrected_volatile.is_some()
        || count.uncorrected_volatile.is_some()
        || count.corrected_aggregate.is_some()
        || count.uncorrected_aggregate.is_some();
    any.then_some(count)
}

fn retired(gpu: &mut Gpu<'_, '_>) -> Option<NvmlRetiredPages> {
    let handle = gpu.handle;
    let mut of = |cause| {
        gpu.asked.may("nvmlDeviceGetRetiredPages", |library| {
            let mut count = 0;
            // Without room for their addresses it says how many there are, as if that had failed.
            match library.pages(
                c"nvmlDeviceGetRetiredPages",
                handle,
                cause,
                &mut count,
                None,
            ) {
                Ok(()) | Err(NvmlError::InsufficientSize) => Ok(count),
                Err(error) => Err(error),
            }
        })
    };
    let (corrected, uncorrected) = (of(0), of(1));
    let pending = gpu.number(c"nvmlDeviceGetRetiredPagesPendingStatus");
    let pages = NvmlRetiredPages {
        corrected,
        uncorrected,
        pending: pending.map(|pending| pending == 1),
    };
    (pages != NvmlRetiredPages::default()).then_some(pages)
}

fn remapped(gpu: &mut Gpu<'_, '_>) -> Option<NvmlRemappedRows> {
    let handle = gpu.handle;
    let mut rows = [0_u32; 4];
    gpu.asked.may("nvmlDeviceGetRemappedRows", |library| {
        let [corrected, uncorrected, pending, failed] = &mut rows;
        let name = c"nvmlDeviceGetRemappedRows";
        library.four(name, handle, corrected, uncorrected, pending, failed)
    })?;
    let histogram = gpu
        .asked
        .may("nvmlDeviceGetRowRemapperHistogram", |library| {
            let mut histogram = Histogram::default();
            let name = c"nvmlDeviceGetRowRemapperHistogram";
            library
                .histogram(name, handle, &mut histogram)
                .map(|()| histogram)
        });
    let [corrected, uncorrected, pending, failed] = rows;
    Some(NvmlRemappedRows {
        corrected,
        uncorrected,
        pending: pending != 0,
        failed: failed != 0,
        banks_exhausted: histogram.map(|banks| banks.none),
        banks_untouched: histogram.map(|banks| banks.max),
    })
}

/// What a device is cut into.
pub(super) fn instances(gpu: &mut Gpu<'_, '_>) -> Vec<MigInstance> {
    let count = gpu
        .number(c"nvmlDeviceGetMaxMigDeviceCount")
        .unwrap_or_default();
    let mut instances = Vec::new();
    for index in 0..count.min(INSTANCES_MAX) {
        let handle = gpu.handle;
        // An index that nothing stands at is "not found".
        let found = gpu
            .asked
            .part("nvmlDeviceGetMigDeviceHandleByIndex", |library| {
                let mut instance = Handle::default();
                let name = c"nvmlDeviceGetMigDeviceHandleByIndex";
                library
                    .instance(name, handle, index, &mut instance)
                    .map(|()| instance)
            });
        if let Some(found) = found {
            instances.extend(instance(&mut Gpu {
                asked: gpu.asked,
                handle: found,
            }));
        }
    }
    instances
}

fn instance(gpu: &mut Gpu<'_, '_>) -> Option<MigInstance> {
    let handle = gpu.handle;
    let attributes = gpu.asked.may("nvmlDeviceGetAttributes_v2", |library| {
        let mut attributes = Attributes::default();
        let name = c"nvmlDeviceGetAttributes_v2";
        library
            .attributes(name, handle, &mut attributes)
            .map(|()| attributes)
    });
    let name = gpu.text(c"nvmlDeviceGetName");
    Some(MigInstance {
        id: gpu.text(c"nvmlDeviceGetUUID")?,
        // NVIDIA H100 80GB HBM3 MIG 1g.10gb
        profile: name.and_then(|name| Some(name.rsplit_once("MIG ")?.1.to_owned())),
        gpu_instance: gpu.number(c"nvmlDeviceGetGpuInstanceId"),
        compute_instance: gpu.number(c"nvmlDeviceGetComputeInstanceId"),
        memory_bytes: v1(gpu, c"nvmlDeviceGetMemoryInfo", handle).map(|memory| Bytes(memory.total)),
        slices: attributes.map(|attributes| attributes.gpu_instance_slices),
        multiprocessors: attributes.map(|attributes| attributes.multiprocessors),
    })
}
