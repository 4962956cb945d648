//! Waiting, in the browser. The server renders and waits for nothing.

/// Comes back after so many milliseconds; on the server never.
pub async fn pause(ms: u32) {
    #[cfg(feature = "hydrate")]
    gloo_timers::future::TimeoutFuture::new(ms).await;
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = ms;
        std::future::pending::<()>().await;
    }
}

/// Milliseconds since 1970; 0 on the server, which renders no times of its own.
pub fn now_ms() -> f64 {
    #[cfg(feature = "hydrate")]
    return js_sys::Date::now();
    #[cfg(not(feature = "hydrate"))]
    0.0
}

/// Date and time as the visitor's clock shows them: `2026-03-01 09:05:00`. Nothing on the server,
/// which does not know that clock.
pub fn local(ms: f64) -> String {
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new(&ms.into());
        format!(
            "{}-{:02}-{:02} {:02}:{:02}:{:02}",
            date.get_full_year(),
            date.get_month() + 1,
            date.get_date(),
            date.get_hours(),
            date.get_minutes(),
            date.get_seconds()
        )
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = ms;
        String::new()
    }
}

/// The moment as machines read it (ISO 8601). Nothing on the server.
pub fn iso(ms: f64) -> String {
    #[cfg(feature = "hydrate")]
    return String::from(js_sys::Date::new(&ms.into()).to_iso_string());
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = ms;
        String::new()
    }
}

/// The address of the gateway's socket, seen from this page.
pub fn socket_address() -> String {
    #[cfg(feature = "hydrate")]
    {
        let location = leptos::prelude::window().location();
        let secure = location
            .protocol()
            .is_ok_and(|protocol| protocol == "https:");
        let scheme = if secure { "wss" } else { "ws" };
        format!(
            "{scheme}://{}/websocket",
            location.host().unwrap_or_default()
        )
    }
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// Whether nobody sees the page now; nothing needs refreshing then.
pub fn hidden() -> bool {
    #[cfg(feature = "hydrate")]
    return leptos::prelude::document().hidden();
    #[cfg(not(feature = "hydrate"))]
    false
}
