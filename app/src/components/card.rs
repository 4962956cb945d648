//! A titled surface.

use leptos::prelude::*;

/// `<Card title="Bus"><p>..</p></Card>`; what `actions` gives stands right of the title.
#[component]
pub fn Card(
    /// Its heading.
    #[prop(into)]
    title: String,
    /// Buttons or badges on the line of the title.
    #[prop(into, optional)]
    actions: Option<ViewFn>,
    /// What it shows.
    children: Children,
) -> impl IntoView {
    let label = title.clone();
    view! {
        <section class="card" aria-label=label>
            <header class="card-head">
                <h2 class="card-title">{title}</h2>
                {actions.map(|actions| view! { <div class="card-actions">{actions.run()}</div> })}
            </header>
            <div class="card-body">{children()}</div>
        </section>
    }
}
