//! What an administrator reads: pages of channels, members and connections.

use std::sync::atomic::Ordering;

use serde_json::Value;
use tidegate_protocol::admin::{ChannelInfo, ConnectionInfo, MemberInfo, Page, PresenceInfo};
use tidegate_protocol::presence::State;
use tidegate_protocol::{PresenceMode, Standing, Topic};

use crate::channel::Channel;
use crate::connection::{Connection, ConnectionDetails};
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

/// Which members are wanted, of all channels together; all of it must hold.
#[derive(Debug, Clone, Default)]
pub struct MemberFilter {
    /// Of this topic.
    pub topic: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// Of this connection.
    pub connection: Option<String>,
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
            dropped: channel.origin.lost(),
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

    /// Members of all channels, by id: who gets what (G13).
    pub fn list_all_members(&self, filter: &MemberFilter, query: &ListQuery) -> Page<MemberInfo> {
        let channels: Vec<_> = match (&filter.topic, &filter.connection) {
            (Some(topic), _) => self.channels.get(topic.as_str()).into_iter().collect(),
            (None, Some(id)) => {
                let connection = self.connections.get(id.as_str());
                connection.map(|c| c.channels()).unwrap_or_default()
            }
            (None, None) => self.channels(),
        };
        let differs = |wanted: &Option<String>, is: &str| {
            wanted.as_deref().is_some_and(|wanted| wanted != is)
        };
        let mut found = Vec::new();
        for channel in channels {
            channel.for_each_member(|member| {
                let id = member.id(&channel.topic);
                let user = &member.tracked.user;
                if !differs(&filter.connection, &member.connection.id)
                    && !differs(&filter.user, user)
                    && query.wants(&[&id, user])
                {
                    found.push((id, channel.clone(), member.clone()));
                }
            });
        }
        query.page(
            found,
            |(id, ..)| id.clone(),
            |(_, channel, member)| member_info(&channel, &member),
        )
    }

    /// Who is there, on this gateway and on others, as members of the topic are shown it.
    pub fn presence(&self, topic: &Topic, query: &ListQuery) -> PresenceInfo {
        let mode = self.definitions.of(topic.as_str()).presence;
        let mut tracked = Vec::new();
        if mode == PresenceMode::Full {
            tracked = self.remote.of(topic);
            if let Some(channel) = self.channels.get(topic.as_str()) {
                channel.for_each_member(|member| tracked.push(member.tracked.clone()));
            }
        }
        tracked.retain(|one| !one.hidden && query.wants(&[one.key().as_ref()]));
        tracked.sort_by_key(|one| one.sequence);
        let mut state = State::new();
        for one in tracked {
            let entry = state.entry(one.key().to_string()).or_default();
            entry.metas.push((*one.meta).clone());
        }
        let page = query.page(
            state.into_iter().collect(),
            |(key, _)| key.clone(),
            |entry| entry,
        );
        PresenceInfo {
            topic: topic.to_string(),
            mode,
            members: self.count_for(topic, None) as u64,
            keys: page.total,
            state: page.items.into_iter().collect(),
            next: page.next,
        }
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
        topic: channel.topic.to_string(),
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
        address: address(details),
        user_agent: details.user_agent.as_deref().map(str::to_owned),
        vsn: connection.serializer().map(|s| s.version().to_owned()),
        opened_at: connection.opened_at,
        topics,
        frames_in: connection.frames_in.load(Ordering::Relaxed),
        frames_out: connection.outbox.frames(),
        queued_bytes: connection.outbox.queued_bytes() as u64,
    }
}

/// With its port, unless a proxy has kept that to itself.
fn address(details: &ConnectionDetails) -> String {
    if details.address.is_unspecified() {
        return "unix".to_owned();
    }
    match details.port {
        0 => details.address.to_string(),
        port => std::net::SocketAddr::new(details.address, port).to_string(),
    }
}
