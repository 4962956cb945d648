//! The connection state in the header: always visible, in words.

use leptos::prelude::*;

use crate::connection::{Summary, use_page_connection};

/// Long words for wide screens, short ones for narrow ones, and the whole story as a tooltip.
fn words(summary: &Summary, now: f64) -> (String, String, &'static str) {
    match summary {
        Summary::Hidden => (String::new(), String::new(), ""),
        Summary::Connecting => (
            "Connecting…".into(),
            "Connecting…".into(),
            "The page is opening its connection to the gateway.",
        ),
        Summary::Reconnecting(Some(at)) if *at as f64 > now => {
            let seconds = ((*at as f64 - now) / 1000.0).ceil().max(1.0);
            (
                format!("Reconnecting in {seconds} s"),
                format!("Retry in {seconds} s"),
                "The connection to the gateway was lost. The page tries again by itself.",
            )
        }
        Summary::Reconnecting(_) => (
            "Reconnecting…".into(),
            "Retrying…".into(),
            "The connection to the gateway was lost. The page tries again by itself.",
        ),
        Summary::BusDown => (
            "Bus down".into(),
            "Bus down".into(),
            "Connected to the gateway, but the gateway has lost its bus: no event gets through.",
        ),
        Summary::Waiting => (
            "No data yet".into(),
            "No data".into(),
            "Connected, and nothing has been published yet.",
        ),
        Summary::Stale => (
            "Data stopped".into(),
            "No data".into(),
            "Connected, but nothing has been published for a while.",
        ),
        Summary::Live => (
            "Live".into(),
            "Live".into(),
            "Connected; events arrive as they happen.",
        ),
    }
}

/// The state without its countdown.
fn aloud(summary: &Summary) -> String {
    match summary {
        Summary::Reconnecting(_) => words(&Summary::Reconnecting(None), 0.0).0,
        other => words(other, 0.0).0,
    }
}

fn tone(summary: &Summary) -> &'static str {
    match summary {
        Summary::Live => "good",
        Summary::Hidden | Summary::Connecting => "neutral",
        Summary::Reconnecting(_) | Summary::Waiting | Summary::Stale => "warn",
        Summary::BusDown => "bad",
    }
}

/// Shows [`PageConnection`](crate::connection::PageConnection).
#[component]
pub fn ConnectionPill() -> impl IntoView {
    let connection = use_page_connection();
    let summary = Memo::new(move |_| connection.summary());
    let now = RwSignal::new(0.0);
    // The countdown ticks only while there is one.
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let counting = matches!(summary.get(), Summary::Reconnecting(Some(_)));
        now.set(js_sys::Date::now());
        if counting {
            let tick = set_interval_with_handle(
                move || {
                    now.try_set(js_sys::Date::now());
                },
                std::time::Duration::from_millis(250),
            );
            on_cleanup(move || {
                if let Ok(tick) = tick {
                    tick.clear();
                }
            });
        }
    });
    let said = Memo::new(move |_| words(&summary.get(), now.get()));
    view! {
        <div
            class="pill"
            data-tone=move || tone(&summary.get())
            data-busy=move || {
                matches!(summary.get(), Summary::Connecting | Summary::Reconnecting(_)).to_string()
            }
            hidden=move || summary.get() == Summary::Hidden
            title=move || said.get().2
        >
            <span class="pill-dot" aria-hidden="true"></span>
            // Read aloud when the state changes, not with every second of a countdown.
            <span class="visually-hidden" role="status">{move || aloud(&summary.get())}</span>
            <span class="pill-long" aria-hidden="true">{move || said.get().0}</span>
            <span class="pill-short" aria-hidden="true">{move || said.get().1}</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_countdown_is_in_whole_seconds_and_ends_in_trying() {
        let summary = Summary::Reconnecting(Some(10_000));
        assert_eq!(words(&summary, 6_500.0).0, "Reconnecting in 4 s");
        assert_eq!(words(&summary, 10_000.0).0, "Reconnecting…");
    }
}
