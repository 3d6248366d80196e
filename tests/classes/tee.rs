//! Trusted execution of synthetic trees: a host, and a guest.

use libhw::device::tee::{Host, Name};
use libhw::inventory::Class;

#[test]
fn a_synthetic_host_is_told_from_a_synthetic_guest() {
    let tee = crate::synthetic("tee-host", &[Class::Tee])
        .tee
        .expect("tee");
    let host: Vec<_> = tee
        .technologies
        .iter()
        .map(|one| (one.id, one.host, one.guest))
        .collect();
    assert_eq!(
        host,
        [
            (Name::Sev, Host::Enabled, false),
            (Name::SevEs, Host::Enabled, false),
            (Name::SevSnp, Host::Disabled, false),
            (Name::Sgx, Host::Enabled, false),
        ]
    );
    assert_eq!(
        (tee.sgx_epc.len(), tee.trusted_os.len(), tee.report),
        (2, 1, false)
    );
    let tee = crate::synthetic("tee-guest", &[Class::Tee])
        .tee
        .expect("tee");
    let guest: Vec<_> = tee
        .technologies
        .iter()
        .map(|one| (one.id, one.host, one.guest))
        .collect();
    assert_eq!(
        guest,
        [
            (Name::Tdx, Host::Unknown, true),
            (Name::SecureExecution, Host::Disabled, true),
        ]
    );
    assert!(tee.report);
}
