//! What a TPM answers when it is asked for its properties.
#![cfg_attr(fuzzing, no_main)]

use libhw::device::tpm::Properties;

/// A chip's maker, model, firmware, and state.
const PROPERTIES: &[(u32, u32)] = &[
    (0x102, 138),
    (0x104, 2018),
    (0x105, 0x4946_5800),
    (0x106, 0x534c_4239),
    (0x10b, 0x0007_0055),
    (0x10c, 0x0011_cb00),
    (0x12d, 1),
    (0x200, 0x201),
    (0x20e, 2),
];

fn tpm(bytes: &[u8]) -> bool {
    let mut answer = vec![0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 9];
    for (property, value) in PROPERTIES {
        answer.extend(property.to_be_bytes());
        answer.extend(value.to_be_bytes());
    }
    answer[5] = u8::try_from(answer.len()).expect("a short answer");
    // Two bytes of the input are a place and what stands there instead.
    for change in bytes.chunks_exact(2).take(4) {
        let place = usize::from(change[0]) % answer.len();
        answer[place] = change[1];
    }
    let mut properties = Properties::default();
    let taken = properties.take(&answer).is_ok();
    let deep = properties.deep();
    assert!(deep.vendor_string.is_none_or(|text| text.len() <= 16));
    let raw = Properties::default().take(bytes);
    taken || raw.is_ok()
}

gnomon_fuzz::target!(tpm);
