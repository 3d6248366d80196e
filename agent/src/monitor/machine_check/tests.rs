use crate::monitor::scene::{Scene, row};

use super::ROW;

fn interrupts(exceptions: u32, polls: u32, threshold: u32) -> String {
    format!(
        "           CPU0       CPU1\n THR:          {threshold}          0   Threshold APIC interrupts\n MCE:          \
         {exceptions}          0   Machine check exceptions\n MCP:         {polls}         12   Machine check polls\n"
    )
}

#[test]
fn machine_checks_are_told_and_mere_looks_at_the_banks_are_not() {
    let mut scene = Scene::new(&ROW, &[]);
    scene.write("proc/interrupts", &interrupts(0, 10, 7));
    assert_eq!(scene.wrong(), []);
    scene.write("proc/interrupts", &interrupts(1, 20, 9));
    let wrong = [
        row("hw.cpu.machine-check", "cpu=all", "+1"),
        row("hw.cpu.machine-check-corrected", "cpu=all", "+2"),
    ];
    assert_eq!(scene.wrong(), wrong);
    scene.reboot();
    scene.write("proc/interrupts", &interrupts(0, 1, 0));
    assert_eq!(scene.wrong(), []);
}

#[test]
fn caches_and_buses_that_edac_counts_are_told() {
    let cache = "sys/devices/system/edac/cpu_cache/cpu_cache0";
    let mut scene = Scene::new(&ROW, &[]);
    scene.write(&format!("{cache}/ce_count"), "1\n");
    scene.write(&format!("{cache}/ue_count"), "0\n");
    scene.write("sys/devices/system/edac/pci/check_pci_errors", "1\n");
    scene.write("sys/devices/system/edac/pci/pci_parity_count", "4\n");
    assert_eq!(scene.wrong(), []);
    scene.write(&format!("{cache}/ce_count"), "2\n");
    scene.write(&format!("{cache}/ue_count"), "1\n");
    scene.write("sys/devices/system/edac/pci/pci_parity_count", "5\n");
    let cache = "edac=cpu_cache/cpu_cache0";
    let wrong = [
        row("hw.edac.corrected", cache, "+1"),
        row("hw.edac.uncorrected", cache, "+1"),
        row("hw.pci.parity", "", "+1"),
    ];
    assert_eq!(scene.wrong(), wrong);
}
