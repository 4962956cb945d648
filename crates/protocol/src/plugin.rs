//! How a plugin answers HTTP requests over the bus: `from:plugin:<name>:request` carries a
//! [`Request`] to it, `to:plugin:<name>:reply` its [`Reply`] back.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::role::Role;

/// What the topics begin with, colon included.
pub const TOPIC_PREFIX: &str = "plugin:";
/// The event that asks.
pub const REQUEST: &str = "request";
/// The event that answers.
pub const REPLY: &str = "reply";
/// The event by which a plugin says that it is there: a [`Here`].
pub const HERE: &str = "here";
/// The longest name of a plugin.
pub const MAX_PLUGIN_NAME: usize = 64;

/// Whether a plugin may be called so: lower-case letters, digits, `-` and `_`.
pub fn is_plugin_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    !name.is_empty() && name.len() <= MAX_PLUGIN_NAME && name.bytes().all(fits)
}

/// One HTTP request, as the plugin gets it. Cookies, tokens and other headers are not part of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What the reply must repeat.
    pub id: String,
    /// `GET`, `POST`, ...
    pub method: String,
    /// What follows the plugin's name, decoded, without a slash at the beginning.
    pub path: String,
    /// The query's names and values; of a name that comes twice the last.
    #[serde(default)]
    pub query: std::collections::BTreeMap<String, String>,
    /// The body where it is JSON, byte for byte; else null.
    #[serde(default)]
    pub body: Option<Box<RawValue>>,
    /// The body where it is another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who asks: `admin`, `user:<name>`, `key:<name>`, `token:<id>`.
    pub principal: String,
    /// What that one may do.
    pub role: Role,
}

/// What a plugin answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    /// That of the request.
    pub id: String,
    /// The status of the response, 200 to 599.
    #[serde(default = "ok")]
    pub status: u16,
    /// The body of the response, any JSON. With a status of 400 or more: what happened, as a text
    /// or as an object with a `detail`.
    #[serde(default)]
    pub body: Option<Box<RawValue>>,
}

fn ok() -> u16 {
    200
}

/// What a plugin says of itself, at the start and every few seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Here {
    /// Its version.
    pub version: String,
    /// What it is, in a sentence.
    pub about: String,
}

/// A plugin that has said that it is there, as `GET /api/v1/plugins` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginInfo {
    /// Its name: `/api/v1/plugins/<name>/...` asks it.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// What it is, as it says.
    pub about: String,
    /// When it was heard last, in milliseconds since 1970.
    pub heard_at: u64,
}

/// Takes what an error's body says: the text, or the `detail` of the object.
pub fn detail_of(body: Option<&RawValue>) -> Option<String> {
    match serde_json::from_str(body?.get()).ok()? {
        Value::String(text) => Some(text),
        Value::Object(mut object) => match object.remove("detail")? {
            Value::String(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
