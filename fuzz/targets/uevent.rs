//! A message of the kernel's uevent socket.
#![cfg_attr(fuzzing, no_main)]

use libhw::watch::Uevent;

fn uevent(bytes: &[u8]) -> bool {
    let Some(event) = Uevent::parse(bytes) else {
        return false;
    };
    let classes = event.classes().count();
    assert!(classes <= libhw::inventory::Class::ALL.len());
    true
}

gnomon_fuzz::target!(uevent);
