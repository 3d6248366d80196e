//! FPGA cards by their PCI ids (the kernel's dfl-pci, OPAE's and AWS's tables).

use crate::directory::Identity;

/// Vendor, device, subsystem where the device id is shared, and what it is.
const MODELS: &[(u16, u16, Option<u16>, &str)] = &[
    (0x8086, 0xbcbd, None, "Intel integrated FPGA (MCP)"),
    (
        0x8086,
        0xbcbf,
        None,
        "Intel integrated FPGA (MCP), virtual function",
    ),
    (0x8086, 0xbcc0, None, "Intel Xeon with integrated FPGA"),
    (
        0x8086,
        0xbcc1,
        None,
        "Intel Xeon with integrated FPGA, virtual function",
    ),
    (0x8086, 0x09c4, None, "Intel PAC with Arria 10 GX"),
    (
        0x8086,
        0x09c5,
        None,
        "Intel PAC with Arria 10 GX, virtual function",
    ),
    (0x8086, 0x0b2b, None, "Intel PAC D5005"),
    (0x8086, 0x0b2c, None, "Intel PAC D5005, virtual function"),
    (0x8086, 0x0b30, None, N3000),
    (0x8086, 0x0b31, None, "Intel PAC N3000, virtual function"),
    (0x8086, 0xbcce, Some(0x138d), "Intel PAC D5005 (OFS)"),
    (0x8086, 0xbcce, Some(0x1770), "Intel IPU/SmartNIC N6000"),
    (0x8086, 0xbcce, Some(0x1771), "Intel N6001"),
    (0x8086, 0xbcce, Some(0x17d4), "Intel IPU C6100"),
    (0x8086, 0xbcce, None, "Intel Open FPGA Stack"),
    (
        0x8086,
        0xbccf,
        None,
        "Intel Open FPGA Stack, virtual function",
    ),
    (0x8086, 0xaf00, None, "Intel Open FPGA Stack"),
    (
        0x8086,
        0xaf01,
        None,
        "Intel Open FPGA Stack, virtual function",
    ),
    (0x1c2c, 0x1000, None, "Silicom N5010"),
    (0x1c2c, 0x1001, None, "Silicom N5011"),
    (0x1d0f, 0xf000, None, "AWS FPGA without an image"),
    (0x1d0f, 0xf001, None, "AWS FPGA"),
];

const N3000: &str = "Intel PAC N3000";

/// Xilinx, which is AMD now: its functions of class 12h, processing accelerators, are cards.
const XILINX: u16 = 0x10ee;

/// Altera: the same.
const ALTERA: u16 = 0x1172;

/// What a function is called, when it is known.
pub(super) fn name(identity: &Identity) -> Option<&'static str> {
    let same = |(vendor, device, subsystem, _): &&(u16, u16, Option<u16>, &str)| {
        (*vendor, *device) == (identity.vendor, identity.device)
            && subsystem.is_none_or(|subsystem| subsystem == identity.subsystem_device)
    };
    MODELS.iter().find(same).map(|(.., name)| *name)
}

/// Whether it is a card, be its name known or not.
pub(super) fn is_card(identity: &Identity) -> bool {
    let accelerator = identity.class >> 16 == 0x12;
    accelerator && matches!(identity.vendor, XILINX | ALTERA) || name(identity).is_some()
}

/// Whether a model's image says more of itself than others'.
pub(super) fn is_n3000(model: Option<&str>) -> bool {
    model == Some(N3000)
}
