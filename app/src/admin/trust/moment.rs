//! A moment as people say it: how long ago, or how soon; the date and time as a tooltip.

use leptos::prelude::*;

use crate::admin::state::use_admin_state;
use crate::{format, timing};

/// `<Moment at=info.created_at/>`
#[component]
pub(super) fn Moment(
    /// Milliseconds since 1970.
    at: u64,
) -> impl IntoView {
    let state = use_admin_state();
    let at = at as f64;
    view! {
        <time datetime=timing::iso(at) title=timing::local(at)>
            {move || words(at, state.now.get())}
        </time>
    }
}

/// How far the moment is from now.
pub(super) fn words(at: f64, now: f64) -> String {
    let away = at - now;
    // The page's idea of now is some seconds old.
    if (-1_000.0..10_000.0).contains(&away) {
        "now".to_owned()
    } else if away < 0.0 {
        format!("{} ago", format::span(-away))
    } else {
        format!("in {}", format::span(away))
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn before_and_after() {
        assert_eq!(words(1_000.0, 1_500.0), "now");
        assert_eq!(words(0.0, 65_000.0), "1 min ago");
        assert_eq!(words(7_500_000.0, 0.0), "in 2 h 5 min");
    }
}
