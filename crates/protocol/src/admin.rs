//! What the administration API and the `admin` topic say: the same types on both sides of it.
//!
//! Times are milliseconds since 1970, sizes bytes, rates events per second.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{Definition, PresenceMode};
use crate::presence::State;
use crate::role::Role;
use crate::system::StoreInfo;

/// `GET /api/v1/session`: what the page may offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    /// Whether this browser has signed in.
    pub admin: bool,
    /// Who has: `admin`, or `user:<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What the role allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether a password is set; otherwise the link printed at start is the way in.
    pub password_login: bool,
    /// When the session ends.
    pub expires_at: Option<u64>,
}

/// `POST /api/v1/session`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user; without one it is the administrator of `--admin-password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The password.
    pub password: String,
}

/// The answer to every admin action: a sentence that says what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Done {
    /// For instance `Sent "update" to 3 members of room:1.`
    pub done: String,
}

/// Every error of the HTTP API (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// What kind of error, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A sentence: what happened and what to do.
    pub detail: String,
}

/// One page of a list. Ask for the next one with `after=<next>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// At most `limit` of them (default 50, at most 200), in a stable order.
    pub items: Vec<T>,
    /// How many match in all.
    pub total: u64,
    /// Where the next page starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The state of the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BusInfo {
    /// `in-process` or `redis`.
    pub kind: String,
    /// Whether events flow.
    pub up: bool,
    /// Where it is, without a password: the Redis address or the listener's.
    pub address: Option<String>,
    /// Since when it is so.
    pub since: u64,
    /// What the last error was, in words, while it is down.
    pub detail: Option<String>,
    /// Redis clients connected to the in-process bus.
    pub clients: u64,
}

/// The figures of one second. Counters are those of that second.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sample {
    /// The end of the second.
    pub time: u64,
    /// Open connections.
    pub connections: u64,
    /// Channels with members.
    pub channels: u64,
    /// Members of all channels.
    pub members: u64,
    /// Events that came from clients.
    pub events_from_clients: u64,
    /// Events that came from the bus.
    pub events_from_bus: u64,
    /// Frames handed to connections.
    pub deliveries: u64,
    /// Bytes read from sockets.
    pub bytes_in: u64,
    /// Bytes handed to sockets.
    pub bytes_out: u64,
    /// Events dropped or refused, whatever the reason.
    pub dropped: u64,
    /// Bytes that wait for slow readers.
    #[serde(default)]
    pub queued: u64,
    /// Resident memory of the process.
    pub memory: u64,
    /// CPU time of the process, in percent of one core.
    pub cpu: f32,
    /// Whether the bus was up.
    pub bus_up: bool,
}

/// What was lost and how long things take; event `overview.figures` on topic `admin`, once a
/// second.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    /// Connections that have ended since the start, by reason.
    pub closes: Vec<Count>,
    /// Events dropped or refused since the start, by reason.
    pub drops: Vec<Count>,
    /// Frames that wait for slow readers.
    pub queue_frames: u64,
    /// Bytes that wait for slow readers.
    pub queue_bytes: u64,
    /// Bytes that wait for the slowest one.
    pub queue_largest: u64,
    /// From the start of a broadcast to the last attempt to write it.
    pub fan_out: Took,
    /// From a client's frame to its answer in the socket.
    pub round_trip: Took,
    /// From a publish to the answer of Redis; nothing with the in-process bus, which answers at
    /// once.
    pub bus: Took,
}

/// How often something happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Count {
    /// What, as the metrics call it.
    pub reason: String,
    /// How often; never 0.
    pub count: u64,
}

/// How long something took in the last minute, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Took {
    /// How often it happened.
    pub count: u64,
    /// Half of them took at most so long; nothing if there were none.
    pub p50: Option<u64>,
    /// 99 of 100 took at most so long.
    pub p99: Option<u64>,
}

/// `GET /api/v1/overview`; `admin` members also get events `overview.sample` (a [`Sample`]) and
/// `overview.figures` (a [`Figures`]) once a second and `overview.bus` (a [`BusInfo`]) when it
/// changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// Version of the gateway.
    pub version: String,
    /// This gateway's name among others.
    pub node: String,
    /// When it started.
    pub started_at: u64,
    /// The bus.
    pub bus: BusInfo,
    /// The store.
    #[serde(default)]
    pub store: StoreInfo,
    /// What was lost and how long things take.
    #[serde(default)]
    pub figures: Figures,
    /// The last five minutes, oldest first; the last one is the newest.
    pub history: Vec<Sample>,
}

/// One channel, as listed by `GET /api/v1/channels?search=&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelInfo {
    /// Its topic.
    pub topic: String,
    /// How many members.
    pub members: u64,
    /// Events to clients since the channel was opened.
    pub events_to: u64,
    /// Events from clients since the channel was opened.
    pub events_from: u64,
    /// Events that members who read too slowly did not get since the channel was opened.
    pub dropped: u64,
    /// Events to and from clients in the last second.
    pub rate: u64,
    /// When its first member joined.
    pub opened_at: u64,
    /// What holds for it.
    pub definition: Definition,
}

/// One member, as listed by `GET /api/v1/channels/{topic}/members?search=&after=&limit=` and by
/// `GET /api/v1/members?topic=&user=&connection=&search=&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberInfo {
    /// `<connection>:<topic>:<join_ref>`.
    pub id: String,
    /// What it has joined.
    #[serde(default)]
    pub topic: String,
    /// The connection it belongs to.
    pub connection: String,
    /// Whose it is.
    pub user: String,
    /// When it joined.
    pub joined_at: u64,
    /// Whether it joined with a token.
    pub token: bool,
    /// The metadata it gave.
    pub presence: Value,
}

/// `GET /api/v1/presence?topic=&search=&after=&limit=`: who is there, on all gateways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresenceInfo {
    /// The topic.
    pub topic: String,
    /// What its members are shown; only with `full` there is a state.
    pub mode: PresenceMode,
    /// How many members there are.
    pub members: u64,
    /// How many keys match in all.
    pub keys: u64,
    /// Each key with its metas, as in `presence_state`; at most `limit` keys (default 50, at most
    /// 200), in their order.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: State,
    /// Where the next page starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One connection, as listed by `GET /api/v1/connections?search=&after=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionInfo {
    /// Its id.
    pub id: String,
    /// Who the client is that is known by its cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The users its members are.
    pub users: Vec<String>,
    /// Where it comes from.
    pub address: String,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// `1.0.0`, `2.0.0`, or nothing before the first frame decided.
    pub vsn: Option<String>,
    /// When it was opened.
    pub opened_at: u64,
    /// The topics it has joined.
    pub topics: Vec<String>,
    /// Frames that came from it.
    pub frames_in: u64,
    /// Frames handed to it.
    pub frames_out: u64,
    /// Bytes that wait to be sent.
    pub queued_bytes: u64,
}

/// `POST /api/v1/channels/{topic}/events`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendEvent {
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
    /// Its payload, any JSON.
    pub payload: Value,
}

/// Event `event` on topic `admin:watch:<topic>`: one sampled event of the watched channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WatchedEvent {
    /// When the gateway saw it.
    pub time: u64,
    /// `to` clients or `from` a client.
    pub direction: String,
    /// The event's name.
    pub event: String,
    /// The first [`WATCHED_PAYLOAD_CHARS`] characters of the payload; for binary ones its size.
    pub payload: String,
    /// The size of the whole payload in bytes.
    pub size: u64,
    /// The connection it came from, for events from clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// How much of a payload a [`WatchedEvent`] shows.
pub const WATCHED_PAYLOAD_CHARS: usize = 4000;

/// How many [`WatchedEvent`]s a watched channel shows in a second; the rest is counted.
pub const WATCHED_PER_SECOND: u32 = 20;

/// Event `rate` on topic `admin:watch:<topic>`, once a second: what really flowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WatchedRate {
    /// Events in the last second.
    pub events: u64,
    /// How many of them were shown.
    pub shown: u64,
    /// Bytes in the last second.
    pub bytes: u64,
}
