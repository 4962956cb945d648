//! Lists of the store, part by part.

use tidegate_protocol::trust::Part;

/// Items of one part at most.
pub(super) const MAX_LIMIT: usize = 200;

/// Of `limit + 1` items that were asked for: a part, and whether another one follows.
pub(super) fn part<T>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Part<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Part { items, next }
}
