//! The Unix socket of `--unix-socket`: made with its mode, taken away at the end.
//!
//! It is made in a folder that nobody else can enter, is given its mode there and then put in its
//! place, so that there is no moment at which somebody gets in whom the mode keeps out. What stands
//! there already gives way only if it is a socket that nobody listens on.

use std::fs::{DirBuilder, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// A socket in its place, which is taken away when this is dropped.
pub(crate) struct Placed {
    path: PathBuf,
    /// Device and inode: another gateway may have put its own there since.
    own: (u64, u64),
}

/// Listens at this path.
pub(crate) fn listen(path: &Path, mode: u32) -> Result<(UnixListener, Placed)> {
    give_way(path)?;
    let name = path
        .file_name()
        .ok_or_else(|| Error::other("it names no file"))?;
    let mut private = path.as_os_str().to_owned();
    private.push(format!(".{}", std::process::id()));
    let private = PathBuf::from(private);
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = private.join(name);
    let placed = UnixListener::bind(&made).and_then(|listener| {
        std::fs::set_permissions(&made, Permissions::from_mode(mode))?;
        let about = made.symlink_metadata()?;
        std::fs::rename(&made, path)?;
        let own = (about.dev(), about.ino());
        let path = path.to_owned();
        Ok((listener, Placed { path, own }))
    });
    // Nothing of it is left, whatever came of it.
    let _ = std::fs::remove_file(&made);
    let _ = std::fs::remove_dir(&private);
    placed
}

/// Whether there is room: nothing, or a socket that nobody listens on any more.
fn give_way(path: &Path) -> Result<()> {
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(Error::other("there is something else of this name"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Ok(_) => Err(Error::other("somebody listens there already")),
        Err(error) => Err(error),
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        let own = self
            .path
            .symlink_metadata()
            .is_ok_and(|about| (about.dev(), about.ino()) == self.own);
        if own {
            // A leftover is replaced at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
