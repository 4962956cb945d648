//! The one connection of the admin pages, and its channel `admin`.

use futures::StreamExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_client::{Channel, ChannelEvent, Client, Config, Update as Happening, parse};
use tidegate_protocol::admin::{BusInfo, Figures, Sample};

use super::api;
use super::state::AdminState;
use crate::client_page::session::link;
use crate::connection::{Data, PageConnection};
use crate::http::{self, ApiError};
use crate::timing;

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// The payload of a join that needs the admin credential.
async fn admin_params(state: AdminState) -> Result<Value, String> {
    let asked = json!({"channel": "admin", "id": "admin"});
    let token: Result<Token, ApiError> = http::send("POST", "/token", &asked).await;
    match token {
        Ok(Token { token }) => Ok(json!({"token": token})),
        Err(error) => Err(state.words(&error)),
    }
}

/// Opens the connection, unless there is one.
pub(crate) fn open(state: AdminState, page: PageConnection) {
    if state.client.with_untracked(Option::is_some) {
        return;
    }
    let client = Client::connect(Config::new(timing::socket_address()));
    let mut updates = client.updates();
    spawn_local(async move {
        while let Some(update) = updates.next().await {
            if let Happening::Status(status) = update
                && page.link.try_set(link(&status)).is_some()
            {
                return;
            }
        }
    });
    let admin = client.channel_with("admin", move || admin_params(state));
    spawn_local(follow(state, page, admin));
    state.client.set(Some(client));
}

/// Ends the connection.
pub(crate) fn close(state: AdminState) {
    if let Some(Some(client)) = state.client.try_update(Option::take) {
        client.close();
    }
}

async fn follow(state: AdminState, page: PageConnection, mut admin: Channel) {
    while let Some(event) = StreamExt::next(&mut admin).await {
        match event {
            // The samples of the time between are only there for the asking.
            ChannelEvent::Joined { .. } => {
                load_overview(state, page).await;
                state.changes.try_update(|n| *n += 1);
            }
            ChannelEvent::Event { event, payload } => match &*event {
                "overview.sample" => {
                    if let Ok(sample) = parse::<Sample>(&payload) {
                        page.bus_up.try_set(sample.bus_up);
                        state.add_sample(sample);
                    }
                }
                "overview.figures" => {
                    if let Ok(figures) = parse::<Figures>(&payload) {
                        state.figures.try_set(Some(figures));
                    }
                }
                "overview.bus" => {
                    if let Ok(bus) = parse::<BusInfo>(&payload) {
                        page.bus_up.try_set(bus.up);
                        state.bus.try_set(Some(bus));
                    }
                }
                name if name.starts_with("channel.") => {
                    state.changes.try_update(|n| *n += 1);
                }
                _ => {}
            },
            ChannelEvent::Refused { reason } => {
                state.failed.try_set(Some(reason));
            }
            ChannelEvent::Interrupted { .. } | ChannelEvent::Closed { .. } => {}
        }
    }
}

/// Asks for the figures so far.
async fn load_overview(state: AdminState, page: PageConnection) {
    match api::overview().await {
        Ok(overview) => {
            page.data.try_set(Data::Flowing);
            page.bus_up.try_set(overview.bus.up);
            if state.history.try_get_untracked().is_some() {
                state.set_overview(overview);
            }
        }
        Err(error) => {
            let words = state.words(&error);
            state.failed.try_set(Some(words));
        }
    }
}

/// Watches a channel; the reader gets `event` and `rate`. None before the connection is asked for.
pub(crate) fn watch(state: AdminState, topic: &str) -> Option<Channel> {
    let client = state.client.get_untracked()?;
    Some(client.channel_with(&format!("admin:watch:{topic}"), move || admin_params(state)))
}
