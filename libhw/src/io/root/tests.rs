#![expect(clippy::disallowed_methods, reason = "a test makes up its tree")]

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// A tree made up in a directory of its own, beside a secret that no path may reach.
struct Made {
    directory: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let made = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(made.path("root/sys/devices/box")).unwrap();
        fs::create_dir_all(made.path("root/proc")).unwrap();
        fs::write(made.path("secret"), "outside").unwrap();
        made.file("sys/devices/box/one", "1\n");
        made
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path("root").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, target: impl AsRef<Path>) {
        symlink(target, self.path("root").join(path)).unwrap();
    }

    /// The root, resolved by the kernel and by hand.
    fn roots(&self) -> [Root; 2] {
        [false, true].map(|by_hand| {
            let root = Root::captured(&self.path("root")).unwrap();
            if by_hand {
                root.tree.forbid_openat2();
            }
            root
        })
    }
}

fn text(root: &Root, path: &str) -> Option<String> {
    root.text(path).unwrap()
}

#[test]
fn no_path_and_no_link_leaves_the_root() {
    let made = Made::new();
    let secret = made.path("secret");
    made.link("sys/absolute", &secret);
    made.link("sys/up", "../../secret");
    made.link(
        "sys/far-up",
        "../../../../../../../../../../../../etc/passwd",
    );
    made.link("sys/way", made.directory.path());
    made.link("sys/top", "/..");
    for root in made.roots() {
        for path in [
            "sys/absolute",
            "sys/up",
            "sys/far-up",
            "../secret",
            "sys/../../secret",
            "/../secret",
            "sys/way/secret",
            "sys/top/secret",
            "sys/devices/box/../../../../secret",
        ] {
            assert_eq!(text(&root, path), None, "{path}");
        }
        for path in ["..", "sys/top", "sys/../..", "", "/"] {
            assert_eq!(root.names(path).unwrap(), ["proc", "sys"], "{path}");
        }
        assert_eq!(root.link("..").unwrap(), None);
    }
}

#[test]
fn links_are_followed_as_if_the_root_were_the_whole_world() {
    let made = Made::new();
    made.link("sys/absolute", "/sys/devices/box");
    made.link("sys/relative", "devices/./box/../box");
    made.link("sys/above", "../../../sys/devices/box");
    made.link("sys/chain", "absolute/one");
    made.link("sys/dangling", "nothing/here");
    for root in made.roots() {
        for path in [
            "sys/devices/box/one",
            "sys/absolute/one",
            "sys/relative/one",
            "sys/above/one",
            "sys/chain",
            "/sys//devices/box/./one",
            "sys/absolute/../box/one",
        ] {
            assert_eq!(text(&root, path).as_deref(), Some("1\n"), "{path}");
        }
        assert_eq!(text(&root, "sys/missing/../devices/box/one"), None);
        assert_eq!(text(&root, "sys/dangling"), None);
        assert_eq!(
            root.link("sys/dangling").unwrap().as_deref(),
            Some("nothing/here")
        );
        assert_eq!(
            root.link("sys/absolute").unwrap().as_deref(),
            Some("/sys/devices/box")
        );
        assert_eq!(root.link("sys/devices").unwrap(), None);
        assert_eq!(root.link("sys/none").unwrap(), None);
        let resolved = root.resolve("sys/chain").unwrap();
        assert_eq!(resolved.real, "sys/devices/box/one");
        assert_eq!(resolved.links.len(), 2);
    }
}

#[test]
fn a_loop_of_links_is_an_error_and_hides_nothing_else() {
    let made = Made::new();
    made.link("sys/itself", "itself");
    made.link("sys/there", "back");
    made.link("sys/back", "there");
    for root in made.roots() {
        for path in ["sys/itself", "sys/there", "sys/back/below"] {
            let error = root.text(path).unwrap_err();
            let Error::Read { path: said, source } = &error else {
                panic!("{error}");
            };
            assert_eq!(said, &format!("/{path}"));
            assert_eq!(source.raw_os_error(), Some(libc::ELOOP));
        }
        assert_eq!(text(&root, "sys/devices/box/one").as_deref(), Some("1\n"));
        assert_eq!(
            root.names("sys").unwrap(),
            ["back", "devices", "itself", "there"]
        );
        assert_eq!(root.link("sys/itself").unwrap().as_deref(), Some("itself"));
    }
}

#[test]
fn what_is_no_file_or_no_directory_is_told_and_does_not_block() {
    let made = Made::new();
    let fifo = made.path("root/sys/fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
    for root in made.roots() {
        assert!(matches!(root.text("sys/devices"), Err(Error::Read { .. })));
        assert_eq!(root.names("sys/devices/box/one").unwrap(), [""; 0]);
        assert_eq!(text(&root, "sys/devices/box/one/below"), None);
        assert_eq!(text(&root, "sys/fifo").as_deref(), Some(""));
        assert!(matches!(root.text("sys/\0"), Err(Error::Read { .. })));
    }
}

#[test]
fn bytes_are_read_to_their_end_whatever_they_are() {
    let made = Made::new();
    let pages: Vec<u8> = (0..=255).cycle().take(200_001).collect();
    made.file("sys/pages", &pages);
    made.file("proc/long", &pages);
    made.file("sys/nul", b"0-3\n\0");
    made.file("sys/latin", b"caf\xe9");
    made.file("sys/empty", "");
    for root in made.roots() {
        assert_eq!(root.bytes("sys/pages").unwrap().as_deref(), Some(&*pages));
        assert_eq!(root.bytes("proc/long").unwrap().as_deref(), Some(&*pages));
        assert_eq!(text(&root, "sys/nul").as_deref(), Some("0-3\n\0"));
        assert_eq!(text(&root, "sys/latin").as_deref(), Some("caf\u{fffd}"));
        assert_eq!(text(&root, "sys/empty").as_deref(), Some(""));
        for length in [0, 1, 64, 300_000] {
            let read = root.slow_bytes("sys/pages", length).unwrap().unwrap();
            assert_eq!(read, pages[..length.max(1).min(pages.len())], "{length}");
        }
    }
}

#[test]
fn a_file_larger_than_any_of_the_kernel_s_is_not_read() {
    let made = Made::new();
    made.file("proc/large", "");
    let large = fs::File::options()
        .write(true)
        .open(made.path("root/proc/large"))
        .unwrap();
    large.set_len(SIZE_MAX as u64 + 1).unwrap();
    for root in made.roots() {
        assert!(matches!(
            root.text("proc/large"),
            Err(Error::TooLarge {
                limit: SIZE_MAX,
                ..
            })
        ));
        assert_eq!(root.slow_bytes("proc/large", 9).unwrap(), Some(vec![0; 9]));
    }
}

#[test]
fn recorded_errors_are_met_again() {
    let made = Made::new();
    let errors = serde_json::json!({
        "sys/denied": libc::EACCES,
        "sys/broken": libc::EIO,
        "sys/slow": libc::ETIMEDOUT,
        "sys/unsupported": libc::EOPNOTSUPP,
        "sys/gone": libc::ENOENT,
        "sys/large": libc::EFBIG,
        "sys/odd": -7,
        "sys/devices": libc::EPERM,
        "gnomon/probes/asked.json": libc::EIO,
    });
    made.file(ERRORS, errors.to_string());
    made.file("sys/broken", "as if it were fine");
    for root in made.roots() {
        let reason = |path: &str| root.text(path).unwrap_err();
        assert!(matches!(reason("sys/denied"), Error::Denied { path } if path == "/sys/denied"));
        assert!(matches!(reason("sys/broken"), Error::Read { source, .. }
            if source.raw_os_error() == Some(libc::EIO)));
        assert!(matches!(
            reason("sys/slow"),
            Error::TimedOut {
                limit: SLOW_READ_LIMIT,
                ..
            }
        ));
        assert!(matches!(
            reason("sys/unsupported"),
            Error::Unsupported { .. }
        ));
        assert!(matches!(reason("sys/large"), Error::TooLarge { .. }));
        assert!(matches!(reason("sys/odd"), Error::Read { .. }));
        assert!(matches!(
            root.names("sys/devices"),
            Err(Error::Denied { .. })
        ));
        assert!(matches!(
            root.slow_bytes("sys/broken", 4),
            Err(Error::Read { .. })
        ));
        assert_eq!(text(&root, "sys/gone"), None);
        assert_eq!(text(&root, "sys/devices/box/one").as_deref(), Some("1\n"));
        let probed = root.probe::<u8>("asked", || Ok(Some(1)));
        assert!(
            matches!(probed, Err(Error::Read { path, .. }) if path == "/gnomon/probes/asked.json")
        );
    }
    made.file(ERRORS, "[]");
    assert!(matches!(
        Root::captured(&made.path("root")),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn names_that_were_only_listed_are_listed_by_whatever_way_their_directory_is_reached() {
    let made = Made::new();
    made.link("sys/way", "devices/box");
    made.file(
        LISTED,
        r#"{"sys/devices/box": ["two", "one", "\u00e9", "Zero"], "sys/none": ["one"]}"#,
    );
    for root in made.roots() {
        for path in ["sys/devices/box", "sys/way", "/sys//way/../box/."] {
            assert_eq!(
                root.names(path).unwrap(),
                ["Zero", "one", "two", "\u{e9}"],
                "{path}"
            );
        }
        assert_eq!(text(&root, "sys/devices/box/one").as_deref(), Some("1\n"));
        assert_eq!(text(&root, "sys/devices/box/two"), None);
        assert_eq!(root.link("sys/devices/box/two").unwrap(), None);
        assert_eq!(root.names("sys/none").unwrap(), [""; 0]);
        assert_eq!(root.names("sys").unwrap(), ["devices", "way"]);
    }
}

#[test]
fn no_recorded_name_leads_out_of_its_directory() {
    let made = Made::new();
    made.link("sys/up", "..");
    let ways = [
        "..",
        "../secret",
        "sys/..",
        "/sys/devices",
        "sys/up/sys/devices",
        "sys/devices/",
        "",
        "\0",
    ];
    let listed: BTreeMap<&str, [&str; 1]> = ways.into_iter().map(|way| (way, ["new"])).collect();
    made.file(LISTED, serde_json::to_string(&listed).unwrap());
    for root in made.roots() {
        assert_eq!(root.names("sys/devices").unwrap(), ["box"]);
        assert_eq!(root.names("sys/up/sys").unwrap(), ["devices", "up"]);
        assert_eq!(text(&root, "../secret"), None);
    }
    let long = "x".repeat(256);
    for name in [
        "",
        ".",
        "..",
        "../secret",
        "/etc/passwd",
        "a/b",
        "a\0",
        &long,
    ] {
        let listed = serde_json::json!({"sys/devices": ["box", name]});
        made.file(LISTED, listed.to_string());
        assert!(malformed(&made), "{name}");
    }
    for text in [
        "",
        "[]",
        "7",
        "{",
        r#"{"sys": "one"}"#,
        r#"{"sys": [1]}"#,
        r#"{"sys": {"one": 1}}"#,
        r#"{"sys": [["one"]]}"#,
        r#"{"sys": null}"#,
    ] {
        made.file(LISTED, text);
        assert!(malformed(&made), "{text}");
    }
    let file = fs::File::create(made.path("root").join(LISTED)).unwrap();
    file.set_len(SIZE_MAX as u64 + 1).unwrap();
    assert!(matches!(
        Root::captured(&made.path("root")),
        Err(Error::TooLarge { .. })
    ));
}

/// Whether the tree is refused, and told which file is wrong.
fn malformed(made: &Made) -> bool {
    matches!(Root::captured(&made.path("root")),
        Err(Error::Malformed { path, .. }) if path == "/gnomon/listed.json")
}

#[test]
fn a_probe_is_answered_from_the_record_and_never_asked_of_this_host() {
    let made = Made::new();
    made.file("gnomon/probes/known.json", "[1,2]");
    made.file("gnomon/probes/damaged.json", "{");
    for root in made.roots() {
        let ask = |name| root.probe::<Vec<u8>>(name, || panic!("asked"));
        assert_eq!(ask("known").unwrap(), Some(vec![1, 2]));
        assert_eq!(ask("unknown").unwrap(), None);
        assert!(matches!(ask("damaged"), Err(Error::Malformed { .. })));
    }
    let live = Root::live().unwrap();
    assert_eq!(live.probe("any", || Ok(Some(7))).unwrap(), Some(7));
    let refused = live.probe::<u8>("any", || Err(io::ErrorKind::PermissionDenied.into()));
    assert!(matches!(refused, Err(Error::Read { .. })));
    let denied = live.probe::<u8>("any", || Err(Errno::EACCES.into()));
    assert!(matches!(denied, Err(Error::Denied { .. })));
}

#[test]
fn what_is_asked_twice_for_a_capture_is_answered_once() {
    let made = Made::new();
    let [root, _] = made.roots();
    let mut root = root.recording();
    assert_eq!(text(&root, "sys/devices/box/one").as_deref(), Some("1\n"));
    made.file("sys/devices/box/one", "2\n");
    assert_eq!(text(&root, "sys/devices/box/one").as_deref(), Some("1\n"));
    assert_eq!(root.recorded().len(), 1);
    assert_eq!(text(&root, "sys/devices/box/one").as_deref(), Some("2\n"));
}

#[test]
fn a_missing_root_is_an_error_that_names_it() {
    let error = Root::captured(Path::new("/nonexistent")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "open /nonexistent as a tree of /proc and /sys"
    );
    assert!(std::error::Error::source(&error).is_some());
}
