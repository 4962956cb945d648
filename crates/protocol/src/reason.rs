//! Why something was refused: the one vocabulary of `{"reason": ...}`.
//!
//! The text is part of the wire contract: pages compare it. `docs/PROTOCOL.md` lists every
//! reason with what to do about it.

use std::fmt;

/// The `reason` of an error reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The channel asks for a token and the join had none.
    Unauthorized,
    /// The token is no JWT of ours: wrong signature, wrong algorithm, missing claims.
    InvalidToken,
    /// The token names a key that is not known, or not yet.
    KeyUnknown,
    /// The token was good once.
    TokenExpired,
    /// The token was revoked, or the key that signed it.
    TokenRevoked,
    /// The token's `channel` does not cover the joined topic.
    TokenForAnotherChannel,
    /// The token carries none of the roles that the channel asks for.
    RoleNeeded,
    /// The token that should renew a member's standing is that of somebody else.
    TokenForAnotherUser,
    /// The socket has joined as many channels as it may.
    TooManyChannels,
    /// The topic is empty, too long, or holds control characters.
    InvalidTopic,
    /// The event is empty, too long, or holds a colon or control characters.
    InvalidEvent,
    /// The join has a malformed part: no ref, a payload that is not an object, a bad `presence`.
    InvalidJoin,
    /// The `presence` object is larger than 1 KiB.
    PresenceTooLarge,
    /// The event's name belongs to the protocol.
    ReservedEvent,
    /// The socket has not joined the topic.
    UnmatchedTopic,
    /// The channel does not let this member push.
    PushNotAllowed,
    /// More pushes per second than allowed.
    TooManyPushes,
    /// More joins per second than allowed.
    TooManyJoins,
    /// The gateway has lost the bus and reconnects.
    BusUnavailable,
    /// The gateway carries as many channels as it may.
    TooManyTopics,
    /// The frame could not be read.
    MalformedFrame,
}

impl Reason {
    /// Every reason there is, for documents and tests.
    pub const ALL: [Reason; 21] = [
        Reason::Unauthorized,
        Reason::InvalidToken,
        Reason::KeyUnknown,
        Reason::TokenExpired,
        Reason::TokenRevoked,
        Reason::TokenForAnotherChannel,
        Reason::RoleNeeded,
        Reason::TokenForAnotherUser,
        Reason::TooManyChannels,
        Reason::InvalidTopic,
        Reason::InvalidEvent,
        Reason::InvalidJoin,
        Reason::PresenceTooLarge,
        Reason::ReservedEvent,
        Reason::UnmatchedTopic,
        Reason::PushNotAllowed,
        Reason::TooManyPushes,
        Reason::TooManyJoins,
        Reason::BusUnavailable,
        Reason::TooManyTopics,
        Reason::MalformedFrame,
    ];

    /// The text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Unauthorized => "unauthorized",
            Reason::InvalidToken => "invalid token",
            Reason::KeyUnknown => "key of the token unknown",
            Reason::TokenExpired => "token expired",
            Reason::TokenRevoked => "token revoked",
            Reason::TokenForAnotherChannel => "token is for another channel",
            Reason::RoleNeeded => "role needed",
            Reason::TokenForAnotherUser => "token is for another user",
            Reason::TooManyChannels => "too many channels joined",
            Reason::InvalidTopic => "invalid topic",
            Reason::InvalidEvent => "invalid event",
            Reason::InvalidJoin => "invalid join",
            Reason::PresenceTooLarge => "presence too large",
            Reason::ReservedEvent => "reserved event",
            Reason::UnmatchedTopic => "unmatched topic",
            Reason::PushNotAllowed => "push not allowed",
            Reason::TooManyPushes => "too many pushes",
            Reason::TooManyJoins => "too many joins",
            Reason::BusUnavailable => "bus unavailable",
            Reason::TooManyTopics => "too many topics",
            Reason::MalformedFrame => "malformed frame",
        }
    }

    /// `{"reason":"<text>"}`.
    pub fn to_json(self) -> String {
        format!(r#"{{"reason":"{}"}}"#, self.as_str())
    }

    /// Whether the refusal counts towards the 20 errors after which a socket is closed.
    ///
    /// Refusals that a well-behaved client meets in its ordinary life do not count: an expired
    /// token is retried for ever by phoenix.js, and a lost bus is nobody's fault out there.
    pub const fn is_abuse(self) -> bool {
        matches!(
            self,
            Reason::InvalidTopic
                | Reason::InvalidEvent
                | Reason::InvalidJoin
                | Reason::PresenceTooLarge
                | Reason::ReservedEvent
                | Reason::MalformedFrame
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Reason {}
