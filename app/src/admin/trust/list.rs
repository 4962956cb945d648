//! A list of the store as a table: what stands in for it, its rows, its pages.

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin::paged::{Paged, Pager, Standin};
use crate::components::{Column, Table};

/// A row is drawn anew when anything in it has changed.
#[component]
pub(super) fn ListTable<T, Row>(
    /// The list.
    list: Paged<T>,
    /// What its rows are, for instance `users`.
    what: &'static str,
    /// Its headings.
    columns: Vec<Column>,
    /// What is said when there is nothing.
    empty: &'static str,
    /// Why there is nothing, and what to do.
    why: &'static str,
    /// A row of the table.
    row: Row,
) -> impl IntoView
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static,
    Row: Fn(T) -> AnyView + Clone + Send + 'static,
{
    view! {
        <Standin list empty why/>
        <div hidden=move || list.items.with(Vec::is_empty)>
            <Table caption=capital(what) columns>
                <For
                    each=move || list.items.get()
                    key=|item| serde_json::to_string(item).unwrap_or_default()
                    children=row
                />
            </Table>
        </div>
        <Pager list what/>
    }
}

fn capital(what: &str) -> String {
    let mut chars = what.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>());
    first.unwrap_or_default() + chars.as_str()
}
