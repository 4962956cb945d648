//! All channel definitions: listed, added, changed, deleted.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::{Definition, DefinitionError, Role, TopicPattern, is_reserved_topic};

use super::api;
use super::confirm::use_confirm;
use super::definition_fields::{Fields, Questions};
use super::definition_words::{join_word, overflow_word, presence_word, push_word, rate_word};
use super::form::Form;
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
    let known = Signal::derive(move || all.with(|all| matches!(all, Some(Ok(_)))));
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
                <DefinitionForm pattern fields known load/>
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
        join_word(&definition),
        push_word(&definition),
        presence_word(definition.presence).to_owned(),
        overflow_word(definition.overflow).to_owned(),
    ];
    let rate = definition.push_rate.map(|rate| {
        view! { <div class="muted rate-word" title="Pushes of one connection">{rate_word(rate)}</div> }
    });
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
                        // Where the form stands below the table it is brought into sight.
                        #[cfg(feature = "hydrate")]
                        crate::browser::focus("field-pattern");
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
            <td class="wide-cell" title=join.clone()>
                {join.clone()}
            </td>
            <td>
                <div class="wide-cell" title=push.clone()>
                    {push.clone()}
                </div>
                {rate}
            </td>
            <td>{presence}</td>
            <td>{overflow}</td>
            <td>{relay}</td>
            <td class="number">{actions}</td>
        </tr>
    }
}

#[component]
fn DefinitionForm(
    pattern: RwSignal<String>,
    fields: Fields,
    /// Whether the list is there: what would be replaced can be seen.
    known: Signal<bool>,
    load: Callback<()>,
) -> impl IntoView {
    let state = use_admin_state();
    let tried = RwSignal::new(false);
    let checked = move || {
        let parsed = pattern.with(|text| TopicPattern::new(text.trim()));
        let parsed = parsed.map_err(|error| format!("This will not do: {error}."))?;
        if is_reserved_topic(parsed.as_str()) {
            return Err(format!("This will not do: {}.", DefinitionError::Reserved));
        }
        Ok(parsed)
    };
    let error = Signal::derive(move || checked().err().filter(|_| tried.get()));
    let save = move || {
        tried.set(true);
        let parsed = untrack(checked);
        // Every field says what is wrong with it, also where the pattern will not do.
        let sent = pattern.get_untracked();
        let faultless = fields.get(parsed.as_ref().ok().cloned());
        let (Ok(_), Some(definition)) = (parsed, faultless) else {
            return;
        };
        state.act(api::define(definition), move || {
            // What was chosen meanwhile stays.
            if pattern.try_with_untracked(|now| *now == sent) == Some(true) {
                pattern.set(String::new());
                fields.set(&Definition::fallback());
                tried.set(false);
            }
            load.run(());
        });
    };
    view! {
        <Card title="Add or change">
            <Form label="Add or change a definition" ready=known send=save>
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
            </Form>
        </Card>
    }
}
