//! The mounted hugetlbfs file systems.

use super::Mount;
use crate::parse;
use crate::survey::Survey;
use crate::units::Bytes;

/// Those of our own mount namespace, and where a tree lacks that file, of the whole host.
const MOUNTS: [&str; 2] = ["proc/self/mounts", "proc/mounts"];

/// The mounts, by path.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Mount> {
    let read = |path: &&'static str| Some((*path, survey.raw(path)?));
    let Some((path, text)) = MOUNTS.iter().find_map(read) else {
        return Vec::new();
    };
    let lines = text.lines();
    let mut mounts: Vec<Mount> = lines.filter_map(|line| mount(survey, path, line)).collect();
    mounts.sort_by(|a, b| a.id.cmp(&b.id));
    mounts
}

/// A line of fstab's format, fstab(5).
///
/// ```text
/// hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0
/// ```
fn mount(survey: &Survey<'_>, path: &str, line: &str) -> Option<Mount> {
    let mut fields = line.split_whitespace().skip(1);
    let (place, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
    if kind != "hugetlbfs" {
        return None;
    }
    let size = |name: &str| -> Option<Bytes> {
        let (_, value) = options
            .split(',')
            .filter_map(|option| option.split_once('='))
            .find(|(key, _)| *key == name)?;
        let percentage = value.ends_with('%');
        (!percentage).then(|| survey.parsed(path, value, parse::size))?
    };
    Some(Mount {
        id: parse::unescaped(place),
        page_size_bytes: size("pagesize"),
        size_bytes: size("size"),
        min_size_bytes: size("min_size"),
        options: options.to_owned(),
    })
}
