//! The slots that cards are plugged into, from /sys/bus/pci/slots.
//!
//! ```text
//! 0000:3b:00
//! ```

use std::collections::BTreeMap;

use crate::device::pci::Address;
use crate::parse::{Expected, Parsed};
use crate::survey::Survey;

/// The names of slots, by the address of a card's first function.
pub(super) type Slots = BTreeMap<Address, String>;

/// Reads them.
pub(super) fn read(survey: &Survey<'_>) -> Slots {
    let mut slots = Slots::new();
    for name in survey.names(SLOTS).into_iter().take(SLOTS_MAX) {
        let path = format!("{SLOTS}/{name}/address");
        if let Some(address) = survey.value(&path, address).flatten() {
            // Names are sorted, so the first one stays whoever lists them.
            slots.entry(address).or_insert(name);
        }
    }
    slots
}

/// The slot of a function.
pub(super) fn of(slots: &Slots, address: Address) -> Option<String> {
    let card = Address {
        function: 0,
        ..address
    };
    slots.get(&card).cloned()
}

/// A card's address, without the function; without the device it is a whole bus, and nothing is said of cards.
fn address(text: &str) -> Parsed<Option<Address>> {
    let text = crate::parse::trim(text);
    if text.matches(':').count() == 1 {
        return Ok(None);
    }
    let expected = Expected("an address such as 0000:3b:00");
    format!("{text}.0").parse().map(Some).map_err(|_| expected)
}

pub(super) const SLOTS: &str = "sys/bus/pci/slots";
const SLOTS_MAX: usize = 1 << 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_holds_every_function_of_its_card() {
        let card = address("0000:3b:00\n").unwrap().unwrap();
        let slots = Slots::from([(card, "7-1".to_owned())]);
        let slot = |id: &str| of(&slots, id.parse().unwrap());
        assert_eq!(slot("0000:3b:00.3").as_deref(), Some("7-1"));
        assert_eq!(slot("0000:3b:01.0"), None);
        assert_eq!(address("0000:3b"), Ok(None));
        assert!(address("0000:3b:00.1").is_err());
    }
}
