//! os-release(5).
#![cfg_attr(fuzzing, no_main)]

use gnomon_fuzz::mutant::file;
use libhw::inventory::Class;

const PATH: &str = "etc/os-release";

const TEXT: &[u8] = br#"PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME='Debian'
VERSION_ID="12"
ID=debian
ID_LIKE="a b"
SUPPORT_END=2026-05-14
"#;

gnomon_fuzz::target!(|bytes| file(Class::Software, PATH, &[TEXT], bytes));
