//! What was done: by whom, to what, with which outcome; as it happens, searched, taken along.

use leptos::prelude::*;
use tidegate_protocol::trust::ActivityInfo;

use super::api;
use super::list::ListTable;
use super::principals::Principals;
use crate::admin::paged::{Pace, Paged};
use crate::admin::state::use_admin_state;
use crate::components::{Badge, Button, Card, Column, SelectField, TextField, Tone};
use crate::format;
use crate::http::segment;
use crate::timing;

/// Which records; and how the gateway is asked for them.
const KINDS: [(&str, &str, &str); 3] = [
    ("changes", "Changes, sign-ins, refusals", "&changes=true"),
    ("refused", "Refusals only", "&refused=true"),
    ("all", "Everything, readings too", ""),
];

/// What is asked beside the text that is searched for.
fn query(kind: &str, principal: &str) -> String {
    let kind = KINDS.iter().find(|(key, _, _)| *key == kind);
    let mut query = kind.map_or("", |(_, _, query)| query).to_owned();
    if !principal.is_empty() {
        query.push_str(&format!("&principal={}", segment(principal)));
    }
    query
}

/// The list, and the counters beside it.
#[component]
pub(in crate::admin) fn ActivityScreen() -> impl IntoView {
    let state = use_admin_state();
    let kind = RwSignal::new("changes".to_owned());
    let principal = RwSignal::new(String::new());
    let asked = Signal::derive(move || {
        kind.with(|kind| principal.with(|principal| query(kind, principal)))
    });
    let list = Paged::<ActivityInfo>::asking(state, api::ACTIVITY.to_owned(), Pace::Quick, asked);
    let kinds = KINDS
        .iter()
        .map(|(key, words, _)| (*key, *words))
        .collect::<Vec<_>>();
    let columns = vec![
        Column::text("When"),
        Column::text("Who"),
        Column::text("What"),
        Column::text("Outcome"),
        Column::number("Answer"),
        Column::number("Took"),
        Column::text("From"),
    ];
    let actions = move || {
        view! {
            <a class="button" href=api::EXPORT download rel="external">
                "Export JSON lines"
            </a>
        }
    };
    view! {
        <div class="activity-grid">
            <Card title="Activity" actions>
                <div class="stack">
                    <div class="row filters">
                        <div class="search">
                            <TextField
                                name="activity-search"
                                label="Search"
                                kind="search"
                                value=list.search
                                placeholder="who, what or outcome"
                            />
                        </div>
                        <SelectField name="activity-kind" label="Show" value=kind options=kinds/>
                        <PrincipalFilter principal/>
                    </div>
                    <ListTable
                        list
                        what="records"
                        columns
                        empty="Nothing was done yet"
                        why="Sign-ins and requests of whoever has signed in appear here as they happen."
                        row=|record| view! { <Row record/> }.into_any()
                    />
                </div>
            </Card>
            <Principals chosen=principal/>
        </div>
    }
}

/// Says that the list is that of one principal, and takes it back.
#[component]
fn PrincipalFilter(principal: RwSignal<String>) -> impl IntoView {
    move || {
        let shown = principal.get();
        (!shown.is_empty()).then(|| {
            view! {
                <p class="row filter">
                    "Of " <strong>{shown}</strong>
                    <Button on:click=move |_| principal.set(String::new())>"Of everybody"</Button>
                </p>
            }
        })
    }
}

#[component]
fn Row(record: ActivityInfo) -> impl IntoView {
    let ActivityInfo {
        at,
        principal,
        action,
        target,
        outcome,
        status,
        took_us,
        address,
        times,
        last_at,
        id: _,
    } = record;
    let tone = match status {
        0..400 => Tone::Good,
        400..500 => Tone::Warn,
        _ => Tone::Bad,
    };
    let at = at as f64;
    view! {
        <tr>
            <td>
                <time datetime=timing::iso(at) title=timing::local(at)>
                    {timing::local(at)}
                </time>
            </td>
            <td>{principal}</td>
            <td class="wide-cell mono" title=format!("{action} {target}")>
                {what(&action, &target)}
            </td>
            <td class="sentence-cell">
                {outcome} " "
                {repeated(times, last_at).map(|words| view! { <span class="muted">{words}</span> })}
            </td>
            <td class="number">
                <Badge tone=Signal::from(tone)>{status}</Badge>
            </td>
            <td class="number">{format::micros(took_us)}</td>
            <td class="mono">{address}</td>
        </tr>
    }
}

/// How often the same was read within a minute, which is one record.
fn repeated(times: u64, last_at: u64) -> Option<String> {
    let grouped = format::grouped(i64::try_from(times).unwrap_or(i64::MAX));
    (times > 1).then(|| format!("{grouped} times, last at {}", timing::local(last_at as f64)))
}

/// The method and the path that was asked for; of what is no request its name.
fn what(action: &str, target: &str) -> String {
    match action.split_once(' ') {
        Some((method, route)) if route.starts_with('/') && !target.is_empty() => {
            let path = target.strip_prefix("/api/v1").unwrap_or(target);
            format!("{method} {path}")
        }
        _ => action.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        assert_eq!(query("changes", ""), "&changes=true");
        assert_eq!(query("all", "user:a&b"), "&principal=user%3Aa%26b");
    }

    #[test]
    fn what_was_read_again_says_how_often() {
        assert_eq!(repeated(1, 0), None);
        assert!(
            repeated(1200, 0)
                .unwrap()
                .starts_with("1\u{202f}200 times, last at ")
        );
    }

    #[test]
    fn what_was_done_is_short() {
        let action = "DELETE /api/v1/channels/{topic}";
        assert_eq!(what(action, "/api/v1/channels/a"), "DELETE /channels/a");
        assert_eq!(what("sign in", ""), "sign in");
    }
}
