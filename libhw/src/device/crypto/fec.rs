//! vRAN accelerators for forward error correction: who has them. What they do is set up by programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Binding, Role};
use crate::directory::{self, Directory};
use crate::parse;
use crate::survey::Survey;

/// An accelerator for forward error correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fec {
    /// The address of its PCI function.
    pub id: String,
    /// The same, as every class has it.
    pub function: String,
    /// What it is called.
    pub model: String,
    /// Whether it is a physical or a virtual function.
    pub role: Role,
    /// The driver bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// What that means; a driver of its own is told by its name.
    pub binding: Binding,
    /// `sriov_totalvfs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vfs_total: Option<u32>,
    /// How many virtual functions there are (`virtfn*`); absent where there can be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vfs: Option<u32>,
    /// How many of them each driver has; `none` for those that no driver has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vf_drivers: BTreeMap<String, u32>,
}

/// More virtual functions than any of these has.
const VFS_MAX: usize = 256;

/// One function.
pub(super) fn read(
    survey: &Survey<'_>,
    function: &Directory<'_>,
    model: &str,
    virtual_function: bool,
) -> Fec {
    let driver = function.link_name("driver");
    let vfs_total = function.value("sriov_totalvfs", parse::decimal);
    let mut vfs = vfs_total.map(|_| 0);
    let mut vf_drivers: BTreeMap<String, u32> = BTreeMap::new();
    let links = function.names().filter(|name| name.starts_with("virtfn"));
    for link in links.take(VFS_MAX) {
        let Some(address) = function.link_name(link) else {
            continue;
        };
        let path = format!("{}/{address}/driver", directory::FUNCTIONS);
        let driver = survey.link_name(&path).unwrap_or_else(|| "none".to_owned());
        *vfs.get_or_insert_default() += 1;
        *vf_drivers.entry(driver).or_default() += 1;
    }
    Fec {
        id: function.name().to_owned(),
        function: function.name().to_owned(),
        model: model.to_owned(),
        role: if virtual_function { Role::Vf } else { Role::Pf },
        binding: binding(driver.as_deref()),
        driver,
        vfs_total,
        vfs,
        vf_drivers,
    }
}

fn binding(driver: Option<&str>) -> Binding {
    match driver {
        None => Binding::None,
        Some("vfio-pci") => Binding::Vfio,
        Some("igb_uio" | "uio_pci_generic") => Binding::Uio,
        Some("pci-pf-stub" | "pf_bb") => Binding::Stub,
        Some(other) => Binding::Other(other.to_owned()),
    }
}
