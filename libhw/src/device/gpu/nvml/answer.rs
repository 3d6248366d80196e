//! What the program writes, line by line, and how it joins the rows of the class.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::io::aside::{Ended, Ran};
use crate::survey::Survey;

use super::super::{Adapter, AdapterVendor};
use super::{Nvml, NvmlError, NvmlLibrary, NvmlRefusal, row};

/// Where the problems of the library stand.
const PLACE: &str = "nvml";

/// More devices than this are no answer.
const DEVICES_MAX: usize = 256;

/// The library has fewer functions that we call.
const REFUSALS_MAX: usize = 128;

/// A line of what the program writes.
///
/// ```text
/// {"calls":"nvmlInit_v2"}
/// {"library":{"driver_version":"550.54.15",…}}
/// {"calls":"nvmlDeviceGetName of 0000:81:00.0"}
/// {"device":{"function":"0000:81:00.0","name":"NVIDIA H100 PCIe",…}}
/// "done"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NvmlLine {
    /// What it is about to call: where it hangs or crashes when nothing follows.
    Calls(String),
    /// There is no library: a host without NVIDIA's driver.
    NoLibrary,
    /// The library is there, and cannot be loaded: why.
    BadLibrary(String),
    /// The library could not be initialised, or does not list its devices.
    Refuses(NvmlRefusal),
    /// The library.
    Library(NvmlLibrary),
    /// A device.
    Device(Box<NvmlDevice>),
    /// There is no more.
    Done,
}

/// A device as the library knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NvmlDevice {
    /// `nvmlDeviceGetPciInfo_v3`: its PCI function, as the kernel writes it.
    pub function: String,
    /// `nvmlDeviceGetName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `nvmlDeviceGetUUID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// `nvmlDeviceGetSerial`: the board's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// `nvmlDeviceGetVbiosVersion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vbios: Option<String>,
    /// The rest.
    pub nvml: Nvml,
}

/// Asks the library where there is an NVIDIA device, in a deep look or of a capture, and joins what it answers.
pub(in super::super) fn fill(survey: &Survey<'_>, adapters: &mut [Adapter]) -> Option<NvmlLibrary> {
    let wanted = survey.deep() || !survey.root().is_live();
    let is_nvidia =
        |adapter: &Adapter| adapter.vendor == AdapterVendor::Nvidia && adapter.function.is_some();
    if !wanted || !adapters.iter().any(is_nvidia) {
        return None;
    }
    let ran = survey.keep(survey.root().nvml())?;
    let mut reading = Reading::new(survey);
    for line in &ran.said {
        reading.line(line, adapters);
    }
    reading.end(&ran);
    reading.library
}

struct Reading<'a> {
    survey: &'a Survey<'a>,
    library: Option<NvmlLibrary>,
    /// What was called last.
    calls: String,
    done: bool,
    devices: usize,
    malformed: bool,
}

impl<'a> Reading<'a> {
    const fn new(survey: &'a Survey<'a>) -> Self {
        Self {
            survey,
            library: None,
            calls: String::new(),
            done: false,
            devices: 0,
            malformed: false,
        }
    }

    fn line(&mut self, line: &Value, adapters: &mut [Adapter]) {
        match NvmlLine::deserialize(line) {
            Ok(NvmlLine::Calls(what)) => self.calls = Error::cut(&what),
            Ok(NvmlLine::NoLibrary | NvmlLine::Done) => self.done = true,
            Ok(NvmlLine::BadLibrary(why)) => self.unreadable("library", Error::cut(&why)),
            Ok(NvmlLine::Refuses(refusal)) => {
                // Bound to another driver, or to none: nothing to ask.
                if refusal.error != NvmlError::DriverNotLoaded {
                    self.refused("", &refusal);
                }
            }
            Ok(NvmlLine::Library(library)) => {
                for refusal in library.unavailable.iter().take(REFUSALS_MAX) {
                    self.refused("", refusal);
                }
                self.library = Some(library);
            }
            Ok(NvmlLine::Device(device)) => self.device(*device, adapters),
            // One is enough to know.
            Err(_) if self.malformed => {}
            Err(_) => {
                self.malformed = true;
                let text = line
                    .as_str()
                    .map_or_else(|| line.to_string(), str::to_owned);
                let what = "a line that gnomon-nvml writes";
                self.survey
                    .report(Error::malformed(&format!("/{PLACE}"), what, &text));
            }
        }
    }

    fn device(&mut self, device: NvmlDevice, adapters: &mut [Adapter]) {
        self.devices += 1;
        if self.devices > DEVICES_MAX {
            return;
        }
        for refusal in device.nvml.unavailable.iter().take(REFUSALS_MAX) {
            self.refused(&format!("/{}", device.function), refusal);
        }
        let of_device =
            |adapter: &&mut Adapter| adapter.function.as_ref() == Some(&device.function);
        // One of another container's, or that went away meanwhile.
        let Some(adapter) = adapters.iter_mut().find(of_device) else {
            return;
        };
        row::join(device, adapter);
    }

    fn refused(&self, place: &str, refusal: &NvmlRefusal) {
        let path = format!("/{PLACE}{place}/{}", Error::cut(&refusal.id));
        if refusal.error == NvmlError::NoPermission {
            self.survey.report(Error::Denied { path });
        } else if !refusal.error.is_absence() {
            let source = io::Error::other(refusal.error.words());
            self.survey.report(Error::Read { path, source });
        }
    }

    /// What the end of the program says, beside its lines.
    fn end(&self, ran: &Ran) {
        let last = match &*self.calls {
            "" => String::new(),
            calls => format!(" in {calls}"),
        };
        match ran.ended {
            // NVIDIA's library may crash when it is unloaded; all was said by then.
            _ if self.done => {}
            Ended::Exited(0) => self.unreadable("", "ended before all was said".to_owned()),
            Ended::Exited(status) => {
                self.unreadable("", format!("ended with status {status}{last}"));
            }
            Ended::Killed(signal) => self.unreadable("", format!("ended by signal {signal}{last}")),
            Ended::TimedOut(limit_ms) => self.survey.report(Error::TimedOut {
                path: format!("/{PLACE}{}", last.replace(" in ", "/").replace(" of ", "/")),
                limit: std::time::Duration::from_millis(limit_ms),
            }),
            Ended::TooLong(limit) => self.survey.report(Error::TooLarge {
                path: format!("/{PLACE}"),
                limit,
            }),
        }
    }

    fn unreadable(&self, place: &str, why: String) {
        let slash = if place.is_empty() { "" } else { "/" };
        self.survey.report(Error::Read {
            path: format!("/{PLACE}{slash}{place}"),
            source: io::Error::other(why),
        });
    }
}
