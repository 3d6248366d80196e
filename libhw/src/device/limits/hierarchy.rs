//! Which control groups we are in, and where they stand: cgroups(7), /proc/self/cgroup and the mounts.

use crate::parse;
use crate::survey::Survey;

/// The controllers that limit something; a hierarchy of others is passed over.
const CONTROLLERS: [&str; 7] = [
    "cpu", "cpuacct", "cpuset", "memory", "pids", "hugetlb", "blkio",
];

/// No group is nested deeper.
const DEPTH_MAX: usize = 32;

/// A hierarchy that we are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// `unified`, or the controllers.
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) controllers: Vec<String>,
    /// Where it is mounted, without the leading slash.
    pub(super) mounted: String,
    /// Our group's path below that, `/` or `/a/b`.
    pub(super) path: String,
}

/// The hierarchies that limit us and are mounted, in the kernel's order.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Hierarchy> {
    let text = survey.raw("proc/self/cgroup").unwrap_or_default();
    let mut members: Vec<Member> = text.lines().filter_map(member).collect();
    if members.is_empty() {
        members.extend(of_cpuset(survey));
    }
    members.retain(|member| member.controllers.is_empty() || member.limits());
    if members.is_empty() {
        return Vec::new();
    }
    let mounts = mounts(survey);
    members
        .into_iter()
        .filter_map(|member| member.at(&mounts))
        .collect()
}

/// The groups from ours up to what is mounted: path and directory.
pub(super) fn levels(hierarchy: &Hierarchy) -> Vec<(String, String)> {
    let mut levels = Vec::new();
    let mut path = hierarchy.path.trim_matches('/');
    loop {
        let directory = match path {
            "" => hierarchy.mounted.clone(),
            path => format!("{}/{path}", hierarchy.mounted),
        };
        levels.push((format!("/{path}"), directory));
        if path.is_empty() || levels.len() >= DEPTH_MAX {
            return levels;
        }
        path = path.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// A line of /proc/self/cgroup; of version 2 without controllers.
#[derive(Debug)]
struct Member {
    controllers: Vec<String>,
    path: String,
}

/// ```text
/// 3:cpu,cpuacct:/user.slice
/// 0::/user.slice/user-0.slice/session-1.scope
/// ```
fn member(line: &str) -> Option<Member> {
    let mut fields = parse::trim(line).splitn(3, ':');
    let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    parse::decimal::<u32>(number).ok()?;
    let controllers = controllers.split(',').filter(|name| !name.is_empty());
    Some(Member {
        controllers: controllers.map(str::to_owned).collect(),
        path: path.to_owned(),
    })
}

/// Trees that lack /proc/self/cgroup may still have /proc/self/cpuset.
fn of_cpuset(survey: &Survey<'_>) -> Option<Member> {
    Some(Member {
        controllers: vec!["cpuset".to_owned()],
        path: survey.text("proc/self/cpuset")?,
    })
}

impl Member {
    fn limits(&self) -> bool {
        let known = |name: &String| CONTROLLERS.contains(&name.as_str());
        self.controllers.iter().any(known)
    }

    /// With the mount that shows it; the first that does, since others are views of the same.
    fn at(self, mounts: &[Mount]) -> Option<Hierarchy> {
        let of_version_1 = |mount: &&Mount| {
            let mut own = self.controllers.iter();
            mount.kind != "cgroup2" && own.any(|name| mount.has(name))
        };
        let unified = |mount: &&Mount| mount.kind == "cgroup2";
        let found = match self.controllers.first() {
            None => mounts.iter().find(unified),
            Some(_) => mounts.iter().find(of_version_1),
        };
        // /proc/self/cpuset is the same file in both versions.
        let found = found.or_else(|| mounts.iter().find(unified))?;
        let version = if found.kind == "cgroup2" { 2 } else { 1 };
        let name = match version {
            2 => "unified".to_owned(),
            _ => self.controllers.join(","),
        };
        Some(Hierarchy {
            name,
            version,
            mounted: found.place.trim_matches('/').to_owned(),
            path: below(&self.path, &found.root),
            controllers: if version == 2 {
                Vec::new()
            } else {
                self.controllers
            },
        })
    }
}

/// A group's path below what is mounted, which may be a part of the hierarchy only. Of a group that lies
/// outside, as a container may be told, nothing but the mount itself can be seen.
fn below(path: &str, root: &str) -> String {
    let root = root.trim_end_matches('/');
    let inside = path
        .strip_prefix(root)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .filter(|rest| !rest.split('/').any(|part| part == ".."));
    match inside {
        None | Some("") => "/".to_owned(),
        Some(rest) => rest.to_owned(),
    }
}

/// A mounted cgroup file system.
#[derive(Debug)]
struct Mount {
    place: String,
    /// The part of the hierarchy that it shows.
    root: String,
    /// `cgroup2`, `cgroup`, or `cpuset`, which is older than both.
    kind: String,
    options: String,
}

impl Mount {
    fn has(&self, controller: &str) -> bool {
        self.kind == controller || self.options.split(',').any(|option| option == controller)
    }
}

/// Of our mount namespace, where that is told; a tree of another time may have the whole host's only.
fn mounts(survey: &Survey<'_>) -> Vec<Mount> {
    if let Some(text) = survey.raw("proc/self/mountinfo") {
        return text.lines().filter_map(mountinfo).collect();
    }
    let text = survey
        .raw("proc/self/mounts")
        .or_else(|| survey.raw("proc/mounts"));
    text.unwrap_or_default().lines().filter_map(fstab).collect()
}

fn is_cgroup(kind: &str) -> bool {
    matches!(kind, "cgroup" | "cgroup2" | "cpuset")
}

/// proc_pid_mountinfo(5).
///
/// ```text
/// 31 23 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
/// ```
fn mountinfo(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut after = after.split(' ');
    let kind = after.next().filter(|kind| is_cgroup(kind))?;
    let mut before = before.split(' ').skip(3);
    Some(Mount {
        root: before.next()?.to_owned(),
        place: before.next()?.to_owned(),
        kind: kind.to_owned(),
        options: after.nth(1).unwrap_or_default().to_owned(),
    })
}

/// fstab(5)'s format, which doesn't tell the root.
///
/// ```text
/// cgroup /sys/fs/cgroup/cpuset cgroup rw,nosuid,cpuset 0 0
/// ```
fn fstab(line: &str) -> Option<Mount> {
    let mut fields = line.split_whitespace().skip(1);
    let place = fields.next()?.to_owned();
    let kind = fields.next().filter(|kind| is_cgroup(kind))?;
    Some(Mount {
        root: "/".to_owned(),
        place,
        kind: kind.to_owned(),
        options: fields.next()?.to_owned(),
    })
}
