//! The sending half of one Redis client: replies and messages in the order they were queued.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::reply::{Protocol, Reply};
use crate::broker::{Broker, Delivery, Subscriber, Tally};
use crate::queue::{Pushed, Queue};

/// What is written in one call, about.
const BATCH: usize = 64 * 1024;

/// A chunk of this size is written by itself instead of being copied next to others.
const LARGE: usize = 16 * 1024;

/// What others may know of a client, and where they put its messages.
pub(crate) struct Outbox {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) since: Instant,
    /// The name given with `CLIENT SETNAME`.
    pub(crate) name: Mutex<Bytes>,
    /// How many channels and patterns; for `CLIENT LIST` only.
    pub(crate) channels: AtomicUsize,
    pub(crate) patterns: AtomicUsize,
    /// Cancelled when the client was too slow: its writer may be stuck in a write by then.
    pub(crate) cut: CancellationToken,
    resp3: AtomicBool,
    broker: Arc<Broker>,
    queue: Queue<Bytes>,
}

impl Outbox {
    pub(crate) fn new(broker: Arc<Broker>, peer: SocketAddr, limit: usize) -> Self {
        Self {
            id: broker.next_id(),
            peer,
            since: Instant::now(),
            name: Mutex::default(),
            channels: AtomicUsize::new(0),
            patterns: AtomicUsize::new(0),
            cut: CancellationToken::new(),
            resp3: AtomicBool::new(false),
            broker,
            queue: Queue::new(limit),
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        if self.resp3.load(Ordering::Relaxed) {
            Protocol::Resp3
        } else {
            Protocol::Resp2
        }
    }

    pub(crate) fn set_protocol(&self, protocol: Protocol) {
        self.resp3
            .store(protocol == Protocol::Resp3, Ordering::Relaxed);
    }

    /// Queues what the client is told.
    pub(crate) fn reply(&self, reply: Reply) {
        if let Some(bytes) = reply.encode(self.protocol()) {
            self.queue_bytes(bytes);
        }
    }

    /// The same with a reply that is encoded already.
    pub(crate) fn reply_bytes(&self, bytes: Bytes) {
        self.queue_bytes(bytes);
    }

    fn queue_bytes(&self, bytes: Bytes) -> bool {
        let size = bytes.len();
        match self.queue.push(bytes, size) {
            Pushed::Queued => true,
            Pushed::CutNow => {
                Tally::add(&self.broker.tally.slow_cut);
                tracing::warn!(client = self.id, "a subscriber reads too slowly and is cut");
                self.cut.cancel();
                false
            }
            Pushed::Closed => false,
        }
    }

    /// Waits until the client has read most of what it was told.
    pub(crate) async fn below(&self, bytes: usize) {
        self.queue.below(bytes).await;
    }

    /// Takes nothing more; [`Outbox::write_to`] ends once all is written.
    pub(crate) fn finish(&self) {
        self.queue.finish();
    }

    /// Writes all that is queued, until [`Outbox::finish`], an error or a cut.
    pub(crate) async fn write_to(&self, mut socket: impl AsyncWrite + Unpin) {
        let mut chunks = Vec::new();
        while let Ok(Some(weight)) = self.queue.take(&mut chunks, BATCH).await {
            if write_batch(&mut socket, &mut chunks).await.is_err() {
                return;
            }
            self.queue.written(weight);
        }
        // The peer sees the end of the stream; an error here means that it is gone already.
        let _ = socket.shutdown().await;
    }
}

/// Small chunks go out together in one call, large ones without being copied.
async fn write_batch(
    socket: &mut (impl AsyncWrite + Unpin),
    chunks: &mut Vec<Bytes>,
) -> std::io::Result<()> {
    if let [only] = &chunks[..] {
        socket.write_all(only).await?;
        chunks.clear();
        return Ok(());
    }
    let mut together = BytesMut::new();
    for chunk in chunks.drain(..) {
        if chunk.len() < LARGE {
            together.put(chunk);
        } else {
            socket.write_all(&together.split()).await?;
            socket.write_all(&chunk).await?;
        }
    }
    socket.write_all(&together).await
}

impl Subscriber for Outbox {
    fn id(&self) -> u64 {
        self.id
    }

    fn push(&self, delivery: &Delivery<'_>) -> bool {
        delivery
            .encoded(self.protocol())
            .is_some_and(|bytes| self.queue_bytes(bytes))
    }
}
