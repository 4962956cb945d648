//! What the server knows when it renders a page, so that the first paint says something true.
//!
//! The server provides a [`FirstPaint`] as context for each request; [`FirstPaint::carry`] hands
//! the same value to the browser inside the page, so that hydration starts from equal data.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use tidegate_protocol::Role;

/// The state of the gateway at the moment a page was rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPaint {
    /// Version of the gateway.
    pub version: String,
    /// This gateway's name among others.
    pub node: String,
    /// Whether the bus carries events.
    pub bus_up: bool,
    /// Open connections.
    pub connections: u64,
    /// Members of all channels.
    pub members: u64,
    /// Whether this browser holds an admin session.
    pub admin: bool,
    /// Whose it is.
    pub principal: Option<String>,
    /// What it allows.
    pub role: Option<Role>,
    /// Whether a password is set; otherwise the link printed at start is the way in.
    pub password_login: bool,
}

impl FirstPaint {
    /// On the server: the context of this request, written into the page. In the browser: the
    /// value found in the page.
    pub fn carry() -> Self {
        SharedValue::new(|| use_context::<Self>().unwrap_or_default()).into_inner()
    }
}

/// The state of the gateway when this page was rendered.
pub fn use_first_paint() -> FirstPaint {
    use_context::<FirstPaint>().unwrap_or_default()
}
