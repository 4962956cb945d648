//! What an administrator changes: definitions, and who stays.

use tidegate_protocol::{
    Close, Definition, DefinitionError, JoinRule, Reason, Standing, TopicPattern,
};

use crate::connection::Connection;
use crate::grant::Grant;
use crate::hub::Hub;
use crate::members::Member;
use crate::membership::Lifecycle;

/// Whether who has joined under another definition could join under this one.
fn may_stay(definition: &Definition, member: &Member) -> Result<(), Reason> {
    let needed = match definition.join {
        JoinRule::Public => Standing::Anonymous,
        JoinRule::Token | JoinRule::Roles => Standing::Token,
        JoinRule::Admin => Standing::Admin,
    };
    if member.standing < needed {
        return Err(Reason::Unauthorized);
    }
    if definition.join != JoinRule::Roles || member.standing == Standing::Admin {
        return Ok(());
    }
    let has_role = |grant: &Grant| grant.allow.admin || definition.lets_join(&grant.roles);
    match &member.grant {
        Some(grant) if has_role(grant) => Ok(()),
        _ => Err(Reason::RoleNeeded),
    }
}

impl Hub {
    /// Adds or replaces a definition and lets it hold at once. Members who may not stay are
    /// removed and told; the rest notice nothing.
    pub fn define(&self, definition: Definition) -> Result<Vec<Lifecycle>, DefinitionError> {
        self.definitions.put(definition)?;
        Ok(self.redefine())
    }

    /// Removes the definition of this pattern; `None` if there was none.
    pub fn undefine(&self, pattern: &TopicPattern) -> Option<Vec<Lifecycle>> {
        self.definitions
            .remove(pattern.as_str())
            .then(|| self.redefine())
    }

    /// Puts these in the place of all definitions there are; what is refused by
    /// [`Definition::check`], or finds no room, does not hold. The rest as [`Hub::define`].
    pub fn redefine_all(&self, definitions: impl Iterator<Item = Definition>) -> Vec<Lifecycle> {
        self.definitions.replace(definitions);
        self.redefine()
    }

    fn redefine(&self) -> Vec<Lifecycle> {
        let now = self.now_ms();
        let mut lifecycle = Vec::new();
        for channel in self.channels() {
            let definition = self.definitions.of(channel.topic.as_str());
            if *definition == *channel.definition() {
                continue;
            }
            channel.define(definition.clone(), now, &self.remote, &self.outgoing);
            for member in channel.members() {
                let Err(reason) = may_stay(&definition, &member) else {
                    continue;
                };
                let told = reason.to_json();
                lifecycle.extend(self.remove(&channel, &member.connection, Some(&told)));
            }
        }
        lifecycle
    }

    /// Looks once more whether this connection may be a member of the topic: who was let in while rules
    /// changed may have been let in by those of before, and missed by who looked for such members.
    pub fn judge(&self, connection: &Connection, topic: &str) -> Vec<Lifecycle> {
        let Some(channel) = self.channels.get(topic) else {
            return Vec::new();
        };
        let definition = self.definitions.of(topic);
        if *definition != *channel.definition() {
            // The channel itself has begun in between.
            return self.redefine();
        }
        let Some((_, member)) = channel.member(connection) else {
            return Vec::new();
        };
        match may_stay(&definition, &member) {
            Ok(()) => Vec::new(),
            Err(reason) => self.remove(&channel, &member.connection, Some(&reason.to_json())),
        }
    }

    /// Removes one member by its id; its client gets `phx_close` with the reason.
    pub fn remove_by_id(&self, topic: &str, id: &str, why: &str) -> Option<Vec<Lifecycle>> {
        let channel = self.channels.get(topic)?;
        let member = channel
            .members()
            .into_iter()
            .find(|m| m.id(&channel.topic) == id)?;
        let said = serde_json::json!({ "reason": why }).to_string();
        Some(self.remove(&channel, &member.connection, Some(&said)))
    }

    /// Removes every member of a channel, which ends it. `None` if there is no such channel.
    pub fn close_channel(&self, topic: &str, why: &str) -> Option<Vec<Lifecycle>> {
        let channel = self.channels.get(topic)?;
        let said = serde_json::json!({ "reason": why }).to_string();
        let members = channel.members();
        Some(
            members
                .iter()
                .flat_map(|m| self.remove(&channel, &m.connection, Some(&said)))
                .collect(),
        )
    }

    /// Asks a connection to end; its socket task does the rest. `false` if there is none.
    pub fn close_connection(&self, id: &str, close: Close) -> bool {
        let found = self.connections.get(id);
        found
            .inspect(|connection| connection.outbox.close(close))
            .is_some()
    }

    /// Asks every connection to end.
    pub fn close_all(&self, close: Close) {
        for connection in self.connections() {
            connection.outbox.close(close);
        }
    }
}
