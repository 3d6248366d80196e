//! Some functions read again, where an event names them: a machine may have hundreds.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::{self, Attributes};
use super::{Address, Function, Pci, Sriov, addresses, function, names as ids, slots};
use crate::survey::Survey;
use crate::uevent::Uevent;

/// With more functions than that everything is read again.
const FUNCTIONS_MAX: usize = 16;

/// Reads the functions again that `events` name. The places that were looked at; `None`, and nothing is done, where a
/// whole look is needed.
pub(crate) fn update(
    pci: &mut Pci,
    survey: &Survey<'_>,
    events: &[&Uevent],
) -> Option<Vec<String>> {
    let named: Option<BTreeSet<Address>> = events.iter().map(|event| address(event)).collect();
    let named = named.filter(|named| named.len() <= FUNCTIONS_MAX)?;
    let known = addresses(survey);
    let mut functions: BTreeMap<Address, Function> = BTreeMap::new();
    for address in &named {
        let attributes = Attributes::list(survey, *address);
        if attributes.has("physfn") {
            return None;
        }
        functions.extend(function(&attributes, &known).map(|function| (*address, function)));
    }
    let is_named = |function: &Function| {
        let address = function.address();
        address.is_some_and(|address| named.contains(&address))
    };
    let names: Vec<String> = named.iter().map(Address::to_string).collect();
    // Virtual functions are folded into their physical one, or stand beside it: they are told together.
    let before = pci.functions.iter();
    let mut before = before.filter(|function| is_named(function) || has_one_of(function, &names));
    if before.any(is_shared) || functions.values().any(is_shared) {
        return None;
    }
    let place = |name| format!("{}/{name}", attributes::DEVICES);
    let mut places: Vec<String> = names.iter().map(place).collect();
    if !functions.is_empty() {
        let slots = slots::read(survey);
        for (address, function) in &mut functions {
            function.slot = slots::of(&slots, *address);
        }
        places.push(slots::SLOTS.to_owned());
    }
    let mut read: Vec<Function> = functions.into_values().collect();
    ids::fill(&mut read);
    pci.functions.retain(|function| !is_named(function));
    pci.functions.append(&mut read);
    pci.functions.sort_by_key(Function::address);
    Some(places)
}

/// The function that an event is about.
fn address(event: &Uevent) -> Option<Address> {
    let is_pci = event.subsystem == "pci";
    is_pci.then(|| event.device().parse().ok()).flatten()
}

/// Whether it is a virtual function, or has some.
fn is_shared(function: &Function) -> bool {
    let has_some = |sriov: &Sriov| !sriov.vf_ids.is_empty();
    function.physical_function.is_some() || function.sriov.as_ref().is_some_and(has_some)
}

/// Whether one of its virtual functions is named.
fn has_one_of(function: &Function, names: &[String]) -> bool {
    let mut own = function.sriov.iter().flat_map(|sriov| &sriov.vf_ids);
    own.any(|id| names.contains(id))
}

#[cfg(test)]
mod tests;
