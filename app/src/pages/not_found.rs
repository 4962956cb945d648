//! What an address that leads nowhere shows.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{EmptyState, Shape};
use crate::connection::{Link, use_page_connection};

/// Also answers 404 when the server renders it (the server's fallback sets the status).
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let link = use_page_connection().link;
    Effect::new(move |_| link.set(Link::None));
    view! {
        <Title text="Not found"/>
        <div class="page page-centre">
            <EmptyState title="There is no page at this address" icon=Shape::Search>
                <p>"The link may be old, or the address mistyped."</p>
                <p><a class="button" data-kind="primary" href="/">"Go to the Live page"</a></p>
            </EmptyState>
        </div>
    }
}
