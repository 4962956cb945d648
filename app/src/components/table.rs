//! A table that scrolls sideways inside its own frame and can sort by its headings.

use leptos::prelude::*;

use super::{Icon, Shape};

/// One heading.
#[derive(Debug, Clone)]
pub struct Column {
    /// What it says.
    pub title: &'static str,
    /// Numbers stand on the right.
    pub numeric: bool,
    /// The key it sorts by, if it can.
    pub sort: Option<&'static str>,
}

impl Column {
    /// A column of words.
    pub fn text(title: &'static str) -> Self {
        Self {
            title,
            numeric: false,
            sort: None,
        }
    }

    /// A column of numbers.
    pub fn number(title: &'static str) -> Self {
        Self {
            title,
            numeric: true,
            sort: None,
        }
    }

    /// The same column, sortable by `key`.
    pub fn by(self, key: &'static str) -> Self {
        Self {
            sort: Some(key),
            ..self
        }
    }
}

/// The head of a table; its rows (`<tr>`) are the children.
#[component]
pub fn Table(
    /// What it lists; read aloud, not shown.
    #[prop(into)]
    caption: String,
    /// Its headings.
    columns: Vec<Column>,
    /// The key it is sorted by, and whether from the largest down.
    #[prop(optional)]
    sorted: Option<RwSignal<(&'static str, bool)>>,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let head = columns
        .into_iter()
        .map(|column| {
            let title = column.title;
            let class = if column.numeric { "number" } else { "" };
            match column.sort.zip(sorted) {
                Some((key, sorted)) => view! {
                    <th
                        scope="col"
                        class=class
                        aria-sort=move || match sorted.get() {
                            (k, true) if k == key => "descending",
                            (k, false) if k == key => "ascending",
                            _ => "none",
                        }
                    >
                        <button
                            type="button"
                            class="table-sort"
                            on:click=move |_| {
                                sorted.update(|s| *s = (key, s.0 == key && !s.1));
                            }
                        >
                            {title}
                            {move || {
                                let (k, down) = sorted.get();
                                (k == key)
                                    .then(|| {
                                        view! {
                                            <Icon shape=if down { Shape::Down } else { Shape::Up }/>
                                        }
                                    })
                            }}
                        </button>
                    </th>
                }
                .into_any(),
                None => view! { <th scope="col" class=class>{title}</th> }.into_any(),
            }
        })
        .collect_view();
    let label = caption.clone();
    view! {
        <div class="table-frame" tabindex="0" role="region" aria-label=label>
            <table class="table">
                <caption class="visually-hidden">{caption}</caption>
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}
