//! What a join's payload may say to the gateway; other fields are the application's.

use serde_json::{Map, Value};
use tidegate_hub::JoinOptions;
use tidegate_protocol::presence::MAX_METADATA_BYTES;
use tidegate_protocol::{Payload, Reason};

use super::session::MAX_USER_BYTES;

/// The parts of a join's payload that the gateway reads.
#[derive(Default)]
pub(super) struct JoinPayload {
    /// `token`, or `access_token` where there is none.
    pub(super) token: Option<String>,
    /// `presence`: the member's metadata.
    pub(super) presence: Map<String, Value>,
    /// Whether it is one of Supabase's clients that joins.
    pub(super) supabase: bool,
    /// The presence key that its `config` asks for.
    pub(super) key: Option<String>,
    /// What else its `config` asks for.
    pub(super) options: JoinOptions,
}

/// What the topics of Supabase's clients begin with. On others a `config` is the application's.
pub(super) const SUPABASE_TOPICS: &str = "realtime:";

impl JoinPayload {
    pub(super) fn read(topic: &str, payload: &Payload) -> Result<Self, Reason> {
        let json = payload.as_json().ok_or(Reason::InvalidJoin)?;
        let mut object = match serde_json::from_str(json) {
            Ok(Value::Object(object)) => object,
            Ok(Value::Null) => return Ok(Self::default()),
            _ => return Err(Reason::InvalidJoin),
        };
        let token = read_token(&mut object).map_err(|NoString| Reason::InvalidJoin)?;
        let presence = match object.remove("presence") {
            None | Some(Value::Null) => Map::new(),
            Some(presence) => read_metadata(Some(&presence.to_string()))?,
        };
        let mut read = Self {
            token,
            presence,
            ..Self::default()
        };
        if topic.starts_with(SUPABASE_TOPICS)
            && let Some(Value::Object(config)) = object.get("config")
        {
            read.configure(config);
        }
        Ok(read)
    }

    /// Reads the `config` of Supabase's clients. What is not as they write it means nothing.
    fn configure(&mut self, config: &Map<String, Value>) {
        if let Some(Value::Object(broadcast)) = config.get("broadcast") {
            self.supabase = true;
            self.options.echo = broadcast.get("self") == Some(&Value::Bool(true));
        }
        if let Some(Value::Object(presence)) = config.get("presence") {
            self.options.no_presence = presence.get("enabled") == Some(&Value::Bool(false));
            self.key = presence
                .get("key")
                .and_then(Value::as_str)
                .filter(|key| (1..=MAX_USER_BYTES).contains(&key.len()))
                .map(str::to_owned);
        }
    }
}

/// A token that is no string.
pub(super) struct NoString;

/// Takes the token out of a payload: `token`, or `access_token` as Supabase's clients call it.
pub(super) fn read_token(object: &mut Map<String, Value>) -> Result<Option<String>, NoString> {
    for name in ["token", "access_token"] {
        match object.remove(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(token)) => return Ok(Some(token)),
            Some(_) => return Err(NoString),
        }
    }
    Ok(None)
}

/// Reads a member's metadata: a JSON object of at most 1 KiB.
pub(super) fn read_metadata(json: Option<&str>) -> Result<Map<String, Value>, Reason> {
    let json = json.ok_or(Reason::InvalidJoin)?;
    if json.len() > MAX_METADATA_BYTES {
        return Err(Reason::PresenceTooLarge);
    }
    serde_json::from_str(json).map_err(|_| Reason::InvalidJoin)
}
