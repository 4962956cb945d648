//! All channel definitions: listed, added, changed, deleted.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::{Definition, Role, TopicPattern};

use super::api;
use super::confirm::use_confirm;
use super::definition_form::{
    Fields, Questions, join_word, overflow_word, presence_word, push_word,
};
use super::paged::Skeleton;
use super::state::use_admin_state;
use super::store_notice::StoreNotice;
use crate::components::{
    Badge, Button, ButtonKind, Card, Column, EmptyState, Shape, Table, TextField,
};

/// The table and the form beside it.
#[component]
pub(super) fn DefinitionsScreen() -> impl IntoView {
    let state = use_admin_state();
    let all = RwSignal::new(None::<Result<Vec<Definition>, String>>);
    let load = move || {
        spawn_local(async move {
            let answer = api::definitions()
                .await
                .map_err(|error| state.words(&error));
            all.try_set(Some(answer));
        });
    };
    Effect::new(move |_| load());
    let pattern = RwSignal::new(String::new());
    let fields = Fields::new(&Definition::fallback());
    let load = Callback::new(move |()| load());
    let columns = || {
        vec![
            Column::text("Pattern"),
            Column::text("Who may join"),
            Column::text("Who may push"),
            Column::text("Presence"),
            Column::text("Slow readers"),
            Column::text("Relay"),
            Column::text(""),
        ]
    };
    view! {
        <StoreNotice/>
        <div class="definition-grid">
            <Card title="Definitions">
                {move || match all.get() {
                    None => view! { <Skeleton rows=5/> }.into_any(),
                    Some(Err(words)) => {
                        view! {
                            <EmptyState title="The definitions could not be had" icon=Shape::Alert>
                                <p>{words}</p>
                                <Button on:click=move |_| load.run(())>"Try again"</Button>
                            </EmptyState>
                        }
                            .into_any()
                    }
                    Some(Ok(definitions)) => {
                        view! {
                            <Table caption="Definitions" columns=columns()>
                                {definitions
                                    .into_iter()
                                    .map(|definition| {
                                        view! { <Row definition pattern fields load/> }
                                    })
                                    .collect_view()}
                            </Table>
                        }
                            .into_any()
                    }
                }}
                <p class="muted">
                    "The most specific pattern that fits a topic holds. Definitions made here are kept, and hold over those of the configuration file."
                </p>
            </Card>
            <Show when=move || state.may(Role::Admin)>
                <DefinitionForm pattern fields load/>
            </Show>
        </div>
    }
}

#[component]
fn Row(
    definition: Definition,
    pattern: RwSignal<String>,
    fields: Fields,
    load: Callback<()>,
) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let name = definition.pattern.as_ref().map(TopicPattern::to_string);
    let shown = match &name {
        Some(name) => view! { <span class="mono">{name.clone()}</span> }.into_any(),
        None => view! { <Badge>"everywhere else"</Badge> }.into_any(),
    };
    let [join, push, presence, overflow] = [
        join_word(definition.join),
        push_word(definition.push),
        presence_word(definition.presence),
        overflow_word(definition.overflow),
    ];
    let relay = if definition.relay { "yes" } else { "no" };
    let rules = state.who.with_untracked(|who| who.role >= Role::Admin);
    let actions = name.filter(|_| rules).map(|name| {
        let remove = {
            let name = name.clone();
            move || {
                let name = name.clone();
                confirm.ask(
                    format!("Delete the definition of {name}?"),
                    "Members who may not stay under what holds then are removed.",
                    "Delete",
                    move || state.act(api::undefine(name.clone()), move || load.run(())),
                );
            }
        };
        let (change_label, delete_label) = (format!("Change {name}"), format!("Delete {name}"));
        view! {
            <span class="row row-actions">
                <Button
                    attr:aria-label=change_label
                    on:click=move |_| {
                        pattern.set(name.clone());
                        fields.set(&definition);
                    }
                >
                    "Change"
                </Button>
                <Button attr:aria-label=delete_label on:click=move |_| remove()>
                    "Delete"
                </Button>
            </span>
        }
    });
    view! {
        <tr>
            <td class="wide-cell">{shown}</td>
            <td>{join}</td>
            <td>{push}</td>
            <td>{presence}</td>
            <td>{overflow}</td>
            <td>{relay}</td>
            <td class="number">{actions}</td>
        </tr>
    }
}

#[component]
fn DefinitionForm(pattern: RwSignal<String>, fields: Fields, load: Callback<()>) -> impl IntoView {
    let state = use_admin_state();
    let tried = RwSignal::new(false);
    let checked = move || {
        let parsed = pattern.with(|text| TopicPattern::new(text.trim()));
        let parsed = parsed.map_err(|error| format!("This will not do: {error}."))?;
        let definition = fields.get(parsed);
        definition
            .check()
            .map(|()| definition)
            .map_err(|error| format!("This will not do: {error}."))
    };
    let error = Signal::derive(move || checked().err().filter(|_| tried.get()));
    view! {
        <Card title="Add or change">
            <form
                class="stack"
                on:submit=move |ev| {
                    ev.prevent_default();
                    tried.set(true);
                    if let Ok(definition) = untrack(checked) {
                        state
                            .act(
                                api::define(definition),
                                move || {
                                    pattern.set(String::new());
                                    tried.set(false);
                                    load.run(());
                                },
                            );
                    }
                }
            >
                <TextField
                    name="pattern"
                    label="Pattern"
                    value=pattern
                    placeholder="room:*"
                    hint="A topic, or prefix:* for all that start with it. One that is there is replaced."
                    error
                />
                <Questions fields/>
                <div class="row">
                    <Button submit=true kind=ButtonKind::Primary>
                        "Save"
                    </Button>
                </div>
            </form>
        </Card>
    }
}
