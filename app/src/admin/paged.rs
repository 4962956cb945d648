//! A list that the gateway hands out page by page: searching, turning pages, refreshing.
//!
//! What changes on the gateway reaches the page over the `admin` channel; the list then asks
//! again, at most every two seconds, and by itself every five, for the rates in it. What the store
//! holds is asked for anew at a [`Pace`] of its own.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::state::AdminState;
use crate::components::{Button, EmptyState, Shape};
use crate::format;
use crate::http::{self, ApiError, segment};
use crate::timing;

/// Rows on a page.
const LIMIT: usize = 50;

/// The shortest time between two refreshes, in milliseconds.
const SHORTEST_MS: f64 = 2000.0;

/// The longest, in milliseconds.
const LONGEST_MS: f64 = 5000.0;

/// How long typing pauses before the search begins, in milliseconds.
const TYPING_MS: u32 = 250;

/// How the last request went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loading {
    /// Nothing has come yet.
    First,
    /// What is shown is what there was.
    Done,
    /// There is no such list (any more).
    Missing,
    /// It could not be had, in words.
    Failed(String),
}

/// When a list is asked for anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// When channels or members change, and now and then.
    Traffic,
    /// Now and then.
    Calm,
    /// Every two seconds.
    Quick,
}

/// What the gateway answers: a page, a part without a total, or all there is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    All(Vec<T>),
    Some {
        items: Vec<T>,
        #[serde(default)]
        total: Option<u64>,
        #[serde(default)]
        next: Option<String>,
    },
}

/// One list.
pub(crate) struct Paged<T: Send + Sync + 'static> {
    path: StoredValue<String>,
    state: AdminState,
    pace: Pace,
    /// What else is asked, as it stands in the address: `&kid=a`.
    query: Signal<String>,
    pub(crate) search: RwSignal<String>,
    pub(crate) items: RwSignal<Vec<T>>,
    pub(crate) total: RwSignal<Option<u64>>,
    pub(crate) loading: RwSignal<Loading>,
    /// Where each page up to this one starts; the first one at none.
    starts: RwSignal<Vec<Option<String>>>,
    next: RwSignal<Option<String>>,
    /// Answers to older questions are thrown away.
    question: StoredValue<u64>,
}

impl<T: Send + Sync + 'static> Clone for Paged<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Paged<T> {}

impl<T: DeserializeOwned + Clone + PartialEq + Send + Sync + 'static> Paged<T> {
    /// A list that loads in the browser and stays fresh until its owner is cleaned up.
    pub(crate) fn new(state: AdminState, path: String) -> Self {
        Self::asking(state, path, Pace::Traffic, Signal::stored(String::new()))
    }

    /// The same, with more to ask for; it begins anew when that changes.
    pub(crate) fn asking(
        state: AdminState,
        path: String,
        pace: Pace,
        query: Signal<String>,
    ) -> Self {
        let list = Self {
            path: StoredValue::new(path),
            state,
            pace,
            query,
            search: RwSignal::default(),
            items: RwSignal::default(),
            total: RwSignal::default(),
            loading: RwSignal::new(Loading::First),
            starts: RwSignal::new(vec![None]),
            next: RwSignal::default(),
            question: StoredValue::default(),
        };
        Effect::new(move |typed: Option<u64>| {
            list.search.track();
            list.query.track();
            list.starts.set(vec![None]);
            let typed = typed.map_or(0, |n| n + 1);
            spawn_local(async move {
                // The first time there is nothing to wait for.
                if typed > 0 {
                    timing::pause(TYPING_MS).await;
                }
                list.load().await;
            });
            typed
        });
        Effect::new(move |_| spawn_local(list.keep_fresh()));
        list
    }

    async fn keep_fresh(self) {
        let mut seen = self.state.changes.try_get_untracked().unwrap_or_default();
        let mut last = timing::now_ms();
        loop {
            timing::pause(500).await;
            let Some(changes) = self.state.changes.try_get_untracked() else {
                return;
            };
            if self.items.try_with_untracked(|_| ()).is_none() {
                return;
            }
            let age = timing::now_ms() - last;
            let due = match self.pace {
                Pace::Traffic => changes != seen,
                Pace::Calm => false,
                Pace::Quick => true,
            };
            if (due && age >= SHORTEST_MS) || age >= LONGEST_MS {
                seen = changes;
                if !timing::hidden() {
                    self.load().await;
                }
                last = timing::now_ms();
            }
        }
    }

    /// Asks again for the page that is shown.
    pub(crate) fn refresh(self) {
        spawn_local(self.load());
    }

    async fn load(self) {
        let Some(question) = self.question.try_update_value(|n| {
            *n += 1;
            *n
        }) else {
            return;
        };
        let Some(mut path) = self.path.try_get_value() else {
            return;
        };
        path.push_str(&format!("?limit={LIMIT}"));
        self.query.with_untracked(|query| path.push_str(query));
        self.search.with_untracked(|search| {
            if !search.trim().is_empty() {
                path.push_str(&format!("&search={}", segment(search.trim())));
            }
        });
        if let Some(after) = self.starts.with_untracked(|s| s.last().cloned().flatten()) {
            path.push_str(&format!("&after={}", segment(&after)));
        }
        let answer = http::get::<Answer<T>>(&path).await;
        if self.question.try_get_value() != Some(question) {
            return;
        }
        match answer {
            Ok(answer) => {
                let (items, total, next) = match answer {
                    Answer::All(items) => (items, None, None),
                    Answer::Some { items, total, next } => (items, total, next),
                };
                self.total.set(total);
                self.next.set(next);
                if self.items.with_untracked(|shown| *shown != items) {
                    self.items.set(items);
                }
                self.loading.set(Loading::Done);
            }
            Err(ApiError::Refused { status: 404, .. }) => self.loading.set(Loading::Missing),
            Err(error) => {
                let words = self.state.words(&error);
                self.loading.set(Loading::Failed(words));
            }
        }
    }

    fn turn(self, change: impl FnOnce(&mut Vec<Option<String>>)) {
        self.starts.update(change);
        self.refresh();
    }
}

/// Which rows of how many are shown.
fn range_words(before: usize, shown: usize, total: Option<u64>, what: &str) -> String {
    let (from, to) = (before + 1, before + shown);
    match total {
        _ if shown == 0 => format!("No {what}"),
        Some(total) => {
            format!(
                "{from}–{to} of {} {what}",
                format::grouped(total.cast_signed())
            )
        }
        None => format!("{from}–{to} of more {what}"),
    }
}

/// The number of rows, and the buttons that turn pages where there is more than one.
#[component]
pub(crate) fn Pager<T>(
    /// The list.
    list: Paged<T>,
    /// What its rows are, for instance `channels`.
    what: &'static str,
) -> impl IntoView
where
    T: DeserializeOwned + Clone + PartialEq + Send + Sync + 'static,
{
    let first = move || list.starts.with(|starts| starts.len() <= 1);
    let last = move || list.next.with(Option::is_none);
    let range = move || {
        let shown = list.items.with(Vec::len);
        let before = (list.starts.with(Vec::len) - 1) * LIMIT;
        let total = list
            .total
            .get()
            .or(last().then_some((before + shown) as u64));
        range_words(before, shown, total, what)
    };
    view! {
        <nav class="pager" aria-label=format!("Pages of {what}")>
            <span class="muted" role="status">{range}</span>
            <div class="row" hidden=move || first() && last()>
                <Button
                    disabled=Signal::derive(first)
                    on:click=move |_| list.turn(|starts| {
                        starts.pop();
                    })
                >
                    "Previous"
                </Button>
                <Button
                    disabled=Signal::derive(last)
                    on:click=move |_| {
                        let next = list.next.get_untracked();
                        list.turn(|starts| starts.push(next));
                    }
                >
                    "Next"
                </Button>
            </div>
        </nav>
    }
}

/// Stands in for the rows: a skeleton, why there are none, or what went wrong.
#[component]
pub(crate) fn Standin<T>(
    /// The list.
    list: Paged<T>,
    /// What is said when there is nothing.
    empty: &'static str,
    /// Why there is nothing, and what to do.
    why: &'static str,
) -> impl IntoView
where
    T: DeserializeOwned + Clone + PartialEq + Send + Sync + 'static,
{
    move || match list.loading.get() {
        Loading::First => view! { <Skeleton rows=6/> }.into_any(),
        Loading::Failed(words) => view! {
            <EmptyState title="The list could not be had" icon=Shape::Alert>
                <p>{words}</p>
                <Button on:click=move |_| list.refresh()>"Try again"</Button>
            </EmptyState>
        }
        .into_any(),
        Loading::Done if list.items.with(Vec::is_empty) => {
            if list.search.with(|search| search.trim().is_empty()) {
                view! { <EmptyState title=empty icon=Shape::List>{why}</EmptyState> }.into_any()
            } else {
                view! {
                    <EmptyState title="Nothing matches the search" icon=Shape::Search>
                        <Button on:click=move |_| {
                            list.search.set(String::new());
                        }>"Clear the search"</Button>
                    </EmptyState>
                }
                .into_any()
            }
        }
        Loading::Missing => {
            view! { <EmptyState title=empty icon=Shape::List>{why}</EmptyState> }.into_any()
        }
        Loading::Done => ().into_any(),
    }
}

/// Grey lines where rows will be.
#[component]
pub(crate) fn Skeleton(
    /// How many.
    rows: usize,
) -> impl IntoView {
    view! {
        <div class="skeleton" role="status" aria-label="Loading">
            {(0..rows).map(|_| view! { <span></span> }).collect_view()}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_list_is_understood() {
        let read = |text: &str| match serde_json::from_str(text).unwrap() {
            Answer::<u8>::All(items) => (items, None, None),
            Answer::Some { items, total, next } => (items, total, next),
        };
        assert_eq!(read("[1]"), (vec![1], None, None));
        assert_eq!(read(r#"{"items":[1],"total":9}"#), (vec![1], Some(9), None));
        let part = read(r#"{"items":[1],"next":"b"}"#);
        assert_eq!(part, (vec![1], None, Some("b".to_owned())));
    }

    #[test]
    fn rows_are_counted_as_far_as_they_are_known() {
        assert_eq!(
            range_words(50, 50, Some(120), "tokens"),
            "51–100 of 120 tokens"
        );
        assert_eq!(range_words(0, 50, None, "tokens"), "1–50 of more tokens");
        assert_eq!(range_words(0, 0, Some(0), "tokens"), "No tokens");
    }
}
