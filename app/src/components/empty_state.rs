//! What stands where there is nothing yet: says why, and what to do about it.

use leptos::prelude::*;

use super::{Icon, Shape};

/// `<EmptyState title="No channel matches" icon=Shape::Search>"Clear the search."</EmptyState>`
#[component]
pub fn EmptyState(
    /// What is the case, in a few words.
    #[prop(into)]
    title: Signal<String>,
    /// A picture of it.
    #[prop(optional)]
    icon: Option<Shape>,
    /// Why, and what to do.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty-state">
            {icon.map(|shape| view! { <Icon shape=shape/> })}
            <p class="empty-title">{move || title.get()}</p>
            {children.map(|children| view! { <div class="empty-text">{children()}</div> })}
        </div>
    }
}
