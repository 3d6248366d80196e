//! The SMBIOS structures about memory, put together: errors and addresses go to whom they are about.

use std::collections::BTreeMap;

use super::{Array, Device, ErrorRecord, Range, array, error_record, range, stick};
use crate::dmi::{self, name_of};
use crate::smbios::Structure;
use crate::survey::Survey;

/// What the tables say of memory.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) version: Option<String>,
    pub(super) arrays: Vec<Array>,
    pub(super) devices: Vec<Device>,
    errors: BTreeMap<u16, ErrorRecord>,
    /// By the handle of the array or the device.
    ranges: BTreeMap<u16, Vec<Range>>,
    /// The handle of the error of each array and each device, in their order.
    array_errors: Vec<Option<u16>>,
    device_errors: Vec<Option<u16>>,
    array_handles: Vec<u16>,
}

/// Reads them. Only root may; then one problem says so.
pub(super) fn read(survey: &Survey<'_>) -> Tables {
    let mut tables = Tables::default();
    let entry_point = dmi::walk(survey, |structure| tables.take(structure));
    tables.version = entry_point.map(|entry| entry.version.to_string());
    tables.joined()
}

impl Tables {
    fn take(&mut self, structure: &Structure<'_>) {
        match structure.kind {
            16 => {
                self.arrays.push(array::array(structure));
                self.array_handles.push(structure.handle);
                self.array_errors.push(structure.word(0x0b));
            }
            17 => {
                let array = structure.word(0x04).filter(|handle| *handle < NO_HANDLE);
                self.devices.push(Device {
                    array: array.map(name_of),
                    ..stick::device(structure)
                });
                self.device_errors.push(structure.word(0x06));
            }
            18 => drop(
                self.errors
                    .insert(structure.handle, error_record::narrow(structure)),
            ),
            33 => drop(
                self.errors
                    .insert(structure.handle, error_record::wide(structure)),
            ),
            19 => self.place(structure.word(0x0c), range::of_array(structure)),
            20 => self.place(structure.word(0x0c), range::of_device(structure)),
            _ => {}
        }
    }

    fn place(&mut self, handle: Option<u16>, range: Option<Range>) {
        if let Some((handle, range)) = handle.zip(range) {
            self.ranges.entry(handle).or_default().push(range);
        }
    }

    fn joined(mut self) -> Self {
        let error = |handle: &Option<u16>| self.errors.get(&(*handle)?).cloned();
        let handles = self.array_handles.iter().zip(&self.array_errors);
        for (array, (handle, failed)) in self.arrays.iter_mut().zip(handles) {
            array.error = error(failed);
            array.ranges = self.ranges.get(handle).cloned().unwrap_or_default();
        }
        for (device, failed) in self.devices.iter_mut().zip(&self.device_errors) {
            device.error = error(failed);
            device.ranges = self.ranges.get(&device.handle).cloned().unwrap_or_default();
        }
        name(&mut self.devices);
        self
    }
}

/// Handles from here on stand for none: `not provided` and `no error`.
const NO_HANDLE: u16 = 0xfffe;

/// Gives each device the shortest id that no other has: its locator, the bank's in front, or with its handle.
fn name(devices: &mut [Device]) {
    let short = |device: &Device| device.locator.clone();
    let long = |device: &Device| {
        let bank = device.bank_locator.as_ref()?;
        Some(format!("{bank}/{}", device.locator.as_ref()?))
    };
    let (shorts, longs) = (counted(devices, short), counted(devices, long));
    for device in devices {
        let only = |name: Option<String>, counts: &BTreeMap<String, usize>| {
            name.filter(|name| counts.get(name) == Some(&1))
        };
        let handle = name_of(device.handle);
        let named = only(short(device), &shorts).or_else(|| only(long(device), &longs));
        device.id = named.unwrap_or_else(|| match &device.locator {
            Some(locator) => format!("{locator}@{handle}"),
            None => handle,
        });
    }
}

fn counted(
    devices: &[Device],
    name: impl Fn(&Device) -> Option<String>,
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in devices.iter().filter_map(name) {
        *counts.entry(name).or_default() += 1;
    }
    counts
}
