//! The programs of this workspace that run in the guest: static, for musl, built when their source is newer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::{LabError, provision};

const TARGET: &str = "x86_64-unknown-linux-musl";
const PROFILE: &str = "guest";

/// A program of this workspace.
struct Program {
    /// Names one that was built before.
    variable: &'static str,
    package: &'static str,
    name: &'static str,
}

const GUEST: Program = Program {
    variable: "GNOMON_LAB_GUEST",
    package: "gnomon-lab",
    name: "gnomon-lab-guest",
};

const AGENT: Program = Program {
    variable: "GNOMON_LAB_AGENT",
    package: "gnomon-agent",
    name: "gnomon",
};

/// The guest program, which is /init: what `GNOMON_LAB_GUEST` names, or built here.
pub(crate) fn guest() -> Result<PathBuf, LabError> {
    GUEST.path()
}

/// The agent: what `GNOMON_LAB_AGENT` names, or built here.
pub(crate) fn agent() -> Result<PathBuf, LabError> {
    AGENT.path()
}

impl Program {
    fn path(&self) -> Result<PathBuf, LabError> {
        if let Some(path) = std::env::var_os(self.variable) {
            return Ok(PathBuf::from(path));
        }
        let built = provision::target()
            .join(TARGET)
            .join(PROFILE)
            .join(self.name);
        if !is_fresh(&built) {
            let started = SystemTime::now();
            build()?;
            // Cargo leaves a file alone that would come out the same.
            let file = fs::File::options().append(true).open(&built);
            let touched = file.and_then(|file| file.set_modified(started));
            touched.map_err(LabError::host(format!("touch {}", built.display())))?;
        }
        Ok(built)
    }
}

/// Cargo takes its time to say that nothing is to be done; each test asks.
fn is_fresh(built: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let Some(built_at) = modified(built) else {
        return false;
    };
    let older = |path: &Path| modified(path).is_some_and(|at: SystemTime| at <= built_at);
    let sources = fs::read_to_string(built.with_extension("d")).unwrap_or_default();
    let Some((_, sources)) = sources.split_once(": ") else {
        return false;
    };
    let manifests = ["Cargo.toml", "Cargo.lock", "tests/lab/Cargo.toml"];
    let mut manifests = manifests
        .map(|name| provision::workspace().join(name))
        .into_iter();
    manifests.all(|path| older(&path)) && paths(sources).all(|path| older(&path))
}

/// The paths of a rule for make; a space in one stands behind a backslash.
fn paths(rule: &str) -> impl Iterator<Item = PathBuf> {
    let rule = rule.trim().replace("\\ ", "\0");
    let words: Vec<String> = rule
        .split_whitespace()
        .map(|word| word.replace('\0', " "))
        .collect();
    words.into_iter().map(PathBuf::from)
}

/// Builds those that are not named, together: what one needs is then what the other needs, and built once.
fn build() -> Result<(), LabError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        PROFILE,
        "--target",
        TARGET,
    ]);
    for program in [GUEST, AGENT] {
        if std::env::var_os(program.variable).is_none() {
            command.args(["--package", program.package, "--bin", program.name]);
        }
    }
    let output = command.current_dir(provision::workspace()).output();
    let output = output.map_err(LabError::host("cargo"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("target may not be installed") {
        let reason = format!("no standard library of {TARGET}: `rustup target add {TARGET}`");
        return Err(LabError::Unavailable(reason));
    }
    Err(LabError::host("build the guest's programs")(
        std::io::Error::other(said),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_a_rule_are_read() {
        let found: Vec<PathBuf> = paths("/a/b.rs /with\\ space/c.rs\n").collect();
        assert_eq!(found, ["/a/b.rs", "/with space/c.rs"].map(PathBuf::from));
    }
}
