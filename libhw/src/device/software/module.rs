//! /proc/modules and, where asked to look closely, /sys/module (`Documentation/ABI/stable/sysfs-module`).

use serde::{Deserialize, Serialize};

use crate::parse::{self, Expected, Parsed};
use crate::survey::Survey;
use crate::units::Bytes;

/// A module of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Module {
    /// Its name.
    pub id: String,
    /// Whether it is a part of the kernel's image. Those are told with `--deep`, if they have parameters.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
    /// How much memory it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<Bytes>,
    /// Whether it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ModuleState>,
    /// The letters of what it taints the kernel with: `OE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taint: Option<String>,
    /// The modules that need it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// `version`, with `--deep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `srcversion`, a checksum of its source, with `--deep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// `parameters`, with `--deep`; those that can't be read are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What changes without an event.
    pub now: ModuleNow,
}

/// What changes in a module without an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModuleNow {
    /// How many users it has, modules counted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<u64>,
}

/// Whether a module runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModuleState {
    /// `Live`.
    Live,
    /// `Loading`.
    Loading,
    /// `Unloading`.
    Unloading,
    /// What this version does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// A parameter of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Parameter {
    /// Its name.
    pub id: String,
    /// Its value; none where it looks like a password or a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

const MODULES: &str = "proc/modules";

/// A parameter longer than this is a table, and no setting.
const VALUE_MAX: usize = 256;

pub(super) fn discover(survey: &Survey<'_>) -> Vec<Module> {
    let mut modules = loaded(survey);
    if survey.deep() {
        add_details(survey, &mut modules);
    }
    modules.sort_by(|a, b| a.id.cmp(&b.id));
    modules
}

/// Reads again what changes without an event.
pub(super) fn refresh(modules: &mut [Module], survey: &Survey<'_>) {
    if modules.iter().all(|module| module.built_in) {
        return;
    }
    let now = loaded(survey);
    for module in modules {
        let again = now.iter().find(|again| again.id == module.id);
        module.now = again.map(|again| again.now.clone()).unwrap_or_default();
    }
}

fn loaded(survey: &Survey<'_>) -> Vec<Module> {
    let text = survey.raw(MODULES).unwrap_or_default();
    let lines = text.lines().filter(|line| !parse::trim(line).is_empty());
    lines
        .filter_map(|line| survey.parsed(MODULES, line, module))
        .collect()
}

/// One line: name, size, references, modules that need it, state, address, taint.
///
/// ```text
/// zfs 3706880 6 - Live 0x0000000000000000 (POE)
/// i2c_core 81920 2 i2c_i801,i2c_smbus, Live 0x0000000000000000
/// ```
fn module(line: &str) -> Parsed<Module> {
    const EXPECTED: Expected =
        Expected("`i2c_core 81920 2 i2c_i801,i2c_smbus, Live 0x0000000000000000`");
    let mut words = parse::trim(line).split_whitespace();
    let mut word = || words.next().ok_or(EXPECTED);
    let id = word()?.to_owned();
    let size = parse::decimal(word()?).map_err(|_| EXPECTED)?;
    // A kernel that can't unload modules counts no references.
    let references = Some(word()?).filter(|text| *text != "-");
    let references = references
        .map(parse::decimal)
        .transpose()
        .map_err(|_| EXPECTED)?;
    let used_by = word()?
        .split(',')
        .filter(|name| !matches!(*name, "" | "-" | "[permanent]"));
    let used_by = used_by.map(str::to_owned).collect();
    let state = match word()? {
        "Live" => ModuleState::Live,
        "Loading" => ModuleState::Loading,
        "Unloading" => ModuleState::Unloading,
        other => ModuleState::Unknown(other.to_owned()),
    };
    let taint = words
        .nth(1)
        .map(|text| text.trim_matches(['(', ')', '+', '-']).to_owned());
    Ok(Module {
        id,
        size_bytes: Some(Bytes(size)),
        state: Some(state),
        taint: taint.filter(|taint| !taint.is_empty()),
        used_by,
        now: ModuleNow { references },
        ..Module::default()
    })
}

/// The versions and parameters of those that are loaded, and the parts of the kernel that have parameters.
fn add_details(survey: &Survey<'_>, modules: &mut Vec<Module>) {
    for id in survey.names("sys/module") {
        let directory = format!("sys/module/{id}");
        let names = survey.names(&directory);
        let has = |name: &str| names.iter().any(|known| known == name);
        let text = |name: &str| has(name).then(|| survey.text(&format!("{directory}/{name}")))?;
        let parameters = if has("parameters") {
            parameters(survey, &directory)
        } else {
            Vec::new()
        };
        match modules.iter_mut().find(|module| module.id == id) {
            Some(module) => {
                module.version = text("version");
                module.source_version = text("srcversion");
                module.parameters = parameters;
            }
            None if !parameters.is_empty() => modules.push(Module {
                built_in: true,
                version: text("version"),
                parameters,
                id,
                ..Module::default()
            }),
            None => {}
        }
    }
}

/// Many can only be written, or have a driver that answers with an error: that is how they are made.
fn parameters(survey: &Survey<'_>, directory: &str) -> Vec<Parameter> {
    let directory = format!("{directory}/parameters");
    let read = |id: String| {
        let text = survey.root().text(&format!("{directory}/{id}")).ok()??;
        let value = parse::trim(&text);
        Some(Parameter {
            value: (!parse::is_secret(&id)).then(|| value.chars().take(VALUE_MAX).collect()),
            id,
        })
    };
    survey
        .names(&directory)
        .into_iter()
        .filter_map(read)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_modules_is_one_module() {
        let one = module("i2c_core 81920 2 i2c_i801,i2c_smbus, Live 0x0000000000000000").unwrap();
        assert_eq!(
            (one.id.as_str(), one.size_bytes),
            ("i2c_core", Some(Bytes(81920)))
        );
        assert_eq!(one.used_by, ["i2c_i801", "i2c_smbus"]);
        assert_eq!((one.state, one.taint), (Some(ModuleState::Live), None));
        let one = module("zfs 1 0 - Loading 0xffffffffc0a00000 (POE+)\n").unwrap();
        assert_eq!(one.taint.as_deref(), Some("POE"));
        assert_eq!(one.state, Some(ModuleState::Loading));
        let one = module("a 1 - [permanent], Frozen 0x0").unwrap();
        assert_eq!((one.now.references, one.used_by.len()), (None, 0));
        assert_eq!(one.state, Some(ModuleState::Unknown("Frozen".into())));
        for line in [
            "",
            "a",
            "a b",
            "a 1",
            "a 1 x - Live 0x0",
            "a 1 2 -",
            "a -1 2 - Live 0x0",
        ] {
            assert!(module(line).is_err(), "{line:?}");
        }
    }
}
