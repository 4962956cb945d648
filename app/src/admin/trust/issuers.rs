//! Outside issuers, whose tokens are taken: whether their keys could be read, which keys check, which
//! are left out and why.

use leptos::prelude::*;
use tidegate_protocol::trust::{IssuerInfo, IssuerKeyInfo};

use super::api;
use super::moment::Moment;
use super::polled::{Known, polled};
use crate::components::{Badge, Card, Column, EmptyState, Shape, Table, Tone};
use crate::format;

/// The least that the configuration file says of an issuer.
const EXAMPLE: &str = r#"[[issuers]]
issuer = "https://login.example.com/realms/main"
audience = ["tidegate"]
jwks = "https://login.example.com/realms/main/protocol/openid-connect/certs"
channels = ["public:*"]"#;

/// The table; or how an issuer is added.
#[component]
pub(super) fn IssuersCard() -> impl IntoView {
    let issuers = polled(api::issuers);
    let show = |issuers: Vec<IssuerInfo>| match issuers.is_empty() {
        true => view! { <HowToAdd/> }.into_any(),
        false => view! { <Issuers issuers/> }.into_any(),
    };
    view! {
        <Card title="Outside issuers">
            <Known polled=issuers what="issuers" rows=2 show/>
        </Card>
    }
}

#[component]
fn HowToAdd() -> impl IntoView {
    view! {
        <EmptyState title="No outside issuer is set" icon=Shape::Lock>
            <p>
                "Tokens of an identity provider (Keycloak, Auth0, Entra ID, …) are taken once the file of "
                <code>"--config"</code> " names it; it is read at the start."
            </p>
            <pre class="json example" tabindex="0">
                {EXAMPLE}
            </pre>
            <p>
                "One issuer can be given by flags: " <code>"--issuer"</code> ", "
                <code>"--issuer-jwks"</code> ", " <code>"--issuer-audience"</code> ", "
                <code>"--issuer-channels"</code>
                ". docs/OPERATIONS.md says the rest under \u{201c}Outside issuers\u{201d}."
            </p>
        </EmptyState>
    }
}

#[component]
fn Issuers(issuers: Vec<IssuerInfo>) -> impl IntoView {
    let columns = vec![
        Column::text("Issuer"),
        Column::text("State"),
        Column::text("Keys that check"),
        Column::text("Keys left out"),
        Column::text("Last read"),
    ];
    let rows = issuers
        .into_iter()
        .map(|info| view! { <Row info/> })
        .collect_view();
    view! {
        <Table caption="Outside issuers" columns>
            {rows}
        </Table>
    }
}

/// Whether an issuer's tokens can be checked, in a word, and more about it where that is needed.
fn state_of(info: &IssuerInfo) -> (&'static str, Tone, Option<String>) {
    match (&info.error, info.keys.is_empty()) {
        (Some(why), true) => (
            "down",
            Tone::Bad,
            Some(format!("No token of this issuer is taken: {why}.")),
        ),
        (Some(why), false) => (
            "down",
            Tone::Warn,
            Some(format!(
                "The keys that were read before still check: {why}."
            )),
        ),
        (None, true) => (
            "not read",
            Tone::Neutral,
            Some("Its keys have not been read yet.".to_owned()),
        ),
        (None, false) => ("up", Tone::Good, None),
    }
}

#[component]
fn Row(info: IssuerInfo) -> impl IntoView {
    let (word, tone, more) = state_of(&info);
    let IssuerInfo {
        issuer,
        audience,
        source,
        keys,
        left_out,
        read_at,
        ..
    } = info;
    let missing = || view! { <span class="muted">{format::MISSING}</span> };
    let keys = keys
        .into_iter()
        .map(|IssuerKeyInfo { kid, algorithm }| {
            view! {
                <li>
                    <span class="mono">{kid}</span>
                    " "
                    <Badge>{algorithm}</Badge>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let left_out = left_out
        .into_iter()
        .map(|words| view! { <li>{words}</li> })
        .collect::<Vec<_>>();
    view! {
        <tr>
            <td class="sentence-cell">
                <span class="mono">{issuer}</span>
                <p class="muted">"For " {audience.join(", ")} ". Keys: " {source}</p>
            </td>
            <td class="sentence-cell">
                <Badge tone=Signal::from(tone)>{word}</Badge>
                {more.map(|more| view! { <p>{more}</p> })}
            </td>
            <td>
                {if keys.is_empty() {
                    missing().into_any()
                } else {
                    view! { <ul class="lines">{keys}</ul> }.into_any()
                }}
            </td>
            <td class="sentence-cell">
                {if left_out.is_empty() {
                    missing().into_any()
                } else {
                    view! { <ul class="lines">{left_out}</ul> }.into_any()
                }}
            </td>
            <td>
                {match read_at {
                    Some(at) => view! { <Moment at/> }.into_any(),
                    None => view! { <span class="muted">"never"</span> }.into_any(),
                }}
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_whose_keys_are_away_is_taken_while_there_are_older_ones() {
        let info = |keys: usize, error: Option<&str>| IssuerInfo {
            issuer: String::new(),
            audience: Vec::new(),
            source: String::new(),
            keys: (0..keys)
                .map(|n| IssuerKeyInfo {
                    kid: n.to_string(),
                    algorithm: "ES256".to_owned(),
                })
                .collect(),
            left_out: Vec::new(),
            read_at: None,
            error: error.map(str::to_owned),
        };
        let word = |info| (state_of(&info).0, state_of(&info).1);
        assert_eq!(word(info(1, None)), ("up", Tone::Good));
        assert_eq!(word(info(0, None)), ("not read", Tone::Neutral));
        assert_eq!(word(info(1, Some("gone"))), ("down", Tone::Warn));
        let (_, tone, more) = state_of(&info(0, Some("gone")));
        assert_eq!(tone, Tone::Bad);
        assert!(more.unwrap().ends_with("taken: gone."));
    }
}
