//! Signing keys: which one signs, which still check, what hangs on each; rotated and revoked. Below
//! them the outside issuers.

use leptos::prelude::*;
use tidegate_protocol::trust::KeyInfo;

use super::api;
use super::issuers::IssuersCard;
use super::moment::Moment;
use super::polled::{Known, Polled, polled};
use crate::admin::confirm::use_confirm;
use crate::admin::state::use_admin_state;
use crate::admin::store_notice::StoreNotice;
use crate::components::{Badge, Button, ButtonKind, Card, Column, Table, Tone};
use crate::format;
use crate::http::segment;

/// The table, and what rotation means.
#[component]
pub(in crate::admin) fn KeysScreen() -> impl IntoView {
    let keys = polled(api::keys);
    view! {
        <StoreNotice/>
        <div class="definition-grid">
            <Card title="Signing keys">
                <Known
                    polled=keys
                    what="keys"
                    rows=3
                    show=move |list| view! { <Keys keys=list reload=keys.reload/> }.into_any()
                />
            </Card>
            <Rotation keys/>
        </div>
        <IssuersCard/>
    }
}

#[component]
fn Keys(keys: Vec<KeyInfo>, reload: Callback<()>) -> impl IntoView {
    let columns = vec![
        Column::text("Key"),
        Column::text("State"),
        Column::number("Good tokens"),
        Column::text("Signed since"),
        Column::text("Checks until"),
        Column::text(""),
    ];
    let rows = keys
        .into_iter()
        .map(|info| view! { <Row info reload/> })
        .collect_view();
    view! {
        <Table caption="Signing keys" columns>
            {rows}
        </Table>
    }
}

/// The state of a key in a word, and what it means.
fn state_of(info: &KeyInfo) -> (&'static str, Tone, &'static str) {
    match info.state.as_str() {
        "current" => ("signs", Tone::Good, "New tokens are signed with this key."),
        "previous" => (
            "checks",
            Tone::Accent,
            "Tokens that this key has signed are good until they expire.",
        ),
        _ => (
            "revoked",
            Tone::Bad,
            "Nothing that this key has signed is taken any more.",
        ),
    }
}

#[component]
fn Row(info: KeyInfo, reload: Callback<()>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let (word, tone, meaning) = state_of(&info);
    let KeyInfo {
        kid,
        state: kept,
        shared,
        created_at,
        verify_until,
        tokens,
    } = info;
    let href = format!("/admin/tokens?kid={}", segment(&kid));
    let hang = tokens_words(tokens);
    let label = format!("Revoke key {kid}");
    let checks = kept == "previous";
    let until = match verify_until.filter(|_| checks) {
        Some(at) => view! { <Moment at/> }.into_any(),
        None => view! { <span class="muted">{format::MISSING}</span> }.into_any(),
    };
    let since = match created_at {
        Some(at) => view! { <Moment at/> }.into_any(),
        None => view! { <span class="muted">"the start"</span> }.into_any(),
    };
    let shown = kid.clone();
    let revoke = move || {
        let kid = kid.clone();
        confirm.ask(
            format!("Revoke key {kid}?"),
            format!("{hang} on it. They are refused from now on, and members who joined with them are removed at once. This cannot be undone."),
            "Revoke the key",
            move || state.act(api::revoke_key(kid.clone()), move || reload.run(())),
        );
    };
    view! {
        <tr>
            <td class="mono">
                <span class="row">
                    {shown}
                    {shared.then(|| view! { <Badge>"--jwt-secret"</Badge> })}
                </span>
            </td>
            <td title=meaning>
                <Badge tone=Signal::from(tone)>{word}</Badge>
            </td>
            <td class="number">
                <a href=href>{format::grouped(tokens.cast_signed())}</a>
            </td>
            <td>{since}</td>
            <td>{until}</td>
            <td class="number">
                {checks
                    .then(|| {
                        view! {
                            <Button attr:aria-label=label on:click=move |_| revoke()>
                                "Revoke"
                            </Button>
                        }
                    })}
            </td>
        </tr>
    }
}

/// How many tokens hang there, as the beginning of a sentence.
fn tokens_words(tokens: u64) -> String {
    match tokens {
        0 => "No good token hangs".to_owned(),
        1 => "1 good token hangs".to_owned(),
        n => format!("{} good tokens hang", format::grouped(n.cast_signed())),
    }
}

#[component]
fn Rotation(keys: Polled<Vec<KeyInfo>>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let hang = move || {
        let tokens = keys.now(|keys| {
            let current = keys.iter().find(|key| key.state == "current");
            current.map_or(0, |key| key.tokens)
        });
        tokens_words(tokens.unwrap_or(0))
    };
    let rotate = move |immediate: bool| {
        state.act(api::rotate(immediate), move || keys.reload.run(()));
    };
    let ask_overlap = move |_| {
        confirm.ask(
            "Rotate the signing key?",
            "A new key signs from now on. The one before it checks until its last token has expired: nobody is removed.",
            "Rotate",
            move || rotate(false),
        );
    };
    let ask_now = move |_| {
        confirm.ask(
            "Rotate, and refuse what was signed?",
            format!(
                "For a key that has leaked. {} on the key that signs now: all of them are refused at once, on every gateway, and every member who joined with one is removed and told so. Tokens that backends sign with --jwt-secret are refused too. This cannot be undone.",
                hang(),
            ),
            "Refuse all and rotate",
            move || rotate(true),
        );
    };
    view! {
        <Card title="Rotate">
            <div class="stack">
                <p>
                    "A new key signs; the one before it goes on checking until its last token has expired. Clients notice nothing."
                </p>
                <div class="row">
                    <Button kind=ButtonKind::Primary on:click=ask_overlap>
                        "Rotate"
                    </Button>
                </div>
                <p class="notice" data-tone="warn">
                    "Has the key leaked? Then what it has signed is to be refused at once. Every member who joined with such a token is removed and needs a new one."
                </p>
                <div class="row">
                    <Button kind=ButtonKind::Danger on:click=ask_now>
                        "Rotate at once…"
                    </Button>
                </div>
            </div>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::tokens_words;

    #[test]
    fn what_hangs_on_a_key_is_said_before_it_ends() {
        assert_eq!(tokens_words(0), "No good token hangs");
        assert_eq!(tokens_words(1), "1 good token hangs");
        assert_eq!(tokens_words(1_200), "1\u{202f}200 good tokens hang");
    }
}
