//! The kernel: how it was built, how it preempts, and what has gone wrong in it.

use serde::{Deserialize, Serialize};

use super::{BootParameter, config};
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// The kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Kernel {
    /// `/proc/sys/kernel/osrelease`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The number behind `#` in `/proc/sys/kernel/version`, as the builder counts: `1`, `25~22.04.1-Ubuntu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The compiler, from `/proc/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// Whether the kernel can be interrupted in its own work, and how it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemption: Option<Preemption>,
    /// `/sys/kernel/realtime`: built with `PREEMPT_RT`.
    pub realtime: bool,
    /// `/proc/sys/crypto/fips_enabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fips: Option<bool>,
    /// What is the first process, `/proc/1/comm`: `systemd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// The kernel that is started after a crash, where this kernel knows kexec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash_kernel: Option<CrashKernel>,
    /// What it was built with that matters to latency, isolation and devices, with `--deep`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<ConfigOption>,
    /// What changes without an event.
    pub now: KernelNow,
}

/// How a kernel preempts itself (`CONFIG_PREEMPT*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Preemption {
    /// Not at all, or only where it offers to: the version doesn't tell these two apart.
    NoneOrVoluntary,
    /// Not at all.
    None,
    /// Where it offers to.
    Voluntary,
    /// Everywhere, but not at once.
    Lazy,
    /// Everywhere.
    Full,
    /// It was built so that it can be chosen, and nothing tells what was.
    Dynamic,
    /// Everywhere, locks counted in (`PREEMPT_RT`).
    Realtime,
}

/// The kernel that is started after a crash (kdump).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CrashKernel {
    /// `kexec_crash_loaded`: whether there is one.
    pub loaded: bool,
    /// `kexec_crash_size`: the memory that is kept for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_bytes: Option<Bytes>,
}

/// An option that the kernel was built with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigOption {
    /// Its name without `CONFIG_`.
    pub id: String,
    /// `y`, `m`, or its text; `n` where it is not set.
    pub value: String,
}

/// What has gone wrong in the kernel since it was started; `Documentation/ABI/testing/sysfs-kernel-{oops,warn}_count`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KernelNow {
    /// `oops_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oopses: Option<u64>,
    /// `warn_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<u64>,
    /// `softlockup_count`: CPUs that were stuck in the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_lockups: Option<u64>,
    /// `hardlockup_count`: CPUs that were stuck with interrupts off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_lockups: Option<u64>,
    /// `rcu_stall_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rcu_stalls: Option<u64>,
}

pub(super) fn discover(
    survey: &Survey<'_>,
    names: &[String],
    command_line: &[BootParameter],
) -> Kernel {
    let has = |name: &str| names.iter().any(|known| known == name);
    let told = survey.text("proc/version").unwrap_or_default();
    let release = survey.text("proc/sys/kernel/osrelease").or_else(|| {
        let rest = told.strip_prefix("Linux version ")?;
        rest.split_whitespace().next().map(str::to_owned)
    });
    let version = survey.text("proc/sys/kernel/version").or_else(|| {
        let (_, version) = told.split_once(") #")?;
        Some(format!("#{version}"))
    });
    let realtime = has("realtime")
        && survey
            .value("sys/kernel/realtime", parse::switch)
            .unwrap_or_default();
    Kernel {
        build: version.as_deref().and_then(build),
        compiler: compiler(&told),
        preemption: version.as_deref().map(|version| match preemption(version) {
            Preemption::Dynamic => chosen(survey, command_line).unwrap_or(Preemption::Dynamic),
            told => told,
        }),
        realtime: realtime || version.is_some_and(|version| has_word(&version, "PREEMPT_RT")),
        fips: survey.value("proc/sys/crypto/fips_enabled", parse::switch),
        init: survey.text("proc/1/comm"),
        crash_kernel: crash_kernel(survey, names),
        config: release
            .as_deref()
            .map(|release| config::discover(survey, release))
            .unwrap_or_default(),
        now: now(survey, names),
        release,
    }
}

/// Reads again what changes without an event.
pub(super) fn refresh(kernel: &mut Kernel, survey: &Survey<'_>) {
    kernel.now = now(survey, &survey.names("sys/kernel"));
}

fn now(survey: &Survey<'_>, names: &[String]) -> KernelNow {
    let count = |name: &str| {
        let there = names.iter().any(|known| known == name);
        there.then(|| survey.value(&format!("sys/kernel/{name}"), parse::decimal))?
    };
    KernelNow {
        oopses: count("oops_count"),
        warnings: count("warn_count"),
        soft_lockups: count("softlockup_count"),
        hard_lockups: count("hardlockup_count"),
        rcu_stalls: count("rcu_stall_count"),
    }
}

/// Since Linux 6.19 these files stand in a directory of their own.
fn crash_kernel(survey: &Survey<'_>, names: &[String]) -> Option<CrashKernel> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let (loaded, size) = match (has("kexec_crash_loaded"), has("kexec")) {
        (true, _) => ("kexec_crash_loaded", "kexec_crash_size"),
        (false, true) => ("kexec/crash_loaded", "kexec/crash_size"),
        (false, false) => return None,
    };
    Some(CrashKernel {
        loaded: survey.value(&format!("sys/kernel/{loaded}"), parse::switch)?,
        reserved_bytes: survey
            .value(&format!("sys/kernel/{size}"), parse::decimal)
            .map(Bytes),
    })
}

/// What follows `#` up to the words that say how the kernel was built.
///
/// ```text
/// #25~22.04.1-Ubuntu SMP PREEMPT_DYNAMIC Tue Feb 20 16:02:15 UTC 2
/// ```
fn build(version: &str) -> Option<String> {
    parse::nonempty(version.strip_prefix('#')?.split_whitespace().next()?)
}

/// The compiler in /proc/version: the last but one of the parenthesized parts holds it.
///
/// ```text
/// Linux version 6.1.0-18-amd64 (a@b) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld 2.40) #1 SMP ...
/// Linux version 4.4.0 (a@b) (gcc version 5.4.0 20160609 (Ubuntu 5.4.0-6ubuntu1~16.04.4) ) #1 SMP ...
/// ```
fn compiler(text: &str) -> Option<String> {
    let (before, _) = text.split_once(") #")?;
    let (_, compiler) = before.split_once(") (")?;
    parse::nonempty(compiler)
}

fn has_word(version: &str, word: &str) -> bool {
    version.split_whitespace().any(|known| known == word)
}

/// What the version says; `PREEMPT_DYNAMIC` leaves it open.
fn preemption(version: &str) -> Preemption {
    const WORDS: [(&str, Preemption); 6] = [
        ("PREEMPT_RT", Preemption::Realtime),
        // The first name, of the patches before Linux 5.4.
        ("RT", Preemption::Realtime),
        ("PREEMPT_DYNAMIC", Preemption::Dynamic),
        ("PREEMPT_LAZY", Preemption::Lazy),
        ("PREEMPT", Preemption::Full),
        ("PREEMPT(full)", Preemption::Full),
    ];
    let known = WORDS.iter().find(|(word, _)| has_word(version, word));
    known.map_or(Preemption::NoneOrVoluntary, |(_, preemption)| *preemption)
}

/// What a kernel that can choose was told: `preempt=`, and where asked to look closely, what debugfs says holds now.
fn chosen(survey: &Survey<'_>, command_line: &[BootParameter]) -> Option<Preemption> {
    let said = || {
        let text = survey.text("sys/kernel/debug/sched/preempt")?;
        let word = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix('(')?.strip_suffix(')'))?;
        named(word)
    };
    let parameter = || {
        let mut all = command_line.iter().rev();
        named(all.find(|one| one.name == "preempt")?.value.as_deref()?)
    };
    survey.deep().then(said).flatten().or_else(parameter)
}

fn named(word: &str) -> Option<Preemption> {
    match word {
        "none" => Some(Preemption::None),
        "voluntary" => Some(Preemption::Voluntary),
        "lazy" => Some(Preemption::Lazy),
        "full" => Some(Preemption::Full),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_how_the_kernel_preempts() {
        for (version, expected) in [
            (
                "#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1",
                Preemption::Dynamic,
            ),
            (
                "#1 SMP PREEMPT_RT Debian 6.1.0-18 (2024-02-01)",
                Preemption::Realtime,
            ),
            ("#1 SMP PREEMPT RT Fri Jan 1 2021", Preemption::Realtime),
            (
                "#4 SMP Wed Sep 4 19:32:09 CEST 2019",
                Preemption::NoneOrVoluntary,
            ),
            ("#4 SMP PREEMPT Wed Sep 4 2019", Preemption::Full),
        ] {
            assert_eq!(preemption(version), expected, "{version}");
        }
        assert_eq!(
            build("#25~22.04.1-Ubuntu SMP PREEMPT").as_deref(),
            Some("25~22.04.1-Ubuntu")
        );
        assert_eq!((build(""), build("#")), (None, None));
    }

    #[test]
    fn the_compiler_stands_in_the_second_parenthesis() {
        for (text, compiler_) in [
            (
                "Linux version 6.1.0-18-amd64 (a@b.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP Debian",
                Some("gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40"),
            ),
            (
                "Linux version 3.10 (a@b) (gcc version 4.8.2 20140120 (Red Hat 4.8.2-16) (GCC) ) #1 SMP",
                Some("gcc version 4.8.2 20140120 (Red Hat 4.8.2-16) (GCC)"),
            ),
            ("Linux version x", None),
            ("", None),
        ] {
            assert_eq!(compiler(text).as_deref(), compiler_, "{text}");
        }
    }
}
