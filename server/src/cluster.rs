//! This gateway among others on one Redis: telling, listening, noticing who is gone.
//!
//! Everything goes over one channel of the bus that plugins have no business with. Changes of
//! presence are told every few hundredths of a second; that this gateway lives, every two seconds;
//! everything, when somebody asks. A gateway that is not heard for the lease is gone, its members
//! leave here and backends are told. While this gateway itself cannot hear, nobody is forgotten:
//! neither without a bus, nor when it wakes up after it stood still and what the others said
//! meanwhile is not read yet. Who was given up and comes back tells backends who is there.

mod inbox;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tidegate_bus::{Kind, Publishing};
use tidegate_hub::{Answer, Drop, Hub, ToTell};
use tidegate_protocol::peer::{MEMBERS_PER_MESSAGE, PeerMember, PeerMessage, PeerPayload, Says};
use tidegate_protocol::{Event, Payload, Topic};
use tokio::time::Instant;

pub(crate) use self::inbox::{Inbox, Messages, inbox};
use crate::gateway::Gateway;
use crate::system::ticks;

/// How often changes are told.
const TELL_EVERY: Duration = Duration::from_millis(50);
/// How often this gateway says that it lives.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// The shortest time between two questions, and between two answers to them.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Changes of which backends are told anew before the bus has answered most of them.
const TOLD_ANEW_AT_ONCE: usize = 1_000;

/// Passes a client's event on to the members of its channel on other gateways.
pub(crate) fn relay(gateway: &Gateway, topic: &str, event: &str, payload: &Payload) {
    let relays = |topic: &str| {
        let channel = gateway.hub.channel(topic);
        channel.is_some_and(|channel| channel.definition().relay)
    };
    if !gateway.in_cluster() || !relays(topic) {
        return;
    }
    let (Ok(topic), Ok(event)) = (Topic::new(topic), Event::new(event)) else {
        return;
    };
    let payload = match payload {
        Payload::Json(json) => match serde_json::from_slice(json) {
            Ok(json) => PeerPayload::Json(json),
            Err(_) => return,
        },
        Payload::Binary(data) => PeerPayload::Base64(STANDARD.encode(data)),
    };
    let relay = Says::Relay {
        topic,
        event,
        payload,
    };
    let Some(mut publishing) = say(gateway, relay) else {
        return;
    };
    // The client has its answer when the bus has its event; this one is only counted.
    match publishing.now() {
        Some(Ok(())) => {}
        Some(Err(_)) => gateway.hub.stats.dropped(Drop::Relay, 1),
        None => {
            let hub = gateway.hub.clone();
            tokio::spawn(async move {
                if publishing.await.is_err() {
                    hub.stats.dropped(Drop::Relay, 1);
                }
            });
        }
    }
}

/// Says something to all others. Whether they hear it shows in what they ask, so what is given
/// back may be dropped.
fn say(gateway: &Gateway, says: Says) -> Option<Publishing> {
    let message = PeerMessage {
        node: gateway.hub.node().to_owned(),
        says,
    };
    let body = serde_json::to_vec(&message).ok()?;
    Some(gateway.bus.publish_to_peers(body.into()))
}

/// Says goodbye: the members here have left already.
pub(crate) async fn say_bye(gateway: &Gateway) {
    if gateway.in_cluster()
        && let Some(said) = say(gateway, Says::Bye)
    {
        // A bus that is down has told the others already.
        let _ = said.await;
    }
}

/// Tells backends who is here, since they were told that nobody is.
async fn tell_backends(gateway: Arc<Gateway>) {
    for topic in gateway.hub.topics_of_clients() {
        gateway.lifecycle.fewer_than(TOLD_ANEW_AT_ONCE).await;
        let tell = |changes| gateway.lifecycle.tell(changes);
        gateway.hub.tell_backends_anew(&topic, tell);
    }
}

/// What the task knows beside the hub.
struct Cluster {
    gateway: Arc<Gateway>,
    lease_ms: u64,
    /// The number of the last changes that were told.
    number: u64,
    tell_all: bool,
    /// Everybody is asked.
    ask_all: bool,
    /// These are asked, and told whether they had been given up.
    ask: BTreeMap<String, bool>,
    /// When it was last seen who lives, in milliseconds since 1970.
    alive_at: u64,
    told_at: Option<Instant>,
    asked_at: Option<Instant>,
}

/// Runs for ever on a bus with others on it.
pub(crate) async fn run(gateway: Arc<Gateway>, mut messages: Messages) {
    let mut status = gateway.bus.status();
    if status.borrow().kind != Kind::Redis {
        return;
    }
    gateway.hub.join_cluster();
    let lease = gateway.config.peer_lease;
    let mut cluster = Cluster {
        lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
        alive_at: gateway.hub.now_ms(),
        gateway,
        number: 0,
        tell_all: false,
        ask_all: false,
        ask: BTreeMap::new(),
        told_at: None,
        asked_at: None,
    };
    let mut tell = ticks(TELL_EVERY);
    let mut alive = ticks(ALIVE_EVERY);
    let mut up = false;
    loop {
        tokio::select! {
            changed = status.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            Some(body) = messages.receiver.recv() => cluster.heard(&body),
            () = messages.more.notified() => {}
            _ = tell.tick() => cluster.tell(up).await,
            _ = alive.tick() => cluster.alive(up),
        }
        cluster.ask_all |= messages.lost.swap(false, Ordering::Relaxed);
        let was = std::mem::replace(&mut up, status.borrow().up);
        if up && !was {
            cluster.gateway.hub.renew_peers();
            (cluster.ask_all, cluster.tell_all) = (true, true);
            (cluster.asked_at, cluster.told_at) = (None, None);
        }
    }
}

/// A part of everything.
struct Part {
    number: u64,
    first: bool,
    members: Vec<PeerMember>,
}

impl Part {
    /// Tells it and begins the next one; `false` when the bus does not take it.
    async fn tell(&mut self, gateway: &Gateway, last: bool) -> bool {
        let part = Says::All {
            number: self.number,
            first: std::mem::take(&mut self.first),
            last,
            members: std::mem::take(&mut self.members),
        };
        match say(gateway, part) {
            Some(said) => said.await.is_ok(),
            None => true,
        }
    }
}

impl Cluster {
    fn heard(&mut self, body: &Bytes) {
        let Ok(PeerMessage { node, says }) = serde_json::from_slice(body) else {
            tracing::debug!("another gateway says what this one does not understand");
            return;
        };
        let hub: &Hub = &self.gateway.hub;
        if node == hub.node() {
            return;
        }
        if let Says::Relay {
            topic,
            event,
            payload,
        } = says
        {
            let payload = match payload {
                PeerPayload::Json(json) => {
                    Payload::Json(Bytes::from(String::from(Box::<str>::from(json))))
                }
                PeerPayload::Base64(text) => match STANDARD.decode(text) {
                    Ok(data) => Payload::Binary(data.into()),
                    Err(_) => return,
                },
            };
            return hub.relayed(&topic, &event, &payload);
        }
        match hub.peer_says(&node, says) {
            Answer::None => {}
            Answer::TellAll { backends } => {
                self.tell_all = true;
                if backends {
                    tracing::warn!("other gateways had given this one up: it was not heard");
                    tokio::spawn(tell_backends(self.gateway.clone()));
                }
            }
            Answer::Ask { given_up } => *self.ask.entry(node).or_default() |= given_up,
        }
    }

    /// Tells what is new, or everything, and asks, as far as it is time to.
    async fn tell(&mut self, up: bool) {
        if !up {
            return;
        }
        let due = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() >= ASK_EVERY);
        match self.gateway.hub.to_tell() {
            ToTell::Nothing => {}
            ToTell::All => self.tell_all = true,
            ToTell::Changes(changes) => {
                for changes in changes.chunks(MEMBERS_PER_MESSAGE) {
                    self.number += 1;
                    let changes = Says::Changes {
                        number: self.number,
                        changes: changes.to_vec(),
                    };
                    drop(say(&self.gateway, changes));
                }
            }
        }
        if self.tell_all && due(self.told_at) {
            (self.tell_all, self.told_at) = (false, Some(Instant::now()));
            // What the bus did not take is told again.
            self.tell_all = !self.all().await;
        }
        if (self.ask_all || !self.ask.is_empty()) && due(self.asked_at) {
            self.asked_at = Some(Instant::now());
            let all = std::mem::take(&mut self.ask_all);
            if all {
                drop(say(&self.gateway, Says::Hello));
            }
            for (node, given_up) in std::mem::take(&mut self.ask) {
                if given_up || !all {
                    drop(say(&self.gateway, Says::Ask { node, given_up }));
                }
            }
        }
    }

    /// Tells everything, part by part: all at once would not fit before the bus. `false` when the
    /// bus has not taken one of them.
    async fn all(&mut self) -> bool {
        // The changes that are dropped for this have no number: the next ones come after it.
        self.number += 1;
        let hub = self.gateway.hub.clone();
        let mut part = Part {
            number: self.number,
            first: true,
            members: Vec::new(),
        };
        for topic in hub.tell_all() {
            for member in hub.peer_members(&topic) {
                if part.members.len() == MEMBERS_PER_MESSAGE
                    && !part.tell(&self.gateway, false).await
                {
                    return false;
                }
                part.members.push(member);
            }
        }
        part.tell(&self.gateway, true).await
    }

    /// Says that this gateway lives, and sees who does not.
    fn alive(&mut self, up: bool) {
        let now = self.gateway.hub.now_ms();
        let since = now.saturating_sub(std::mem::replace(&mut self.alive_at, now));
        if !up {
            // Nobody can be heard, so nobody's silence means anything.
            return self.gateway.hub.renew_peers();
        }
        drop(say(&self.gateway, Says::Alive(self.number)));
        if u128::from(since) > 2 * ALIVE_EVERY.as_millis() {
            // This gateway stood still: what the others said meanwhile is still to be read.
            return self.gateway.hub.renew_peers();
        }
        let gone = self.gateway.hub.expire_peers(self.lease_ms);
        self.gateway.lifecycle.tell(gone);
    }
}
