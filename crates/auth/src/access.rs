//! Who may join and who may push: the definition of the channel against what was shown.

use crate::tokens::Checked;
use tidegate_protocol::{
    Allow, Definition, JoinRule, PushRule, Reason, RoleName, Standing, is_reserved_topic,
};

/// Where a token came from. The join payload wins, then the subprotocol, then the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    /// The join's own payload: meant for this channel.
    Join,
    /// The socket: a fallback for every join without a token of its own.
    Socket,
}

/// The outcome of checking the token that a join came with, if it came with one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, while a join is decided"
)]
pub enum Shown {
    /// No token at all.
    Nothing,
    /// A token, good or not.
    Token(TokenSource, Result<Checked, Reason>),
}

/// Decides a join. `compat` is `--tangram-compat`: a socket's token for `system` then opens every
/// topic but the gateway's own.
pub fn admit(
    definition: &Definition,
    topic: &str,
    shown: &Shown,
    compat: bool,
) -> Result<Standing, Reason> {
    let admin_only = is_reserved_topic(topic) || definition.join == JoinRule::Admin;
    // A token for `admin` follows what goes on; above the rules of other topics stands only one that
    // allows what an administrator may.
    let of_admin = topic == "admin" || topic.starts_with("admin:");
    let (source, claims) = match shown {
        Shown::Nothing if definition.join == JoinRule::Public && !admin_only => {
            return Ok(Standing::Anonymous);
        }
        Shown::Nothing => return Err(Reason::Unauthorized),
        Shown::Token(source, claims) => (*source, claims),
    };
    let public = definition.join == JoinRule::Public && !admin_only;
    let decided =
        claims
            .as_ref()
            .map_err(|reason| *reason)
            .and_then(|Checked { claims, .. }| {
                let is_admin = claims.allow.admin || of_admin && claims.opens_admin();
                if !claims.allow.join && !is_admin {
                    return Err(Reason::Unauthorized);
                }
                if admin_only {
                    return if is_admin {
                        Ok(Standing::Admin)
                    } else {
                        Err(Reason::TokenForAnotherChannel)
                    };
                }
                let above = matches!(definition.push, PushRule::Admin | PushRule::Roles)
                    || definition.join == JoinRule::Roles;
                if is_admin && above {
                    return Ok(Standing::Admin);
                }
                let covers = claims.covers(topic)
                    || (compat && source == TokenSource::Socket && claims.names("system"));
                if !covers {
                    return Err(Reason::TokenForAnotherChannel);
                }
                if definition.join == JoinRule::Roles && !definition.lets_join(&claims.roles) {
                    return Err(Reason::RoleNeeded);
                }
                Ok(Standing::Token)
            });
    match decided {
        // The socket's token was not meant for this channel, and none is needed.
        Err(_) if public && source == TokenSource::Socket => Ok(Standing::Anonymous),
        decided => decided,
    }
}

/// Decides a push of a member, by what its token allows, and the roles that it carries, where it
/// showed one.
pub fn may_push(
    definition: &Definition,
    standing: Standing,
    token: Option<(Allow, &[RoleName])>,
) -> bool {
    if token.is_some_and(|(allow, _)| !allow.push && !allow.admin) {
        return false;
    }
    match definition.push {
        PushRule::Member => true,
        PushRule::Token => standing >= Standing::Token,
        PushRule::Roles => {
            standing >= Standing::Admin
                // The token of the socket, where it is for another channel, has no say here.
                || (standing >= Standing::Token
                    && token.is_some_and(|(allow, roles)| {
                        allow.admin || definition.lets_push(roles)
                    }))
        }
        PushRule::Admin => standing >= Standing::Admin,
        PushRule::Nobody => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reason::{TokenExpired, TokenForAnotherChannel, Unauthorized};
    use TokenSource::{Join, Socket};
    use tidegate_protocol::{Claims, Right};

    fn token(source: TokenSource, channel: &str) -> Shown {
        Shown::Token(
            source,
            Ok(Checked {
                claims: Claims::new("a", channel, 1),
                kid: None,
                leeway: 0,
            }),
        )
    }

    fn rule(join: JoinRule, push: PushRule) -> Definition {
        Definition {
            join,
            push,
            ..Definition::fallback()
        }
    }

    /// A13, row by row: rule, topic, what was shown, compat, and the answer.
    #[test]
    fn who_may_join() {
        use JoinRule::{Admin, Public, Token};
        let expired = |source| Shown::Token(source, Err(TokenExpired));
        for (join, topic, shown, compat, expected) in [
            (Token, "room", Shown::Nothing, false, Err(Unauthorized)),
            (
                Token,
                "room",
                token(Join, "room"),
                false,
                Ok(Standing::Token),
            ),
            (
                Token,
                "room:1",
                token(Join, "room:*"),
                false,
                Ok(Standing::Token),
            ),
            (
                Token,
                "room",
                token(Join, "other"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (
                Token,
                "room",
                token(Join, "*"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (
                Token,
                "room",
                token(Socket, "room"),
                false,
                Ok(Standing::Token),
            ),
            (
                Token,
                "room",
                token(Join, "admin"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (Token, "room", expired(Join), false, Err(TokenExpired)),
            (Token, "room", expired(Socket), false, Err(TokenExpired)),
            (
                Token,
                "room",
                token(Socket, "system"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (
                Token,
                "room",
                token(Socket, "system"),
                true,
                Ok(Standing::Token),
            ),
            (
                Token,
                "room",
                token(Join, "system"),
                true,
                Err(TokenForAnotherChannel),
            ),
            (
                Public,
                "room",
                Shown::Nothing,
                false,
                Ok(Standing::Anonymous),
            ),
            (
                Public,
                "room",
                token(Join, "room"),
                false,
                Ok(Standing::Token),
            ),
            (
                Public,
                "room",
                token(Join, "other"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (
                Public,
                "room",
                token(Socket, "other"),
                false,
                Ok(Standing::Anonymous),
            ),
            (
                Public,
                "room",
                expired(Socket),
                false,
                Ok(Standing::Anonymous),
            ),
            (
                Admin,
                "room",
                token(Join, "room"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (
                Admin,
                "room",
                token(Join, "admin"),
                false,
                Err(TokenForAnotherChannel),
            ),
            (Token, "admin", Shown::Nothing, true, Err(Unauthorized)),
            (Public, "admin", Shown::Nothing, true, Err(Unauthorized)),
            (
                Token,
                "admin",
                token(Socket, "system"),
                true,
                Err(TokenForAnotherChannel),
            ),
            (
                Token,
                "admin",
                token(Join, "admin"),
                false,
                Ok(Standing::Admin),
            ),
            (
                Token,
                "admin:watch:x",
                token(Join, "admin"),
                false,
                Ok(Standing::Admin),
            ),
            (
                Token,
                "admin:watch:x",
                token(Join, "admin:*"),
                false,
                Err(TokenForAnotherChannel),
            ),
        ] {
            let definition = rule(join, PushRule::Member);
            let answer = admit(&definition, topic, &shown, compat);
            assert_eq!(answer, expected, "{join:?} {topic} {shown:?} {compat}");
        }
    }

    #[test]
    fn who_may_push() {
        use Standing::{Admin, Anonymous, Token};
        for (push, allowed) in [
            (PushRule::Member, [true, true, true]),
            (PushRule::Token, [false, true, true]),
            (PushRule::Admin, [false, false, true]),
            (PushRule::Nobody, [false, false, false]),
        ] {
            let definition = rule(JoinRule::Public, push);
            let answer = [Anonymous, Token, Admin].map(|s| may_push(&definition, s, None));
            assert_eq!(answer, allowed, "{push:?}");
            let with = |rights: &[Right]| {
                let allow = rights.iter().copied().collect();
                [Anonymous, Token, Admin].map(|s| may_push(&definition, s, Some((allow, &[]))))
            };
            assert_eq!(with(&[Right::Join, Right::Push]), allowed, "{push:?}");
            assert_eq!(with(&[Right::Join]), [false; 3], "{push:?}");
        }
    }

    /// Roles decide joining and pushing; who administers is above them.
    #[test]
    fn roles_decide() {
        let named = |names: &[&str]| -> Vec<RoleName> {
            names
                .iter()
                .map(|name| RoleName::new(name).unwrap())
                .collect()
        };
        let definition = Definition {
            join_roles: named(&["reader", "editor"]),
            push_roles: named(&["editor"]),
            ..rule(JoinRule::Roles, PushRule::Roles)
        };
        let shown = |channel: &str, roles: &[&str]| {
            let claims = Claims {
                roles: named(roles),
                ..Claims::new("a", channel, 1)
            };
            let checked = Checked {
                claims,
                kid: None,
                leeway: 0,
            };
            Shown::Token(Join, Ok(checked))
        };
        let join = |shown: &Shown| admit(&definition, "room", shown, false);
        assert_eq!(join(&Shown::Nothing), Err(Unauthorized));
        assert_eq!(join(&shown("room", &[])), Err(Reason::RoleNeeded));
        assert_eq!(
            join(&shown("room", &["edit", "x"])),
            Err(Reason::RoleNeeded)
        );
        assert_eq!(join(&shown("room", &["x", "reader"])), Ok(Standing::Token));
        assert_eq!(
            join(&shown("other", &["reader"])),
            Err(TokenForAnotherChannel)
        );
        assert_eq!(
            join(&shown("admin", &["admin"])),
            Err(TokenForAnotherChannel)
        );

        let push = |standing, allow, roles: &[&str]| {
            may_push(&definition, standing, Some((allow, &named(roles))))
        };
        let admin = [Right::Join, Right::Admin].into_iter().collect();
        let mute = [Right::Join].into_iter().collect();
        assert!(push(Standing::Token, Allow::MEMBER, &["editor"]));
        assert!(!push(Standing::Token, Allow::MEMBER, &["reader"]));
        assert!(!push(Standing::Token, mute, &["editor"]));
        assert!(push(Standing::Token, admin, &[]));
        assert!(push(Standing::Admin, Allow::MEMBER, &[]));
        assert!(!may_push(&definition, Standing::Anonymous, None));
        // A token of the socket that is for another channel.
        assert!(!push(Standing::Anonymous, Allow::MEMBER, &["editor"]));
        assert!(!push(Standing::Anonymous, admin, &[]));
    }

    /// A token for `admin`, which whoever may look gets, stands above nothing but `admin`; one that
    /// allows what an administrator may stands above all, whatever it is for.
    #[test]
    fn who_stands_above() {
        use JoinRule::{Admin, Public, Roles, Token};
        let shown = |channel: &str, rights: &[Right]| {
            let claims = Claims {
                allow: rights.iter().copied().collect(),
                ..Claims::new("a", channel, 1)
            };
            Shown::Token(
                Join,
                Ok(Checked {
                    claims,
                    kid: None,
                    leeway: 0,
                }),
            )
        };
        let follows = shown("admin", &[Right::Join]);
        let rules = shown("other", &[Right::Admin]);
        for (join, push, topic, of_follower) in [
            (Admin, PushRule::Member, "room", Err(TokenForAnotherChannel)),
            (Roles, PushRule::Member, "room", Err(TokenForAnotherChannel)),
            (Token, PushRule::Admin, "room", Err(TokenForAnotherChannel)),
            (Public, PushRule::Roles, "room", Err(TokenForAnotherChannel)),
            (
                Token,
                PushRule::Member,
                "plugin:x",
                Err(TokenForAnotherChannel),
            ),
            (
                Token,
                PushRule::Member,
                "administration",
                Err(TokenForAnotherChannel),
            ),
            (Token, PushRule::Member, "admin", Ok(Standing::Admin)),
            (
                Token,
                PushRule::Member,
                "admin:watch:a",
                Ok(Standing::Admin),
            ),
        ] {
            let definition = rule(join, push);
            let answer = |shown| admit(&definition, topic, shown, false);
            assert_eq!(answer(&follows), of_follower, "{join:?} {push:?} {topic}");
            if topic != "administration" {
                assert_eq!(
                    answer(&rules),
                    Ok(Standing::Admin),
                    "{join:?} {push:?} {topic}"
                );
            }
        }
    }

    /// A token that does not allow joining opens nothing, though its channel is the right one.
    #[test]
    fn a_token_without_the_right_to_join() {
        let claims = |rights: &[Right]| {
            let claims = Claims {
                allow: rights.iter().copied().collect(),
                ..Claims::new("a", "room", 1)
            };
            Shown::Token(
                Join,
                Ok(Checked {
                    claims,
                    kid: None,
                    leeway: 0,
                }),
            )
        };
        let definition = rule(JoinRule::Token, PushRule::Member);
        let answer = |rights: &[Right], topic| admit(&definition, topic, &claims(rights), false);
        assert_eq!(answer(&[Right::Push], "room"), Err(Unauthorized));
        assert_eq!(answer(&[Right::Join], "room"), Ok(Standing::Token));
        assert_eq!(answer(&[Right::Admin], "admin"), Ok(Standing::Admin));
        assert_eq!(answer(&[Right::Join], "admin"), Err(TokenForAnotherChannel));
    }
}
