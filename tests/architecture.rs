//! Does every module use only modules to its left? DESIGN.md, "Dependency rule".

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Left to right: a module uses only modules to its left. Those between braces, and those matched by one `*`,
/// never use each other. What stands below a named module is part of it.
const LIBHW: &str =
    "error <- units <- idset <- parse <- {placeholder, word, smbios} <- {io::octets, io::sys} <- io::netlink
    <- {io::clock, io::ethtool, io::devlink, io::dpll} <- io::tree <- io::aside <- io::root
    <- {io::probe, io::pci_ids, io::footprint, io::kernel_log, io::pstore} <- survey <- {directory, dmi, uevent} <- device::* <- inventory <- {diff, join, tune, watch, io::archive, io::capture, tree}
    <- {io::uevent, io::monitor}";

const LIBPTP: &str = "time";

const AGENT: &str =
    "{log, json, alarm} <- monitor::remembered <- monitor::look <- {monitor::told, monitor::name} <- monitor::scene <- monitor::* <- monitor
    <- config <- host <- event <- work <- {store, table} <- {sink, view} <- topology <- api <- daemon
    <- command <- cli <- main";

#[test]
fn every_module_uses_only_modules_to_its_left() {
    let crates = [("libhw", LIBHW), ("libptp", LIBPTP), ("agent", AGENT)];
    let wrong: Vec<String> = crates
        .iter()
        .flat_map(|(name, order)| {
            let wrong = Order::parse(order).check(&sources(name));
            wrong.into_iter().map(move |what| format!("{name}: {what}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const ORDER: &str = "error <- io::root <- device::* <- inventory <- {diff, join}";

/// A module, a text in it, and how the refusal starts; "" for none.
const CASES: &[(&str, &str, &str)] = &[
    (
        "error",
        "use crate::inventory::Inventory;",
        "error uses inventory",
    ),
    (
        "error",
        "use crate::{error::Error, device::{cpu}};",
        "error uses device::cpu",
    ),
    (
        "error",
        "fn f() -> crate::io::root::Root { x }",
        "error uses io::root",
    ),
    ("error", "m! { $x => crate::diff::Diff }", "error uses diff"),
    (
        "error",
        "pub(in crate::join) fn f(x: crate::diff::X) {}",
        "error uses diff",
    ),
    ("error", "pub(in crate::join) fn f() {}", ""),
    ("error", "use crate as all;", "error uses the crate's root"),
    ("error", "use crate::*;", "error uses the crate's root"),
    (
        "error",
        "mod inner { use super::super::join; }",
        "error uses join",
    ),
    (
        "device::cpu",
        "use crate::device::numa::Node;",
        "device::cpu uses device::numa",
    ),
    (
        "device::cpu",
        "use super::numa;",
        "device::cpu uses device::numa",
    ),
    (
        "device::cpu::x86",
        "use super::super::numa;",
        "device::cpu::x86 uses device::numa",
    ),
    (
        "device::cpu",
        "use crate::device;",
        "device::cpu uses device",
    ),
    ("device::cpu", "use super::*;", "device::cpu uses device"),
    ("diff", "use crate::join::near;", "diff uses join"),
    (
        "diff",
        "use super::error;",
        "diff reaches error through `super`",
    ),
    ("device", "use crate::error::Error;", "device uses error"),
    ("", "use crate::error::Error; mod x {}", ""),
    ("extra", "", "extra has no place in the order"),
];

#[test]
fn a_wrong_edge_is_refused() {
    for (module, text, expected) in CASES {
        let mut sources = well_formed();
        sources
            .entry((*module).to_owned())
            .or_default()
            .push_str(text);
        let wrong = Order::parse(ORDER).check(&sources);
        let found = wrong.iter().any(|what| what.starts_with(expected));
        assert_eq!(found, !expected.is_empty(), "{module}: {text}: {wrong:?}");
    }
}

#[test]
fn a_right_edge_passes_and_a_row_without_a_module_does_not() {
    assert_eq!(
        Order::parse(ORDER).check(&well_formed()),
        Vec::<String>::new()
    );
    let wrong = Order::parse(&format!("{ORDER} <- tune")).check(&well_formed());
    assert_eq!(wrong, ["no module is called tune"]);
}

fn well_formed() -> BTreeMap<String, String> {
    [
        ("", "pub mod error; pub use crate::inventory::Inventory;"),
        (
            "error",
            "//! crate::inventory\n const TEXT: &str = \"crate::join\"; // crate::diff\n",
        ),
        ("io", "pub mod root;"),
        ("io::root", "use crate::error::Error; use self::inner::X;"),
        ("device", "pub mod cpu;"),
        (
            "device::cpu",
            "use crate::{error, io::root::{Root, Tree}}; mod x86; use x86::Y;",
        ),
        (
            "device::cpu::x86",
            "use super::Cpu; use crate::device::cpu::Cache;",
        ),
        (
            "device::numa",
            "#[cfg(test)] mod tests { use super::*; use crate::device::cpu; }",
        ),
        ("inventory", "use crate::device; type X = device::cpu::Cpu;"),
        ("diff", "use crate::inventory::Inventory;"),
        ("join", "fn f() { crate::device::cpu::f(); }"),
    ]
    .map(|(module, text)| (module.to_owned(), text.to_owned()))
    .into()
}

/// The rows of an order: each a list of module names, `a::*` standing for every module in `a`.
struct Order(Vec<Vec<String>>);

/// Where a module stands: its row, and the named module that it is part of.
struct Place {
    row: usize,
    unit: String,
}

impl Order {
    fn parse(text: &str) -> Self {
        let row = |row: &str| {
            let names = row.trim().trim_matches(['{', '}']).split(',');
            names.map(|name| name.trim().to_owned()).collect()
        };
        Self(text.split("<-").map(row).collect())
    }

    /// What is wrong with `sources`, the text of each module by its name; the root of a library is "".
    fn check(&self, sources: &BTreeMap<String, String>) -> Vec<String> {
        let unnamed = |name: &&String| {
            let pattern = name.strip_suffix("*").unwrap_or(name);
            !sources.keys().any(|module| module.starts_with(pattern))
        };
        let names = self.0.iter().flatten().filter(unnamed);
        let mut wrong: Vec<String> = names
            .map(|name| format!("no module is called {name}"))
            .collect();
        for (module, text) in sources.iter().filter(|(module, _)| !module.is_empty()) {
            match self.place(module) {
                Some(own) => {
                    let refuse = |edge: &Edge| self.refuse(module, &own, edge, sources);
                    wrong.extend(edges(module, text).iter().filter_map(refuse));
                }
                None if self.is_folder(module) => {
                    let edges = edges(module, text);
                    wrong.extend(
                        edges
                            .iter()
                            .map(|edge| format!("{module} uses {}", edge.path.join("::"))),
                    );
                }
                None => wrong.push(format!("{module} has no place in the order")),
            }
        }
        wrong
    }

    fn refuse(
        &self,
        module: &str,
        own: &Place,
        edge: &Edge,
        sources: &BTreeMap<String, String>,
    ) -> Option<String> {
        let prefixes = (1..=edge.path.len())
            .rev()
            .map(|length| edge.path[..length].join("::"));
        let Some(target) = prefixes.into_iter().find(|path| sources.contains_key(path)) else {
            return Some(format!("{module} uses the crate's root"));
        };
        let row = match self.place(&target) {
            Some(place) if place.unit == own.unit => return None,
            Some(place) => place.row,
            None => self
                .0
                .iter()
                .rposition(|row| row.iter().any(|name| below(name, &target)))?,
        };
        if row >= own.row {
            return Some(format!("{module} uses {target}"));
        }
        edge.through_super
            .then(|| format!("{module} reaches {target} through `super`"))
    }

    /// The place of the longest name that is `module` or holds it; one that is written out goes before one that a `*` matches.
    fn place(&self, module: &str) -> Option<Place> {
        let rows = self.0.iter().enumerate();
        let places = rows.flat_map(|(row, names)| {
            names.iter().filter_map(move |name| {
                let unit = match name.strip_suffix('*') {
                    Some(folder) => {
                        let child = module.strip_prefix(folder)?.split("::").next()?;
                        format!("{folder}{child}")
                    }
                    None => name.clone(),
                };
                let holds = module == unit || below(module, &unit);
                holds.then_some((!name.ends_with('*'), Place { row, unit }))
            })
        });
        let longest = places.max_by_key(|(written_out, place)| (place.unit.len(), *written_out));
        longest.map(|(_, place)| place)
    }

    /// Whether `module` has no place itself, and those below it do: such a file only declares them.
    fn is_folder(&self, module: &str) -> bool {
        self.0.iter().flatten().any(|name| below(name, module))
    }
}

fn below(module: &str, ancestor: &str) -> bool {
    module
        .strip_prefix(ancestor)
        .is_some_and(|rest| rest.starts_with("::"))
}

/// A use of a path that starts at the crate or above the module.
struct Edge {
    path: Vec<String>,
    through_super: bool,
}

/// The edges in the text of `module`, those in its tests left out; in macros too, since only tokens are looked at.
fn edges(module: &str, text: &str) -> Vec<Edge> {
    let stream: TokenStream = text
        .parse()
        .unwrap_or_else(|error| panic!("{module}: {error}"));
    let mut edges = Vec::new();
    let at: Vec<String> = module.split("::").map(str::to_owned).collect();
    walk(stream, &at, &mut edges);
    edges
}

fn walk(stream: TokenStream, at: &[String], edges: &mut Vec<Edge>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let [token, after @ ..] = rest {
        rest = after;
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' && is_test(after) => {
                let end = after
                    .iter()
                    .position(ends_item)
                    .map_or(after.len(), |end| end + 1);
                rest = &after[end..];
            }
            // Who may see it is no use of what is named.
            TokenTree::Ident(word) if *word == "pub" && is_parenthesis(after) => rest = &after[1..],
            TokenTree::Group(group) => walk(group.stream(), at, edges),
            TokenTree::Ident(word) if *word == "mod" => {
                if let [TokenTree::Ident(name), TokenTree::Group(body), after @ ..] = after {
                    walk(body.stream(), &[at, &[name.to_string()]].concat(), edges);
                    rest = after;
                }
            }
            TokenTree::Ident(word) if *word == "crate" || *word == "super" => {
                let (base, through_super, after) = base(word == "super", at, after);
                let paths = paths(after)
                    .into_iter()
                    .map(|path| [base.clone(), path].concat());
                edges.extend(paths.map(|path| Edge {
                    path,
                    through_super,
                }));
            }
            _ => {}
        }
    }
}

/// Whether an attribute's brackets hold `cfg(test)`.
fn is_test(after: &[TokenTree]) -> bool {
    after
        .first()
        .is_some_and(|token| token.to_string().replace(' ', "") == "[cfg(test)]")
}

fn is_parenthesis(after: &[TokenTree]) -> bool {
    let first = after.first();
    matches!(first, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

/// The module that `crate` or `super::super` is, and the tokens after it.
fn base<'a>(
    is_super: bool,
    at: &[String],
    after: &'a [TokenTree],
) -> (Vec<String>, bool, &'a [TokenTree]) {
    if !is_super {
        return (Vec::new(), false, after);
    }
    let parent = &at[..at.len().saturating_sub(1)];
    match separated(after) {
        Some([TokenTree::Ident(word), after @ ..]) if *word == "super" => base(true, parent, after),
        _ => (parent.to_vec(), true, after),
    }
}

/// What follows a `::`.
fn separated(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [TokenTree::Punct(a), TokenTree::Punct(b), rest @ ..]
            if a.as_char() == ':' && b.as_char() == ':' =>
        {
            Some(rest)
        }
        _ => None,
    }
}

/// The ends of a path: `::a::{b, c::d}` has `a::b` and `a::c::d`. `crate as x` has one that is empty.
fn paths(tokens: &[TokenTree]) -> Vec<Vec<String>> {
    match separated(tokens) {
        None => {
            let renamed = matches!(tokens, [TokenTree::Ident(word), ..] if *word == "as");
            if renamed {
                vec![Vec::new()]
            } else {
                Vec::new()
            }
        }
        Some([TokenTree::Group(group), ..]) => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
            tokens
                .split(comma)
                .filter(|piece| !piece.is_empty())
                .flat_map(ends)
                .collect()
        }
        Some(rest) => ends(rest),
    }
}

/// The ends of a path that starts with a name.
fn ends(tokens: &[TokenTree]) -> Vec<Vec<String>> {
    let [first, rest @ ..] = tokens else {
        return Vec::new();
    };
    let name = first.to_string();
    let longer = if separated(rest).is_some() {
        paths(rest)
    } else {
        vec![Vec::new()]
    };
    longer
        .into_iter()
        .map(|end| [vec![name.clone()], end].concat())
        .collect()
}

/// The text of each module of a crate by its name; test modules left out.
fn sources(name: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
        .join("src");
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with("tests.rs")
                && !path
                    .parent()
                    .is_some_and(|folder| folder.ends_with("tests"))
            {
                let module = path.strip_prefix(&root).unwrap().with_extension("");
                let module = module.to_str().unwrap().replace('/', "::");
                let module = if module == "lib" {
                    String::new()
                } else {
                    module
                };
                sources.insert(module, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}
