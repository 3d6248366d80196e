use std::path::Path;

use super::*;

const SMALL: &str = "name = \"small\"\nmemory = \"1G\"\n";

fn said(text: &str) -> String {
    Machine::parse(text).expect_err("no machine").to_string()
}

fn example(name: &str) -> Machine {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("machines")
        .join(name);
    let text = std::fs::read_to_string(path).expect("an example");
    Machine::parse(&text).expect("a machine")
}

fn arguments(machine: &Machine) -> String {
    machine.plan(Path::new("/lab")).arguments.join(" ")
}

#[test]
fn a_description_that_is_none_is_refused_with_its_line() {
    let text = format!("{SMALL}\n[cpu]\nsocket = 2\n");
    let message = said(&text);
    assert!(message.contains("line 5, column 1"), "{message}");
    assert!(message.contains("unknown field `socket`"), "{message}");
    let message = said("name = \"a\"\nmemory = \"much\"\n");
    assert!(message.contains("line 2"), "{message}");
    assert!(
        message.contains("`much` is no size such as 512M or 1G"),
        "{message}"
    );
    let message = said(&format!("{SMALL}[[devices]]\nkind = \"warp-drive\"\n"));
    assert!(
        message.contains("unknown variant `warp-drive`"),
        "{message}"
    );
    let message = said(&format!("{SMALL}[[devices]]\nkind = \"edu\"\nspeed = 9\n"));
    assert!(message.contains("speed"), "{message}");
    let message = said(&format!("{SMALL}[cpu]\nisolated = \"3-1\"\n"));
    assert!(
        message.contains("`3-1` is no list such as 0-3,8"),
        "{message}"
    );
}

/// Each text is refused with its message.
fn refused(rows: &[(&str, &str)]) {
    for (text, message) in rows {
        assert_eq!(said(text), *message, "{text}");
    }
}

#[test]
fn memory_and_cpus_that_cannot_be_built_are_refused_by_name_and_line() {
    let node = "[[nodes]]\nmemory = \"1G\"\n";
    refused(&[
        (
            "memory = \"1G\"",
            "name: `` is no name of letters, digits, - and _",
        ),
        ("name = \"a\"", "memory: how much memory is there?"),
        (
            "name = \"a\"\nmemory = \"100M\"",
            "line 2: memory: a whole number of blocks of 128M is needed",
        ),
        (
            "name = \"a\"\nmemory = \"128M\"",
            "line 2: memory: the guest does not start with 128M; it needs 384M",
        ),
        (
            &format!("{SMALL}{node}cpus = \"0\""),
            "line 2: memory: the nodes have the memory; leave one of both out",
        ),
        (
            &format!("{SMALL}cpu = {{ threads = 0 }}"),
            "line 3: cpu.threads: there must be at least one",
        ),
        (
            &format!("{SMALL}[cpu]\ncores = 2\nisolated = \"2\""),
            "line 5: cpu.isolated: CPU 2 is not among 0-1",
        ),
        (
            &format!("{SMALL}[cpu]\ncores = 2\nnohz_full = \"0\""),
            "line 5: cpu.nohz_full: CPU 0 must stay for the rest",
        ),
    ]);
}

#[test]
fn nodes_that_cannot_be_built_are_refused_by_name_and_line() {
    let node = "[[nodes]]\nmemory = \"1G\"\n";
    refused(&[
        (
            &format!("name = \"a\"\ncpu = {{ cores = 2 }}\n{node}cpus = \"0\""),
            "line 3: nodes: CPU 1 is in no node",
        ),
        (
            &format!("name = \"a\"\n{node}cpus = \"0\"\n{node}cpus = \"0\""),
            "line 7: nodes[1].cpus: CPU 0 is in an earlier node already",
        ),
        (
            &format!(
                "name = \"a\"\ncpu = {{ threads = 2 }}\n{node}cpus = \"0\"\n{node}cpus = \"1\""
            ),
            "line 5: nodes[0].cpus: the core with CPUs 0-1 is in more nodes than one",
        ),
        (
            &format!("name = \"a\"\n{node}cpus = \"0\"\ndistances = [11]"),
            "line 5: nodes[0].distances: a node is 10 from itself, and more from any other",
        ),
        (
            &format!("name = \"a\"\n{node}cpus = \"0\"\nhuge_pages = {{ 1G = 1 }}"),
            "line 5: nodes[0].huge_pages: they take more than three quarters of the node's 1G",
        ),
        (
            "name = \"a\"\n[[nodes]]\nmemory = \"2G\"\ncpus = \"0\"\nhuge_pages = { 1G = 1 }",
            "line 5: nodes[0].huge_pages: 1 of 1G were asked for, but only 0 lie whole above 4 GiB in this node",
        ),
        (
            &format!("name = \"a\"\n{node}cpus = \"0\"\nnearest = 4"),
            "line 5: nodes[0].nearest: node 4 is no node with CPUs",
        ),
        (
            &format!(
                "name = \"a\"\n{node}cpus = \"0\"\n[[routes]]\nfrom = 0\nto = 1\nlatency_ns = 1\nbandwidth = \"1G\""
            ),
            "line 7: routes[0].to: there is no node 1",
        ),
    ]);
}

#[test]
fn devices_that_cannot_be_built_are_refused_by_name_and_line() {
    refused(&[
        (
            &format!("{SMALL}slots = [{{ node = 1 }}]"),
            "line 3: slots[0].node: there is no node 1",
        ),
        (
            &format!(
                "{SMALL}slots = [{{ device = {{ kind = \"nvme\", serial = \"\", size = \"1M\" }} }}]"
            ),
            "line 3: slots[0].device.serial: `` is not 1 to 20 letters, digits and signs",
        ),
        (
            &format!(
                "{SMALL}slots = [{{ device = {{ kind = \"igb\", mac = \"01:00:00:00:00:00\" }} }}]"
            ),
            "line 3: slots[0].device.mac: `01:00:00:00:00:00` is no address of one interface, such as 02:00:00:00:00:01",
        ),
        (
            &format!("{SMALL}devices = [{{ kind = \"virtio-net\", aer = true }}]"),
            "line 3: devices[0].aer: errors are reported only from a slot",
        ),
        (
            &format!("{SMALL}hot_plug = {{ memory_slots = 2 }}"),
            "line 3: hot_plug: memory_slots and memory_max need each other",
        ),
        (
            &format!("{SMALL}iommu = \"virtio\"\nbmc = {{ interface = \"pci-kcs\" }}"),
            "line 4: bmc.interface: behind virtio's IOMMU, the guest's driver does not find a BMC on PCI",
        ),
        (
            &format!(
                "{SMALL}[bmc]\ninterface = \"kcs\"\n[bmc.device_id]\nrevision = 1\nfirmware = \"2.7\"\nmanufacturer = 1\nproduct = 1"
            ),
            "line 7: bmc.device_id.firmware: a number up to 127, a point and two digits are needed",
        ),
        (
            &format!("{SMALL}[smbios.board]\nfamily = \"x\""),
            "line 4: smbios.board.family: QEMU has no such line on this label",
        ),
        (
            &format!("{SMALL}[[cxl]]\nmemory = \"100M\"\nserial = 1"),
            "line 4: cxl[0].memory: `100M` is not a multiple of 256M",
        ),
        (
            &format!("{SMALL}[[nvdimms]]\nsize = \"100M\""),
            "line 4: nvdimms[0].size: `100M` is not a multiple of 128M",
        ),
        (
            &format!("{SMALL}lab_modules = [\"none\"]"),
            "line 3: lab_modules: the lab has no module `none`",
        ),
    ]);
}

#[test]
fn the_examples_are_machines_and_read_back_as_they_are_written() {
    for name in [
        "two-socket-server.toml",
        "telco-edge.toml",
        "memory-tiers.toml",
    ] {
        let machine = example(name);
        let written = machine.to_toml().expect("a text");
        assert_eq!(Machine::parse(&written), Ok(machine), "{written}");
    }
}

#[test]
fn nodes_distances_and_speeds_become_arguments_of_qemu() {
    let text = arguments(&example("two-socket-server.toml"));
    for part in [
        "-machine q35,hmat=on",
        "-m 5632M",
        "-smp 8,sockets=2,dies=1,cores=2,threads=2",
        "-object memory-backend-ram,id=node1,size=3584M -numa node,nodeid=1,memdev=node1,cpus=4-7,initiator=1",
        "-numa node,nodeid=2,memdev=node2,initiator=0",
        "-numa dist,src=0,dst=3,val=28",
        "hmat-lb,initiator=0,target=2,hierarchy=memory,data-type=access-latency,latency=200",
        "hmat-lb,initiator=0,target=2,hierarchy=memory,data-type=access-bandwidth,bandwidth=20G",
        "hmat-cache,node-id=0,size=64M,level=1,associativity=direct,policy=write-back,line=64",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let plan = example("two-socket-server.toml").plan(Path::new("/lab"));
    assert_eq!(
        plan.kernel_parameters.join(" "),
        "isolcpus=2-3 nohz_full=6-7 hugepagesz=2M hugepages=0:16,1:8 hugepagesz=1G hugepages=1:1 intel_iommu=on"
    );
}

#[test]
fn buses_are_numbered_depth_first_from_each_root() {
    let machine = example("two-socket-server.toml");
    let expected = machine.expected();
    let driver = |address: &str| {
        let path = format!("pci.functions[{address}].driver");
        expected
            .facts
            .iter()
            .find(|fact| fact.path == path)
            .map(|fact| fact.wanted.to_string())
    };
    assert_eq!(driver("0000:21:00.0").as_deref(), Some("\"igb\""));
    assert_eq!(driver("0000:41:00.0").as_deref(), Some("\"pcieport\""));
    assert_eq!(driver("0000:43:00.0").as_deref(), Some("\"e1000e\""));
    assert_eq!(driver("0000:44:00.0").as_deref(), Some("\"nvme\""));
    assert_eq!(driver("0000:46:00.0").as_deref(), Some("\"virtio-pci\""));
    assert_eq!(driver("0000:00:07.0"), None);
    let text = arguments(&machine);
    for part in [
        "-device pxb-pcie,id=node1-pci,bus=pcie.0,addr=0x4,bus_nr=64,numa_node=1",
        "-device pcie-root-port,id=slot1,bus=node1-pci,addr=0x0",
        "-device x3130-upstream,id=slot1-switch,bus=slot1,addr=0x0",
        "-device xio3130-downstream,id=slot1.1,bus=slot1-switch,addr=0x1",
        "-device nvme,id=slot1.1-device,bus=slot1.1,addr=0x0,drive=slot1.1-device-drive,serial=LABNVME0001",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_tpm_needs_a_process_beside_and_the_compressed_image() {
    let plan = example("telco-edge.toml").plan(Path::new("/l,ab"));
    assert_eq!(plan.image, Image::Compressed);
    assert_eq!(plan.processes[0].program, "swtpm");
    assert_eq!(plan.processes[0].socket, Path::new("/l,ab/tpm.sock"));
    assert!(
        plan.arguments
            .contains(&"socket,id=tpm-chardev,path=/l,,ab/tpm.sock".to_owned())
    );
}

#[test]
fn memory_behind_cxl_is_brought_up_by_writing_to_files_of_the_guest() {
    let machine = example("memory-tiers.toml");
    let plan = machine.plan(Path::new("/lab"));
    let text = plan.arguments.join(" ");
    assert!(text.contains("-cpu Skylake-Server,-hypervisor"), "{text}");
    assert!(
        text.contains("-machine cxl-fmw.0.targets.0=cxl0,cxl-fmw.0.size=512M"),
        "{text}"
    );
    assert_eq!(
        plan.setup[0].path,
        "/sys/bus/cxl/devices/decoder0.0/create_ram_region"
    );
    assert_eq!(plan.setup[5].text, "0x20000000");
    let facts = machine.expected().facts;
    assert!(facts.iter().any(|fact| fact.path == "numa.nodes[3].cpus"));
}

#[test]
fn every_machine_expects_at_most_one_thing_in_a_place() {
    for name in [
        "two-socket-server.toml",
        "telco-edge.toml",
        "memory-tiers.toml",
    ] {
        let expected = example(name).expected();
        for fact in &expected.facts {
            let same = |other: &&Fact| other.path == fact.path;
            let holds = matches!(fact.wanted, Wanted::Holds(_));
            assert!(
                holds || expected.facts.iter().filter(same).count() == 1,
                "{name}: {}",
                fact.path
            );
        }
    }
}
