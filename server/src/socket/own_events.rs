//! Events of members that are for the gateway itself: they never reach the bus.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tidegate_hub::{Channel, Grant};
use tidegate_protocol::{Payload, Reason, Standing};

use super::join_payload::{SUPABASE_TOPICS, read_metadata};
use super::renewal::ACCESS_TOKEN;
use super::session::Session;
use crate::trust::{self, Moment};

/// What such an event asks for, once it has been checked.
pub(super) enum OwnEvent {
    /// The member has shown a newer token; when it was looked at.
    Renewed(Standing, Arc<Grant>, Moment),
    /// The member's metadata is this from now on.
    Tracked(Map<String, Value>),
    /// The member is not to be shown in presence.
    Untracked,
}

/// What Supabase's clients push as `presence`.
#[derive(Deserialize)]
struct Tracking<'a> {
    r#type: Option<String>,
    event: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Session {
    /// Reads an event of a member of the channel; `None` if it is not for the gateway.
    pub(super) fn own_event(
        &self,
        channel: &Channel,
        event: &str,
        payload: &Payload,
    ) -> Result<Option<OwnEvent>, Reason> {
        Ok(match event {
            ACCESS_TOKEN => {
                let then = trust::moment(&self.gateway);
                let (standing, grant) = self.renewed(channel, payload)?;
                Some(OwnEvent::Renewed(standing, grant, then))
            }
            "presence_update" => Some(OwnEvent::Tracked(read_metadata(payload.as_json())?)),
            "presence" => tracking(channel.topic.as_str(), payload)?,
            _ => None,
        })
    }

    /// Does what was asked.
    pub(super) fn follow(&self, topic: &str, own: OwnEvent) {
        let (hub, connection) = (&self.gateway.hub, &self.connection);
        match own {
            OwnEvent::Renewed(standing, grant, then) => {
                let renewed = hub.renew(connection, topic, standing, Some(&grant));
                if !grant.allow.presence {
                    hub.hide_presence(connection, topic);
                }
                trust::judge(&self.gateway, connection, topic, then);
                renewed
            }
            OwnEvent::Tracked(metadata) => hub.update_presence(connection, topic, metadata),
            OwnEvent::Untracked => hub.hide_presence(connection, topic),
        };
    }
}

/// Reads `{"type":"presence","event":"track" or "untrack","payload":...}`; on the topics of
/// Supabase's clients also without `type`, for their Python client leaves it out. An event
/// `presence` of another shape is the application's.
fn tracking(topic: &str, payload: &Payload) -> Result<Option<OwnEvent>, Reason> {
    let said = payload
        .as_json()
        .and_then(|json| serde_json::from_str::<Tracking<'_>>(json).ok())
        .filter(|said| match &said.r#type {
            Some(kind) => kind == "presence",
            None => topic.starts_with(SUPABASE_TOPICS),
        });
    let Some(said) = said else {
        return Ok(None);
    };
    Ok(match said.event.to_ascii_lowercase().as_str() {
        "track" => {
            let metadata = said.payload.map_or("{}", RawValue::get);
            Some(OwnEvent::Tracked(read_metadata(Some(metadata))?))
        }
        "untrack" => Some(OwnEvent::Untracked),
        _ => None,
    })
}
