//! What the numbers of SMBIOS structures 16 to 18 stand for, in the standard's own words (DSP0134 3.7).

/// Numbers and their words. What is not listed is `Unknown`, or comes with a later version.
type Words = &'static [(u8, &'static str)];

/// In every table of the standard: firmware does not know.
const UNKNOWN: u8 = 2;

/// A number's word; `None` for `Unknown`. One that has none is written as a number: `0x2a`.
pub(super) fn word(words: Words, number: Option<u8>) -> Option<String> {
    let number = number.filter(|number| *number != UNKNOWN)?;
    let known = words.iter().find(|(code, _)| *code == number);
    Some(known.map_or_else(|| format!("{number:#04x}"), |(_, word)| (*word).to_owned()))
}

/// The words of the bits that are set; `Unknown`, which is bit 2 everywhere, is left out.
pub(super) fn bits(words: Words, bits: Option<u16>) -> Vec<String> {
    let bits = bits.unwrap_or_default();
    let set = |(bit, _): &&(u8, &str)| bits.checked_shr(u32::from(*bit)).unwrap_or(0) & 1 == 1;
    let words = words.iter().filter(set);
    words.map(|(_, word)| (*word).to_owned()).collect()
}

/// §7.17.1.
pub(super) const LOCATION: Words = &[
    (0x01, "Other"),
    (0x03, "System Board Or Motherboard"),
    (0x04, "ISA Add-on Card"),
    (0x05, "EISA Add-on Card"),
    (0x06, "PCI Add-on Card"),
    (0x07, "MCA Add-on Card"),
    (0x08, "PCMCIA Add-on Card"),
    (0x09, "Proprietary Add-on Card"),
    (0x0a, "NuBus"),
    (0xa0, "PC-98/C20 Add-on Card"),
    (0xa1, "PC-98/C24 Add-on Card"),
    (0xa2, "PC-98/E Add-on Card"),
    (0xa3, "PC-98/Local Bus Add-on Card"),
    (0xa4, "CXL Add-on Card"),
];

/// §7.17.2.
pub(super) const PURPOSE: Words = &[
    (0x01, "Other"),
    (0x03, "System Memory"),
    (0x04, "Video Memory"),
    (0x05, "Flash Memory"),
    (0x06, "Non-volatile RAM"),
    (0x07, "Cache Memory"),
];

/// §7.18.1.
pub(super) const FORM_FACTOR: Words = &[
    (0x01, "Other"),
    (0x03, "SIMM"),
    (0x04, "SIP"),
    (0x05, "Chip"),
    (0x06, "DIP"),
    (0x07, "ZIP"),
    (0x08, "Proprietary Card"),
    (0x09, "DIMM"),
    (0x0a, "TSOP"),
    (0x0b, "Row Of Chips"),
    (0x0c, "RIMM"),
    (0x0d, "SODIMM"),
    (0x0e, "SRIMM"),
    (0x0f, "FB-DIMM"),
    (0x10, "Die"),
    (0x11, "CAMM"),
    (0x12, "CUDIMM"),
    (0x13, "CSODIMM"),
];

/// §7.18.2.
pub(super) const MEMORY_TYPE: Words = &[
    (0x01, "Other"),
    (0x03, "DRAM"),
    (0x04, "EDRAM"),
    (0x05, "VRAM"),
    (0x06, "SRAM"),
    (0x07, "RAM"),
    (0x08, "ROM"),
    (0x09, "Flash"),
    (0x0a, "EEPROM"),
    (0x0b, "FEPROM"),
    (0x0c, "EPROM"),
    (0x0d, "CDRAM"),
    (0x0e, "3DRAM"),
    (0x0f, "SDRAM"),
    (0x10, "SGRAM"),
    (0x11, "RDRAM"),
    (0x12, "DDR"),
    (0x13, "DDR2"),
    (0x14, "DDR2 FB-DIMM"),
    (0x18, "DDR3"),
    (0x19, "FBD2"),
    (0x1a, "DDR4"),
    (0x1b, "LPDDR"),
    (0x1c, "LPDDR2"),
    (0x1d, "LPDDR3"),
    (0x1e, "LPDDR4"),
    (0x1f, "Logical non-volatile device"),
    (0x20, "HBM"),
    (0x21, "HBM2"),
    (0x22, "DDR5"),
    (0x23, "LPDDR5"),
    (0x24, "HBM3"),
    (0x25, "MRDIMM"),
];

/// §7.18.3, by bit.
pub(super) const TYPE_DETAIL: Words = &[
    (1, "Other"),
    (3, "Fast-paged"),
    (4, "Static Column"),
    (5, "Pseudo-static"),
    (6, "RAMBus"),
    (7, "Synchronous"),
    (8, "CMOS"),
    (9, "EDO"),
    (10, "Window DRAM"),
    (11, "Cache DRAM"),
    (12, "Non-Volatile"),
    (13, "Registered (Buffered)"),
    (14, "Unbuffered (Unregistered)"),
    (15, "LRDIMM"),
];

/// §7.18.6.
pub(super) const TECHNOLOGY: Words = &[
    (0x01, "Other"),
    (0x03, "DRAM"),
    (0x04, "NVDIMM-N"),
    (0x05, "NVDIMM-F"),
    (0x06, "NVDIMM-P"),
    (0x07, "Intel Optane persistent memory"),
];

/// §7.18.7, by bit.
pub(super) const OPERATING_MODE: Words = &[
    (1, "Other"),
    (3, "Volatile memory"),
    (4, "Byte-accessible persistent memory"),
    (5, "Block-accessible persistent memory"),
];

/// §7.19.1.
pub(super) const ERROR_KIND: Words = &[
    (0x01, "Other"),
    (0x03, "OK"),
    (0x04, "Bad read"),
    (0x05, "Parity error"),
    (0x06, "Single-bit error"),
    (0x07, "Double-bit error"),
    (0x08, "Multi-bit error"),
    (0x09, "Nibble error"),
    (0x0a, "Checksum error"),
    (0x0b, "CRC error"),
    (0x0c, "Corrected single-bit error"),
    (0x0d, "Corrected error"),
    (0x0e, "Uncorrectable error"),
];

/// §7.19.2.
pub(super) const ERROR_GRANULARITY: Words = &[
    (0x01, "Other"),
    (0x03, "Device level"),
    (0x04, "Memory partition level"),
];

/// §7.19.3.
pub(super) const ERROR_OPERATION: Words = &[
    (0x01, "Other"),
    (0x03, "Read"),
    (0x04, "Write"),
    (0x05, "Partial write"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_nothing_and_a_later_word_keeps_its_number() {
        assert_eq!(word(FORM_FACTOR, Some(9)).as_deref(), Some("DIMM"));
        assert_eq!(word(FORM_FACTOR, Some(2)), None);
        assert_eq!(word(FORM_FACTOR, Some(0x7f)).as_deref(), Some("0x7f"));
        assert_eq!(word(FORM_FACTOR, None), None);
        assert_eq!(
            bits(TYPE_DETAIL, Some(0x2084)),
            ["Synchronous", "Registered (Buffered)"]
        );
        assert_eq!(bits(TYPE_DETAIL, Some(0xffff)).len(), TYPE_DETAIL.len());
    }

    #[test]
    fn the_tables_are_in_order_and_leave_unknown_out() {
        let tables = [
            LOCATION,
            PURPOSE,
            FORM_FACTOR,
            MEMORY_TYPE,
            TYPE_DETAIL,
            TECHNOLOGY,
            OPERATING_MODE,
            ERROR_KIND,
            ERROR_GRANULARITY,
            ERROR_OPERATION,
        ];
        for table in tables {
            assert!(table.is_sorted());
            assert!(table.iter().all(|(code, _)| *code != UNKNOWN));
        }
    }
}
