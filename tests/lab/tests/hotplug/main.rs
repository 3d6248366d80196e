//! Does the agent record what is plugged and unplugged while it runs, soon, and does it leak nothing?

mod churn;
mod watched;

use serde_json::{Value, json};

use gnomon_lab::machine::Size;
use gnomon_lab::{LabError, Machine, Vm, provision, ready, scale, skipped};
use watched::{Expected, PATIENCE, Watched};

/// How often something is plugged and unplugged where its times are taken.
const ROUNDS: usize = 10;

/// What a NIC or a drive is known by, once it is in the first slot.
const FUNCTION: &str = "0000:01:00.0";

fn of(act: &'static str, kernel_name: &str, record: Value) -> Expected {
    Expected {
        act,
        kernel_name: kernel_name.to_owned(),
        record,
    }
}

/// A row that comes when a thing is plugged, and goes with it.
fn comes_and_goes(kernel_name: &str, class: &str, table: &str) -> [Expected; 2] {
    [("add", "added"), ("remove", "removed")].map(|(act, change)| {
        let record = json!({"class": class, "table": table, "id": kernel_name, "change": change});
        of(act, kernel_name, record)
    })
}

#[test]
fn a_nic_that_is_plugged_is_recorded() {
    if let Some(mut watched) = nic("a_nic_is_plugged", "virtio-net-pci") {
        watched.are_soon("virtio-net");
    }
}

/// Its times are printed, and not judged: with this device they are ten times those of others, and why is open.
#[test]
fn a_nic_with_a_clock_that_is_plugged_is_recorded() {
    if let Some(mut watched) = nic("a_nic_with_a_clock_is_plugged", "igb") {
        watched.print_times("igb");
    }
}

/// A machine after rounds of plugging and unplugging a NIC; `None` where there are no machines.
fn nic(name: &str, driver: &str) -> Option<Watched> {
    let machine = Watched::with_slots(1);
    let mut watched = Watched::boot(name, &machine, &["igb", "virtio_net"])?;
    let rows = [
        comes_and_goes(FUNCTION, "pci", "functions"),
        comes_and_goes("eth0", "nic", "interfaces"),
    ];
    for _ in 0..ROUNDS {
        let device = json!({"driver": driver, "bus": "slot0", "id": "nic"});
        watched.plugs(device, &rows.each_ref().map(|[comes, _]| comes));
        watched.unplugs("nic", &rows.each_ref().map(|[_, goes]| goes));
    }
    Some(watched)
}

#[test]
fn a_drive_that_is_plugged_is_recorded() {
    let machine = Watched::with_slots(1);
    let Some(mut watched) = Watched::boot("a_drive_is_plugged", &machine, &["nvme"]) else {
        return;
    };
    let rows = [
        comes_and_goes(FUNCTION, "pci", "functions"),
        comes_and_goes("nvme0", "storage", "nvme_controllers"),
        comes_and_goes("nvme0n1", "storage", "disks"),
    ];
    let backend = json!({"driver": "null-co", "node-name": "drive", "size": 64 << 20});
    watched.vm.qmp("blockdev-add", backend).unwrap();
    for _ in 0..ROUNDS {
        let device = json!({"driver": "nvme", "bus": "slot0", "id": "nvme", "drive": "drive",
            "serial": "PLUGGED1"});
        watched.plugs(device, &rows.each_ref().map(|[comes, _]| comes));
        watched.unplugs("nvme", &rows.each_ref().map(|[_, goes]| goes));
    }
    watched.are_soon("a drive");
}

#[test]
fn memory_that_is_plugged_is_recorded() {
    let mut machine = Watched::with_slots(0);
    machine.hot_plug.memory_slots = Some(2);
    machine.hot_plug.memory_max = Some(Size::gib(1));
    let Some(mut watched) = Watched::boot("memory_is_plugged", &machine, &[]) else {
        return;
    };
    // What the kernel puts elsewhere in it could not be moved away again.
    let online = "/sys/devices/system/memory/auto_online_blocks";
    watched.vm.write(online, "online_movable").unwrap();
    // The guest's 512 MiB are the first four blocks; what is plugged lies from 4 GiB on.
    let block = "memory32";
    let rows = [("add", 5), ("remove", 4)].map(|(act, count)| {
        let field = json!({"field": "blocks.count", "after": count});
        let record = json!({"class": "memory", "change": "changed", "fields": [field]});
        of(act, block, record)
    });
    for _ in 0..ROUNDS {
        let backend = json!({"qom-type": "memory-backend-ram", "id": "stick-ram",
            "size": 128 << 20});
        watched.vm.qmp("object-add", backend).unwrap();
        let device = json!({"driver": "pc-dimm", "id": "stick", "memdev": "stick-ram"});
        watched.plugs(device, &[&rows[0]]);
        watched.unplugs("stick", &[&rows[1]]);
        watched
            .vm
            .qmp("object-del", json!({"id": "stick-ram"}))
            .unwrap();
    }
    watched.are_soon("memory");
}

/// Only on 6.1: newer kernels take a CPU that is plugged into QEMU without KVM for none of theirs.
#[test]
fn a_cpu_that_is_plugged_is_recorded() {
    if !ready() {
        return;
    }
    if let Err(error) = provision::kernel("6.1") {
        skipped(&error.to_string());
        return;
    }
    let mut machine = Machine {
        kernel_series: "6.1".to_owned(),
        ..Watched::with_slots(0)
    };
    machine.hot_plug.cpus = true;
    machine.cpu.model = "max".to_owned();
    machine.arguments = ["-smp", "1,sockets=2,cores=1,maxcpus=2"]
        .map(str::to_owned)
        .to_vec();
    let Some(mut watched) = Watched::boot("a_cpu_is_plugged", &machine, &[]) else {
        return;
    };
    let free = free_socket(&mut watched.vm).unwrap();
    let free = free.expect("a free socket");
    let mut device = free["props"].clone();
    device["driver"] = free["type"].clone();
    device["id"] = json!("cpu-1");
    let row = |change: &str| json!({"class": "cpu", "table": "cpus", "id": "1", "change": change});
    let comes = of("add", "cpu1", row("added"));
    let mut running = row("changed");
    running["fields"] = json!([{"field": "online", "after": true}]);
    let online = of("online", "cpu1", running);
    let goes = of("remove", "cpu1", row("removed"));
    watched.plugs(device, &[&comes]);
    let switch = "/sys/devices/system/cpu/cpu1/online";
    watched.acts(&[&online], |vm| vm.write(switch, "1"));
    let unplug = json!({"id": "cpu-1"});
    watched.acts(&[&goes], |vm| vm.qmp("device_del", unplug).map(drop));
    // The kernel ejects it and its socket is free, but QEMU without KVM never says DEVICE_DELETED. It has a place for each
    // CPU that there can be, gives none back, and ends when one too many is plugged: so this is done once.
    let patience = PATIENCE.mul_f64(scale());
    let freed = watched.vm.wait_for("a free socket", patience, free_socket);
    assert_eq!(freed.unwrap(), free);
    watched.are_soon("a CPU");
}

/// A socket that has no CPU.
fn free_socket(vm: &mut Vm) -> Result<Option<Value>, LabError> {
    let sockets = vm.qmp("query-hotpluggable-cpus", json!({}))?;
    let mut sockets = sockets.as_array().into_iter().flatten();
    let free = sockets.find(|socket| socket.get("qom-path").is_none());
    Ok(free.cloned())
}
