//! The CPU's instructions for cryptography and compression, from the flags in /proc/cpuinfo.

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::survey::Survey;

/// A set of instructions for cryptography or compression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Instruction {
    /// The kernel's word for it in /proc/cpuinfo: `aes`, `sha_ni`, `msa`; of s390's facilities `facility-76`.
    pub id: String,
    /// What it is for.
    pub purpose: String,
}

/// The kernel's words (x86: `arch/x86/include/asm/cpufeatures.h`; Arm: `Documentation/arch/arm64/elf_hwcaps.rst`;
/// RISC-V: the isa line; s390 and SPARC: their features).
const FLAGS: &[(&str, &str)] = &[
    ("aes", "AES"),
    ("vaes", "AES on vectors"),
    ("sveaes", "AES on scalable vectors"),
    ("pmull", "GCM"),
    ("pclmulqdq", "GCM, CRC"),
    ("vpclmulqdq", "GCM, CRC on vectors"),
    ("svepmull", "GCM on scalable vectors"),
    ("gfni", "Galois field arithmetic"),
    ("sha_ni", "SHA-1, SHA-256"),
    ("sha1", "SHA-1"),
    ("sha2", "SHA-256"),
    ("sha256", "SHA-256"),
    ("sha3", "SHA-3"),
    ("svesha3", "SHA-3 on scalable vectors"),
    ("sha512", "SHA-512"),
    ("md5", "MD5"),
    ("des", "DES"),
    ("camellia", "Camellia"),
    ("sm3", "SM3"),
    ("sm4", "SM4"),
    ("svesm4", "SM4 on scalable vectors"),
    ("mpmul", "public keys"),
    ("rdrand", "random numbers"),
    ("rdseed", "seeds of random numbers"),
    ("rng", "random numbers"),
    ("ace_en", "AES (PadLock)"),
    ("ace2_en", "AES (PadLock)"),
    ("phe_en", "SHA-1, SHA-256 (PadLock)"),
    ("pmm_en", "public keys (PadLock)"),
    ("msa", "CPACF"),
    ("dflt", "DEFLATE"),
    ("crypto", "cryptography"),
    ("zkn", "AES, SHA-2"),
    ("zknd", "AES decryption"),
    ("zkne", "AES encryption"),
    ("zknh", "SHA-2"),
    ("zks", "SM3, SM4"),
    ("zksed", "SM4"),
    ("zksh", "SM3"),
    ("zkr", "random numbers"),
    ("zbc", "GCM, CRC"),
    ("zbkc", "GCM"),
    ("zvbc", "GCM, CRC on vectors"),
    ("zvkg", "GCM on vectors"),
    ("zvkned", "AES on vectors"),
    ("zvknha", "SHA-256 on vectors"),
    ("zvknhb", "SHA-2 on vectors"),
    ("zvksed", "SM4 on vectors"),
    ("zvksh", "SM3 on vectors"),
];

/// Facilities of s390 (z/Architecture Principles of Operation, chapter 4).
const FACILITIES: &[(&str, &str)] = &[
    ("76", "CPACF: protected keys (MSA 3)"),
    ("77", "CPACF: CFB, OFB, CTR, CMAC (MSA 4)"),
    ("57", "CPACF: random numbers (MSA 5)"),
    ("146", "CPACF: GCM (MSA 8)"),
    ("155", "CPACF: elliptic curves (MSA 9)"),
    ("151", "DEFLATE"),
];

/// The first CPU says it for all: the kernel offers what all of them have.
const HEAD: usize = 8 << 10;

const KEYS: [&str; 5] = ["flags", "Features", "features", "isa", "cpucaps"];

/// Reads them.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Instruction> {
    let bytes = survey.keep(survey.root().head("proc/cpuinfo", HEAD));
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    of(&text.unwrap_or_default())
}

fn of(text: &str) -> Vec<Instruction> {
    let value = |keys: &[&str]| {
        let mut pairs = parse::key_values(text);
        pairs.find_map(|(key, value)| keys.contains(&key).then_some(value))
    };
    let words = |text: &str| -> Vec<String> {
        let words = text.split([' ', '\t', '_', ',']);
        words.map(str::to_owned).collect()
    };
    // Of x86 the underscore is a part of the word.
    let flags = value(&KEYS).unwrap_or_default();
    let mut flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
    let isa = value(&["isa", "cpucaps"]).unwrap_or_default();
    flags.extend(words(isa));
    let facilities = words(value(&["facilities"]).unwrap_or_default());
    let row = |id: String, purpose: &str| Instruction {
        id,
        purpose: purpose.to_owned(),
    };
    let known = FLAGS
        .iter()
        .filter(|(flag, _)| flags.iter().any(|word| word == flag))
        .map(|(flag, purpose)| row((*flag).to_owned(), purpose));
    let of_facilities = FACILITIES
        .iter()
        .filter(|(number, _)| facilities.iter().any(|word| word == number))
        .map(|(number, purpose)| row(format!("facility-{number}"), purpose));
    known.chain(of_facilities).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        of(text).into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn each_architecture_has_its_own_words() {
        let x86 =
            "processor\t: 0\nflags\t\t: fpu sse4_2 aes sha_ni vaes rdrand\n\nprocessor\t: 1\n";
        assert_eq!(ids(x86), ["aes", "vaes", "sha_ni", "rdrand"]);
        let arm = "processor : 0\nFeatures : fp asimd aes pmull sha1 sha2 crc32 sha512\n";
        assert_eq!(ids(arm), ["aes", "pmull", "sha1", "sha2", "sha512"]);
        let s390 = "features\t: esan3 zarch msa dflt\nfacilities      : 0 1 17 76 77 146 155\n";
        let expected = [
            "msa",
            "dflt",
            "facility-76",
            "facility-77",
            "facility-146",
            "facility-155",
        ];
        assert_eq!(ids(s390), expected);
        let riscv = "hart : 0\nisa\t: rv64imafdcv_zbc_zkr_zvkned_zvknhb\n";
        assert_eq!(ids(riscv), ["zkr", "zbc", "zvkned", "zvknhb"]);
        let sparc = "cpu : UltraSparc T5\ncpucaps : flush,stbar,aes,des,sha256,mpmul\n";
        assert_eq!(ids(sparc), ["aes", "sha256", "des", "mpmul"]);
        assert_eq!(ids("cpu : POWER9\n\0\n"), [] as [String; 0]);
    }
}
