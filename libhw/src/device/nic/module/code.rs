//! The words of SFF-8024 for the codes that all modules share.

use std::fmt::Write as _;

/// Table 4-1.
const FORMS: &[(u8, &str)] = &[
    (0x01, "GBIC"),
    (0x02, "soldered"),
    (0x03, "SFP"),
    (0x0c, "QSFP"),
    (0x0d, "QSFP+"),
    (0x0e, "CXP"),
    (0x11, "QSFP28"),
    (0x18, "QSFP-DD"),
    (0x19, "OSFP"),
    (0x1a, "SFP-DD"),
    (0x1b, "DSFP"),
    (0x1e, "QSFP+ or later, CMIS"),
    (0x1f, "SFP-DD, CMIS"),
    (0x20, "SFP+ and later, CMIS"),
    (0x21, "OSFP-XD, CMIS"),
    (0x22, "OIF-ELSFP, CMIS"),
    (0x23, "CDFP x4, CMIS"),
    (0x24, "CDFP x8, CMIS"),
    (0x25, "CDFP x16, CMIS"),
];

/// Table 4-3.
const CONNECTORS: &[(u8, &str)] = &[
    (0x01, "SC"),
    (0x02, "FC style 1 copper"),
    (0x03, "FC style 2 copper"),
    (0x04, "BNC/TNC"),
    (0x05, "FC coax"),
    (0x06, "fiber jack"),
    (0x07, "LC"),
    (0x08, "MT-RJ"),
    (0x09, "MU"),
    (0x0a, "SG"),
    (0x0b, "optical pigtail"),
    (0x0c, "MPO 1x12"),
    (0x0d, "MPO 2x16"),
    (0x20, "HSSDC II"),
    (0x21, "copper pigtail"),
    (0x22, "RJ45"),
    (0x23, "no separable connector"),
    (0x24, "MXC 2x16"),
    (0x25, "CS optical"),
    (0x26, "SN optical"),
    (0x27, "MPO 2x12"),
    (0x28, "MPO 1x16"),
];

/// Table 4-4.
const EXTENDED: &[(u8, &str)] = &[
    (0x01, "100G AOC or 25GAUI C2M AOC, BER 5e-5"),
    (0x02, "100GBASE-SR4 or 25GBASE-SR"),
    (0x03, "100GBASE-LR4 or 25GBASE-LR"),
    (0x04, "100GBASE-ER4 or 25GBASE-ER"),
    (0x05, "100GBASE-SR10"),
    (0x06, "100G CWDM4"),
    (0x07, "100G PSM4"),
    (0x08, "100G ACC or 25GAUI C2M ACC, BER 5e-5"),
    (0x0b, "100GBASE-CR4 or 25GBASE-CR CA-L"),
    (0x0c, "25GBASE-CR CA-S"),
    (0x0d, "25GBASE-CR CA-N"),
    (0x10, "40GBASE-ER4"),
    (0x11, "4 x 10GBASE-SR"),
    (0x12, "40G PSM4"),
    (0x16, "10GBASE-T SFI"),
    (0x17, "100G CLR4"),
    (0x18, "100G AOC or 25GAUI C2M AOC, BER 1e-12"),
    (0x19, "100G ACC or 25GAUI C2M ACC, BER 1e-12"),
    (0x1a, "100GE-DWDM2"),
    (0x1c, "10GBASE-T short reach"),
    (0x1d, "5GBASE-T"),
    (0x1e, "2.5GBASE-T"),
    (0x1f, "40G SWDM4"),
    (0x20, "100G SWDM4"),
    (0x21, "100G PAM4 BiDi"),
    (0x25, "100GBASE-DR"),
    (0x26, "100G-FR or 100GBASE-FR1"),
    (0x27, "100G-LR or 100GBASE-LR1"),
    (0x40, "50GBASE-CR, 100GBASE-CR2 or 200GBASE-CR4"),
    (0x41, "50GBASE-SR, 100GBASE-SR2 or 200GBASE-SR4"),
    (0x42, "50GBASE-FR or 200GBASE-DR4"),
    (0x43, "200GBASE-FR4"),
    (0x45, "50GBASE-LR"),
    (0x46, "200GBASE-LR4"),
];

/// What a module is, in a word; a code that is reserved or a vendor's own as its number.
pub(super) fn form(code: u8) -> String {
    word(FORMS, code)
}

/// What plugs into it; `None` when it does not say.
pub(super) fn connector(code: u8) -> Option<String> {
    (code != 0).then(|| word(CONNECTORS, code))
}

/// What it is for; `None` when it does not say.
pub(super) fn extended(code: u8) -> Option<String> {
    (code != 0).then(|| word(EXTENDED, code))
}

fn word(words: &[(u8, &str)], code: u8) -> String {
    if let Some((_, word)) = words.iter().find(|(known, _)| *known == code) {
        return (*word).to_owned();
    }
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write!(text, "code {code:#04x}");
    text
}

/// The words of the bits that are set in `byte`, lowest first; an empty one is reserved.
pub(super) fn bits(byte: u8, words: [&'static str; 8]) -> impl Iterator<Item = String> {
    let set = words.into_iter().enumerate();
    set.filter(move |(bit, word)| byte & (1 << bit) != 0 && !word.is_empty())
        .map(|(_, word)| word.to_owned())
}
