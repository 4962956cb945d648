//! What was lost, and how long things took in the last minute, for the eyes of administrators.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tidegate_hub::{Drop, Durations, Hub};
use tidegate_protocol::Close;
use tidegate_protocol::admin::{Count, Figures, Took};

/// Seconds of which the durations are known.
const SECONDS: usize = 60;

/// How the histograms stood at the end of each of the last sixty seconds, oldest first.
#[derive(Default)]
pub(crate) struct LastMinute(Mutex<VecDeque<Standing>>);

/// How they stood at one moment.
#[derive(Clone, Copy, Default)]
struct Standing {
    fan_out: Durations,
    round_trip: Durations,
    bus: Durations,
}

impl Standing {
    fn of(hub: &Hub) -> Self {
        Self {
            fan_out: hub.stats.fan_out.read(),
            round_trip: hub.stats.round_trip.read(),
            bus: hub.stats.bus_lag.read(),
        }
    }
}

impl LastMinute {
    /// To be called once a second.
    pub(crate) fn tick(&self, hub: &Hub) {
        let mut seconds = self.0.lock();
        if seconds.len() > SECONDS {
            seconds.pop_front();
        }
        seconds.push_back(Standing::of(hub));
    }

    /// The figures of now.
    pub(crate) fn now(&self, hub: &Hub) -> Figures {
        let before = self.0.lock().front().copied().unwrap_or_default();
        let now = Standing::of(hub);
        let depth = hub.queue_depth();
        Figures {
            closes: closes(hub),
            drops: drops(hub),
            queue_frames: depth.frames as u64,
            queue_bytes: depth.bytes as u64,
            queue_largest: depth.largest as u64,
            fan_out: took(&now.fan_out.since(&before.fan_out)),
            round_trip: took(&now.round_trip.since(&before.round_trip)),
            bus: took(&now.bus.since(&before.bus)),
        }
    }
}

fn took(durations: &Durations) -> Took {
    Took {
        count: durations.count(),
        p50: durations.quantile_us(0.5),
        p99: durations.quantile_us(0.99),
    }
}

fn closes(hub: &Hub) -> Vec<Count> {
    let by_gateway = Close::ALL.map(|close| (close.reason(), hub.stats.closes(Some(close))));
    counts(
        [("client", hub.stats.closes(None))]
            .into_iter()
            .chain(by_gateway),
    )
}

fn drops(hub: &Hub) -> Vec<Count> {
    let all = Drop::ALL.map(|why| (why.as_str(), hub.stats.drops(why)));
    counts(all.into_iter())
}

/// Those that have happened, in their order.
fn counts(all: impl Iterator<Item = (&'static str, u64)>) -> Vec<Count> {
    all.filter(|(_, count)| *count > 0)
        .map(|(reason, count)| Count {
            reason: reason.to_owned(),
            count,
        })
        .collect()
}
