//! Who may do what, and what was done: users, sessions, tokens, keys, the record, the settings.
//!
//! One file for each screen, over the routes under `/api/v1/auth` and beside them. A secret that the
//! gateway shows once is shown here once as well: it lives in the page that asked for it, and nowhere
//! else.

mod account;
mod activity;
mod api;
mod api_keys;
mod configuration;
mod decode;
mod fields;
mod issue;
mod issuers;
mod keys;
mod list;
mod look;
mod moment;
mod polled;
mod principals;
mod revoke;
mod role;
mod secret;
mod sessions;
mod tokens;
mod user_form;
mod users;

pub(super) use account::AccountScreen;
pub(super) use activity::ActivityScreen;
pub(super) use api_keys::ApiKeysScreen;
pub(super) use configuration::ConfigurationScreen;
pub(super) use keys::KeysScreen;
pub(super) use role::{NotForYou, RoleBadge};
pub(super) use sessions::SessionsScreen;
pub(super) use tokens::TokensScreen;
pub(super) use users::UsersScreen;
