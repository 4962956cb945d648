//! The admin pages: one address per screen, one connection for all of them.
//!
//! The page asks for a session first. Lists and actions go over the HTTP API; what happens comes
//! over the `admin` channel of the public endpoint, as to any other client.

mod api;
mod channel;
mod channels;
mod confirm;
mod connections;
mod definition_choices;
mod definition_fields;
mod definition_form;
mod definition_words;
mod definitions;
mod figures;
mod form;
mod live;
mod members;
mod nav;
mod overview;
mod paged;
mod role_names;
mod screen;
mod send;
mod sign_in;
mod socket;
mod state;
mod store_notice;
mod topic_field;
mod trust;
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
use crate::timing;
use confirm::{Confirm, ConfirmHost};
use nav::Nav;
use screen::Screen;
use sign_in::SignInForm;
use state::{AdminState, Session};

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
    let may_see = Memo::new(move |_| state.may(screen.with(Screen::needs)));
    Effect::new(move |_| state.alive.set(true));
    Effect::new(move |_| spawn_local(keep_time(state)));
    Effect::new(move |_| spawn_local(watch_store(state)));
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
                {inside(state, screen, may_see)}
            </Show>
        </div>
        <ConfirmHost/>
        // The address is read here; the routes below only say which ones there are.
        <Outlet/>
    }
}

/// What somebody sees who has signed in: a type of its own, since the whole page's would be too deep
/// for the compiler.
fn inside(state: AdminState, screen: Memo<Screen>, may_see: Memo<bool>) -> AnyView {
    view! {
                <header class="page-head">
                    <h1>"Admin"</h1>
                    <WhoIs state/>
                    <SignOut state/>
                </header>
                <div class="admin-body">
                    <Nav screen/>
                    <div class="admin-screen">
                        {move || {
                            if may_see.get() {
                                shown(screen.get())
                            } else {
                                view! { <trust::NotForYou needs=screen.get().needs()/> }.into_any()
                            }
                        }}
                    </div>
                </div>
    }
    .into_any()
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
        Screen::Tokens => view! { <trust::TokensScreen/> }.into_any(),
        Screen::Keys => view! { <trust::KeysScreen/> }.into_any(),
        Screen::ApiKeys => view! { <trust::ApiKeysScreen/> }.into_any(),
        Screen::Users => view! { <trust::UsersScreen/> }.into_any(),
        Screen::Sessions => view! { <trust::SessionsScreen/> }.into_any(),
        Screen::Activity => view! { <trust::ActivityScreen/> }.into_any(),
        Screen::Configuration => view! { <trust::ConfigurationScreen/> }.into_any(),
        Screen::Account => view! { <trust::AccountScreen/> }.into_any(),
        Screen::Unknown => view! {
            <EmptyState title="There is no admin page at this address" icon=Shape::Search>
                <a class="button" href="/admin">"Go to the overview"</a>
            </EmptyState>
        }
        .into_any(),
    }
}

/// Keeps the page's idea of now.
async fn keep_time(state: AdminState) {
    const EVERY_MS: u32 = 5_000;
    while state.now.try_set(timing::now_ms()).is_none() {
        timing::pause(EVERY_MS).await;
    }
}

/// Asks now and then whether the store is there: nobody tells of it.
async fn watch_store(state: AdminState) {
    const EVERY_MS: u32 = 3_000;
    loop {
        timing::pause(EVERY_MS).await;
        let Some(Session::In) = state.session.try_get_untracked() else {
            if state.session.try_get_untracked().is_none() {
                return;
            }
            continue;
        };
        if timing::hidden() {
            continue;
        }
        match api::system().await {
            Ok(system) => {
                let known = state.store.try_get_untracked();
                if known.is_some_and(|known| known.as_ref() != Some(&system.store)) {
                    state.store.set(Some(system.store));
                }
            }
            // A session that has ended elsewhere ends here, whatever screen stands.
            Err(error) if state.store.try_get_untracked().is_some() => drop(state.words(&error)),
            Err(_) => return,
        }
    }
}

/// Who has signed in, as a link to what that one may change about it.
#[component]
fn WhoIs(state: AdminState) -> impl IntoView {
    let name = move || {
        state.who.with(|who| {
            who.user()
                .map_or_else(|| "Built-in administrator".to_owned(), str::to_owned)
        })
    };
    let role = Memo::new(move |_| state.who.with(|who| who.role));
    view! {
        <a class="who" href=Screen::Account.path() title="Your account">
            <span class="who-name">{name}</span>
            {move || view! { <trust::RoleBadge role=role.get()/> }}
        </a>
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
