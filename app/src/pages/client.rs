//! The client test page.

use leptos::prelude::*;
use leptos_meta::Title;

/// `/client` and `/?name=alice`.
#[component]
pub fn ClientPage() -> impl IntoView {
    view! {
        <Title text="Client"/>
        <div class="page"><h1>"Client"</h1></div>
    }
}
