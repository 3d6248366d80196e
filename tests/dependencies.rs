//! Does the tree hold only what deny.toml lets in? What cargo-deny would say of bans, licences and sources, where
//! it is not installed; and what it can't: which of our crates knows which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[test]
fn the_tree_holds_only_what_deny_toml_lets_in() {
    let rules = rules();
    let mut wrong = BTreeSet::new();
    for target in &rules.graph.targets {
        wrong.extend(rules.refuse(&metadata(target).packages));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_libraries_do_not_know_each_other_nor_the_agent() {
    let packages = metadata("x86_64-unknown-linux-gnu").packages;
    let ours = |name: &str| -> Vec<String> {
        let package = packages
            .iter()
            .find(|package| package.name == name)
            .unwrap();
        let normal = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind.is_none());
        let names = normal.map(|dependency| dependency.name.clone());
        names.filter(|name| name.starts_with("gnomon-")).collect()
    };
    assert_eq!(ours("gnomon-hw"), [""; 0]);
    assert_eq!(ours("gnomon-ptp"), [""; 0]);
}

#[test]
fn what_deny_toml_does_not_let_in_is_refused() {
    let rules = rules();
    let crates_io = Some("registry+https://github.com/rust-lang/crates.io-index");
    let package = |name: &str, version: &str, license: &str| Package {
        name: name.to_owned(),
        version: version.to_owned(),
        license: Some(license.to_owned()),
        source: crates_io.map(str::to_owned),
        dependencies: Vec::new(),
    };
    let right = package("a", "1.0.0", "(GPL-2.0 OR MIT) AND Zlib");
    assert_eq!(rules.refuse(&[right]), Vec::<String>::new());
    for license in [
        "GPL-2.0",
        "MIT AND GPL-2.0",
        "Apache-2.0 WITH x",
        "NCSA",
        "",
        "MIT AND (",
        "/",
    ] {
        assert_eq!(
            rules.refuse(&[package("a", "1.0.0", license)]).len(),
            1,
            "{license}"
        );
    }
    let unlicensed = Package {
        license: None,
        ..package("a", "1.0.0", "")
    };
    let git = Package {
        source: Some("git+https://x".into()),
        ..package("a", "1.0.0", "MIT")
    };
    let any = Dependency {
        name: "b".into(),
        req: "*".into(),
        path: None,
        kind: None,
    };
    let wild = Package {
        dependencies: vec![any],
        source: None,
        ..package("a", "1.0.0", "MIT")
    };
    for wrong in [unlicensed, git, wild, package("anyhow", "1.0.0", "MIT")] {
        assert_eq!(rules.refuse(&[wrong]).len(), 1);
    }
    let twice = [package("a", "1.0.0", "MIT"), package("a", "2.0.0", "MIT")];
    assert_eq!(rules.refuse(&twice), ["a comes in versions 1.0.0, 2.0.0"]);
}

/// The part of deny.toml that is held here.
#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Named>,
    skip: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// What `cargo metadata` tells.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    path: Option<String>,
    kind: Option<String>,
}

fn rules() -> Rules {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn metadata(target: &str) -> Metadata {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--offline",
        "--all-features",
    ]);
    cargo
        .args(["--filter-platform", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}");
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Rules {
    /// What is wrong with `packages`.
    fn refuse(&self, packages: &[Package]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in packages {
            let Package {
                name,
                version,
                license,
                source,
                dependencies,
            } = package;
            let mut say = |what: String| wrong.push(format!("{name} {version}: {what}"));
            let license = license.as_deref().unwrap_or_default();
            if !self.allows(name, license) {
                say(format!("licence {license:?}"));
            }
            if source
                .as_deref()
                .is_some_and(|source| !self.is_known(source))
            {
                say(format!("source {source:?}"));
            }
            let wild =
                |dependency: &&Dependency| dependency.req == "*" && dependency.path.is_none();
            for dependency in dependencies
                .iter()
                .filter(wild)
                .filter(|_| source.is_none())
            {
                say(format!("any version of {}", dependency.name));
            }
            if self.bans.deny.iter().any(|banned| banned.name == *name) {
                say("banned".to_owned());
            }
            let skipped = format!("{name}@{version}");
            if !self.bans.skip.iter().any(|skip| skip.name == skipped) {
                versions.entry(name).or_default().push(version);
            }
        }
        let several = versions
            .into_iter()
            .filter(|(_, versions)| versions.len() > 1);
        wrong.extend(
            several.map(|(name, versions)| {
                format!("{name} comes in versions {}", versions.join(", "))
            }),
        );
        wrong
    }

    fn is_known(&self, source: &str) -> bool {
        let registry = source.strip_prefix("registry+");
        registry.is_some_and(|registry| {
            self.sources
                .allow_registry
                .iter()
                .any(|known| known == registry)
        })
    }

    /// Whether a licence expression (SPDX, and the old `MIT/Apache-2.0`) can be fulfilled with what is allowed.
    fn allows(&self, name: &str, expression: &str) -> bool {
        let exceptions = self
            .licenses
            .exceptions
            .iter()
            .filter(|exception| exception.name == name);
        let exceptions = exceptions.flat_map(|exception| &exception.allow);
        let allowed: Vec<&str> = self
            .licenses
            .allow
            .iter()
            .chain(exceptions)
            .map(String::as_str)
            .collect();
        let text = expression
            .replace('/', " OR ")
            .replace('(', " ( ")
            .replace(')', " ) ");
        let mut words = text.split_whitespace().peekable();
        either(&mut words, &allowed) == Some(true) && words.next().is_none()
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `both OR both ...`; `None` for what is no expression.
fn either(words: &mut Words<'_>, allowed: &[&str]) -> Option<bool> {
    let mut fulfilled = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        fulfilled |= both(words, allowed)?;
    }
    Some(fulfilled)
}

/// `one AND one ...`, where one is a licence, also `WITH` an exception, or a whole expression in parentheses.
fn both(words: &mut Words<'_>, allowed: &[&str]) -> Option<bool> {
    let mut fulfilled = true;
    loop {
        fulfilled &= match words.next()? {
            "(" => {
                let inner = either(words, allowed)?;
                words.next_if_eq(&")")?;
                inner
            }
            license if words.next_if_eq(&"WITH").is_some() => {
                let whole = format!("{license} WITH {}", words.next()?);
                allowed.contains(&whole.as_str())
            }
            license => allowed.contains(&license),
        };
        if words.next_if_eq(&"AND").is_none() {
            return Some(fulfilled);
        }
    }
}
