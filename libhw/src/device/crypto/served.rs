//! Who does the work of an implementation, by the names of its driver and module.

use super::known::Named;
use super::{Kind, ServedBy};

/// What the names of an accelerator's implementations have in them. Their drivers have names of their own
/// making; the kernel has no mark for it in /proc/crypto.
const ACCELERATORS: &[Named] = &[
    ("qat", || Kind::Qat),
    ("iaa", || Kind::Iaa),
    ("ccp", || Kind::AmdCcp),
    ("caam", || Kind::Caam),
    ("talitos", || Kind::Talitos),
    ("virtio_crypto", || Kind::VirtioCrypto),
    ("hisi_zip", || Kind::HisiZip),
    ("hisi-deflate", || Kind::HisiZip),
    ("hisi_hpre", || Kind::HisiHpre),
    ("hpre", || Kind::HisiHpre),
    ("hisi_sec", || Kind::HisiSec),
    ("cpt", || Kind::Cpt),
    ("n5_", || Kind::Nitrox),
    ("nitrox", || Kind::Nitrox),
    ("cesa", || Kind::Cesa),
    ("safexcel", || Kind::Safexcel),
    ("chcr", || Kind::Chelsio),
    ("nx_crypto", || Kind::Nx),
    ("nx_compress", || Kind::Nx),
    ("-nx", || Kind::Nx),
];

/// The same for devices of which no more is known than their driver.
const OTHERS: &[&str] = &[
    "artpec6",
    "aspeed",
    "atmel",
    "ccree",
    "eip93",
    "mtk",
    "mxs_dcp",
    "-dcp",
    "omap",
    "ppc4xx",
    "qce",
    "rk3288",
    "sa2ul",
    "s5p",
    "sl3516",
    "stm32",
    "sun8i",
    "sun4i",
    "tegra",
    "zynqmp",
    "keembay",
    "starfive",
    "jh7110",
    "meson",
    "bcm_crypto_spu",
    "iproc",
];

/// The words in the names of implementations that use instructions of a CPU.
const INSTRUCTIONS: &[&str] = &[
    "aesni",
    "vaes",
    "avx",
    "avx2",
    "avx512",
    "avx10",
    "sse2",
    "sse4",
    "sse41",
    "sse42",
    "ssse3",
    "pclmul",
    "pclmulqdq",
    "vpclmul",
    "gfni",
    "ni",
    "intel",
    "x86",
    "ce",
    "ces",
    "neon",
    "neonbs",
    "arm64",
    "arm",
    "armv8",
    "sve",
    "s390",
    "paes",
    "phmac",
    "p8",
    "p10",
    "vsx",
    "vpmsum",
    "spe",
    "riscv64",
    "zvkned",
    "zvkb",
    "zvkg",
    "zbb",
    "zbc",
    "loongarch",
    "mips",
    "octeon",
    "sparc64",
    "padlock",
    "asm",
];

/// Who serves it, and by which sort of accelerator.
pub(super) fn by(driver: &str, module: &str) -> (ServedBy, Option<Kind>) {
    // A wrapper is named after what it wraps, and its module is the wrapper's.
    let of_module = if module == "kernel" { "" } else { module };
    let letters = signs(driver) | signs(of_module);
    let within = |pattern: &&str| {
        signs(pattern) & !letters == 0 && (has(driver, pattern) || has(of_module, pattern))
    };
    let known = ACCELERATORS.iter().find(|(pattern, _)| within(pattern));
    if let Some((_, kind)) = known {
        return (ServedBy::Accelerator, Some(kind()));
    }
    if let Some(other) = OTHERS.iter().find(|pattern| within(pattern)) {
        let name = other.trim_matches('-').to_owned();
        return (ServedBy::Accelerator, Some(Kind::Other(name)));
    }
    let words = || driver.split(|sign: char| !sign.is_ascii_alphanumeric());
    let by = if words().any(|word| INSTRUCTIONS.contains(&word)) {
        ServedBy::Instructions
    } else if words().any(|word| word == "lib") {
        ServedBy::Library
    } else {
        ServedBy::Software
    };
    (by, None)
}

/// Which signs a name has, a bit for each: of a hundred patterns all but a few have one that the name lacks.
const fn signs(name: &str) -> u128 {
    let mut rest = name.as_bytes();
    let mut signs = 0;
    while let Some((sign, others)) = rest.split_first() {
        signs |= 1 << (*sign & 0x7f);
        rest = others;
    }
    signs
}

/// Whether a name has a pattern in it as a word of its own, or more than one word.
fn has(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.as_bytes(), pattern.as_bytes());
    let Some((first, others)) = pattern.split_first() else {
        return false;
    };
    let is_letter = |sign: Option<&u8>| sign.is_some_and(u8::is_ascii_alphabetic);
    let is_open = |sign: Option<&u8>| !sign.is_some_and(u8::is_ascii_alphanumeric);
    let before = |at: usize| name.get(at.checked_sub(1)?);
    // A hundred patterns are looked for in names of twenty letters: what prepares a search costs more than the search.
    name.iter().enumerate().any(|(at, sign)| {
        sign == first
            && name
                .get(at + 1..)
                .is_some_and(|rest| rest.starts_with(others))
            && (is_open(Some(first)) || !is_letter(before(at)))
            && (is_open(pattern.last()) || !is_letter(name.get(at + pattern.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Driver and module, who serves it, and the sort of accelerator.
    const CASES: &[(&str, &str, &str, &str)] = &[
        ("qat_aes_cbc", "intel_qat", "accelerator", "qat"),
        ("qat_aes_gcm", "kernel", "accelerator", "qat"),
        ("cbc-aes-ccp", "ccp_crypto", "accelerator", "amd_ccp"),
        ("cbc-aes-caam", "caam_jr", "accelerator", "caam"),
        (
            "virtio_crypto_aes_cbc",
            "virtio_crypto",
            "accelerator",
            "virtio_crypto",
        ),
        ("hisi_sec_cbc(aes)", "hisi_sec2", "accelerator", "hisi_sec"),
        ("hpre-rsa", "hisi_hpre", "accelerator", "hisi_hpre"),
        ("hisi-deflate-acomp", "hisi_zip", "accelerator", "hisi_zip"),
        ("deflate-iaa", "iaa_crypto", "accelerator", "iaa"),
        ("n5_cbc(aes)", "n5pf", "accelerator", "nitrox"),
        ("mv-cbc-aes", "marvell_cesa", "accelerator", "cesa"),
        (
            "safexcel-cbc-aes",
            "crypto_safexcel",
            "accelerator",
            "safexcel",
        ),
        ("842-nx", "nx_compress", "accelerator", "nx"),
        ("stm32-cbc-aes", "stm32_cryp", "accelerator", "stm32"),
        ("cbc-aes-aesni", "aesni_intel", "instructions", ""),
        (
            "ccm_base(ctr(aes-aesni),cbcmac(aes-aesni))",
            "ccm",
            "instructions",
            "",
        ),
        ("sha256-ni", "sha256_ssse3", "instructions", ""),
        ("crct10dif-pclmul", "crct10dif_pclmul", "instructions", ""),
        ("crc32c-intel", "crc32c_intel", "instructions", ""),
        ("cbc-aes-ce", "aes_ce_blk", "instructions", ""),
        ("cbc-aes-neonbs", "aes_neon_bs", "instructions", ""),
        ("ecb-aes-s390", "aes_s390", "instructions", ""),
        ("aes-riscv64-zvkned", "kernel", "instructions", ""),
        ("cbc(ecb(aes-fixed-time))", "kernel", "software", ""),
        ("sha256-lib", "kernel", "library", ""),
        ("hmac-sha512-lib", "kernel", "library", ""),
        ("sha256-generic", "kernel", "software", ""),
        ("ecdh-nist-p256-generic", "kernel", "software", ""),
        ("cmac(aes-generic)", "cmac", "software", ""),
        ("deflate-generic", "deflate", "software", ""),
        ("jitterentropy_rng", "jitterentropy_rng", "software", ""),
    ];

    #[test]
    fn names_tell_who_does_the_work() {
        for (driver, module, expected, kind) in CASES {
            let (by, accelerator) = by(driver, module);
            assert_eq!(by.as_str(), *expected, "{driver} of {module}");
            let accelerator = accelerator.map(String::from).unwrap_or_default();
            assert_eq!(accelerator, *kind, "{driver} of {module}");
        }
    }
}
