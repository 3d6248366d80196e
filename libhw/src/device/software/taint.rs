//! /proc/sys/kernel/tainted, `Documentation/admin-guide/tainted-kernels.rst`.

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;

/// A reason why the kernel is tainted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Taint {
    /// The kernel's letter; of a bit that is newer than this program `bit 20`.
    pub id: String,
    /// The bit.
    pub bit: u32,
    /// What it means.
    pub kind: TaintKind,
}

macro_rules! taints {
    ($($letter:literal $variant:ident $doc:literal;)*) => {
        /// Why the kernel is tainted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum TaintKind {
            $(#[doc = $doc] $variant,)*
            /// What this version does not know.
            Unknown,
        }

        /// By bit.
        const TAINTS: &[(&str, TaintKind)] = &[$(($letter, TaintKind::$variant)),*];
    };
}

taints! {
    "P" ProprietaryModule "A module without a free licence was loaded.";
    "F" ForcedLoad "A module was loaded by force.";
    "S" OutOfSpecification "The kernel runs on a processor or in a setting that it was not made for.";
    "R" ForcedUnload "A module was unloaded by force.";
    "M" MachineCheck "The processor reported a machine check.";
    "B" BadPage "A page was found in a state that it can't be in.";
    "U" UserRequest "A program asked for it.";
    "D" Died "The kernel had an oops or a bug.";
    "A" AcpiOverridden "An ACPI table was replaced.";
    "W" Warned "The kernel gave a warning.";
    "C" Staging "A driver that is not finished was loaded.";
    "I" FirmwareWorkaround "The kernel works around a severe fault of the firmware.";
    "O" OutOfTree "A module from elsewhere was loaded.";
    "E" Unsigned "A module without a valid signature was loaded.";
    "L" SoftLockup "A CPU was stuck in the kernel.";
    "K" LivePatched "The kernel was patched while it ran.";
    "X" Auxiliary "The distribution's own mark.";
    "T" RandomizedLayout "Built with randomized structures.";
    "N" InKernelTest "A test inside the kernel was run.";
    "J" FirmwareControl "A program gave a device's firmware commands that its driver knows nothing of.";
}

pub(super) fn discover(survey: &Survey<'_>) -> Vec<Taint> {
    let mask: u64 = survey
        .value("proc/sys/kernel/tainted", parse::decimal)
        .unwrap_or_default();
    of(mask)
}

fn of(mask: u64) -> Vec<Taint> {
    let taint = |bit: u32| {
        let known = usize::try_from(bit).ok().and_then(|bit| TAINTS.get(bit));
        let (id, kind) = known.map_or_else(
            || (format!("bit {bit}"), TaintKind::Unknown),
            |(letter, kind)| ((*letter).to_owned(), *kind),
        );
        Taint { id, bit, kind }
    };
    (0..64)
        .filter(|bit| mask & (1 << bit) != 0)
        .map(taint)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_told_with_the_letter_of_the_kernel() {
        let told = |mask| {
            of(mask)
                .into_iter()
                .map(|taint| (taint.id, taint.kind))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(0), []);
        assert_eq!(
            told(1 << 4 | 1 << 12 | 1 << 13 | 1 << 25),
            [
                ("M".to_owned(), TaintKind::MachineCheck),
                ("O".to_owned(), TaintKind::OutOfTree),
                ("E".to_owned(), TaintKind::Unsigned),
                ("bit 25".to_owned(), TaintKind::Unknown),
            ]
        );
        let letters: String = TAINTS.iter().map(|(letter, _)| *letter).collect();
        assert_eq!(letters, "PFSRMBUDAWCIOELKXTNJ");
        assert_eq!(of(u64::MAX).len(), 64);
    }
}
