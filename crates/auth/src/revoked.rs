//! What is refused although it was signed and has not expired.

use std::collections::{HashMap, HashSet};

use tidegate_protocol::{Claims, RoleName};

/// What a token can be revoked by.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    /// Whose it is.
    pub subject: &'a str,
    /// Its name.
    pub jti: Option<&'a str>,
    /// When it was issued, in seconds since 1970.
    pub iat: Option<u64>,
    /// The key that signed it.
    pub kid: Option<&'a str>,
    /// The session that it was issued for.
    pub sid: Option<&'a str>,
    /// The roles that it carries.
    pub roles: &'a [RoleName],
}

impl<'a> Marks<'a> {
    /// Of these claims, signed by this key.
    pub fn of(claims: &'a Claims, kid: Option<&'a str>) -> Self {
        Self {
            subject: &claims.id,
            jti: claims.jti.as_deref(),
            iat: claims.iat,
            kid,
            sid: claims.sid.as_deref(),
            roles: &claims.roles,
        }
    }
}

/// Revocations, as they are looked up. Times in milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revoked {
    /// By their `jti`.
    pub tokens: HashSet<String>,
    /// What was issued for this subject until then.
    pub subjects: HashMap<String, u64>,
    /// What this key has signed until then.
    pub keys: HashMap<String, u64>,
}

impl Revoked {
    /// Whether such a token is refused.
    pub fn holds(&self, token: &Marks<'_>) -> bool {
        if token.jti.is_some_and(|jti| self.tokens.contains(jti)) {
            return true;
        }
        let until = |at: Option<&u64>| at.is_some_and(|at| issued_ms(token) <= *at);
        until(self.subjects.get(token.subject))
            || until(token.kid.and_then(|kid| self.keys.get(kid)))
    }

    /// Whether something of this subject is.
    pub fn names(&self, subject: &str) -> bool {
        self.subjects.contains_key(subject)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.subjects.len() + self.keys.len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// When a token was issued, to the millisecond where its name says so: names that the gateway gives
/// are UUIDs of version 7, which begin with the time (RFC 9562, section 5.7). A token that says
/// nothing was issued before everything.
fn issued_ms(token: &Marks<'_>) -> u64 {
    let seconds = token.iat.unwrap_or(0);
    let named = token
        .jti
        .filter(|jti| jti.len() == 32 && jti.as_bytes().get(12) == Some(&b'7'))
        .and_then(|jti| jti.get(..12))
        .and_then(|time| u64::from_str_radix(time, 16).ok())
        // Of this very second, or the name is somebody else's.
        .filter(|ms| ms / 1000 == seconds);
    named.unwrap_or(seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(jti: Option<&str>, iat: Option<u64>) -> Claims {
        Claims {
            jti: jti.map(str::to_owned),
            iat,
            ..Claims::new("alice", "room", 5_000)
        }
    }

    /// P12: a token, all of a subject, all of a key; what is issued afterwards is good.
    #[test]
    fn what_is_revoked() {
        let revoked = Revoked {
            tokens: HashSet::from(["t1".to_owned()]),
            subjects: HashMap::from([("alice".to_owned(), 10_500)]),
            keys: HashMap::from([("k1".to_owned(), 20_000)]),
        };
        // 10,500 and 10,501 ms, as names say it.
        let (before, after) = (
            "0000000029047000800000000000000a",
            "0000000029057000800000000000000a",
        );
        for (claims, kid, expected) in [
            (claims(Some("t1"), Some(30)), None, true),
            (claims(Some("t2"), Some(30)), None, false),
            (claims(None, None), None, true),
            (claims(None, Some(10)), None, true),
            (claims(None, Some(11)), None, false),
            (claims(Some(before), Some(10)), None, true),
            (claims(Some(after), Some(10)), None, false),
            (claims(None, Some(20)), Some("k1"), true),
            (claims(None, Some(21)), Some("k1"), false),
            (claims(None, Some(20)), Some("k2"), false),
        ] {
            assert_eq!(
                revoked.holds(&Marks::of(&claims, kid)),
                expected,
                "{claims:?} {kid:?}"
            );
        }
    }
}
