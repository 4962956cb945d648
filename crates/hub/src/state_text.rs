//! The payload of `presence_state` as text, kept up to date while members only come.
//!
//! Everybody who joins is shown everybody. When two thousand join within a second that is two
//! million entries, and writing each of them anew would cost more than everything else together.
//! So the text is kept: a newcomer's entry is put at its end, and only after somebody has left, or
//! under a key that is there already, it is written anew when it is next needed.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use crate::presence::{Tracked, state_json};

/// The text, if it is true; without its last brace.
#[derive(Debug, Default)]
pub(crate) struct StateText(Option<Kept>);

#[derive(Debug, Default)]
struct Kept {
    text: String,
    keys: HashSet<Arc<str>>,
}

#[derive(Serialize)]
struct Entry<'a, T> {
    metas: [&'a T; 1],
}

impl StateText {
    /// Somebody came.
    pub(crate) fn joined(&mut self, tracked: &Tracked) {
        let Some(kept) = &mut self.0 else {
            return;
        };
        let entry = serde_json::to_string(&Entry {
            metas: [&*tracked.meta],
        });
        match entry {
            Ok(entry) if kept.keys.insert(tracked.key().clone()) => {
                if kept.keys.len() > 1 {
                    kept.text.push(',');
                }
                kept.text
                    .push_str(&serde_json::Value::from(&**tracked.key()).to_string());
                kept.text.push(':');
                kept.text.push_str(&entry);
            }
            _ => self.forget(),
        }
    }

    /// Somebody went, or it cannot be told what is true.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// The whole text; `all` gives everybody where it must be written anew.
    pub(crate) fn get(&mut self, all: impl FnOnce() -> Vec<Tracked>) -> String {
        let kept = self.0.get_or_insert_with(|| {
            let mut all = all();
            all.retain(|tracked| !tracked.hidden);
            let mut text = state_json(all.iter());
            text.pop();
            Kept {
                text,
                keys: all.iter().map(|tracked| tracked.key().clone()).collect(),
            }
        });
        let mut text = String::with_capacity(kept.text.len() + 1);
        text.push_str(&kept.text);
        text.push('}');
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Map, Value};
    use tidegate_protocol::presence::Meta;

    use super::*;

    fn tracked(user: &str, phx_ref: &str) -> Tracked {
        Tracked {
            sequence: 0,
            user: user.into(),
            key: None,
            hidden: false,
            meta: Arc::new(Meta {
                phx_ref: phx_ref.into(),
                phx_ref_prev: None,
                online_at: 7,
                extra: Map::new(),
            }),
        }
    }

    /// However it came about, the text says what writing it anew would say.
    #[test]
    fn the_kept_text_is_what_would_be_written_anew() {
        let mut kept = StateText::default();
        let mut all = Vec::new();
        for (user, phx_ref) in [
            ("ann", "1"),
            ("b\"e", "2"),
            ("ann", "3"),
            ("cid", "4"),
            ("dan", "5"),
        ] {
            let one = tracked(user, phx_ref);
            all.push(one.clone());
            kept.joined(&one);
            let text: Value = serde_json::from_str(&kept.get(|| all.clone())).unwrap();
            let anew: Value = serde_json::from_str(&state_json(all.iter())).unwrap();
            assert_eq!(text, anew);
        }
        all.remove(1);
        kept.forget();
        let text: Value = serde_json::from_str(&kept.get(|| all.clone())).unwrap();
        assert_eq!(text.as_object().unwrap().len(), 3);
    }

    #[test]
    fn newcomers_do_not_have_it_written_anew() {
        let mut kept = StateText::default();
        assert_eq!(kept.get(Vec::new), "{}");
        for user in ["ann", "ben", "cid"] {
            kept.joined(&tracked(user, user));
        }
        let text = kept.get(|| unreachable!("it is kept"));
        let state: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(state["cid"]["metas"][0]["phx_ref"], "cid");
    }
}
