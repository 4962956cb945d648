//! The secret that signs tokens: given by the operator, or made once and kept in a file.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A signing secret shorter than this can be guessed (RFC 7518, section 3.2 asks for 32 bytes).
const MIN_BYTES: usize = 8;

/// The bytes of the signing secret. Its `Debug` hides them.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The operator's secret is too short.
    #[error(
        "the JWT secret must have at least {MIN_BYTES} bytes; make one with `openssl rand -hex 32`"
    )]
    TooShort,
    /// Others than its owner can read the file.
    #[error(
        "the secret file {path} is open to others (mode {mode:04o}), and who reads it can sign tokens; close it with `chmod 600 {path}`"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file that keeps it cannot be read or written.
    #[error(
        "the secret file {path} cannot be used ({source}); check its owner and mode, or give --jwt-secret"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Secret {
    /// From the operator.
    pub fn given(text: &str) -> Result<Self, SecretError> {
        if text.len() < MIN_BYTES {
            return Err(SecretError::TooShort);
        }
        Ok(Self(text.as_bytes().to_vec()))
    }

    /// From the file, which is made with mode 0600 when it is not there.
    pub fn kept_in(path: &Path) -> Result<Self, SecretError> {
        let fail = |source| SecretError::File {
            path: path.to_owned(),
            source,
        };
        match read_own(path) {
            Ok(Ok(text)) => Self::given(text.trim()),
            Ok(Err(mode)) => Err(SecretError::Open {
                path: path.to_owned(),
                mode,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Self::make(path).map_err(fail)
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// A random one of 256 bits.
    pub fn random() -> Self {
        Self(crate::admin::random_text().into_bytes())
    }

    /// As it was before it was sealed.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    fn make(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let text = crate::admin::random_text();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Written beside and linked into place: of two gateways that start at once, one makes
        // the file and the other reads it whole.
        let beside = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&beside, path);
        std::fs::remove_file(&beside)?;
        match linked {
            Ok(()) => Ok(Self(text.into_bytes())),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self(
                std::fs::read_to_string(path)?.trim().as_bytes().to_vec(),
            )),
            Err(error) => Err(error),
        }
    }

    /// For signing and sealing; nothing else may see them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What is in a file, unless its group or others have a right to it: then its mode.
pub fn read_own(path: &Path) -> std::io::Result<Result<String, u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = std::fs::File::open(path)?;
    let about = file.metadata()?;
    let mode = about.permissions().mode() & 0o777;
    if about.is_file() && mode & 0o077 != 0 {
        return Ok(Err(mode));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Ok(text))
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_made_secret_is_kept_for_the_next_start_and_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/jwt-secret");
        let first = Secret::kept_in(&path).unwrap();
        assert_eq!(first.bytes(), Secret::kept_in(&path).unwrap().bytes());
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(format!("{first:?}"), "Secret(..)");
    }

    /// Whoever else could read the file could sign tokens: it is not used until that is mended.
    #[test]
    fn a_secret_that_others_may_read_is_refused_with_what_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Secret::kept_in(&path).unwrap();
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for mode in [0o640, 0o604, 0o660, 0o644, 0o602] {
            set(mode);
            let error = Secret::kept_in(&path).unwrap_err().to_string();
            let mends = format!("chmod 600 {}", path.display());
            assert!(error.contains(&mends), "{error}");
            assert!(error.contains(&format!("(mode {mode:04o})")), "{error}");
        }
        set(0o400);
        assert!(Secret::kept_in(&path).is_ok());
    }

    #[test]
    fn short_and_unreadable_secrets_are_refused_in_words() {
        assert!(
            Secret::given("short")
                .unwrap_err()
                .to_string()
                .contains("at least 8 bytes")
        );
        let folder = tempfile::tempdir().unwrap();
        let error = Secret::kept_in(folder.path()).unwrap_err().to_string();
        assert!(error.contains("cannot be used"), "{error}");
    }
}
