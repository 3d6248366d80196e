//! The architecture that the kernel was built for, in uname's words.
//!
//! A running kernel says it in /proc/sys/kernel/arch (Linux 6.1) or through uname(2). For a tree of another
//! machine that has neither, it is drawn from what there is: /proc/version names it in most distributions'
//! builds, and each architecture has a /proc/cpuinfo of its own. Where these leave two answers (the byte order
//! of POWER8 and later), the answer is absent rather than a guess.

use super::evidence::Evidence;
use crate::io::probe;

/// How a build's name or its compiler's name tells the architecture: `6.12.9-amd64`, `3.10.0.el7.x86_64`,
/// `(aarch64-linux-gnu-gcc-13 ...`.
const BUILD_WORDS: &[(&str, &str)] = &[
    ("aarch64", "aarch64"),
    ("aarch64_be", "aarch64_be"),
    ("amd64", "x86_64"),
    ("arm64", "aarch64"),
    ("armv7hl", "armv7l"),
    ("i386", "i686"),
    ("i586", "i686"),
    ("i686", "i686"),
    ("ia64", "ia64"),
    ("loongarch64", "loongarch64"),
    ("powerpc64", "ppc64"),
    ("powerpc64le", "ppc64le"),
    ("ppc64", "ppc64"),
    ("ppc64el", "ppc64le"),
    ("ppc64le", "ppc64le"),
    ("riscv64", "riscv64"),
    ("s390x", "s390x"),
    ("sparc64", "sparc64"),
    ("x86_64", "x86_64"),
];

/// A key of /proc/cpuinfo that only one family of architectures has, how its value begins, and the answer.
const DIALECTS: &[(&str, &str, &str)] = &[
    ("vendor_id", "IBM/S390", "s390x"),
    ("Processor", "AArch64", "aarch64"),
    ("CPU architecture", "AArch64", "aarch64"),
    ("arch", "IA-64", "ia64"),
    ("isa", "rv64", "riscv64"),
    ("isa", "rv32", "riscv32"),
    ("ISA", "loongarch32 loongarch64", "loongarch64"),
    ("type", "sun4u", "sparc64"),
    ("type", "sun4v", "sparc64"),
    ("type", "sun4m", "sparc"),
    ("cpu", "Alpha", "alpha"),
    // Little-endian Linux needs POWER8.
    ("cpu", "POWER4", "ppc64"),
    ("cpu", "POWER5", "ppc64"),
    ("cpu", "POWER6", "ppc64"),
    ("cpu", "POWER7", "ppc64"),
    ("cpu", "PPC970", "ppc64"),
    ("cpu", "Cell", "ppc64"),
];

/// The architecture.
pub(super) fn discover(evidence: &Evidence<'_>) -> Option<String> {
    let survey = evidence.survey;
    survey
        .text("proc/sys/kernel/arch")
        .or_else(|| survey.keep(probe::machine(survey.root())))
        .or_else(|| of_build(evidence).map(str::to_owned))
        .or_else(|| of_cpuinfo(evidence))
}

/// ```text
/// Linux version 3.10.0-1160.15.2.el7.x86_64 (mockbuild@kbuilder) (gcc version 4.8.5) #1 SMP ...
/// ```
fn of_build(evidence: &Evidence<'_>) -> Option<&'static str> {
    let version = evidence.version();
    let release = version.split_whitespace().nth(2)?;
    // The compiler is the second group in parentheses; the first names a host, which may say anything.
    let compiler = version.split('(').nth(2).unwrap_or_default();
    let compiler = compiler.split_whitespace().next().unwrap_or_default();
    let parts = release
        .rsplit(['.', '-', '+'])
        .chain(compiler.split('-').take(1));
    parts.into_iter().find_map(|part| {
        let row = BUILD_WORDS.iter().find(|(word, _)| *word == part)?;
        Some(row.1)
    })
}

fn of_cpuinfo(evidence: &Evidence<'_>) -> Option<String> {
    // Most machines are of this kind, and no other has its key.
    if let Some(x86) = x86(evidence) {
        return Some(x86);
    }
    let dialect = DIALECTS.iter().find(|(key, start, _)| {
        let value = evidence.cpuinfo(key);
        value.is_some_and(|value| value.starts_with(start))
    });
    if let Some((_, _, architecture)) = dialect {
        return Some((*architecture).to_owned());
    }
    arm(evidence)
}

/// A 32-bit kernel tells of bugs that no 64-bit processor has; the long mode flag alone is the processor's.
fn x86(evidence: &Evidence<'_>) -> Option<String> {
    let flags = evidence.cpuinfo("flags")?;
    let long_mode = flags.split(' ').any(|flag| flag == "lm");
    if long_mode && evidence.cpuinfo("fdiv_bug").is_none() {
        return Some("x86_64".to_owned());
    }
    let family = evidence.cpuinfo("cpu family")?;
    let family = family.parse().unwrap_or(6_u32).clamp(3, 6);
    Some(format!("i{family}86"))
}

/// ```text
/// Processor       : ARMv7 Processor rev 4 (v7l)
/// CPU architecture: 8
/// ```
fn arm(evidence: &Evidence<'_>) -> Option<String> {
    let names = ["Processor", "model name"];
    let names = names.iter().filter_map(|key| evidence.cpuinfo(key));
    let short = |name: &str| -> Option<String> {
        let (_, short) = name.strip_prefix("ARM")?.rsplit_once('(')?;
        Some(format!("arm{}", short.strip_suffix(')')?))
    };
    names.into_iter().find_map(short).or_else(|| {
        let generation = evidence.cpuinfo("CPU architecture")?;
        (generation == "8").then(|| "aarch64".to_owned())
    })
}
