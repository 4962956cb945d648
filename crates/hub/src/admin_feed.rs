//! The events of topic `admin`: who joined and left what, in one order for every administrator.
//!
//! Names and shapes are Tangram's (wire.md A11). Lists in them are cut at [`LIST_MAX`] entries, and
//! where little may wait for a connection at an eighth of that, so that an event always finds room:
//! whoever needs all of a large channel asks the API, which has pages.

use serde_json::{Value, json};
use tidegate_protocol::Payload;

use crate::channel::Channel;
use crate::members::Member;

/// How many agents or channels one event lists.
pub(crate) const LIST_MAX: usize = 100;

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

/// A list that is cut where it grows too long.
pub(crate) struct List {
    names: Vec<String>,
    bytes: usize,
    most_bytes: usize,
}

impl List {
    /// Of at most an eighth of the bytes that may wait for a connection.
    pub(crate) fn new(queue_bytes: usize) -> Self {
        Self {
            names: Vec::new(),
            bytes: 0,
            most_bytes: queue_bytes / 8,
        }
    }

    /// `false` when there is room for no more.
    pub(crate) fn add(&mut self, name: String) -> bool {
        self.bytes += name.len();
        let fits = self.bytes <= self.most_bytes;
        if fits {
            self.names.push(name);
        }
        fits && self.names.len() < LIST_MAX
    }
}

fn agents(channel: &Channel, mut agents: List) -> Vec<String> {
    let state = channel.state.lock();
    let members = &state.members;
    members.for_each_while(|member| agents.add(member.id(&channel.topic)));
    agents.names
}

/// The channel as it is; `None` when it is none any more.
pub(crate) fn list(channel: &Channel, empty: List) -> Option<AdminEvent> {
    if channel.state.lock().closed {
        return None;
    }
    Some(AdminEvent {
        event: "channel.list",
        payload: json!({"channel": channel.topic.as_str(), "agents": agents(channel, empty)}),
    })
}

pub(crate) fn joined(channel: &Channel, member: &Member, empty: List) -> AdminEvent {
    moved("channel.join", channel, member, empty)
}

pub(crate) fn left(channel: &Channel, member: &Member, empty: List) -> AdminEvent {
    moved("channel.leave", channel, member, empty)
}

fn moved(event: &'static str, channel: &Channel, member: &Member, empty: List) -> AdminEvent {
    AdminEvent {
        event,
        payload: json!({
            "agent": member.id(&channel.topic),
            "agents": agents(channel, empty),
            "channel": channel.topic.as_str(),
        }),
    }
}

pub(crate) fn added(topic: &str, topics: List) -> AdminEvent {
    AdminEvent {
        event: "channel.add",
        payload: json!({"channel": topic, "channels": topics.names}),
    }
}

pub(crate) fn removed(topic: &str, topics: List) -> AdminEvent {
    AdminEvent {
        event: "channel.remove",
        payload: json!({"channel": topic, "channels": topics.names}),
    }
}
