//! `POST /api/v1/publish`, and the event by which an event reaches some members only.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::names::{Event, Topic};

/// The topic and the event under which a [`Directed`] event travels on the bus:
/// `to:tidegate:publish`.
pub const DIRECTED: (&str, &str) = ("tidegate", "publish");

/// One event to publish. The body of the request is one of these, or a list of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishEvent {
    /// The topic.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::TopicPattern))]
    pub topic: String,
    /// The event's name.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 255,
            pattern = r"^[^:\u0000-\u001f\u007f-\u009f]+$"
        )
    )]
    pub event: String,
    /// Its payload, any JSON; passed on byte for byte.
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub payload: Box<RawValue>,
    /// Whom it is for; every member of the topic when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Recipients>,
    /// Names the event among those of the same principal: it is published once, however often it
    /// is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The body of the request, as the document of the API has it.
#[cfg(feature = "openapi")]
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum PublishRequest {
    /// One event.
    One(PublishEvent),
    /// Many, in their order.
    Many(Vec<PublishEvent>),
}

/// Some members of a topic. Where neither connections nor users are named, all are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Recipients {
    /// Members of these connections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
    /// Members of these users, each on all of its connections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Not the members of these connections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// The body of `to:tidegate:publish`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Directed {
    /// The topic.
    pub topic: Topic,
    /// The event's name.
    pub event: Event,
    /// Its payload.
    pub payload: Box<RawValue>,
    /// Whom it is for.
    #[serde(default)]
    pub to: Recipients,
}

/// The answer: how it went with each event, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Published {
    /// One for each event.
    pub events: Vec<PublishedEvent>,
}

/// How it went with one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedEvent {
    /// The topic.
    pub topic: String,
    /// The event's name.
    pub event: String,
    /// What the event was named by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the bus has it.
    pub outcome: PublishOutcome,
    /// How many members it was for, on all gateways, as far as these tell.
    pub members: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PublishOutcome {
    /// The bus has it.
    Sent,
    /// The bus has refused it; it may be sent again.
    Failed,
}
