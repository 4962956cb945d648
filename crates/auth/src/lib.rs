//! Tokens, the admin credential, and what each principal may do.
//!
//! This crate decides; it does no HTTP and holds no socket. Secrets go in and never come out
//! again: nothing here prints one, and the types that hold one have no `Debug` that shows it.

mod access;
mod admin;
mod bearer;
mod client_tokens;
mod directory;
mod hex;
mod issuer;
mod issuer_keys;
mod jws;
mod keyring;
mod password;
mod revoked;
mod seal;
mod secret;
mod signed;
mod throttle;
mod tokens;

pub use access::{Shown, TokenSource, admit, may_push};
pub use admin::{AdminAuth, AdminError, LINK_SECONDS, SESSION_SECONDS, UsedLink, random_text};
pub use bearer::{Bearer, MIN_BEARER_BYTES};
pub use client_tokens::{ClientTokens, ClientUnknown, KnownClient};
pub use directory::{
    BUILT_IN_ADMIN, Directory, Known, KnownKey, KnownSession, KnownUser, Principal, fingerprint,
};
pub use issuer::{ISSUER_MARK, Issuer, IssuerCounters, IssuerRules, Issuers, RoleRights};
pub use issuer_keys::{IssuerKeys, KeySetError, Signature};
pub use keyring::{Key, KeyUse, Keyring, kid_of};
pub use password::{
    MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordError, hash_password, verify_password,
};
pub use revoked::{Marks, Revoked};
pub use seal::{Seal, SealError};
pub use secret::{Secret, SecretError, read_own};
pub use signed::{MIN_SIGNING_BYTES, NoRoom, Nonces, RequestSignature, SignatureError, SignedHead};
pub use throttle::{Throttle, Try};
pub use tokens::{Checked, LEEWAY_SECONDS, TokenError, Tokens};
