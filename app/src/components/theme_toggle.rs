//! Light, dark, or as the system says. The choice is kept by `/theme.js`, which also applies it
//! before the first paint.

use leptos::prelude::*;

use super::{IconButton, Shape};

/// A button that goes through system, light and dark.
#[component]
pub fn ThemeToggle() -> impl IntoView {
    let theme = RwSignal::new("system");
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| theme.set(crate::browser::theme()));
    let label = Signal::derive(move || {
        let now = theme.get();
        format!("Theme: {now}. Change to {}.", after(now))
    });
    let cycle = move |_| {
        let next = after(theme.get_untracked());
        #[cfg(feature = "hydrate")]
        crate::browser::set_theme(next);
        theme.set(next);
    };
    let icon = Signal::derive(move || match theme.get() {
        "light" => Shape::Sun,
        "dark" => Shape::Moon,
        _ => Shape::Contrast,
    });
    view! { <IconButton label icon on:click=cycle/> }
}

fn after(theme: &str) -> &'static str {
    match theme {
        "system" => "light",
        "light" => "dark",
        _ => "system",
    }
}
