//! What the colours and shapes on the map mean.

use leptos::prelude::*;

use super::altitude::Band;

/// The altitude scale, and the two looks that stand beside it.
#[component]
pub fn Legend() -> impl IntoView {
    let swatch = |band: Band| {
        view! {
            <li class="legend-band">
                <span
                    class="legend-swatch"
                    style=format!("background: var({})", band.token())
                    aria-hidden="true"
                ></span>
                <span>{band.title()}</span>
            </li>
        }
    };
    let scale = &Band::ALL[1..7];
    view! {
        <div class="legend" role="group" aria-label="Legend">
            <span class="legend-title">"Altitude from, 1000 ft"</span>
            <ul class="legend-scale">{scale.iter().copied().map(swatch).collect_view()}</ul>
            <ul class="legend-others">
                {swatch(Band::Ground)} {swatch(Band::Unknown)}
                <li class="legend-band">
                    <span class="legend-dot" aria-hidden="true"></span>
                    <span>"track unknown"</span>
                </li>
            </ul>
        </div>
    }
}
