//! Which definition holds for a topic: the exact one, else the longest matching prefix, else
//! the fallback.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use tidegate_protocol::{
    Definition, DefinitionError, JoinRule, PresenceMode, PushRule, TopicPattern, is_reserved_topic,
};

/// All definitions of this gateway; they may change at any time.
#[derive(Debug)]
pub struct Definitions {
    by_pattern: RwLock<BTreeMap<String, Arc<Definition>>>,
    fallback: Arc<Definition>,
    reserved: Arc<Definition>,
    max: usize,
    changes: AtomicU64,
}

impl Definitions {
    /// Starts with these; a later one replaces an earlier one of the same pattern.
    pub fn new(
        initial: impl IntoIterator<Item = Definition>,
        max: usize,
    ) -> Result<Self, DefinitionError> {
        let this = Self {
            by_pattern: RwLock::default(),
            fallback: Arc::new(Definition::fallback()),
            reserved: Arc::new(Definition {
                pattern: None,
                join: JoinRule::Admin,
                push: PushRule::Nobody,
                presence: PresenceMode::Off,
                ..Definition::fallback()
            }),
            max,
            changes: AtomicU64::new(0),
        };
        for definition in initial {
            this.put(definition)?;
        }
        Ok(this)
    }

    /// What holds for this topic.
    pub fn of(&self, topic: &str) -> Arc<Definition> {
        if is_reserved_topic(topic) {
            return self.reserved.clone();
        }
        let by_pattern = self.by_pattern.read();
        if let Some(exact) = by_pattern.get(topic) {
            return exact.clone();
        }
        // From the longest prefix to the shortest: a topic has few colons.
        for (at, _) in topic.rmatch_indices(':') {
            if at + 1 < topic.len()
                && let Some(found) = by_pattern.get(&format!("{}:*", &topic[..at]))
            {
                return found.clone();
            }
        }
        self.fallback.clone()
    }

    /// Adds or replaces one.
    pub fn put(&self, definition: Definition) -> Result<(), DefinitionError> {
        definition.check()?;
        let pattern = definition
            .pattern
            .as_ref()
            .map(TopicPattern::to_string)
            .unwrap_or_default();
        let mut by_pattern = self.by_pattern.write();
        if !by_pattern.contains_key(&pattern) && by_pattern.len() >= self.max {
            return Err(DefinitionError::TooMany);
        }
        by_pattern.insert(pattern, Arc::new(definition));
        self.changed();
        Ok(())
    }

    /// Puts these in the place of all, as far as there is room for them.
    pub(crate) fn replace(&self, definitions: impl Iterator<Item = Definition>) {
        let all = definitions
            .filter(|definition| definition.check().is_ok())
            .filter_map(|d| d.pattern.as_ref().map(TopicPattern::to_string).zip(Some(d)))
            .take(self.max)
            .map(|(pattern, definition)| (pattern, Arc::new(definition)))
            .collect();
        let mut by_pattern = self.by_pattern.write();
        *by_pattern = all;
        self.changed();
    }

    /// Whether this pattern is defined.
    pub fn has(&self, pattern: &str) -> bool {
        self.by_pattern.read().contains_key(pattern)
    }

    /// Whether this pattern may be defined without exceeding the bound.
    pub fn has_room_for(&self, pattern: &str) -> bool {
        let by_pattern = self.by_pattern.read();
        by_pattern.contains_key(pattern) || by_pattern.len() < self.max
    }

    /// Removes the definition of exactly this pattern; `false` if there was none.
    pub fn remove(&self, pattern: &str) -> bool {
        let mut by_pattern = self.by_pattern.write();
        let removed = by_pattern.remove(pattern).is_some();
        self.changed();
        removed
    }

    /// How often they have changed. Who was let in asks before and after: what has changed in between
    /// may not have let it in (`Hub::judge`).
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// To be called while the change still holds the lock.
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// All of them, the fallback first.
    pub fn list(&self) -> Vec<Definition> {
        let by_pattern = self.by_pattern.read();
        std::iter::once(&self.fallback)
            .chain(by_pattern.values())
            .map(|d| (**d).clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_protocol::JoinRule;

    fn definition(pattern: &str) -> Definition {
        Definition {
            pattern: Some(TopicPattern::new(pattern).unwrap()),
            join: JoinRule::Public,
            ..Definition::fallback()
        }
    }

    #[test]
    fn the_most_specific_definition_holds() {
        let patterns = ["room:*", "room:vip:*", "room:1", "a*"];
        let all = Definitions::new(patterns.map(definition), 10).unwrap();
        for (topic, expected) in [
            ("room:1", Some("room:1")),
            ("room:2", Some("room:*")),
            ("room:vip:1", Some("room:vip:*")),
            ("room:vip", Some("room:*")),
            ("room", None),
            ("room:", None),
            ("ab", None),
            ("a*", Some("a*")),
        ] {
            let found = all.of(topic);
            assert_eq!(
                found.pattern.as_ref().map(TopicPattern::as_str),
                expected,
                "{topic}"
            );
        }
        assert!(all.remove("room:1") && !all.remove("room:1"));
        assert_eq!(all.of("room:1").pattern, definition("room:*").pattern);
    }

    #[test]
    fn reserved_topics_and_too_many_are_refused() {
        let all = Definitions::new([definition("a")], 1).unwrap();
        for reserved in ["admin", "phoenix", "admin:*", "admin:watch:x"] {
            assert_eq!(
                all.put(definition(reserved)),
                Err(DefinitionError::Reserved),
                "{reserved}"
            );
        }
        assert_eq!(all.put(definition("b")), Err(DefinitionError::TooMany));
        assert_eq!(all.put(definition("a")), Ok(()));
    }
}
