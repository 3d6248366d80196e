//! Makers of memory by the number that they have in JEDEC's JEP-106: a bank, and a code with odd parity in it.
//!
//! Firmware that has no name for a stick's maker writes the number in digits, in one of three ways:
//!
//! ```text
//! 802C              continuation codes and code; also the other way round
//! 002C00B3002C      the same of module, register and chips
//! 7F98000000000000  one 7F for each continuation, then the code: sticks up to DDR2
//! ```

/// By bank and code. Of the thousands in the list those that make modules, their chips, or their firmware's chips.
const MAKERS: &[((u8, u8), &str)] = &[
    ((1, 0x04), "Fujitsu"),
    ((1, 0x07), "Hitachi"),
    ((1, 0x10), "NEC"),
    ((1, 0x1c), "Mitsubishi"),
    ((1, 0x2c), "Micron Technology"),
    ((1, 0x89), "Intel"),
    ((1, 0x97), "Texas Instruments"),
    ((1, 0x98), "Kioxia"),
    ((1, 0xa4), "IBM"),
    ((1, 0xad), "SK Hynix"),
    ((1, 0xb3), "Renesas (IDT)"),
    ((1, 0xc1), "Infineon"),
    ((1, 0xce), "Samsung"),
    ((1, 0xda), "Winbond"),
    ((2, 0x40), "Viking"),
    ((2, 0x4f), "Transcend"),
    ((2, 0x7a), "Apacer"),
    ((2, 0x94), "SMART Modular"),
    ((2, 0x98), "Kingston"),
    ((3, 0x9e), "Corsair"),
    ((3, 0xfe), "Elpida"),
    ((4, 0x0b), "Nanya"),
    ((5, 0x43), "Ramaxel"),
    ((5, 0xb3), "Inphi"),
    ((5, 0xcb), "A-DATA"),
    ((5, 0xcd), "G.Skill"),
    ((5, 0xef), "Team Group"),
    ((6, 0x02), "Patriot"),
    ((6, 0x51), "Qimonda"),
    ((6, 0x9b), "Crucial"),
    ((7, 0x9d), "Rambus"),
    ((7, 0xf1), "InnoDisk"),
    ((11, 0x91), "ChangXin Memory"),
];

/// The maker with this code in this bank, which is counted from 1.
pub(super) fn name(bank: u8, code: u8) -> Option<String> {
    let maker = MAKERS.iter().find(|(place, _)| *place == (bank, code));
    maker.map(|(_, name)| (*name).to_owned())
}

/// The maker whose number a text is; `None` for a name, and for a number of nobody that is known.
pub(super) fn name_in(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if !matches!(digits.len(), 4 | 12 | 16) || !digits.is_ascii() {
        return None;
    }
    let pairs = digits.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    match *bytes?.as_slice() {
        [0x7f, ref rest @ ..] => {
            let more = rest.iter().take_while(|byte| **byte == 0x7f).count();
            name(u8::try_from(more).ok()? + 2, *rest.get(more)?)
        }
        [first, _, _, _, _, _, _, _] => name(1, first),
        // Either order is in use; hardly a pair of bytes has a name in both.
        [first, second, ..] => of_pair(first, second).or_else(|| of_pair(second, first)),
        _ => None,
    }
}

fn of_pair(continuations: u8, code: u8) -> Option<String> {
    name((continuations & 0x7f) + 1, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_stand_for_a_maker_are_read_in_every_way_they_are_written() {
        for (text, maker) in [
            ("802C", "Micron Technology"),
            ("2C80", "Micron Technology"),
            ("2C00", "Micron Technology"),
            ("0x2C00", "Micron Technology"),
            ("002C00B3002C", "Micron Technology"),
            ("00CE00B300CE", "Samsung"),
            ("80AD000080AD", "SK Hynix"),
            ("0198", "Kingston"),
            ("7F98000000000000", "Kingston"),
            ("7F7F7F0B00000000", "Nanya"),
            ("CE00000000000000", "Samsung"),
        ] {
            assert_eq!(name_in(text).as_deref(), Some(maker), "{text}");
        }
    }

    #[test]
    fn a_name_and_a_number_of_nobody_stand_for_no_maker() {
        for text in [
            "Micron",
            "FACE",
            "0000",
            "ffff",
            "7F7F7F7F7F7F7F7F",
            "",
            "0x",
            "2C",
            "2C8",
            "é2C0",
            "zzzz",
        ] {
            assert_eq!(name_in(text), None, "{text}");
        }
    }

    #[test]
    fn the_makers_are_in_order_and_their_codes_have_odd_parity() {
        assert!(MAKERS.is_sorted());
        for ((bank, code), name) in MAKERS {
            assert!(*bank > 0 && code.count_ones() % 2 == 1, "{name}");
        }
    }
}
