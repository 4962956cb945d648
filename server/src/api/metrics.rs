//! `GET /metrics`: everything that the gateway counts, for Prometheus.
//!
//! Reading costs a look at every connection for the depth of its queue; everything else is a few
//! dozen atomic numbers. docs/OPERATIONS.md says what each of them means to who runs a gateway.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tidegate_hub::{Drop, Hub, Refused};
use tidegate_protocol::{Close, Reason};

use super::ApiError;
use super::admin::session;
use super::exposition::{CONTENT_TYPE, Exposition};
use super::health::not_ready;
use crate::client::Client;
use crate::descriptors;
use crate::gateway::Gateway;
use crate::sampler::{cpu_time, resident_bytes};

/// Who may read them: with `--metrics-token` who shows it, without one everybody of this machine on
/// a gateway that listens on loopback alone, unless a trusted proxy asks; who has signed in always.
fn may_read(gateway: &Gateway, client: &Client, headers: &HeaderMap) -> bool {
    let allowed = match &gateway.config.metrics_token {
        Some(token) => headers
            .get(header::AUTHORIZATION)
            .is_some_and(|value| token.is_shown_by(value.as_bytes())),
        None => client.local && gateway.config.listen.ip().is_loopback(),
    };
    allowed || session(gateway, headers).is_some()
}

/// Everything that is counted
///
/// For Prometheus. Open to everybody on a gateway that listens on its own machine alone and has no
/// `--metrics-token`.
#[utoipa::path(
    get, path = "/metrics", tag = "gateway",
    responses(
        (status = 200, description = "The Prometheus text format.", body = String,
            content_type = "text/plain; version=0.0.4; charset=utf-8"),
    ),
    security((), ("metrics" = []), ("session" = ["viewer"])),
)]
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !may_read(&gateway, &client, &headers) {
        return Err(ApiError::MetricsClosed);
    }
    let mut page = Exposition::default();
    about(&mut page, &gateway);
    clients(&mut page, &gateway);
    traffic(&mut page, &gateway.hub);
    losses(&mut page, &gateway.hub);
    queues(&mut page, &gateway.hub);
    bus(&mut page, &gateway);
    http(&mut page, &gateway);
    rates(&mut page, &gateway);
    store(&mut page, &gateway);
    issuers(&mut page, &gateway);
    anonymous(&mut page, &gateway);
    publishes(&mut page, &gateway);
    plugins(&mut page, &gateway);
    durations(&mut page, &gateway.hub);
    logs(&mut page, &gateway);
    process(&mut page, &gateway);
    let kind = [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((kind, page.into_text()).into_response())
}

fn about(page: &mut Exposition, gateway: &Gateway) {
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("node", gateway.config.node.as_str()),
    ];
    page.gauges(
        "tidegate_build_info",
        "Always 1; its labels tell who this is.",
    )
    .sample(&labels, 1);
    page.gauge(
        "tidegate_ready",
        "Whether the gateway takes traffic, as /readyz says.",
        u8::from(not_ready(gateway).is_empty()),
    );
}

fn clients(page: &mut Exposition, gateway: &Gateway) {
    let hub = &gateway.hub;
    let polling = gateway.long_polls.count();
    let mut connections = page.gauges("tidegate_connections", "Open connections.");
    let sockets = hub.connection_count().saturating_sub(polling);
    connections.sample(&[("transport", "websocket")], sockets);
    connections.sample(&[("transport", "longpoll")], polling);
    page.gauge(
        "tidegate_channels",
        "Channels with members.",
        hub.channel_count(),
    );
    page.gauge(
        "tidegate_members",
        "Members of all channels here.",
        hub.member_count(),
    );
    page.gauge(
        "tidegate_remote_members",
        "Members of other gateways that are known here.",
        hub.remote_member_count(),
    );
    page.gauge(
        "tidegate_peers",
        "Other gateways that are heard.",
        hub.peer_count(),
    );
    page.counter(
        "tidegate_peers_lost_total",
        "Other gateways that fell silent for the lease.",
        hub.stats.lost_peers.get(),
    );
}

fn traffic(page: &mut Exposition, hub: &Hub) {
    let stats = &hub.stats;
    let mut events = page.counters("tidegate_events_total", "Events that came in.");
    events.sample(&[("from", "clients")], stats.events_from_clients.get());
    events.sample(&[("from", "bus")], stats.events_from_bus.get());
    page.counter(
        "tidegate_deliveries_total",
        "Frames written to connections or queued for them.",
        stats.deliveries.get(),
    );
    page.counter(
        "tidegate_received_bytes_total",
        "Bytes of frame content read from clients.",
        stats.bytes_in.get(),
    );
    page.counter(
        "tidegate_sent_bytes_total",
        "Bytes of frame content handed to sockets.",
        stats.bytes_out.get(),
    );
}

fn losses(page: &mut Exposition, hub: &Hub) {
    let stats = &hub.stats;
    let mut dropped = page.counters("tidegate_dropped_total", "What was dropped or refused.");
    for why in Drop::ALL {
        dropped.sample(&[("reason", why.as_str())], stats.drops(why));
    }
    let mut refused = page.counters("tidegate_refused_total", "Frames of clients, refused.");
    for (frame, kind) in [(Refused::Join, "join"), (Refused::Other, "other")] {
        for why in Reason::ALL {
            let labels = [("frame", kind), ("reason", why.as_str())];
            refused.sample(&labels, stats.refusals(frame, why));
        }
    }
    let help = "Connections that ended; reason client: the client went.";
    let mut closed = page.counters("tidegate_closed_total", help);
    closed.sample(&[("reason", "client")], stats.closes(None));
    for close in Close::ALL {
        closed.sample(&[("reason", close.reason())], stats.closes(Some(close)));
    }
    let help = "Connections for which there was no room.";
    let mut connections = page.counters("tidegate_connections_refused_total", help);
    connections.sample(&[("bound", "all")], stats.refused_connections.get());
    connections.sample(&[("bound", "address")], stats.refused_addresses.get());
}

fn queues(page: &mut Exposition, hub: &Hub) {
    let depth = hub.queue_depth();
    page.gauge(
        "tidegate_queue_bytes",
        "Bytes that wait for slow readers.",
        depth.bytes,
    );
    page.gauge(
        "tidegate_queue_frames",
        "Frames that wait for slow readers.",
        depth.frames,
    );
    page.gauge(
        "tidegate_queue_largest_bytes",
        "Bytes that wait for the slowest reader.",
        depth.largest,
    );
}

fn bus(page: &mut Exposition, gateway: &Gateway) {
    let (info, counted) = (gateway.bus_info(), gateway.bus.counters());
    let kind = [("kind", info.kind.as_str())];
    page.gauges("tidegate_bus_up", "Whether the bus carries events.")
        .sample(&kind, u8::from(info.up));
    page.gauge(
        "tidegate_bus_clients",
        "Redis clients of the in-process bus.",
        info.clients,
    );
    let mut events = page.counters("tidegate_bus_events_total", "What became of events.");
    for (outcome, count) in [
        ("delivered", counted.delivered),
        ("refused", counted.refused),
        ("published", counted.published),
        ("failed", counted.failed),
    ] {
        events.sample(&[("outcome", outcome)], count);
    }
    page.counter(
        "tidegate_bus_connects_total",
        "Times the connection to Redis was made.",
        counted.connects,
    );
    page.counter(
        "tidegate_bus_queue_full_total",
        "Events that were not taken for Redis, as too many bytes waited.",
        counted.queue_full,
    );
    page.counter(
        "tidegate_bus_subscriptions_refused_total",
        "Subscriptions refused to Redis clients that had as many as they may have.",
        counted.subscriptions_refused,
    );
    let help = "Redis clients that the in-process bus turned away or cut.";
    let mut cut = page.counters("tidegate_bus_clients_cut_total", help);
    for (reason, count) in [
        ("too many", counted.clients_refused),
        ("too slow", counted.slow_cut),
        ("protocol error", counted.protocol_errors),
    ] {
        cut.sample(&[("reason", reason)], count);
    }
}

fn http(page: &mut Exposition, gateway: &Gateway) {
    let places = &gateway.places;
    page.gauge(
        "tidegate_http_connections",
        "Connections that are no WebSockets (yet).",
        places.taken(),
    );
    page.counter(
        "tidegate_http_full_total",
        "Times that all places were taken and new connections waited.",
        places.full.get(),
    );
    page.counter(
        "tidegate_http_refused_total",
        "Connections refused because their address had its share of places.",
        places.beyond_share.get(),
    );
    page.counter(
        "tidegate_http_unread_total",
        "Connections cut because their client did not read its answer.",
        places.unread.get(),
    );
    page.gauge(
        "tidegate_actions",
        "Changes that requests have begun, whether or not somebody waits for them.",
        gateway.actions.len(),
    );
    page.counter(
        "tidegate_accept_errors_total",
        "Times that no connection could be accepted.",
        places.not_accepted.get(),
    );
    page.counter(
        "tidegate_http_slow_heads_total",
        "Connections cut because a request's head took too long.",
        places.slow_heads.get(),
    );
    page.counter(
        "tidegate_http_slow_bodies_total",
        "Requests refused because their body took too long.",
        places.slow_bodies.get(),
    );
}

fn rates(page: &mut Exposition, gateway: &Gateway) {
    let limits = gateway.limits.all();
    let help = "Requests and pushes beyond a limit of an address or a principal.";
    let mut refused = page.counters("tidegate_rate_limited_total", help);
    for limit in limits {
        refused.sample(&[("limit", limit.metric)], limit.refused.get());
    }
    let help = "Addresses and principals that a limit remembers.";
    let mut keys = page.gauges("tidegate_rate_limit_keys", help);
    for limit in limits {
        keys.sample(&[("limit", limit.metric)], limit.keys());
    }
    let help = "Those that it forgot too early, for others.";
    let mut forgotten = page.counters("tidegate_rate_limit_forgotten_total", help);
    for limit in limits {
        forgotten.sample(&[("limit", limit.metric)], limit.forgotten());
    }
}

fn store(page: &mut Exposition, gateway: &Gateway) {
    let trust = &gateway.trust;
    page.gauge(
        "tidegate_store_up",
        "1 while the store answers.",
        u8::from(trust.store.status().up),
    );
    page.gauge(
        "tidegate_store_connections",
        "Connections to the store.",
        trust.store.connections().0,
    );
    page.counter(
        "tidegate_store_calls_total",
        "Questions to the store and changes of it.",
        trust.store.calls(),
    );
    page.counter(
        "tidegate_open_tokens_forgotten_total",
        "Tokens issued to anybody whose record went before they ended.",
        trust.open_tokens_forgotten.get(),
    );
    page.gauge(
        "tidegate_revocations",
        "Revocations that hold; at 100000 a further one is refused.",
        gateway.tokens.revoked().len(),
    );
    page.gauge(
        "tidegate_nonces",
        "Signed requests that are remembered.",
        trust.nonces.count(),
    );
    let help = "Signed requests that were refused.";
    let mut refused = page.counters("tidegate_signatures_refused_total", help);
    for (reason, count) in gateway.signatures.all() {
        refused.sample(&[("reason", reason)], count);
    }
    refused.sample(&[("reason", "no room")], gateway.signatures.no_room.get());
    page.gauge(
        "tidegate_records_waiting",
        "Records of activity and of issued tokens that the store has not taken yet.",
        trust.records.waiting(),
    );
    page.counter(
        "tidegate_records_lost_total",
        "Records for which there was no room while the store took none.",
        trust.records.lost(),
    );
}

fn anonymous(page: &mut Exposition, gateway: &Gateway) {
    use std::sync::atomic::Ordering;
    let counters = &gateway.trust.client_counters;
    let help = "Cookies of anonymous clients, and what came of them.";
    let mut cookies = page.counters("tidegate_client_cookies_total", help);
    for (outcome, counter) in [
        ("issued", &counters.issued),
        ("known", &counters.known),
        ("expired", &counters.expired),
        ("revoked", &counters.revoked),
        ("invalid", &counters.invalid),
    ] {
        cookies.sample(&[("outcome", outcome)], counter.load(Ordering::Relaxed));
    }
}

fn issuers(page: &mut Exposition, gateway: &Gateway) {
    use std::sync::atomic::{AtomicU64, Ordering};
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let providers = &gateway.trust.issuers;
    let name = |at: usize| providers[at].issuer.rules.issuer.as_str();
    let all = || providers.iter().enumerate();
    let mut up = page.gauges(
        "tidegate_issuer_up",
        "Whether its keys were read last time.",
    );
    for (at, provider) in all() {
        up.sample(&[("issuer", name(at))], u8::from(provider.is_well()));
    }
    let mut keys = page.gauges("tidegate_issuer_keys", "Keys of it that check.");
    for (at, provider) in all() {
        let keys_of = provider.issuer.keys().list().len();
        keys.sample(&[("issuer", name(at))], keys_of);
    }
    let help = "Attempts to read the keys of an issuer.";
    let mut reads = page.counters("tidegate_issuer_reads_total", help);
    for (at, provider) in all() {
        let label = ("issuer", name(at));
        reads.sample(&[label, ("outcome", "read")], count(&provider.reads));
        reads.sample(&[label, ("outcome", "failed")], count(&provider.failures));
    }
    let mut tokens = page.counters("tidegate_issuer_tokens_total", "Tokens of an issuer.");
    for (at, provider) in all() {
        let (label, counted) = (("issuer", name(at)), &provider.issuer.counters);
        let unknown = count(&counted.unknown_keys);
        let refused = count(&counted.refused).saturating_sub(unknown);
        tokens.sample(&[label, ("outcome", "accepted")], count(&counted.accepted));
        tokens.sample(&[label, ("outcome", "refused")], refused);
        tokens.sample(&[label, ("outcome", "unknown_key")], unknown);
    }
}

fn publishes(page: &mut Exposition, gateway: &Gateway) {
    let publishes = &gateway.publishes;
    let help = "Events of requests to publish.";
    let mut events = page.counters("tidegate_publish_events_total", help);
    for (outcome, count) in [
        ("sent", publishes.sent.get()),
        ("failed", publishes.failed.get()),
        ("repeated", publishes.repeated.get()),
    ] {
        events.sample(&[("outcome", outcome)], count);
    }
    let help = "Requests to publish that were beyond a bound.";
    let mut refused = page.counters("tidegate_publish_refused_total", help);
    refused.sample(&[("bound", "events")], publishes.too_many.get());
    refused.sample(&[("bound", "bytes")], publishes.too_large.get());
    page.gauge(
        "tidegate_publish_keys",
        "Ids of events and idempotency keys that are remembered.",
        publishes.remembered(),
    );
    page.counter(
        "tidegate_publish_keys_forgotten_total",
        "Those that went before their time.",
        publishes.forgotten.get(),
    );
}

fn plugins(page: &mut Exposition, gateway: &Gateway) {
    let counts = &gateway.plugins.counts;
    page.gauge(
        "tidegate_plugin_requests",
        "Requests that wait for plugins.",
        gateway.plugins.waiting(),
    );
    let help = "Requests to plugins.";
    let mut requests = page.counters("tidegate_plugin_requests_total", help);
    for (outcome, count) in [
        ("answered", counts.answered.get()),
        ("absent", counts.absent.get()),
        ("busy", counts.busy.get()),
        ("silent", counts.silent.get()),
        ("unusable", counts.unusable.get()),
        ("failed", counts.failed.get()),
    ] {
        requests.sample(&[("outcome", outcome)], count);
    }
    page.counter(
        "tidegate_plugin_replies_dropped_total",
        "Replies that came too late, to no request, or cannot be read.",
        counts.dropped_replies.get(),
    );
}

fn durations(page: &mut Exposition, hub: &Hub) {
    let stats = &hub.stats;
    for (name, help, histogram) in [
        (
            "tidegate_fan_out_seconds",
            "From the start of a broadcast to the last attempt to write it.",
            &stats.fan_out,
        ),
        (
            "tidegate_round_trip_seconds",
            "From a client's frame to its answer in the socket.",
            &stats.round_trip,
        ),
        (
            "tidegate_join_seconds",
            "From a join to its reply, refused ones not counted.",
            &stats.joins,
        ),
        (
            "tidegate_bus_publish_seconds",
            "From a publish to the answer of Redis.",
            &stats.bus_lag,
        ),
    ] {
        page.histogram(name, help, &histogram.read());
    }
}

fn logs(page: &mut Exposition, gateway: &Gateway) {
    let help = "Lines of the logs that found no room or could not be written.";
    let mut lost = page.counters("tidegate_log_lines_lost_total", help);
    for (sink, count) in gateway.log_lines.counts() {
        lost.sample(&[("sink", sink)], count);
    }
}

fn process(page: &mut Exposition, gateway: &Gateway) {
    page.gauge(
        "process_max_fds",
        "Files and sockets that may be open.",
        descriptors::allowed(),
    );
    page.gauge(
        "process_resident_memory_bytes",
        "Resident memory.",
        resident_bytes(),
    );
    page.counter(
        "process_cpu_seconds_total",
        "CPU time of all threads.",
        cpu_time().as_secs_f64(),
    );
    page.gauge(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        gateway.started_at as f64 / 1000.0,
    );
}
