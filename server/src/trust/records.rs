//! What is written down a little later: activity, and tokens that anybody may ask for.
//!
//! A request does not wait for the store on their account. They wait in a bounded queue and are
//! written together; what finds no room is counted, and said in the log.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tidegate_store::{Activity, Store, StoreError, TokenRecord};
use tokio::sync::Notify;

/// Records that wait at most.
const MAX_WAITING: usize = 10_000;
/// Records in one transaction.
const BATCH: usize = 500;

/// One thing to write down.
pub(crate) enum Record {
    /// Somebody did something.
    Activity(Activity),
    /// A token was issued.
    Token(TokenRecord),
}

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Records {
    waiting: Mutex<VecDeque<Record>>,
    more: Notify,
    lost: AtomicU64,
}

impl Records {
    /// Puts a record into the queue; `false` when it is full.
    pub(crate) fn put(&self, record: Record) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= MAX_WAITING {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        waiting.push_back(record);
        drop(waiting);
        self.more.notify_one();
        true
    }

    /// How many found no room.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Waits until there is something to write.
    pub(super) async fn some(&self) {
        while self.waiting() == 0 {
            self.more.notified().await;
        }
    }

    /// Writes one batch; what the store does not take waits on.
    pub(super) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let (mut activity, mut tokens) = (Vec::new(), Vec::new());
        {
            let mut waiting = self.waiting.lock();
            for _ in 0..BATCH {
                match waiting.pop_front() {
                    Some(Record::Activity(record)) => activity.push(record),
                    Some(Record::Token(record)) => tokens.push(record),
                    None => break,
                }
            }
        }
        let mut written = Ok(());
        if !activity.is_empty() {
            written = store.add_activity(&activity).await;
            if written.is_ok() {
                activity.clear();
            }
        }
        if written.is_ok() && !tokens.is_empty() {
            written = store.add_tokens(&tokens).await;
            if written.is_ok() {
                tokens.clear();
            }
        }
        if let Err(StoreError::Broken(_) | StoreError::Taken | StoreError::BadText) = &written {
            // It would be refused again and again.
            let gone = activity.len() + tokens.len();
            self.lost.fetch_add(gone as u64, Ordering::Relaxed);
            return written;
        }
        let mut waiting = self.waiting.lock();
        let back = activity
            .into_iter()
            .map(Record::Activity)
            .chain(tokens.into_iter().map(Record::Token));
        for record in back.collect::<Vec<_>>().into_iter().rev() {
            if waiting.len() < MAX_WAITING {
                waiting.push_front(record);
            } else {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        written
    }
}
