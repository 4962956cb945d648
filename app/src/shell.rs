//! The document around every page and the app inside it: header, routes, contexts.

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{A, ParentRoute, Redirect, Route, Router, Routes};
use leptos_router::hooks::use_query_map;
use leptos_router::{ParamSegment, StaticSegment};

use crate::components::{ConnectionPill, ThemeToggle, ToastHost, Toasts};
use crate::connection::PageConnection;
use crate::first_paint::FirstPaint;
use crate::http::segment;
use crate::pages::{AdminPage, ApiDocsPage, ClientPage, LivePage, NotFoundPage};

/// Addresses of the interface's parts, each with the version of its content.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The style sheet.
    pub style: String,
    /// The module around the program.
    pub script: String,
    /// The program, in WebAssembly.
    pub program: String,
    /// Starts the program, and says so where that fails.
    pub start: String,
    /// Applies the chosen theme.
    pub theme: String,
}

/// The HTML document; the server renders it once per request.
pub fn shell(options: LeptosOptions, bundle: &Bundle) -> impl IntoView + use<> {
    let Bundle {
        style,
        script,
        program,
        start,
        theme,
    } = bundle.clone();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover"
                />
                <meta name="color-scheme" content="light dark"/>
                <meta
                    name="description"
                    content="Live events between browsers and backends, on a map and in charts."
                />
                // Before any style, so that the chosen theme never flashes.
                <script src=theme></script>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="icon" href="/favicon.ico" sizes="32x32"/>
                <link id="leptos" rel="stylesheet" href=style/>
                <AutoReload options/>
                <link rel="modulepreload" href=script/>
                <link
                    rel="preload"
                    href=program
                    r#as="fetch"
                    r#type="application/wasm"
                    crossorigin="anonymous"
                />
                <script type="module" src=start></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The interface, on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let first = FirstPaint::carry();
    provide_context(PageConnection::new(first.bus_up));
    provide_context(Toasts::default());
    provide_context(first);

    view! {
        <Title formatter=|page: String| {
            if page.is_empty() { "Tidegate".to_owned() } else { format!("{page} · Tidegate") }
        }/>
        <Router>
            <a class="skip-link" href="#main">"Skip to content"</a>
            <Header/>
            <main id="main" tabindex="-1">
                <Routes fallback=NotFoundPage>
                    <Route path=StaticSegment("") view=HomePage/>
                    <Route path=StaticSegment("client") view=ClientPage/>
                    <Route path=(StaticSegment("docs"), StaticSegment("api")) view=ApiDocsPage/>
                    // One page for all its screens: its connection outlives a change of address.
                    <ParentRoute path=StaticSegment("admin") view=AdminPage>
                        <Route path=StaticSegment("") view=|| ()/>
                        <Route path=ParamSegment("screen") view=|| ()/>
                        <Route path=(ParamSegment("screen"), ParamSegment("topic")) view=|| ()/>
                    </ParentRoute>
                </Routes>
            </main>
        </Router>
        <ToastHost/>
    }
}

#[component]
fn Header() -> impl IntoView {
    view! {
        <header class="site-header">
            <a class="brand" href="/" aria-label="Tidegate, live page">
                <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
                    <rect width="32" height="32" rx="8" fill="var(--accent)"></rect>
                    <path
                        d="M6 20c3.3 0 3.3-3 6.7-3s3.3 3 6.6 3 3.3-3 6.7-3M6 14c3.3 0 3.3-3 6.7-3s3.3 3 6.6 3 3.3-3 6.7-3"
                        fill="none"
                        stroke="var(--on-accent)"
                        stroke-width="2.5"
                        stroke-linecap="round"
                    ></path>
                </svg>
                <span class="brand-name">"Tidegate"</span>
            </a>
            <nav class="site-nav" aria-label="Pages">
                <A href="/" exact=true>"Live"</A>
                <A href="/client">"Client"</A>
                <A href="/admin">"Admin"</A>
            </nav>
            <div class="site-state">
                <ConnectionPill/>
                <ThemeToggle/>
            </div>
        </header>
    }
}

/// `/` is the Live page; `/?name=alice` leads to the client test page, joined as alice.
#[component]
fn HomePage() -> impl IntoView {
    let query = use_query_map();
    match query.with_untracked(|query| query.get("name")) {
        Some(name) => {
            let path = format!("/client?name={}", segment(&name));
            view! { <Redirect path/> }.into_any()
        }
        None => view! { <LivePage/> }.into_any(),
    }
}
