//! The number of SR-IOV virtual functions, `Documentation/PCI/pci-iov-howto.rst`, `Documentation/ABI/testing/sysfs-bus-pci`.

use std::time::Duration;

use super::change::{self, Refused, Step, Writer};
use super::{Change, Mode, Outcome, Refusal};
use crate::device::pci::Address;
use crate::error::Result;
use crate::io::root::Root;
use crate::parse;

/// How long one write may take: each virtual function is added, and a driver may take it, before it ends.
const LIMIT: Duration = Duration::from_secs(60);

/// A physical function, and how many virtual ones it shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualFunctions {
    /// The physical function.
    pub address: Address,
    /// How many virtual functions it shall have.
    pub count: u64,
    /// `sriov_drivers_autoprobe`: whether the host's drivers may take the new ones; none leaves it as it is.
    pub autoprobe: Option<bool>,
    /// Whether to take virtual functions away even from `vfio-pci`: a guest that uses one loses it, and until it lets
    /// go the kernel waits.
    pub force: bool,
}

const DEVICES: &str = "sys/bus/pci/devices";

/// Sets the number of virtual functions.
///
/// The kernel takes another number only when there are none, so those that are there are removed first, and with them what
/// uses them. When the new number is refused there are as many as before, but they are new ones.
///
/// # Errors
/// On a captured tree.
pub fn virtual_functions(root: &Root, functions: &VirtualFunctions, mode: Mode) -> Result<Change> {
    let target = functions.address.to_string();
    let asked = change::asked("virtual_functions", target, functions.count.to_string());
    change::make(root, (mode, LIMIT), asked, |writer| set(writer, functions))
}

fn set(writer: &mut Writer<'_>, functions: &VirtualFunctions) -> Step<Outcome> {
    let directory = format!("{DEVICES}/{}", functions.address);
    let names = writer.root.names(&directory)?;
    let path = |name: &str| format!("{directory}/{name}");
    if names.is_empty() {
        return Err(Refused::invalid(format!(
            "no PCI function {}",
            functions.address
        )));
    }
    if !names.iter().any(|name| name == "sriov_numvfs") {
        return Err(Refused::unsupported(
            "not a function that can have virtual ones, or its driver is not loaded",
        ));
    }
    let most = writer.number(&path("sriov_totalvfs"))?;
    if let Some(most) = most.filter(|most| functions.count > *most) {
        return Err(Refused::invalid(format!(
            "{} virtual functions, and {most} is the most",
            functions.count
        )));
    }
    if let Some(autoprobe) = functions.autoprobe {
        writer.write_exactly(
            &path("sriov_drivers_autoprobe"),
            if autoprobe { "1" } else { "0" },
        )?;
    }
    let number = path("sriov_numvfs");
    let before = writer.number(&number)?.unwrap_or_default();
    if before == functions.count {
        return Ok(Outcome::Full);
    }
    if before > 0 && !functions.force {
        free(writer, &directory, &names)?;
    }
    if before > 0 && functions.count > 0 {
        writer.write_exactly(&number, "0")?;
    }
    let after = writer.write(&number, &functions.count.to_string())?;
    let accepted: u64 = parse::decimal(&after)
        .map_err(|_| Refused::new(Refusal::Failed, format!("/{number} says {after}")))?;
    match accepted {
        accepted if accepted == functions.count => Ok(Outcome::Full),
        accepted if (1..functions.count).contains(&accepted) => Ok(Outcome::Partial {
            accepted,
            asked: functions.count,
        }),
        accepted => {
            let detail = format!(
                "/{number} says {accepted} after {} was written",
                functions.count
            );
            Err(Refused::new(Refusal::Failed, detail))
        }
    }
}

/// A virtual function that `vfio-pci` has may be a guest's.
fn free(writer: &Writer<'_>, directory: &str, names: &[String]) -> Step<()> {
    let mut held = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("virtfn")) {
        let driver = writer.root.link(&format!("{directory}/{name}/driver"))?;
        if driver.is_some_and(|driver| driver.ends_with("/vfio-pci")) {
            held.push(name.trim_start_matches("virtfn"));
        }
    }
    if held.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "vfio-pci has the virtual functions {}, which guests may use",
        held.join(", ")
    );
    Err(Refused::new(Refusal::Busy, detail))
}
