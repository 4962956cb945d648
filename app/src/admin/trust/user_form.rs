//! Adding a user, or changing one.

use leptos::prelude::*;
use tidegate_protocol::Role;
use tidegate_protocol::trust::{ChangeUser, NewUser, UserInfo};

use super::fields::{name_fault, password_fault};
use super::{api, role};
use crate::admin::form::Form;
use crate::admin::paged::Paged;
use crate::admin::state::use_admin_state;
use crate::components::{Button, ButtonKind, Card, CheckField, SelectField, TextField, Tone};

/// The form; it changes the user that is chosen, or adds one.
#[component]
pub(super) fn UserForm(
    /// Who is to be changed.
    changing: RwSignal<Option<UserInfo>>,
    /// The list to be asked for anew.
    list: Paged<UserInfo>,
) -> impl IntoView {
    let chosen = Memo::new(move |_| changing.get());
    move || match chosen.get() {
        Some(user) => view! { <Change user changing list/> }.into_any(),
        None => view! { <Add list/> }.into_any(),
    }
}

#[component]
fn Add(list: Paged<UserInfo>) -> impl IntoView {
    let state = use_admin_state();
    let name = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Viewer.as_str().to_owned());
    let tried = RwSignal::new(false);
    let name_error = Signal::derive(move || {
        let fault = name.with(|name| name_fault(name.trim()));
        fault.filter(|_| tried.get()).map(str::to_owned)
    });
    let password_error = Signal::derive(move || {
        let fault = password.with(|password| password_fault(password));
        fault.filter(|_| tried.get()).map(str::to_owned)
    });
    let add = move || {
        tried.set(true);
        let user = NewUser {
            name: name.with_untracked(|name| name.trim().to_owned()),
            role: role.with_untracked(|role| Role::named(role).unwrap_or_default()),
            password: password.get_untracked(),
        };
        if name_fault(&user.name).is_some() || password_fault(&user.password).is_some() {
            return;
        }
        state.run(api::add_user(user), move |user: UserInfo| {
            let words = format!("Added {}. Tell the user the password.", user.name);
            state.toasts.say(Tone::Good, words);
            name.try_set(String::new());
            password.try_set(String::new());
            tried.try_set(false);
            list.refresh();
        });
    };
    view! {
        <Card title="Add a user">
            <Form label="Add a user" send=add>
                <TextField
                    name="user-name"
                    label="Name"
                    value=name
                    placeholder="olga"
                    error=name_error
                />
                <SelectField name="user-role" label="Role" value=role options=role::OPTIONS.to_vec()/>
                <TextField
                    name="user-password"
                    label="Password"
                    kind="password"
                    autocomplete="new-password"
                    value=password
                    hint="At least 8 characters. The user can change it after signing in."
                    error=password_error
                />
                <div class="row">
                    <Button submit=true kind=ButtonKind::Primary>
                        "Add"
                    </Button>
                </div>
            </Form>
        </Card>
    }
}

#[component]
fn Change(
    user: UserInfo,
    changing: RwSignal<Option<UserInfo>>,
    list: Paged<UserInfo>,
) -> impl IntoView {
    let state = use_admin_state();
    let role = RwSignal::new(user.role.as_str().to_owned());
    let enabled = RwSignal::new(!user.disabled);
    let password = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let new_password = move || password.with(|p| (!p.is_empty()).then(|| p.clone()));
    let password_error = Signal::derive(move || {
        let fault = new_password().and_then(|password| password_fault(&password));
        fault.filter(|_| tried.get()).map(str::to_owned)
    });
    let title = format!("Change {}", user.name);
    let before = user.clone();
    let save = move || {
        tried.set(true);
        let typed = untrack(new_password);
        if typed
            .as_deref()
            .is_some_and(|p| password_fault(p).is_some())
        {
            return;
        }
        let role = role.with_untracked(|role| Role::named(role).unwrap_or_default());
        let disabled = !enabled.get_untracked();
        // What stays is left out: a password that was not typed ends no session.
        let change = ChangeUser {
            role: (role != before.role).then_some(role),
            disabled: (disabled != before.disabled).then_some(disabled),
            password: typed,
        };
        if change.role.is_none() && change.disabled.is_none() && change.password.is_none() {
            changing.set(None);
            return;
        }
        state.act(api::change_user(before.id.clone(), change), move || {
            changing.try_set(None);
            list.refresh();
        });
    };
    // Where the form stands below the table it is brought into sight.
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| crate::browser::focus("field-user-role"));
    view! {
        <Card title=title.clone()>
            <Form label=title send=save>
                <SelectField name="user-role" label="Role" value=role options=role::OPTIONS.to_vec()/>
                <TextField
                    name="user-password"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    value=password
                    hint="Leave it empty to keep the one there is. A new one ends every session of the user."
                    error=password_error
                />
                <CheckField label="May sign in" value=enabled/>
                <p class="muted">
                    "Tokens that the user has issued go, too: all of them with the right to sign in, and with a lesser role those that only a greater one may issue. Devices that use one need another."
                </p>
                <div class="row">
                    <Button submit=true kind=ButtonKind::Primary>
                        "Save"
                    </Button>
                    <Button on:click=move |_| changing.set(None)>"Cancel"</Button>
                </div>
            </Form>
        </Card>
    }
}
