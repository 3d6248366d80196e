//! A list in the format of pci.ids: of a sorted one every name is found and no other; of any, the search ends.
#![cfg_attr(fuzzing, no_main)]

use std::collections::BTreeMap;
use std::fmt::Write;

use arbitrary::{Result, Unstructured};
use gnomon_fuzz::mutant::{rarely, spoilt_text};
use libhw::device::pci::{self, Function, Pci};

/// No list has more vendors.
const VENDORS_MAX: usize = 12;

/// No machine has more functions.
const FUNCTIONS_MAX: usize = 16;

/// What a list says: names by vendor and device, the vendor's own by none.
type Names = BTreeMap<(u16, Option<u16>), String>;

/// A sorted list, of one that fits in a few bytes to one of several pieces.
fn list(bytes: &mut Unstructured<'_>) -> Result<(String, Names)> {
    let (mut text, mut names) = (String::new(), Names::new());
    let mut vendor = 0_u16;
    for _ in 0..VENDORS_MAX {
        if bytes.is_empty() {
            break;
        }
        vendor = vendor.saturating_add(1 + bytes.arbitrary::<u16>()? / 8);
        let name = "x".repeat(usize::from(bytes.int_in_range(1..=90_u8)?));
        let _ = writeln!(text, "{vendor:04x}  V{name}");
        names.insert((vendor, None), format!("V{name}"));
        let count = bytes.int_in_range(1..=200_u16)?;
        let step = bytes.int_in_range(1..=300_u16)?;
        for device in (0..count).map(|index| index * step) {
            let _ = writeln!(text, "\t{device:04x}  D{device} {name}");
            names.insert((vendor, Some(device)), format!("D{device} {name}"));
            if device % 7 == 3 {
                let _ = writeln!(text, "\t\t{vendor:04x} {device:04x}  Board");
            }
        }
        if rarely(bytes, 4) {
            text.push_str("# a comment\n\n");
        }
        if vendor == u16::MAX {
            break;
        }
    }
    Ok((text, names))
}

/// Functions whose names stand in the list, mostly.
fn functions(names: &Names, bytes: &mut Unstructured<'_>) -> Result<Vec<Function>> {
    let known: Vec<_> = names.keys().collect();
    let mut functions = Vec::new();
    while !known.is_empty() && functions.len() < FUNCTIONS_MAX {
        let (vendor_id, device) = **bytes.choose(&known)?;
        let known = device.filter(|_| !rarely(bytes, 8));
        functions.push(Function {
            vendor_id,
            device_id: known.map_or_else(|| bytes.arbitrary(), Ok)?,
            class_id: bytes.arbitrary::<u32>()? & 0xff_ffff,
            ..Function::default()
        });
    }
    Ok(functions)
}

fn pci_ids(bytes: &[u8]) -> bool {
    let mut rest = Unstructured::new(bytes);
    let spoilt = rarely(&mut rest, 3);
    // A part is the functions', since the list may take all that it is given.
    let mut head = Unstructured::new(rest.bytes(rest.len() / 3).unwrap_or_default());
    let Ok((text, names)) = list(&mut rest) else {
        return false;
    };
    let Ok(functions) = functions(&names, &mut head) else {
        return false;
    };
    let mut pci = Pci { functions };
    let text = match spoilt {
        true => spoilt_text(text.as_bytes(), &mut head).unwrap_or_default(),
        false => text.into_bytes(),
    };
    pci::name(&mut pci, &text);
    for function in pci.functions.iter().filter(|_| !spoilt) {
        let said = |device| names.get(&(function.vendor_id, device));
        assert_eq!(function.vendor.as_ref(), said(None), "{function:?}");
        if let Some(device) = said(Some(function.device_id)) {
            assert_eq!(function.device.as_ref(), Some(device), "{function:?}");
        }
    }
    let named = |function: &Function| {
        function
            .device
            .as_deref()
            .is_some_and(|name| name.starts_with('D'))
    };
    pci.functions.iter().any(named)
}

gnomon_fuzz::target!(pci_ids);
