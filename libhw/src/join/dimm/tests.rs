use super::*;
use crate::device::memory::{EdacController, EdacDimmNow, EdacKind};
use crate::units::Bytes;

const GIB: u64 = 1 << 30;

fn device(bank: &str, locator: &str, gib: u64) -> Device {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Device {
        id: format!("{bank}/{locator}"),
        locator: text(locator),
        bank_locator: text(bank),
        population: if gib > 0 {
            Population::Populated
        } else {
            Population::Empty
        },
        size_bytes: (gib > 0).then_some(Bytes(gib * GIB)),
        ..Device::default()
    }
}

fn dimm(id: &str, label: &str, location: &str, gib: u64, corrected: u64) -> EdacDimm {
    let (controller, name) = id.split_once('/').unwrap();
    let kind = match name.trim_end_matches(|sign: char| sign.is_ascii_digit()) {
        "rank" => EdacKind::Rank,
        "csrow" => EdacKind::Csrow,
        _ => EdacKind::Dimm,
    };
    EdacDimm {
        id: id.to_owned(),
        controller: controller.to_owned(),
        kind,
        label: Some(label.to_owned()),
        location: Some(location.to_owned()),
        size_bytes: Some(Bytes(gib * GIB)),
        now: EdacDimmNow {
            corrected: Some(corrected),
            uncorrected: Some(0),
        },
        ..EdacDimm::default()
    }
}

fn memory(devices: Vec<Device>, dimms: Vec<EdacDimm>) -> Memory {
    let mut controllers: Vec<String> = dimms.iter().map(|dimm| dimm.controller.clone()).collect();
    controllers.sort();
    controllers.dedup();
    let controller = |id| EdacController {
        id,
        ..EdacController::default()
    };
    Memory {
        devices,
        edac_dimms: dimms,
        edac_controllers: controllers.into_iter().map(controller).collect(),
        ..Memory::default()
    }
}

/// Of each stick that was matched its locator, its counters, what the match rests on, and its corrected errors.
fn seen(memory: &Memory) -> Vec<(&str, Vec<&str>, Basis, Option<u64>)> {
    let sticks = sticks(memory).into_iter();
    sticks
        .filter_map(|stick| {
            let ids = stick.counters.iter().map(|dimm| dimm.id.as_str()).collect();
            let locator = stick.device.locator.as_deref().unwrap_or_default();
            Some((locator, ids, stick.basis?, stick.corrected))
        })
        .collect()
}

#[test]
fn a_label_that_is_the_sockets_name_is_certain() {
    for (first, second) in [("DIMM_A1", "dimm a2"), ("NODE 1 DIMM_A1", "NODE 1 DIMM_A2")] {
        let memory = memory(
            vec![
                device("NODE 1", "DIMM_A1", 16),
                device("NODE 1", "DIMM_A2", 16),
                device("NODE 1", "DIMM_A3", 0),
            ],
            vec![
                dimm("mc0/dimm1", second, "memory 1", 16, 5),
                dimm("mc0/dimm0", first, "memory 0", 16, 0),
                dimm("mc0/dimm7", "elsewhere", "memory 7", 16, 9),
            ],
        );
        assert_eq!(
            seen(&memory),
            [
                ("DIMM_A1", vec!["mc0/dimm0"], Basis::Label, Some(0)),
                ("DIMM_A2", vec!["mc0/dimm1"], Basis::Label, Some(5)),
            ]
        );
        assert_eq!(Basis::Label.confidence(), Confidence::Certain);
        let left: Vec<&str> = unmatched(&memory)
            .iter()
            .map(|dimm| dimm.id.as_str())
            .collect();
        assert_eq!(left, ["mc0/dimm7"]);
    }
}

#[test]
fn a_label_that_two_sockets_have_names_neither() {
    let devices = vec![device("", "DIMM 0", 16), device("", "DIMM 0", 16)];
    let memory = memory(
        devices,
        vec![dimm("mc0/dimm0", "DIMM 0", "memory 0", 16, 1)],
    );
    assert_eq!(seen(&memory), []);
    assert_eq!(unmatched(&memory).len(), 1);
}

#[test]
fn the_ranks_of_the_only_stick_are_all_its() {
    let devices = vec![device("BANK 0", "A1", 16), device("BANK 1", "A2", 0)];
    let ranks = vec![
        dimm(
            "mc0/rank0",
            "mc#0csrow#0channel#0",
            "csrow 0 channel 0",
            8,
            3,
        ),
        dimm(
            "mc0/rank2",
            "mc#0csrow#1channel#0",
            "csrow 1 channel 0",
            8,
            4,
        ),
    ];
    let memory = memory(devices, ranks);
    let ranks = vec!["mc0/rank0", "mc0/rank2"];
    assert_eq!(seen(&memory), [("A1", ranks, Basis::Only, Some(7))]);
}

/// Two processors with two controllers of three channels, as skx_edac labels them; sockets as firmware numbers them.
fn two_processors() -> (Vec<Device>, Vec<EdacDimm>) {
    let (mut devices, mut dimms) = (Vec::new(), Vec::new());
    for processor in 0..2_u64 {
        for channel in 0..6_u64 {
            for slot in 0..2_u64 {
                let gib = if slot == 0 { 16 << (channel % 2) } else { 0 };
                let bank = format!("P{processor}_Node{processor}_Channel{channel}_Dimm{slot}");
                devices.push(device(
                    &bank,
                    &format!("P{}-{channel}-{slot}", processor + 1),
                    gib,
                ));
                if gib > 0 {
                    let (controller, own) = (channel / 3, channel % 3);
                    let label =
                        format!("CPU_SrcID#{processor}_MC#{controller}_Chan#{own}_DIMM#{slot}");
                    let id = format!("mc{}/dimm{}", processor * 2 + controller, own * 2 + slot);
                    let location = format!("channel {own} slot {slot}");
                    dimms.push(dimm(&id, &label, &location, gib, processor * 100 + channel));
                }
            }
        }
    }
    (devices, dimms)
}

#[test]
fn numbers_that_agree_on_both_sides_are_likely() {
    let (devices, dimms) = two_processors();
    let memory = memory(devices, dimms);
    let seen = seen(&memory);
    assert_eq!(seen.len(), 12);
    for (locator, counters, basis, corrected) in &seen {
        assert_eq!((*basis, counters.len()), (Basis::Numbers, 1));
        let mut parts = locator[1..]
            .split('-')
            .map(|part| part.parse::<u64>().unwrap());
        let (processor, channel) = (parts.next().unwrap() - 1, parts.next().unwrap());
        assert_eq!(*corrected, Some(processor * 100 + channel), "{locator}");
    }
    assert_eq!(Basis::Numbers.confidence(), Confidence::Likely);
    assert!(unmatched(&memory).is_empty());
}

#[test]
fn one_size_that_contradicts_undoes_every_match_by_place() {
    let (mut devices, dimms) = two_processors();
    devices[0].size_bytes = Some(Bytes(64 * GIB));
    let contradicted = memory(devices, dimms);
    assert_eq!(seen(&contradicted), []);
    assert_eq!(unmatched(&contradicted).len(), 12);
    let (devices, mut dimms) = two_processors();
    dimms.pop();
    assert_eq!(seen(&memory(devices, dimms)), []);
}

#[test]
fn ranks_are_put_together_to_sticks_and_letters_are_a_guess() {
    // 4 sticks of 32 GiB with two ranks each: the kernel shows 8 of 16 GiB.
    let mut devices = Vec::new();
    let mut ranks = Vec::new();
    for (channel, letter) in (0..4_u64).zip(["A", "B", "C", "D"]) {
        for slot in 0..2_u64 {
            let gib = if slot == 1 { 32 } else { 0 };
            devices.push(device(
                &format!("P0 CHANNEL {letter}"),
                &format!("DIMM {slot}"),
                gib,
            ));
        }
        for row in 2..4_u64 {
            let id = format!("mc0/rank{}", row * 4 + channel);
            let label = format!("mc#0csrow#{row}channel#{channel}");
            let location = format!("csrow {row} channel {channel}");
            ranks.push(dimm(&id, &label, &location, 16, channel + row));
        }
    }
    let memory = memory(devices, ranks);
    let seen = seen(&memory);
    assert_eq!(seen.len(), 4);
    let expected = (
        "DIMM 1",
        vec!["mc0/rank9", "mc0/rank13"],
        Basis::Order,
        Some(7),
    );
    assert_eq!(seen[1], expected);
    assert_eq!(Basis::Order.confidence(), Confidence::Guess);
}

#[test]
fn a_row_of_old_belongs_to_the_sticks_of_its_channels() {
    let mut row = dimm("mc0/csrow0", "", "", 8, 9);
    row.label = None;
    row.channels = [(0, "DIMM_A1", 4), (1, "DIMM_B1", 5)]
        .map(|(id, label, corrected)| EdacChannel {
            id,
            label: Some(label.to_owned()),
            now: EdacDimmNow {
                corrected: Some(corrected),
                uncorrected: None,
            },
        })
        .to_vec();
    let memory = memory(
        vec![device("", "DIMM_A1", 4), device("", "DIMM_B1", 4)],
        vec![row],
    );
    let of = |locator: &str| {
        let sticks = sticks(&memory);
        let stick = sticks
            .iter()
            .find(|one| one.device.locator.as_deref() == Some(locator));
        stick
            .map(|stick| (stick.corrected, stick.uncorrected))
            .unwrap()
    };
    assert_eq!(
        (of("DIMM_A1"), of("DIMM_B1")),
        ((Some(4), None), (Some(5), None))
    );
    assert!(unmatched(&memory).is_empty());
}

#[test]
fn nothing_is_matched_with_nothing() {
    assert!(sticks(&Memory::default()).is_empty());
    let dimms = vec![dimm("mc0/dimm0", "", "", 1, 0)];
    assert_eq!(unmatched(&memory(Vec::new(), dimms)).len(), 1);
    let devices = vec![device("A", "B", 1), device("A", "C", 1)];
    assert_eq!(seen(&memory(devices, Vec::new())), []);
}
