//! What other gateways say, between the bus, which never waits, and who reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tidegate_hub::{Drop, Hub};
use tokio::sync::{Notify, mpsc};

/// Messages of other gateways that wait to be read; of those that do not fit everything is asked
/// for again.
const MAX_WAITING: usize = 16_384;

/// Where the bus puts what other gateways say.
#[derive(Clone)]
pub(crate) struct Inbox {
    hub: Arc<Hub>,
    sender: mpsc::Sender<Bytes>,
    lost: Arc<AtomicBool>,
    more: Arc<Notify>,
}

/// The reading end of an [`Inbox`].
pub(crate) struct Messages {
    pub(super) receiver: mpsc::Receiver<Bytes>,
    /// Something found no room.
    pub(super) lost: Arc<AtomicBool>,
    /// Told when something found no room.
    pub(super) more: Arc<Notify>,
}

/// An inbox and its reading end.
pub(crate) fn inbox(hub: Arc<Hub>) -> (Inbox, Messages) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let (lost, more) = (Arc::<AtomicBool>::default(), Arc::new(Notify::new()));
    (
        Inbox {
            hub,
            sender,
            lost: lost.clone(),
            more: more.clone(),
        },
        Messages {
            receiver,
            lost,
            more,
        },
    )
}

impl Inbox {
    /// Keeps a message; never waits.
    pub(crate) fn put(&self, body: Bytes) {
        if self.sender.try_send(body).is_err() {
            self.hub.stats.dropped(Drop::PeerMessage, 1);
            self.lost.store(true, Ordering::Relaxed);
            self.more.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_hub::{Definitions, Limits, SystemClock};

    use super::*;

    /// A gateway that falls behind loses what does not fit, counts it, and knows that it must ask.
    #[test]
    fn the_inbox_is_bounded() {
        let definitions = Definitions::new([], 10).unwrap();
        let hub = Hub::new(
            Limits::default(),
            definitions,
            Arc::new(SystemClock::default()),
        );
        let hub = Arc::new(hub);
        let (inbox, messages) = inbox(hub.clone());
        for _ in 0..MAX_WAITING {
            inbox.put(Bytes::from_static(b"{}"));
        }
        assert_eq!(hub.stats.drops(Drop::PeerMessage), 0);
        assert!(!messages.lost.load(Ordering::Relaxed));
        inbox.put(Bytes::from_static(b"{}"));
        assert_eq!(hub.stats.drops(Drop::PeerMessage), 1);
        assert!(messages.lost.load(Ordering::Relaxed));
    }
}
