//! The name of a role, as tokens carry it and channel definitions ask for it.
//!
//! Roles are an application's own words. Three of them mean the roles of the gateway's users:
//! `viewer`, `operator` and `admin`; only who has such a role may give it away.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of a role, in bytes of UTF-8.
pub const MAX_ROLE_BYTES: usize = 64;

/// A role: 1 to 64 bytes without spaces, commas and control characters, so that several can stand
/// on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\s,\u0000-\u001f\u007f-\u009f]+$",
    )
)]
#[serde(try_from = "String", into = "String")]
pub struct RoleName(Box<str>);

/// Why a string names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role has 1 to 64 bytes, without spaces, commas and control characters")]
pub struct RoleNameError;

impl RoleName {
    /// Checks the name.
    pub fn new(name: &str) -> Result<Self, RoleNameError> {
        let bad = |c: char| c == ',' || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > MAX_ROLE_BYTES || name.chars().any(bad) {
            return Err(RoleNameError);
        }
        Ok(Self(name.into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for RoleName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RoleName {
    type Error = RoleNameError;

    fn try_from(name: String) -> Result<Self, RoleNameError> {
        Self::new(&name)
    }
}

impl From<RoleName> for String {
    fn from(name: RoleName) -> String {
        name.0.into()
    }
}

impl From<crate::Role> for RoleName {
    fn from(role: crate::Role) -> Self {
        Self(role.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_role() {
        for good in ["editor", "ops:night", "a", "größe", &"x".repeat(64)] {
            assert!(RoleName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a,b", "a\n", "\u{a0}", &"x".repeat(65)] {
            assert_eq!(RoleName::new(bad), Err(RoleNameError), "{bad}");
        }
    }
}
