//! What the machine runs: operating system, kernel, how it was started, and what waits for a reboot.

use libhw::device::cpu::VulnerabilityState;
use libhw::device::software::{
    BootParameter, CrashKernel, FirmwareKind, Lockdown, Module, Preemption, SecureBoot, Software,
    TaintKind, UpdateStatus,
};
use libhw::inventory::Inventory;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, plural, some, yes};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(software) = &inventory.software else {
        return;
    };
    page.title("Software");
    page.table(&facts(inventory, software, detail));
    page.table(&firmware(software));
    page.table(&livepatches(software));
    if detail {
        page.table(&modules(software));
        page.table(&parameters(software));
        page.table(&config(software));
    } else if !software.modules.is_empty() {
        let mut facts = Table::facts();
        facts.fact("Modules", in_short(&software.modules));
        page.table(&facts);
    }
}

/// System and kernel, and what is wrong with them.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let software = inventory.software.as_ref()?;
    let os = software.os.as_ref();
    let waits = software.reboot.marked || software.reboot.newer_kernel.is_some();
    let letters: Vec<&str> = software
        .taints
        .iter()
        .map(|taint| taint.id.as_str())
        .collect();
    let parts = [
        os.and_then(|os| os.pretty_name.clone().or_else(|| os.name.clone())),
        software
            .kernel
            .release
            .as_ref()
            .map(|release| format!("Linux {release}")),
        software.kernel.realtime.then(|| "realtime".to_owned()),
        some(letters.join("")).map(|letters| format!("tainted {letters}")),
        waits.then(|| "waits for a reboot".to_owned()),
    ];
    some(joined(parts, ", "))
}

fn facts(inventory: &Inventory, software: &Software, detail: bool) -> Table {
    let mut facts = Table::facts();
    let kernel = &software.kernel;
    facts.fact("System", system(software));
    let support = software.os.as_ref().and_then(|os| os.support_end.as_ref());
    facts.fact("Supported until", Cell::of(support));
    let words = [
        kernel.release.clone(),
        kernel.build.as_ref().map(|build| format!("build {build}")),
        kernel
            .preemption
            .map(|preemption| self::preemption(preemption).to_owned()),
    ];
    facts.fact("Kernel", joined(words, ", "));
    facts.fact("Compiler", Cell::of(kernel.compiler.as_ref()));
    facts.fact("First process", Cell::of(kernel.init.as_ref()));
    if !detail {
        facts.fact("Command line", line(&software.command_line));
    }
    for taint in &software.taints {
        let text = format!("{}: {}", taint.id, meaning(taint.kind));
        facts.fact("Tainted", Cell::new(text, paint(taint.kind)));
    }
    for (name, count) in [
        ("Oopses", kernel.now.oopses),
        ("Warnings", kernel.now.warnings),
        ("Soft lockups", kernel.now.soft_lockups),
        ("Hard lockups", kernel.now.hard_lockups),
        ("RCU stalls", kernel.now.rcu_stalls),
    ] {
        if let Some(count) = count.filter(|count| *count > 0) {
            facts.fact(name, Cell::new(count.to_string(), Paint::Warning));
        }
    }
    facts.fact("Firmware", boot(software));
    facts.fact("Security", security(software));
    facts.fact(
        "Crash kernel",
        kernel
            .crash_kernel
            .as_ref()
            .map(crash_kernel)
            .unwrap_or_default(),
    );
    reboot(inventory, software, &mut facts);
    facts
}

fn system(software: &Software) -> String {
    let Some(os) = &software.os else {
        return String::new();
    };
    let name = os
        .pretty_name
        .clone()
        .or_else(|| os.name.clone())
        .or_else(|| Some(os.id.clone()));
    let variant = os
        .variant
        .as_ref()
        .map(|variant| format!("variant {variant}"));
    let image = joined([os.image_id.clone(), os.image_version.clone()], " ");
    joined(
        [
            name,
            variant,
            some(image).map(|image| format!("image {image}")),
        ],
        ", ",
    )
}

const fn preemption(preemption: Preemption) -> &'static str {
    match preemption {
        Preemption::NoneOrVoluntary => "not preemptible everywhere",
        Preemption::None => "not preemptible",
        Preemption::Voluntary => "preemptible where it offers",
        Preemption::Lazy => "preemptible lazily",
        Preemption::Full => "preemptible",
        Preemption::Dynamic => "preemption chosen at boot",
        Preemption::Realtime => "realtime (PREEMPT_RT)",
    }
}

fn line(parameters: &[BootParameter]) -> String {
    let mut words = Vec::new();
    let mut for_init = false;
    for parameter in parameters {
        if parameter.for_init && !for_init {
            for_init = true;
            words.push("--".to_owned());
        }
        words.push(word(parameter));
    }
    words.join(" ")
}

fn word(parameter: &BootParameter) -> String {
    match (&parameter.value, parameter.hidden) {
        (_, true) => format!("{}=(hidden)", parameter.name),
        (Some(value), _) if value.contains(' ') => format!("{}=\"{value}\"", parameter.name),
        (Some(value), _) => format!("{}={value}", parameter.name),
        (None, _) => parameter.name.clone(),
    }
}

const fn meaning(kind: TaintKind) -> &'static str {
    match kind {
        TaintKind::ProprietaryModule => "a proprietary module was loaded",
        TaintKind::ForcedLoad => "a module was loaded by force",
        TaintKind::OutOfSpecification => "runs outside of its specification",
        TaintKind::ForcedUnload => "a module was unloaded by force",
        TaintKind::MachineCheck => "the processor reported a machine check",
        TaintKind::BadPage => "a bad page was found",
        TaintKind::UserRequest => "a program asked for it",
        TaintKind::Died => "had an oops or a bug",
        TaintKind::AcpiOverridden => "an ACPI table was replaced",
        TaintKind::Warned => "gave a warning",
        TaintKind::Staging => "an unfinished driver was loaded",
        TaintKind::FirmwareWorkaround => "works around a severe fault of the firmware",
        TaintKind::OutOfTree => "a module from elsewhere was loaded",
        TaintKind::Unsigned => "an unsigned module was loaded",
        TaintKind::SoftLockup => "a CPU was stuck",
        TaintKind::LivePatched => "was patched while it ran",
        TaintKind::Auxiliary => "the distribution's own mark",
        TaintKind::RandomizedLayout => "built with randomized structures",
        TaintKind::InKernelTest => "a test inside the kernel was run",
        TaintKind::FirmwareControl => "a program commanded a device's firmware",
        TaintKind::Unknown => "unknown",
    }
}

const fn paint(kind: TaintKind) -> Paint {
    match kind {
        TaintKind::MachineCheck | TaintKind::BadPage | TaintKind::Died | TaintKind::SoftLockup => {
            Paint::Bad
        }
        TaintKind::Warned
        | TaintKind::ForcedLoad
        | TaintKind::ForcedUnload
        | TaintKind::FirmwareWorkaround => Paint::Warning,
        _ => Paint::Plain,
    }
}

fn boot(software: &Software) -> String {
    let boot = &software.boot;
    if !boot.efi {
        return String::new();
    }
    let bits = boot.efi_bits.map(|bits| format!("{bits} bit"));
    let secure = boot.secure_boot.map(|state| match state {
        SecureBoot::Enabled => "secure boot",
        SecureBoot::Disabled => "secure boot off",
        SecureBoot::SetupMode => "secure boot waits for its keys",
        SecureBoot::Unknown => "secure boot not told",
    });
    joined(
        [Some("UEFI".to_owned()), bits, secure.map(str::to_owned)],
        ", ",
    )
}

fn security(software: &Software) -> String {
    let security = &software.security;
    let lockdown = security
        .lockdown
        .as_ref()
        .and_then(|lockdown| match lockdown {
            Lockdown::None => None,
            Lockdown::Integrity => Some("lockdown integrity".to_owned()),
            Lockdown::Confidentiality => Some("lockdown confidentiality".to_owned()),
            Lockdown::Unknown(word) => Some(format!("lockdown {word}")),
        });
    let selinux = security
        .selinux_enforcing
        .map(|set| format!("SELinux enforcing {}", yes(set)));
    let fips = software
        .kernel
        .fips
        .filter(|set| *set)
        .map(|_| "FIPS".to_owned());
    joined(
        [some(security.modules.join(", ")), lockdown, selinux, fips],
        "; ",
    )
}

fn crash_kernel(crash: &CrashKernel) -> String {
    let reserved = crash.reserved_bytes.filter(|bytes| bytes.0 > 0);
    let loaded = if crash.loaded { "loaded" } else { "not loaded" };
    joined(
        [
            Some(loaded.to_owned()),
            reserved.map(|bytes| format!("{bytes} kept for it")),
        ],
        ", ",
    )
}

fn reboot(inventory: &Inventory, software: &Software, facts: &mut Table) {
    let reboot = &software.reboot;
    if reboot.marked {
        let packages = some(reboot.packages.join(", "));
        let text = joined(
            [
                Some("required".to_owned()),
                packages.map(|names| format!("by {names}")),
            ],
            ", ",
        );
        facts.fact("Reboot", Cell::new(text, Paint::Warning));
    }
    if let Some(kernel) = &reboot.newer_kernel {
        let text = format!("would start the kernel {kernel}");
        facts.fact("Reboot", Cell::new(text, Paint::Warning));
    }
    let mut known = inventory.cpu.iter().flat_map(|cpu| &cpu.vulnerabilities);
    let old =
        known.any(|one| one.id == "old_microcode" && one.state == VulnerabilityState::Vulnerable);
    if old {
        facts.fact(
            "Microcode",
            Cell::new(
                "older than the newest that the kernel knows",
                Paint::Warning,
            ),
        );
    }
}

fn firmware(software: &Software) -> Table {
    let mut table = Table::new(&[
        Column::Left("firmware"),
        Column::Left("of"),
        Column::Right("version"),
        Column::Right("oldest taken"),
        Column::Right("last tried"),
        Column::Left("which went"),
        Column::Left("class"),
    ]);
    for one in &software.firmware_resources {
        let kind = one.kind.map(|kind| match kind {
            FirmwareKind::System => "the machine".to_owned(),
            FirmwareKind::Device => "a device".to_owned(),
            FirmwareKind::UefiDriver => "a UEFI driver".to_owned(),
            FirmwareKind::Untold => String::new(),
            FirmwareKind::Unknown(number) => format!("type {number}"),
        });
        table.row([
            one.id.to_string().into(),
            kind.unwrap_or_default().into(),
            Cell::of(one.version.as_ref()),
            Cell::of(one.lowest_version.as_ref()),
            Cell::of(one.last_attempt_version.as_ref()),
            one.last_attempt_status.map(went).unwrap_or_default(),
            Cell::of(one.class.as_ref()),
        ]);
    }
    table
}

fn went(status: UpdateStatus) -> Cell {
    let text = match status {
        UpdateStatus::Success => return Cell::new("well", Paint::Plain),
        UpdateStatus::Unsuccessful => "wrong".to_owned(),
        UpdateStatus::InsufficientResources => "wrong: no room".to_owned(),
        UpdateStatus::IncorrectVersion => "wrong: not that version".to_owned(),
        UpdateStatus::InvalidFormat => "wrong: no such image".to_owned(),
        UpdateStatus::AuthenticationError => "wrong: bad signature".to_owned(),
        UpdateStatus::PowerNotConnected => "wrong: no mains power".to_owned(),
        UpdateStatus::InsufficientBattery => "wrong: battery too low".to_owned(),
        UpdateStatus::UnsatisfiedDependencies => "wrong: something is missing".to_owned(),
        UpdateStatus::Unknown(number) => format!("wrong: status {number}"),
    };
    Cell::new(text, Paint::Warning)
}

fn livepatches(software: &Software) -> Table {
    let mut table = Table::new(&[
        Column::Left("live patch"),
        Column::Left("enabled"),
        Column::Left("in transition"),
    ]);
    for patch in &software.livepatches {
        table.row([
            patch.id.as_str().into(),
            patch.enabled.map(yes).unwrap_or_default().into(),
            patch.in_transition.map(yes).unwrap_or_default().into(),
        ]);
    }
    table
}

/// How many, and those that taint the kernel by name.
fn in_short(modules: &[Module]) -> String {
    let tainting = modules
        .iter()
        .filter_map(|module| Some(format!("{} ({})", module.id, module.taint.as_ref()?)));
    let tainting = tainting.collect::<Vec<_>>().join(", ");
    let loaded = modules.iter().filter(|module| !module.built_in).count();
    joined([Some(plural(loaded, "module")), some(tainting)], ", ")
}

fn modules(software: &Software) -> Table {
    let mut table = Table::new(&[
        Column::Left("module"),
        Column::Right("size"),
        Column::Right("users"),
        Column::Left("taint"),
        Column::Left("version"),
        Column::Wrap("used by"),
        Column::Wrap("parameters"),
    ]);
    for module in &software.modules {
        let parameters = module.parameters.iter().map(|one| {
            Some(format!(
                "{}={}",
                one.id,
                one.value.as_deref().unwrap_or("(hidden)")
            ))
        });
        table.row([
            module.id.as_str().into(),
            Cell::of(module.size_bytes.as_ref()),
            Cell::of(module.now.references.as_ref()),
            Cell::of(module.taint.as_ref()),
            Cell::of(module.version.as_ref().or(module.source_version.as_ref())),
            module.used_by.join(", ").into(),
            joined(parameters, " ").into(),
        ]);
    }
    table
}

fn parameters(software: &Software) -> Table {
    let mut table = Table::new(&[Column::Left("kernel parameter"), Column::Wrap("value")]);
    for one in &software.command_line {
        let value = if one.hidden {
            "(hidden)"
        } else {
            one.value.as_deref().unwrap_or_default()
        };
        table.row([one.id.as_str().into(), value.into()]);
    }
    table
}

fn config(software: &Software) -> Table {
    let mut table = Table::new(&[Column::Left("built with"), Column::Left("value")]);
    for one in &software.kernel.config {
        table.row([one.id.as_str().into(), one.value.as_str().into()]);
    }
    table
}
