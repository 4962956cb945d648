//! Where log files are: in a folder that is the owner's alone, under a name that no other gateway
//! writes to.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Gateways that log into one folder, at most.
const MOST: usize = 64;

/// The name of a log, for as long as this lives.
pub(super) struct Claimed {
    pub(super) path: PathBuf,
    /// The file beside it that is locked.
    _lock: File,
}

/// Makes the folder where there is none, for its owner alone.
pub(super) fn folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The first of `name.log`, `name-2.log`, ... that no other gateway has.
pub(super) fn claim(folder: &Path, name: &str) -> Result<Claimed> {
    for number in 1..=MOST {
        let name = match number {
            1 => name.to_owned(),
            number => format!("{name}-{number}"),
        };
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(format!(".{name}.lock")))?;
        match lock.try_lock() {
            Ok(()) => {
                return Ok(Claimed {
                    path: folder.join(format!("{name}.log")),
                    _lock: lock,
                });
            }
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(Error::other(format!("{MOST} gateways log there already")))
}

/// A log in the first folder that can be used among those that do not survive a restart of the
/// machine.
pub(super) fn volatile(name: &str) -> Option<Claimed> {
    let own = rustix::process::geteuid().as_raw();
    let of_user = format!("tidegate-{own}");
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    [
        runtime.map(|folder| PathBuf::from(folder).join("tidegate")),
        Some(PathBuf::from("/run/tidegate")),
        Some(Path::new("/dev/shm").join(&of_user)),
        Some(std::env::temp_dir().join(&of_user)),
    ]
    .into_iter()
    .flatten()
    .find_map(|folder| {
        private(&folder, own)
            .and_then(|()| claim(&folder, name))
            .ok()
    })
}

/// Makes the folder, or sees that it is a folder of ours that nobody else can write to: others may
/// make folders and links beside it.
fn private(path: &Path, own: u32) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = path.symlink_metadata()?;
    if found.is_dir() && found.uid() == own && found.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(Error::other("it is not a folder of ours alone"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn each_gateway_has_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let first = claim(folder.path(), "debug").unwrap();
        let second = claim(folder.path(), "debug").unwrap();
        assert!(first.path.ends_with("debug.log"));
        assert!(second.path.ends_with("debug-2.log"));
        drop(first);
        let third = claim(folder.path(), "debug").unwrap();
        assert!(third.path.ends_with("debug.log"));
    }

    /// What somebody else has put there, a link or a folder open to all, is not written to.
    #[test]
    fn a_folder_of_others_is_not_used() {
        let around = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        let made = around.path().join("made");
        private(&made, own).unwrap();
        assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700);
        let link = around.path().join("link");
        std::os::unix::fs::symlink(&made, &link).unwrap();
        assert!(private(&link, own).is_err());
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(private(&made, own).is_err());
        assert!(private(&around.path().join("other"), own + 1).is_err());
    }
}
