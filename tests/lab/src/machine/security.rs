//! The TPM and the IOMMU.

use serde::{Deserialize, Serialize};

use super::expected::Expected;
use super::plan::{Image, Plan, SideProcess, escape};

/// How the guest speaks to its TPM 2.0, which swtpm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tpm {
    /// By the Command Response Buffer.
    Crb,
    /// By the older TPM Interface Specification.
    Tis,
}

/// An IOMMU that QEMU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Iommu {
    /// Intel VT-d.
    Intel,
    /// virtio's: its driver is a module, so that only what is bound after it gets a group.
    Virtio,
}

impl Tpm {
    const fn device(self) -> &'static str {
        match self {
            Self::Crb => "tpm-crb",
            Self::Tis => "tpm-tis",
        }
    }

    pub(super) fn plan(self, plan: &mut Plan) {
        let (state, socket) = (plan.directory.join("tpm"), plan.directory.join("tpm.sock"));
        let told = |path: &std::path::Path| escape(&path.display().to_string());
        plan.processes.push(SideProcess {
            program: "swtpm".to_owned(),
            arguments: vec![
                "socket".to_owned(),
                "--tpm2".to_owned(),
                "--tpmstate".to_owned(),
                format!("dir={}", told(&state)),
                "--ctrl".to_owned(),
                format!("type=unixio,path={}", told(&socket)),
                "--terminate".to_owned(),
            ],
            socket: socket.clone(),
        });
        plan.directories.push(state);
        plan.option(
            "chardev",
            format!("socket,id=tpm-chardev,path={}", told(&socket)),
        );
        plan.option("tpmdev", "emulator,id=tpm-backend,chardev=tpm-chardev");
        plan.device(format!("{},tpmdev=tpm-backend", self.device()));
        plan.image = Image::Compressed;
    }

    pub(super) fn expect(self, expected: &mut Expected) {
        expected.rows("tpm.chips", ["tpm0"]);
        expected.is("tpm.chips[tpm0].version", "2.0");
        expected.is("tpm.chips[tpm0].driver", self.device().replace('-', "_"));
        for bank in ["sha256", "sha384"] {
            expected.is(format!("tpm.chips[tpm0].banks[{bank}].pcr_count"), 24);
        }
    }
}
