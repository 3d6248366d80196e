//! Bytes to a broker and back, with TLS or without, and never for longer than is asked for.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::config::sink::MqttSink;
use crate::sink::{Failure, tls};

/// The kernel takes no timeout of nothing.
const LEAST: Duration = Duration::from_millis(1);

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    pub(super) fn connect(config: &MqttSink) -> Result<Self, Failure> {
        let url = &config.url;
        let failure = |error: &io::Error| Failure::new(format!("{url}: {error}"));
        let tcp = tcp(config).map_err(|error| failure(&error))?;
        if !url.tls {
            return Ok(Self::Plain(tcp));
        }
        let mut roots = RootCertStore::empty();
        let (taken, _) =
            roots.add_parsable_certificates(tls::authorities(config.ca_file.as_deref())?);
        if taken == 0 {
            return Err(Failure::new("no certificate authority that can be used"));
        }
        let wrong = |error: rustls::Error| Failure::new(format!("{url}: TLS: {error}"));
        let client = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(url.host.clone())
            .map_err(|_| Failure::new(format!("{url}: no name that a certificate could have")))?;
        let client = ClientConnection::new(Arc::new(client), name).map_err(wrong)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(client, tcp))))
    }

    /// Sends all of it, or nothing that counts.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }

    /// Adds what there is to `bytes`; whether anything came before `deadline`.
    pub(super) fn receive(&mut self, bytes: &mut Vec<u8>, deadline: Instant) -> io::Result<bool> {
        let wait = deadline
            .saturating_duration_since(Instant::now())
            .max(LEAST);
        let mut piece = [0; 4096];
        let read = match self {
            Self::Plain(tcp) => tcp
                .set_read_timeout(Some(wait))
                .and_then(|()| tcp.read(&mut piece)),
            Self::Tls(tls) => {
                let timeout = tls.sock.set_read_timeout(Some(wait));
                timeout.and_then(|()| tls.read(&mut piece))
            }
        };
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(false),
                _ => Err(error),
            },
        }
    }
}

fn tcp(config: &MqttSink) -> io::Result<TcpStream> {
    let mut last = io::Error::other("no such host");
    for address in (config.url.host.as_str(), config.url.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, config.timeout.0) {
            Ok(tcp) => {
                tcp.set_nodelay(true)?;
                tcp.set_write_timeout(Some(config.timeout.0))?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
