//! What one connection says, and what it is answered.
//!
//! A session takes frames and sends answers; it knows no socket. Every frame is answered where
//! the protocol has an answer, and nothing reaches the bus before it is checked in full. It never
//! waits: a push that the bus has not answered yet is kept, and whoever drives the session polls
//! it before handing over the next frame.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tidegate_auth::{Checked, Shown, TokenSource, admit, may_push};
use tidegate_bus::{BusError, Publishing};
use tidegate_hub::{Bucket, Channel, Connection, Grant, Join, JoinError, Joined, Refused};
use tidegate_protocol::{
    BusName, ClientFrame, Close, DecodeError, Direction, Event, Reason, Ref, Serializer, Status,
    Topic,
};

use super::join_payload::JoinPayload;
use super::own_events::OwnEvent;
use super::push_rates::PushRates;
use super::stamp::stamped;
use crate::cluster;
use crate::gateway::Gateway;
use crate::limits::Lease;
use crate::trust;

/// The longest user id, and the longest presence key, in bytes.
pub(super) const MAX_USER_BYTES: usize = 255;

/// The state machine of one connection.
pub(crate) struct Session {
    pub(super) gateway: Arc<Gateway>,
    pub(super) connection: Arc<Connection>,
    /// The socket's own token, for joins that bring none.
    token: Option<Box<str>>,
    /// Who the client is where it shows no token; made when it is needed.
    pub(super) anonymous: Option<Box<str>>,
    pushes: Bucket,
    /// The part of its address, and of the user that it has joined as last.
    pushes_of_address: Option<Lease>,
    pushes_of_user: Option<Lease>,
    /// For channels that have a rate of their own.
    push_rates: PushRates,
    joins: Bucket,
    errors: usize,
    waiting: Option<Box<Waiting>>,
}

/// A push on its way to the bus.
struct Waiting {
    /// When its frame was read.
    began: Instant,
    publishing: Publishing,
    serializer: Serializer,
    frame: ClientFrame,
}

impl Session {
    pub(crate) fn new(
        gateway: Arc<Gateway>,
        connection: Arc<Connection>,
        token: Option<String>,
    ) -> Self {
        let now = gateway.hub.now_ms();
        Self {
            token: token.map(String::into_boxed_str),
            anonymous: None,
            pushes: Bucket::new(gateway.config.pushes_per_second, now),
            pushes_of_address: gateway.limits.pushes_from(connection.details.address),
            pushes_of_user: None,
            push_rates: PushRates::default(),
            joins: Bucket::new(gateway.config.joins_per_second, now),
            errors: 0,
            waiting: None,
            gateway,
            connection,
        }
    }

    /// Takes a text frame.
    pub(crate) fn text(&mut self, frame: &[u8]) {
        let began = Instant::now();
        let serializer = self
            .connection
            .serializer()
            .or_else(|| Serializer::detect(frame));
        match serializer {
            Some(serializer) => {
                let serializer = self.connection.decide_serializer(serializer);
                let frame = Bytes::copy_from_slice(frame);
                let decoded = serializer.codec().decode_text(&frame);
                self.decoded(serializer, decoded);
            }
            None => self.malformed(Serializer::V2, DecodeError::NotAFrame),
        }
        self.handled(began);
    }

    /// Takes a binary frame; only V2 has them.
    pub(crate) fn binary(&mut self, frame: &[u8]) {
        let began = Instant::now();
        let serializer = self.connection.decide_serializer(Serializer::V2);
        let frame = Bytes::copy_from_slice(frame);
        let decoded = serializer.codec().decode_binary(&frame);
        self.decoded(serializer, decoded);
        self.handled(began);
    }

    /// Measures how long the frame's answer took, unless it is still to come.
    fn handled(&mut self, began: Instant) {
        match &mut self.waiting {
            Some(waiting) => waiting.began = began,
            None => self.gateway.hub.stats.round_trip.observe(began.elapsed()),
        }
    }

    /// Whether a push waits for the bus. The next frame is taken after it is answered, so that
    /// answers keep the order of what they answer.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Answers the push that waits, once the bus has.
    pub(crate) fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(waiting) = &mut self.waiting else {
            return Poll::Ready(());
        };
        let result = std::task::ready!(Pin::new(&mut waiting.publishing).poll(context));
        if let Some(waiting) = self.waiting.take() {
            self.published(waiting.serializer, &waiting.frame, result);
            let took = waiting.began.elapsed();
            self.gateway.hub.stats.round_trip.observe(took);
        }
        Poll::Ready(())
    }

    fn decoded(&mut self, serializer: Serializer, decoded: Result<ClientFrame, DecodeError>) {
        match decoded {
            Ok(frame) => self.frame(serializer, frame),
            Err(error) => self.malformed(serializer, error),
        }
    }

    fn frame(&mut self, serializer: Serializer, frame: ClientFrame) {
        let outcome = match (frame.topic.as_str(), frame.event.as_str()) {
            ("phoenix", "heartbeat") => {
                self.reply(serializer, &frame, Status::Ok, "{}");
                Ok(())
            }
            ("phoenix", _) => Err(Reason::UnmatchedTopic),
            (_, "phx_join") => self.join(serializer, &frame),
            (_, "phx_leave") => {
                self.leave(serializer, &frame);
                Ok(())
            }
            _ => match self.push(serializer, &frame) {
                Ok(Some(mut publishing)) => {
                    match publishing.now() {
                        Some(result) => self.published(serializer, &frame, result),
                        None => {
                            self.waiting = Some(Box::new(Waiting {
                                began: Instant::now(),
                                publishing,
                                serializer,
                                frame,
                            }));
                        }
                    }
                    return;
                }
                Ok(None) => Ok(()),
                Err(reason) => Err(reason),
            },
        };
        if let Err(reason) = outcome {
            self.refuse(serializer, &frame, reason);
        }
    }

    fn join(&mut self, serializer: Serializer, frame: &ClientFrame) -> Result<(), Reason> {
        let began = Instant::now();
        let topic = Topic::new(&frame.topic).map_err(|_| Reason::InvalidTopic)?;
        let join_ref = if frame.join_ref.is_null() {
            &frame.reference
        } else {
            &frame.join_ref
        };
        if join_ref.is_null() {
            return Err(Reason::InvalidJoin);
        }
        let mut payload = JoinPayload::read(topic.as_str(), &frame.payload)?;
        let hub = &self.gateway.hub;
        if !self.joins.take(hub.now_ms()) {
            return Err(Reason::TooManyJoins);
        }
        let then = trust::moment(&self.gateway);
        let shown = self.shown(payload.token);
        let definition = hub.definitions.of(topic.as_str());
        let compat = self.gateway.config.tangram_compat;
        let standing = admit(&definition, topic.as_str(), &shown, compat)?;
        let grant = match &shown {
            Shown::Token(_, Ok(checked)) => Some(Arc::new(grant_of(checked))),
            _ => None,
        };
        if grant.as_ref().is_some_and(|grant| !grant.allow.presence) {
            payload.options.no_presence = true;
        }
        let (user, key) = match shown {
            Shown::Token(_, Ok(Checked { claims, .. })) if !claims.id.trim().is_empty() => {
                (claims.id, None)
            }
            _ => {
                let anonymous = anonymous(&mut self.anonymous, &self.connection).to_owned();
                // Whoever it was, it comes back as somebody else, on another connection.
                if grant.is_none() && self.gateway.tokens.revoked().names(&anonymous) {
                    return Err(Reason::TokenRevoked);
                }
                (anonymous, payload.key)
            }
        };
        if user.len() > MAX_USER_BYTES {
            return Err(Reason::InvalidToken);
        }
        let join = Join {
            topic,
            join_ref: join_ref.clone(),
            reference: frame.reference.clone(),
            user,
            key,
            standing,
            grant,
            metadata: payload.presence,
            options: payload.options,
        };
        let serializer = match serializer {
            Serializer::V2 if payload.supabase => Serializer::Supabase,
            other => other,
        };
        let member = join.grant.is_some().then(|| join.user.clone());
        let lifecycle = match hub.join(&self.connection, serializer, join) {
            Ok(lifecycle) => lifecycle,
            Err(JoinError::Refused(reason)) => return Err(reason),
            Err(JoinError::Gone) => return Ok(()),
        };
        hub.stats.joins.observe(began.elapsed());
        self.gateway.lifecycle.tell(lifecycle);
        trust::judge(&self.gateway, &self.connection, &frame.topic, then);
        if let Some(user) = member {
            self.counts_as(&user);
        }
        Ok(())
    }

    /// The token that a join goes by: its own, else the socket's.
    fn shown(&self, own: Option<String>) -> Shown {
        let (source, token) = match (own, &self.token) {
            (Some(own), _) => (TokenSource::Join, own),
            (None, Some(token)) => (TokenSource::Socket, token.to_string()),
            (None, None) => return Shown::Nothing,
        };
        Shown::Token(source, self.gateway.tokens.check(&token))
    }

    fn leave(&mut self, serializer: Serializer, frame: &ClientFrame) {
        let Some(Joined { join_ref, .. }) = self.connection.joined(&frame.topic) else {
            return self.reply(serializer, frame, Status::Ok, "{}");
        };
        if !frame.join_ref.is_null() && frame.join_ref != join_ref {
            return;
        }
        let lifecycle = self.gateway.hub.leave(&self.connection, &frame.topic);
        self.reply(serializer, frame, Status::Ok, "{}");
        let end = serializer
            .codec()
            .end(&join_ref, &frame.topic, "phx_close", "{}");
        self.connection.outbox.control(&end);
        self.gateway.lifecycle.tell(lifecycle);
    }

    /// Hands a push to the bus; `None` when nothing is to be published.
    fn push(
        &mut self,
        serializer: Serializer,
        frame: &ClientFrame,
    ) -> Result<Option<Publishing>, Reason> {
        let topic = Topic::new(&frame.topic).map_err(|_| Reason::InvalidTopic)?;
        let event = Event::new(&frame.event).map_err(|_| Reason::InvalidEvent)?;
        let Some(Joined {
            channel,
            join_ref,
            standing,
            grant,
            ..
        }) = self.connection.joined(topic.as_str())
        else {
            return Err(Reason::UnmatchedTopic);
        };
        if !frame.join_ref.is_null() && frame.join_ref != join_ref {
            return Ok(None);
        }
        if !self.may_push_once_more() {
            return Err(Reason::TooManyPushes);
        }
        let allow = grant.as_ref().map(|grant| grant.allow);
        if let Some(own) = self.own_event(&channel, event.as_str(), &frame.payload)? {
            if !matches!(own, OwnEvent::Renewed(..)) && allow.is_some_and(|a| !a.presence) {
                return Err(Reason::PushNotAllowed);
            }
            // Before what the others, and the member itself, see of it.
            self.reply(serializer, frame, Status::Ok, "{}");
            self.follow(topic.as_str(), own);
            return Ok(None);
        }
        if event.is_reserved() {
            return Err(Reason::ReservedEvent);
        }
        let definition = channel.definition();
        let token = grant.as_ref().map(|grant| (grant.allow, &*grant.roles));
        if !may_push(&definition, standing, token) {
            return Err(Reason::PushNotAllowed);
        }
        if let Some(rate) = definition.push_rate {
            let hub = &self.gateway.hub;
            let (most, now) = (hub.limits().channels_per_connection, hub.now_ms());
            if !self.push_rates.take(&topic, rate, most, now) {
                return Err(Reason::TooManyPushes);
            }
        }
        if definition.stamp {
            self.publish_stamped(&channel, &topic, &event, frame);
        }
        let name = BusName {
            direction: Direction::From,
            topic,
            event,
        };
        let body = frame.payload.bytes().clone();
        Ok(Some(self.gateway.bus.publish(name, body)))
    }

    /// Tells the bus who has sent the event that follows. What the bus says to that event is the
    /// answer to both: it takes them in this order, on one connection.
    fn publish_stamped(
        &self,
        channel: &Channel,
        topic: &Topic,
        event: &Event,
        frame: &ClientFrame,
    ) {
        let user = channel.user_of(&self.connection).unwrap_or_default();
        let Some(body) = stamped(&self.connection.id, &user, &frame.payload) else {
            return;
        };
        let name = BusName {
            direction: Direction::Sent,
            topic: topic.clone(),
            event: event.clone(),
        };
        drop(self.gateway.bus.publish(name, body));
    }

    /// Counts a push for the connection, its address and its user.
    fn may_push_once_more(&mut self) -> bool {
        let (now, limits) = (self.gateway.hub.now_ms(), &self.gateway.limits);
        let of = |lease: &mut Option<Lease>, limit| {
            lease.as_mut().is_none_or(|lease| lease.take(limit, now))
        };
        self.pushes.take(now)
            && of(&mut self.pushes_of_address, &limits.pushes_by_address)
            && of(&mut self.pushes_of_user, &limits.pushes_by_principal)
    }

    /// From now on pushes count for this user; who joins anonymously counts for its address alone.
    fn counts_as(&mut self, user: &str) {
        let lease = self.gateway.limits.pushes_of(user);
        let same = match (&self.pushes_of_user, &lease) {
            (Some(old), Some(new)) => old.is_of(new),
            _ => false,
        };
        if !same {
            self.pushes_of_user = lease;
        }
    }

    /// The bus has the event, or will not have it.
    fn published(
        &mut self,
        serializer: Serializer,
        frame: &ClientFrame,
        result: Result<(), BusError>,
    ) {
        if result.is_err() {
            return self.refuse(serializer, frame, Reason::BusUnavailable);
        }
        self.gateway
            .hub
            .passed_up(&self.connection, &frame.topic, &frame.event, &frame.payload);
        cluster::relay(&self.gateway, &frame.topic, &frame.event, &frame.payload);
        self.reply(serializer, frame, Status::Ok, "{}");
    }

    /// Answers a frame, unless it is a push that asked for no answer.
    fn reply(&self, serializer: Serializer, frame: &ClientFrame, status: Status, response: &str) {
        let is_push = !matches!(
            (frame.topic.as_str(), frame.event.as_str()),
            (_, "phx_join" | "phx_leave") | ("phoenix", "heartbeat")
        );
        if frame.reference.is_null() && is_push {
            return;
        }
        let codec = serializer.codec();
        let (join_ref, reference) = (&frame.join_ref, &frame.reference);
        let answer = codec.reply(join_ref, reference, &frame.topic, status, response);
        self.connection.outbox.control(&answer);
    }

    fn refuse(&mut self, serializer: Serializer, frame: &ClientFrame, reason: Reason) {
        let stats = &self.gateway.hub.stats;
        stats.refused(Refused::of(&frame.event), reason);
        if reason == Reason::UnmatchedTopic {
            // Phoenix answers this one without a join_ref: there is no join.
            if !frame.reference.is_null() {
                let codec = serializer.codec();
                let (reference, topic) = (&frame.reference, frame.topic.as_str());
                let json = reason.to_json();
                let answer = codec.reply(&Ref::NULL, reference, topic, Status::Error, &json);
                self.connection.outbox.control(&answer);
            }
        } else {
            self.reply(serializer, frame, Status::Error, &reason.to_json());
        }
        if reason.is_abuse() {
            self.count_error();
        }
    }

    /// A frame that could not be read has no ref to answer to: an event on `phoenix` says why.
    fn malformed(&mut self, serializer: Serializer, error: DecodeError) {
        let stats = &self.gateway.hub.stats;
        stats.refused(Refused::Other, Reason::MalformedFrame);
        let reason = Reason::MalformedFrame.as_str();
        let payload = serde_json::json!({"reason": reason, "detail": error.to_string()});
        let answer = serializer
            .codec()
            .push(&Ref::NULL, "phoenix", "error", &payload.to_string());
        self.connection.outbox.control(&answer);
        self.count_error();
    }

    fn count_error(&mut self) {
        self.errors += 1;
        if self.errors >= self.gateway.config.max_errors {
            self.connection.outbox.close(Close::TooManyErrors);
        }
    }
}

/// Who the client is where it shows no token: known by its cookie, or made up when it is needed.
fn anonymous<'a>(kept: &'a mut Option<Box<str>>, connection: &Connection) -> &'a str {
    kept.get_or_insert_with(|| match connection.client() {
        Some(client) => client.to_string().into(),
        None => tidegate_hub::random_id(8).into(),
    })
}

/// What a membership keeps of its token.
pub(super) fn grant_of(checked: &Checked) -> Grant {
    let claims = &checked.claims;
    let (jti, kid) = (claims.jti.as_deref(), checked.kid.as_deref());
    Grant::new(jti, kid, claims.iat, claims.exp, claims.allow)
        .with_leeway(checked.leeway)
        .with_roles(claims.roles.clone())
        .with_session(claims.sid.as_deref())
}
