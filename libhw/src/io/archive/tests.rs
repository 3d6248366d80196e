use std::io::Write;

use tar::{Builder, EntryType, Header};

use super::*;

fn header(kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o555);
    header
}

/// A member whose name is not looked at by the library that packs it.
fn member(tar: &mut Builder<Vec<u8>>, kind: EntryType, name: &str, target: &str, data: &[u8]) {
    let mut header = header(kind, data.len());
    let field = &mut header.as_old_mut().name;
    field[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    tar.append(&header, data).unwrap();
}

fn machine() -> Builder<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    member(&mut tar, EntryType::Directory, "box/", "", b"");
    member(&mut tar, EntryType::Directory, "box/sys/", "", b"");
    member(&mut tar, EntryType::Regular, "box/sys/one", "", b"1\n");
    tar
}

fn file(directory: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join("archive");
    File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

fn opened(bytes: &[u8]) -> Result<Root> {
    let directory = tempfile::tempdir().unwrap();
    open(&file(&directory, bytes))
}

fn refused(kind: EntryType, name: &str, target: &str) -> String {
    let mut tar = machine();
    member(&mut tar, kind, name, target, b"");
    opened(&tar.into_inner().unwrap()).unwrap_err().to_string()
}

#[test]
fn a_plain_tar_is_a_root_as_long_as_the_root_lives() {
    let root = opened(&machine().into_inner().unwrap()).unwrap();
    assert_eq!(root.text("sys/one").unwrap().as_deref(), Some("1\n"));
    let place = root.place().to_owned();
    assert!(place.is_dir());
    drop(root);
    assert!(!place.parent().unwrap().exists());
}

#[test]
fn what_is_unpacked_is_ours_alone_and_goes_away() {
    use std::os::unix::fs::PermissionsExt;
    let temporary = tempfile::tempdir().unwrap();
    let tar = machine().into_inner().unwrap();
    let limits = unpack::Limits::default();
    let unpacked = Unpacked::new(Path::new("tar"), &*tar, temporary.path(), limits).unwrap();
    let mode = fs::metadata(unpacked.directory())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    drop(unpacked);
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    let nowhere = Path::new("/nonexistent");
    let error = Unpacked::new(Path::new("tar"), &*tar, nowhere, limits).unwrap_err();
    assert!(error.to_string().contains("set TMPDIR"), "{error}");
}

#[test]
fn every_packing_is_known_by_its_content() {
    let tar = machine().into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&tar).unwrap();
    let options = lzma_rust2::XzOptions::default();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    xz.write_all(&tar).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let (first, second) = tar.split_at(700);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3].to_vec();
    let zstd = [
        ruzstd::encoding::compress_to_vec(first, level),
        skippable,
        ruzstd::encoding::compress_to_vec(second, level),
    ];
    for packed in [
        gzip.finish().unwrap(),
        bzip2.finish().unwrap(),
        xz.finish().unwrap(),
        zstd.concat(),
    ] {
        let root = opened(&packed).unwrap();
        assert_eq!(root.text("sys/one").unwrap().as_deref(), Some("1\n"));
        for cut in [packed.len() / 2, packed.len() - 1] {
            let error = opened(&packed[..cut]).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{cut}: {error}");
        }
    }
}

#[test]
fn a_tar_that_is_cut_short_is_damaged_wherever_it_was_cut() {
    let tar = machine().into_inner().unwrap();
    for cut in [520, 1024, 1530, 1537, 1600, 2048] {
        let error = opened(&tar[..cut]).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{cut}: {error}");
    }
    let mut wrong = tar;
    wrong[1030] ^= 1;
    let error = opened(&wrong).unwrap_err().to_string();
    assert!(
        error.contains("damaged or cut short after member \"box/sys/\""),
        "{error}"
    );
}

#[test]
fn what_would_be_written_outside_is_refused_by_name() {
    let outside = "would be written outside";
    for (kind, name, target, why) in [
        (EntryType::Regular, "../evil", "", outside),
        (EntryType::Regular, "/etc/evil", "", outside),
        (EntryType::Regular, "box/../../evil", "", outside),
        (EntryType::Symlink, "../evil", "/etc", outside),
        (EntryType::Directory, "box/../../evil", "", outside),
        (EntryType::Link, "box/evil", "../../etc/passwd", outside),
        (EntryType::Link, "box/evil", "/etc/passwd", outside),
        (
            EntryType::Link,
            "box/evil",
            "box/none",
            "hard link to no earlier file",
        ),
        (
            EntryType::Link,
            "box/evil",
            "box/sys",
            "hard link to no earlier file",
        ),
        (
            EntryType::Symlink,
            "box/evil",
            "",
            "something that no path can be",
        ),
        (
            EntryType::Regular,
            "box/sys",
            "",
            "stands where the archive has a directory",
        ),
        (
            EntryType::Regular,
            "box/sys/one/two",
            "",
            "lies below a link or a file",
        ),
        (EntryType::GNUSparse, "box/sparse", "", "stored sparse"),
    ] {
        let error = refused(kind, name, target);
        assert!(
            error.contains(why) && error.contains(name),
            "{name}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    for (kind, name) in [
        (EntryType::Regular, "box/way/evil"),
        (EntryType::Directory, "box/way/evil/"),
        (EntryType::Symlink, "box/way/evil"),
        (EntryType::Link, "box/way/evil"),
    ] {
        let mut tar = machine();
        member(&mut tar, EntryType::Symlink, "box/way", target, b"");
        member(&mut tar, kind, name, "box/sys/one", b"");
        let error = opened(&tar.into_inner().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Member { .. }), "{name}: {error}");
    }
    let mut tar = machine();
    let victim = outside.path().join("victim");
    fs::write(&victim, "before").unwrap();
    member(
        &mut tar,
        EntryType::Symlink,
        "box/sys/way",
        victim.to_str().unwrap(),
        b"",
    );
    member(&mut tar, EntryType::Regular, "box/sys/way", "", b"after");
    let root = opened(&tar.into_inner().unwrap()).unwrap();
    assert_eq!(root.text("sys/way").unwrap().as_deref(), Some("after"));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "before");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn of_members_with_one_name_the_last_counts_and_hard_links_hold_what_they_held() {
    let mut tar = machine();
    member(&mut tar, EntryType::Link, "box/sys/two", "box/sys/one", b"");
    member(&mut tar, EntryType::Regular, "box/sys/one", "", b"again\n");
    member(&mut tar, EntryType::Directory, "box/sys/", "", b"");
    let root = opened(&tar.into_inner().unwrap()).unwrap();
    assert_eq!(root.text("sys/one").unwrap().as_deref(), Some("again\n"));
    assert_eq!(root.text("sys/two").unwrap().as_deref(), Some("1\n"));
}

#[test]
fn device_nodes_are_left_out_and_long_names_are_kept() {
    let mut tar = machine();
    for kind in [EntryType::Fifo, EntryType::Char, EntryType::Block] {
        member(&mut tar, kind, "box/sys/node", "", b"");
    }
    let long = format!("box/sys/{}", "d/".repeat(50) + &"f".repeat(200));
    tar.append_data(&mut header(EntryType::Regular, 4), &long, &b"long"[..])
        .unwrap();
    tar.append_pax_extensions([("path", b"box/sys/p\xc3\xa4x".as_slice())])
        .unwrap();
    member(&mut tar, EntryType::Regular, "ignored", "", b"pax");
    let root = opened(&tar.into_inner().unwrap()).unwrap();
    assert_eq!(root.names("sys").unwrap(), ["d", "one", "päx"]);
    let long = long.strip_prefix("box/").unwrap();
    assert_eq!(root.text(long).unwrap().as_deref(), Some("long"));
}

#[test]
fn size_number_and_depth_are_limited() {
    let unpacked = |tar: Builder<Vec<u8>>, limits| {
        let tar = tar.into_inner().unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let unpacked = Unpacked::new(Path::new("bomb"), &*tar, temporary.path(), limits);
        let error = unpacked.unwrap_err().to_string();
        let left = fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0, "what was unpacked is still there: {error}");
        error
    };
    let limits = unpack::Limits {
        bytes: 1 << 20,
        members: 100,
        depth: 8,
    };
    let mut tar = machine();
    member(
        &mut tar,
        EntryType::Regular,
        "box/large",
        "",
        &vec![0; 2 << 20],
    );
    assert!(unpacked(tar, limits).contains("larger than any machine's tree"));
    let mut tar = machine();
    for number in 0..40 {
        member(
            &mut tar,
            EntryType::Regular,
            &format!("box/{number}/a/b"),
            "",
            b"",
        );
    }
    assert!(unpacked(tar, limits).contains("one too many"));
    let mut tar = machine();
    member(&mut tar, EntryType::Regular, &"d/".repeat(9), "", b"");
    assert!(unpacked(tar, limits).contains("too long or too deep"));
    let mut tar = machine();
    let mut long = header(EntryType::GNULongName, 1 << 19);
    long.set_cksum();
    tar.append(&long, &*vec![b'n'; 1 << 19]).unwrap();
    assert!(unpacked(tar, limits).contains("too long or too deep"));
}

#[test]
fn what_is_no_archive_and_what_is_not_there_is_said_so() {
    for bytes in [&b""[..], b"x", &[b'x'; 4096]] {
        assert!(matches!(opened(bytes), Err(Error::NoArchive { .. })));
    }
    let missing = open(Path::new("/nonexistent/tree")).unwrap_err();
    assert!(matches!(missing, Error::Root { .. }));
    let device = open(Path::new("/dev/null")).unwrap_err();
    assert!(matches!(device, Error::NoArchive { .. }));
    assert!(matches!(opened(&[0; 10240]), Err(Error::NoTree { .. })));
}

#[test]
fn the_root_is_the_shallowest_directory_with_sys_or_proc() {
    let directory = tempfile::tempdir().unwrap();
    let top = directory.path();
    assert!(matches!(open(top), Err(Error::NoTree { .. })));
    fs::create_dir_all(top.join("a/b/proc/sys")).unwrap();
    fs::create_dir_all(top.join("c/d/e/sys")).unwrap();
    assert_eq!(open(top).unwrap().place(), top.join("a/b"));
    fs::create_dir_all(top.join("a/z/sys")).unwrap();
    let error = open(top).unwrap_err().to_string();
    assert!(error.contains("(a/b, a/z)"), "{error}");
    fs::create_dir(top.join("sys")).unwrap();
    assert_eq!(open(top).unwrap().place(), top);
}
