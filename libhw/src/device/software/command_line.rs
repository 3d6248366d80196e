//! /proc/cmdline, `Documentation/admin-guide/kernel-parameters.rst`.

use std::collections::HashMap;

use super::BootParameter;
use crate::parse;
use crate::survey::Survey;

pub(super) fn discover(survey: &Survey<'_>) -> Vec<BootParameter> {
    parse(&survey.raw("proc/cmdline").unwrap_or_default())
}

/// Words between spaces; a space in double quotes parts nothing, and quotes around a value are no part of it.
///
/// ```text
/// BOOT_IMAGE=/vmlinuz root=UUID=... console=tty0 console=ttyS0,115200 dyndbg="file drivers/* +p" -- single
/// ```
fn parse(text: &str) -> Vec<BootParameter> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut parameters = Vec::new();
    let mut for_init = false;
    for word in words(parse::trim(text)) {
        if word == "--" && !for_init {
            for_init = true;
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(unquoted(value))),
            None => (word, None),
        };
        let name = name.trim_matches('"').to_owned();
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let hidden =
            value.is_some_and(|value| parse::is_secret(&name) || parse::holds_password(value));
        parameters.push(BootParameter {
            id: match *count {
                1 => name.clone(),
                count => format!("{name}#{count}"),
            },
            value: value.filter(|_| !hidden).map(str::to_owned),
            name,
            hidden,
            for_init,
        });
    }
    parameters
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let words = text.split(move |sign: char| {
        quoted ^= sign == '"';
        !quoted && (sign.is_whitespace() || sign == '\0')
    });
    words.filter(|word| !word.is_empty())
}

/// The kernel drops the quotes around a value, and around the whole word.
fn unquoted(value: &str) -> &str {
    let value = value.strip_prefix('"').unwrap_or(value);
    value.strip_suffix('"').unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_told_apart_as_the_kernel_does() {
        let line = "root=UUID=1-2 ro console=tty0 console=ttyS0,115200 dyndbg=\"file a +p\" \"x=y z\" a= -- -s b\n";
        let told: Vec<(String, Option<String>)> = parse(line)
            .into_iter()
            .map(|one| (one.id, one.value))
            .collect();
        let told: Vec<(&str, Option<&str>)> = told
            .iter()
            .map(|(id, value)| (id.as_str(), value.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("root", Some("UUID=1-2")),
                ("ro", None),
                ("console", Some("tty0")),
                ("console#2", Some("ttyS0,115200")),
                ("dyndbg", Some("file a +p")),
                ("x", Some("y z")),
                ("a", Some("")),
                ("-s", None),
                ("b", None),
            ]
        );
        let for_init = parse(line).iter().filter(|one| one.for_init).count();
        assert_eq!(for_init, 2);
    }

    #[test]
    fn what_looks_like_a_secret_is_not_told() {
        for line in [
            "rd.luks.key=abc",
            "ds_password=x",
            "api-token=x",
            "SECRET=x",
            "ip_passwd=y",
            "ks=http://u:p@h/",
        ] {
            let told = parse(line);
            assert!(
                told.iter().all(|one| one.hidden && one.value.is_none()),
                "{line}"
            );
        }
        for line in [
            "keyboard=de",
            "rd.vconsole.keymap=de",
            "monkey=1",
            "ro",
            "password",
        ] {
            let told = parse(line);
            assert!(told.iter().all(|one| !one.hidden), "{line}");
        }
    }
}
