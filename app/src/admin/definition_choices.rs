//! What can be chosen in a channel definition, and the words for it.

use tidegate_protocol::{JoinRule, Overflow, PresenceMode, PushRule};

/// Who may join.
pub(super) const JOIN: [(&str, &str, JoinRule); 4] = [
    (
        "public",
        "Anybody, with or without a token",
        JoinRule::Public,
    ),
    (
        "token",
        "Who shows a token for the channel",
        JoinRule::Token,
    ),
    ("roles", "Members with one of these roles", JoinRule::Roles),
    ("admin", "Administrators", JoinRule::Admin),
];

/// Who may push.
pub(super) const PUSH: [(&str, &str, PushRule); 5] = [
    ("member", "Every member", PushRule::Member),
    ("token", "Members who joined with a token", PushRule::Token),
    ("roles", "Members with one of these roles", PushRule::Roles),
    ("admin", "Administrators", PushRule::Admin),
    (
        "nobody",
        "Nobody: events come from the bus alone",
        PushRule::Nobody,
    ),
];

/// What members see of each other.
pub(super) const PRESENCE: [(&str, &str, PresenceMode); 3] = [
    (
        "full",
        "Full: who is there, with metadata",
        PresenceMode::Full,
    ),
    ("count", "The number of members only", PresenceMode::Count),
    ("off", "Nothing", PresenceMode::Off),
];

/// What happens to a slow reader.
pub(super) const OVERFLOW: [(&str, &str, Overflow); 3] = [
    (
        "close",
        "Is disconnected, told why, and may come back",
        Overflow::Close,
    ),
    (
        "drop-oldest",
        "Misses the oldest events",
        Overflow::DropOldest,
    ),
    (
        "latest-only",
        "Gets the latest event only",
        Overflow::LatestOnly,
    ),
];

/// What a value is chosen by.
pub(super) fn key<T: PartialEq>(table: &[(&'static str, &'static str, T)], value: &T) -> String {
    table
        .iter()
        .find(|(_, _, v)| v == value)
        .map_or("", |(key, _, _)| key)
        .to_owned()
}

/// The value that was chosen.
pub(super) fn value<T: Copy + Default>(table: &[(&'static str, &'static str, T)], key: &str) -> T {
    table
        .iter()
        .find(|(k, _, _)| *k == key)
        .map_or_else(T::default, |(_, _, value)| *value)
}

/// The choices as a field shows them.
pub(super) fn options<T>(
    table: &[(&'static str, &'static str, T)],
) -> Vec<(&'static str, &'static str)> {
    table.iter().map(|(key, words, _)| (*key, *words)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_definition_has_its_words() {
        for (key_, _, rule) in JOIN {
            assert_eq!(serde_json::to_value(rule).unwrap(), key_);
            assert_eq!(value(&JOIN, &key(&JOIN, &rule)), rule);
        }
        for (key_, _, rule) in PUSH {
            assert_eq!(serde_json::to_value(rule).unwrap(), key_);
            assert_eq!(value(&PUSH, &key(&PUSH, &rule)), rule);
        }
        for (key_, _, mode) in PRESENCE {
            assert_eq!(serde_json::to_value(mode).unwrap(), key_);
        }
        for (key_, _, overflow) in OVERFLOW {
            assert_eq!(serde_json::to_value(overflow).unwrap(), key_);
        }
    }
}
