//! One's own account: who one is here, the password, the sessions.

use leptos::prelude::*;
use tidegate_protocol::Role;
use tidegate_protocol::trust::{ChangePassword, SessionEntry};

use super::api;
use super::fields::password_fault;
use super::role::RoleBadge;
use super::sessions::SessionTable;
use crate::admin::form::Form;
use crate::admin::paged::{Pace, Paged};
use crate::admin::state::use_admin_state;
use crate::components::{Button, ButtonKind, Card, TextField};

/// `/admin/account`
#[component]
pub(in crate::admin) fn AccountScreen() -> impl IntoView {
    let state = use_admin_state();
    // The gateway shows an administrator every session; here it is about one's own.
    let own = Signal::derive(move || {
        state.who.with(|who| match who.role {
            Role::Admin => format!("&principal={}", crate::http::segment(&who.principal)),
            _ => String::new(),
        })
    });
    let list = Paged::<SessionEntry>::asking(state, api::SESSIONS.to_owned(), Pace::Calm, own);
    let is_user = Memo::new(move |_| state.who.with(|who| who.user().is_some()));
    view! {
        <div class="definition-grid">
            <Card title="Your sessions">
                <SessionTable list/>
            </Card>
            <div class="stack">
                <About/>
                <Show when=move || is_user.get() fallback=SettingWords>
                    <PasswordForm/>
                </Show>
            </div>
        </div>
    }
}

#[component]
fn About() -> impl IntoView {
    let state = use_admin_state();
    let name = move || {
        state.who.with(|who| match who.user() {
            Some(name) => name.to_owned(),
            None => "the built-in administrator".to_owned(),
        })
    };
    let may = move || {
        state.who.with(|who| match who.role {
            Role::Viewer => "You may look at connections, channels, members and definitions.",
            Role::Operator => {
                "You may look, send events, remove members, close connections and channels, issue and revoke tokens."
            }
            Role::Admin => "You may do everything, also change definitions, keys, users and API keys.",
        })
    };
    view! {
        <Card title="You">
            <div class="stack">
                <p>
                    "Signed in as " <strong>{name}</strong> " "
                    {move || view! { <RoleBadge role=state.who.with(|who| who.role)/> }}
                </p>
                <p class="muted">{may}</p>
            </div>
        </Card>
    }
}

#[component]
fn SettingWords() -> impl IntoView {
    view! {
        <Card title="Password">
            <p class="muted">
                "The password of the built-in administrator is a setting of the gateway: "
                <code>"--admin-password"</code>
                ". Add a user for yourself to have one that you can change here."
            </p>
        </Card>
    }
}

#[component]
fn PasswordForm() -> impl IntoView {
    let state = use_admin_state();
    let current = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let again = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let current_error = Signal::derive(move || {
        let empty = current.with(String::is_empty) && tried.get();
        empty.then(|| "Type the password that you signed in with.".to_owned())
    });
    let password_error = Signal::derive(move || {
        let fault = password.with(|password| password_fault(password));
        fault.filter(|_| tried.get()).map(str::to_owned)
    });
    let differs = move || password.with(|one| again.with(|other| one != other));
    let again_error = Signal::derive(move || {
        (differs() && tried.get()).then(|| "This is not the same.".to_owned())
    });
    let change = move || {
        tried.set(true);
        let wanted = ChangePassword {
            current: current.get_untracked(),
            password: password.get_untracked(),
        };
        if wanted.current.is_empty()
            || password_fault(&wanted.password).is_some()
            || untrack(differs)
        {
            return;
        }
        state.act(api::change_password(wanted), move || {
            for field in [current, password, again] {
                field.try_set(String::new());
            }
            tried.try_set(false);
        });
    };
    view! {
        <Card title="Password">
            <Form label="Change your password" send=change>
                <TextField
                    name="password-current"
                    label="Password until now"
                    kind="password"
                    autocomplete="current-password"
                    value=current
                    error=current_error
                />
                <TextField
                    name="password-new"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    value=password
                    hint="At least 8 characters. Your other sessions end."
                    error=password_error
                />
                <TextField
                    name="password-again"
                    label="New password, once more"
                    kind="password"
                    autocomplete="new-password"
                    value=again
                    error=again_error
                />
                <div class="row">
                    <Button submit=true kind=ButtonKind::Primary>
                        "Change the password"
                    </Button>
                </div>
            </Form>
        </Card>
    }
}
