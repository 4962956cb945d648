//! The Live page's connection: one socket, the channels `flights` and `host`.
//!
//! After each join, also that of a reconnect, it asks for a snapshot. While no positions come it
//! asks again every few seconds: the gateway's answer tells a lost bus from a plugin that is away.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::json;
use tidegate_client::{
    Channel, ChannelEvent, ChannelHandle, Client, Config, PushError, Status, Updates, parse,
};

use super::host_log::Telemetry;
use super::report::Positions;
use super::state::{Health, Live};
use crate::browser::on_local_cleanup;
use crate::connection::{Data, Link, PageConnection};
use crate::timing::socket_address;

/// After this many milliseconds without positions the data counts as stopped.
const QUIET: f64 = 8_000.0;
/// How often a snapshot is asked for while no positions come, in ticks of a second.
const PROBE_TICKS: u32 = 5;

/// Opens the connection; it is closed when the page's owner is cleaned up.
pub(crate) fn start(live: Live, connection: PageConnection) {
    connection.link.set(Link::Connecting);
    connection.data.set(Data::Waiting);

    let client = Client::connect(Config::new(socket_address()));
    spawn_local(follow_status(client.updates(), connection));
    let flights = client.channel("flights", json!({}));
    let pusher = Rc::new(flights.handle());
    spawn_local(follow_flights(flights, live, connection));
    spawn_local(follow_host(client.channel("host", json!({})), live));

    let ticks = Cell::new(0_u32);
    let tick = set_interval_with_handle(
        move || {
            ticks.set(ticks.get().wrapping_add(1));
            on_tick(
                live,
                connection,
                &pusher,
                ticks.get().is_multiple_of(PROBE_TICKS),
            );
        },
        Duration::from_secs(1),
    );
    on_local_cleanup(move || {
        if let Ok(tick) = tick {
            tick.clear();
        }
        client.close();
        connection.data.try_set(Data::Unknown);
    });
}

/// The page's monotonic time in milliseconds.
pub(super) fn page_time() -> f64 {
    window()
        .performance()
        .map_or_else(js_sys::Date::now, |performance| performance.now())
}

fn on_tick(live: Live, connection: PageConnection, flights: &ChannelHandle, probe: bool) {
    let now = page_time();
    live.page_time.set(now);
    if live.fleet.with_untracked(|fleet| fleet.has_gone(now)) {
        live.fleet.update(|fleet| {
            fleet.sweep(now);
        });
    }
    let data = match live.fleet.with_untracked(|fleet| fleet.heard()) {
        None => Data::Waiting,
        Some(heard) if now - heard > QUIET => Data::Stale,
        Some(_) => Data::Flowing,
    };
    if connection.data.get_untracked() != data {
        connection.data.set(data);
    }
    let joined = live
        .flights_health
        .with_untracked(|health| *health == Health::Joined);
    if probe && joined && data != Data::Flowing {
        ask_for_snapshot(flights.clone(), connection);
    }
}

async fn follow_status(mut updates: Updates, connection: PageConnection) {
    while let Some(update) = updates.next().await {
        let tidegate_client::Update::Status(status) = update else {
            continue;
        };
        let link = match status {
            Status::Open => Link::Open,
            Status::Connecting { attempt: 0, .. } => Link::Connecting,
            Status::Connecting { retry_at_ms, .. } => Link::Reconnecting {
                retry_at: retry_at_ms.map(|at| at as f64),
            },
            // The page itself has closed it, for it is gone: the next one speaks for itself.
            Status::Closed { .. } => return,
        };
        if connection.link.try_set(link).is_some() {
            // The page is gone.
            return;
        }
    }
}

async fn follow_flights(mut channel: Channel, live: Live, connection: PageConnection) {
    while let Some(event) = channel.next().await {
        match event {
            ChannelEvent::Joined { .. } => {
                live.flights_health.try_set(Health::Joined);
                ask_for_snapshot(channel.handle(), connection);
            }
            ChannelEvent::Event { event, payload }
                if matches!(&*event, "positions" | "snapshot") =>
            {
                match parse::<Positions>(&payload) {
                    Ok(positions) => {
                        let now = page_time();
                        live.fleet.try_update(|fleet| fleet.apply(positions, now));
                        connection.bus_up.try_set(true);
                        set_if_new(connection.data, Data::Flowing);
                        set_if_new(live.flights_health, Health::Joined);
                    }
                    Err(error) => {
                        live.flights_health
                            .try_set(Health::Unreadable(error.to_string()));
                    }
                }
            }
            ChannelEvent::Refused { reason } => {
                live.flights_health.try_set(Health::Refused(reason));
            }
            ChannelEvent::Interrupted { .. } => {
                live.flights_health.try_set(Health::Joining);
            }
            // Presence and other plugins' events are none of this page's.
            ChannelEvent::Event { .. } | ChannelEvent::Closed { .. } => {}
        }
    }
}

fn ask_for_snapshot(flights: ChannelHandle, connection: PageConnection) {
    spawn_local(async move {
        match flights.push("snapshot", &json!({})).await {
            Ok(_) => set_if_new(connection.bus_up, true),
            Err(PushError::Refused(reason)) if reason == "bus unavailable" => {
                set_if_new(connection.bus_up, false);
            }
            // A lost connection is shown by the status, and the next join asks again.
            Err(_) => {}
        }
    });
}

async fn follow_host(mut channel: Channel, live: Live) {
    while let Some(event) = channel.next().await {
        match event {
            ChannelEvent::Joined { .. } => {
                live.host_health.try_set(Health::Joined);
            }
            ChannelEvent::Event { event, payload } if &*event == "telemetry" => {
                match parse::<Telemetry>(&payload) {
                    Ok(sample) => {
                        let now = page_time();
                        live.host.try_update(|log| log.push(sample, now));
                        set_if_new(live.host_health, Health::Joined);
                    }
                    Err(error) => {
                        live.host_health
                            .try_set(Health::Unreadable(error.to_string()));
                    }
                }
            }
            ChannelEvent::Refused { reason } => {
                live.host_health.try_set(Health::Refused(reason));
            }
            ChannelEvent::Interrupted { .. } => {
                live.host_health.try_set(Health::Joining);
            }
            ChannelEvent::Event { .. } | ChannelEvent::Closed { .. } => {}
        }
    }
}

/// Wakes nobody when nothing has changed; does nothing when the page is gone.
fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal
        .try_with_untracked(|old| *old != value)
        .unwrap_or(false)
    {
        signal.try_set(value);
    }
}
