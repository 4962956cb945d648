//! A concurrent map in shards: a write locks one part in sixty-four.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, Hash};

use parking_lot::RwLock;

const SHARDS: usize = 64;

#[derive(Debug)]
pub(crate) struct Shards<K, V> {
    hasher: RandomState,
    shards: Box<[RwLock<HashMap<K, V>>]>,
}

impl<K: Hash + Eq + Clone, V: Clone> Shards<K, V> {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            hasher: RandomState::new(),
            shards,
        }
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<HashMap<K, V>> {
        // `SHARDS` is a power of two, so the mask keeps the index in bounds.
        &self.shards[self.hasher.hash_one(key) as usize & (SHARDS - 1)]
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shard(key).read().get(key).cloned()
    }

    /// The value under `key`, made by `make` if there was none; and whether it was made.
    pub(crate) fn get_or_insert(&self, key: &K, make: impl FnOnce() -> V) -> (V, bool) {
        match self.shard(key).write().entry(key.clone()) {
            Entry::Occupied(entry) => (entry.get().clone(), false),
            Entry::Vacant(entry) => (entry.insert(make()).clone(), true),
        }
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.shard(&key).write().insert(key, value);
    }

    /// Removes what is under `key` if `condition` holds for it, with the shard locked.
    pub(crate) fn remove_if<Q>(&self, key: &Q, condition: impl FnOnce(&V) -> bool) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut shard = self.shard(key).write();
        let gone = shard.get(key).is_some_and(condition);
        if gone {
            shard.remove(key);
        }
        gone
    }

    /// Shows every value, with its shard locked.
    pub(crate) fn for_each(&self, mut show: impl FnMut(&V)) {
        for shard in &self.shards {
            shard.read().values().for_each(&mut show);
        }
    }

    /// At most so many values, whichever are at hand.
    pub(crate) fn some(&self, most: usize) -> Vec<V> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let room = most - found.len();
            if room == 0 {
                break;
            }
            found.extend(shard.read().values().take(room).cloned());
        }
        found
    }

    pub(crate) fn values(&self) -> Vec<V> {
        self.shards
            .iter()
            .flat_map(|s| s.read().values().cloned().collect::<Vec<_>>())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever wants a few of very many takes no more than these.
    #[test]
    fn a_few_are_taken_of_many() {
        let all = Shards::new();
        let value = std::sync::Arc::new(());
        for key in 0..1000 {
            all.insert(key, value.clone());
        }
        let some = all.some(100);
        assert_eq!(some.len(), 100);
        assert_eq!(std::sync::Arc::strong_count(&value), 1 + 1000 + 100);
        assert_eq!(all.some(2000).len(), 1000);
        assert_eq!(all.some(0).len(), 0);
    }
}
