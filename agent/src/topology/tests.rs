use std::path::Path;

use libhw::inventory::{Scope, discover};
use libhw::io::root::Root;

use super::*;

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
