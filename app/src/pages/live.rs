//! The Live page.

use leptos::prelude::*;
use leptos_meta::Title;

/// `/`.
#[component]
pub fn LivePage() -> impl IntoView {
    view! {
        <Title text="Live"/>
        <div class="page"><h1>"Live"</h1></div>
    }
}
