use std::collections::BTreeMap;
use std::path::Path;

use libhw::inventory::{Scope, discover};
use libhw::io::root::Root;

use super::caption::Marks;
use super::layout::{Rect, plan};
use super::tree::{Kind, MACHINE, Tree};
use super::words::pixels;
use super::*;

mod text;

/// A shape or a text of an SVG, by its place on the page.
#[derive(Debug)]
enum Drawn {
    Rect(Rect),
    /// Where it begins, its base line, how wide it is at most, what it says.
    Text(u32, u32, u32, String),
}

/// An element that is still open.
struct Open<'a> {
    name: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    /// The origin of what is in it.
    origin: (u32, u32),
    centred: bool,
    words: String,
    width: u32,
}

/// What an SVG of ours draws, and its tooltips; panics where it is not well-formed.
fn read(svg: &str) -> (Vec<Drawn>, Vec<String>) {
    let (mut drawn, mut titles) = (Vec::new(), Vec::new());
    let mut stack: Vec<Open<'_>> = Vec::new();
    let mut rest = svg;
    while let Some((before, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(open) = stack.last_mut() {
            open.add(&unescape(before));
        }
        if let Some(name) = tag.strip_prefix('/') {
            let closed = stack.pop().expect("a closing tag closes something");
            assert_eq!(closed.name, name);
            match (name, stack.last_mut()) {
                ("tspan", Some(text)) => {
                    text.width += closed.width + closed.number("dx");
                    text.words += &closed.words;
                }
                ("title", _) => titles.push(closed.words),
                ("text", _) => drawn.push(closed.text()),
                _ => {}
            }
            continue;
        }
        let open = Open::new(tag.trim_end_matches('/'), stack.last());
        if open.name == "rect" {
            let [x, y, w, h] = ["x", "y", "width", "height"].map(|key| open.number(key));
            drawn.push(Drawn::Rect(Rect {
                x: x + open.origin.0,
                y: y + open.origin.1,
                w,
                h,
            }));
        }
        if !tag.ends_with('/') {
            stack.push(open);
        }
    }
    assert!(stack.is_empty() && rest.trim().is_empty());
    (drawn, titles)
}

impl<'a> Open<'a> {
    fn new(tag: &'a str, outer: Option<&Self>) -> Self {
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = BTreeMap::new();
        while let Some((key, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("an attribute ends");
            assert!(attributes.insert(key.trim(), value).is_none(), "{tag}");
            rest = after;
        }
        assert_eq!(rest.trim(), "", "{tag}");
        let (x, y) = outer.map_or((0, 0), |outer| outer.origin);
        let moved = attributes.get("transform").map_or((0, 0), |moved| {
            let moved = moved
                .strip_prefix("translate(")
                .unwrap()
                .strip_suffix(')')
                .unwrap();
            let (x, y) = moved.split_once(' ').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        });
        let inherited = ["font-size", "font-weight"]
            .map(|key| (key, outer.and_then(|outer| outer.attributes.get(key))));
        for (key, value) in inherited {
            if let Some(value) = value {
                attributes.entry(key).or_insert(value);
            }
        }
        Self {
            name,
            origin: (x + moved.0, y + moved.1),
            centred: attributes.contains_key("text-anchor")
                || outer.is_some_and(|outer| outer.centred),
            attributes,
            words: String::new(),
            width: 0,
        }
    }

    fn number(&self, key: &str) -> u32 {
        self.attributes
            .get(key)
            .map_or(0, |value| value.parse().unwrap())
    }

    fn add(&mut self, words: &str) {
        self.words += words;
        if self.name == "text" || self.name == "tspan" {
            self.width += pixels(
                words,
                self.number("font-size"),
                self.attributes.contains_key("font-weight"),
            );
        }
    }

    fn text(self) -> Drawn {
        let (x, y) = (
            self.number("x") + self.origin.0,
            self.number("y") + self.origin.1,
        );
        let x = if self.centred { x - self.width / 2 } else { x };
        Drawn::Text(x, y, self.width, self.words)
    }
}

fn unescape(text: &str) -> String {
    assert!(!text.contains('>'), "{text}");
    let allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}');
    assert!(text.chars().all(allowed), "{text:?}");
    let mut out = text.to_owned();
    for (entity, c) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
    ] {
        out = out.replace(entity, c);
    }
    let plain = out.replace("&amp;", "");
    assert!(!plain.contains('&'), "{text}");
    out.replace("&amp;", "&")
}

const fn within(inner: Rect, outer: Rect) -> bool {
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.x + inner.w <= outer.x + outer.w
        && inner.y + inner.h <= outer.y + outer.h
}

const fn apart(a: Rect, b: Rect) -> bool {
    a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
}

/// Every CPU and every node of an inventory.
fn numbers(inventory: &Inventory) -> (Vec<u32>, Vec<u32>) {
    let cpus = inventory
        .cpu
        .iter()
        .flat_map(|cpu| &cpu.cpus)
        .map(|cpu| cpu.id);
    let nodes = inventory
        .numa
        .iter()
        .flat_map(|numa| &numa.nodes)
        .map(|node| node.id);
    (cpus.collect(), nodes.collect())
}

#[test]
fn every_svg_is_well_formed_and_no_text_leaves_its_box() {
    for (name, inventory) in sample::all() {
        let (drawn, _) = read(&svg(&inventory));
        let rects: Vec<Rect> = drawn
            .iter()
            .filter_map(|drawn| {
                if let Drawn::Rect(rect) = drawn {
                    Some(*rect)
                } else {
                    None
                }
            })
            .collect();
        for drawn in &drawn {
            let Drawn::Text(x, y, width, words) = drawn else {
                continue;
            };
            let point = Rect {
                x: *x,
                y: *y,
                w: 0,
                h: 0,
            };
            let around = rects.iter().filter(|rect| within(point, **rect));
            let innermost = around.min_by_key(|rect| u64::from(rect.w) * u64::from(rect.h));
            let innermost = innermost.unwrap_or_else(|| panic!("{name}: {words} is off the page"));
            assert!(
                x + width <= innermost.x + innermost.w,
                "{name}: {words:?} at {x} is {width} wide in {innermost:?}"
            );
        }
    }
}

#[test]
fn boxes_nest_and_never_overlap() {
    for (name, inventory) in sample::all() {
        let tree = Tree::new(&inventory);
        let plan = plan(&inventory, &tree, &Marks::new(&inventory), 0);
        let mut inside: Vec<Vec<Rect>> = vec![Vec::new(); tree.blocks.len()];
        for (index, block) in tree.blocks.iter().enumerate() {
            let all = block
                .children
                .iter()
                .chain(&block.memory)
                .chain(&block.apart);
            inside[index].extend(all.map(|child| plan.boxes[*child]));
        }
        for (block, _, rect) in &plan.chips {
            inside[*block].push(*rect);
        }
        for (block, _, rect) in &plan.cards {
            inside[*block].push(*rect);
        }
        for (outer, inner) in plan.boxes.iter().zip(&inside) {
            for (number, rect) in inner.iter().enumerate() {
                assert!(
                    within(*rect, *outer) && rect.w > 0,
                    "{name}: {rect:?} in {outer:?}"
                );
                assert!(
                    inner[..number].iter().all(|other| apart(*rect, *other)),
                    "{name}: {rect:?}"
                );
            }
        }
    }
}

#[test]
fn every_cpu_and_every_node_is_drawn_once() {
    for (name, inventory) in sample::all() {
        let (cpus, nodes) = numbers(&inventory);
        let (_, titles) = read(&svg(&inventory));
        let tree = Tree::new(&inventory);
        for cpu in cpus.iter().filter(|_| !tree.folded) {
            let title = format!("CPU {cpu}");
            let hits = titles
                .iter()
                .filter(|other| other.split([',', ' ']).take(2).eq(title.split(' ')));
            assert_eq!(hits.count(), 1, "{name}: {title}");
        }
        for node in nodes
            .iter()
            .filter(|node| !tree.empty_nodes.contains(**node))
        {
            let title = if name == "drawers" {
                "memory".to_owned()
            } else {
                format!("node {node}")
            };
            let hits = titles
                .iter()
                .filter(|other| other.split(['\n', '·']).next().unwrap().trim() == title);
            assert_eq!(hits.count(), 1, "{name}: {title}");
        }
    }
}

#[test]
fn a_picture_is_of_bounded_size() {
    for (name, inventory) in sample::all() {
        let size = svg(&inventory).len();
        assert!(size <= 500_000, "{name}: {size}");
    }
}

#[test]
fn a_page_is_no_strip() {
    for (name, inventory) in sample::all()
        .into_iter()
        .filter(|(name, _)| *name != "empty")
    {
        let (drawn, _) = read(&svg(&inventory));
        let Some(Drawn::Rect(page)) = drawn.first() else {
            panic!("{name} has no page");
        };
        assert!(page.w <= 1800 && page.w <= 4 * page.h, "{name}: {page:?}");
        assert!(name == "huge" || page.h <= 2 * page.w, "{name}: {page:?}");
    }
}

#[test]
fn the_order_of_tables_does_not_matter() {
    let mut other = sample::epyc();
    let cpu = other.cpu.as_mut().unwrap();
    cpu.caches.reverse();
    cpu.cores.reverse();
    cpu.packages.reverse();
    other.numa.as_mut().unwrap().nodes.rotate_left(3);
    let same = sample::epyc();
    let tree = |inventory: &Inventory| {
        let lines = text(inventory, Style::default());
        lines.split("Distances").next().unwrap().to_owned()
    };
    assert_eq!(tree(&other), tree(&same));
}

#[test]
fn cpus_apart_are_told_by_more_than_colour() {
    let text = text(&sample::epyc(), Style::default());
    for piece in [
        "[6in 54i]",
        "[9i 57i]",
        "[5 53]",
        "i: isolated, CPUs 6-11,54-59",
        "n: nohz_full, CPUs 6-8",
    ] {
        assert!(text.contains(piece), "{piece}");
    }
    let (_, titles) = read(&svg(&sample::epyc()));
    assert!(titles.contains(&"CPU 6, isolated, nohz_full of core 6".to_owned()));
    let svg = svg(&sample::hybrid());
    for piece in [
        "P: performance core",
        "E: efficiency core",
        "<title>CPU 8, offline</title>",
        "each efficiency core: L1d 32 KiB, L1i 64 KiB<",
    ] {
        assert!(svg.contains(piece), "{piece}");
    }
}

#[test]
fn nodes_tell_their_memory_pages_and_distances() {
    let text = text(&sample::epyc(), Style::default());
    for piece in [
        "├─ node 1  31 GiB  cpus 6-11,54-59  512 × 2 MiB huge pages, 256 free",
        "4 × 1 GiB huge pages, 2 free",
        "       0   10   16   16   16   32   32   32   32",
        "NIC    0000:08:00.0  Intel E810-C for QSFP  ice  16 GT/s ×16  8 VFs",
        "▼8 of 16 GT/s ×4",
    ] {
        assert!(text.contains(piece), "{piece}");
    }
    let narrow = super::text(
        &sample::epyc(),
        Style {
            width: 45,
            color: false,
        },
    );
    assert!(narrow.contains("node 0: 10 to 0, 16 to 1-3, 32 to 4-7"));
}

#[test]
fn an_inventory_of_nothing_still_makes_a_picture() {
    assert!(svg(&Inventory::default()).contains("nothing is known of it"));
    assert_eq!(
        text(&Inventory::default(), Style::default()),
        "This machine\nnothing is known of it\n\n"
    );
    assert_eq!(
        Tree::new(&Inventory::default()).blocks[MACHINE].kind,
        Kind::Machine
    );
}

/// `PICTURES=/tmp/out ROOTS=/:/tmp/tree cargo test -p gnomon-agent pictures -- --ignored`
#[test]
#[ignore = "writes pictures to look at into the folder PICTURES, also of the trees in ROOTS"]
fn pictures_to_look_at() {
    let Ok(directory) = std::env::var("PICTURES") else {
        return;
    };
    let directory = Path::new(&directory);
    let roots = std::env::var("ROOTS").unwrap_or_default();
    let trees = roots
        .split(':')
        .filter(|path| !path.is_empty())
        .map(|path| {
            let root = Root::captured(Path::new(path)).unwrap();
            let name = Path::new(path)
                .file_name()
                .map_or("live", |name| name.to_str().unwrap());
            (name.to_owned(), discover(&root, &Scope::default()))
        });
    let samples = sample::all()
        .into_iter()
        .map(|(name, inventory)| (name.to_owned(), inventory));
    for (name, inventory) in samples.chain(trees) {
        std::fs::write(directory.join(format!("{name}.svg")), svg(&inventory)).unwrap();
        std::fs::write(
            directory.join(format!("{name}.txt")),
            text(&inventory, Style::default()),
        )
        .unwrap();
    }
}
