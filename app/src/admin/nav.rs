//! The screens by group, as links with addresses of their own; only those that one's role is for.
//!
//! On wide windows all groups stand beside the screen. On narrower ones the groups are a line of
//! tabs, and the screens of the group that one is in stand below it.

use leptos::prelude::*;

use super::screen::Screen;
use super::state::use_admin_state;

/// Screens under one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    title: &'static str,
    screens: &'static [(Screen, &'static str)],
}

const GROUPS: [Group; 4] = [
    Group {
        title: "Traffic",
        screens: &[
            (Screen::Overview, "Overview"),
            (Screen::Channels, "Channels"),
            (Screen::Connections, "Connections"),
            (Screen::Live(None), "Live messages"),
            (Screen::Send(None), "Send"),
        ],
    },
    Group {
        title: "Rules",
        screens: &[
            (Screen::Definitions, "Definitions"),
            (Screen::Tokens, "Tokens"),
            (Screen::Keys, "Keys"),
        ],
    },
    Group {
        title: "People",
        screens: &[
            (Screen::Users, "Users"),
            (Screen::Sessions, "Sessions"),
            (Screen::ApiKeys, "API keys"),
        ],
    },
    Group {
        title: "Record",
        screens: &[
            (Screen::Activity, "Activity"),
            (Screen::Configuration, "Configuration"),
        ],
    },
];

impl Group {
    /// Whether this screen is one of the group.
    fn holds(&self, screen: &Screen) -> bool {
        self.screens.iter().any(|(to, _)| screen.belongs_to(to))
    }
}

/// The groups with the screens in them.
#[component]
pub(super) fn Nav(
    /// The one that is shown.
    screen: Memo<Screen>,
) -> impl IntoView {
    let state = use_admin_state();
    let offered = move |group: &Group| -> Vec<(Screen, &'static str)> {
        let all = group.screens.iter().cloned();
        all.filter(|(to, _)| state.may(to.needs())).collect()
    };
    // A screen that stands in no group (one's own account) leaves the first one open.
    let open = Memo::new(move |_| {
        let found = screen.with(|screen| GROUPS.iter().position(|group| group.holds(screen)));
        found.unwrap_or(0)
    });
    let tabs = move || {
        GROUPS
            .iter()
            .enumerate()
            .filter_map(|(n, group)| {
                let href = offered(group).first()?.0.path();
                let current = move || (open.get() == n).then_some("true");
                Some(view! {
                    <a class="tab" href=href aria-current=current>
                        {group.title}
                    </a>
                })
            })
            .collect_view()
    };
    let groups = move || {
        GROUPS
            .iter()
            .enumerate()
            .filter_map(|(n, group)| {
                let offered = offered(group);
                (!offered.is_empty()).then(|| {
                    // What programs may do stands beside what was done and what is set.
                    let api = (group.title == "Record").then(|| {
                        view! {
                            <a class="nav-link" href="/docs/api">
                                "HTTP API"
                            </a>
                        }
                    });
                    let links = offered
                        .into_iter()
                        .map(|(to, words)| view! { <ScreenLink screen to words/> })
                        .collect_view();
                    view! {
                        <div
                            class="nav-group"
                            role="group"
                            aria-label=group.title
                            data-open=move || (open.get() == n).to_string()
                        >
                            <span class="nav-title" aria-hidden="true">
                                {group.title}
                            </span>
                            {links}
                            {api}
                        </div>
                    }
                })
            })
            .collect_view()
    };
    view! {
        <nav class="admin-nav" aria-label="Admin pages">
            <div class="nav-tabs">{tabs}</div>
            {groups}
        </nav>
    }
}

#[component]
fn ScreenLink(screen: Memo<Screen>, to: Screen, words: &'static str) -> impl IntoView {
    let href = to.path();
    let current = move || {
        screen
            .with(|screen| screen.belongs_to(&to))
            .then_some("page")
    };
    view! {
        <a class="nav-link" href=href aria-current=current>
            {words}
        </a>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_screen_stands_in_one_group_and_each_tells_its_own_link() {
        let all: Vec<&Screen> = GROUPS
            .iter()
            .flat_map(|group| group.screens.iter().map(|(to, _)| to))
            .collect();
        for to in &all {
            let marked = all.iter().filter(|other| to.belongs_to(other)).count();
            assert_eq!(marked, 1, "{to:?}");
            assert_eq!(GROUPS.iter().filter(|group| group.holds(to)).count(), 1);
        }
        assert!(GROUPS[0].holds(&Screen::Channel("x".into())));
    }
}
