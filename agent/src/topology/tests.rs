use std::path::Path;

use super::*;

#[test]
#[ignore = "writes pictures to look at into $PICTURES"]
fn pictures_to_look_at() {
    let Ok(directory) = std::env::var("PICTURES") else {
        return;
    };
    let directory = Path::new(&directory);
    for (name, inventory) in sample::all() {
        std::fs::write(directory.join(format!("{name}.svg")), svg(&inventory)).unwrap();
        std::fs::write(
            directory.join(format!("{name}.txt")),
            text(&inventory, Style::default()),
        )
        .unwrap();
    }
}
