//! Which members of a channel an event is for, when it is not for all of them (S10).

use std::collections::HashSet;

use tidegate_protocol::publish::Recipients;

/// Connections and users, looked up once for each member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    connections: HashSet<String>,
    users: HashSet<String>,
    exclude: HashSet<String>,
}

impl Audience {
    /// Whether a member is meant: named by its connection or its user, or anybody where nobody is
    /// named, and not excluded by its connection.
    pub(crate) fn means(&self, connection: &str, user: &str) -> bool {
        let anybody = self.connections.is_empty() && self.users.is_empty();
        let named = anybody || self.connections.contains(connection) || self.users.contains(user);
        named && !self.exclude.contains(connection)
    }

    /// How many of the names in it are those of nobody whom [`Seen`] has seen.
    pub(crate) fn absent(&self, seen: &Seen<'_>) -> usize {
        self.connections.len() + self.users.len() - seen.connections.len() - seen.users.len()
    }
}

/// Which names of an audience somebody has.
#[derive(Debug, Default)]
pub(crate) struct Seen<'a> {
    connections: HashSet<&'a str>,
    users: HashSet<&'a str>,
}

impl<'a> Seen<'a> {
    /// Here is a member.
    pub(crate) fn see(&mut self, audience: &'a Audience, connection: &str, user: &str) {
        let connection = audience.connections.get(connection);
        self.connections.extend(connection.map(String::as_str));
        let user = audience.users.get(user);
        self.users.extend(user.map(String::as_str));
    }
}

impl From<Recipients> for Audience {
    fn from(recipients: Recipients) -> Self {
        Self {
            connections: recipients.connections.into_iter().collect(),
            users: recipients.users.into_iter().collect(),
            exclude: recipients.exclude.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(connections: &[&str], users: &[&str], exclude: &[&str]) -> Audience {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Recipients {
            connections: owned(connections),
            users: owned(users),
            exclude: owned(exclude),
        }
        .into()
    }

    /// S10: who is named, by connection or by user; without names everybody; never who is excluded.
    #[test]
    fn who_is_meant() {
        let of_two = audience(&["c1"], &["bob"], &["c3"]);
        assert!(of_two.means("c1", "ann") && of_two.means("c2", "bob"));
        assert!(!of_two.means("c2", "ann") && !of_two.means("c3", "bob"));
        let mut seen = Seen::default();
        for (connection, user) in [("c2", "bob"), ("c4", "bob"), ("c5", "ann")] {
            seen.see(&of_two, connection, user);
        }
        assert_eq!(of_two.absent(&seen), 1);
        let all_but_one = audience(&[], &[], &["c1"]);
        assert!(all_but_one.means("c2", "ann") && !all_but_one.means("c1", "ann"));
    }
}
