//! A word or number that qualifies what stands beside it.

use leptos::prelude::*;

/// What a badge, toast or notice means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Says, without judging.
    #[default]
    Neutral,
    /// Belongs to what the page is about.
    Accent,
    /// As it should be.
    Good,
    /// Deserves a look.
    Warn,
    /// Is wrong.
    Bad,
}

impl Tone {
    /// The value of `data-tone`, which the style sheets select on.
    pub fn name(self) -> &'static str {
        match self {
            Tone::Neutral => "neutral",
            Tone::Accent => "accent",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

/// `<Badge tone=Tone::Good>"up"</Badge>`
#[component]
pub fn Badge(
    /// What it means.
    #[prop(into, optional)]
    tone: Signal<Tone>,
    /// The word or number.
    children: Children,
) -> impl IntoView {
    view! {
        <span class="badge" data-tone=move || tone.get().name()>
            {children()}
        </span>
    }
}
