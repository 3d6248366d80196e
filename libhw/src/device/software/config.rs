//! What the kernel was built with, from the text that a distribution puts beside it, or the one inside it
//! (`CONFIG_IKCONFIG_PROC`). It has some ten thousand lines, so it is read where asked to look closely.

use std::io::Read;

use super::kernel::ConfigOption;
use crate::survey::Survey;

/// The options that matter to latency, isolation, memory and devices, by name.
const OPTIONS: [&str; 30] = [
    "CPU_ISOLATION",
    "CXL_BUS",
    "DAMON",
    "DPLL",
    "HIGH_RES_TIMERS",
    "HUGETLBFS",
    "HZ",
    "HZ_PERIODIC",
    "IOMMU_DEFAULT_PASSTHROUGH",
    "IRQ_FORCED_THREADING",
    "KEXEC_FILE",
    "LIVEPATCH",
    "MODULE_SIG_FORCE",
    "NO_HZ_FULL",
    "NO_HZ_IDLE",
    "NUMA_BALANCING",
    "PCI_IOV",
    "PREEMPT",
    "PREEMPT_DYNAMIC",
    "PREEMPT_LAZY",
    "PREEMPT_NONE",
    "PREEMPT_RT",
    "PREEMPT_VOLUNTARY",
    "PTP_1588_CLOCK",
    "RCU_NOCB_CPU",
    "RT_GROUP_SCHED",
    "TRANSPARENT_HUGEPAGE",
    "VFIO_PCI",
    "X86_CPU_RESCTRL",
    "XDP_SOCKETS",
];

/// No kernel's is larger.
const TEXT_MAX: u64 = 4 << 20;

pub(super) fn discover(survey: &Survey<'_>, release: &str) -> Vec<ConfigOption> {
    if !survey.deep() || release.contains('/') {
        return Vec::new();
    }
    let beside = || survey.raw(&format!("boot/config-{release}"));
    let with_modules = || survey.raw(&format!("lib/modules/{release}/config"));
    let inside = || {
        let packed = survey.keep(survey.root().bytes("proc/config.gz"))?;
        unpacked(&packed)
    };
    let text = beside().or_else(with_modules).or_else(inside);
    text.map(|text| options(&text)).unwrap_or_default()
}

fn unpacked(packed: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed).take(TEXT_MAX);
    unpacked.read_to_string(&mut text).ok()?;
    Some(text)
}

/// ```text
/// CONFIG_HZ=250
/// # CONFIG_PREEMPT_RT is not set
/// ```
fn options(text: &str) -> Vec<ConfigOption> {
    let mut options: Vec<ConfigOption> = text.lines().filter_map(option).collect();
    options.sort_by(|a, b| a.id.cmp(&b.id));
    options.dedup_by(|a, b| a.id == b.id);
    options
}

fn option(line: &str) -> Option<ConfigOption> {
    let (name, value) = match line.strip_prefix("# ") {
        Some(rest) => (rest.strip_suffix(" is not set")?, "n"),
        None => line.split_once('=')?,
    };
    let id = name.strip_prefix("CONFIG_")?;
    OPTIONS.binary_search(&id).ok()?;
    Some(ConfigOption {
        id: id.to_owned(),
        value: value.trim_matches('"').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_options_that_matter_are_told() {
        assert!(OPTIONS.is_sorted());
        let told = options(
            "CONFIG_HZ=250\n# CONFIG_PREEMPT_RT is not set\nCONFIG_EXT4_FS=y\nCONFIG_VFIO_PCI=m\nnoise\n",
        );
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.id.as_str(), one.value.as_str()))
            .collect();
        assert_eq!(
            told,
            [("HZ", "250"), ("PREEMPT_RT", "n"), ("VFIO_PCI", "m")]
        );
    }

    #[test]
    fn a_packed_text_that_is_none_is_no_text() {
        assert_eq!(unpacked(b"\x1f\x8b\x08 no"), None);
        assert_eq!(unpacked(b""), None);
    }
}
