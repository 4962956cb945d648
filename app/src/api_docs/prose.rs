//! Descriptions: paragraphs, `code` and strong words, which is as much Markdown as there is in them.

use leptos::prelude::*;

/// A text of the document.
#[component]
pub(super) fn Prose(text: String) -> impl IntoView {
    let paragraphs = text.split("\n\n").filter(|part| !part.is_empty());
    paragraphs
        .map(|part| view! { <p class="api-prose">{spans(part)}</p> }.into_any())
        .collect_view()
}

/// The same within a line.
#[component]
pub(super) fn Words(text: String) -> impl IntoView {
    spans(&text)
}

fn spans(text: &str) -> Vec<AnyView> {
    let parts = text.split('`').enumerate();
    parts
        .flat_map(|(at, part)| {
            // Every second part stands between marks.
            if at % 2 == 1 {
                vec![view! { <code>{part.to_owned()}</code> }.into_any()]
            } else {
                strong(part)
            }
        })
        .collect()
}

fn strong(text: &str) -> Vec<AnyView> {
    let parts = text.split("**").enumerate();
    parts
        .map(|(at, part)| match at % 2 {
            1 => view! { <strong>{part.to_owned()}</strong> }.into_any(),
            _ => part.to_owned().into_any(),
        })
        .collect()
}
