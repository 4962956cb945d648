//! The clock on topic `system`, and the hub's own ticks.

use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use tidegate_hub::Hub;
use tidegate_protocol::Payload;
use tokio::time::MissedTickBehavior;

use crate::gateway::Gateway;

/// Runs for ever: `datetime` every second while somebody listens (wire.md A11).
pub(crate) async fn run_clock(hub: Arc<Hub>) {
    let mut ticks = ticks(Duration::from_secs(1));
    let mut counter: u32 = 0;
    loop {
        ticks.tick().await;
        if hub.channel("system").is_some() {
            let datetime = Zoned::now()
                .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
                .to_string();
            let payload = serde_json::json!({
                "status": "ok",
                "response": {"datetime": datetime, "counter": counter},
            });
            hub.broadcast(
                "system",
                "datetime",
                &Payload::Json(payload.to_string().into()),
            );
        }
        counter = counter.wrapping_add(1);
        hub.tell_rates();
    }
}

/// Runs for ever: sends the presence diffs that were held back.
pub(crate) async fn run_presence(hub: Arc<Hub>) {
    let mut ticks = ticks(Duration::from_millis(
        hub.limits().presence_interval_ms.max(1),
    ));
    loop {
        ticks.tick().await;
        hub.flush_presence();
    }
}

/// Runs for ever: closes connections that have been silent for too long.
pub(crate) async fn run_idle(gateway: Arc<Gateway>) {
    let idle = gateway.config.idle;
    let often = (idle / 20).clamp(Duration::from_millis(50), Duration::from_secs(1));
    let mut ticks = ticks(often);
    let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
    loop {
        ticks.tick().await;
        gateway.hub.close_idle(idle);
        gateway.end_expired_long_polls();
    }
}

pub(crate) fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
