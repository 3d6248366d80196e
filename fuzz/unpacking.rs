//! An archive is opened, and what is around it is looked at before and after.

use std::path::{Path, PathBuf};

use libhw::error::Error;
use libhw::inventory::Class;
use libhw::io::archive;

/// Opens an archive with these bytes, and looks at the machine in it.
///
/// # Errors
/// When it is refused.
///
/// # Panics
/// When something was written outside of its own directory, or left behind.
pub fn opened(bytes: &[u8]) -> Result<(), Error> {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("machine.tar");
    std::fs::write(&file, bytes).expect("room for a small file");
    let everywhere = std::env::temp_dir();
    let before = below(&everywhere);
    let opened = archive::open(&file).map(|root| {
        let inside = |path: &Path| {
            let path = path.strip_prefix(&everywhere).ok()?;
            path.iter().next().map(|name| everywhere.join(name))
        };
        let private = inside(root.place()).expect("a place below TMPDIR");
        let outside = |path: &PathBuf| !before.contains(path) && !path.starts_with(&private);
        let written: Vec<PathBuf> = below(&everywhere).into_iter().filter(outside).collect();
        assert!(written.is_empty(), "written outside: {written:?}");
        let _ = crate::discovered(&root, Class::ALL);
    });
    assert_eq!(below(&everywhere), before, "something was left behind");
    opened
}

/// Every path below a directory, links not followed.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in directory.read_dir().into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                todo.push(entry.path());
            }
            paths.push(entry.path());
        }
    }
    paths.sort();
    paths
}
