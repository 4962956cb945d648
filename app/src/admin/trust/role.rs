//! Roles in words, and the sentence for whom a screen is not for.

use leptos::prelude::*;
use tidegate_protocol::Role;

use crate::admin::state::use_admin_state;
use crate::components::{Badge, EmptyState, Shape, Tone};

/// Every role, and what it may.
pub(super) const OPTIONS: [(&str, &str); 3] = [
    ("viewer", "Viewer: looks"),
    ("operator", "Operator: also steers traffic, issues tokens"),
    ("admin", "Administrator: everything"),
];

/// The role with a capital letter, as people are called.
fn word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "administrator",
    }
}

/// A role, in its colour.
#[component]
pub(in crate::admin) fn RoleBadge(
    /// Which.
    role: Role,
) -> impl IntoView {
    let tone = match role {
        Role::Viewer => Tone::Neutral,
        Role::Operator => Tone::Accent,
        Role::Admin => Tone::Warn,
    };
    view! { <Badge tone=Signal::from(tone)>{word(role)}</Badge> }
}

/// Stands where a screen would, for somebody whose role it is not for.
#[component]
pub(in crate::admin) fn NotForYou(
    /// The role that it is for.
    needs: Role,
) -> impl IntoView {
    let state = use_admin_state();
    let has = state.who.with_untracked(|who| who.role);
    view! {
        <EmptyState title=format!("This page is for {}s", word(needs)) icon=Shape::Lock>
            <p>
                {format!("You are signed in as {}. ", word(has))}
                "Ask an administrator to do what you came for, or to change your role."
            </p>
            <a class="button" href="/admin">
                "Go to the overview"
            </a>
        </EmptyState>
    }
}
