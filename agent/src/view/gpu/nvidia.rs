//! What NVIDIA's library and the kernel's log tell of its devices.

use libhw::device::gpu::nvml::{NvLinkEnd, Nvml, NvmlComputeMode, NvmlMode, NvmlPath, NvmlState};
use libhw::device::gpu::xid::{Xid, XidAction};
use libhw::device::gpu::{Adapter, Gpu};
use serde::Serialize;

use super::detail::{none, rows};
use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some, yes};

/// What is wrong with a device.
pub(super) fn bad(adapter: &Adapter) -> Option<String> {
    let nvml = adapter.nvml.as_deref();
    let state = nvml.and_then(|nvml| match nvml.state {
        NvmlState::Lost => Some("lost".to_owned()),
        NvmlState::ResetRequired => Some("must be reset".to_owned()),
        NvmlState::Answers | NvmlState::Unknown => None,
    });
    let rows = nvml.and_then(|nvml| nvml.now.memory.remapped_rows);
    let failed = rows.filter(|rows| rows.failed);
    let severe = |xid: &&Xid| {
        matches!(
            xid.action,
            XidAction::ResetDevice | XidAction::RestartMachine | XidAction::CheckBoard
        )
    };
    let xids = adapter.now.xids.iter().filter(severe);
    let xids = joined(xids.map(|xid| Some(xid.id.to_string())), ", ");
    some(joined(
        [
            state,
            failed.map(|_| "a row could not be remapped".to_owned()),
            some(xids).map(|xids| format!("XID {xids}")),
        ],
        ", ",
    ))
}

/// What is not as it should be.
pub(super) fn worrying(adapter: &Adapter) -> Option<String> {
    let nvml = adapter.nvml.as_deref()?;
    let memory = &nvml.now.memory;
    let rows = memory.remapped_rows.is_some_and(|rows| rows.pending);
    let pages = memory.retired_pages.and_then(|pages| pages.pending) == Some(true);
    let modes = [nvml.ecc, nvml.mig].into_iter().flatten();
    let mode = modes.into_iter().any(|mode| mode.current != mode.pending);
    let said = |is: bool, words: &str| is.then(|| words.to_owned());
    some(joined(
        [
            said(rows, "rows to be remapped at the next reset"),
            said(pages, "pages to be retired at the next reset"),
            said(mode, "a mode changes at the next reset"),
        ],
        ", ",
    ))
}

/// Writes all that the library and the log tell.
pub(super) fn view(gpu: &Gpu, page: &mut Page) {
    for table in [
        boards(gpu),
        errors(gpu),
        xids(gpu),
        instances(gpu),
        nvlinks(gpu),
        peers(gpu),
    ] {
        page.table(&table);
    }
}

/// The word that the JSON has for it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The rows of those devices that the library told of.
fn told<const COLUMNS: usize>(
    gpu: &Gpu,
    columns: [Column; COLUMNS],
    parts: impl Fn(&Nvml) -> Vec<[Cell; COLUMNS]>,
) -> Table {
    rows(gpu, columns, |adapter| {
        adapter.nvml.as_deref().map_or_else(Vec::new, &parts)
    })
}

fn boards(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("architecture"),
        Column::Left("part number"),
        Column::Left("ECC"),
        Column::Left("MIG"),
        Column::Left("persistent"),
        Column::Left("compute"),
        Column::Left("link"),
        Column::Right("BAR1"),
    ];
    let mode = |mode: Option<NvmlMode>| {
        mode.map_or_else(none, |mode| match (mode.current, mode.pending) {
            (true, true) => "on".into(),
            (false, false) => "off".into(),
            (true, false) => Cell::new("on, off after a reset", Paint::Warning),
            (false, true) => Cell::new("off, on after a reset", Paint::Warning),
        })
    };
    let compute = |mode: NvmlComputeMode| match mode {
        NvmlComputeMode::Default => "shared".to_owned(),
        other => word(&other),
    };
    told(gpu, columns, |nvml| {
        let link = nvml.now.link.zip(nvml.link_max).map(|(now, most)| {
            format!(
                "gen {} x{} of gen {} x{}",
                now.generation, now.width, most.generation, most.width
            )
        });
        vec![[
            none(),
            Cell::of(nvml.architecture.as_ref().map(word).as_ref()),
            Cell::of(nvml.board_part_number.as_ref()),
            mode(nvml.ecc),
            mode(nvml.mig),
            Cell::of(nvml.persistence.map(yes).as_ref()),
            Cell::of(nvml.compute_mode.map(compute).as_ref()),
            Cell::of(link.as_ref()),
            Cell::of(nvml.bar1_bytes.as_ref()),
        ]]
    })
}

fn errors(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("memory errors"),
        Column::Right("corrected"),
        Column::Right("uncorrected"),
        Column::Right("in its life"),
        Column::Right("uncorrected"),
    ];
    let faint = |count: Option<u64>| Cell::of(count.as_ref());
    let loud = |count: Option<u64>| {
        let paint = if count > Some(0) {
            Paint::Bad
        } else {
            Paint::Plain
        };
        count.map_or_else(none, |count| Cell::new(count.to_string(), paint))
    };
    told(gpu, columns, |nvml| {
        let memory = &nvml.now.memory;
        let counts = memory.ecc.iter().map(|count| {
            [
                none(),
                count.id.replace('_', " ").as_str().into(),
                faint(count.corrected_volatile),
                loud(count.uncorrected_volatile),
                faint(count.corrected_aggregate),
                loud(count.uncorrected_aggregate),
            ]
        });
        let rows = memory.remapped_rows.map(|rows| {
            let life = (u64::from(rows.corrected), u64::from(rows.uncorrected));
            [
                none(),
                "remapped rows".into(),
                none(),
                none(),
                faint(Some(life.0)),
                loud(Some(life.1)),
            ]
        });
        let pages = memory.retired_pages.map(|pages| {
            let [corrected, uncorrected] = [pages.corrected, pages.uncorrected];
            [
                none(),
                "retired pages".into(),
                none(),
                none(),
                faint(corrected.map(Into::into)),
                loud(uncorrected.map(Into::into)),
            ]
        });
        counts.chain(rows).chain(pages).collect()
    })
}

fn xids(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Right("XID"),
        Column::Wrap("meaning"),
        Column::Left("do"),
        Column::Right("times"),
        Column::Right("last, after boot"),
        Column::Wrap("in the driver's words"),
    ];
    rows(gpu, columns, |adapter| {
        let row = |xid: &Xid| {
            let action = match xid.action {
                XidAction::Unknown => String::new(),
                XidAction::None => "nothing".to_owned(),
                other => word(&other),
            };
            [
                none(),
                Cell::of(Some(&xid.id)),
                Cell::of(xid.meaning.as_ref()),
                action.as_str().into(),
                Cell::of(Some(&xid.count)),
                after_boot(xid.last_ns.0).as_str().into(),
                xid.last_text.as_str().into(),
            ]
        };
        adapter.now.xids.iter().map(row).collect()
    })
}

/// `3 d 04:05:06`.
fn after_boot(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days > 0 {
        format!("{days} d {clock}")
    } else {
        clock
    }
}

fn instances(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("instance"),
        Column::Left("profile"),
        Column::Right("memory"),
        Column::Right("multiprocessors"),
        Column::Left("uuid"),
    ];
    told(gpu, columns, |nvml| {
        let row = |instance: &libhw::device::gpu::nvml::MigInstance| {
            let ids = [instance.gpu_instance, instance.compute_instance];
            [
                none(),
                joined(ids.map(|id| id.map(|id| id.to_string())), "/")
                    .as_str()
                    .into(),
                Cell::of(instance.profile.as_ref()),
                Cell::of(instance.memory_bytes.as_ref()),
                Cell::of(instance.multiprocessors.as_ref()),
                instance.id.as_str().into(),
            ]
        };
        nvml.instances.iter().map(row).collect()
    })
}

fn nvlinks(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Right("NVLink"),
        Column::Left("state"),
        Column::Left("leads to"),
        Column::Right("replays"),
        Column::Right("recoveries"),
        Column::Right("CRC errors"),
    ];
    told(gpu, columns, |nvml| {
        let row = |link: &libhw::device::gpu::nvml::NvLink| {
            let end = link.remote.map(|end| match end {
                NvLinkEnd::Gpu => "GPU".to_owned(),
                NvLinkEnd::Switch => "NVSwitch".to_owned(),
                other => word(&other),
            });
            let crc = [link.now.crc_flit_errors, link.now.crc_data_errors];
            let crc = crc.into_iter().flatten().reduce(u64::saturating_add);
            [
                none(),
                Cell::of(Some(&link.id)),
                if link.now.active { "up" } else { "down" }.into(),
                joined([end, link.remote_function.clone()], " ")
                    .as_str()
                    .into(),
                Cell::of(link.now.replays.as_ref()),
                Cell::of(link.now.recoveries.as_ref()),
                Cell::of(crc.as_ref()),
            ]
        };
        nvml.nvlinks.iter().map(row).collect()
    })
}

fn peers(gpu: &Gpu) -> Table {
    let columns = [
        Column::Left("adapter"),
        Column::Left("other"),
        Column::Left("between them"),
        Column::Left("NVLink"),
    ];
    told(gpu, columns, |nvml| {
        let row = |peer: &libhw::device::gpu::nvml::NvmlPeer| {
            let path = match peer.path {
                NvmlPath::Board => "one board",
                NvmlPath::Switch => "one PCIe switch (PIX)",
                NvmlPath::Switches => "several PCIe switches (PXB)",
                NvmlPath::HostBridge => "a host bridge (PHB)",
                NvmlPath::Node => "host bridges of a node (NODE)",
                NvmlPath::System => "the link between nodes (SYS)",
                _ => "what this version does not know",
            };
            let count = usize::try_from(peer.nvlinks).unwrap_or(usize::MAX);
            let links = (count > 0).then(|| plural(count, "link"));
            [
                none(),
                peer.id.as_str().into(),
                path.into(),
                Cell::of(links.as_ref()),
            ]
        };
        nvml.peers.iter().map(row).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_after_boot_is_that_of_a_clock() {
        for (seconds, text) in [
            (0, "00:00:00"),
            (3_661, "01:01:01"),
            (90_061, "1 d 01:01:01"),
        ] {
            assert_eq!(after_boot(seconds * 1_000_000_000 + 999), text);
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        let mut adapter = Adapter::default();
        assert_eq!((bad(&adapter), worrying(&adapter)), (None, None));
        let json = serde_json::json!({
            "state": "lost", "ecc": {"current": true, "pending": false},
            "now": {"memory": {
                "remapped_rows": {"corrected": 0, "uncorrected": 1, "pending": true, "failed": true},
                "retired_pages": {"pending": true},
            }},
        });
        adapter.nvml = serde_json::from_value(json).unwrap();
        let xids = serde_json::json!([
            {"id": 13, "action": "restart_program", "count": 1, "first_ns": 1, "last_ns": 1},
            {"id": 79, "action": "restart_machine", "count": 2, "first_ns": 1, "last_ns": 1},
        ]);
        adapter.now.xids = serde_json::from_value(xids).unwrap();
        assert_eq!(
            bad(&adapter).unwrap(),
            "lost, a row could not be remapped, XID 79"
        );
        assert_eq!(
            worrying(&adapter).unwrap(),
            "rows to be remapped at the next reset, pages to be retired at the next reset, \
             a mode changes at the next reset"
        );
    }
}
