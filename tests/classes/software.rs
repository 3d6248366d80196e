//! Software: is what the machine says that it runs what other programs say?

use std::process::Command;

use libhw::device::software::Software;
use libhw::inventory::{Class, Scope, discover};
use libhw::io::root::Root;

use super::{replayed, synthetic};

fn live() -> Software {
    let scope = Scope {
        classes: vec![Class::Software],
        ..Scope::default()
    };
    let inventory = discover(&Root::live().expect("this host"), &scope);
    inventory.software.expect("software")
}

#[test]
fn the_system_is_what_the_shell_reads_in_its_own_file() {
    if !std::path::Path::new("/etc/os-release").exists() {
        return support::skipped("no /etc/os-release");
    }
    let script = ". /etc/os-release; printf '%s\\n' \"$ID\" \"$NAME\" \"$PRETTY_NAME\" \"$VERSION_ID\" \"$VERSION_CODENAME\" \"$VERSION\"";
    let output = Command::new("sh")
        .args(["-c", script])
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said: Vec<Option<&str>> = text
        .lines()
        .map(|line| Some(line).filter(|line| !line.is_empty()))
        .collect();
    let os = live().os.expect("a system");
    let own = [
        Some(os.id.as_str()),
        os.name.as_deref(),
        os.pretty_name.as_deref(),
        os.version_id.as_deref(),
        os.codename.as_deref(),
        os.version.as_deref(),
    ];
    assert_eq!(said, own);
}

#[test]
fn the_kernel_and_its_modules_are_those_that_uname_and_lsmod_tell() {
    let software = live();
    let output = Command::new("uname").arg("-r").output().expect("uname");
    let release = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert_eq!(software.kernel.release, Some(release));
    let lsmod = Command::new("lsmod").output();
    let Some(output) = lsmod.ok().filter(|output| output.status.success()) else {
        return support::skipped("no lsmod, or no modules");
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut names: Vec<&str> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    names.sort_unstable();
    let own: Vec<&str> = software
        .modules
        .iter()
        .map(|module| module.id.as_str())
        .collect();
    assert_eq!(own, names);
}

/// The flags of the kernel's own script, as far as they concern us: the letter of each bit is in its table.
#[test]
fn taints_are_those_of_this_kernel() {
    let text = std::fs::read_to_string("/proc/sys/kernel/tainted").expect("the kernel's word");
    let mask: u64 = text.trim().parse().expect("a number");
    let bits: u64 = live().taints.iter().map(|taint| 1 << taint.bit).sum();
    assert_eq!(bits, mask);
}

#[test]
fn the_command_line_of_every_captured_machine_is_read_word_by_word() {
    let Some(trees) = support::trees() else {
        return;
    };
    let mut compared = 0;
    for tree in trees {
        let Ok(text) = std::fs::read_to_string(tree.directory.join("proc/cmdline")) else {
            continue;
        };
        let software = replayed(&tree.directory, &[Class::Software])
            .software
            .expect("software");
        let words = software.command_line.iter().map(|one| match &one.value {
            Some(value) => format!("{}={value}", one.name),
            None => one.name.clone(),
        });
        // None of these has quotes or secrets in it.
        let words: Vec<String> = words.collect();
        assert_eq!(words.join(" "), text.trim(), "{}", tree.name);
        compared += 1;
    }
    assert!(compared >= 4, "only {compared} trees have a command line");
}

#[test]
fn a_server_with_secure_boot_and_a_failed_update_tells_both() {
    let inventory = synthetic("software-server", &[Class::Software]);
    assert_eq!(inventory.problems, []);
}
