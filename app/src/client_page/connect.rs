//! Who connects, how the connection is, and the gateway's clock.

use leptos::prelude::*;
use tidegate_client::Status;

use super::session;
use super::state::use_client_state;
use crate::components::{Badge, Button, ButtonKind, Card, TextField, Tone};
use crate::connection::use_page_connection;

/// What the connection's state means, in words.
fn in_words(status: Option<&Status>) -> (Tone, String) {
    match status {
        None => (Tone::Neutral, "Not connected yet.".to_owned()),
        Some(Status::Open) => (Tone::Good, "Connected.".to_owned()),
        Some(Status::Connecting { attempt: 0, .. }) => (Tone::Neutral, "Connecting…".to_owned()),
        Some(Status::Connecting { reason, .. }) => {
            let reason = reason.as_deref().unwrap_or("the connection was lost");
            (
                Tone::Warn,
                format!("Not connected: {reason}. The page tries again by itself."),
            )
        }
        Some(Status::Closed { .. }) => (Tone::Neutral, "Disconnected.".to_owned()),
    }
}

/// The name field, the buttons and the clock.
#[component]
pub(super) fn ConnectCard() -> impl IntoView {
    let state = use_client_state();
    let page = use_page_connection();
    let is_open = Memo::new(move |_| state.is_open());
    let lost = move || {
        state
            .status
            .with(|s| matches!(s, Some(Status::Connecting { attempt: 1.., .. })))
    };
    let said = Memo::new(move |_| state.status.with(|status| in_words(status.as_ref()).1));
    let tone = Signal::derive(move || state.status.with(|status| in_words(status.as_ref()).0));
    view! {
        <Card title="Connection">
            <form
                class="stack"
                on:submit=move |ev| {
                    ev.prevent_default();
                    if is_open.get_untracked() {
                        session::close(state);
                    } else {
                        session::open(state, page);
                    }
                }
            >
                <Show
                    when=move || is_open.get()
                    fallback=move || {
                        view! {
                            <TextField
                                name="name"
                                label="Name"
                                value=state.name
                                placeholder="alice"
                                hint="Who you are to the others. Blank: the gateway gives a name."
                            />
                        }
                    }
                >
                    <p>
                        <span class="muted">"As "</span>
                        <strong>{move || state.id.get().unwrap_or_else(|| "…".to_owned())}</strong>
                    </p>
                </Show>
                <p class="row" role="status">
                    <Badge tone=tone>
                        {move || if tone.get() == Tone::Good { "open" } else { "not open" }}
                    </Badge>
                    <span class="muted">{move || said.get()}</span>
                </p>
                <div class="row">
                    <Button
                        submit=true
                        kind=ButtonKind::Primary
                        on:click=|_| {}
                    >
                        {move || if is_open.get() { "Disconnect" } else { "Connect" }}
                    </Button>
                    <Show when=lost>
                        <Button on:click=move |_| session::retry(state)>"Try now"</Button>
                    </Show>
                </div>
                <ServerTime/>
            </form>
        </Card>
    }
}

#[component]
fn ServerTime() -> impl IntoView {
    let state = use_client_state();
    view! {
        <dl class="facts">
            <div>
                <dt>"Server time"</dt>
                <dd>
                    {move || {
                        state
                            .clock
                            .get()
                            .map_or_else(
                                || "after joining system".to_owned(),
                                |clock| readable(&clock.datetime),
                            )
                    }}
                </dd>
            </div>
            <div>
                <dt>"Counter"</dt>
                <dd>
                    {move || {
                        state
                            .clock
                            .get()
                            .map_or_else(|| crate::format::MISSING.to_owned(), |c| c.counter.to_string())
                    }}
                </dd>
            </div>
        </dl>
    }
}

/// `2026-11-21T12:00:00.123+01:00` without its fraction and its `T`.
fn readable(datetime: &str) -> String {
    let Some((date, rest)) = datetime.split_once('T') else {
        return datetime.to_owned();
    };
    let time: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ':')
        .collect();
    let zone = rest.find(['+', '-', 'Z']).map_or("", |at| &rest[at..]);
    format!("{date} {time} {zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_time_is_readable() {
        assert_eq!(
            readable("2026-11-21T12:00:00.123+01:00"),
            "2026-11-21 12:00:00 +01:00"
        );
        assert_eq!(readable("2026-11-21T12:00:00Z"), "2026-11-21 12:00:00 Z");
        assert_eq!(readable("noon"), "noon");
    }

    #[test]
    fn a_lost_connection_says_why() {
        let status = Status::Connecting {
            attempt: 2,
            retry_at_ms: None,
            reason: Some("the gateway cannot be reached".to_owned()),
        };
        assert!(
            in_words(Some(&status))
                .1
                .contains("the gateway cannot be reached")
        );
    }
}
