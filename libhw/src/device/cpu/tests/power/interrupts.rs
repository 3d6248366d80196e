use super::*;

/// A nameless, a message-signalled and a function's own interrupt, and two that have no number.
fn interrupting() -> Tree {
    let tree = four();
    tree.write("proc/irq/default_smp_affinity", "f\n");
    tree.write(
        "proc/interrupts",
        "           CPU0       CPU1       CPU2       CPU3\n  9:   0 0 0 0  IO-APIC   9-fasteoi   acpi\n\
         120:   5 0 0 7  PCI-MSI 512000-edge      nvme0q0\n 121: 1 0 0 0 PCI-MSIX-0000:81:00.0 1-edge eth0-0\n\
         NMI: 0 0 2 0 Non-maskable interrupts\nERR: 1\n",
    );
    for (number, list) in [(9, "0-3"), (120, "0,3"), (121, "0")] {
        tree.write(
            &format!("proc/irq/{number}/smp_affinity_list"),
            &format!("{list}\n"),
        );
        tree.write(&format!("proc/irq/{number}/effective_affinity_list"), "0\n");
        tree.write(&format!("proc/irq/{number}/node"), "-1\n");
    }
    tree.write("sys/bus/pci/devices/0000:01:00.0/msi_irqs/120", "msix\n");
    tree
}

#[test]
fn interrupts_are_told_with_their_cpus_and_the_function_that_raises_them() {
    let tree = interrupting();
    let (shallow, _) = cpu(&tree, false);
    assert!(shallow.interrupts.is_empty());
    assert_eq!(
        shallow
            .default_interrupt_cpus
            .map(|set| set.to_string())
            .as_deref(),
        Some("0-3")
    );
    let (mut deep, inventory) = cpu(&tree, true);
    assert_eq!(told(&inventory.problems), []);
    let told: Vec<_> = deep
        .interrupts
        .iter()
        .map(|one| {
            (
                one.id.as_str(),
                one.function.as_deref(),
                one.now.count,
                one.now.cpus.to_string(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("9", None, 0, String::new()),
            ("120", Some("0000:01:00.0"), 12, "0,3".to_owned()),
            ("121", Some("0000:81:00.0"), 1, "0".to_owned()),
            ("NMI", None, 2, "2".to_owned()),
            ("ERR", None, 1, String::new()),
        ]
    );
    let nvme = &deep.interrupts[1];
    assert_eq!(
        (
            nvme.affinity.as_ref().map(ToString::to_string).as_deref(),
            nvme.node
        ),
        (Some("0,3"), None)
    );
    assert_eq!(
        (nvme.action.as_deref(), nvme.controller.as_deref()),
        (Some("nvme0q0"), Some("PCI-MSI"))
    );
    tree.write(
        "proc/interrupts",
        "   CPU0 CPU1 CPU2 CPU3\n120: 6 0 0 7 PCI-MSI 512000-edge nvme0q0\n",
    );
    let root = tree.root();
    refresh(&mut deep, &Survey::new(&root, "cpu", false, false));
    assert_eq!(
        (deep.interrupts[1].now.count, deep.interrupts[0].now.count),
        (13, 0)
    );
}
