//! The names of capabilities, capabilities(7) and include/uapi/linux/capability.h.

/// By number.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The names of the bits that are set.
pub(super) fn names(mask: u64) -> Vec<String> {
    let name = |bit: usize| {
        let known = NAMES.get(bit).map(|name| (*name).to_owned());
        known.unwrap_or_else(|| format!("cap_{bit}"))
    };
    (0..64)
        .filter(|bit| mask & (1 << bit) != 0)
        .map(name)
        .collect()
}

/// The mask of all capabilities up to `last`.
pub(super) fn all(last: u32) -> u64 {
    u64::MAX
        .checked_shr(63_u32.saturating_sub(last))
        .unwrap_or(u64::MAX)
}
