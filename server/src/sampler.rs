//! One [`Sample`] a second, for the last five minutes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tidegate_hub::Hub;
use tidegate_protocol::Payload;
use tidegate_protocol::admin::Sample;

use crate::gateway::{Gateway, bus_info};
use crate::system::ticks;

/// How many samples are kept.
const KEPT: usize = 300;

/// The samples, oldest first.
#[derive(Default)]
pub(crate) struct History(Mutex<VecDeque<Sample>>);

impl History {
    pub(crate) fn all(&self) -> Vec<Sample> {
        self.0.lock().iter().cloned().collect()
    }

    fn push(&self, sample: Sample) {
        let mut samples = self.0.lock();
        if samples.len() >= KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
    }
}

/// Runs for ever: samples, keeps, and tells administrators.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    let mut ticks = ticks(Duration::from_secs(1));
    ticks.tick().await;
    let mut meter = Meter::new(&gateway.hub);
    let mut bus = gateway.bus.status();
    loop {
        ticks.tick().await;
        let sample = meter.sample(&gateway.hub, bus.borrow().up);
        gateway.figures.tick(&gateway.hub);
        if gateway.hub.channel("admin").is_some() {
            tell(&gateway.hub, "overview.sample", &sample);
            let figures = gateway.figures.now(&gateway.hub);
            tell(&gateway.hub, "overview.figures", &figures);
            if bus.has_changed().unwrap_or(false) {
                tell(
                    &gateway.hub,
                    "overview.bus",
                    &bus_info(&bus.borrow_and_update()),
                );
            }
        }
        gateway.history.push(sample);
    }
}

fn tell(hub: &Hub, event: &str, value: &impl serde::Serialize) {
    if let Ok(json) = serde_json::to_string(value) {
        hub.broadcast("admin", event, &Payload::Json(json.into()));
    }
}

/// Turns counters that only grow into those of one second.
struct Meter {
    before: [u64; 6],
    cpu_before: Duration,
    at: Instant,
}

fn counters(hub: &Hub) -> [u64; 6] {
    let stats = &hub.stats;
    [
        stats.events_from_clients.get(),
        stats.events_from_bus.get(),
        stats.deliveries.get(),
        stats.bytes_in.get(),
        stats.bytes_out.get(),
        stats.all_drops(),
    ]
}

impl Meter {
    fn new(hub: &Hub) -> Self {
        Self {
            before: counters(hub),
            cpu_before: cpu_time(),
            at: Instant::now(),
        }
    }

    fn sample(&mut self, hub: &Hub, bus_up: bool) -> Sample {
        let now = counters(hub);
        let [
            events_from_clients,
            events_from_bus,
            deliveries,
            bytes_in,
            bytes_out,
            dropped,
        ] = std::array::from_fn(|n| now[n].saturating_sub(self.before[n]));
        self.before = now;
        let (cpu_before, at) = (self.cpu_before, self.at);
        (self.cpu_before, self.at) = (cpu_time(), Instant::now());
        let used = self.cpu_before.saturating_sub(cpu_before).as_secs_f32();
        let passed = self.at.duration_since(at).as_secs_f32().max(0.001);
        Sample {
            time: hub.date_ms(),
            connections: hub.connection_count() as u64,
            channels: hub.channel_count() as u64,
            members: hub.member_count() as u64,
            events_from_clients,
            events_from_bus,
            deliveries,
            bytes_in,
            bytes_out,
            dropped,
            queued: hub.queue_depth().bytes as u64,
            memory: resident_bytes(),
            cpu: used / passed * 100.0,
            bus_up,
        }
    }
}

/// Resident memory; 0 where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// CPU time of the whole process; 0 where the system does not tell.
pub(crate) fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15 of proc(5), counted after the command in parentheses.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: u64 = after
        .split(' ')
        .skip(12)
        .take(2)
        .filter_map(|text| text.parse::<u64>().ok())
        .sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
