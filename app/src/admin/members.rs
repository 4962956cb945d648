//! The members of a channel.

use leptos::prelude::*;
use tidegate_protocol::Role;
use tidegate_protocol::admin::MemberInfo;

use super::api;
use super::confirm::use_confirm;
use super::paged::{Paged, Pager, Standin};
use super::state::use_admin_state;
use crate::components::{Badge, Button, Card, Column, Table, TextField};
use crate::{format, timing};

/// Search, table, pages; each member can be removed.
#[component]
pub(super) fn Members(
    /// Of which channel.
    topic: String,
) -> impl IntoView {
    let state = use_admin_state();
    let list = Paged::<MemberInfo>::new(state, api::members_path(&topic));
    let columns = vec![
        Column::text("User"),
        Column::text("Connection"),
        Column::text("Joined"),
        Column::text("Presence"),
        Column::text(""),
    ];
    let topic = StoredValue::new(topic);
    view! {
        <Card title="Members">
            <div class="stack">
                <div class="search">
                    <TextField
                        name="member-search"
                        label="Search"
                        kind="search"
                        value=list.search
                        placeholder="user or connection"
                    />
                </div>
                <Standin list empty="Nobody is here" why="Members appear when they join."/>
                <div hidden=move || list.items.with(Vec::is_empty)>
                    <Table caption="Members" columns>
                        <For each=move || list.items.get() key=|member| member.id.clone() let(member)>
                            <Row member topic=topic.get_value() list/>
                        </For>
                    </Table>
                </div>
                <Pager list what="members"/>
            </div>
        </Card>
    }
}

#[component]
fn Row(member: MemberInfo, topic: String, list: Paged<MemberInfo>) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let MemberInfo {
        id,
        topic: _,
        connection,
        user,
        joined_at,
        token,
        presence,
    } = member;
    let shown = match presence {
        serde_json::Value::Null => String::new(),
        serde_json::Value::Object(map) if map.is_empty() => String::new(),
        other => other.to_string(),
    };
    let label = format!("Remove {user} from {topic}");
    let name = user.clone();
    let remove = move || {
        let (topic, id) = (topic.clone(), id.clone());
        confirm.ask(
            format!("Remove {name}?"),
            format!("The member is told and leaves {topic}. Its connection stays open, and it may join again."),
            "Remove",
            move || {
                let action = api::remove_member(topic.clone(), id.clone());
                state.act(action, move || list.refresh());
            },
        );
    };
    let (label, remove) = (StoredValue::new(label), StoredValue::new(remove));
    view! {
        <tr>
            <td class="wide-cell">
                {user} " " <Show when=move || !token>
                    <Badge>"no token"</Badge>
                </Show>
            </td>
            <td class="mono">{connection}</td>
            <td>{format::span(timing::now_ms() - joined_at as f64)} " ago"</td>
            <td class="mono wide-cell" title=shown.clone()>
                {shown.clone()}
            </td>
            <td class="number">
                <Show when=move || state.may(Role::Operator)>
                    <Button
                        attr:aria-label=label.get_value()
                        on:click=move |_| remove.with_value(|remove| remove())
                    >
                        "Remove"
                    </Button>
                </Show>
            </td>
        </tr>
    }
}
