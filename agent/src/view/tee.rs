//! Trusted execution: what the CPU has, what this host makes of it, and what it is a guest of.

use libhw::device::tee::{Host, Name, Technology, Tee};
use libhw::inventory::Inventory;
use libhw::join::tee::{cpu_has, memory_encryption, technologies_of_cpu};
use libhw::units::Bytes;

use crate::table::{Cell, Column, Page, Paint, Table};
use crate::view::words::{joined, some, yes};

/// Shows the class.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    let Some(tee) = &inventory.tee else {
        return;
    };
    let of_cpu = technologies_of_cpu(inventory);
    if *tee == Tee::default() && of_cpu.is_empty() {
        return;
    }
    page.title("Trusted execution");
    let mut table = Table::new(&[
        Column::Left("technology"),
        Column::Left("CPU"),
        Column::Left("host"),
        Column::Left("guest"),
        Column::Right("capacity"),
        Column::Right("in use"),
        Column::Wrap("devices"),
    ]);
    for one in &tee.technologies {
        table.row(row(inventory, one));
    }
    for name in of_cpu {
        if tee.technologies.iter().all(|one| one.id != name) {
            table.row([word(name).into(), "yes".into()]);
        }
    }
    page.table(&table);
    let mut facts = Table::facts();
    facts.fact("Memory encryption", memory_encryption(inventory).join(", "));
    facts.fact("SGX memory", epc(tee));
    facts.fact("Trusted systems", trusted_systems(tee, detail));
    facts.fact("Attestation report", if tee.report { "yes" } else { "" });
    page.table(&facts);
}

/// What this machine is a guest of, and what it can be a host of.
pub(super) fn summary(inventory: &Inventory) -> Option<String> {
    let tee = inventory.tee.as_ref()?;
    let technologies = || tee.technologies.iter();
    let guest = technologies()
        .filter(|one| one.guest)
        .map(|one| word(one.id));
    let host = technologies().filter(|one| one.host == Host::Enabled);
    let host: Vec<&str> = host.map(|one| word(one.id)).collect();
    let guest = guest
        .map(|name| format!("a guest of {name}"))
        .collect::<Vec<_>>();
    let host = (!host.is_empty()).then(|| format!("host of {}", host.join(", ")));
    let systems = tee.trusted_os.iter().map(|one| one.driver.clone());
    some(joined(
        guest.into_iter().map(Some).chain([host]).chain(systems),
        "; ",
    ))
}

fn row(inventory: &Inventory, one: &Technology) -> [Cell; 7] {
    let cpu = cpu_has(inventory, one.id).map_or("", yes);
    let amount = |count: Option<u64>| {
        let text = count.map(|count| match one.id {
            Name::Sgx => Bytes(count).to_string(),
            _ => format!("{count} guests"),
        });
        Cell::of(text.as_ref())
    };
    [
        word(one.id).into(),
        cpu.into(),
        match one.host {
            Host::Enabled => Cell::new("enabled", Paint::Good),
            Host::Disabled => Cell::new("disabled", Paint::Faint),
            Host::Unknown => Cell::default(),
        },
        if one.guest {
            Cell::new("yes", Paint::Good)
        } else {
            Cell::default()
        },
        amount(one.capacity),
        amount(one.now.used),
        one.devices.join(", ").into(),
    ]
}

/// The name that its maker gave it.
const fn word(name: Name) -> &'static str {
    match name {
        Name::Sev => "SEV",
        Name::SevEs => "SEV-ES",
        Name::SevSnp => "SEV-SNP",
        Name::Tdx => "TDX",
        Name::Sgx => "SGX",
        Name::Cca => "Arm CCA",
        Name::Pkvm => "pKVM",
        Name::SecureExecution => "Secure Execution",
        Name::Pef => "PEF",
        Name::Nitro => "Nitro Enclaves",
    }
}

fn epc(tee: &Tee) -> String {
    let nodes = tee.sgx_epc.iter();
    let nodes = nodes.map(|epc| Some(format!("{} on node {}", epc.size_bytes, epc.id)));
    joined(nodes, ", ")
}

fn trusted_systems(tee: &Tee, detail: bool) -> String {
    let words = tee.trusted_os.iter().map(|one| {
        let applications = one.applications.join(" ");
        let applications = some(applications).filter(|_| detail);
        let driver = one.driver.as_deref().unwrap_or(&one.id).to_owned();
        Some(joined([Some(driver), applications], " "))
    });
    joined(words, ", ")
}
