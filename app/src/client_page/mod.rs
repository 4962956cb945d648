//! The client test page: one connection, any channel, every frame.
//!
//! `/client` waits for a name; `/client?name=alice` and `/?name=alice` connect as alice at once.
//! Everything the page does it does over the gateway's public endpoint and `POST /token`.

mod channel_list;
mod channel_view;
mod connect;
mod frame_list;
mod frames;
mod join_form;
mod presence_list;
pub(crate) mod session;
mod state;
mod words;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::connection::{Link, use_page_connection};
use channel_list::ChannelList;
use channel_view::ChannelView;
use connect::ConnectCard;
use frame_list::FrameList;
use join_form::JoinForm;
use state::ClientState;
pub(crate) use words::advice;

/// `/client` and `/?name=alice`.
#[component]
pub fn ClientPage() -> impl IntoView {
    let state = ClientState::new();
    provide_context(state);
    let page = use_page_connection();
    let query = use_query_map();
    let asked = query
        .with_untracked(|query| query.get("name"))
        .unwrap_or_default();
    state.name.set(asked.clone());

    Effect::new(move |_| {
        page.link.set(Link::None);
        if !asked.trim().is_empty() {
            session::open(state, page);
        }
    });
    on_cleanup(move || session::close(state));

    view! {
        <Title text="Client"/>
        <div class="page client-page">
            <header class="page-head">
                <h1>"Client"</h1>
                <p class="muted">
                    "Connects as a page of your own would: join a channel, send events, watch every frame."
                </p>
            </header>
            <div class="client-grid">
                <div class="client-side stack">
                    <ConnectCard/>
                    <JoinForm/>
                    <ChannelList/>
                </div>
                <ChannelView/>
                <FrameList/>
            </div>
        </div>
    }
}
