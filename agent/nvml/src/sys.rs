//! NVIDIA's management library, loaded while we run, and the only unsafe code of this program.
//!
//! Each of its functions has one of a few shapes; each shape is a method here. Structures and shapes are those of
//! NVIDIA's `nvml.h`.
#![expect(
    unsafe_code,
    reason = "functions of a library that is loaded at run time are called by address"
)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem;
use std::ptr::NonNull;

use libhw::device::gpu::nvml::NvmlError;

/// Where the library may stand: where the loader looks, and where NixOS puts it.
const NAMES: [&CStr; 3] = [
    c"libnvidia-ml.so.1",
    c"libnvidia-ml.so",
    c"/run/opengl-driver/lib/libnvidia-ml.so.1",
];

/// The library, until the program ends.
#[derive(Debug)]
pub(crate) struct Library(NonNull<c_void>);

/// Why there is no library.
#[derive(Debug)]
pub(crate) enum Missing {
    /// It is nowhere.
    Absent,
    /// It is there, and cannot be loaded: the loader's words.
    Broken(String),
}

/// `nvmlDevice_t`: a device, or an instance of one, in the library's own terms.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Handle(*mut c_void);

impl Default for Handle {
    fn default() -> Self {
        Self(std::ptr::null_mut())
    }
}

/// `nvmlPciInfo_t`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct PciInfo {
    bus_id_legacy: [u8; 16],
    pub(crate) domain: c_uint,
    pub(crate) bus: c_uint,
    pub(crate) device: c_uint,
    pci_device_id: c_uint,
    pci_subsystem_id: c_uint,
    bus_id: [u8; 32],
}
const _: () = assert!(size_of::<PciInfo>() == 68, "nvmlPciInfo_t of nvml.h");

/// `nvmlMemory_t`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) free: u64,
    pub(crate) used: u64,
}
const _: () = assert!(size_of::<Memory>() == 24, "nvmlMemory_t of nvml.h");

/// `nvmlMemory_v2_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct MemoryV2 {
    version: c_uint,
    pub(crate) total: u64,
    pub(crate) reserved: u64,
    pub(crate) free: u64,
    pub(crate) used: u64,
}
const _: () = assert!(size_of::<MemoryV2>() == 40, "nvmlMemory_v2_t of nvml.h");

impl Default for MemoryV2 {
    fn default() -> Self {
        Self {
            version: version(40, 2),
            total: 0,
            reserved: 0,
            free: 0,
            used: 0,
        }
    }
}

/// `nvmlFanSpeedInfo_v1_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct FanSpeed {
    version: c_uint,
    fan: c_uint,
    pub(crate) speed: c_uint,
}
const _: () = assert!(
    size_of::<FanSpeed>() == 12,
    "nvmlFanSpeedInfo_v1_t of nvml.h"
);

impl FanSpeed {
    pub(crate) const fn of(fan: u32) -> Self {
        Self {
            version: version(12, 1),
            fan,
            speed: 0,
        }
    }
}

/// `nvmlUtilization_t`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Utilization {
    pub(crate) gpu: c_uint,
    pub(crate) memory: c_uint,
}

/// `nvmlRowRemapperHistogramValues_t`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Histogram {
    pub(crate) max: c_uint,
    high: c_uint,
    partial: c_uint,
    low: c_uint,
    pub(crate) none: c_uint,
}
const _: () = assert!(
    size_of::<Histogram>() == 20,
    "nvmlRowRemapperHistogramValues_t of nvml.h"
);

/// `nvmlDeviceAttributes_t`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Attributes {
    pub(crate) multiprocessors: c_uint,
    engines: [c_uint; 5],
    pub(crate) gpu_instance_slices: c_uint,
    compute_instance_slices: c_uint,
    memory_mib: u64,
}
const _: () = assert!(
    size_of::<Attributes>() == 40,
    "nvmlDeviceAttributes_t of nvml.h"
);

/// `nvmlFieldValue_t`; its value is a union of eight bytes.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct FieldValue {
    field: c_uint,
    scope: c_uint,
    timestamp: i64,
    latency_us: i64,
    value_type: c_uint,
    pub(crate) status: c_int,
    value: [u8; 8],
}
const _: () = assert!(size_of::<FieldValue>() == 40, "nvmlFieldValue_t of nvml.h");

impl FieldValue {
    /// The question for the field of this number.
    pub(crate) fn of(field: u32) -> Self {
        Self {
            field,
            ..Self::default()
        }
    }

    /// The value, if it is of type `NVML_VALUE_TYPE_UNSIGNED_INT` (1).
    pub(crate) fn unsigned(&self) -> Option<u32> {
        let [a, b, c, d, ..] = self.value;
        (self.value_type == 1).then(|| u32::from_ne_bytes([a, b, c, d]))
    }
}

/// `NVML_STRUCT_VERSION`: the size of a structure, and above it its version.
const fn version(size: c_uint, version: c_uint) -> c_uint {
    size | version << 24
}

impl Library {
    /// Loads it.
    pub(crate) fn open() -> Result<Self, Missing> {
        let mut why = Missing::Absent;
        for name in NAMES {
            // SAFETY: `name` is a text with a NUL at its end. What the library runs when it is loaded is NVIDIA's;
            // this program is there to be lost with it.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            if let Some(handle) = NonNull::new(handle) {
                return Ok(Self(handle));
            }
            let said = last_error();
            // The loader has no number for it, and says the same for each library that one needs.
            let absent =
                said.contains("No such file") && said.starts_with(&*name.to_string_lossy());
            if !absent {
                why = Missing::Broken(said);
            }
        }
        Err(why)
    }

    fn address(&self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: the handle is that of a library which stays loaded, and `name` has a NUL at its end.
        let address = unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) };
        NonNull::new(address)
    }
}

fn last_error() -> String {
    // SAFETY: takes nothing; no other thread of this program uses the loader.
    let said = unsafe { libc::dlerror() };
    let Some(said) = NonNull::new(said) else {
        return "the loader does not say why".to_owned();
    };
    // SAFETY: a text with a NUL at its end, which the loader keeps until it is called again.
    let said = unsafe { CStr::from_ptr(said.as_ptr()) };
    said.to_string_lossy().into_owned()
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Library {
            $($(#[$doc])*
            pub(crate) fn $name(&self, function: &CStr $(, $argument: $type)*) -> Result<(), NvmlError> {
                type Function = extern "C" fn($($type),*) -> c_int;
                let address = self.address(function).ok_or(NvmlError::NoFunction)?;
                // SAFETY: `function` is one that nvml.h declares with these arguments, and a pointer to a function is
                // as large as any other.
                let function = unsafe { mem::transmute::<*mut c_void, Function>(address.as_ptr()) };
                NvmlError::of(function($($argument),*)).map_or(Ok(()), Err)
            })*
        }
    };
}

shapes! {
    /// `nvmlInit_v2`.
    plain();
    /// `(unsigned int *)`; of the CUDA version an `int *`.
    count(count: &mut c_uint);
    /// `(unsigned int index, nvmlDevice_t *)`.
    by_index(index: c_uint, handle: &mut Handle);
    /// `(nvmlDevice_t, nvmlPciInfo_t *)`.
    pci(device: Handle, pci: &mut PciInfo);
    /// `(nvmlDevice_t, unsigned int *)`, and for the pointer also an enumeration.
    number(device: Handle, number: &mut c_uint);
    /// `(nvmlDevice_t, unsigned int or enumeration, unsigned int *)`.
    number_of(device: Handle, of: c_uint, number: &mut c_uint);
    /// `(nvmlDevice_t, unsigned int *, unsigned int *)`, and for each pointer also an enumeration or an `int`.
    two(device: Handle, first: &mut c_uint, second: &mut c_uint);
    /// `(nvmlDevice_t, unsigned int *, unsigned int *, unsigned int *, unsigned int *)`.
    four(device: Handle, first: &mut c_uint, second: &mut c_uint, third: &mut c_uint, fourth: &mut c_uint);
    /// `(nvmlDevice_t, unsigned long long *)`.
    long(device: Handle, number: &mut u64);
    /// `(nvmlDevice_t, enumeration, enumeration, unsigned long long *)`.
    long_of(device: Handle, first: c_uint, second: c_uint, number: &mut u64);
    /// `(nvmlDevice_t, enumeration, enumeration, enumeration, unsigned long long *)`.
    long_of_three(device: Handle, first: c_uint, second: c_uint, third: c_uint, number: &mut u64);
    /// `(nvmlDevice_t, nvmlMemory_t *)`; `nvmlBAR1Memory_t` has the same three numbers in the same order.
    memory(device: Handle, memory: &mut Memory);
    /// `(nvmlDevice_t, nvmlMemory_v2_t *)`.
    memory_v2(device: Handle, memory: &mut MemoryV2);
    /// `(nvmlDevice_t, nvmlUtilization_t *)`.
    utilization(device: Handle, utilization: &mut Utilization);
    /// `(nvmlDevice_t, nvmlFanSpeedInfo_t *)`.
    fan(device: Handle, fan: &mut FanSpeed);
    /// `(nvmlDevice_t, nvmlRowRemapperHistogramValues_t *)`.
    histogram(device: Handle, histogram: &mut Histogram);
    /// `(nvmlDevice_t, nvmlDeviceAttributes_t *)`.
    attributes(device: Handle, attributes: &mut Attributes);
    /// `(nvmlDevice_t, unsigned int link, nvmlPciInfo_t *)`.
    pci_of(device: Handle, link: c_uint, pci: &mut PciInfo);
    /// `(nvmlDevice_t, unsigned int index, nvmlDevice_t *)`.
    instance(device: Handle, index: c_uint, instance: &mut Handle);
    /// `(nvmlDevice_t, nvmlDevice_t, enumeration *)`.
    between(first: Handle, second: Handle, level: &mut c_uint);
    /// `(nvmlDevice_t, int count, nvmlFieldValue_t *)`, of one value.
    fields(device: Handle, count: c_int, values: &mut [FieldValue; 1]);
    /// `(nvmlDevice_t, enumeration, unsigned int *count, unsigned long long *addresses)`.
    pages(device: Handle, cause: c_uint, count: &mut c_uint, addresses: Option<&mut u64>);
    /// `(char *, unsigned int length)`.
    raw_system_text(text: *mut c_char, length: c_uint);
    /// `(nvmlDevice_t, char *, unsigned int length)`.
    raw_text(device: Handle, text: *mut c_char, length: c_uint);
    /// `(nvmlDevice_t, enumeration, char *, unsigned int length)`.
    raw_text_of(device: Handle, of: c_uint, text: *mut c_char, length: c_uint);
}

/// Room for every text of the library, whose own limit is 96 bytes.
pub(crate) type Buffer = [u8; 256];

impl Library {
    /// A text of the library itself.
    pub(crate) fn system_text(
        &self,
        function: &CStr,
        buffer: &mut Buffer,
    ) -> Result<(), NvmlError> {
        self.raw_system_text(function, buffer.as_mut_ptr().cast(), LENGTH)
    }

    /// A text of a device.
    pub(crate) fn text(
        &self,
        function: &CStr,
        device: Handle,
        buffer: &mut Buffer,
    ) -> Result<(), NvmlError> {
        self.raw_text(function, device, buffer.as_mut_ptr().cast(), LENGTH)
    }

    /// A text of one of a device's parts.
    pub(crate) fn text_of(
        &self,
        function: &CStr,
        device: Handle,
        of: c_uint,
        buffer: &mut Buffer,
    ) -> Result<(), NvmlError> {
        self.raw_text_of(function, device, of, buffer.as_mut_ptr().cast(), LENGTH)
    }
}

/// What the library is told of a [`Buffer`]: some drivers write one byte more than they should.
const LENGTH: c_uint = 128;
