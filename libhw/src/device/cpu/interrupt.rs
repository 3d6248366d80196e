//! Interrupts: who raises them, and which CPUs they may go to; `Documentation/core-api/irq/irq-affinity.rst`,
//! `Documentation/filesystems/proc.rst` (1.3, 3.11).
//!
//! A server has a thousand, so they are read where asked to look closely.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;

/// An interrupt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interrupt {
    /// The kernel's number, or the letters of one that is every CPU's own: `24`, `NMI`.
    pub id: String,
    /// The number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The controller: `IO-APIC`, `PCI-MSIX-0000:00:01.0`, `GICv3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The drivers' names for it; of one without a number the kernel's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The PCI function that raises it, where it is a message-signalled one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// `/proc/irq/N/smp_affinity_list`: the CPUs that it may go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<IdSet>,
    /// `/proc/irq/N/effective_affinity_list`: the CPUs that it does go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<IdSet>,
    /// `/proc/irq/N/node`: the memory node of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// What changes without an event.
    #[serde(default)]
    pub now: InterruptNow,
}

/// How often an interrupt came since the kernel was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InterruptNow {
    /// On all CPUs together.
    pub count: u64,
    /// The CPUs that it came to.
    pub cpus: IdSet,
}

const INTERRUPTS: &str = "proc/interrupts";
const IRQ: &str = "proc/irq";
const FUNCTIONS: &str = "sys/bus/pci/devices";

/// Where a new interrupt goes, `/proc/irq/default_smp_affinity`.
pub(super) fn default_affinity(survey: &Survey<'_>) -> Option<IdSet> {
    survey.value("proc/irq/default_smp_affinity", parse::bitmap)
}

/// Every interrupt that the kernel counts, in its order.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Interrupt> {
    let mut interrupts = counted(survey);
    if interrupts.is_empty() {
        return interrupts;
    }
    let functions = functions(survey);
    let known = survey.names(IRQ);
    for interrupt in &mut interrupts {
        let Some(number) = interrupt.number else {
            continue;
        };
        let by_name = || message_source(interrupt.controller.as_deref()?);
        interrupt.function = functions.get(&number).cloned().or_else(by_name);
        if known.binary_search(&interrupt.id).is_ok() {
            let path = |name: &str| format!("{IRQ}/{number}/{name}");
            interrupt.affinity = survey.value(&path("smp_affinity_list"), parse::list);
            interrupt.effective = survey.value(&path("effective_affinity_list"), parse::list);
            interrupt.node = survey
                .value(&path("node"), parse::decimal_or_none)
                .flatten();
        }
    }
    interrupts
}

/// Reads again how often each came.
pub(super) fn refresh(interrupts: &mut [Interrupt], survey: &Survey<'_>) {
    if interrupts.is_empty() {
        return;
    }
    let mut counted: HashMap<String, InterruptNow> = counted(survey)
        .into_iter()
        .map(|one| (one.id, one.now))
        .collect();
    for interrupt in interrupts {
        interrupt.now = counted.remove(&interrupt.id).unwrap_or_default();
    }
}

/// The function of each message-signalled interrupt, `Documentation/ABI/testing/sysfs-bus-pci` (`msi_irqs`).
fn functions(survey: &Survey<'_>) -> HashMap<u32, String> {
    let mut functions = HashMap::new();
    for function in survey.names(FUNCTIONS) {
        let numbers = survey.names(&format!("{FUNCTIONS}/{function}/msi_irqs"));
        let numbers = numbers.iter().filter_map(|name| parse::decimal(name).ok());
        functions.extend(numbers.map(|number| (number, function.clone())));
    }
    functions
}

/// The function in the name of a controller that is one function's own (Linux 6.2).
///
/// ```text
/// PCI-MSIX-0000:00:01.0
/// ```
fn message_source(controller: &str) -> Option<String> {
    let (_, address) = controller.rsplit_once('-')?;
    let colons = address.bytes().filter(|byte| *byte == b':').count();
    (colons == 2 && address.contains('.')).then(|| address.to_owned())
}

fn counted(survey: &Survey<'_>) -> Vec<Interrupt> {
    let text = survey.raw(INTERRUPTS).unwrap_or_default();
    let mut lines = text.lines();
    let Some(head) = lines.next() else {
        return Vec::new();
    };
    let Some(cpus) = survey.parsed(INTERRUPTS, head, head_cpus) else {
        return Vec::new();
    };
    let lines = lines.filter(|line| !parse::trim(line).is_empty());
    lines
        .filter_map(|line| survey.parsed(INTERRUPTS, line, |line| interrupt(line, &cpus)))
        .collect()
}

/// The online CPUs, which the columns stand for.
///
/// ```text
///            CPU0       CPU2
/// ```
fn head_cpus(head: &str) -> Parsed<Vec<u32>> {
    const EXPECTED: Expected = Expected("`CPU0 CPU1 ...`");
    let number = |word: &str| {
        parse::decimal(word.strip_prefix("CPU").ok_or(EXPECTED)?).map_err(|_| EXPECTED)
    };
    let cpus = head
        .split_whitespace()
        .map(number)
        .collect::<Parsed<Vec<u32>>>()?;
    if cpus.is_empty() {
        Err(EXPECTED)
    } else {
        Ok(cpus)
    }
}

/// One line: name, a count for each CPU (or one for all), and what it is.
///
/// ```text
///  25:       1800          0   PCI-MSI 114689-edge      virtio5-req.0
///  11:        812        204     GICv3  26 Level     arch_timer
/// LOC:      10196       7429   Local timer interrupts
/// ERR:          0
/// ```
fn interrupt(line: &str, cpus: &[u32]) -> Parsed<Interrupt> {
    const EXPECTED: Expected = Expected("a name, a colon, and counts");
    let (id, rest) = line.split_once(':').ok_or(EXPECTED)?;
    let id = parse::trim(id);
    if id.is_empty() {
        return Err(EXPECTED);
    }
    let mut words = rest.split_whitespace().peekable();
    let mut now = InterruptNow::default();
    for cpu in cpus {
        let Some(count) = words
            .peek()
            .and_then(|word| parse::decimal::<u64>(word).ok())
        else {
            break;
        };
        words.next();
        now.count = now.count.saturating_add(count);
        if count > 0 {
            now.cpus.insert(*cpu);
        }
    }
    let words: Vec<&str> = words.collect();
    let number = parse::decimal(id).ok();
    let (controller, action) = match number {
        Some(_) => described(&words),
        None => (None, parse::nonempty(&words.join(" "))),
    };
    if number.is_none() && words.is_empty() {
        // ERR and MIS are counted once for all CPUs.
        now.cpus = IdSet::new();
    }
    Ok(Interrupt {
        id: id.to_owned(),
        number,
        controller,
        action,
        now,
        ..Interrupt::default()
    })
}

/// The controller, which may be several words, stands before the number that it has for the interrupt; the trigger beside that
/// is left out.
fn described(words: &[&str]) -> (Option<String>, Option<String>) {
    let is_number = |word: &&str| {
        let digits = word.split('-').next().unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let at = words.iter().position(is_number);
    let (controller, rest) = words
        .split_at_checked(at.unwrap_or(1))
        .unwrap_or((words, &[]));
    let skip = usize::from(at.is_some());
    let trigger = |word: &&&str| matches!(**word, "Level" | "Edge");
    let skip = skip + usize::from(at.is_some() && rest.get(1).as_ref().is_some_and(trigger));
    let action = rest.get(skip..).unwrap_or_default();
    (
        parse::nonempty(&controller.join(" ")),
        parse::nonempty(&action.join(" ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_controller_and_action_on_every_architecture() {
        for (line, controller, action) in [
            (
                " 24: 1 0  IO-APIC   5-edge      ACPI:Ged",
                Some("IO-APIC"),
                Some("ACPI:Ged"),
            ),
            (
                " 29: 1362 0 PCI-MSI 512000-edge      ahci[0000:00:1f.2]",
                Some("PCI-MSI"),
                Some("ahci[0000:00:1f.2]"),
            ),
            (
                " 11: 812 204 GICv3  26 Level     arch_timer",
                Some("GICv3"),
                Some("arch_timer"),
            ),
            (
                " 18: 0 0 IO-APIC  18-fasteoi   i801_smbus, ehci_hcd:usb1",
                Some("IO-APIC"),
                Some("i801_smbus, ehci_hcd:usb1"),
            ),
            (
                " 55: 0 0 Hisilicon MBIGEN-V2  12 Level  eth0",
                Some("Hisilicon MBIGEN-V2"),
                Some("eth0"),
            ),
            (" 16: 1 0 XICS 2 IPI", Some("XICS"), Some("IPI")),
            (
                " 8: 1 0 interrupt-controller rtc",
                Some("interrupt-controller"),
                Some("rtc"),
            ),
            (" 8: 1 0", None, None),
            (
                "LOC: 10 7 Local timer interrupts",
                None,
                Some("Local timer interrupts"),
            ),
        ] {
            let one = interrupt(line, &[0, 2]).unwrap();
            assert_eq!(
                (one.controller.as_deref(), one.action.as_deref()),
                (controller, action),
                "{line}"
            );
        }
    }

    #[test]
    fn counts_are_those_of_the_cpus_in_the_head() {
        let cpus = head_cpus("   CPU0   CPU2\n").unwrap();
        let one = interrupt("  5: 0 18 IO-APIC 1-edge x", &cpus).unwrap();
        assert_eq!(
            (one.now.count, one.now.cpus.to_string()),
            (18, "2".to_owned())
        );
        let one = interrupt("ERR:  3", &cpus).unwrap();
        assert_eq!(
            (one.now.count, one.now.cpus.to_string()),
            (3, String::new())
        );
        for head in ["", "CPU", "cpu0", "CPU0 x"] {
            assert!(head_cpus(head).is_err(), "{head:?}");
        }
        assert!(interrupt("no colon", &cpus).is_err());
        assert!(interrupt(": 1", &cpus).is_err());
    }

    #[test]
    fn a_controller_of_one_function_names_it() {
        assert_eq!(
            message_source("PCI-MSIX-0000:00:01.0").as_deref(),
            Some("0000:00:01.0")
        );
        assert_eq!(
            message_source("ITS-PCI-MSI-0002:01:00.0").as_deref(),
            Some("0002:01:00.0")
        );
        assert_eq!(message_source("IO-APIC"), None);
        assert_eq!(message_source("PCI-MSI"), None);
    }
}
