//! What NVIDIA's library says instead of an answer (`nvmlReturn_t`).

use serde::{Deserialize, Serialize};

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NvmlRefusal {
    /// The function that was called.
    pub id: String,
    /// What it said.
    pub error: NvmlError,
}

macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $words:literal;)*) => {
        /// Why a function did not answer (`NVML_ERROR_*`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum NvmlError {
            /// The library is older than the function.
            NoFunction,
            /// It answered with what cannot be: a text that is none, a size beyond all bounds.
            Malformed,
            $($(#[$doc])* $variant,)*
            /// The library's number for an error that this version does not know.
            #[serde(untagged)]
            Other(i32),
        }

        impl NvmlError {
            /// The error of a return value; `None` is success.
            #[must_use]
            pub const fn of(status: i32) -> Option<Self> {
                match status {
                    0 => None,
                    $($number => Some(Self::$variant),)*
                    other => Some(Self::Other(other)),
                }
            }

            /// What it means, in words.
            #[must_use]
            pub fn words(self) -> String {
                let words = match self {
                    Self::NoFunction => "the library is older than this function",
                    Self::Malformed => "the library's answer makes no sense",
                    $(Self::$variant => $words,)*
                    Self::Other(number) => return format!("NVML error {number}"),
                };
                words.to_owned()
            }
        }
    };
}

errors! {
    /// The library was not initialised.
    Uninitialized = 1, "the library is not initialised";
    /// It takes no such argument: a link, a fan or a place that this device does not have.
    InvalidArgument = 2, "no such part";
    /// This device, or this driver, does not offer it.
    NotSupported = 3, "not supported by this device";
    /// It takes a right that we do not have.
    NoPermission = 4, "permission denied";
    /// The library was initialised already.
    AlreadyInitialized = 5, "the library is initialised already";
    /// There is no such thing.
    NotFound = 6, "not found";
    /// The answer is longer than the library promised.
    InsufficientSize = 7, "the answer is too long";
    /// A power cable is not plugged in.
    InsufficientPower = 8, "the device's power cables are not attached as they should be";
    /// The kernel's driver is not loaded.
    DriverNotLoaded = 9, "the kernel's driver is not loaded";
    /// The driver did not answer in its own time.
    Timeout = 10, "the driver did not answer in time";
    /// The device's interrupts do not arrive.
    IrqIssue = 11, "the device's interrupts do not arrive";
    /// A part of the library is missing.
    LibraryNotFound = 12, "a part of the library is missing";
    /// The part of the library that is there lacks the function.
    FunctionNotFound = 13, "a part of the library lacks the function";
    /// The board's configuration memory is damaged.
    CorruptedInforom = 14, "the board's configuration memory is damaged";
    /// The device fell off the bus.
    GpuIsLost = 15, "the device is lost";
    /// The device must be reset.
    ResetRequired = 16, "the device must be reset";
    /// The kernel, or a sandbox, forbids what the library needs.
    OperatingSystem = 17, "the kernel or a sandbox forbids it";
    /// The library and the kernel's driver are of different versions: one was updated without the other.
    LibRmVersionMismatch = 18, "the library and the kernel's driver are of different versions; reboot or reload the driver";
    /// Somebody is using the device.
    InUse = 19, "the device is in use";
    /// There is not enough memory.
    Memory = 20, "not enough memory";
    /// There is nothing to tell yet.
    NoData = 21, "no data";
    /// A virtual GPU has no ECC then.
    VgpuEccNotSupported = 22, "not with ECC on a virtual GPU";
    /// The device has no room for it.
    InsufficientResources = 23, "the device has no room for it";
    /// There is no such frequency.
    FreqNotSupported = 24, "no such frequency";
    /// The library does not know this version of a structure.
    ArgumentVersionMismatch = 25, "the library knows another version of this question";
    /// The function is there, and does nothing any more.
    Deprecated = 26, "this question has had its day";
    /// The system is not ready yet.
    NotReady = 27, "not ready yet";
    /// There is no such device.
    GpuNotFound = 28, "no such device";
    /// The device is in a state in which it cannot be.
    InvalidState = 29, "not in the state that the device is in";
    /// This reset is not offered.
    ResetTypeNotSupported = 30, "no such reset";
    /// The library does not know itself.
    Unknown = 999, "the driver met an error that it has no name for";
}

impl NvmlError {
    /// Whether the device or the library simply does not have it, which is no problem.
    #[must_use]
    pub const fn is_absence(self) -> bool {
        matches!(
            self,
            Self::NoFunction
                | Self::InvalidArgument
                | Self::NotSupported
                | Self::NotFound
                | Self::FunctionNotFound
                | Self::NoData
                | Self::VgpuEccNotSupported
                | Self::ArgumentVersionMismatch
                | Self::Deprecated
        )
    }
}
