//! The interface of the gateway: the same components render on the server and in the browser.
//!
//! | where | what |
//! | --- | --- |
//! | [`shell()`] | the HTML document around every page; called by the server |
//! | [`App`] | header, routes, contexts; called by both sides |
//! | [`first_paint`] | what the server knows when it renders ([`FirstPaint`], provided per request) |
//! | [`connection`] | [`PageConnection`](connection::PageConnection): what the header's pill shows; a page that opens a connection writes its state there |
//! | [`components`] | one file per component, with its style sheet of the same name in `style/components/` |
//! | `api_docs` | the page of the HTTP API, made of the gateway's own document |
//! | [`live`] | the Live page's parts; what needs no browser (fleet, motion, projection) is plain Rust with tests |
//! | [`pages`] | one module per screen |
//! | [`browser`] | small helpers over web-sys; exists in the browser only |
//!
//! Features: `ssr` for the server, `hydrate` for the browser. Code that needs a browser lives in
//! modules behind `#[cfg(feature = "hydrate")]`, so the server never links it.
#![recursion_limit = "512"]
// The component macro writes `pub` items into private modules; the modules re-export them.
#![allow(unreachable_pub)]

pub mod admin;
mod api_docs;
#[cfg(feature = "hydrate")]
pub mod browser;
pub mod client_page;
pub mod components;
pub mod connection;
pub mod first_paint;
pub mod format;
pub mod http;
pub mod json;
pub mod live;
pub mod pages;
mod shell;
pub mod timing;

pub use first_paint::FirstPaint;
pub use shell::{App, Bundle, shell};
