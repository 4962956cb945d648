//! Plays the recording onto the bus: positions once a second, snapshots for who asks.

use std::time::Duration;

use serde::Serialize;
use tidegate_plugin::Bus;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::coalesce::Coalesce;
use crate::fleet::Fleet;
use crate::recording::Aircraft;
use crate::replicate::Copies;

/// What a page pushes to be told everything.
pub(crate) const SNAPSHOT_ASKED: &str = "from:flights:snapshot";
const SNAPSHOT: &str = "to:flights:snapshot";
const POSITIONS: &str = "to:flights:positions";

const POSITIONS_EVERY: Duration = Duration::from_secs(1);
/// Four snapshots a second at most: a thousand pages that join at once share them.
const SNAPSHOT_DISTANCE: Duration = Duration::from_millis(250);

/// The body of both events.
#[derive(Serialize)]
struct Positions {
    /// The time of the recording, in milliseconds UTC.
    time: u64,
    /// The recording started again: what was told before is void.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    restart: bool,
    aircraft: Vec<Aircraft>,
}

/// How the recording is played.
pub(crate) struct Pace {
    /// Seconds of the recording in a second.
    pub(crate) speed: f64,
    /// Where it begins the first time.
    pub(crate) start_at: Duration,
}

/// The player.
pub(crate) struct Player {
    fleet: Fleet,
    copies: Copies,
    pace: Pace,
    /// Whether the pages are still to be told that the recording started again.
    owe_restart: bool,
    /// Whether something was not told: then the next positions are those of all.
    owe_all: bool,
}

impl Player {
    /// At the beginning of its recording. Pages that know an earlier run of this plugin are told
    /// to forget it.
    pub(crate) fn new(fleet: Fleet, copies: Copies, pace: Pace) -> Self {
        Self {
            fleet,
            copies,
            pace,
            owe_restart: true,
            owe_all: true,
        }
    }

    /// Plays for ever.
    pub(crate) async fn play(mut self, mut bus: Bus) {
        let begin = Instant::now();
        let mut ticks = interval(POSITIONS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut snapshot = Coalesce::new(SNAPSHOT_DISTANCE);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.positions(&mut bus, begin.elapsed()).await,
                // Whatever the body: nothing in it is needed.
                _ = bus.heard() => snapshot.ask(Instant::now()),
                () = snapshot.due() => {
                    self.snapshot(&mut bus).await;
                    snapshot.answered(Instant::now());
                }
            }
        }
    }

    async fn positions(&mut self, bus: &mut Bus, elapsed: Duration) {
        let position = self.pace.start_at + elapsed.mul_f64(self.pace.speed);
        let step = self
            .fleet
            .move_to(u64::try_from(position.as_millis()).unwrap_or(u64::MAX));
        let (time, restarted) = (step.time, step.restarted);
        let changed = step
            .changed
            .into_iter()
            .flat_map(|a| self.copies.of(a))
            .collect();
        self.owe_restart |= restarted;
        let aircraft = if self.owe_all {
            self.everything()
        } else {
            changed
        };
        let message = Positions {
            time,
            restart: self.owe_restart,
            aircraft,
        };
        let told = publish(bus, POSITIONS, &message).await;
        self.owe_all = !told;
        self.owe_restart &= !told;
    }

    async fn snapshot(&mut self, bus: &mut Bus) {
        let message = Positions {
            time: self.fleet.time(),
            restart: false,
            aircraft: self.everything(),
        };
        publish(bus, SNAPSHOT, &message).await;
    }

    fn everything(&self) -> Vec<Aircraft> {
        self.fleet
            .aircraft()
            .flat_map(|aircraft| self.copies.of(aircraft))
            .collect()
    }
}

/// Whether the bus has the message. Why not is said by the bus itself.
async fn publish(bus: &mut Bus, name: &str, message: &Positions) -> bool {
    match serde_json::to_vec(message) {
        Ok(body) => bus.publish(name, &body).await.is_ok(),
        // Numbers and strings alone: it does not fail.
        Err(_) => false,
    }
}
