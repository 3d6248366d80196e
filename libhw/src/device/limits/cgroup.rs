//! One control group: what it is given, `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`.
//!
//! Both versions are read by one table: a directory is listed once, and of the names that a setting has had the one
//! that is there is read.

use super::hierarchy::{self, Hierarchy};
use super::{
    Cgroup, CgroupCpu, CgroupCpuset, CgroupHugetlb, CgroupIo, CgroupMemory, CgroupNow, pressure,
};
use crate::idset::IdSet;
use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// Our groups, by hierarchy, nearest first.
pub(super) fn discover(survey: &Survey<'_>) -> Vec<Cgroup> {
    let mut groups = Vec::new();
    for hierarchy in hierarchy::discover(survey) {
        let mut distance = 0;
        for (path, directory) in hierarchy::levels(&hierarchy) {
            let files = Files::list(survey, directory);
            let group = group(&hierarchy, path, distance, &files);
            if tells_something(&group) {
                groups.push(group);
                distance += 1;
            }
        }
    }
    groups
}

/// Reads again what changes without an event.
pub(super) fn refresh(group: &mut Cgroup, survey: &Survey<'_>) {
    let directory = group.directory.trim_start_matches('/').to_owned();
    group.now = Files::list(survey, directory).now(group.distance == 0);
}

/// A group of which there is nothing but its name is left out: the root of most hierarchies of version 1, and one that can't be
/// seen from a container.
fn tells_something(group: &Cgroup) -> bool {
    let own = group.version == 2;
    let blank = Cgroup {
        id: group.id.clone(),
        version: group.version,
        path: group.path.clone(),
        directory: group.directory.clone(),
        distance: group.distance,
        controllers: if own {
            Vec::new()
        } else {
            group.controllers.clone()
        },
        ..Cgroup::default()
    };
    *group != blank
}

fn group(hierarchy: &Hierarchy, path: String, distance: u32, files: &Files<'_>) -> Cgroup {
    let own = files.value(&["cgroup.controllers"], |text| {
        Ok(text.split_whitespace().map(str::to_owned).collect())
    });
    Cgroup {
        id: format!("{}:{path}", hierarchy.name),
        version: hierarchy.version,
        path,
        directory: format!("/{}", files.directory),
        distance,
        controllers: own.unwrap_or_else(|| hierarchy.controllers.clone()),
        kind: files.value(&["cgroup.type"], parse::text),
        cpu: files.cpu(),
        cpuset: files.cpuset(),
        memory: files.memory(),
        pids_max: files.limit(&["pids.max"]),
        hugetlb: files.hugetlb(),
        io_weight: files.value(&["io.weight", "io.bfq.weight", "blkio.weight"], weight),
        io: files.io(),
        now: files.now(distance == 0),
    }
}

/// A group's directory, listed once.
struct Files<'a> {
    survey: &'a Survey<'a>,
    directory: String,
    names: Vec<String>,
}

impl<'a> Files<'a> {
    fn list(survey: &'a Survey<'a>, directory: String) -> Self {
        Self {
            names: survey.names(&directory),
            survey,
            directory,
        }
    }

    /// The path of the first of these names that is there.
    fn path(&self, names: &[&str]) -> Option<String> {
        let there = |name: &&&str| {
            let place = self
                .names
                .binary_search_by(|known| known.as_str().cmp(name));
            place.is_ok()
        };
        let name = names.iter().find(there)?;
        Some(format!("{}/{name}", self.directory))
    }

    fn value<T>(&self, names: &[&str], parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        self.survey.value(&self.path(names)?, parse)
    }

    fn limit(&self, names: &[&str]) -> Option<u64> {
        self.value(names, limit)?
    }

    fn bytes(&self, names: &[&str]) -> Option<Bytes> {
        self.limit(names).map(Bytes)
    }

    fn set(&self, names: &[&str]) -> Option<IdSet> {
        self.value(names, parse::list)
    }

    fn cpu(&self) -> CgroupCpu {
        let (quota_us, period_us) = self.value(&["cpu.max"], quota).unwrap_or_else(|| {
            let period = self.value(&["cpu.cfs_period_us"], parse::decimal);
            (self.limit(&["cpu.cfs_quota_us"]), period)
        });
        let limit_millicpus = || {
            let thousands = quota_us?.checked_mul(1000)?;
            thousands.checked_div(period_us?)
        };
        CgroupCpu {
            quota_us,
            period_us,
            limit_millicpus: limit_millicpus(),
            burst_us: self.limit(&["cpu.max.burst", "cpu.cfs_burst_us"]),
            weight: self.value(&["cpu.weight"], parse::decimal),
            shares: self.value(&["cpu.shares"], parse::decimal),
            idle: self.value(&["cpu.idle"], parse::switch),
            realtime_runtime_us: self.limit(&["cpu.rt_runtime_us"]),
        }
    }

    fn cpuset(&self) -> CgroupCpuset {
        CgroupCpuset {
            cpus: self.set(&["cpuset.cpus", "cpus"]),
            cpus_effective: self.set(&[
                "cpuset.cpus.effective",
                "cpuset.effective_cpus",
                "effective_cpus",
            ]),
            nodes: self.set(&["cpuset.mems", "mems"]),
            nodes_effective: self.set(&[
                "cpuset.mems.effective",
                "cpuset.effective_mems",
                "effective_mems",
            ]),
            cpus_exclusive: self.set(&["cpuset.cpus.exclusive.effective"]),
            partition: self.value(&["cpuset.cpus.partition"], parse::text),
        }
    }

    fn memory(&self) -> CgroupMemory {
        CgroupMemory {
            max_bytes: self.bytes(&["memory.max", "memory.limit_in_bytes"]),
            high_bytes: self.bytes(&["memory.high"]),
            low_bytes: self.bytes(&["memory.low"]),
            min_bytes: self.bytes(&["memory.min"]),
            soft_bytes: self.bytes(&["memory.soft_limit_in_bytes"]),
            swap_max_bytes: self.bytes(&["memory.swap.max"]),
            swap_high_bytes: self.bytes(&["memory.swap.high"]),
            memory_and_swap_bytes: self.bytes(&["memory.memsw.limit_in_bytes"]),
            zswap_max_bytes: self.bytes(&["memory.zswap.max"]),
            oom_group: self.value(&["memory.oom.group"], parse::switch),
        }
    }

    fn hugetlb(&self) -> Vec<CgroupHugetlb> {
        let size = |name: &String| {
            let rest = name.strip_prefix("hugetlb.")?;
            let size = rest
                .strip_suffix(".max")
                .or_else(|| rest.strip_suffix(".limit_in_bytes"))?;
            let size = Some(size).filter(|size| !size.contains('.'))?;
            Some((parse::size(size).ok()?, size.to_owned()))
        };
        let mut sizes: Vec<_> = self.names.iter().filter_map(size).collect();
        sizes.sort();
        sizes.dedup();
        let of_size = |(size_bytes, id): (Bytes, String)| {
            let bytes = |end: [&str; 2]| {
                let names = end.map(|end| format!("hugetlb.{id}.{end}"));
                self.bytes(&names.each_ref().map(String::as_str))
            };
            CgroupHugetlb {
                max_bytes: bytes(["max", "limit_in_bytes"]),
                reserved_max_bytes: bytes(["rsvd.max", "rsvd.limit_in_bytes"]),
                id,
                size_bytes,
            }
        };
        sizes.into_iter().map(of_size).collect()
    }

    fn io(&self) -> Vec<CgroupIo> {
        if let Some(devices) = self.value(&["io.max"], io_max) {
            return devices;
        }
        let mut devices: Vec<CgroupIo> = Vec::new();
        for (name, field) in THROTTLES {
            for (id, value) in self.value(&[name], device_values).unwrap_or_default() {
                let known = devices.iter().position(|device| device.id == id);
                let at = known.unwrap_or(devices.len());
                if known.is_none() {
                    devices.push(CgroupIo {
                        id,
                        ..CgroupIo::default()
                    });
                }
                if let Some(device) = devices.get_mut(at) {
                    *field(device) = Some(value);
                }
            }
        }
        devices.sort_by(|a, b| a.id.cmp(&b.id));
        devices
    }

    fn now(&self, own: bool) -> CgroupNow {
        let memory = self.counts(&["memory.events"]);
        let oom = || self.counts(&["memory.oom_control"]).of("oom_kill");
        let cpu = self.counts(&["cpu.stat"]);
        CgroupNow {
            memory_bytes: self.bytes(&["memory.current", "memory.usage_in_bytes"]),
            memory_peak_bytes: self.bytes(&["memory.peak", "memory.max_usage_in_bytes"]),
            swap_bytes: self.bytes(&["memory.swap.current"]),
            pids: self.limit(&["pids.current"]),
            memory_max_events: memory.of("max").or_else(|| self.limit(&["memory.failcnt"])),
            oom_kills: memory.of("oom_kill").or_else(oom),
            throttled_periods: cpu.of("nr_throttled"),
            throttled_us: cpu
                .of("throttled_usec")
                .or_else(|| Some(cpu.of("throttled_time")? / 1000)),
            pressure: if own { self.pressure() } else { Vec::new() },
        }
    }

    fn counts(&self, names: &[&str]) -> Counts {
        let path = self.path(names);
        Counts(
            path.and_then(|path| self.survey.raw(&path))
                .unwrap_or_default(),
        )
    }

    fn pressure(&self) -> Vec<super::Pressure> {
        let ids = self
            .names
            .iter()
            .filter_map(|name| name.strip_suffix(".pressure"));
        let ids = ids.filter(|id| !id.contains('.') && *id != "cgroup");
        let read = |id: &str| {
            let path = format!("{}/{id}.pressure", self.directory);
            self.survey.value(&path, |text| pressure::parse(id, text))
        };
        ids.filter_map(read).collect()
    }
}

/// Lines of a name and a number: `nr_throttled 12`.
struct Counts(String);

impl Counts {
    fn of(&self, name: &str) -> Option<u64> {
        let value = |line: &str| {
            line.split_once(' ')
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| parse::decimal(value))
        };
        self.0.lines().find_map(value)?.ok()
    }
}

/// A limit, or none: `max`, -1, or as many bytes as there are addresses (version 1).
fn limit(text: &str) -> Parsed<Option<u64>> {
    const UNLIMITED: u64 = 0x7fff_ffff_ffff_0000;
    if matches!(parse::trim(text), "max" | "-1") {
        return Ok(None);
    }
    let value = parse::decimal(text).map_err(|_| Expected("a number, `max` or -1"))?;
    Ok(Some(value).filter(|value| *value < UNLIMITED))
}

/// `cpu.max`: quota and period.
///
/// ```text
/// max 100000
/// ```
fn quota(text: &str) -> Parsed<(Option<u64>, Option<u64>)> {
    const EXPECTED: Expected = Expected("`max 100000` or `50000 100000`");
    match *text.split_whitespace().collect::<Vec<_>>() {
        [quota] => Ok((limit(quota).map_err(|_| EXPECTED)?, None)),
        [quota, period] => {
            let period = parse::decimal(period).map_err(|_| EXPECTED)?;
            Ok((limit(quota).map_err(|_| EXPECTED)?, Some(period)))
        }
        _ => Err(EXPECTED),
    }
}

/// A weight, also behind the word that stands for all devices: `default 100`, then lines of single devices.
fn weight(text: &str) -> Parsed<u64> {
    let first = text.lines().next().unwrap_or_default();
    parse::decimal(first.strip_prefix("default ").unwrap_or(first))
}

/// ```text
/// 8:16 rbps=2097152 wbps=max riops=max wiops=120
/// ```
fn io_max(text: &str) -> Parsed<Vec<CgroupIo>> {
    const EXPECTED: Expected = Expected("`8:16 rbps=2097152 wbps=max riops=max wiops=120`");
    let mut devices = Vec::new();
    for line in text.lines().filter(|line| !parse::trim(line).is_empty()) {
        let mut words = line.split_whitespace();
        let id = words.next().filter(|id| id.contains(':')).ok_or(EXPECTED)?;
        let mut device = CgroupIo {
            id: id.to_owned(),
            ..CgroupIo::default()
        };
        for word in words {
            let (key, value) = word.split_once('=').ok_or(EXPECTED)?;
            let value = limit(value).map_err(|_| EXPECTED)?;
            match key {
                "rbps" => device.read_bytes_per_second = value,
                "wbps" => device.write_bytes_per_second = value,
                "riops" => device.reads_per_second = value,
                "wiops" => device.writes_per_second = value,
                _ => {}
            }
        }
        devices.push(device);
    }
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(devices)
}

/// A file of version 1 and where its values go.
type Throttle = (&'static str, fn(&mut CgroupIo) -> &mut Option<u64>);

const THROTTLES: [Throttle; 4] = [
    ("blkio.throttle.read_bps_device", |device| {
        &mut device.read_bytes_per_second
    }),
    ("blkio.throttle.write_bps_device", |device| {
        &mut device.write_bytes_per_second
    }),
    ("blkio.throttle.read_iops_device", |device| {
        &mut device.reads_per_second
    }),
    ("blkio.throttle.write_iops_device", |device| {
        &mut device.writes_per_second
    }),
];

/// ```text
/// 8:16 1048576
/// ```
fn device_values(text: &str) -> Parsed<Vec<(String, u64)>> {
    const EXPECTED: Expected = Expected("lines such as `8:16 1048576`");
    let lines = text.lines().filter(|line| !parse::trim(line).is_empty());
    let value = |line: &str| {
        let (device, value) = parse::trim(line).split_once(' ').ok_or(EXPECTED)?;
        Ok((
            device.to_owned(),
            parse::decimal(value).map_err(|_| EXPECTED)?,
        ))
    };
    lines.map(value).collect()
}
