//! What a token says. The signature is the business of the `auth` crate.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::TopicPattern;
use crate::role_name::RoleName;

/// The claims of a token. `id`, `channel` and `exp` are enough (wire.md A13): what a program signs
/// with a shared secret may hold nothing else. What the gateway issues also says who issued it,
/// when, and under which name it can be revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Claims {
    /// The user; becomes the presence key.
    pub id: String,
    /// The topics that may be joined, or `prefix:*` patterns; never empty.
    pub channels: Vec<String>,
    /// When the token ends, in seconds since 1970.
    pub exp: u64,
    /// What the token allows.
    pub allow: Allow,
    /// The roles of the user, for channels whose definition asks for one.
    pub roles: Vec<RoleName>,
    /// Its name, by which it can be revoked.
    pub jti: Option<String>,
    /// When it was issued, in seconds since 1970.
    pub iat: Option<u64>,
    /// Who issued it.
    pub iss: Option<String>,
    /// The session of the interface that it was issued for, with which it ends (`sid` of OpenID
    /// Connect).
    pub sid: Option<String>,
}

/// What a token allows, beside being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Allow {
    /// Joining its channels.
    pub join: bool,
    /// Pushing to them.
    pub push: bool,
    /// Being shown in presence, and seeing who else is.
    pub presence: bool,
    /// What an administrator may.
    pub admin: bool,
}

/// What a token allows, word by word, as it stands in the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Joining its channels.
    Join,
    /// Pushing to them.
    Push,
    /// Presence.
    Presence,
    /// What an administrator may.
    Admin,
}

impl Allow {
    /// What a token allows that says nothing about it.
    pub const MEMBER: Allow = Allow {
        join: true,
        push: true,
        presence: true,
        admin: false,
    };

    /// As words.
    pub fn rights(self) -> Vec<Right> {
        [
            (self.join, Right::Join),
            (self.push, Right::Push),
            (self.presence, Right::Presence),
            (self.admin, Right::Admin),
        ]
        .into_iter()
        .filter_map(|(has, right)| has.then_some(right))
        .collect()
    }
}

impl Default for Allow {
    fn default() -> Self {
        Self::MEMBER
    }
}

impl FromIterator<Right> for Allow {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let mut allow = Allow {
            join: false,
            push: false,
            presence: false,
            admin: false,
        };
        for right in rights {
            match right {
                Right::Join => allow.join = true,
                Right::Push => allow.push = true,
                Right::Presence => allow.presence = true,
                Right::Admin => allow.admin = true,
            }
        }
        allow
    }
}

impl Claims {
    /// The three claims that every token has.
    pub fn new(id: impl Into<String>, channel: impl Into<String>, exp: u64) -> Self {
        Self {
            id: id.into(),
            channels: vec![channel.into()],
            exp,
            allow: Allow::MEMBER,
            roles: Vec::new(),
            jti: None,
            iat: None,
            iss: None,
            sid: None,
        }
    }

    /// Whether one of its channels is this topic, or a pattern that matches it.
    pub fn covers(&self, topic: &str) -> bool {
        self.channels
            .iter()
            .any(|channel| TopicPattern::new(channel).is_ok_and(|p| p.matches(topic)))
    }

    /// Whether it names exactly this channel.
    pub fn names(&self, channel: &str) -> bool {
        self.channels.iter().any(|one| one == channel)
    }

    /// Whether it opens the topic `admin`. It is not by that an administrator's: whoever may look may
    /// have one that is for `admin`.
    pub fn opens_admin(&self) -> bool {
        self.allow.admin || self.names("admin")
    }
}

/// As it stands in a token: one channel is `channel`, several are `channels`, and the user stands
/// under `id` as well as under `sub`, as RFC 7519 has it.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<Vec<Right>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    exp: u64,
}

impl TryFrom<Written> for Claims {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let mut channels = written.channels.unwrap_or_default();
        channels.extend(written.channel);
        if channels.is_empty() {
            return Err("the token names no channel");
        }
        Ok(Self {
            id: written.id.or(written.sub).ok_or("the token names nobody")?,
            channels,
            exp: written.exp,
            allow: written
                .allow
                .map_or(Allow::MEMBER, |rights| rights.into_iter().collect()),
            roles: written.roles.map(roles).unwrap_or_default(),
            jti: written.jti,
            iat: written.iat,
            iss: written.iss,
            sid: written.sid,
        })
    }
}

impl From<Claims> for Written {
    fn from(claims: Claims) -> Self {
        let mut channels = claims.channels;
        let channel = (channels.len() == 1).then(|| channels.pop()).flatten();
        Self {
            iss: claims.iss,
            sid: claims.sid,
            // A token without a name is one that a program signed: the three claims and no more.
            sub: claims.jti.is_some().then(|| claims.id.clone()),
            id: Some(claims.id),
            channels: channel.is_none().then_some(channels),
            channel,
            allow: (claims.allow != Allow::MEMBER).then(|| claims.allow.rights()),
            roles: (!claims.roles.is_empty())
                .then(|| claims.roles.into_iter().map(String::from).collect()),
            jti: claims.jti,
            iat: claims.iat,
            exp: claims.exp,
        }
    }
}

/// Roles that a token may carry; the others are not looked at.
pub const MAX_TOKEN_ROLES: usize = 100;

/// The roles in a list. A program that signs its own tokens may mean something else by `roles`:
/// what names no role is passed over and refuses nobody.
fn roles(said: Value) -> Vec<RoleName> {
    let Value::Array(list) = said else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|role| RoleName::new(role.as_str()?).ok())
        .take(MAX_TOKEN_ROLES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn three_claims_are_enough_and_stay_three() {
        let written = json!({"id": "alice", "channel": "room", "exp": 5});
        let claims: Claims = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(claims, Claims::new("alice", "room", 5));
        assert_eq!(serde_json::to_value(&claims).unwrap(), written);
    }

    #[test]
    fn what_a_token_may_say_beside() {
        let written = json!({
            "iss": "tidegate", "sub": "alice", "id": "alice", "channels": ["room", "news:*"],
            "allow": ["join", "presence"], "roles": ["editor", "night"], "jti": "1", "iat": 2, "exp": 5,
        });
        let claims: Claims = serde_json::from_value(written.clone()).unwrap();
        assert!(claims.covers("room") && claims.covers("news:today") && !claims.covers("other"));
        assert!(!claims.allow.push && claims.allow.join && !claims.opens_admin());
        assert_eq!(serde_json::to_value(&claims).unwrap(), written);
        assert_eq!(
            claims.roles,
            ["editor", "night"].map(|r| RoleName::new(r).unwrap())
        );
        let by_sub = json!({"sub": "bob", "channel": "admin", "exp": 5});
        let claims: Claims = serde_json::from_value(by_sub).unwrap();
        assert!(claims.opens_admin() && claims.id == "bob");
    }

    #[test]
    fn what_names_no_role_is_passed_over() {
        let roles = |said: Value| {
            let written = json!({"id": "a", "channel": "room", "exp": 5, "roles": said});
            let claims: Claims = serde_json::from_value(written).unwrap();
            claims
                .roles
                .into_iter()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(roles(json!(["a", 5, "", "b c", "d"])), ["a", "d"]);
        assert_eq!(roles(json!({"a": true})), [""; 0]);
        assert_eq!(roles(json!("a")), [""; 0]);
        assert_eq!(roles(json!(vec!["a"; 200])).len(), MAX_TOKEN_ROLES);
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        for written in [
            json!({"channel": "room", "exp": 5}),
            json!({"id": "alice", "exp": 5}),
            json!({"id": "alice", "channels": [], "exp": 5}),
            json!({"id": "alice", "channel": "room"}),
            json!({"id": "alice", "channel": "room", "exp": 5, "allow": ["everything"]}),
            json!({"id": "alice", "channel": "room", "exp": 5, "allow": "join"}),
        ] {
            assert!(
                serde_json::from_value::<Claims>(written.clone()).is_err(),
                "{written}"
            );
        }
    }
}
