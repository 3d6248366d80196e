//! Whether something waits for a reboot: the marks that package managers leave, and kernels newer than the running one.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::survey::Survey;

/// Whether something waits for a reboot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Reboot {
    /// Whether a package manager left a mark: `/run/reboot-required` (Debian), `/run/reboot-needed` (SUSE). On a system that has
    /// neither, none says nothing.
    pub marked: bool,
    /// `/run/reboot-required.pkgs`: the packages that want it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// `/lib/modules`: the kernels that are installed, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kernels: Vec<String>,
    /// The newest of them that is newer than the running one and of its flavour: a hint that a reboot would change the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer_kernel: Option<String>,
}

const MARKS: [&str; 2] = ["run/reboot-required", "run/reboot-needed"];

const MODULES: &str = "lib/modules";

/// Nobody keeps more kernels.
const KERNELS_MAX: usize = 64;

pub(super) fn discover(survey: &Survey<'_>, running: Option<&str>) -> Reboot {
    let mut reboot = Reboot::default();
    refresh(&mut reboot, survey);
    reboot.kernels = kernels(survey);
    reboot.newer_kernel = running.and_then(|running| newer(&reboot.kernels, running));
    reboot
}

/// Reads the marks again.
pub(super) fn refresh(reboot: &mut Reboot, survey: &Survey<'_>) {
    let packages = survey.raw("run/reboot-required.pkgs").unwrap_or_default();
    reboot.packages = packages
        .lines()
        .filter_map(crate::parse::nonempty)
        .collect();
    reboot.packages.sort();
    reboot.packages.dedup();
    reboot.marked = MARKS.iter().any(|path| survey.raw(path).is_some());
}

/// A kernel that was removed leaves its directory behind if something else lies in it, but not its list of modules.
fn kernels(survey: &Survey<'_>) -> Vec<String> {
    let whole = |name: &String| {
        let names = survey.names(&format!("{MODULES}/{name}"));
        names.iter().any(|name| name == "modules.dep")
    };
    let names = survey.names(MODULES).into_iter().take(KERNELS_MAX);
    let mut kernels: Vec<String> = names.filter(whole).collect();
    kernels.sort_by(|a, b| by_version(a, b));
    kernels
}

fn newer(kernels: &[String], running: &str) -> Option<String> {
    let newer = |name: &&String| {
        flavour(name) == flavour(running) && by_version(name, running) == Ordering::Greater
    };
    kernels.iter().rev().find(newer).cloned()
}

/// Numbers by value and all else as text, part by part: `6.1.0-9` is older than `6.1.0-10`.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (part_a, rest_a) = part(a);
        let (part_b, rest_b) = part(b);
        if part_a.is_empty() && part_b.is_empty() {
            return Ordering::Equal;
        }
        let number = |text: &str| text.parse::<u128>().ok();
        let order = match (number(part_a), number(part_b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // A candidate comes before what it is a candidate for.
            _ if part_a.starts_with("-rc") != part_b.starts_with("-rc") => {
                part_b.starts_with("-rc").cmp(&part_a.starts_with("-rc"))
            }
            _ => part_a.cmp(part_b),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The digits at the start, or what stands before the next digit.
fn part(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|sign: char| sign.is_ascii_digit());
    let end = text
        .find(|sign: char| sign.is_ascii_digit() != digits)
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What tells kernels apart that are built from one source: `cloud-amd64`, `rt`, `generic`.
fn flavour(release: &str) -> Vec<&str> {
    let (release, variant) = release.split_once('+').unwrap_or((release, ""));
    let parts = release
        .split('-')
        .filter(|part| !part.starts_with(|sign: char| sign.is_ascii_digit()));
    let parts = parts.filter(|part| !part.starts_with("rc"));
    parts.chain([variant]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_kernel_of_the_same_flavour_is_a_hint() {
        for (kernels, running, expected) in [
            (
                &["6.1.0-18-amd64", "6.1.0-20-amd64"][..],
                "6.1.0-18-amd64",
                Some("6.1.0-20-amd64"),
            ),
            (
                &["6.1.0-9-amd64", "6.1.0-18-amd64"][..],
                "6.1.0-18-amd64",
                None,
            ),
            (
                &["6.1.0-9-amd64", "6.1.0-10-amd64"][..],
                "6.1.0-9-amd64",
                Some("6.1.0-10-amd64"),
            ),
            (
                &["6.1.0-18-amd64", "6.1.0-20-cloud-amd64"][..],
                "6.1.0-18-amd64",
                None,
            ),
            (
                &[
                    "5.14.0-362.8.1.el9_3.x86_64",
                    "5.14.0-362.18.1.el9_3.x86_64",
                    "5.14.0-427.el9.x86_64+rt",
                ][..],
                "5.14.0-362.8.1.el9_3.x86_64",
                Some("5.14.0-362.18.1.el9_3.x86_64"),
            ),
            (
                &["6.8.0-45-generic", "6.8.0-40-generic"][..],
                "6.8.0-40-generic",
                Some("6.8.0-45-generic"),
            ),
            (&["6.9.0-rc1", "6.9.0"][..], "6.9.0-rc1", Some("6.9.0")),
            (&["6.9.0-rc1", "6.9.0"][..], "6.9.0", None),
            (&[][..], "6.1.0", None),
        ] {
            let mut kernels: Vec<String> = kernels.iter().map(|name| (*name).to_owned()).collect();
            kernels.sort_by(|a, b| by_version(a, b));
            assert_eq!(newer(&kernels, running).as_deref(), expected, "{running}");
        }
    }

    #[test]
    fn any_text_has_a_place_in_the_order() {
        assert_eq!(by_version("", ""), Ordering::Equal);
        assert_eq!(by_version("a", ""), Ordering::Greater);
        assert_eq!(
            by_version("9999999999999999999999999999999999999999", "1"),
            Ordering::Greater
        );
        assert_eq!(by_version("6.1", "6.1.0"), Ordering::Less);
    }
}
