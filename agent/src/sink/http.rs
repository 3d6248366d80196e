//! One peer that is spoken to by HTTP: what an answer means, and what of an error may be told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, http};

use crate::config::secret::SecretFile;
use crate::config::sink::HttpUrl;
use crate::sink::{Failure, tls};

/// Of an answer to a POST so much is read, so that the connection can be used again; it is of no interest.
const ANSWER_MAX_BYTES: u64 = 64 << 10;

/// A larger list of alerts is none of ours.
const LIST_MAX_BYTES: u64 = 64 << 20;

/// What of a status is no judgement of what was sent: it says who we are to the peer, or that it is busy. Of the others
/// from 400 to 499 each refuses what was sent for good.
const NOT_OF_THE_CONTENT: &[u16] = &[
    401, // no valid credentials: somebody has to renew the token
    402, 403, // not allowed
    404, 405, // not there: a wrong address, or one that is set up later
    407, // a proxy's
    408, // too slow
    410, // no longer there
    421, // another host's
    425, // too early
    426, // another protocol
    429, // too many
    451,
];

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The peer has it.
    Taken,
    /// It will never take it.
    Refused(String),
    /// Not now.
    Later(Failure),
}

/// A peer.
pub(super) struct Peer {
    url: String,
    origin: String,
    token: Option<SecretFile>,
    is_tls: bool,
    ca: Option<PathBuf>,
    timeout: Duration,
    /// Connections that are open; none after a failure.
    agent: Option<Agent>,
}

impl Peer {
    /// The peer at `url`, with `path` behind it. The timeout is for a request with its answer.
    pub(super) fn new(
        url: &HttpUrl,
        path: &str,
        token: Option<SecretFile>,
        ca: Option<PathBuf>,
        timeout: Duration,
    ) -> Self {
        let text = url.expose();
        let url_text = match path {
            "" => text.to_owned(),
            path => format!("{}{path}", text.trim_end_matches('/')),
        };
        Self {
            url: url_text,
            origin: url.to_string(),
            token,
            is_tls: url.is_tls(),
            ca,
            timeout,
            agent: None,
        }
    }

    /// Sends `body`.
    pub(super) fn post(&mut self, content_type: &str, body: &[u8]) -> Verdict {
        let answer = self.agent().and_then(|agent| {
            let request = agent.post(&self.url).header("content-type", content_type);
            let request = match self.bearer()? {
                Some(bearer) => request.header("authorization", bearer),
                None => request,
            };
            request.send(body).map_err(|error| self.failure(&error))
        });
        match answer {
            Ok(mut answer) => {
                // The status is the answer: what comes behind it, or does not, changes nothing.
                let rest = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES);
                let _ = rest.read_to_vec();
                self.judge(&answer)
            }
            Err(failure) => self.later(failure),
        }
    }

    /// What is at the address with `query` behind it.
    pub(super) fn read(&mut self, query: &str) -> Result<Vec<u8>, Failure> {
        let answer = self.agent().and_then(|agent| {
            let request = agent.get(format!("{}?{query}", self.url));
            let request = match self.bearer()? {
                Some(bearer) => request.header("authorization", bearer),
                None => request,
            };
            request.call().map_err(|error| self.failure(&error))
        });
        let list = answer.and_then(|mut answer| match self.judge(&answer) {
            Verdict::Taken => {
                let list = answer.body_mut().with_config().limit(LIST_MAX_BYTES);
                list.read_to_vec().map_err(|error| self.failure(&error))
            }
            Verdict::Refused(why) => Err(Failure::new(why)),
            Verdict::Later(failure) => Err(failure),
        });
        list.inspect_err(|_| self.agent = None)
    }

    fn later(&mut self, failure: Failure) -> Verdict {
        // The next attempt connects anew, and reads the authorities again.
        self.agent = None;
        Verdict::Later(failure)
    }

    fn bearer(&self) -> Result<Option<String>, Failure> {
        let token = self.token.as_ref().map(SecretFile::read).transpose();
        let token = token.map_err(|error| Failure::new(error.to_string()))?;
        Ok(token.map(|token| format!("Bearer {}", token.expose())))
    }

    fn agent(&mut self) -> Result<Agent, Failure> {
        if let Some(agent) = &self.agent {
            return Ok(agent.clone());
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // An event goes where the configuration says, and so does the token.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("gnomon/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(1)
            .timeout_global(Some(self.timeout));
        if self.is_tls {
            let authorities = tls::authorities(self.ca.as_deref())?;
            let roots = authorities
                .iter()
                .map(|der| Certificate::from_der(der).to_owned());
            let roots = RootCerts::Specific(Arc::new(roots.collect()));
            let tls = TlsConfig::builder()
                .root_certs(roots)
                .unversioned_rustls_crypto_provider(tls::provider());
            config = config.tls_config(tls.build());
        }
        let agent = config.build().new_agent();
        self.agent = Some(agent.clone());
        Ok(agent)
    }

    fn judge(&self, answer: &http::Response<Body>) -> Verdict {
        let status = answer.status();
        let what = format!("{} answered {status}", self.origin);
        let code = status.as_u16();
        if status.is_success() {
            return Verdict::Taken;
        }
        if status.is_client_error() && !NOT_OF_THE_CONTENT.contains(&code) {
            return Verdict::Refused(what);
        }
        let hint = if status.is_redirection() {
            ": name the address it redirects to"
        } else {
            ""
        };
        let seconds = answer.headers().get("retry-after").and_then(|value| {
            // A date would mean trusting two wall clocks.
            value.to_str().ok()?.trim().parse().ok()
        });
        Verdict::Later(Failure {
            what: format!("{what}{hint}"),
            again_after: seconds.map(Duration::from_secs),
        })
    }

    /// An error in words of which none comes from the address, the request or the answer.
    fn failure(&self, error: &ureq::Error) -> Failure {
        let origin = &self.origin;
        Failure::new(match error {
            ureq::Error::Io(error) => format!("{origin}: {}", io_words(error)),
            ureq::Error::Timeout(_) => {
                format!("{origin}: no answer within {} s", self.timeout.as_secs())
            }
            ureq::Error::HostNotFound => format!("{origin}: no such host"),
            ureq::Error::ConnectionFailed => format!("{origin}: no connection"),
            ureq::Error::Tls(why) => format!("{origin}: TLS: {why}"),
            ureq::Error::Rustls(error) => format!("{origin}: TLS: {error}"),
            ureq::Error::BodyExceedsLimit(_) => {
                format!("{origin}: a longer answer than any of use")
            }
            _ => format!("{origin}: no answer of HTTP"),
        })
    }
}

/// An error of the kernel, or of TLS within one, as it says it itself.
fn io_words(error: &std::io::Error) -> String {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(inner) => format!("TLS: {inner}"),
        None if error.raw_os_error().is_some() => error.to_string(),
        None => error.kind().to_string(),
    }
}
