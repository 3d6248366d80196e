//! What the sinks are told: a table `[sink.NAME]` for each, whose `type` says which keys it takes.
//!
//! ```toml
//! [sink.journal]
//! type = "file"
//! path = "/var/log/gnomon/events.jsonl"     # "-" is the standard output
//!
//! [sink.hook]
//! type = "cloudevents"
//! url = "https://collector.example/events"
//! batched = true                            # many events in one request
//! token_file = "/etc/gnomon/hook.token"     # sent as a bearer token
//! ca_file = "/etc/gnomon/ca.pem"            # instead of the system's authorities
//!
//! [sink.alerts]
//! type = "alertmanager"
//! url = "http://127.0.0.1:9093"
//! repeat = "60s"                            # Alertmanager forgets: everything is said again so often
//! generator_url = "https://node.example/"   # what an alert links to
//!
//! [sink.broker]
//! type = "mqtt"
//! url = "mqtts://broker.example:8883"       # or mqtt://
//! prefix = "gnomon"
//! username = "node"
//! password_file = "/etc/gnomon/broker.password"
//! keep_alive = "30s"
//! ```

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer};
use toml::Table;

use crate::config::secret::SecretFile;

/// A sink's name stands in logs, in the store and in a client's id.
const NAME_MAX_BYTES: usize = 64;

/// One sink: a variant per row of the table of sinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SinkConfig {
    File(FileSink),
    CloudEvents(CloudEventsSink),
    Alertmanager(AlertmanagerSink),
    Mqtt(MqttSink),
}

/// JSON lines in a file, or on the standard output.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSink {
    /// An absolute path; `-` is the standard output.
    pub(crate) path: PathBuf,
}

/// CloudEvents 1.0 over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloudEventsSink {
    pub(crate) url: HttpUrl,
    #[serde(default)]
    pub(crate) batched: bool,
    #[serde(default)]
    pub(crate) token_file: Option<SecretFile>,
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) timeout: Timeout,
}

/// Alertmanager's API v2.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertmanagerSink {
    /// Without `/api/v2`.
    pub(crate) url: HttpUrl,
    #[serde(default)]
    pub(crate) repeat: Repeat,
    #[serde(default)]
    pub(crate) generator_url: Option<HttpUrl>,
    #[serde(default)]
    pub(crate) token_file: Option<SecretFile>,
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) timeout: Timeout,
}

/// A broker of MQTT 5.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MqttSink {
    pub(crate) url: MqttUrl,
    #[serde(default)]
    pub(crate) prefix: Prefix,
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default)]
    pub(crate) password_file: Option<SecretFile>,
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) keep_alive: KeepAlive,
    #[serde(default)]
    pub(crate) timeout: Timeout,
}

impl SinkConfig {
    /// The sink that a table `[sink.NAME]` describes.
    pub(crate) fn parse(name: &str, mut table: Table) -> Result<Self, String> {
        let wrong = |what: &str| format!("sink.{name}: {what}");
        if !is_name(name) {
            let shown: String = name.chars().take(NAME_MAX_BYTES).collect();
            return Err(format!(
                "{shown:?} is no name of a sink: expected a-z, 0-9, - and _, at most {NAME_MAX_BYTES}"
            ));
        }
        let expected = "type: expected \"file\", \"cloudevents\", \"alertmanager\" or \"mqtt\"";
        let kind = table.remove("type").ok_or_else(|| wrong(expected))?;
        let sink = match kind.as_str() {
            Some("file") => table.try_into().map(Self::File),
            Some("cloudevents") => table.try_into().map(Self::CloudEvents),
            Some("alertmanager") => table.try_into().map(Self::Alertmanager),
            Some("mqtt") => table.try_into().map(Self::Mqtt),
            _ => return Err(wrong(expected)),
        };
        // A value is never told: it may be a secret in the wrong place.
        let sink: Self = sink.map_err(|error| wrong(error.message()))?;
        sink.check().map_err(|what| wrong(&what))?;
        Ok(sink)
    }

    fn check(&self) -> Result<(), String> {
        let (secret, url, ca) = match self {
            Self::File(file) => {
                let stdout = file.path == Path::new("-");
                return if stdout || file.path.is_absolute() {
                    Ok(())
                } else {
                    Err("path: expected an absolute path, or \"-\" for the standard output".into())
                };
            }
            Self::CloudEvents(sink) => (&sink.token_file, sink.url.is_tls(), &sink.ca_file),
            Self::Alertmanager(sink) => (&sink.token_file, sink.url.is_tls(), &sink.ca_file),
            Self::Mqtt(sink) => {
                if sink.password_file.is_some() != sink.username.is_some() {
                    return Err("username and password_file go together".to_owned());
                }
                (&sink.password_file, sink.url.tls, &sink.ca_file)
            }
        };
        let files = [secret.as_ref().map(SecretFile::path), ca.as_deref()];
        if let Some(path) = files.into_iter().flatten().find(|path| !path.is_absolute()) {
            return Err(format!("expected an absolute path, found {path:?}"));
        }
        if ca.is_some() && !url {
            return Err("ca_file is of no use without TLS: the url names none".to_owned());
        }
        match secret {
            Some(file) => file.check().map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}

fn is_name(name: &str) -> bool {
    let byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && name.bytes().all(byte)
}

/// An address of HTTP. What is behind its host may be a secret, so that its text form is the origin alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    text: String,
    origin: usize,
}

impl HttpUrl {
    /// The whole of it, for the request alone.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.text.starts_with("https:")
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = ["http://", "https://"]
            .into_iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .ok_or("expected an address that begins with http:// or https://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        authority_is_plain(authority)?;
        if !path.bytes().all(|byte| matches!(byte, b'!'..=b'~')) || path.contains('#') {
            return Err("expected an address of printable ASCII without a fragment");
        }
        Ok(Self {
            text: text.to_owned(),
            origin: text.len() - path.len(),
        })
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.get(..self.origin).unwrap_or_default())
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpUrl({self})")
    }
}

/// A broker's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MqttUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl MqttUrl {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let schemes = [("mqtt://", false, 1883), ("mqtts://", true, 8883)];
        let (rest, tls, port) = schemes
            .into_iter()
            .find_map(|(scheme, tls, port)| Some((text.strip_prefix(scheme)?, tls, port)))
            .ok_or("expected an address that begins with mqtt:// or mqtts://")?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        authority_is_plain(authority)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, digits)) if !digits.ends_with(']') => {
                (host, digits.parse().map_err(|_| "expected a port")?)
            }
            _ => (authority, port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            host: host.to_owned(),
            port,
            tls,
        })
    }
}

impl fmt::Display for MqttUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

fn authority_is_plain(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') {
        return Err("a user or password has no place in an address; name a file that holds it");
    }
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
    };
    if authority.is_empty() || authority.starts_with(':') || !authority.bytes().all(plain) {
        return Err("expected an address with a host");
    }
    Ok(())
}

/// The first levels of every topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(String);

impl Prefix {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let level = |level: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !level.is_empty() && level.chars().all(plain)
        };
        if text.len() <= 256 && text.split('/').all(level) {
            return Ok(Self(text.to_owned()));
        }
        Err("expected levels of a-z, A-Z, 0-9, -, _ and . joined by /, at most 256 bytes")
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("gnomon".to_owned())
    }
}

/// A time that has its bounds and its default in its name's row below.
macro_rules! seconds {
    ($($(#[$doc:meta])* $name:ident $min:literal..=$max:literal, $default:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) Duration);

        impl Default for $name {
            fn default() -> Self {
                Self(Duration::from_secs($default))
            }
        }

        impl $name {
            fn parse(text: &str) -> Result<Self, &'static str> {
                let wrong = concat!("expected seconds from \"", $min, "s\" to \"", $max, "s\"");
                let number = text.strip_suffix('s').unwrap_or_default();
                let digits = number.bytes().all(|byte| byte.is_ascii_digit());
                match number.parse::<u64>() {
                    Ok(number) if digits && ($min..=$max).contains(&number) => {
                        Ok(Self(Duration::from_secs(number)))
                    }
                    _ => Err(wrong),
                }
            }
        }
        parsed!($name);
    )+ };
}

/// Deserialises from a text without telling it in an error.
macro_rules! parsed {
    ($name:ident) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
            }
        }
    };
}

seconds! {
    /// How long one request, with its answer, may take.
    Timeout 1..=120, 10;
    /// How often Alertmanager is told everything: it forgets an alert after five minutes, and all of them at a restart.
    Repeat 5..=90, 60;
    /// A broker tells that we are gone when it has heard nothing for one and a half of it.
    KeepAlive 5..=600, 30;
}

parsed!(HttpUrl);
parsed!(MqttUrl);
parsed!(Prefix);

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SinkConfig, String> {
        SinkConfig::parse("x", text.parse().unwrap())
    }

    #[test]
    fn every_key_of_every_sink_is_taken() {
        let file = parse("type='file'\npath='/var/log/x'").unwrap();
        let path = "/var/log/x".into();
        assert_eq!(file, SinkConfig::File(FileSink { path }));
        for text in [
            "type='file'\npath='-'",
            "type='cloudevents'\nurl='https://c.example:8443/in?token=t'\nbatched=true\n\
             token_file='/nonexistent/t'\nca_file='/c'\ntimeout='5s'",
            "type='alertmanager'\nurl='http://[::1]:9093/am'\nrepeat='30s'\ngenerator_url='https://n/'\n\
             token_file='/nonexistent/t'\ntimeout='5s'",
            "type='mqtt'\nurl='mqtts://b.example'\nprefix='site/a'\nusername='u'\n\
             password_file='/nonexistent/p'\nca_file='/c'\nkeep_alive='60s'\ntimeout='5s'",
        ] {
            parse(text).unwrap();
        }
        let SinkConfig::Mqtt(mqtt) = parse("type='mqtt'\nurl='mqtt://[::1]:1884/'").unwrap() else {
            panic!("a broker");
        };
        assert_eq!((mqtt.url.host.as_str(), mqtt.url.port), ("::1", 1884));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_key_and_never_by_a_value_that_may_be_a_secret() {
        for (text, says) in [
            ("path='/x'", "type: expected"),
            ("type='fax'", "type: expected"),
            ("type='file'", "missing field `path`"),
            ("type='file'\npath='x'", "absolute path"),
            ("type='file'\npath='/x'\nrotate=1", "unknown field `rotate`"),
            ("type='cloudevents'\nurl='ftp://s3cret'", "http:// or"),
            (
                "type='cloudevents'\nurl='https://u:s3cret@h/'",
                "no place in an address",
            ),
            ("type='cloudevents'\nurl='http:///s3cret'", "with a host"),
            (
                "type='cloudevents'\nurl='http://h/s3cret\\n'",
                "printable ASCII",
            ),
            (
                "type='cloudevents'\nurl='http://h/'\ntoken='s3cret'",
                "unknown field `token`",
            ),
            (
                "type='cloudevents'\nurl='http://h/'\nca_file='/c'",
                "without TLS",
            ),
            (
                "type='cloudevents'\nurl='http://h/'\ntoken_file='t'",
                "absolute path",
            ),
            (
                "type='alertmanager'\nurl='http://h'\nrepeat='300s'",
                "from \"5s\" to \"90s\"",
            ),
            (
                "type='alertmanager'\nurl='http://h'\nrepeat='+60s'",
                "from \"5s\"",
            ),
            ("type='mqtt'\nurl='mqtt://u:s3cret@h'", "no place in"),
            ("type='mqtt'\nurl='mqtt://h:x'", "expected a port"),
            ("type='mqtt'\nurl='mqtt://h'\nprefix='a/#'", "levels of"),
            ("type='mqtt'\nurl='mqtt://h'\nprefix='$SYS'", "levels of"),
            ("type='mqtt'\nurl='mqtt://h'\nusername='u'", "go together"),
        ] {
            let text = text
                .replace("\\n", "\n")
                .replace("'http://h/s3cret\n'", "\"http://h/s3cret\\n\"");
            let error = parse(&text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
            assert!(error.starts_with("sink.x: "), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let error = SinkConfig::parse("A b", Table::new()).unwrap_err();
        assert!(error.contains("no name of a sink"), "{error}");
    }

    #[test]
    fn a_secret_that_everybody_may_read_is_refused_when_the_configuration_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o604);
        file.as_file().set_permissions(open).unwrap();
        let text = format!(
            "type='cloudevents'\nurl='http://h/'\ntoken_file='{}'",
            file.path().display()
        );
        assert!(parse(&text).unwrap_err().contains("everybody"));
    }

    #[test]
    fn an_address_is_shown_as_its_origin() {
        let url = HttpUrl::parse("https://h.example:1/hook/s3cret?k=s3cret").unwrap();
        assert_eq!(url.to_string(), "https://h.example:1");
        assert_eq!(format!("{url:?}"), "HttpUrl(https://h.example:1)");
        let url = HttpUrl::parse("http://h").unwrap();
        assert_eq!(
            (url.expose(), url.to_string().as_str()),
            ("http://h", "http://h")
        );
    }
}
