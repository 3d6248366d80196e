//! os-release(5).

use super::Os;
use crate::parse;
use crate::survey::Survey;

/// The system's own place, and the vendor's, which the first usually leads to.
const PLACES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

pub(super) fn discover(survey: &Survey<'_>) -> Option<Os> {
    let text = PLACES.iter().find_map(|path| survey.text(path))?;
    Some(parse(&text))
}

/// Shell assignments; of several of one name the last counts.
///
/// ```text
/// PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
/// ID=debian
/// ```
fn parse(text: &str) -> Os {
    let value = |name: &str| {
        let assigned = |line: &str| {
            let (key, value) = parse::trim(line).split_once('=')?;
            (key == name).then(|| unquoted(value))
        };
        let value = text.lines().rev().find_map(assigned)?;
        parse::nonempty(&value)
    };
    let words = |name| value(name).unwrap_or_default();
    Os {
        id: value("ID").unwrap_or_else(|| "linux".to_owned()),
        id_like: words("ID_LIKE")
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        name: value("NAME"),
        pretty_name: value("PRETTY_NAME"),
        version: value("VERSION"),
        version_id: value("VERSION_ID"),
        codename: value("VERSION_CODENAME"),
        variant: value("VARIANT_ID").or_else(|| value("VARIANT")),
        build_id: value("BUILD_ID"),
        image_id: value("IMAGE_ID"),
        image_version: value("IMAGE_VERSION"),
        cpe_name: value("CPE_NAME"),
        support_end: value("SUPPORT_END"),
    }
}

/// A word of the shell, without the quotes and backslashes that it is written with. In single quotes a backslash is
/// itself.
fn unquoted(text: &str) -> String {
    let text = parse::trim(text);
    let within = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(text) = within('\'') {
        return text.to_owned();
    }
    let text = within('"').unwrap_or(text);
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => plain.extend(signs.next()),
            sign => plain.push(sign),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_shell_does() {
        for (text, value) in [
            ("debian", "debian"),
            ("\"12 (bookworm)\"", "12 (bookworm)"),
            ("'it is'", "it is"),
            (r#""a \"b\" \$c \\ \`""#, r#"a "b" $c \ `"#),
            (r"'a\b'", r"a\b"),
            ("\"open", "\"open"),
            ("\"", "\""),
            ("", ""),
            ("\\", ""),
        ] {
            assert_eq!(unquoted(text), value, "{text:?}");
        }
    }

    #[test]
    fn the_last_of_several_assignments_counts_and_noise_does_not() {
        let os = parse("# ID=no\nID=a\nnoise\nID=\"b\"\nID_LIKE=\"rhel fedora\"\nNAME=\n");
        assert_eq!((os.id.as_str(), os.name), ("b", None));
        assert_eq!(os.id_like, ["rhel", "fedora"]);
        assert_eq!(parse("").id, "linux");
    }
}
