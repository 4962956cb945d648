//! What goes wrong, and how long things take: four small cards below the tiles.

use leptos::prelude::*;
use tidegate_protocol::admin::{Count, Figures, Took};

use super::state::use_admin_state;
use crate::components::Card;
use crate::format;

/// The cards; before the first figures they have their rows without values.
#[component]
pub(super) fn FigureCards() -> impl IntoView {
    let state = use_admin_state();
    let read = move |read: fn(&Figures) -> Vec<(String, String)>| {
        Signal::derive(move || {
            state
                .figures
                .with(|figures| figures.as_ref().map(read))
                .unwrap_or_else(|| {
                    let rows = read(&Figures::default()).into_iter();
                    let unknown = |(name, _)| (name, format::MISSING.to_owned());
                    rows.map(unknown).collect()
                })
        })
    };
    let known = Memo::new(move |_| state.figures.with(Option::is_some));
    let none = move |words: &'static str| {
        Signal::derive(move || if known.get() { words } else { format::MISSING })
    };
    view! {
        <div class="figure-cards">
            <Facts title="How long it took, last minute" rows=read(durations)/>
            <Facts title="Waiting for slow readers" rows=read(waiting)/>
            <Facts
                title="Connections that ended"
                rows=read(|figures| reasons(&figures.closes))
                none=none("None so far.")
            />
            <Facts
                title="Dropped and refused"
                rows=read(|figures| reasons(&figures.drops))
                none=none("Nothing so far.")
            />
        </div>
    }
}

#[component]
fn Facts(
    title: &'static str,
    rows: Signal<Vec<(String, String)>>,
    #[prop(into, optional)] none: Signal<&'static str>,
) -> impl IntoView {
    let list = move || {
        rows.get()
            .into_iter()
            .map(|(name, value)| {
                view! {
                    <div>
                        <dt>{name}</dt>
                        <dd>{value}</dd>
                    </div>
                }
            })
            .collect_view()
    };
    let empty = Memo::new(move |_| rows.with(Vec::is_empty));
    view! {
        <Card title=title>
            <Show when=move || !empty.get() fallback=move || view! { <p class="muted">{none}</p> }>
                <dl class="facts">{list}</dl>
            </Show>
        </Card>
    }
}

fn durations(figures: &Figures) -> Vec<(String, String)> {
    [
        ("Fan-out", figures.fan_out),
        ("Client round trip", figures.round_trip),
        ("Answer of Redis", figures.bus),
    ]
    .into_iter()
    .map(|(name, took)| (name.to_owned(), took_words(took)))
    .collect()
}

fn waiting(figures: &Figures) -> Vec<(String, String)> {
    let bytes = |n: u64| format::bytes(n as f64);
    [
        (
            "Frames",
            format::grouped(figures.queue_frames.cast_signed()),
        ),
        ("Bytes", bytes(figures.queue_bytes)),
        ("Slowest reader", bytes(figures.queue_largest)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn reasons(counts: &[Count]) -> Vec<(String, String)> {
    counts
        .iter()
        .map(|Count { reason, count }| {
            let count = format::grouped(count.cast_signed());
            (reason_words(reason), count)
        })
        .collect()
}

/// A reason of the metrics, as people say it.
fn reason_words(reason: &str) -> String {
    match reason {
        "client" => "The client went",
        "slow_consumer" => "Reader too slow",
        "oldest" => "Gave way to newer events",
        "not_latest" => "Not the latest",
        "no_binary" => "Binary, for a client without",
        "bus_name" => "Bad name on the bus",
        "refused" => "Frames refused",
        "lifecycle" => "Joins and leaves, bus down",
        "remote_member" => "No room for remote members",
        other => {
            let mut chars = other.chars();
            let first = chars.next().map(|c| c.to_uppercase().collect::<String>());
            return first.unwrap_or_default() + chars.as_str();
        }
    }
    .to_owned()
}

/// Half of them and 99 of 100, in one line.
fn took_words(took: Took) -> String {
    match (took.p50, took.p99) {
        (Some(p50), Some(p99)) => {
            format!("p50 {}, p99 {}", format::micros(p50), format::micros(p99))
        }
        _ => format::MISSING.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_words() {
        let took = Took {
            count: 3,
            p50: Some(42),
            p99: Some(1_540),
        };
        assert_eq!(took_words(took), "p50 42 µs, p99 1.5 ms");
        assert_eq!(took_words(Took::default()), format::MISSING);
        assert_eq!(
            (format::micros(25_400), format::micros(2_000_000)),
            ("25 ms".into(), "2.0 s".into())
        );
    }

    #[test]
    fn reasons_are_words() {
        assert_eq!(reason_words("slow consumer"), "Slow consumer");
        assert_eq!(reason_words("client"), "The client went");
    }
}
