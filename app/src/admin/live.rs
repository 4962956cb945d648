//! Live messages: choose a channel and watch it.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use tidegate_protocol::Topic;

use super::screen::Screen;
use super::topic_field::TopicField;
use super::watch::Watch;
use crate::components::{Button, ButtonKind, Card, EmptyState, Shape};

/// `/admin/live` and `/admin/live/<topic>`
#[component]
pub(super) fn LiveScreen(
    /// The channel that the address names.
    topic: Option<String>,
) -> impl IntoView {
    let typed = RwSignal::new(topic.clone().unwrap_or_default());
    let tried = RwSignal::new(false);
    let error = Signal::derive(move || {
        let fault = typed.with(|typed| Topic::new(typed).err());
        fault
            .filter(|_| tried.get())
            .map(|error| format!("This will not do: {error}."))
    });
    let navigate = use_navigate();
    view! {
        <Card title="Watch a channel">
            <form
                class="inline-form"
                on:submit=move |ev| {
                    ev.prevent_default();
                    tried.set(true);
                    let topic = typed.get_untracked();
                    if Topic::new(&topic).is_ok() {
                        let path = Screen::Live(Some(topic)).path();
                        navigate(&path, NavigateOptions::default());
                    }
                }
            >
                <TopicField value=typed error/>
                <Button submit=true kind=ButtonKind::Primary>
                    "Watch"
                </Button>
            </form>
            <p class="muted">"Watching joins nothing: the members see no difference."</p>
        </Card>
        {match topic {
            Some(topic) => view! { <Watch topic/> }.into_any(),
            None => {
                view! {
                    <EmptyState title="No channel chosen" icon=Shape::Event>
                        "Its events appear here as they happen, up to twenty a second; the true rate stands above them."
                    </EmptyState>
                }
                    .into_any()
            }
        }}
    }
}
