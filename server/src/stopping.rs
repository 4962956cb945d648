//! The end of a gateway: everybody is told, nobody all at once.
//!
//! New connections are refused from the first moment, and `/readyz` says so on those that are
//! open. Then clients are sent away a few at a time, in random order: they come back as soon as
//! they are gone, and if they went in one instant they would come back in one. What a client has
//! asked is answered before its socket is closed. The bus ends last, so that backends learn who has
//! left before their own connections end.

use std::time::Duration;

use tidegate_hub::{Leaving, spread};
use tidegate_protocol::Close;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::cluster;
use crate::gateway::Gateway;

/// How far clients are apart at most: a few of them do not make a stop long.
const EACH: Duration = Duration::from_millis(20);
/// About how often some of them are told.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// The share of the drain time in which they are told; the rest is for their goodbyes.
const TELLING: f64 = 0.8;
/// How long the last answers and goodbyes may take.
const GOODBYES: Duration = Duration::from_secs(2);
/// How long what requests have begun to change may take once nobody is answered any more.
const ACTIONS_END: Duration = Duration::from_secs(1);
/// How long the bus may take to answer what it was told last, and to end.
const BUS_ENDS: Duration = Duration::from_secs(2);

/// SIGINT and SIGTERM, caught from the moment this is made.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn came(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Sends every client away within the drain time, or at once on a second signal, and waits until
/// the last has gone.
pub(crate) async fn drain(gateway: &Gateway, again: &mut StopSignals) {
    let hub = &gateway.hub;
    gateway.sockets.close();
    let gently = async {
        let mut leaving = hub.leaving();
        let most = gateway.config.drain.mul_f64(TELLING);
        let time = spread(leaving.all(), EACH, most);
        tracing::info!(connections = leaving.all(), ?time, "stopping");
        tell(&mut leaving, time).await;
        // Whose handshake had begun before the stop and ended after it.
        hub.leaving().tell(1.0, Close::Restart);
        // A push may wait for the bus, and a peer may take its time to say goodbye.
        let answered = async {
            gateway.sockets.wait().await;
            gateway.long_polls.left().await;
        };
        timeout(GOODBYES, answered).await.is_ok()
    };
    let gone = tokio::select! {
        gone = gently => gone,
        () = again.came() => {
            tracing::info!("asked to stop again: everybody is sent away at once");
            false
        }
    };
    if !gone {
        hub.close_all(Close::Restart);
        if timeout(GOODBYES, gateway.sockets.wait()).await.is_err() {
            let left = hub.connection_count();
            tracing::warn!(left, "some connections did not close in time");
        }
    }
    gateway.end_all_long_polls();
}

async fn tell(leaving: &mut Leaving, time: Duration) {
    let began = Instant::now();
    loop {
        let share = if time.is_zero() {
            1.0
        } else {
            began.elapsed().as_secs_f64() / time.as_secs_f64()
        };
        leaving.tell(share, Close::Restart);
        if leaving.left() == 0 {
            return;
        }
        sleep(leaving.pause(BATCH_EVERY)).await;
    }
}

/// Waits for what requests have begun to change, whether or not somebody still waits for it.
pub(crate) async fn end_actions(gateway: &Gateway) {
    gateway.actions.close();
    if timeout(ACTIONS_END, gateway.actions.wait()).await.is_err() {
        let left = gateway.actions.len();
        tracing::warn!(left, "some actions did not end in time");
    }
}

/// Ends the bus once it has everything: who has left, and that this gateway goes.
pub(crate) async fn end_bus(gateway: &Gateway, stopping: &CancellationToken) {
    let told = async {
        gateway.lifecycle.settled().await;
        cluster::say_bye(gateway).await;
    };
    if timeout(BUS_ENDS, told).await.is_err() {
        tracing::warn!("the bus did not take everything in time");
    }
    stopping.cancel();
    if timeout(BUS_ENDS, gateway.bus.stopped()).await.is_err() {
        tracing::warn!("some clients of the bus did not take everything in time");
    }
}
