//! Where a function sits: `domain:bus:device.function`.

use std::fmt;
use std::str::FromStr;

/// The address of a PCI function.
///
/// ```text
/// 0000:3b:00.1
/// 10000:e1:00.0
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The segment. Firmware's have 16 bits; the kernel's own (Intel VMD, Hyper-V, PA-RISC) may have 32.
    pub domain: u32,
    /// The bus.
    pub bus: u8,
    /// The device, 0 to 31.
    pub device: u8,
    /// The function, 0 to 7.
    pub function: u8,
}

/// A text is no address of a PCI function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAddress;

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address such as 0000:3b:00.1")
    }
}

impl std::error::Error for NotAnAddress {}

impl Address {
    /// The address `distance` routing ids further on, which may be on a later bus; `None` beyond the last
    /// bus (PCI Express Base Specification 9.2.1.2).
    #[must_use]
    pub fn further(self, distance: u32) -> Option<Self> {
        let own = u32::from(self.bus) << 8 | u32::from(self.device) << 3 | u32::from(self.function);
        let [bus, slot] = u16::try_from(own.checked_add(distance)?)
            .ok()?
            .to_be_bytes();
        Some(Self {
            domain: self.domain,
            bus,
            device: slot >> 3,
            function: slot & 7,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            bus,
            device,
            function,
        } = self;
        f.pad(&format!("{domain:04x}:{bus:02x}:{device:02x}.{function}"))
    }
}

/// Exactly as the kernel writes it, so that an address and its text stand for each other.
impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let parse = || {
            let mut parts = text.splitn(3, ':');
            let (domain, bus) = (parts.next()?, parts.next()?);
            let (device, function) = parts.next()?.split_once('.')?;
            Some(Self {
                domain: hex(domain, 4..=8)?,
                bus: u8::try_from(hex(bus, 2..=2)?).ok()?,
                device: u8::try_from(hex(device, 2..=2)?).ok()?,
                function: u8::try_from(hex(function, 1..=1)?).ok()?,
            })
        };
        parse()
            .filter(|address| address.device < 32 && address.function < 8)
            .filter(|_| text.len() == NARROW || !text.starts_with('0'))
            .ok_or(NotAnAddress)
    }
}

fn hex(digits: &str, width: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let well_formed = width.contains(&digits.len())
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    well_formed.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// The length of an address whose domain has four digits; a wider one has no zeros in front.
const NARROW: usize = 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_sort_as_numbers_and_domains_may_be_wide() {
        let mut texts = [
            "10000:00:04.0",
            "0000:02:00.0",
            "ffffffff:ff:1f.7",
            "0000:00:1f.3",
        ];
        texts.sort_by_key(|text| text.parse::<Address>().unwrap());
        assert_eq!(
            texts,
            [
                "0000:00:1f.3",
                "0000:02:00.0",
                "10000:00:04.0",
                "ffffffff:ff:1f.7"
            ]
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "0000:00:00",
            "000:00:00.0",
            "0000:00:20.0",
            "0000:00:00.8",
            "0000:0:00.0",
            "00000:00:00.0",
            "+000:00:00.0",
            "0000:00:00.0/..",
            "0000:3B:00.0",
            "100000000:00:00.0",
        ] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text:?}");
        }
    }

    #[test]
    fn routing_ids_carry_over_to_the_next_bus() {
        let first: Address = "0000:3b:1f.7".parse().unwrap();
        assert_eq!(first.further(1).unwrap().to_string(), "0000:3c:00.0");
        assert_eq!(first.further(u32::MAX), None);
        assert_eq!("0000:ff:1f.7".parse::<Address>().unwrap().further(1), None);
    }

    proptest! {
        #[test]
        fn an_address_reads_back(domain: u32, bus: u8, device in 0_u8..32, function in 0_u8..8) {
            let address = Address { domain, bus, device, function };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }

        #[test]
        fn a_text_that_is_an_address_is_written_so(text in "[0-9a-f]{3,9}:[0-9a-f]{1,3}:[01][0-9a-f].[0-8]") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
