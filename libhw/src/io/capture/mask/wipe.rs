//! Secrets: what nobody needs in a capture, not even as a pseudonym.

use crate::parse;

/// What stands where a secret was.
const WIPED: &str = "hidden";

/// Where `edid_info` stands in `struct boot_params` (arch/x86/include/uapi/asm/bootparam.h): a monitor's serial number.
const EDID: std::ops::Range<usize> = 0x140..0x1c0;

/// `bytes` of the file at `path` without the secrets in it.
pub(super) fn wiped(path: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    if path.ends_with("proc/cmdline") {
        return command_line(&bytes);
    }
    if path.ends_with("kernel/boot_params/data") {
        if let Some(edid) = bytes.get_mut(EDID) {
            edid.fill(0);
        }
        return bytes;
    }
    let parameter = path.rsplit_once("/parameters/").map(|(_, name)| name);
    if parameter.is_some_and(parse::is_secret) {
        return WIPED.into();
    }
    bytes
}

/// The parameters with the values of those left out that look like secrets. Where nothing is left out, as it was.
fn command_line(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    let mut any = false;
    let mut quoted = false;
    let is_end = |sign: char| {
        quoted ^= sign == '"';
        !quoted && (sign.is_whitespace() || sign == '\0')
    };
    for word in text.split_inclusive(is_end) {
        match word.split_once('=') {
            Some((name, value)) if parse::is_secret(name) || parse::holds_password(value) => {
                let end = value
                    .chars()
                    .next_back()
                    .filter(|sign| sign.is_whitespace() || *sign == '\0');
                shown.extend([name, "=", WIPED]);
                shown.extend(end);
                any = true;
            }
            _ => shown.push_str(word),
        }
    }
    if any {
        shown.into_bytes()
    } else {
        bytes.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_on_the_command_line_are_left_out() {
        for (line, shown) in [
            (
                "ro rd.luks.key=abc quiet\n",
                "ro rd.luks.key=hidden quiet\n",
            ),
            ("a.password=\"x y\" b=1\n", "a.password=hidden b=1\n"),
            ("ks=https://u:p@h/f\n", "ks=hidden\n"),
            ("token=", "token=hidden"),
            ("root=UUID=1 ro\n", "root=UUID=1 ro\n"),
            ("", ""),
        ] {
            let wiped = wiped("proc/cmdline", line.into());
            assert_eq!(String::from_utf8(wiped).unwrap(), shown);
        }
    }

    #[test]
    fn secret_parameters_of_modules_and_the_monitor_of_the_loader_are_left_out() {
        assert_eq!(
            wiped("sys/module/m/parameters/api_token", b"x\n".to_vec()),
            b"hidden"
        );
        assert_eq!(
            wiped("sys/module/m/parameters/debug", b"x\n".to_vec()),
            b"x\n"
        );
        let shown = wiped("sys/kernel/boot_params/data", vec![7; 4096]);
        assert_eq!(
            (shown[0x13f], shown[0x140], shown[0x1bf], shown[0x1ec]),
            (7, 0, 0, 7)
        );
    }
}
