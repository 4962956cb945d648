//! What a channel definition says, in a word or two: for lists.

use tidegate_protocol::{Definition, JoinRule, Overflow, PresenceMode, PushRate, PushRule};

use super::role_names::role_line;
use crate::format;

/// Who may join; the roles, where roles decide that.
pub(super) fn join_word(definition: &Definition) -> String {
    match definition.join {
        JoinRule::Public => "anybody".to_owned(),
        JoinRule::Token => "with a token".to_owned(),
        JoinRule::Roles => role_line(&definition.join_roles),
        JoinRule::Admin => "administrators".to_owned(),
    }
}

/// Who may push; the roles, where roles decide that.
pub(super) fn push_word(definition: &Definition) -> String {
    match definition.push {
        PushRule::Member => "every member".to_owned(),
        PushRule::Token => "with a token".to_owned(),
        PushRule::Roles => role_line(&definition.push_roles),
        PushRule::Admin => "administrators".to_owned(),
        PushRule::Nobody => "nobody".to_owned(),
    }
}

/// How often one connection may push.
pub(super) fn rate_word(rate: PushRate) -> String {
    let [pushes, seconds] = [rate.pushes, rate.seconds].map(|n| format::grouped(n.into()));
    format!("{pushes} in {seconds} s")
}

/// What members see of each other.
pub(super) fn presence_word(mode: PresenceMode) -> &'static str {
    match mode {
        PresenceMode::Full => "who is there",
        PresenceMode::Count => "how many",
        PresenceMode::Off => "nothing",
    }
}

/// What happens to a slow reader.
pub(super) fn overflow_word(overflow: Overflow) -> &'static str {
    match overflow {
        Overflow::Close => "disconnected",
        Overflow::DropOldest => "miss the oldest",
        Overflow::LatestOnly => "get the latest",
    }
}

#[cfg(test)]
mod tests {
    use tidegate_protocol::RoleName;

    use super::*;

    #[test]
    fn roles_and_rates_are_named() {
        let names = |names: [&str; 2]| names.map(|name| RoleName::new(name).unwrap()).to_vec();
        let definition = Definition {
            join: JoinRule::Roles,
            push: PushRule::Roles,
            join_roles: names(["editor", "night"]),
            push_roles: names(["editor", "ops:eu"]),
            ..Definition::fallback()
        };
        assert_eq!(join_word(&definition), "editor, night");
        assert_eq!(push_word(&definition), "editor, ops:eu");
        let rate = |pushes, seconds| rate_word(PushRate { pushes, seconds });
        assert_eq!(rate(30, 60), "30 in 60 s");
        assert_eq!(rate(100_000, 1), "100\u{202f}000 in 1 s");
    }
}
