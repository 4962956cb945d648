//! A secret that is shown once: to be copied, and gone when the page is left.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Button, ButtonKind, Tone, use_toasts};

/// What was made, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// The secret.
    pub(super) secret: String,
    /// What it is, in a sentence.
    pub(super) about: String,
}

/// Shows what is in `made` until somebody is done with it or leaves the page. The field is not one
/// that a browser remembers, and the address knows nothing of it.
#[component]
pub(super) fn Secret(
    /// What is shown.
    made: RwSignal<Option<Made>>,
    /// What it is called: `token`, `API key`.
    what: &'static str,
) -> impl IntoView {
    forget_when_left(made);
    let toasts = use_toasts();
    let copy = move |_| {
        let Some(Made { secret, .. }) = made.get_untracked() else {
            return;
        };
        spawn_local(async move {
            match copied(&secret).await {
                true => toasts.say(Tone::Good, format!("The {what} is copied.")),
                false => toasts.say(
                    Tone::Warn,
                    format!("The browser does not let the page copy: mark the {what} and copy it by hand."),
                ),
            }
        });
    };
    move || {
        made.get().map(|Made { secret, about }| {
            let rows = 1 + secret.len() / 40;
            view! {
                <div class="secret notice" data-tone="good" role="status">
                    <strong>{about}</strong>
                    <textarea
                        class="input mono"
                        aria-label=format!("The new {what}")
                        autocomplete="off"
                        spellcheck="false"
                        readonly
                        rows=rows.min(8).to_string()
                        prop:value=secret
                    ></textarea>
                    <p>
                        {format!("This is the only time the {what} is shown. Copy it now: whoever has it can use it.")}
                    </p>
                    <div class="row">
                        <Button kind=ButtonKind::Primary on:click=copy>"Copy"</Button>
                        <Button on:click=move |_| made.set(None)>"Done"</Button>
                    </div>
                </div>
            }
        })
    }
}

/// A browser may keep the whole page for its back button; the secret goes before.
fn forget_when_left(made: RwSignal<Option<Made>>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let left = window_event_listener_untyped("pagehide", move |_| {
            made.try_set(None);
        });
        on_cleanup(move || left.remove());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = made;
}

async fn copied(text: &str) -> bool {
    #[cfg(feature = "hydrate")]
    return crate::browser::copy(text).await;
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = text;
        false
    }
}
