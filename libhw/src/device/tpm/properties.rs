//! The properties of a chip of version 2, from its answers to `TPM2_GetCapability`
//! (TPM 2.0 Library part 2 §6.13 `TPM_PT`, part 3 §30.2).
//!
//! ```text
//! 80 01 | size | 00 00 00 00 | more | 00 00 00 06 | count | property, value | ...
//! ```

use std::collections::BTreeMap;

use super::Deep;
use crate::parse::{Expected, Parsed};

/// Values by property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<u32, u32>);

/// No answer has more (`MAX_TPM_PROPERTIES` of a buffer of 1 KiB).
const COUNT_MAX: usize = 127;

/// `TPM_ST_NO_SESSIONS`, `TPM_RC_SUCCESS`, `TPM_CAP_TPM_PROPERTIES`.
const NO_SESSIONS: [u8; 2] = [0x80, 0x01];
const SUCCESS: u32 = 0;
const TPM_PROPERTIES: u32 = 6;

mod property {
    pub(super) const REVISION: u32 = 0x102;
    pub(super) const YEAR: u32 = 0x104;
    pub(super) const MANUFACTURER: u32 = 0x105;
    pub(super) const VENDOR_STRINGS: [u32; 4] = [0x106, 0x107, 0x108, 0x109];
    pub(super) const FIRMWARE_VERSION_1: u32 = 0x10b;
    pub(super) const FIRMWARE_VERSION_2: u32 = 0x10c;
    pub(super) const MODES: u32 = 0x12d;
    pub(super) const PERMANENT: u32 = 0x200;
    pub(super) const LOCKOUT_COUNTER: u32 = 0x20e;
    pub(super) const MAX_AUTH_FAIL: u32 = 0x20f;
}

/// `TPMA_PERMANENT`: the owner's authorisation is set; the chip is in lockout.
const OWNER_AUTH_SET: u32 = 1;
const IN_LOCKOUT: u32 = 1 << 9;

/// `TPMA_MODES`: designed to FIPS 140-2.
const FIPS_140_2: u32 = 1;

impl Properties {
    /// Adds those of one answer.
    ///
    /// # Errors
    /// When it is cut short, is an error of the chip's, or is about something else; what was read stays.
    pub fn take(&mut self, answer: &[u8]) -> Parsed<()> {
        const CUT: Expected = Expected("a whole answer to TPM2_GetCapability");
        let mut rest = answer.strip_prefix(&NO_SESSIONS).ok_or(CUT)?;
        let mut word = || -> Option<u32> {
            let (word, after) = rest.split_first_chunk()?;
            rest = after;
            Some(u32::from_be_bytes(*word))
        };
        let (size, code) = (word().ok_or(CUT)?, word().ok_or(CUT)?);
        if code != SUCCESS {
            return Err(Expected("an answer without an error code"));
        }
        if usize::try_from(size) != Ok(answer.len()) {
            return Err(CUT);
        }
        let (_more, mut rest) = rest.split_first().ok_or(CUT)?;
        let mut word = || -> Parsed<u32> {
            let (word, after) = rest.split_first_chunk().ok_or(CUT)?;
            rest = after;
            Ok(u32::from_be_bytes(*word))
        };
        if word()? != TPM_PROPERTIES {
            return Err(Expected("properties"));
        }
        let count = usize::try_from(word()?).unwrap_or(usize::MAX);
        if count > COUNT_MAX {
            return Err(Expected("at most 127 properties"));
        }
        for _ in 0..count {
            let (property, value) = (word()?, word()?);
            self.0.insert(property, value);
        }
        Ok(())
    }

    /// What they say of the chip.
    #[must_use]
    pub fn deep(&self) -> Deep {
        let value = |property: u32| self.0.get(&property).copied();
        let flag = |property: u32, bit: u32| value(property).map(|bits| bits & bit != 0);
        let strings = property::VENDOR_STRINGS.iter();
        let vendor: String = strings.filter_map(|part| letters(value(*part)?)).collect();
        let firmware = value(property::FIRMWARE_VERSION_1).map(|first| {
            let [a, b, c, d] = [first, value(property::FIRMWARE_VERSION_2).unwrap_or(0)]
                .map(|half| [half >> 16, half & 0xffff])
                .as_flattened()
                .first_chunk()
                .copied()
                .unwrap_or_default();
            format!("{a}.{b}.{c}.{d}")
        });
        Deep {
            manufacturer: value(property::MANUFACTURER).and_then(letters),
            vendor_string: crate::parse::nonempty(&vendor),
            firmware_version: firmware,
            specification: value(property::REVISION)
                .map(|revision| format!("{}.{:02}", revision / 100, revision % 100)),
            specification_year: value(property::YEAR),
            fips_140_2: flag(property::MODES, FIPS_140_2),
            owned: flag(property::PERMANENT, OWNER_AUTH_SET),
            in_lockout: flag(property::PERMANENT, IN_LOCKOUT),
            lockout_counter: value(property::LOCKOUT_COUNTER),
            lockout_limit: value(property::MAX_AUTH_FAIL),
            ..Deep::default()
        }
    }
}

/// Up to four letters in a number, the first one highest; `None` where it holds something else.
pub(super) fn letters(number: u32) -> Option<String> {
    let bytes = number.to_be_bytes();
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let plain = |byte: &u8| matches!(byte, b' '..=b'~');
    let text = text
        .iter()
        .all(plain)
        .then(|| String::from_utf8_lossy(text).into_owned())?;
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}
