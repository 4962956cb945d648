//! The question before something is removed or closed.

use std::sync::Arc;

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, Dialog};

/// One question.
#[derive(Clone)]
struct Question {
    title: String,
    text: String,
    button: &'static str,
    /// Not a `Callback`, which would end with the row that asks: rows are drawn anew at any time,
    /// and the question still stands.
    act: Arc<dyn Fn() + Send + Sync>,
}

/// Asks; get it with [`use_confirm`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Confirm {
    open: RwSignal<bool>,
    question: RwSignal<Option<Question>>,
}

impl Confirm {
    /// Runs `act` when the question is answered with `button`.
    pub(crate) fn ask(
        &self,
        title: impl Into<String>,
        text: impl Into<String>,
        button: &'static str,
        act: impl Fn() + Send + Sync + 'static,
    ) {
        let question = Question {
            title: title.into(),
            text: text.into(),
            button,
            act: Arc::new(act),
        };
        self.question.set(Some(question));
        self.open.set(true);
    }
}

/// The page's question.
pub(crate) fn use_confirm() -> Confirm {
    use_context::<Confirm>().unwrap_or_default()
}

/// The dialog; rendered once, by the admin page.
#[component]
pub(crate) fn ConfirmHost() -> impl IntoView {
    let Confirm { open, question } = use_confirm();
    let part = move |read: fn(Question) -> String| {
        Signal::derive(move || question.get().map(read).unwrap_or_default())
    };
    let text = part(|question| question.text);
    let button = part(|question| question.button.to_owned());
    view! {
        <Dialog open=open title=part(|question| question.title)>
            <p>{move || text.get()}</p>
            <div class="dialog-actions">
                <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                <Button
                    kind=ButtonKind::Danger
                    on:click=move |_| {
                        open.set(false);
                        if let Some(question) = question.get_untracked() {
                            (question.act)();
                        }
                    }
                >
                    {move || button.get()}
                </Button>
            </div>
        </Dialog>
    }
}
