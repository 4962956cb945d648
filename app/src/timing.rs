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
