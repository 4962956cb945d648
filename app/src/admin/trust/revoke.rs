//! Revoking what stands in no row: a token that is at hand, everything of a subject or of a key.

use leptos::prelude::*;
use tidegate_protocol::trust::{Revoke, TokenInfo};

use super::api;
use crate::admin::confirm::use_confirm;
use crate::admin::form::Form;
use crate::admin::paged::Paged;
use crate::admin::state::use_admin_state;
use crate::components::{Button, ButtonKind, Card, SelectField, TextField};

const WHAT: [(&str, &str); 3] = [
    ("subject", "Every token of somebody"),
    ("kid", "Every token that a key has signed"),
    ("token", "One token that is at hand"),
];

/// The request, and the question before it.
fn asked(what: &str, value: &str) -> (Revoke, String, &'static str) {
    let some = || Some(value.to_owned());
    match what {
        "kid" => (
            Revoke {
                kid: some(),
                ..Revoke::default()
            },
            format!("Revoke every token of key {value}?"),
            "All that the key has signed until now is refused, and who has joined with it is removed at once. This cannot be undone.",
        ),
        "token" => (
            Revoke {
                token: some(),
                ..Revoke::default()
            },
            "Revoke this token?".to_owned(),
            "It is refused from now on, and who has joined with it is removed at once. This cannot be undone.",
        ),
        _ => (
            Revoke {
                subject: some(),
                ..Revoke::default()
            },
            format!("Revoke every token of {value}?"),
            "All that were issued until now are refused, also those that programs have signed, and who has joined with them is removed at once. What is issued later is good.",
        ),
    }
}

/// What, of whom, and the button.
#[component]
pub(super) fn RevokeCard(
    /// The list to be asked for anew.
    list: Paged<TokenInfo>,
) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let what = RwSignal::new("subject".to_owned());
    let value = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let error = Signal::derive(move || {
        let empty = value.with(|value| value.trim().is_empty());
        (empty && tried.get()).then(|| "Say which.".to_owned())
    });
    let ask = move || {
        tried.set(true);
        let typed = value.with_untracked(|value| value.trim().to_owned());
        if typed.is_empty() {
            return;
        }
        let (request, title, text) = what.with_untracked(|what| asked(what, &typed));
        confirm.ask(title, text, "Revoke", move || {
            state.act(api::revoke(request.clone()), move || {
                value.try_set(String::new());
                tried.try_set(false);
                list.refresh();
            });
        });
    };
    view! {
        <Card title="Revoke">
            <Form label="Revoke tokens" send=ask>
                <SelectField name="revoke-what" label="What" value=what options=WHAT.to_vec()/>
                <TextField
                    name="revoke-value"
                    label="Which"
                    value
                    hint="The subject, the key's name, or the token itself."
                    error
                />
                <div class="row">
                    <Button submit=true kind=ButtonKind::Danger>
                        "Revoke…"
                    </Button>
                </div>
            </Form>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn exactly_one_thing_is_revoked() {
        assert_eq!(asked("subject", "a").0.subject.as_deref(), Some("a"));
        assert_eq!(asked("kid", "a").0.kid.as_deref(), Some("a"));
        let (request, title, _) = asked("token", "secret");
        assert_eq!(request.token.as_deref(), Some("secret"));
        assert!(request.subject.is_none() && request.kid.is_none());
        assert!(!title.contains("secret"));
    }
}
