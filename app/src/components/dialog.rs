//! A modal dialog over the native `<dialog>`, which keeps focus inside and closes on Escape.

use leptos::html;
use leptos::prelude::*;

/// Shown while `open` is true; closing it by any means sets `open` to false.
#[component]
pub fn Dialog(
    /// Whether it is shown.
    open: RwSignal<bool>,
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// What it shows; buttons go into an element of class `dialog-actions`.
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = node.get() else { return };
        if open && !dialog.open() {
            // Fails only for a dialog outside of the document, which shows nothing anyway.
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog class="dialog" node_ref=node on:close=move |_| open.set(false) aria-labelledby="dialog-title">
            <h2 class="dialog-title" id="dialog-title">{move || title.get()}</h2>
            {children()}
        </dialog>
    }
}
