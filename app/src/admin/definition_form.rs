//! What a channel is, in a form: who may join and push, presence, relay, slow readers.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::{
    Definition, JoinRule, Overflow, PresenceMode, PushRule, Role, TopicPattern,
};

use super::api;
use super::confirm::use_confirm;
use super::state::use_admin_state;
use crate::components::{Button, ButtonKind, Card, CheckField, SelectField};

const JOIN: [(&str, &str, JoinRule); 3] = [
    (
        "public",
        "Anybody, with or without a token",
        JoinRule::Public,
    ),
    (
        "token",
        "Who shows a token for the channel",
        JoinRule::Token,
    ),
    ("admin", "Administrators", JoinRule::Admin),
];

const PUSH: [(&str, &str, PushRule); 4] = [
    ("member", "Every member", PushRule::Member),
    ("token", "Members who joined with a token", PushRule::Token),
    ("admin", "Administrators", PushRule::Admin),
    (
        "nobody",
        "Nobody: events come from the bus alone",
        PushRule::Nobody,
    ),
];

const PRESENCE: [(&str, &str, PresenceMode); 3] = [
    (
        "full",
        "Full: who is there, with metadata",
        PresenceMode::Full,
    ),
    ("count", "The number of members only", PresenceMode::Count),
    ("off", "Nothing", PresenceMode::Off),
];

const OVERFLOW: [(&str, &str, Overflow); 3] = [
    (
        "close",
        "Is disconnected, told why, and may come back",
        Overflow::Close,
    ),
    (
        "drop-oldest",
        "Misses the oldest events",
        Overflow::DropOldest,
    ),
    (
        "latest-only",
        "Gets the latest event only",
        Overflow::LatestOnly,
    ),
];

/// Who may join, in a word or two.
pub(super) fn join_word(rule: JoinRule) -> &'static str {
    match rule {
        JoinRule::Public => "anybody",
        JoinRule::Token => "with a token",
        JoinRule::Roles => "by role",
        JoinRule::Admin => "administrators",
    }
}

/// Who may push, in a word or two.
pub(super) fn push_word(rule: PushRule) -> &'static str {
    match rule {
        PushRule::Member => "every member",
        PushRule::Token => "with a token",
        PushRule::Roles => "by role",
        PushRule::Admin => "administrators",
        PushRule::Nobody => "nobody",
    }
}

/// What members see of each other, in a word or two.
pub(super) fn presence_word(mode: PresenceMode) -> &'static str {
    match mode {
        PresenceMode::Full => "who is there",
        PresenceMode::Count => "how many",
        PresenceMode::Off => "nothing",
    }
}

/// What happens to a slow reader, in a word or two.
pub(super) fn overflow_word(overflow: Overflow) -> &'static str {
    match overflow {
        Overflow::Close => "disconnected",
        Overflow::DropOldest => "miss the oldest",
        Overflow::LatestOnly => "get the latest",
    }
}

fn key<T: PartialEq>(table: &[(&'static str, &'static str, T)], value: &T) -> String {
    table
        .iter()
        .find(|(_, _, v)| v == value)
        .map_or("", |(key, _, _)| key)
        .to_owned()
}

fn value<T: Copy + Default>(table: &[(&'static str, &'static str, T)], key: &str) -> T {
    table
        .iter()
        .find(|(k, _, _)| *k == key)
        .map_or_else(T::default, |(_, _, value)| *value)
}

fn options<T>(table: &[(&'static str, &'static str, T)]) -> Vec<(&'static str, &'static str)> {
    table.iter().map(|(key, words, _)| (*key, *words)).collect()
}

/// The fields of a definition, without its pattern.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    join: RwSignal<String>,
    push: RwSignal<String>,
    presence: RwSignal<String>,
    relay: RwSignal<bool>,
    stamp: RwSignal<bool>,
    overflow: RwSignal<String>,
}

impl Fields {
    pub(super) fn new(definition: &Definition) -> Self {
        let fields = Self {
            join: RwSignal::default(),
            push: RwSignal::default(),
            presence: RwSignal::default(),
            relay: RwSignal::default(),
            stamp: RwSignal::default(),
            overflow: RwSignal::default(),
        };
        fields.set(definition);
        fields
    }

    pub(super) fn set(&self, definition: &Definition) {
        self.join.set(key(&JOIN, &definition.join));
        self.push.set(key(&PUSH, &definition.push));
        self.presence.set(key(&PRESENCE, &definition.presence));
        self.relay.set(definition.relay);
        self.stamp.set(definition.stamp);
        self.overflow.set(key(&OVERFLOW, &definition.overflow));
    }

    pub(super) fn get(&self, pattern: TopicPattern) -> Definition {
        Definition {
            pattern: Some(pattern),
            join: value(&JOIN, &self.join.get_untracked()),
            push: value(&PUSH, &self.push.get_untracked()),
            presence: value(&PRESENCE, &self.presence.get_untracked()),
            relay: self.relay.get_untracked(),
            stamp: self.stamp.get_untracked(),
            overflow: value(&OVERFLOW, &self.overflow.get_untracked()),
            ..Definition::fallback()
        }
    }
}

/// The six questions.
#[component]
pub(super) fn Questions(
    /// Their answers.
    fields: Fields,
) -> impl IntoView {
    view! {
        <SelectField name="join" label="Who may join" value=fields.join options=options(&JOIN)/>
        <SelectField name="push" label="Who may push" value=fields.push options=options(&PUSH)/>
        <SelectField
            name="presence"
            label="What members see of each other"
            value=fields.presence
            options=options(&PRESENCE)
        />
        <SelectField
            name="overflow"
            label="A member that reads too slowly"
            value=fields.overflow
            options=options(&OVERFLOW)
        />
        <CheckField label="Relay a client's events to the other members" value=fields.relay/>
        <CheckField label="Publish a client's events with their sender, too" value=fields.stamp/>
    }
}

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

/// The definition of one channel, to be changed.
#[component]
pub(super) fn ChannelDefinition(
    /// Of which.
    topic: String,
) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let fields = Fields::new(&Definition::fallback());
    let source = RwSignal::new(None::<Result<Option<TopicPattern>, String>>);
    let name = StoredValue::new(topic);
    let load = move || {
        spawn_local(async move {
            let answer = api::definitions().await;
            let Some(topic) = name.try_get_value() else {
                return;
            };
            match answer {
                Ok(all) => {
                    if let Some(definition) = holding(&all, &topic) {
                        fields.set(definition);
                        source.set(Some(Ok(definition.pattern.clone())));
                    }
                }
                Err(error) => source.set(Some(Err(state.words(&error)))),
            }
        });
    };
    Effect::new(move |_| load());
    let own = move || {
        source.with(|source| {
            matches!(source, Some(Ok(Some(pattern))) if name.with_value(|t| pattern.as_str() == t))
        })
    };
    let origin = move || {
        match source.get() {
        None => "Asking the gateway…".to_owned(),
        Some(Err(words)) => words,
        Some(Ok(None)) if !state.may(Role::Admin) => {
            "This channel has no definition of its own: what holds everywhere holds here.".to_owned()
        }
        Some(Ok(Some(pattern))) if !state.may(Role::Admin) && !own() => {
            format!("The definition of {pattern} holds here.")
        }
        Some(Ok(None)) => {
            "This channel has no definition of its own: what holds everywhere holds here. Saving makes one for this channel."
                .to_owned()
        }
        Some(Ok(Some(_))) if own() => "This channel has a definition of its own.".to_owned(),
        Some(Ok(Some(pattern))) => {
            format!("The definition of {pattern} holds here. Saving makes one for this channel.")
        }
    }
    };
    let save = move || {
        if let Ok(pattern) = name.with_value(|topic| TopicPattern::new(topic)) {
            state.act(api::define(fields.get(pattern)), load);
        }
    };
    let remove = move || {
        let topic = name.get_value();
        confirm.ask(
            format!("Remove the definition of {topic}?"),
            "The next definition that fits the channel holds then. Members who may not stay under it are removed.",
            "Remove the definition",
            move || state.act(api::undefine(topic.clone()), load),
        );
    };
    view! {
        <Card title="Definition">
            <form
                class="stack"
                on:submit=move |ev| {
                    ev.prevent_default();
                    save();
                }
            >
                <p class="muted">{origin}</p>
                <fieldset class="plain stack" disabled=move || !state.may(Role::Admin)>
                    <Questions fields/>
                </fieldset>
                <div class="row" hidden=move || !state.may(Role::Admin)>
                    <Button submit=true kind=ButtonKind::Primary>
                        "Save"
                    </Button>
                    <Show when=own>
                        <Button kind=ButtonKind::Danger on:click=move |_| remove()>
                            "Remove"
                        </Button>
                    </Show>
                </div>
            </form>
        </Card>
    }
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

    #[test]
    fn every_value_of_a_definition_has_its_words() {
        for (key_, _, rule) in JOIN {
            assert_eq!(serde_json::to_value(rule).unwrap(), key_);
            assert_eq!(value(&JOIN, &key(&JOIN, &rule)), rule);
        }
        for (key_, _, rule) in PUSH {
            assert_eq!(serde_json::to_value(rule).unwrap(), key_);
        }
        for (key_, _, mode) in PRESENCE {
            assert_eq!(serde_json::to_value(mode).unwrap(), key_);
        }
    }
}
