//! Where the agent keeps its state and its socket when nobody says where.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, geteuid};

/// What the process finds around it that decides where things go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Whether it runs as root.
    root: bool,
    /// `STATE_DIRECTORY` and `RUNTIME_DIRECTORY`, which systemd makes for a unit (systemd.exec(5)).
    unit_state: Option<PathBuf>,
    unit_runtime: Option<PathBuf>,
    /// `XDG_STATE_HOME`, `XDG_RUNTIME_DIR` and `HOME` (XDG Base Directory Specification).
    user_state: Option<PathBuf>,
    user_runtime: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Places {
    /// Those of this process.
    pub(crate) fn here() -> Self {
        // A relative path in one of these is to be ignored (XDG); systemd gives several with colons.
        let place = |name: &str| {
            let value: OsString = std::env::var_os(name)?;
            let first = value.to_str()?.split(':').next()?;
            Some(PathBuf::from(first)).filter(|path| path.is_absolute())
        };
        Self {
            root: geteuid().is_root(),
            unit_state: place("STATE_DIRECTORY"),
            unit_runtime: place("RUNTIME_DIRECTORY"),
            user_state: place("XDG_STATE_HOME"),
            user_runtime: place("XDG_RUNTIME_DIR"),
            home: place("HOME"),
        }
    }

    /// The state directory; `None` when not even a home is known.
    pub(crate) fn state_dir(&self) -> Option<PathBuf> {
        if let Some(unit) = &self.unit_state {
            return Some(unit.clone());
        }
        if self.root {
            return Some(PathBuf::from("/var/lib/gnomon"));
        }
        let user = self.user_state.clone();
        let user = user.or_else(|| Some(self.home.as_ref()?.join(".local/state")));
        Some(user?.join("gnomon"))
    }

    /// The socket.
    pub(crate) fn socket(&self, state_dir: &Path) -> PathBuf {
        const NAME: &str = "agent.sock";
        let shared = Path::new("/run/gnomon");
        if let Some(unit) = &self.unit_runtime {
            unit.join(NAME)
        } else if self.root || access(shared, AccessFlags::W_OK).is_ok() {
            shared.join(NAME)
        } else if let Some(user) = &self.user_runtime {
            user.join("gnomon").join(NAME)
        } else {
            state_dir.join(NAME)
        }
    }
}

/// The state directory of a replay: its changes are not this host's. Named after the tree.
pub(crate) fn replay(state_dir: &Path, tree: &Path) -> PathBuf {
    let tree = tree.canonicalize().unwrap_or_else(|_| tree.to_owned());
    let name: String = tree.to_string_lossy().replace('/', "-");
    // A file's name has 255 bytes; the end of the path tells more than its start.
    let cut = name.char_indices().map(|(at, _)| at);
    let from = cut.rev().take_while(|at| name.len() - at <= 200).last();
    let name = name.get(from.unwrap_or(0)..).unwrap_or_default();
    state_dir.join("replay").join(name.trim_start_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(state: Option<&str>, home: Option<&str>) -> Places {
        Places {
            user_state: state.map(PathBuf::from),
            home: home.map(PathBuf::from),
            ..Places::default()
        }
    }

    #[test]
    fn the_state_goes_to_the_unit_then_to_the_system_then_to_the_user() {
        let root = Places {
            root: true,
            ..places(Some("/x"), Some("/h"))
        };
        let unit = Places {
            unit_state: Some("/var/lib/private/g".into()),
            ..root.clone()
        };
        for (places, directory) in [
            (unit, Some("/var/lib/private/g")),
            (root, Some("/var/lib/gnomon")),
            (places(Some("/x"), Some("/h")), Some("/x/gnomon")),
            (places(None, Some("/h")), Some("/h/.local/state/gnomon")),
            (places(None, None), None),
        ] {
            assert_eq!(places.state_dir(), directory.map(PathBuf::from));
        }
    }

    #[test]
    fn the_socket_goes_where_others_find_it() {
        let unit = Places {
            unit_runtime: Some("/run/u".into()),
            ..Places::default()
        };
        assert_eq!(unit.socket(Path::new("/s")), Path::new("/run/u/agent.sock"));
        let root = Places {
            root: true,
            ..Places::default()
        };
        assert_eq!(
            root.socket(Path::new("/s")),
            Path::new("/run/gnomon/agent.sock")
        );
    }

    #[test]
    fn a_replay_has_a_state_directory_of_its_own() {
        let long = format!("/{}", "é/".repeat(400));
        for (tree, name) in [
            ("/no/such tree", Some("no-such tree")),
            (long.as_str(), None),
        ] {
            let place = replay(Path::new("/s"), Path::new(tree));
            assert_eq!(place.parent(), Some(Path::new("/s/replay")));
            let last = place.file_name().unwrap();
            assert!(last.len() <= 255 && !last.is_empty());
            if let Some(name) = name {
                assert_eq!(last, name);
            }
        }
    }
}
