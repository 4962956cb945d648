//! The definition of one channel: which one holds, and a form to give the channel its own.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::{Definition, Role, TopicPattern};

use super::api;
use super::confirm::use_confirm;
use super::definition_fields::{Fields, Questions};
use super::form::Form;
use super::paged::Skeleton;
use super::state::use_admin_state;
use crate::components::{Button, ButtonKind, Card};

/// The definition that holds for a topic: its own, the longest prefix, or the fallback.
fn holding<'a>(definitions: &'a [Definition], topic: &str) -> Option<&'a Definition> {
    let specific = definitions
        .iter()
        .filter_map(|d| d.pattern.as_ref().map(|pattern| (d, pattern)))
        .filter(|(_, pattern)| pattern.matches(topic))
        .max_by_key(|(_, pattern)| (pattern.as_str() == topic, pattern.as_str().len()));
    specific.map(|(definition, _)| definition).or_else(|| {
        definitions
            .iter()
            .find(|definition| definition.pattern.is_none())
    })
}

/// What is known of the definition that holds.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    /// Not asked yet, or to be asked anew.
    Nothing,
    /// It is that of this pattern; of none where nothing else is defined.
    Of(Option<TopicPattern>),
    /// It could not be had, in words.
    Failed(String),
}

/// The definition of one channel, to be changed.
#[component]
pub(super) fn ChannelDefinition(
    /// Of which.
    topic: String,
) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let fields = Fields::new(&Definition::fallback());
    let known = RwSignal::new(Known::Nothing);
    let name = StoredValue::new(topic);
    // Until the answer is there nothing can be chosen: it would be overwritten.
    let load = move || {
        known.set(Known::Nothing);
        spawn_local(async move {
            let answer = api::definitions().await;
            let Some(topic) = name.try_get_value() else {
                return;
            };
            known.set(match answer {
                Ok(all) => {
                    let fallback = Definition::fallback();
                    let definition = holding(&all, &topic).unwrap_or(&fallback);
                    fields.set(definition);
                    Known::Of(definition.pattern.clone())
                }
                Err(error) => Known::Failed(state.words(&error)),
            });
        });
    };
    Effect::new(move |_| load());
    let rules = Memo::new(move |_| state.may(Role::Admin));
    let loaded = Memo::new(move |_| known.with(|known| matches!(known, Known::Of(_))));
    let own = Memo::new(move |_| {
        known.with(|known| match known {
            Known::Of(Some(pattern)) => name.with_value(|topic| pattern.as_str() == topic),
            _ => false,
        })
    });
    let save = move || {
        let pattern = name.with_value(|topic| TopicPattern::new(topic));
        if let Ok(pattern) = pattern
            && let Some(definition) = fields.get(Some(pattern.clone()))
        {
            // What was typed meanwhile stays: the fields are not filled anew.
            state.act(api::define(definition), move || {
                known.try_set(Known::Of(Some(pattern)));
            });
        }
    };
    let remove = move || {
        let topic = name.get_value();
        confirm.ask(
            format!("Remove the definition of {topic}?"),
            "The next definition that fits the channel holds then. Members who may not stay under it are removed.",
            "Remove the definition",
            move || {
                state.act(api::undefine(topic.clone()), move || {
                    if known.try_get_untracked().is_some() {
                        load();
                    }
                });
            },
        );
    };
    view! {
        <Card title="Definition">
            <div class="stack">
                {move || origin(&known.get(), own.get(), rules.get(), load)}
                <Form
                    label="Definition"
                    ready=Signal::derive(move || loaded.get() && rules.get())
                    send=save
                >
                    <Questions fields/>
                    <div class="row" hidden=move || !rules.get()>
                        <Button submit=true kind=ButtonKind::Primary>
                            "Save"
                        </Button>
                        <Show when=move || own.get()>
                            <Button kind=ButtonKind::Danger on:click=move |_| remove()>
                                "Remove"
                            </Button>
                        </Show>
                    </div>
                </Form>
            </div>
        </Card>
    }
}

/// Where the definition comes from, and what saving does.
fn origin(known: &Known, own: bool, rules: bool, load: impl Fn() + 'static) -> AnyView {
    const EVERYWHERE: &str =
        "This channel has no definition of its own: what holds everywhere holds here.";
    let here = match known {
        Known::Nothing => return view! { <Skeleton rows=1/> }.into_any(),
        Known::Failed(words) => {
            return view! {
                <div class="notice" data-tone="bad" role="alert">
                    <strong>"The definition could not be had"</strong>
                    <p>{words.clone()}</p>
                    <div class="row">
                        <Button on:click=move |_| load()>"Try again"</Button>
                    </div>
                </div>
            }
            .into_any();
        }
        Known::Of(Some(_)) if own => "This channel has a definition of its own.".to_owned(),
        Known::Of(Some(pattern)) => format!("The definition of {pattern} holds here."),
        Known::Of(None) => EVERYWHERE.to_owned(),
    };
    let then = (rules && !own).then_some(" Saving makes one for this channel.");
    view! { <p class="muted">{here} {then}</p> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defined(pattern: &str) -> Definition {
        Definition {
            pattern: TopicPattern::new(pattern).ok(),
            ..Definition::fallback()
        }
    }

    #[test]
    fn the_most_specific_definition_holds() {
        let all = [
            Definition::fallback(),
            defined("room:*"),
            defined("room:a:*"),
            defined("room:1"),
        ];
        let pattern = |topic: &str| {
            let holding = holding(&all, topic).unwrap();
            holding.pattern.as_ref().map(|p| p.as_str().to_owned())
        };
        assert_eq!(pattern("room:1").as_deref(), Some("room:1"));
        assert_eq!(pattern("room:2").as_deref(), Some("room:*"));
        assert_eq!(pattern("room:a:b").as_deref(), Some("room:a:*"));
        assert_eq!(pattern("other"), None);
    }
}
