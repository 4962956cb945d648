//! Tokens that open channels: issued, listed, looked into, revoked.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use tidegate_protocol::Right;
use tidegate_protocol::trust::{Revoke, TokenInfo};

use super::api;
use super::issue::IssueCard;
use super::list::ListTable;
use super::look::LookCard;
use super::moment::Moment;
use super::revoke::RevokeCard;
use crate::admin::confirm::use_confirm;
use crate::admin::paged::{Pace, Paged};
use crate::admin::role_names::role_line;
use crate::admin::state::use_admin_state;
use crate::admin::store_notice::StoreNotice;
use crate::components::{Badge, Button, Card, Column, TextField, Tone};
use crate::http::segment;

/// The list, and beside it what can be done with a token.
#[component]
pub(in crate::admin) fn TokensScreen() -> impl IntoView {
    let state = use_admin_state();
    let query = use_query_map();
    // `/admin/tokens?kid=...` is where the list of keys leads to.
    let kid = Memo::new(move |_| query.with(|query| query.get("kid").unwrap_or_default()));
    let asked = Signal::derive(move || {
        kid.with(|kid| match kid.as_str() {
            "" => String::new(),
            kid => format!("&kid={}", segment(kid)),
        })
    });
    let list = Paged::<TokenInfo>::asking(state, api::TOKENS.to_owned(), Pace::Calm, asked);
    let columns = vec![
        Column::text("Whose"),
        Column::text("Channels"),
        Column::text("Allows"),
        Column::text("Ends"),
        Column::text("Issued"),
        Column::text("By"),
        Column::text("Key"),
        Column::text(""),
    ];
    view! {
        <StoreNotice/>
        <div class="definition-grid">
            <Card title="Tokens">
                <div class="stack">
                    <div class="row filters">
                        <div class="search">
                            <TextField
                                name="token-search"
                                label="Search"
                                kind="search"
                                value=list.search
                                placeholder="whose, channel, or name of the token"
                            />
                        </div>
                        <KeyFilter kid/>
                    </div>
                    <ListTable
                        list
                        what="tokens"
                        columns
                        empty="No token is good now"
                        why="Tokens that were issued here, by POST /token or by the command line appear here until they expire. What programs sign with --jwt-secret does not."
                        row=move |token| view! { <Row token list/> }.into_any()
                    />
                </div>
            </Card>
            <div class="stack">
                <IssueCard list/>
                <LookCard/>
                <RevokeCard list/>
            </div>
        </div>
    }
}

/// Says that the list is that of one key, and takes it back.
#[component]
fn KeyFilter(kid: Memo<String>) -> impl IntoView {
    move || {
        let kid = kid.get();
        (!kid.is_empty()).then(|| {
            view! {
                <p class="row filter">
                    "Signed by key " <strong class="mono">{kid}</strong>
                    <a class="button" href="/admin/tokens">
                        "Of all keys"
                    </a>
                </p>
            }
        })
    }
}

/// A right in a word.
pub(super) fn right_word(right: Right) -> &'static str {
    match right {
        Right::Join => "join",
        Right::Push => "push",
        Right::Presence => "presence",
        Right::Admin => "admin",
    }
}

#[component]
fn Row(token: TokenInfo, list: Paged<TokenInfo>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let TokenInfo {
        jti,
        id,
        channels,
        allow,
        roles,
        kid,
        issued_at,
        expires_at,
        issued_by,
        revoked_at,
    } = token;
    let rights: Vec<_> = allow.into_iter().map(right_word).collect();
    let roles = (!roles.is_empty()).then(|| {
        let roles = role_line(&roles);
        view! {
            <div class="muted wide-cell" title=roles.clone()>
                "as "
                {roles.clone()}
            </div>
        }
    });
    let channels = channels.join(", ");
    let label = format!("Revoke the token of {id} for {channels}");
    let question = format!("Revoke this token of {id}?");
    let text = format!(
        "It opens {channels}. It is refused from now on, and who has joined with it is removed at once. This cannot be undone."
    );
    let name = format!("Token {jti}");
    let revoke = move || {
        let jti = jti.clone();
        confirm.ask(question.clone(), text.clone(), "Revoke", move || {
            let what = Revoke {
                jti: Some(jti.clone()),
                ..Revoke::default()
            };
            state.act(api::revoke(what), move || list.refresh());
        });
    };
    view! {
        <tr title=name>
            <td class="wide-cell">{id}</td>
            <td class="mono wide-cell" title=channels.clone()>
                {channels.clone()}
            </td>
            <td>{rights.join(", ")} {roles}</td>
            <td>
                {match revoked_at {
                    Some(_) => {
                        view! { <Badge tone=Signal::from(Tone::Bad)>"revoked"</Badge> }.into_any()
                    }
                    None => view! { <Moment at=expires_at/> }.into_any(),
                }}
            </td>
            <td>
                <Moment at=issued_at/>
            </td>
            <td>{issued_by}</td>
            <td class="mono">{kid}</td>
            <td class="number">
                {revoked_at
                    .is_none()
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
