//! What the client test page knows. Views read it, [`super::session`] writes it.

use leptos::prelude::*;
use serde_json::Value;
use tidegate_client::{ChannelHandle, Client, Status};
use tidegate_protocol::presence::Presences;

use super::frames::FrameLog;

/// How many answers of a channel are kept.
pub(crate) const MAX_ANSWERS: usize = 20;

/// Where one channel stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waits for the connection or for the gateway's answer.
    Joining,
    /// Joined, with the join's id.
    Joined(String),
    /// Refused, with the reason; tried again by itself.
    Refused(String),
    /// Was joined, is not now; tried again by itself.
    Interrupted(String),
    /// Over, with the reason.
    Closed(String),
}

impl Phase {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Phase::Joining => "joining",
            Phase::Joined(_) => "joined",
            Phase::Refused(_) => "refused",
            Phase::Interrupted(_) => "interrupted",
            Phase::Closed(_) => "closed",
        }
    }
}

/// Who is on a channel, as far as its definition shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Who {
    /// Keys with their metas, where presence is full.
    pub(crate) presences: Presences,
    /// The number of members, where only that is shown.
    pub(crate) count: Option<u64>,
    /// Whether anything was shown at all.
    pub(crate) shown: bool,
}

/// The answer to a push.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Its number on this channel.
    pub(crate) number: u64,
    /// What was pushed.
    pub(crate) event: String,
    /// The response as JSON, or why there is none.
    pub(crate) result: Result<String, String>,
    /// How long it took, in milliseconds.
    pub(crate) took_ms: f64,
}

/// What a join sends beside its topic.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct JoinOptions {
    /// Whether a token is asked for at each join.
    pub(crate) with_token: bool,
    /// What the other members see of this one.
    pub(crate) presence: Option<Value>,
}

/// One channel of the page. The signals are counted, so they live as long as the channel does
/// and not as long as the page.
#[derive(Clone)]
pub(crate) struct Joined {
    pub(crate) key: u64,
    pub(crate) topic: String,
    pub(crate) options: JoinOptions,
    pub(crate) phase: ArcRwSignal<Phase>,
    pub(crate) who: ArcRwSignal<Who>,
    pub(crate) events: ArcRwSignal<u64>,
    pub(crate) answers: ArcRwSignal<Vec<Answer>>,
    pub(crate) handle: ChannelHandle,
}

/// What the `system` channel says each second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerClock {
    /// RFC 3339, the gateway's local time.
    pub(crate) datetime: String,
    /// Counts the seconds.
    pub(crate) counter: u64,
}

/// The state of the page.
#[derive(Clone, Copy)]
pub(crate) struct ClientState {
    /// The name field; blank lets the gateway choose one.
    pub(crate) name: RwSignal<String>,
    /// As whom this page is connected.
    pub(crate) id: RwSignal<Option<String>>,
    /// The connection; none before it was opened.
    pub(crate) status: RwSignal<Option<Status>>,
    /// The channels, oldest first.
    pub(crate) channels: RwSignal<Vec<Joined>>,
    /// The key of the chosen one.
    pub(crate) selected: RwSignal<Option<u64>>,
    /// The gateway's clock.
    pub(crate) clock: RwSignal<Option<ServerClock>>,
    /// The frames.
    pub(crate) log: RwSignal<FrameLog>,
    pub(super) client: StoredValue<Option<Client>>,
    pub(super) next_key: StoredValue<u64>,
}

impl ClientState {
    pub(crate) fn new() -> Self {
        Self {
            name: RwSignal::default(),
            id: RwSignal::default(),
            status: RwSignal::default(),
            channels: RwSignal::default(),
            selected: RwSignal::default(),
            clock: RwSignal::default(),
            log: RwSignal::default(),
            client: StoredValue::default(),
            next_key: StoredValue::default(),
        }
    }

    /// The chosen channel.
    pub(crate) fn chosen(&self) -> Option<Joined> {
        let key = self.selected.get()?;
        self.channels
            .with(|channels| channels.iter().find(|c| c.key == key).cloned())
    }

    /// Whether a connection was asked for and not closed.
    pub(crate) fn is_open(&self) -> bool {
        self.status
            .with(|status| !matches!(status, None | Some(Status::Closed { .. })))
    }
}

/// The state of the page around.
pub(crate) fn use_client_state() -> ClientState {
    use_context::<ClientState>().unwrap_or_else(ClientState::new)
}
