//! Signing in: with a name and a password, or with the link where nobody has a password.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;

use tidegate_protocol::admin::SignIn;

use super::api;
use super::state::{AdminState, Session};
use crate::components::{Button, ButtonKind, Card, TextField};
use crate::http::ApiError;

/// The form, or what to do instead.
#[component]
pub(super) fn SignInForm(
    /// The state of the admin pages.
    state: AdminState,
) -> impl IntoView {
    let query = use_query_map();
    let refused = move || query.with(|query| query.get("link").as_deref() == Some("refused"));
    let words = move || match state.session.get() {
        Session::Out { words, .. } => words,
        Session::In => None,
    };
    let by_password = move || {
        matches!(
            state.session.get(),
            Session::Out {
                password_login: true,
                ..
            }
        )
    };
    view! {
        <div class="sign-in">
            <Card title="Sign in">
                <div class="stack">
                    {move || {
                        words().map(|words| view! { <p class="notice" data-tone="warn">{words}</p> })
                    }}
                    <Show when=refused>
                        <p class="notice" data-tone="bad" role="alert">
                            "This link was used before or is too old. Ask for a new one: run "
                            <code>"tidegate admin-link"</code> " beside the gateway."
                        </p>
                    </Show>
                    <Show when=by_password fallback=LinkWords>
                        <PasswordForm state/>
                        <p class="muted">
                            "Without a password: " <code>"tidegate admin-link"</code>
                            " beside the gateway prints a link that signs you in once."
                        </p>
                    </Show>
                </div>
            </Card>
        </div>
    }
}

#[component]
fn LinkWords() -> impl IntoView {
    view! {
        <p>
            "This gateway has no admin password. It printed a link when it started: open it, and you are signed in."
        </p>
        <p class="muted">
            "The link works once. For another one run " <code>"tidegate admin-link"</code>
            " beside the gateway, or start it with " <code>"--admin-password"</code> "."
        </p>
    }
}

#[component]
fn PasswordForm(state: AdminState) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    // Before that the browser itself would send the form, with the password in the address.
    let closed = Signal::derive(move || busy.get() || !state.alive.get());
    view! {
        <form
            class="stack"
            on:submit=move |ev| {
                ev.prevent_default();
                let typed = password.get_untracked();
                if typed.is_empty() {
                    error.set(Some("Type the password.".to_owned()));
                    return;
                }
                let named = name.with_untracked(|name| name.trim().to_lowercase());
                let sign_in = SignIn {
                    name: (!named.is_empty()).then_some(named),
                    password: typed,
                };
                busy.set(true);
                spawn_local(async move {
                    let answer = api::sign_in(sign_in).await;
                    // The page may be gone.
                    busy.try_set(false);
                    match answer {
                        Ok(info) => {
                            password.try_set(String::new());
                            state.set_session(&info);
                        }
                        Err(ApiError::SignedOut(detail)) => {
                            error.try_set(Some(detail));
                        }
                        Err(other) => {
                            error.try_set(Some(other.to_string()));
                        }
                    }
                });
            }
        >
            <TextField
                name="username"
                label="Name"
                autocomplete="username"
                value=name
                placeholder="admin"
                hint="Leave it empty for the administrator of --admin-password."
            />
            <TextField
                name="password"
                label="Password"
                kind="password"
                autocomplete="current-password"
                value=password
                error=Signal::derive(move || error.get())
            />
            <div class="row">
                <Button submit=true kind=ButtonKind::Primary disabled=closed>
                    {move || if busy.get() { "Signing in…" } else { "Sign in" }}
                </Button>
            </div>
        </form>
    }
}
