//! Tabs with the keyboard behaviour of the ARIA pattern: arrows move, Home and End jump.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::{Icon, Shape};

/// One tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tab {
    /// Its key; also part of its element's id (`tab-<key>`).
    pub key: &'static str,
    /// What it says.
    pub title: &'static str,
    /// Its icon.
    pub icon: Option<Shape>,
}

/// The row of tabs; pair with one [`TabPanel`] per tab.
#[component]
pub fn Tabs(
    /// What is chosen here.
    #[prop(into)]
    label: String,
    /// The tabs in order.
    tabs: Vec<Tab>,
    /// The key of the chosen one.
    selected: RwSignal<&'static str>,
) -> impl IntoView {
    let keys: Vec<&'static str> = tabs.iter().map(|tab| tab.key).collect();
    let on_key = move |ev: KeyboardEvent| {
        let at = keys
            .iter()
            .position(|key| *key == selected.get_untracked())
            .unwrap_or(0);
        let Some(to) = step(at, keys.len(), &ev.key()) else {
            return;
        };
        ev.prevent_default();
        selected.set(keys[to]);
        #[cfg(feature = "hydrate")]
        crate::browser::focus(&format!("tab-{}", keys[to]));
    };
    view! {
        <div class="tabs" role="tablist" aria-label=label on:keydown=on_key>
            {tabs
                .into_iter()
                .map(|tab| {
                    let chosen = move || selected.get() == tab.key;
                    view! {
                        <button
                            type="button"
                            class="tab"
                            role="tab"
                            id=format!("tab-{}", tab.key)
                            aria-controls=format!("panel-{}", tab.key)
                            aria-selected=move || chosen().to_string()
                            tabindex=move || if chosen() { "0" } else { "-1" }
                            on:click=move |_| selected.set(tab.key)
                        >
                            {tab.icon.map(|shape| view! { <Icon shape=shape/> })}
                            <span>{tab.title}</span>
                        </button>
                    }
                })
                .collect_view()}
        </div>
    }
}

/// What a tab shows. It stays in the document when another is chosen, hidden.
#[component]
pub fn TabPanel(
    /// The key of its tab.
    tab: &'static str,
    /// The key of the chosen one.
    selected: RwSignal<&'static str>,
    /// What it shows.
    children: Children,
) -> impl IntoView {
    view! {
        <div
            class="tab-panel"
            role="tabpanel"
            id=format!("panel-{tab}")
            aria-labelledby=format!("tab-{tab}")
            hidden=move || selected.get() != tab
        >
            {children()}
        </div>
    }
}

/// Where a key leads from tab `at` of `count`.
fn step(at: usize, count: usize, key: &str) -> Option<usize> {
    if count == 0 {
        return None;
    }
    match key {
        "ArrowRight" | "ArrowDown" => Some((at + 1) % count),
        "ArrowLeft" | "ArrowUp" => Some((at + count - 1) % count),
        "Home" => Some(0),
        "End" => Some(count - 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn arrows_wrap_around() {
        assert_eq!(step(2, 3, "ArrowRight"), Some(0));
        assert_eq!(step(0, 3, "ArrowLeft"), Some(2));
        assert_eq!(step(1, 3, "End"), Some(2));
        assert_eq!(step(1, 3, "a"), None);
        assert_eq!(step(0, 0, "Home"), None);
    }
}
