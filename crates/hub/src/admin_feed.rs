//! The events of topic `admin`: who joined and left what, in one order for every administrator.
//!
//! Names and shapes are Tangram's (wire.md A11). Lists in them are cut at [`LIST_MAX`] entries:
//! whoever needs all of a large channel asks the API, which has pages.

use serde_json::{Value, json};
use tidegate_protocol::Payload;

use crate::channel::Channel;
use crate::members::Member;

/// How many agents or channels one event lists.
pub(crate) const LIST_MAX: usize = 100;

/// How many channels an administrator is told of on joining; it must fit the control lane.
pub(crate) const SNAPSHOT_MAX: usize = 10_000;

/// What happened, as event name and payload.
pub(crate) struct AdminEvent {
    pub(crate) event: &'static str,
    pub(crate) payload: Value,
}

impl AdminEvent {
    pub(crate) fn payload(&self) -> Payload {
        Payload::Json(self.payload.to_string().into())
    }
}

fn agents(channel: &Channel) -> Vec<String> {
    let mut agents = Vec::new();
    channel.state.lock().members.for_each_while(|member| {
        agents.push(member.id(&channel.topic));
        agents.len() < LIST_MAX
    });
    agents
}

pub(crate) fn list(channel: &Channel) -> AdminEvent {
    AdminEvent {
        event: "channel.list",
        payload: json!({"channel": channel.topic.as_str(), "agents": agents(channel)}),
    }
}

pub(crate) fn joined(channel: &Channel, member: &Member) -> AdminEvent {
    moved("channel.join", channel, member)
}

pub(crate) fn left(channel: &Channel, member: &Member) -> AdminEvent {
    moved("channel.leave", channel, member)
}

fn moved(event: &'static str, channel: &Channel, member: &Member) -> AdminEvent {
    AdminEvent {
        event,
        payload: json!({
            "agent": member.id(&channel.topic),
            "agents": agents(channel),
            "channel": channel.topic.as_str(),
        }),
    }
}

pub(crate) fn added(topic: &str, topics: Vec<String>) -> AdminEvent {
    AdminEvent {
        event: "channel.add",
        payload: json!({"channel": topic, "channels": topics}),
    }
}

pub(crate) fn removed(topic: &str, topics: Vec<String>) -> AdminEvent {
    AdminEvent {
        event: "channel.remove",
        payload: json!({"channel": topic, "channels": topics}),
    }
}
