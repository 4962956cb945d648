//! The connections: who they are, what they have joined, how much waits for them.

use leptos::prelude::*;
use tidegate_protocol::Role;
use tidegate_protocol::admin::ConnectionInfo;

use super::api;
use super::confirm::use_confirm;
use super::paged::{Paged, Pager, Standin};
use super::screen::Screen;
use super::state::use_admin_state;
use crate::components::{Button, Card, Column, Table, TextField};
use crate::{format, timing};

/// How many topics of a connection are named; the rest is counted.
const TOPICS: usize = 4;

/// Search, table, pages; each connection can be closed.
#[component]
pub(super) fn ConnectionsScreen() -> impl IntoView {
    let state = use_admin_state();
    let list = Paged::<ConnectionInfo>::new(state, api::CONNECTIONS.to_owned());
    let columns = vec![
        Column::text("Connection"),
        Column::text("Users"),
        Column::text("Channels"),
        Column::text("From"),
        Column::text("Open for"),
        Column::number("Frames in"),
        Column::number("Frames out"),
        Column::number("Waiting"),
        Column::text(""),
    ];
    view! {
        <Card title="Connections">
            <div class="stack">
                <div class="search">
                    <TextField
                        name="connection-search"
                        label="Search"
                        kind="search"
                        value=list.search
                        placeholder="id, user, address or topic"
                    />
                </div>
                <Standin
                    list
                    empty="No connection is open"
                    why="Connections appear here as soon as a client opens its socket."
                />
                <div hidden=move || list.items.with(Vec::is_empty)>
                    <Table caption="Connections" columns>
                        <For
                            each=move || list.items.get()
                            key=|c| (c.id.clone(), c.frames_in, c.frames_out, c.topics.clone())
                            let(connection)
                        >
                            <Row connection list/>
                        </For>
                    </Table>
                </div>
                <Pager list what="connections"/>
            </div>
        </Card>
    }
}

/// Names with commas, the rest counted.
fn names(all: &[String], most: usize) -> String {
    let named = all
        .iter()
        .take(most)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match all.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[component]
fn Row(connection: ConnectionInfo, list: Paged<ConnectionInfo>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let id = connection.id.clone();
    let label = format!("Close connection {id}");
    let close = move || {
        let id = id.clone();
        confirm.ask(
            format!("Close connection {id}?"),
            "Its socket is closed with code 1008 and it leaves its channels. Most clients come back by themselves.",
            "Close the connection",
            move || state.act(api::close_connection(id.clone()), move || list.refresh()),
        );
    };
    let (label, close) = (StoredValue::new(label), StoredValue::new(close));
    let whole = |n: u64| format::grouped(n.cast_signed());
    let agent = connection.user_agent.unwrap_or_default();
    let topics = connection
        .topics
        .iter()
        .take(TOPICS)
        .map(|topic| {
            let href = Screen::Channel(topic.clone()).path();
            view! {
                <a class="mono" href=href>
                    {topic.clone()}
                </a>
            }
        })
        .collect_view();
    let more = connection.topics.len().saturating_sub(TOPICS);
    view! {
        <tr>
            <td class="mono">{connection.id}</td>
            <td class="wide-cell">{names(&connection.users, 3)}</td>
            <td class="wide-cell">
                <span class="row">
                    {topics}
                    {(more > 0).then(|| view! { <span class="muted">{format!("+{more}")}</span> })}
                </span>
            </td>
            <td class="wide-cell" title=agent>
                {connection.address}
            </td>
            <td>{format::span(timing::now_ms() - connection.opened_at as f64)}</td>
            <td class="number">{whole(connection.frames_in)}</td>
            <td class="number">{whole(connection.frames_out)}</td>
            <td class="number">{format::bytes(connection.queued_bytes as f64)}</td>
            <td class="number">
                <Show when=move || state.may(Role::Operator)>
                    <Button
                        attr:aria-label=label.get_value()
                        on:click=move |_| close.with_value(|close| close())
                    >
                        "Close"
                    </Button>
                </Show>
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn many_names_are_counted() {
        let all: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(names(&all, 3), "a, b, c");
        assert_eq!(names(&all, 2), "a, b and 1 more");
        assert_eq!(names(&[], 2), "");
    }
}
