//! What waits to be published, and its way out.
//!
//! Events queue in the order in which they were published and leave in batches: all that waits
//! goes out in one pipeline, then all its answers are awaited. With one batch under way at a time
//! the order is kept, and the busier the bus, the larger the batches.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::bus::{BusError, Sink};

/// What waits, beside its bytes. Together with the weight of an entry it makes sure that the
/// bytes are reached first.
const QUEUE_LENGTH: usize = 64 * 1024;

/// What an entry costs beside its own bytes.
const OVERHEAD: usize = 256;

/// Commands in one pipeline.
const BATCH: usize = 512;

/// Comes when Redis has the event, or will not have it.
pub(crate) type Answer = oneshot::Receiver<Result<u64, BusError>>;

/// One event that waits.
pub(crate) struct Waiting {
    name: String,
    body: Bytes,
    answer: oneshot::Sender<Result<u64, BusError>>,
    asked: Instant,
    /// Given back when the event is answered or dropped.
    _weight: OwnedSemaphorePermit,
}

impl Waiting {
    pub(crate) fn answer(self, result: Result<u64, BusError>) {
        // Whoever published may have stopped waiting.
        let _ = self.answer.send(result);
    }
}

/// The end where events come in.
pub(crate) struct Publisher {
    queue: mpsc::Sender<Waiting>,
    weight: Arc<Semaphore>,
    limit: usize,
}

/// A queue of at most `limit` bytes.
pub(crate) fn queue(limit: usize) -> (Publisher, mpsc::Receiver<Waiting>) {
    let limit = limit.min(u32::MAX as usize);
    let (queue, waiting) = mpsc::channel(QUEUE_LENGTH.min(limit / OVERHEAD + 1));
    (
        Publisher {
            queue,
            weight: Arc::new(Semaphore::new(limit)),
            limit,
        },
        waiting,
    )
}

impl Publisher {
    /// Queues the event; what is given back tells when Redis has it.
    pub(crate) fn publish(&self, name: String, body: Bytes) -> Result<Answer, BusError> {
        let full = || BusError::Full { limit: self.limit };
        let weight = u32::try_from(name.len() + body.len() + OVERHEAD).map_err(|_| full())?;
        let weight = self
            .weight
            .clone()
            .try_acquire_many_owned(weight)
            .map_err(|_| full())?;
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Waiting {
                name,
                body,
                answer,
                asked: Instant::now(),
                _weight: weight,
            })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => full(),
                mpsc::error::TrySendError::Closed(_) => {
                    BusError::Unavailable("the gateway is stopping".to_owned())
                }
            })?;
        Ok(answered)
    }
}

/// Publishes what waits until the connection fails; says how it did. `None`: nobody publishes any
/// more.
pub(crate) async fn publish_all(
    connection: &mut MultiplexedConnection,
    waiting: &mut mpsc::Receiver<Waiting>,
    sink: &dyn Sink,
) -> Option<RedisError> {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if let Err(error) = publish_batch(connection, &mut batch, sink).await {
            let result = match error.is_timeout() {
                true => BusError::Timeout,
                false => BusError::Unavailable(error.to_string()),
            };
            batch
                .drain(..)
                .for_each(|event| event.answer(Err(result.clone())));
            return Some(error);
        }
    }
    None
}

/// Publishes a batch and empties it, or leaves it as it is and fails.
async fn publish_batch(
    connection: &mut MultiplexedConnection,
    batch: &mut Vec<Waiting>,
    sink: &dyn Sink,
) -> Result<(), RedisError> {
    let mut pipeline = redis::Pipeline::with_capacity(batch.len());
    for event in &*batch {
        pipeline
            .cmd("PUBLISH")
            .arg(&event.name)
            .arg(&event.body[..]);
    }
    let answers = connection
        .send_packed_commands(&pipeline, 0, batch.len())
        .await?;
    let now = Instant::now();
    for (event, answer) in batch.drain(..).zip(answers) {
        sink.answered(now.saturating_duration_since(event.asked));
        event.answer(match answer {
            // Not allowed to, for instance: the connection is sound, this event was not taken.
            Value::ServerError(error) => Err(BusError::Unavailable(format!(
                "Redis refused the event: {}",
                RedisError::from(error)
            ))),
            Value::Int(receivers) => Ok(u64::try_from(receivers).unwrap_or(0)),
            _ => Ok(0),
        });
    }
    Ok(())
}
