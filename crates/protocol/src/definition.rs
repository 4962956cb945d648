//! What a channel is: who may join and push, whether presence is kept, whether events are relayed.
//!
//! Definitions are data: they come from the built-in list, from the configuration file and from
//! administrators. The most specific pattern that matches a topic wins.

use serde::{Deserialize, Serialize};

use crate::names::{TopicPattern, is_reserved_topic};
use crate::role_name::RoleName;

/// Who may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JoinRule {
    /// Anybody, with or without a token.
    Public,
    /// Who shows a token for the channel.
    #[default]
    Token,
    /// Who shows a token for the channel that carries one of `join_roles`; administrators, too.
    Roles,
    /// Who shows a token that allows `admin`.
    Admin,
}

/// Who may push, among those who have joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PushRule {
    /// Every member.
    #[default]
    Member,
    /// Members who joined with a token.
    Token,
    /// Members whose token carries one of `push_roles`; administrators, too.
    Roles,
    /// Members who joined with a token that allows `admin`.
    Admin,
    /// Nobody: events come from the bus alone.
    Nobody,
}

/// What a member showed when it joined, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nothing.
    Anonymous,
    /// A token for the channel.
    Token,
    /// A token that allows `admin`; on the topic `admin` one for it.
    Admin,
}

/// How much of presence the members see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PresenceMode {
    /// `presence_state` and `presence_diff`, with every member's metadata.
    #[default]
    Full,
    /// `presence_count` with the number of members only.
    Count,
    /// Nothing.
    Off,
}

/// What happens to an event for a member whose queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// The connection is closed as a slow consumer: it is told, and comes back.
    #[default]
    Close,
    /// The oldest events that wait for this member are dropped and counted: the channel's own first,
    /// and for those of other channels that its connection has joined, where they find no room.
    DropOldest,
    /// Of the channel's events at most the latest waits for this member; the others are dropped
    /// and counted. The latest gives way to nothing else.
    LatestOnly,
}

/// One channel definition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The topic, or `prefix:*`; absent in the definition that holds where no other does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<TopicPattern>,
    /// Who may join.
    #[serde(default)]
    pub join: JoinRule,
    /// Who may push.
    #[serde(default)]
    pub push: PushRule,
    /// The roles that may join, where `join` is `roles`; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 16))]
    pub join_roles: Vec<RoleName>,
    /// The roles that may push, where `push` is `roles`; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 16))]
    pub push_roles: Vec<RoleName>,
    /// How often one connection may push here; as often as everywhere when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_rate: Option<PushRate>,
    /// How much of presence is shown.
    #[serde(default)]
    pub presence: PresenceMode,
    /// Whether a client's event also goes to the other members, beside the bus.
    #[serde(default)]
    pub relay: bool,
    /// Whether a client's event is also published with its sender, as `sent:<topic>:<event>`.
    #[serde(default)]
    pub stamp: bool,
    /// What happens to events for a member that reads too slowly.
    #[serde(default)]
    pub overflow: Overflow,
}

impl Definition {
    /// What holds where nothing is defined: a token to join, members push, full presence, no
    /// relay. This is what pages and plugins written for Phoenix and Tangram expect.
    pub const fn fallback() -> Self {
        Self {
            pattern: None,
            join: JoinRule::Token,
            push: PushRule::Member,
            join_roles: Vec::new(),
            push_roles: Vec::new(),
            push_rate: None,
            presence: PresenceMode::Full,
            relay: false,
            stamp: false,
            overflow: Overflow::Close,
        }
    }

    /// Whether one of these roles may join, where roles decide that.
    pub fn lets_join(&self, roles: &[impl AsRef<str>]) -> bool {
        shares(&self.join_roles, roles)
    }

    /// Whether one of these roles may push, where roles decide that.
    pub fn lets_push(&self, roles: &[impl AsRef<str>]) -> bool {
        shares(&self.push_roles, roles)
    }

    /// Refuses what no administrator may define.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let Some(pattern) = &self.pattern else {
            return Err(DefinitionError::PatternMissing);
        };
        if is_reserved_topic(pattern.as_str()) {
            return Err(DefinitionError::Reserved);
        }
        let join = (self.join == JoinRule::Roles, &self.join_roles, "join");
        let push = (self.push == PushRule::Roles, &self.push_roles, "push");
        for (by_role, roles, what) in [join, push] {
            match (by_role, roles.len()) {
                (true, 0) => return Err(DefinitionError::RolesMissing(what)),
                (false, 1..) => return Err(DefinitionError::RolesUnused(what)),
                (true, n) if n > MAX_ROLES => return Err(DefinitionError::TooManyRoles),
                _ => {}
            }
        }
        if self.push_rate.is_some_and(|rate| !rate.is_possible()) {
            return Err(DefinitionError::PushRate);
        }
        Ok(())
    }
}

fn shares(named: &[RoleName], held: &[impl AsRef<str>]) -> bool {
    named
        .iter()
        .any(|name| held.iter().any(|role| role.as_ref() == name.as_str()))
}

/// Roles that one definition may name for joining, and as many for pushing.
const MAX_ROLES: usize = 16;

/// So many pushes in so many seconds; all of them may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushRate {
    /// How many.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000))]
    pub pushes: u32,
    /// In how many seconds.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3_600))]
    pub seconds: u32,
}

impl PushRate {
    /// The most pushes that can be named.
    pub const MAX_PUSHES: u32 = 100_000;
    /// The longest time that can be named.
    pub const MAX_SECONDS: u32 = 3_600;

    fn is_possible(self) -> bool {
        (1..=Self::MAX_PUSHES).contains(&self.pushes)
            && (1..=Self::MAX_SECONDS).contains(&self.seconds)
    }
}

/// Why a definition is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It names no channel.
    #[error("a channel definition needs a pattern: a topic, or prefix:*")]
    PatternMissing,
    /// It names a channel whose rules are the gateway's own.
    #[error(
        "the topics `phoenix`, `admin` and `admin:*` belong to the gateway and cannot be defined"
    )]
    Reserved,
    /// Roles decide, and none is named.
    #[error("`{0} = \"roles\"` needs `{0}_roles`: the roles that may {0}")]
    RolesMissing(&'static str),
    /// Roles are named, and do not decide.
    #[error("`{0}_roles` count only with `{0} = \"roles\"`")]
    RolesUnused(&'static str),
    /// More roles than a definition may name.
    #[error("a channel definition names at most 16 roles")]
    TooManyRoles,
    /// A rate that cannot be kept.
    #[error("`push_rate` is 1 to 100000 pushes in 1 to 3600 seconds")]
    PushRate,
    /// There are as many as may be.
    #[error("there are too many channel definitions; remove one first")]
    TooMany,
}

/// The definitions every gateway starts with: the channels of the interface and its plugins, and
/// those of Supabase's clients. A definition of the same pattern in the configuration replaces them.
pub fn builtin_definitions() -> Vec<Definition> {
    let public = |pattern: &str, push, presence| Definition {
        pattern: TopicPattern::new(pattern).ok(),
        join: JoinRule::Public,
        push,
        presence,
        ..Definition::fallback()
    };
    vec![
        public("flights", PushRule::Member, PresenceMode::Count),
        public("host", PushRule::Nobody, PresenceMode::Off),
        // The topics of Supabase's clients, which expect that broadcasts reach the other members.
        Definition {
            pattern: TopicPattern::new("realtime:*").ok(),
            relay: true,
            ..Definition::fallback()
        },
        Definition {
            pattern: TopicPattern::new("system").ok(),
            ..Definition::fallback()
        },
    ]
}
