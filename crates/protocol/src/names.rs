//! Topics, events, and how both are spelled as one name on the bus.
//!
//! A name is checked once, here, and carried as a type afterwards. Topics are compared
//! literally everywhere: `*`, `?` and `[` are plain characters. The only pattern there is, the
//! `prefix:*` of tokens and definitions, has its own type, [`TopicPattern`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest topic or event, in bytes of UTF-8: the binary frames spend one byte on a length.
pub const MAX_NAME_BYTES: usize = 255;

/// Why a string is not a topic or an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The empty string names nothing.
    #[error("a name must not be empty")]
    Empty,
    /// More than [`MAX_NAME_BYTES`].
    #[error("a name must not be longer than 255 bytes")]
    TooLong,
    /// A control character (Unicode category Cc), a line break for instance.
    #[error("a name must not hold control characters")]
    Control,
    /// A `:` in an event: the bus splits names at the last colon.
    #[error("an event must not hold a colon")]
    Colon,
    /// Bytes from the bus that are not UTF-8.
    #[error("a name must be UTF-8")]
    NotUtf8,
    /// A name from the bus with another prefix than `to:` or `from:`, or without an event.
    #[error("a bus name must be to:<topic>:<event> or from:<topic>:<event>")]
    NotABusName,
}

fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        Err(NameError::Empty)
    } else if name.len() > MAX_NAME_BYTES {
        Err(NameError::TooLong)
    } else if name.chars().any(char::is_control) {
        Err(NameError::Control)
    } else {
        Ok(())
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the name.
            pub fn new(name: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(name)?;
                Ok(Self(name.into()))
            }

            /// The name as it is spelled on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name_type!(
    /// The name of a channel: 1 to 255 bytes without control characters; may hold `:`.
    Topic,
    check
);

name_type!(
    /// The name of an event: as a topic, but without `:`.
    Event,
    |name| {
        check(name)?;
        if name.contains(':') { Err(NameError::Colon) } else { Ok(()) }
    }
);

impl Event {
    /// Whether the name belongs to the protocol (`phx_*`, `presence_*`), so that neither a
    /// client nor a plugin may use it for an event of its own.
    pub fn is_reserved(&self) -> bool {
        self.as_str().starts_with("phx_") || self.as_str().starts_with("presence_")
    }
}

/// Whether the gateway alone speaks with clients on this topic: `phoenix`, `tidegate`, `admin` and
/// all below `admin:`, and `plugin:`, by which it asks plugins.
pub fn is_reserved_topic(topic: &str) -> bool {
    matches!(topic, "phoenix" | "admin" | "tidegate")
        || topic.starts_with("admin:")
        || topic.starts_with("plugin:")
}

/// Which way an event travels on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From backends to clients.
    To,
    /// From clients to backends.
    From,
    /// The same once more, with its sender: where a channel's definition asks for it.
    Sent,
}

impl Direction {
    /// The first part of a bus name, colon included.
    pub fn prefix(self) -> &'static str {
        match self {
            Direction::To => "to:",
            Direction::From => "from:",
            Direction::Sent => "sent:",
        }
    }
}

/// `to:<topic>:<event>`, `from:<topic>:<event>` or `sent:<topic>:<event>`: what Redis calls the channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BusName {
    /// Which way.
    pub direction: Direction,
    /// Everything between the prefix and the last colon.
    pub topic: Topic,
    /// Everything after the last colon.
    pub event: Event,
}

impl BusName {
    /// Takes a name from the bus apart; the event begins after the LAST colon.
    pub fn parse(name: &[u8]) -> Result<Self, NameError> {
        let name = std::str::from_utf8(name).map_err(|_| NameError::NotUtf8)?;
        let (direction, rest) = if let Some(rest) = name.strip_prefix("to:") {
            (Direction::To, rest)
        } else if let Some(rest) = name.strip_prefix("from:") {
            (Direction::From, rest)
        } else if let Some(rest) = name.strip_prefix("sent:") {
            (Direction::Sent, rest)
        } else {
            return Err(NameError::NotABusName);
        };
        let (topic, event) = rest.rsplit_once(':').ok_or(NameError::NotABusName)?;
        Ok(Self {
            direction,
            topic: Topic::new(topic)?,
            event: Event::new(event)?,
        })
    }
}

impl fmt::Display for BusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}:{}",
            self.direction.prefix(),
            self.topic,
            self.event
        )
    }
}

/// What a token or a definition speaks of: one topic, or every topic that starts with `prefix:`.
///
/// `room:*` matches `room:1` and `room:1:x`, not `room` and not `rooms:1`. A bare `*` is no
/// pattern but the topic of that name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]+$",
    )
)]
#[serde(transparent)]
pub struct TopicPattern(Topic);

impl TopicPattern {
    /// Checks the spelling, which is that of a topic.
    pub fn new(pattern: &str) -> Result<Self, NameError> {
        Topic::new(pattern).map(Self)
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The part before `*`, colon included, when this is a `prefix:*` pattern.
    pub fn prefix(&self) -> Option<&str> {
        self.as_str()
            .strip_suffix('*')
            .filter(|p| p.len() > 1 && p.ends_with(':'))
    }

    /// Whether the topic is meant.
    pub fn matches(&self, topic: &str) -> bool {
        topic == self.as_str()
            || self
                .prefix()
                .is_some_and(|p| topic.len() > p.len() && topic.starts_with(p))
    }
}

impl From<&Topic> for TopicPattern {
    fn from(topic: &Topic) -> Self {
        Self(topic.clone())
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A8: the event begins after the last colon, and nothing but the literal topic is meant.
    #[test]
    fn a_bus_name_is_split_at_its_last_colon() {
        let name = BusName::parse(b"to:weather:wind:update").unwrap();
        assert_eq!(name.topic.as_str(), "weather:wind");
        assert_eq!(name.event.as_str(), "update");
        assert_eq!(name.to_string(), "to:weather:wind:update");
    }

    #[test]
    fn what_is_no_bus_name_is_refused() {
        for (name, error) in [
            (&b"to:room"[..], NameError::NotABusName),
            (b"room:update", NameError::NotABusName),
            (b"to::update", NameError::Empty),
            (b"to:room:", NameError::Empty),
            (b"to:ro\nom:update", NameError::Control),
            (b"to:\xff:update", NameError::NotUtf8),
        ] {
            assert_eq!(BusName::parse(name), Err(error), "{name:?}");
        }
    }

    /// A7: 1 to 255 bytes, no control characters, no colon in an event.
    #[test]
    fn names_have_their_bounds() {
        assert!(Topic::new(&"a".repeat(255)).is_ok());
        assert_eq!(Topic::new(&"a".repeat(256)), Err(NameError::TooLong));
        assert_eq!(Topic::new(&"é".repeat(128)), Err(NameError::TooLong));
        assert_eq!(Topic::new(""), Err(NameError::Empty));
        assert_eq!(Topic::new("a\u{0}b"), Err(NameError::Control));
        assert_eq!(Topic::new("a\u{85}b"), Err(NameError::Control));
        assert_eq!(Event::new("a:b"), Err(NameError::Colon));
        for plain in ["*", "?", "[ab]c", "a:b", "smörgås"] {
            assert!(Topic::new(plain).is_ok(), "{plain}");
        }
    }

    /// A13: exactly, or a `prefix:*` pattern.
    #[test]
    fn a_pattern_means_one_topic_or_a_prefix() {
        let pattern = TopicPattern::new("room:*").unwrap();
        assert!(
            pattern.matches("room:1") && pattern.matches("room:1:2") && pattern.matches("room:*")
        );
        assert!(
            !pattern.matches("room") && !pattern.matches("room:") && !pattern.matches("rooms:1")
        );
        for literal in ["*", ":*", "roo*"] {
            let pattern = TopicPattern::new(literal).unwrap();
            assert!(
                pattern.matches(literal) && !pattern.matches("room:1") && !pattern.matches(":1")
            );
        }
    }
}
