//! Colours that also colour-blind eyes tell apart (after Okabe and Ito), dark enough for text at a ratio of 4.5 to 1.

use crate::topology::device::Role;
use crate::topology::tree::Kind;

pub(super) const PAGE: &str = r##"fill="#fcfcfa" stroke="#c9cfd6""##;
pub(super) const INK: &str = "#17202b";
pub(super) const SOFT: &str = "#465463";
pub(super) const ALERT: &str = "#a3330b";
pub(super) const PANEL: &str = r##"fill="#ffffff" stroke="#d4d9df""##;
pub(super) const CARD: &str = r##"fill="#ffffff" stroke="#b9c2cc""##;

pub(super) const CHIP: (&str, &str) = (r##"fill="#cfe4f6""##, "");
pub(super) const ISOLATED: (&str, &str) = (r##"fill="#0b4f86""##, "#ffffff");
pub(super) const OFFLINE: (&str, &str) = (
    r##"fill="#ffffff" stroke="#7a8794" stroke-dasharray="3 2""##,
    "#5b6773",
);
pub(super) const NOHZ_FULL: &str = r##"fill="#e69f00""##;

const CORE_KINDS: [&str; 4] = [
    r##"fill="#ffffff" stroke="#0072b2" stroke-width="1.5""##,
    r##"fill="#f1f7ee" stroke="#5a8f3c" stroke-dasharray="5 2""##,
    r##"fill="#f8eef4" stroke="#a3568a" stroke-dasharray="2 2""##,
    r##"fill="#fff6e5" stroke="#b57f00" stroke-dasharray="8 2 2 2""##,
];

/// Fill and border of a box.
pub(super) const fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Machine => r##"fill="none""##,
        Kind::Drawer => r##"fill="#f4f5f6" stroke="#8a939d""##,
        Kind::Book => r##"fill="#ebedf0" stroke="#8a939d""##,
        Kind::Package => r##"fill="#e9eef4" stroke="#6f8296""##,
        Kind::Node => r##"fill="#dcefe6" stroke="#2c8f6b""##,
        Kind::Die => r##"fill="#ece7f4" stroke="#8573ad""##,
        Kind::Cluster => r##"fill="#f7e6d8" stroke="#c07a45""##,
        Kind::Cache => r##"fill="#fdf0cc" stroke="#cf9a1b""##,
        Kind::Core => r##"fill="#ffffff" stroke="#a9b4bf""##,
        Kind::Apart => r##"fill="#f4f5f7" stroke="#9aa5b0" stroke-dasharray="6 3""##,
    }
}

pub(super) const MEMORY_ONLY: &str = r##"fill="#eef8f3" stroke="#2c8f6b" stroke-dasharray="6 3""##;

pub(super) fn of_core_kind(number: usize) -> &'static str {
    CORE_KINDS
        .iter()
        .copied()
        .cycle()
        .nth(number % CORE_KINDS.len())
        .unwrap_or_default()
}

pub(super) const fn of_role(role: Role) -> &'static str {
    match role {
        Role::Accelerator => r##"fill="#8b3a78""##,
        Role::Network => r##"fill="#00649c""##,
        Role::Storage => r##"fill="#a84a00""##,
        Role::Other => r##"fill="#5a6672""##,
    }
}

/// A cell of the matrix, from 0, near, to 4, far.
pub(super) const fn of_distance(share: u64) -> &'static str {
    match share {
        0 => r##"fill="#f4f8fb""##,
        1 => r##"fill="#dbe9f4""##,
        2 => r##"fill="#c0d9ec""##,
        3 => r##"fill="#a3c8e3""##,
        _ => r##"fill="#86b6d9""##,
    }
}
