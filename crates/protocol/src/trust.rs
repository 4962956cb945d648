//! What the API under `/api/v1/auth` and `/api/v1/activity` says: the same types on both sides.
//!
//! Times are milliseconds since 1970.

use serde::{Deserialize, Serialize};

use crate::claims::Right;
use crate::role::Role;
use crate::role_name::RoleName;

/// `POST /api/v1/auth/token`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct IssueToken {
    /// Whose it is to be; a random name when empty.
    #[cfg_attr(feature = "openapi", schema(max_length = 255))]
    pub id: String,
    /// Topics, or `prefix:*` patterns.
    #[cfg_attr(
        feature = "openapi",
        schema(required = true, min_items = 1, max_items = 100, value_type = Vec<crate::TopicPattern>)
    )]
    pub channels: Vec<String>,
    /// What it allows; joining, pushing and presence when it is left out.
    pub allow: Option<Vec<Right>>,
    /// The roles of its user, for channels that ask for one; none when it is left out. `viewer`,
    /// `operator` and `admin` are given by who has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub roles: Vec<RoleName>,
    /// How many seconds it lives; as long as `--token-seconds` says when it is left out.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400))]
    pub seconds: Option<u64>,
}

/// What was issued. The token is shown here and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedToken {
    /// The token.
    pub token: String,
    /// What is kept of it.
    pub info: TokenInfo,
}

/// A token that was issued, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenInfo {
    /// Its name, by which it can be revoked.
    pub jti: String,
    /// Whose it is.
    pub id: String,
    /// Topics and patterns.
    pub channels: Vec<String>,
    /// What it allows.
    pub allow: Vec<Right>,
    /// The roles that it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// The key that signed it.
    pub kid: String,
    /// When it was issued.
    pub issued_at: u64,
    /// When it ends.
    pub expires_at: u64,
    /// Who issued it.
    pub issued_by: String,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
}

/// `POST /api/v1/auth/introspect`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Introspect {
    /// The token.
    pub token: String,
    /// What kind of token it is, as the RFC has it. There is one kind: it is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// What is said of a token (RFC 7662, section 2.2). Of one that is not good only that it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Introspection {
    /// Whether it is good.
    pub active: bool,
    /// Why not: a reason that joins are refused with. Administrators alone are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Its channels, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<Right>>,
    /// The roles that it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// When it ends, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// When it was issued, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// `POST /api/v1/auth/revoke`: one of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Revoke {
    /// This token.
    pub token: Option<String>,
    /// The token of this name.
    pub jti: Option<String>,
    /// Every token of this subject that was issued until now.
    pub subject: Option<String>,
    /// Every token that this key has signed until now.
    pub kid: Option<String>,
}

/// A signing key, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyInfo {
    /// What tokens name it by.
    pub kid: String,
    /// `current`, `previous` or `revoked`.
    pub state: String,
    /// Whether it is the secret of `--jwt-secret`.
    pub shared: bool,
    /// Since when; absent for the secret of `--jwt-secret` before it was ever rotated.
    pub created_at: Option<u64>,
    /// Until when it checks, once another has taken its place.
    pub verify_until: Option<u64>,
    /// Good tokens that hang on it.
    pub tokens: u64,
}

/// An outside issuer whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuerInfo {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// For whom they must be meant.
    pub audience: Vec<String>,
    /// Where its keys are: a file or an address.
    pub source: String,
    /// The keys that check.
    pub keys: Vec<IssuerKeyInfo>,
    /// Keys that are not used, and why.
    pub left_out: Vec<String>,
    /// When the keys were read last; absent before they ever were.
    pub read_at: Option<u64>,
    /// Why they could not be read at the latest attempt.
    pub error: Option<String>,
}

/// A key of an outside issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuerKeyInfo {
    /// What tokens name it by.
    pub kid: String,
    /// What it signs with.
    pub algorithm: String,
}

/// `POST /api/v1/auth/keys/rotate`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RotateKey {
    /// The key has leaked: what it has signed is refused from now on, and who joined with it goes.
    pub immediate: bool,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserInfo {
    /// What it is changed by.
    pub id: String,
    /// What the user signs in as.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may not sign in.
    pub disabled: bool,
    /// Since when.
    pub created_at: u64,
}

/// `POST /api/v1/auth/users`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 64 lower-case letters, digits, `.`, `_`, `-`, `@`; not `admin`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z0-9._@-]{1,64}$"))]
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// At least 8 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 1024))]
    pub password: String,
}

/// `PUT /api/v1/auth/users/{id}`: what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChangeUser {
    /// What the user may do.
    pub role: Option<Role>,
    /// A new password; every session of the user ends.
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 1024))]
    pub password: Option<String>,
    /// Whether the user may not sign in; every session ends.
    pub disabled: Option<bool>,
}

/// `PUT /api/v1/session/password`: a new password for who asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The one until now.
    pub current: String,
    /// At least 8 characters.
    pub password: String,
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionEntry {
    /// What it is ended by.
    pub id: String,
    /// Whose it is.
    pub principal: String,
    /// When it was opened.
    pub created_at: u64,
    /// When it ends.
    pub expires_at: u64,
    /// Where it was opened from.
    pub address: String,
    /// The browser, as it calls itself.
    pub agent: String,
    /// Whether it is the session of the request.
    pub own: bool,
}

/// A key by which a program uses the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyInfo {
    /// What it is revoked by.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Its first characters.
    pub hint: String,
    /// Since when.
    pub created_at: u64,
    /// Who made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<u64>,
    /// When somebody ended it.
    pub revoked_at: Option<u64>,
}

/// `POST /api/v1/auth/api-keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// 1 to 64 lower-case letters, digits, `.`, `_`, `-`, `@`; not `admin`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z0-9._@-]{1,64}$"))]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// After how many seconds it ends by itself; never when it is left out.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3_155_760_000_u64))]
    #[serde(default)]
    pub seconds: Option<u64>,
}

/// What was made. The key is shown here and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeApiKey {
    /// `Authorization: Bearer <key>`.
    pub key: String,
    /// What is kept of it.
    pub info: ApiKeyInfo,
}

/// One request or action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivityInfo {
    /// Grows with time.
    pub id: String,
    /// When.
    pub at: u64,
    /// Who: `admin`, `user:<name>`, `key:<name>`, `token:<id>`.
    pub principal: String,
    /// The method and the template of the route.
    pub action: String,
    /// The path that was asked for.
    pub target: String,
    /// What it did, or why it was refused.
    pub outcome: String,
    /// The status of the answer.
    pub status: u16,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// From where.
    pub address: String,
    /// How often: the same read again and again within a minute is one record.
    #[serde(default)]
    pub times: u64,
    /// When it was the last time.
    #[serde(default)]
    pub last_at: u64,
}

/// How often a principal was answered and refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PrincipalInfo {
    /// Who.
    pub principal: String,
    /// Requests with a status below 400.
    pub answered: u64,
    /// The others.
    pub refused: u64,
    /// The latest.
    pub last_at: u64,
}

/// A list without a total. Ask for the next part with `after=<next>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part<T> {
    /// At most `limit` of them (default 50, at most 200), the latest first.
    pub items: Vec<T>,
    /// Where the next part starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
