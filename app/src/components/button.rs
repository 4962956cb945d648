//! Buttons: with words, or with an icon and a name for those who do not see it.

use leptos::prelude::*;

use super::{Icon, Shape};

/// How much weight a button has on its screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one thing to do here.
    Primary,
    /// Anything else.
    #[default]
    Secondary,
    /// In a row of others, without a border.
    Quiet,
    /// Ends or removes something.
    Danger,
}

impl ButtonKind {
    fn name(self) -> &'static str {
        match self {
            ButtonKind::Primary => "primary",
            ButtonKind::Secondary => "secondary",
            ButtonKind::Quiet => "quiet",
            ButtonKind::Danger => "danger",
        }
    }
}

/// `<Button kind=ButtonKind::Primary on:click=move |_| send()>"Send"</Button>`
#[component]
pub fn Button(
    /// How much weight it has.
    #[prop(optional)]
    kind: ButtonKind,
    /// Sends the form it is in instead of being a plain button.
    #[prop(optional)]
    submit: bool,
    /// Whether it can be pressed.
    #[prop(into, optional)]
    disabled: Signal<bool>,
    /// Its words.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class="button"
            data-kind=kind.name()
            type=if submit { "submit" } else { "button" }
            disabled=move || disabled.get()
        >
            {children()}
        </button>
    }
}

/// A square button with an icon; `label` is its name for screen readers and its tooltip.
#[component]
pub fn IconButton(
    /// What it does, in a word or two.
    #[prop(into)]
    label: Signal<String>,
    /// The icon.
    #[prop(into)]
    icon: Signal<Shape>,
    /// For a button that stays down.
    #[prop(into, optional)]
    pressed: Option<Signal<bool>>,
) -> impl IntoView {
    view! {
        <button
            class="button icon-button"
            data-kind="quiet"
            type="button"
            title=move || label.get()
            aria-label=move || label.get()
            aria-pressed=move || pressed.map(|p| if p.get() { "true" } else { "false" })
        >
            <Icon shape=icon/>
        </button>
    }
}
