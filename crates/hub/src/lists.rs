//! What an administrator reads: pages of channels, members and connections.

use std::sync::atomic::Ordering;

use serde_json::Value;
use tidegate_protocol::Standing;
use tidegate_protocol::admin::{ChannelInfo, ConnectionInfo, MemberInfo, Page};

use crate::channel::Channel;
use crate::connection::Connection;
use crate::hub::Hub;
use crate::members::Member;

/// The most items on one page.
const PAGE_MAX: usize = 200;
const PAGE_DEFAULT: usize = 50;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only what holds this text, whatever the case.
    pub search: Option<String>,
    /// Only what comes after this; the `next` of the page before.
    pub after: Option<String>,
    /// How many at most.
    pub limit: Option<usize>,
}

/// What waits for all connections together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Bytes.
    pub bytes: usize,
    /// Frames.
    pub frames: usize,
    /// The bytes that wait for the connection with the most.
    pub largest: usize,
}

impl ListQuery {
    fn wants(&self, texts: &[&str]) -> bool {
        match self.search.as_deref().map(str::trim) {
            None | Some("") => true,
            Some(search) => {
                let search = search.to_lowercase();
                texts
                    .iter()
                    .any(|text| text.to_lowercase().contains(&search))
            }
        }
    }

    /// Sorts by key, drops what is not on the page, and turns the rest into items.
    fn page<S, T>(
        &self,
        mut found: Vec<S>,
        key: impl Fn(&S) -> String,
        item: impl Fn(S) -> T,
    ) -> Page<T> {
        let limit = self.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
        let total = found.len() as u64;
        found.sort_by_cached_key(&key);
        if let Some(after) = &self.after {
            found.retain(|one| key(one).as_str() > after.as_str());
        }
        let next = (found.len() > limit).then(|| key(&found[limit - 1]));
        found.truncate(limit);
        Page {
            items: found.into_iter().map(item).collect(),
            total,
            next,
        }
    }
}

impl Hub {
    /// What waits for all connections: a look at each of them.
    pub fn queue_depth(&self) -> QueueDepth {
        let mut depth = QueueDepth::default();
        self.connections.for_each(|connection| {
            let (bytes, frames) = connection.outbox.queued();
            depth.bytes += bytes;
            depth.frames += frames;
            depth.largest = depth.largest.max(bytes);
        });
        depth
    }

    /// Channels, by topic.
    pub fn list_channels(&self, query: &ListQuery) -> Page<ChannelInfo> {
        let mut found = self.channels();
        found.retain(|channel| query.wants(&[channel.topic.as_str()]));
        query.page(found, |c| c.topic.to_string(), |c| self.channel_info(&c))
    }

    /// One channel.
    pub fn channel_info(&self, channel: &Channel) -> ChannelInfo {
        ChannelInfo {
            topic: channel.topic.to_string(),
            members: channel.member_count() as u64,
            events_to: channel.events_to.load(Ordering::Relaxed),
            events_from: channel.events_from.load(Ordering::Relaxed),
            dropped: channel.dropped.load(Ordering::Relaxed),
            rate: channel.rate(self.now_ms()),
            opened_at: channel.opened_at,
            definition: (*channel.definition()).clone(),
        }
    }

    /// The members of a channel, by id.
    pub fn list_members(&self, channel: &Channel, query: &ListQuery) -> Page<MemberInfo> {
        let mut found = channel.members();
        found.retain(|m| query.wants(&[&m.id(&channel.topic), &m.tracked.user]));
        query.page(
            found,
            |m| m.id(&channel.topic),
            |m| member_info(channel, &m),
        )
    }

    /// Connections, by id.
    pub fn list_connections(&self, query: &ListQuery) -> Page<ConnectionInfo> {
        let mut found: Vec<_> = self
            .connections()
            .iter()
            .map(|c| connection_info(c))
            .collect();
        found.retain(|c| {
            let mut texts = vec![c.id.as_str(), c.address.as_str()];
            texts.extend(c.user_agent.as_deref());
            texts.extend(c.client.as_deref());
            texts.extend(c.users.iter().chain(&c.topics).map(String::as_str));
            query.wants(&texts)
        });
        query.page(found, |c| c.id.clone(), |c| c)
    }
}

fn member_info(channel: &Channel, member: &Member) -> MemberInfo {
    MemberInfo {
        id: member.id(&channel.topic),
        connection: member.connection.id.to_string(),
        user: member.tracked.user.to_string(),
        joined_at: member.joined_at,
        token: member.standing > Standing::Anonymous,
        presence: Value::Object(member.tracked.meta.extra.clone()),
    }
}

fn connection_info(connection: &Connection) -> ConnectionInfo {
    let joined = connection.channels();
    let mut users: Vec<_> = joined
        .iter()
        .filter_map(|c| c.user_of(connection))
        .collect();
    users.sort();
    users.dedup();
    let mut topics: Vec<_> = joined.iter().map(|c| c.topic.to_string()).collect();
    topics.sort();
    let details = &connection.details;
    ConnectionInfo {
        id: connection.id.to_string(),
        client: connection.client().map(|client| client.to_string()),
        users,
        address: if details.address.is_unspecified() {
            "unix".to_owned()
        } else {
            std::net::SocketAddr::new(details.address, details.port).to_string()
        },
        user_agent: details.user_agent.as_deref().map(str::to_owned),
        vsn: connection.serializer().map(|s| s.version().to_owned()),
        opened_at: connection.opened_at,
        topics,
        frames_in: connection.frames_in.load(Ordering::Relaxed),
        frames_out: connection.outbox.frames(),
        queued_bytes: connection.outbox.queued_bytes() as u64,
    }
}
