//! Who is signed in where. Everybody ends the own sessions, an administrator any.

use leptos::prelude::*;
use tidegate_protocol::trust::SessionEntry;

use super::api;
use super::list::ListTable;
use super::moment::Moment;
use crate::admin::confirm::use_confirm;
use crate::admin::paged::{Pace, Paged};
use crate::admin::state::use_admin_state;
use crate::admin::store_notice::StoreNotice;
use crate::components::{Badge, Button, Card, Column, TextField, Tone};

/// Every open session.
#[component]
pub(in crate::admin) fn SessionsScreen() -> impl IntoView {
    let state = use_admin_state();
    let everybody = Signal::stored(String::new());
    let list = Paged::asking(state, api::SESSIONS.to_owned(), Pace::Calm, everybody);
    view! {
        <StoreNotice/>
        <Card title="Sessions">
            <div class="stack">
                <div class="search">
                    <TextField
                        name="session-search"
                        label="Search"
                        kind="search"
                        value=list.search
                        placeholder="user, address or browser"
                    />
                </div>
                <SessionTable list/>
            </div>
        </Card>
    }
}

/// The rows, with a button to end each.
#[component]
pub(super) fn SessionTable(
    /// Which sessions.
    list: Paged<SessionEntry>,
) -> impl IntoView {
    let columns = vec![
        Column::text("Who"),
        Column::text("From"),
        Column::text("Browser"),
        Column::text("Signed in"),
        Column::text("Ends"),
        Column::text(""),
    ];
    view! {
        <ListTable
            list
            what="sessions"
            columns
            empty="Nobody is signed in"
            why="A session appears here when somebody signs in."
            row=move |session| view! { <Row session list/> }.into_any()
        />
    }
}

#[component]
fn Row(session: SessionEntry, list: Paged<SessionEntry>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let SessionEntry {
        id,
        principal,
        created_at,
        expires_at,
        address,
        agent,
        own,
    } = session;
    let who = principal
        .strip_prefix("user:")
        .unwrap_or(&principal)
        .to_owned();
    let label = format!("End the session of {who} from {address}");
    let question = format!("End this session of {who}?");
    let end = move || {
        let id = id.clone();
        confirm.ask(
            question.clone(),
            if own {
                "This is the session of this browser: you are signed out here."
            } else {
                "That browser is signed out at its next request."
            },
            "End the session",
            move || {
                state.act(api::end_session(id.clone()), move || {
                    if own {
                        state.session_ended();
                    } else {
                        list.refresh();
                    }
                });
            },
        );
    };
    view! {
        <tr>
            <td>
                <span class="row">
                    {who}
                    {own
                        .then(|| {
                            view! { <Badge tone=Signal::from(Tone::Good)>"this browser"</Badge> }
                        })}
                </span>
            </td>
            <td class="mono">{address}</td>
            <td class="wide-cell" title=agent.clone()>
                {browser(&agent)}
            </td>
            <td>
                <Moment at=created_at/>
            </td>
            <td>
                <Moment at=expires_at/>
            </td>
            <td class="number">
                <Button attr:aria-label=label on:click=move |_| end()>"End"</Button>
            </td>
        </tr>
    }
}

/// The browser and the system in what a browser calls itself; all of it where that is not plain.
fn browser(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 5] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        _ if agent.is_empty() => "unknown".to_owned(),
        _ => agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_by_what_they_call_themselves() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        assert_eq!(browser(&format!("{chrome} Edg/130.0")), "Edge on Linux");
        assert_eq!(browser("curl/8.5"), "curl/8.5");
        assert_eq!(browser(""), "unknown");
    }
}
