//! A form of the admin pages. Its fields are open only while what is typed into them counts: not in
//! a page that the gateway has rendered and WebAssembly has not taken over yet, where the browser
//! itself would send the form, and not before what the form changes is known, which would then
//! overwrite it.

use leptos::prelude::*;

use super::state::use_admin_state;

/// `<Form label="Add a user" send=add>...</Form>`
#[component]
pub(in crate::admin) fn Form<Send: Fn() + 'static>(
    /// What it is for; read aloud, not shown.
    #[prop(into)]
    label: String,
    /// Whether its fields hold what they should.
    #[prop(into, default = Signal::stored(true))]
    ready: Signal<bool>,
    /// Checks what was typed, and sends it.
    send: Send,
    /// The fields and the button.
    children: Children,
) -> impl IntoView {
    let alive = use_admin_state().alive;
    view! {
        <form
            aria-label=label
            on:submit=move |ev| {
                ev.prevent_default();
                send();
            }
        >
            <fieldset class="plain stack" disabled=move || !(alive.get() && ready.get())>
                {children()}
            </fieldset>
        </form>
    }
}
