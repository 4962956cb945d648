//! Looking into a token: what it says, and whether the gateway takes it.

use leptos::prelude::*;
use tidegate_protocol::trust::Introspection;

use super::api;
use super::decode::decode;
use super::moment::Moment;
use super::tokens::right_word;
use crate::admin::form::Form;
use crate::admin::role_names::role_line;
use crate::admin::state::use_admin_state;
use crate::client_page::advice;
use crate::components::{Badge, Button, ButtonKind, Card, TextAreaField, Tone};
use crate::json;

/// What was found out about a token.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    said: Introspection,
    /// Header and claims, where it is a JWT at all.
    inside: Option<(String, String)>,
}

/// Paste, look.
#[component]
pub(super) fn LookCard() -> impl IntoView {
    let state = use_admin_state();
    let token = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let found = RwSignal::new(None::<Found>);
    let error = Signal::derive(move || {
        let empty = token.with(|token| token.trim().is_empty());
        (empty && tried.get()).then(|| "Paste a token.".to_owned())
    });
    // What is said is about the token that was asked about.
    Effect::new(move |_| {
        token.track();
        found.set(None);
    });
    let look = move || {
        tried.set(true);
        let typed = token.with_untracked(|token| token.trim().to_owned());
        if typed.is_empty() {
            return;
        }
        let inside = decode(&typed);
        state.run(api::introspect(typed), move |said| {
            found.try_set(Some(Found { said, inside }));
        });
    };
    view! {
        <Card title="Look into a token">
            <Form label="Look into a token" send=look>
                <TextAreaField
                    name="look-token"
                    label="Token"
                    value=token
                    rows=4
                    hint="It goes to this gateway and nowhere else."
                    error
                />
                <div class="row">
                    <Button submit=true kind=ButtonKind::Primary>
                        "Look"
                    </Button>
                    <Button on:click=move |_| {
                        token.set(String::new());
                        tried.set(false);
                    }>"Clear"</Button>
                </div>
                <div aria-live="polite">
                    {move || found.get().map(|found| view! { <Verdict found/> })}
                </div>
            </Form>
        </Card>
    }
}

#[component]
fn Verdict(found: Found) -> impl IntoView {
    let Found { said, inside } = found;
    let verdict = if said.active {
        view! {
            <p>
                <Badge tone=Signal::from(Tone::Good)>"good"</Badge>
                " The gateway takes this token."
            </p>
        }
        .into_any()
    } else {
        // Administrators are told why.
        let why = said.reason.clone().map(|reason| {
            let more = advice(&reason).unwrap_or_default();
            view! {
                <strong>{reason}</strong>
                ". "
                {more}
            }
        });
        view! {
            <p>
                <Badge tone=Signal::from(Tone::Bad)>"refused"</Badge>
                " "
                {why}
            </p>
        }
        .into_any()
    };
    let rights = said.allow.map(|allow| {
        let words: Vec<_> = allow.into_iter().map(right_word).collect();
        words.join(", ")
    });
    let roles = (!said.roles.is_empty()).then(|| role_line(&said.roles));
    let fact = |name: &'static str, value: Option<String>| {
        value.map(|value| {
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            }
        })
    };
    let ends = said.exp.map(|exp| {
        view! {
            <div>
                <dt>"Ends"</dt>
                <dd>
                    <Moment at=exp.saturating_mul(1000)/>
                </dd>
            </div>
        }
    });
    view! {
        <div class="stack">
            {verdict}
            <dl class="facts">
                {fact("Whose", said.sub)} {fact("Channels", said.scope)} {fact("Allows", rights)}
                {fact("Roles", roles)} {ends} {fact("Issued by", said.iss)} {fact("Name", said.jti)}
                {fact("Key", said.kid)}
            </dl>
            {inside
                .map(|(header, claims)| {
                    view! {
                        <details class="more">
                            <summary>"What stands in it"</summary>
                            <pre class="json" tabindex="0">
                                {json::indent(&header)}
                                "\n"
                                {json::indent(&claims)}
                            </pre>
                        </details>
                    }
                })}
        </div>
    }
}
