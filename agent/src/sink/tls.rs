//! Which authorities a peer's certificate is checked against, and by which cryptography: ring's.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::sink::Failure;

/// Where distributions keep the authorities that they trust: Debian and Alpine, RHEL, SUSE.
const SYSTEM: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// The certificates of `file`, or of the system's authorities.
pub(super) fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let system = || SYSTEM.iter().map(Path::new).find(|path| path.exists());
    let path = file
        .or_else(system)
        .ok_or_else(|| Failure::new("no certificate authorities on this host; name a ca_file"))?;
    let found =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Failure::new(format!(
            "{}: no certificate in it",
            path.display()
        ))),
        Err(error) => Err(Failure::new(format!("{}: {error}", path.display()))),
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
