//! Physical and virtual functions (`Documentation/ABI/testing/sysfs-bus-pci`, PCI Express Base
//! Specification 9.2).

use std::collections::BTreeSet;

use crate::device::pci::attributes::Attributes;
use crate::device::pci::{Address, Sriov};
use crate::parse::{self, Expected, Parsed};

/// The SR-IOV side of a function, when it is a physical one.
pub(super) fn read(attributes: &Attributes<'_>, known: &BTreeSet<Address>) -> Option<Sriov> {
    let vfs_total = attributes.value("sriov_totalvfs", parse::decimal)?;
    let numbers = attributes.numbered("virtfn");
    let addresses = vf_addresses(attributes, &numbers, known).unwrap_or_else(|| {
        let link = |number| linked(attributes, &format!("virtfn{number}"));
        numbers.iter().filter_map(link).collect()
    });
    Some(Sriov {
        vfs_total,
        vfs: enabled(attributes, numbers.len()),
        autoprobe: attributes.value("sriov_drivers_autoprobe", parse::switch),
        vf_device_id: attributes.value("sriov_vf_device", parse::hex16),
        vf_ids: addresses.iter().map(Address::to_string).collect(),
    })
}

/// The function that a link points to.
pub(super) fn linked(attributes: &Attributes<'_>, name: &str) -> Option<Address> {
    let target = attributes.link_name(name)?;
    attributes
        .survey
        .parsed(&attributes.path(name), &target, address)
}

fn address(text: &str) -> Parsed<Address> {
    let expected = Expected("a link to a PCI function");
    text.parse().map_err(|_| expected)
}

/// How many there are: the links are counted, since `sriov_numvfs` waits for the device's lock, which a
/// driver holds for seconds while it meets the device or makes them, and for ever when it hangs.
fn enabled(attributes: &Attributes<'_>, links: usize) -> u32 {
    let counted = LINKED && attributes.survey.root().is_live() && !attributes.survey.deep();
    if links > 0 || counted || !attributes.has("sriov_numvfs") {
        return u32::try_from(links).unwrap_or(u32::MAX);
    }
    let path = attributes.path("sriov_numvfs");
    let survey = attributes.survey;
    let bytes = survey.keep(survey.root().slow_bytes(&path, TEXT_MAX));
    bytes
        .and_then(|bytes| survey.parsed(&path, &String::from_utf8_lossy(&bytes), parse::decimal))
        .unwrap_or_default()
}

/// The addresses by the rule that the kernel gave them out by: two reads and two links, however many there
/// are. `None` where one of them is not `known` to be there, or the first or last link says another: then
/// every link must tell.
fn vf_addresses(
    attributes: &Attributes<'_>,
    numbers: &[u32],
    known: &BTreeSet<Address>,
) -> Option<Vec<Address>> {
    let &[first, .., last] = numbers else {
        return None;
    };
    let offset: u32 = attributes.value("sriov_offset", parse::decimal)?;
    let stride: u32 = attributes.value("sriov_stride", parse::decimal)?;
    let address = |number: u32| {
        let distance = stride.checked_mul(number)?.checked_add(offset)?;
        let address = attributes.address.further(distance)?;
        known.contains(&address).then_some(address)
    };
    for number in [first, last] {
        if linked(attributes, &format!("virtfn{number}")) != Some(address(number)?) {
            return None;
        }
    }
    numbers.iter().copied().map(address).collect()
}

/// Whether every virtual function has a link. Some platforms (no_vf_scan in the kernel) may enable them without.
const LINKED: bool = !cfg!(any(target_arch = "s390x", target_arch = "powerpc64"));

const TEXT_MAX: usize = 64;

#[cfg(test)]
mod tests;
