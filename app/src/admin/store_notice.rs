//! What is so while the store is lost, on pages that would change what it holds.

use leptos::prelude::*;
use tidegate_protocol::system::{StoreInfo, StoreState};

use super::state::use_admin_state;

/// The state of the store in a sentence or two.
pub(super) fn store_words(store: &StoreInfo) -> String {
    let kind = match store.kind.as_str() {
        "postgresql" => "PostgreSQL",
        "sqlite" => "SQLite",
        other => other,
    };
    match store.state {
        StoreState::Ready if store.waiting == 0 => format!("{kind} answers."),
        StoreState::Ready => format!("{kind} answers; {} records wait to be written.", store.waiting),
        StoreState::None => {
            "Nothing outlives this process: keys, users, tokens and definitions are forgotten when it ends. Start the gateway with --data-dir or --database-url to keep them."
                .to_owned()
        }
        StoreState::Lost => {
            let detail = store.detail.as_deref().unwrap_or("it does not answer");
            format!(
                "{kind} is lost: {detail}. Live traffic goes on, joins and tokens are checked as before. Changes of keys, users, tokens and definitions are refused until it is back; the gateway tries again by itself."
            )
        }
    }
}

/// A notice while the store is lost; nothing otherwise.
#[component]
pub(super) fn StoreNotice() -> impl IntoView {
    let state = use_admin_state();
    let lost = Memo::new(move |_| {
        state.store.with(|store| {
            let lost = store.as_ref().filter(|s| s.state == StoreState::Lost);
            lost.map(store_words)
        })
    });
    move || {
        lost.get().map(|words| {
            view! {
                <p class="notice" data-tone="bad" role="alert">
                    {words}
                </p>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_store_says_what_goes_on_and_what_does_not() {
        let mut store = StoreInfo {
            state: StoreState::Lost,
            kind: "sqlite".to_owned(),
            detail: Some("the disk is full".to_owned()),
            connections: 1,
            waiting: 0,
        };
        let words = store_words(&store);
        assert!(
            words.starts_with("SQLite is lost: the disk is full."),
            "{words}"
        );
        assert!(words.contains("Live traffic goes on"));
        store.state = StoreState::Ready;
        assert_eq!(store_words(&store), "SQLite answers.");
        store.waiting = 3;
        assert!(store_words(&store).contains("3 records wait"));
    }
}
