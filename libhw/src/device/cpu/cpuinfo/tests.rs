use proptest::prelude::*;

use super::*;

fn set(text: &str) -> IdSet {
    text.parse().unwrap()
}

/// Vendor, name, family, model, stepping, CPUs.
fn row(model: &Model) -> [String; 6] {
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    [
        word(&model.vendor),
        word(&model.name),
        word(&model.family),
        word(&model.model),
        word(&model.stepping),
        model.cpus.to_string(),
    ]
}

fn check(text: &str, online: &str, row_of_first: [&str; 6], flags: &[&str]) {
    let cpuinfo = parse(text, &set(online));
    let model = cpuinfo
        .models
        .first()
        .unwrap_or_else(|| panic!("no model in {text:?}"));
    assert_eq!(row(model), row_of_first);
    assert_eq!(model.flags, flags);
}

#[test]
fn x86_cpus_that_say_the_same_are_one_model() {
    let block = |cpu: u32, stepping: u32| {
        format!(
            "processor\t: {cpu}\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: 1\n\
             model name\t: AMD EPYC 7451 24-Core Processor\nstepping\t: {stepping}\nmicrocode\t: 0x8001227\n\
             cpu MHz\t\t: {cpu}94.214\nflags\t\t: fpu vme de\nbugs\t\t: spectre_v2 spectre_v1\n\
             address sizes\t: 43 bits physical, 48 bits virtual\npower management: ts ttp\n\n"
        )
    };
    let text: String = [block(0, 2), block(1, 3), block(2, 2), block(3, 2)].concat();
    let models = parse(&text, &set("0-3")).models;
    let name = "AMD EPYC 7451 24-Core Processor";
    assert_eq!(
        row(&models[0]),
        ["AuthenticAMD", name, "23", "1", "2", "0,2-3"]
    );
    assert_eq!(row(&models[1]), ["AuthenticAMD", name, "23", "1", "3", "1"]);
    assert_eq!((models.len(), models[1].id), (2, 1));
    assert_eq!(models[0].flags, ["de", "fpu", "vme"]);
    assert_eq!(models[0].bugs, ["spectre_v1", "spectre_v2"]);
    assert_eq!(models[0].microcode.as_deref(), Some("0x8001227"));
    assert_eq!(
        (
            models[0].physical_address_bits,
            models[0].virtual_address_bits
        ),
        (Some(43), Some(48))
    );
}

#[test]
fn arm_is_named_by_its_part() {
    let text = "processor\t: 0\nBogoMIPS\t: 200.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n\
                CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n";
    check(
        text,
        "0",
        ["ARM", "Neoverse-N1", "8", "0xd0c", "r3p1", "0"],
        &["asimd", "fp"],
    );
    let text =
        "processor\t: 0\nmodel name\t: Some Core\nCPU implementer\t: 0x99\nCPU part\t: 0x001\n";
    check(text, "0", ["0x99", "Some Core", "", "0x001", "", "0"], &[]);
}

#[test]
fn old_arm_tells_once_what_holds_for_all() {
    let text = "Processor\t: ARMv7 Processor rev 4 (v7l)\nprocessor\t: 0\nBogoMIPS\t: 1694.10\n\n\
                processor\t: 1\nBogoMIPS\t: 1694.10\n\nFeatures\t: swp half \nCPU implementer\t: 0x41\n\
                CPU architecture: 7\nCPU variant\t: 0x0\nCPU part\t: 0xc0f\nCPU revision\t: 4\n\n\
                Hardware\t: SAMSUNG EXYNOS5\nRevision\t: 0000\n";
    check(
        text,
        "0-1",
        ["ARM", "Cortex-A15", "7", "0xc0f", "r0p4", "0-1"],
        &["half", "swp"],
    );
}

#[test]
fn s390_has_a_line_for_each_cpu() {
    let text = "vendor_id       : IBM/S390\n# processors    : 2\nfeatures\t: esan3 zarch \n\
                cache0          : level=1 type=Data scope=Private size=128K line_size=256 associativity=8\n\
                cache1          : level=4 type=Unified scope=Shared size=491520K line_size=256 associativity=30\n\
                cache2          : level=x type=Data\n\
                processor 0: version = FF,  identification = 1633E8,  machine = 2964\n\
                processor 1: version = FF,  identification = 1633E8,  machine = 2964\n\n\
                cpu number      : 0\ncpu MHz dynamic : 5000\n\ncpu number      : 1\ncpu MHz dynamic : 5000\n";
    check(
        text,
        "0-1",
        ["IBM/S390", "IBM z13", "", "2964", "", "0-1"],
        &["esan3", "zarch"],
    );
    let cpuinfo = parse(text, &set("0-1"));
    let [private] = cpuinfo.private_caches.as_slice() else {
        panic!("{:?}", cpuinfo.private_caches);
    };
    assert_eq!(
        (private.level, private.kind, private.ways),
        (1, CacheKind::Data, Some(8))
    );
    assert_eq!(private.size_bytes.map(|size| size.0), Some(128 << 10));
    assert_eq!(private.line_size_bytes.map(|size| size.0), Some(256));
    assert_eq!(cpuinfo.shared_caches.len(), 1);
}

#[test]
fn power_tells_the_machine_after_the_cpus() {
    let text = "processor\t: 0\ncpu\t\t: POWER7 (architected), altivec supported\nclock\t\t: 3550.000000MHz\n\
                revision\t: 2.1 (pvr 003f 0201)\n\ntimebase\t: 512000000\nplatform\t: pSeries\n\
                model\t\t: IBM,8231-E2B\nmachine\t\t: CHRP IBM,8231-E2B\n";
    let name = "POWER7 (architected), altivec supported";
    check(
        text,
        "0",
        ["", name, "", "", "2.1 (pvr 003f 0201)", "0"],
        &[],
    );
}

#[test]
fn riscv_splits_its_isa() {
    let text = "processor\t: 0\nhart\t\t: 3\nisa\t\t: rv64imafdc_zicntr_zba\nmmu\t\t: sv39\n\
                uarch\t\t: sifive,u74-mc\nmvendorid\t: 0x489\nmarchid\t\t: 0x7\nmimpid\t\t: 0x4210427\n";
    check(
        text,
        "0",
        ["SiFive", "sifive,u74-mc", "", "0x7", "0x4210427", "0"],
        &["rv64imafdc", "zba", "zicntr"],
    );
    let text = "processor : 0\nisa : rv64imac\nmvendorid : 0x0\n";
    check(text, "0", ["", "", "", "", "", "0"], &["rv64imac"]);
}

#[test]
fn the_rest_is_readable() {
    let ia64 = "processor  : 1\nvendor     : GenuineIntel\nfamily     : 31\nmodel      : 2\n\
                model name : Madison up to 9M cache\nrevision   : 1\nfeatures   : branchlong, 16-byte atomic ops\n\
                cpu number : 0\nphysical id: 512\n";
    let row = [
        "GenuineIntel",
        "Madison up to 9M cache",
        "31",
        "2",
        "1",
        "1",
    ];
    check(ia64, "0-1", row, &["16-byte atomic ops", "branchlong"]);
    let sparc = "cpu\t\t: TI UltraSparc II  (BlackBird)\ntype\t\t: sun4u\ncpucaps\t\t: flush,stbar\nState:\n\
                 CPU6:\t\tonline\nCPU7:\t\tonline\n";
    let row = ["", "TI UltraSparc II  (BlackBird)", "sun4u", "", "", "6-7"];
    check(sparc, "6-7", row, &["flush", "stbar"]);
    let loongarch = "system type\t\t: generic-loongson-machine\n\nprocessor\t\t: 0\n\
                     CPU Family\t\t: Loongson-64bit\nModel Name\t\t: Loongson-3A5000-HV\nCPU Revision\t\t: 0x11\n\
                     Address Sizes\t\t: 48 bits physical, 48 bits virtual\nISA\t\t\t: loongarch32\n\
                     Features\t\t: fpu cpucfg\n";
    let row = ["", "Loongson-3A5000-HV", "Loongson-64bit", "", "0x11", "0"];
    check(loongarch, "0", row, &["cpucfg", "fpu"]);
    let parisc = "processor\t: 0\ncpu family\t: PA-RISC 2.0\ncpu\t\t: PA8800 (Mako)\ncpu MHz\t\t: 1000.0\n\
                  capabilities\t: os64 nva_supported\nmodel\t\t: 9000/785/C8000\nmodel name\t: Crestone Peak\n";
    let row = [
        "",
        "PA8800 (Mako)",
        "PA-RISC 2.0",
        "9000/785/C8000",
        "",
        "0",
    ];
    check(parisc, "0", row, &["nva_supported", "os64"]);
}

#[test]
fn a_number_that_no_kernel_counts_to_is_no_cpu() {
    let models = parse("processor : 4000000000\nmodel name : x\n", &set("0")).models;
    assert_eq!(
        models
            .first()
            .map(|model| model.cpus.to_string())
            .as_deref(),
        Some("0")
    );
    assert_eq!(parse("", &set("0")).models, []);
}

proptest! {
    #[test]
    fn no_text_panics(lines in proptest::collection::vec(
        "(processor|processor [0-9]|cache[0-9]|cpu number|flags|isa|CPU part|address sizes|)[\t ]{0,2}:?.{0,30}",
        0..20,
    )) {
        let cpuinfo = parse(&lines.join("\n"), &IdSet::from_iter([0, 1]));
        let cpus: usize = cpuinfo.models.iter().map(|model| model.cpus.len()).sum();
        prop_assert_eq!(cpuinfo.cpus().len(), cpus);
    }
}
