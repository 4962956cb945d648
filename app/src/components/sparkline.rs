//! A small line without axes, as SVG: renders on the server too. For axes and a cursor see
//! [`Chart`](super::Chart).

use leptos::prelude::*;

/// Draws `values`, oldest first, over the full width; gaps stay gaps.
#[component]
pub fn Sparkline(
    /// What it shows, for those who do not see it.
    #[prop(into)]
    label: Signal<String>,
    /// The values; `None` is a gap.
    #[prop(into)]
    values: Signal<Vec<Option<f64>>>,
    /// The value at the top; the largest one when absent.
    #[prop(optional)]
    top: Option<f64>,
) -> impl IntoView {
    view! {
        <svg
            class="sparkline"
            role="img"
            aria-label=move || label.get()
            viewBox="0 0 100 30"
            preserveAspectRatio="none"
        >
            <path d=move || values.with(|values| path(values, top)) vector-effect="non-scaling-stroke"></path>
        </svg>
    }
}

/// The path through `values` in a box of 100 by 30.
fn path(values: &[Option<f64>], top: Option<f64>) -> String {
    use std::fmt::Write;

    let top = top
        .unwrap_or_else(|| values.iter().flatten().copied().fold(0.0, f64::max))
        .max(f64::MIN_POSITIVE);
    let step = 100.0 / (values.len().max(2) - 1) as f64;
    let mut d = String::new();
    let mut pen = 'M';
    for (i, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let y = 29.0 - (value / top).clamp(0.0, 1.0) * 28.0;
                // Writing to a string cannot fail.
                let _ = write!(d, "{pen}{:.1} {y:.1}", i as f64 * step);
                pen = 'L';
            }
            None => pen = 'M',
        }
    }
    d
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_gap_lifts_the_pen() {
        let d = path(&[Some(0.0), Some(10.0), None, Some(5.0)], None);
        assert_eq!(d, "M0.0 29.0L33.3 1.0M100.0 15.0");
    }

    #[test]
    fn nothing_draws_nothing() {
        assert_eq!(path(&[], None), "");
    }
}
