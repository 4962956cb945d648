//! Lists of the store, part by part.

use tidegate_protocol::trust::Part;

/// Items of one part at most.
const MAX_LIMIT: usize = 200;

/// How many items are wanted, of what a request says.
pub(super) fn limit(asked: Option<u32>) -> usize {
    asked.map_or(50, |limit| limit as usize).clamp(1, MAX_LIMIT)
}

/// Of `limit + 1` items that were asked for: a part, and whether another one follows.
pub(super) fn part<T>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Part<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Part { items, next }
}
