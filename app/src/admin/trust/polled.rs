//! What is asked for every few seconds, since nobody says when it changes; and what stands in for it.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::admin::paged::Skeleton;
use crate::admin::state::use_admin_state;
use crate::components::{Button, EmptyState, Shape};
use crate::http::ApiError;
use crate::timing;

/// How often it is asked for, in milliseconds.
const REFRESH_MS: u32 = 5_000;

/// What was last answered, or why nothing was.
pub(super) struct Polled<T: Send + Sync + 'static> {
    known: RwSignal<Option<Result<T, String>>>,
    /// Asks at once.
    pub(super) reload: Callback<()>,
}

impl<T: Send + Sync + 'static> Clone for Polled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Polled<T> {}

impl<T: Send + Sync + 'static> Polled<T> {
    /// Looks at what is known, without being told when it changes.
    pub(super) fn now<Seen>(self, look: impl FnOnce(&T) -> Seen) -> Option<Seen> {
        self.known
            .with_untracked(|known| known.as_ref()?.as_ref().ok().map(look))
    }
}

/// Asks as long as the component is there that calls this, except while nobody looks at the page. What
/// has not changed draws nothing anew.
pub(super) fn polled<T, Answer>(ask: fn() -> Answer) -> Polled<T>
where
    T: PartialEq + Send + Sync + 'static,
    Answer: Future<Output = Result<T, ApiError>> + 'static,
{
    let state = use_admin_state();
    let known = RwSignal::new(None);
    let load = move || async move {
        let answer = ask().await.map_err(|error| state.words(&error));
        if known.try_with_untracked(|known| known.as_ref() != Some(&answer)) == Some(true) {
            known.set(Some(answer));
        }
    };
    Effect::new(move |_| {
        spawn_local(async move {
            while known.try_with_untracked(|_| ()).is_some() {
                if !timing::hidden() {
                    load().await;
                }
                timing::pause(REFRESH_MS).await;
            }
        });
    });
    Polled {
        known,
        reload: Callback::new(move |()| spawn_local(load())),
    }
}

/// What is known, drawn by `show`; before there is an answer, and where there is none, what stands in
/// for it.
#[component]
pub(super) fn Known<T, Show>(
    /// What is asked for.
    polled: Polled<T>,
    /// What it is, for instance `keys`.
    what: &'static str,
    /// How many rows it will have, about.
    rows: usize,
    /// Draws it.
    show: Show,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    Show: Fn(T) -> AnyView + Send + 'static,
{
    move || match polled.known.get() {
        None => view! { <Skeleton rows/> }.into_any(),
        Some(Err(words)) => view! {
            <EmptyState title=format!("The {what} could not be had") icon=Shape::Alert>
                <p>{words}</p>
                <Button on:click=move |_| polled.reload.run(())>"Try again"</Button>
            </EmptyState>
        }
        .into_any(),
        Some(Ok(answer)) => show(answer),
    }
}
