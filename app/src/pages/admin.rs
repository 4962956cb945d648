//! The admin pages.

use leptos::prelude::*;
use leptos_meta::Title;

/// `/admin` and everything below it.
#[component]
pub fn AdminPage() -> impl IntoView {
    view! {
        <Title text="Admin"/>
        <div class="page"><h1>"Admin"</h1></div>
    }
}
