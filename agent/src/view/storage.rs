//! Storage: disks, partitions, NVMe, arrays, mapped devices, mounts.

use libhw::device::storage::{
    Array, ArrayLevel, ArrayState, DeviceState, Disk, MapKind, MappedDevice, MemberState, Mount,
    Storage, SyncAction, Transport,
};
use libhw::inventory::Inventory;
use libhw::units::Bytes;
use serde::Serialize;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some};

mod health;
mod ports;

use health::{controllers, failing, health, warnings};
use ports::{fibre_channel, sas};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(storage) = &inventory.storage else {
        return;
    };
    page.title("Storage");
    page.table(&disks(storage));
    page.table(&health(storage));
    page.table(&controllers(storage));
    page.table(&arrays(storage));
    page.table(&mapped(storage));
    page.table(&fibre_channel(storage));
    page.table(&sas(storage, detail));
    if detail {
        page.table(&partitions(storage));
        page.table(&namespaces(storage));
        page.table(&loops(storage));
    }
    page.table(&mounts(storage, detail));
}

/// How many disks and how large, and what is not well.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let storage = inventory.storage.as_ref()?;
    let real: Vec<&Disk> = storage.disks.iter().filter(|disk| is_drive(disk)).collect();
    let size = real
        .iter()
        .filter_map(|disk| disk.size_bytes)
        .map(|size| size.0);
    let size = Bytes(size.fold(0, u64::saturating_add));
    let count = |count: usize, noun| (count > 0).then(|| plural(count, noun));
    let degraded = storage
        .arrays
        .iter()
        .filter(|array| array.degraded > Some(0))
        .count();
    let failing = storage
        .disks
        .iter()
        .filter(|disk| failing(disk) == Some(true))
        .count();
    let warned = storage
        .nvme_controllers
        .iter()
        .filter(|controller| warnings(controller).is_some());
    let unwell = failing + warned.count();
    some(joined(
        [
            (!real.is_empty()).then(|| format!("{}, {size}", plural(real.len(), "disk"))),
            count(storage.arrays.len(), "array"),
            (degraded > 0).then(|| format!("{degraded} degraded")),
            count(storage.mapped_devices.len(), "mapped device"),
            count(storage.fc_hosts.len(), "Fibre Channel port"),
            count(storage.sas_phys.len(), "SAS phy"),
            count(storage.mounts.len(), "mount"),
            (unwell > 0).then(|| format!("{} in bad health", plural(unwell, "drive"))),
        ],
        ", ",
    ))
}

/// A drive of its own, and neither made of others nor a way to one.
fn is_drive(disk: &Disk) -> bool {
    disk.transport.is_some() && disk.hidden != Some(true)
}

/// The word that the JSON has for it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text.replace('_', " "),
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn maybe(value: Option<&impl Serialize>) -> Cell {
    Cell::of(value.map(word).as_ref())
}

fn disks(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("disk"),
        Column::Right("size"),
        Column::Left("transport"),
        Column::Wrap("model"),
        Column::Left("firmware"),
        Column::Left("function"),
        Column::Right("sector"),
        Column::Left("kind"),
        Column::Left("scheduler"),
        Column::Left("state"),
        Column::Wrap("made of"),
    ]);
    for disk in &storage.disks {
        let model = [
            disk.vendor
                .clone()
                .filter(|vendor| vendor != "ATA" && !vendor.starts_with("0x")),
            disk.model.clone(),
        ];
        table.row([
            disk.id.as_str().into(),
            Cell::of(disk.size_bytes.as_ref()),
            maybe(disk.transport.as_ref()),
            joined(model, " ").into(),
            Cell::of(disk.firmware.as_ref()),
            Cell::of(disk.function.as_ref()),
            sector(disk).into(),
            kind(disk).into(),
            Cell::of(
                disk.scheduler
                    .as_ref()
                    .filter(|scheduler| *scheduler != "none"),
            ),
            state(disk),
            disk.slaves.join(", ").into(),
        ]);
    }
    table
}

/// `512/4096`: the block that is addressed, and the one that is written where that is another.
fn sector(disk: &Disk) -> String {
    let logical = disk.logical_block_bytes.map(|size| size.0.to_string());
    let physical = disk.physical_block_bytes.map(|size| size.0.to_string());
    let physical = physical.filter(|physical| Some(physical) != logical.as_ref());
    joined([logical, physical], "/")
}

fn kind(disk: &Disk) -> String {
    let real = matches!(
        disk.transport,
        Some(
            Transport::Sata
                | Transport::Sas
                | Transport::Fc
                | Transport::Iscsi
                | Transport::Usb
                | Transport::Scsi
        )
    );
    let turns = disk.rotational.filter(|_| real);
    joined(
        [
            turns.map(|turns| if turns { "disc" } else { "solid state" }),
            (disk.removable == Some(true)).then_some("removable"),
            (disk.read_only == Some(true)).then_some("read-only"),
            (disk.hidden == Some(true)).then_some("hidden"),
        ],
        ", ",
    )
}

fn state(disk: &Disk) -> Cell {
    match &disk.state {
        None | Some(DeviceState::Running) => Cell::default(),
        Some(state) => Cell::new(word(state), Paint::Bad),
    }
}

fn arrays(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("array"),
        Column::Left("level"),
        Column::Left("state"),
        Column::Right("devices"),
        Column::Left("missing"),
        Column::Left("busy with"),
        Column::Right("done"),
        Column::Wrap("members"),
    ]);
    for array in &storage.arrays {
        let missing = match array.degraded {
            Some(0) | None => Cell::default(),
            Some(count) => Cell::new(count.to_string(), Paint::Bad),
        };
        let busy = array
            .sync_action
            .as_ref()
            .filter(|action| **action != SyncAction::Idle);
        table.row([
            array.id.as_str().into(),
            maybe(array.level.as_ref()),
            array_state(array),
            Cell::of(array.raid_disks.as_ref()),
            missing,
            maybe(busy),
            done(array).into(),
            members(array).into(),
        ]);
    }
    table
}

fn array_state(array: &Array) -> Cell {
    let Some(state) = &array.state else {
        return Cell::default();
    };
    // A container only holds others, and never runs.
    let idle = *state == ArrayState::Inactive && array.level != Some(ArrayLevel::Container);
    let paint = if *state == ArrayState::Broken || idle {
        Paint::Bad
    } else {
        Paint::Plain
    };
    Cell::new(word(state), paint)
}

fn done(array: &Array) -> String {
    let (Some(done), Some(total)) = (array.now.sync_done_bytes, array.now.sync_total_bytes) else {
        return String::new();
    };
    let percent = u128::from(done.0) * 100 / u128::from(total.0.max(1));
    format!("{percent} %")
}

/// `sda1, sdb1 (faulty)`.
fn members(array: &Array) -> String {
    let words = array.members.iter().map(|member| {
        let odd = member
            .state
            .iter()
            .filter(|state| **state != MemberState::InSync);
        let odd = joined(odd.map(|state| Some(word(state))), ", ");
        Some(if odd.is_empty() {
            member.id.clone()
        } else {
            format!("{} ({odd})", member.id)
        })
    });
    joined(words, ", ")
}

fn mapped(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("mapped"),
        Column::Wrap("name"),
        Column::Left("kind"),
        Column::Left("state"),
        Column::Wrap("made of"),
    ]);
    for device in &storage.mapped_devices {
        let suspended = if device.suspended == Some(true) {
            Cell::new("suspended", Paint::Warning)
        } else {
            Cell::default()
        };
        table.row([
            device.id.as_str().into(),
            mapped_name(device).into(),
            maybe(device.kind.as_ref()),
            suspended,
            mapped_members(storage, device),
        ]);
    }
    table
}

fn mapped_name(device: &MappedDevice) -> String {
    match (&device.volume_group, &device.logical_volume) {
        (Some(group), Some(volume)) => format!("{group}/{volume}"),
        _ => device.name.clone().unwrap_or_default(),
    }
}

/// The members; of a multipath device those ways that are not well are told.
fn mapped_members(storage: &Storage, device: &MappedDevice) -> Cell {
    let mut bad = false;
    let words: Vec<String> = device
        .members
        .iter()
        .map(|member| {
            let disk = storage.disks.iter().find(|disk| disk.id == *member);
            let way = device.now.ways.iter().find(|way| way.id == *member);
            let now = way.and_then(|way| way.state.as_ref());
            let state = now.or(disk.and_then(|disk| disk.state.as_ref()));
            let state = state.filter(|state| **state != DeviceState::Running);
            bad |= state.is_some();
            let access = way.and_then(|way| way.access.as_ref());
            let access = access.map(|access| access.to_string().replace("active ", ""));
            let words = joined([state.map(word), access], ", ");
            match words.as_str() {
                "" => member.clone(),
                words => format!("{member} ({words})"),
            }
        })
        .collect();
    let multipath = device.kind == Some(MapKind::Multipath);
    let paint = if bad && multipath {
        Paint::Bad
    } else {
        Paint::Plain
    };
    Cell::new(words.join(", "), paint)
}

fn partitions(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("partition"),
        Column::Right("start"),
        Column::Right("size"),
        Column::Left("label"),
        Column::Left("content"),
        Column::Wrap("used by"),
    ]);
    for partition in &storage.partitions {
        let content = partition
            .content
            .as_ref()
            .and_then(|content| content.kind.as_ref());
        table.row([
            partition.id.as_str().into(),
            Cell::of(partition.start_bytes.as_ref()),
            Cell::of(partition.size_bytes.as_ref()),
            Cell::of(partition.label.as_ref()),
            Cell::of(content),
            partition.holders.join(", ").into(),
        ]);
    }
    table
}

fn namespaces(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("namespace"),
        Column::Left("of"),
        Column::Right("number"),
        Column::Right("size"),
        Column::Right("block"),
        Column::Right("metadata"),
        Column::Left("way"),
    ]);
    for namespace in &storage.nvme_namespaces {
        table.row([
            namespace.id.as_str().into(),
            Cell::of(
                namespace
                    .subsystem
                    .as_ref()
                    .or(namespace.controller.as_ref()),
            ),
            Cell::of(namespace.nsid.as_ref()),
            Cell::of(namespace.size_bytes.as_ref()),
            Cell::of(namespace.block_bytes.as_ref()),
            Cell::of(namespace.metadata_bytes.as_ref()),
            maybe(namespace.ana_state.as_ref()),
        ]);
    }
    table
}

fn loops(storage: &Storage) -> Table {
    let mut table = Table::new(&[
        Column::Left("loop"),
        Column::Wrap("file"),
        Column::Right("from"),
    ]);
    for device in &storage.loops {
        table.row([
            device.id.as_str().into(),
            Cell::of(device.backing_file.as_ref()),
            Cell::of(device.offset_bytes.as_ref()),
        ]);
    }
    table
}

/// In short those that hold data; in detail all.
fn mounts(storage: &Storage, detail: bool) -> Table {
    let mut table = Table::new(&[
        Column::Wrap("mount"),
        Column::Wrap("source"),
        Column::Left("kind"),
        Column::Right("size"),
        Column::Right("used"),
        Column::Right("free"),
        Column::Left(""),
    ]);
    let in_memory = |mount: &Mount| matches!(mount.kind.as_str(), "tmpfs" | "ramfs" | "overlay");
    for mount in storage
        .mounts
        .iter()
        .filter(|mount| detail || !in_memory(mount))
    {
        table.row([
            mount.id.as_str().into(),
            mount.source.as_str().into(),
            mount.kind.as_str().into(),
            Cell::of(mount.now.size_bytes.as_ref()),
            used(mount),
            Cell::of(mount.now.available_bytes.as_ref()),
            if mount.read_only { "read-only" } else { "" }.into(),
        ]);
    }
    table
}

/// As df reckons: what is used of what is used and available together.
fn used(mount: &Mount) -> Cell {
    let (Some(used), Some(available)) = (mount.now.used_bytes, mount.now.available_bytes) else {
        return Cell::default();
    };
    let all = u128::from(used.0) + u128::from(available.0);
    let percent = (u128::from(used.0) * 100).div_ceil(all.max(1));
    let full = percent >= 95 && !mount.read_only;
    let paint = if full { Paint::Warning } else { Paint::Plain };
    Cell::new(format!("{percent} %"), paint)
}
