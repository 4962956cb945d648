//! What the operator decides: flags, then environment, then the file, then the defaults.
//!
//! [`Settings`] is what can be said, each part optional; [`Config`] is what holds.

mod error;
mod issuers;
mod listing;
mod logs;
mod place;
mod resolved;
mod settings;

pub(crate) use error::ConfigError;
pub(crate) use issuers::{IssuerConfig, KeyDocuments, KeySource};
pub(crate) use listing::Sources;
pub(crate) use resolved::{BusConfig, Config};
pub(crate) use settings::Settings;
