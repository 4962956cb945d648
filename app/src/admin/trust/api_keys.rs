//! Keys by which programs use the API: made, shown once, revoked.

use leptos::prelude::*;
use tidegate_protocol::Role;
use tidegate_protocol::trust::{ApiKeyInfo, MadeApiKey, NewApiKey};

use super::fields::{Life, LifeField, name_fault};
use super::list::ListTable;
use super::moment::Moment;
use super::role::RoleBadge;
use super::secret::{Made, Secret};
use super::{api, role};
use crate::admin::confirm::use_confirm;
use crate::admin::form::Form;
use crate::admin::paged::{Pace, Paged};
use crate::admin::state::use_admin_state;
use crate::admin::store_notice::StoreNotice;
use crate::components::{Badge, Button, ButtonKind, Card, Column, SelectField, TextField, Tone};

/// The longest life that the form asks for, in seconds: ten years.
const MAX_SECONDS: u64 = 3_653 * 86_400;

/// The table, and the form beside it.
#[component]
pub(in crate::admin) fn ApiKeysScreen() -> impl IntoView {
    let state = use_admin_state();
    let all = Signal::stored(String::new());
    let list = Paged::<ApiKeyInfo>::asking(state, api::API_KEYS.to_owned(), Pace::Calm, all);
    let columns = vec![
        Column::text("Name"),
        Column::text("Begins with"),
        Column::text("Role"),
        Column::text("Made"),
        Column::text("By"),
        Column::text("Ends"),
        Column::text(""),
    ];
    view! {
        <StoreNotice/>
        <div class="definition-grid">
            <Card title="API keys">
                <ListTable
                    list
                    what="API keys"
                    columns
                    empty="There are no API keys"
                    why="A program that uses the API shows one as Authorization: Bearer. Make one for each program."
                    row=move |key| view! { <Row key_=key list/> }.into_any()
                />
            </Card>
            <NewKey list/>
        </div>
    }
}

#[component]
fn Row(key_: ApiKeyInfo, list: Paged<ApiKeyInfo>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let ApiKeyInfo {
        id,
        name,
        role,
        hint,
        created_at,
        created_by,
        expires_at,
        revoked_at,
    } = key_;
    let ended = move || {
        state
            .now
            .with(|now| expires_at.is_some_and(|at| (at as f64) <= *now))
    };
    let ends = match (revoked_at, expires_at) {
        (Some(_), _) => view! { <Badge tone=Signal::from(Tone::Bad)>"revoked"</Badge> }.into_any(),
        (None, Some(at)) => view! { <Moment at/> }.into_any(),
        (None, None) => view! { <span class="muted">"never"</span> }.into_any(),
    };
    let label = format!("Revoke {name}");
    let question = format!("Revoke the API key {name}?");
    let revoke = move || {
        let id = id.clone();
        confirm.ask(
            question.clone(),
            "The program that shows it is refused from its next request on, and so is every token that it has issued. This cannot be undone.",
            "Revoke",
            move || state.act(api::revoke_api_key(id.clone()), move || list.refresh()),
        );
    };
    let revoke = StoredValue::new(revoke);
    let label = StoredValue::new(label);
    view! {
        <tr>
            <td class="wide-cell">{name}</td>
            <td class="mono">{hint} "…"</td>
            <td>
                <RoleBadge role/>
            </td>
            <td>
                <Moment at=created_at/>
            </td>
            <td>{created_by}</td>
            <td>{ends}</td>
            <td class="number">
                <Show when=move || revoked_at.is_none() && !ended()>
                    <Button
                        attr:aria-label=label.get_value()
                        on:click=move |_| revoke.with_value(|revoke| revoke())
                    >
                        "Revoke"
                    </Button>
                </Show>
            </td>
        </tr>
    }
}

#[component]
fn NewKey(list: Paged<ApiKeyInfo>) -> impl IntoView {
    let state = use_admin_state();
    let made = RwSignal::new(None::<Made>);
    let name = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Viewer.as_str().to_owned());
    let life = Life::new(
        "days",
        MAX_SECONDS,
        "Leave it empty for a key that never ends.",
    );
    let tried = RwSignal::new(false);
    let name_error = Signal::derive(move || {
        let fault = name.with(|name| name_fault(name.trim()));
        fault.filter(|_| tried.get()).map(str::to_owned)
    });
    let make = move || {
        tried.set(true);
        let Ok(seconds) = untrack(|| life.seconds()) else {
            return;
        };
        let key = NewApiKey {
            name: name.with_untracked(|name| name.trim().to_owned()),
            role: role.with_untracked(|role| Role::named(role).unwrap_or_default()),
            seconds,
        };
        if name_fault(&key.name).is_some() {
            return;
        }
        state.run(api::add_api_key(key), move |answer: MadeApiKey| {
            made.try_set(Some(Made {
                about: format!("API key {} is made.", answer.info.name),
                secret: answer.key,
            }));
            name.try_set(String::new());
            life.clear();
            tried.try_set(false);
            list.refresh();
        });
    };
    view! {
        <Card title="Make an API key">
            <div class="stack">
                <Secret made what="API key"/>
                <Form label="Make an API key" send=make>
                    <TextField
                        name="key-name"
                        label="Name"
                        value=name
                        placeholder="backup"
                        hint="What it is for: the record names the program so."
                        error=name_error
                    />
                    <SelectField
                        name="key-role"
                        label="Role"
                        value=role
                        options=role::OPTIONS.to_vec()
                    />
                    <LifeField life tried/>
                    <div class="row">
                        <Button submit=true kind=ButtonKind::Primary>
                            "Make"
                        </Button>
                    </div>
                </Form>
            </div>
        </Card>
    }
}
