//! `/docs/api`: the HTTP API as its document describes it, read from the gateway itself.
//!
//! [`document`] and [`schema`] take the document apart and know no browser; [`operation`] shows one
//! operation, [`try_it`] asks it.

mod document;
mod operation;
mod prose;
mod schema;
mod try_it;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;

use crate::components::{Badge, Button, EmptyState, Shape, TextField};
use crate::connection::{Link, use_page_connection};
use crate::http;
use document::{Document, Group};
use operation::OperationView;
use prose::Prose;

/// Where the document is.
const ADDRESS: &str = "/api/v1/openapi.json";

/// The page.
#[component]
pub fn ApiDocsPage() -> impl IntoView {
    let link = use_page_connection().link;
    let document = RwSignal::new(None::<Result<Document, String>>);
    let load = move || {
        spawn_local(async move {
            let answer = http::get::<serde_json::Value>(ADDRESS).await;
            let read = answer.map(|json| Document::read(&json));
            document.try_set(Some(read.map_err(|error| error.to_string())));
        });
    };
    Effect::new(move |_| {
        link.set(Link::None);
        load();
    });
    view! {
        <Title text="API"/>
        <div class="page api-docs">
            {move || match document.get() {
                None => view! {
                    <h1>"HTTP API"</h1>
                    <div class="skeleton" role="status" aria-label="Loading">
                        {(0..8).map(|_| view! { <span></span> }).collect_view()}
                    </div>
                }
                .into_any(),
                Some(Err(words)) => view! {
                    <h1>"HTTP API"</h1>
                    <EmptyState title="The document could not be had" icon=Shape::Alert>
                        <p>{words}</p>
                        <Button on:click=move |_| load()>"Try again"</Button>
                    </EmptyState>
                }
                .into_any(),
                Some(Ok(document)) => view! { <Shown document/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Shown(document: Document) -> impl IntoView {
    let search = RwSignal::new(String::new());
    let wanted = Memo::new(move |_| search.with(|search| search.trim().to_lowercase()));
    let Document {
        version,
        text,
        groups,
    } = document;
    let all: usize = groups.iter().map(|group| group.operations.len()).sum();
    let known = StoredValue::new(groups.clone());
    let found = Memo::new(move |_| {
        wanted.with(|wanted| {
            known.with_value(|groups| {
                let operations = groups.iter().flat_map(|group| &group.operations);
                operations.filter(|one| one.mentions(wanted)).count()
            })
        })
    });
    let count = move || match found.get() {
        0 => "No operation".to_owned(),
        n if n == all => format!("{n} operations"),
        n => format!("{n} of {all} operations"),
    };
    let names = groups.iter().map(|group| {
        let name = group.name.clone();
        let href = format!("#group-{name}");
        // The router would lead elsewhere and back.
        view! { <a class="api-jump" href=href rel="external">{name}</a> }.into_any()
    });
    let names = names.collect_view();
    let groups = groups.into_iter();
    let groups = groups.map(|group| view! { <GroupView group wanted/> }.into_any());
    view! {
        <header class="page-head">
            <h1>"HTTP API"</h1>
            <Badge>{format!("version {version}")}</Badge>
            <a class="api-raw" href=ADDRESS rel="external" download="tidegate-openapi.json">
                "OpenAPI document"
            </a>
        </header>
        <details class="card api-about">
            <summary>"How it is used: signing in, errors, lists"</summary>
            <div class="card-body"><Prose text/></div>
        </details>
        <div class="api-find">
            <TextField
                name="api-search"
                label="Search"
                value=search
                kind="search"
                placeholder="channels, POST, token…"
            />
            <p class="muted" role="status">{count}</p>
        </div>
        <nav class="api-groups" aria-label="Groups">{names}</nav>
        {groups.collect_view()}
        <Show when=move || found.get() == 0>
            <EmptyState title="Nothing matches the search" icon=Shape::Search>
                <Button on:click=move |_| search.set(String::new())>"Clear the search"</Button>
            </EmptyState>
        </Show>
    }
}

#[component]
fn GroupView(group: Group, wanted: Memo<String>) -> impl IntoView {
    let Group {
        name,
        text,
        operations,
    } = group;
    let known = StoredValue::new(operations.clone());
    let empty = move || {
        wanted.with(|wanted| known.with_value(|all| !all.iter().any(|one| one.mentions(wanted))))
    };
    let operations = operations.into_iter().map(|operation| {
        let known = StoredValue::new(operation.clone());
        let hidden = move || !wanted.with(|wanted| known.with_value(|one| one.mentions(wanted)));
        view! { <li hidden=hidden>{view! { <OperationView operation/> }.into_any()}</li> }
            .into_any()
    });
    let title = format!("group-{name}");
    let label = title.clone();
    view! {
        <section class="api-group" aria-labelledby=label hidden=empty>
            <h2 id=title>{name}</h2>
            <Prose text/>
            <ul class="api-operations">{operations.collect_view()}</ul>
        </section>
    }
}
