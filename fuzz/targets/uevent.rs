//! A message of the kernel's uevent socket.
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::one_of;
use libhw::watch::Uevent;

const MESSAGES: &[&[u8]] = &[
    b"add@/devices/pci0000:00/0000:00:05.0\0ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:05.0\0SUBSYSTEM=pci\0SEQNUM=4711\0",
    b"online@/devices/system/cpu/cpu1\0ACTION=online\0SUBSYSTEM=cpu\0SEQNUM=1\0",
    b"libudev\0\xfe\xed\xca\xfe",
];

fn uevent(bytes: &[u8]) -> bool {
    let Some(event) = Uevent::parse(&one_of(MESSAGES, bytes)) else {
        return false;
    };
    let classes = event.classes().count();
    assert!(classes <= libhw::inventory::Class::ALL.len());
    true
}

gnomon_fuzz::target!(uevent);
