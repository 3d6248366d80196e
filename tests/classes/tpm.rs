//! Trusted platform modules of a synthetic tree: no capture has one.

use libhw::device::tpm::Version;
use libhw::inventory::Class;

#[test]
fn synthetic_chips_of_both_versions_read_as_their_documents_say() {
    let inventory = crate::synthetic("tpm", &[Class::Tpm]);
    assert_eq!(inventory.problems, []);
    let chips = inventory.tpm.expect("chips").chips;
    let [two, one] = chips.as_slice() else {
        panic!("{chips:?}");
    };
    assert_eq!(
        (&two.version, &one.version),
        (&Some(Version::Two), &Some(Version::One))
    );
    assert_eq!(two.banks[1].pcr_count, 24);
    let deep = two.deep.as_ref().expect("a deep look");
    assert_eq!(deep.manufacturer.as_deref(), Some("NTC"));
    assert_eq!(deep.vendor_string.as_deref(), Some("NPCT75x"));
    assert_eq!(deep.firmware_version.as_deref(), Some("7.2.2.0"));
    let deep = one.deep.as_ref().expect("a deep look");
    assert_eq!(deep.manufacturer.as_deref(), Some("IFX"));
    assert_eq!((deep.enabled, deep.owned), (Some(true), Some(false)));
}
