//! Boots described machines under QEMU with a stock Debian kernel, and asks a program inside them.
//!
//! ```text
//! Machine (TOML) ──► arguments of QEMU, modules, side processes ─┐
//! provision ──► QEMU, vmlinux, modules ──► initramfs ────────────┤
//!                                                                ▼
//! test ──► Vm ──QMP──► QEMU                                  Vm::boot
//!          └──one JSON line per request, virtio-serial──► guest program (/init)
//! ```
//!
//! It never touches the machine that it runs on: what it starts it ends, and what it downloads stays in its cache.
//! Nothing here uses `libhw` but the functions that the guest runs by name: what a machine must show is said twice.

mod boot;
mod error;
pub mod fault;
pub mod initramfs;
mod lines;
pub mod machine;
pub mod modules;
mod programs;
pub mod protocol;
pub mod provision;
mod qmp;
mod skip;
mod slot;
mod vm;
pub mod yardstick;

pub use boot::{Boot, LIMIT};
pub use error::LabError;
pub use machine::Machine;
pub use skip::{ready, skipped};
pub use vm::{Vm, scale};
