//! The channels that have members.

use leptos::prelude::*;
use tidegate_protocol::admin::ChannelInfo;
use tidegate_protocol::{Definition, JoinRule, PresenceMode};

use super::api;
use super::definition_words::join_word;
use super::paged::{Paged, Pager, Standin};
use super::screen::Screen;
use super::state::use_admin_state;
use crate::components::{Badge, Card, Column, Table, TextField, Tone};
use crate::{format, timing};

/// Search, table, pages.
#[component]
pub(super) fn ChannelsScreen() -> impl IntoView {
    let state = use_admin_state();
    let list = Paged::<ChannelInfo>::new(state, api::CHANNELS.to_owned());
    view! {
        <Card title="Channels">
            <div class="stack">
                <div class="search">
                    <TextField
                        name="channel-search"
                        label="Search"
                        kind="search"
                        value=list.search
                        placeholder="part of a topic"
                    />
                </div>
                <Standin
                    list
                    empty="No channel has a member"
                    why="A channel appears here when the first client joins it."
                />
                <div hidden=move || list.items.with(Vec::is_empty)>
                    <Table caption="Channels" columns=columns()>
                        <For
                            each=move || list.items.get()
                            key=|channel| (channel.topic.clone(), row_key(channel))
                            let(channel)
                        >
                            <Row channel/>
                        </For>
                    </Table>
                </div>
                <Pager list what="channels"/>
            </div>
        </Card>
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::text("Topic"),
        Column::number("Members"),
        Column::number("Events/s"),
        Column::number("To clients"),
        Column::number("From clients"),
        Column::number("Dropped"),
        Column::text("Open for"),
        Column::text("Who may join"),
    ]
}

/// A row is drawn anew when its figures or its definition change.
fn row_key(channel: &ChannelInfo) -> (u64, u64, u64, u64, u64, Definition) {
    (
        channel.members,
        channel.rate,
        channel.events_to,
        channel.events_from,
        channel.dropped,
        channel.definition.clone(),
    )
}

#[component]
fn Row(channel: ChannelInfo) -> impl IntoView {
    let href = Screen::Channel(channel.topic.clone()).path();
    let whole = |n: u64| format::grouped(n.cast_signed());
    view! {
        <tr>
            <td class="wide-cell">
                <a class="mono" href=href>
                    {channel.topic}
                </a>
            </td>
            <td class="number">{whole(channel.members)}</td>
            <td class="number">{whole(channel.rate)}</td>
            <td class="number">{whole(channel.events_to)}</td>
            <td class="number">{whole(channel.events_from)}</td>
            <td class="number">{whole(channel.dropped)}</td>
            <td>{format::span(timing::now_ms() - channel.opened_at as f64)}</td>
            <td>
                <Rule definition=channel.definition/>
            </td>
        </tr>
    }
}

/// Who may join, and what they see of each other.
#[component]
pub(super) fn Rule(
    /// What holds for the channel.
    definition: Definition,
) -> impl IntoView {
    let tone = match definition.join {
        JoinRule::Public => Tone::Good,
        JoinRule::Token | JoinRule::Roles => Tone::Accent,
        JoinRule::Admin => Tone::Warn,
    };
    let presence = match definition.presence {
        PresenceMode::Full => "presence",
        PresenceMode::Count => "count only",
        PresenceMode::Off => "no presence",
    };
    view! {
        <span class="row">
            <Badge tone=Signal::from(tone)>{join_word(&definition)}</Badge>
            <Badge>{presence}</Badge>
        </span>
    }
}
