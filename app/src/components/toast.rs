//! Short sentences that come and go: what an action did, or why it failed.
//!
//! At most four are shown; the oldest makes room. Good news goes after six seconds, bad news
//! stays until it is closed.

use leptos::prelude::*;

use super::{IconButton, Shape, Tone};

const MOST: usize = 4;
#[cfg(feature = "hydrate")]
const SHOWN: std::time::Duration = std::time::Duration::from_secs(6);

#[derive(Debug, Clone, PartialEq)]
struct Toast {
    id: u64,
    tone: Tone,
    text: String,
}

/// The page's toasts; get them with [`use_toasts`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next: RwSignal<u64>,
}

impl Toasts {
    /// Shows a sentence.
    pub fn say(&self, tone: Tone, text: impl Into<String>) {
        let id = self.next.get_untracked();
        self.next.set(id + 1);
        self.shown.update(|shown| {
            shown.push(Toast {
                id,
                tone,
                text: text.into(),
            });
            if shown.len() > MOST {
                shown.remove(0);
            }
        });
        #[cfg(feature = "hydrate")]
        if !matches!(tone, Tone::Bad | Tone::Warn) {
            let toasts = *self;
            set_timeout(move || toasts.close(id), SHOWN);
        }
    }

    fn close(&self, id: u64) {
        // The page may be gone when the timer fires.
        let _ = self
            .shown
            .try_update(|shown| shown.retain(|toast| toast.id != id));
    }
}

/// The page's toasts.
pub fn use_toasts() -> Toasts {
    use_context::<Toasts>().unwrap_or_default()
}

/// Where they appear; rendered once, by the app.
#[component]
pub fn ToastHost() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.shown.get() key=|toast| toast.id let(toast)>
                <div class="toast" data-tone=toast.tone.name()>
                    <p>{toast.text.clone()}</p>
                    <IconButton
                        label="Close"
                        icon=Shape::Cross
                        on:click=move |_| toasts.close(toast.id)
                    />
                </div>
            </For>
        </div>
    }
}
