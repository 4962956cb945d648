//! The admin pages: one address per screen, one connection for all of them.
//!
//! The page asks for a session first. Lists and actions go over the HTTP API; what happens comes
//! over the `admin` channel of the public endpoint, as to any other client.

mod api;
mod channel;
mod channels;
mod confirm;
mod connections;
mod definition_form;
mod definitions;
mod figures;
mod live;
mod members;
mod overview;
mod paged;
mod screen;
mod send;
mod sign_in;
mod socket;
mod state;
mod topic_field;
mod watch;
mod watch_log;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use crate::components::{Button, EmptyState, Shape};
use crate::connection::{Link, use_page_connection};
use crate::first_paint::use_first_paint;
use confirm::{Confirm, ConfirmHost};
use screen::Screen;
use sign_in::SignInForm;
use state::AdminState;

/// `/admin` and everything below it.
#[component]
pub fn AdminPage() -> impl IntoView {
    let state = AdminState::new(&use_first_paint());
    provide_context(state);
    provide_context(Confirm::default());
    let page = use_page_connection();
    let location = use_location();
    let screen = Memo::new(move |_| location.pathname.with(|path| Screen::from_path(path)));

    // The session may have changed since the server rendered the page.
    Effect::new(move |_| {
        spawn_local(async move {
            if let Ok(info) = api::session().await
                && state.session.try_get_untracked().is_some()
            {
                state.set_session(&info);
            }
        });
    });
    let signed_in = Memo::new(move |_| state.signed_in());
    Effect::new(move |_| {
        if signed_in.get() {
            socket::open(state, page);
        } else {
            socket::close(state);
            page.link.set(Link::None);
        }
    });
    on_cleanup(move || socket::close(state));

    view! {
        <Title text="Admin"/>
        <div class="page admin-page">
            <Show
                when=move || signed_in.get()
                fallback=move || {
                    view! {
                        <h1 class="visually-hidden">"Admin"</h1>
                        <SignInForm state/>
                    }
                }
            >
                <header class="page-head">
                    <h1>"Admin"</h1>
                    <SignOut state/>
                </header>
                <Tabs screen/>
                {move || shown(screen.get())}
            </Show>
        </div>
        <ConfirmHost/>
        // The address is read here; the routes below only say which ones there are.
        <Outlet/>
    }
}

fn shown(screen: Screen) -> AnyView {
    match screen {
        Screen::Overview => view! { <overview::OverviewScreen/> }.into_any(),
        Screen::Channels => view! { <channels::ChannelsScreen/> }.into_any(),
        Screen::Channel(topic) => view! { <channel::ChannelScreen topic/> }.into_any(),
        Screen::Connections => view! { <connections::ConnectionsScreen/> }.into_any(),
        Screen::Live(topic) => view! { <live::LiveScreen topic/> }.into_any(),
        Screen::Send(topic) => view! { <send::SendScreen topic/> }.into_any(),
        Screen::Definitions => view! { <definitions::DefinitionsScreen/> }.into_any(),
        Screen::Unknown => view! {
            <EmptyState title="There is no admin page at this address" icon=Shape::Search>
                <a class="button" href="/admin">"Go to the overview"</a>
            </EmptyState>
        }
        .into_any(),
    }
}

/// The screens, as links with addresses of their own.
#[component]
fn Tabs(screen: Memo<Screen>) -> impl IntoView {
    let tab = move |to: Screen, words: &'static str| {
        let href = to.path();
        let current = move || {
            screen
                .with(|screen| screen.belongs_to(&to))
                .then_some("page")
        };
        view! {
            <a class="tab" href=href aria-current=current>
                {words}
            </a>
        }
    };
    view! {
        <nav class="tabs admin-tabs" aria-label="Admin pages">
            {tab(Screen::Overview, "Overview")}
            {tab(Screen::Channels, "Channels")}
            {tab(Screen::Connections, "Connections")}
            {tab(Screen::Live(None), "Live messages")}
            {tab(Screen::Send(None), "Send")}
            {tab(Screen::Definitions, "Definitions")}
        </nav>
    }
}

#[component]
fn SignOut(state: AdminState) -> impl IntoView {
    let sign_out = move || {
        state.act(api::sign_out(), move || {
            spawn_local(async move {
                if let Ok(info) = api::session().await {
                    // Asked for, so there is nothing to explain.
                    state.session.try_set(state::Session::Out {
                        password_login: info.password_login,
                        words: None,
                    });
                }
            });
        });
    };
    view! { <Button on:click=move |_| sign_out()>"Sign out"</Button> }
}
