//! What is written down a little later: activity, and tokens that anybody may ask for.
//!
//! A request does not wait for the store on their account. They wait in a bounded queue and are
//! written together; what finds no room is counted, and said in the log. A page that asks for the
//! same thing every second does not fill the record: see [`Repeats`].

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tidegate_store::{Activity, Repeat, Store, StoreError, TokenRecord};
use tokio::sync::Notify;

use super::ANSWER;
use super::repeats::Repeats;

/// Records that wait at most.
const MAX_WAITING: usize = 10_000;
/// Records in one transaction.
const BATCH: usize = 500;

/// One thing to write down.
pub(crate) enum Record {
    /// Somebody did something.
    Activity(Activity),
    /// What is written down was done again.
    Again(Repeat),
    /// A token was issued.
    Token(TokenRecord),
}

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Records {
    waiting: Mutex<VecDeque<Record>>,
    repeats: Repeats,
    more: Notify,
    lost: AtomicU64,
    /// Written since there was a purge: records of activity, and tokens.
    activity_added: AtomicU64,
    tokens_added: AtomicU64,
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

    /// The same for something that is done again and again, and means nothing new then.
    pub(crate) fn put_repeated(&self, activity: Activity) {
        for record in self.repeats.count(activity) {
            self.put(record);
        }
    }

    /// Writes down what was repeated until now, and ends the records that are a minute old.
    pub(crate) fn settle(&self, now: i64) {
        for record in self.repeats.settle(now) {
            self.put(record);
        }
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

    /// Whether so many records of activity were added that the oldest should go; asked once.
    pub(super) fn much_activity(&self, most: u64) -> bool {
        taken(&self.activity_added, most)
    }

    /// The same for tokens that anybody asked for.
    pub(super) fn many_tokens(&self, most: u64) -> bool {
        taken(&self.tokens_added, most)
    }

    /// Writes one batch; what the store does not take waits on.
    pub(super) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let (mut activity, mut again, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        {
            let mut waiting = self.waiting.lock();
            for _ in 0..BATCH {
                match waiting.pop_front() {
                    Some(Record::Activity(record)) => activity.push(record),
                    Some(Record::Again(repeat)) => again.push(repeat),
                    Some(Record::Token(record)) => tokens.push(record),
                    None => break,
                }
            }
        }
        let mut written = Ok(());
        if !activity.is_empty() || !again.is_empty() {
            written = store
                .within(ANSWER, store.add_and_repeat(&activity, &again))
                .await;
            if written.is_ok() {
                let added = activity.len() as u64;
                self.activity_added.fetch_add(added, Ordering::Relaxed);
                activity.clear();
                again.clear();
            }
        }
        if written.is_ok() && !tokens.is_empty() {
            written = store.within(ANSWER, store.add_tokens(&tokens)).await;
            if written.is_ok() {
                let added = tokens.len() as u64;
                self.tokens_added.fetch_add(added, Ordering::Relaxed);
                tokens.clear();
            }
        }
        if let Err(StoreError::Broken(_) | StoreError::Taken | StoreError::BadText) = &written {
            // It would be refused again and again.
            let gone = activity.len() + again.len() + tokens.len();
            self.lost.fetch_add(gone as u64, Ordering::Relaxed);
            return written;
        }
        let mut waiting = self.waiting.lock();
        let back = activity
            .into_iter()
            .map(Record::Activity)
            .chain(again.into_iter().map(Record::Again))
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

/// Whether a tenth of what is kept was added; then the count starts anew.
fn taken(added: &AtomicU64, most: u64) -> bool {
    let due = added.load(Ordering::Relaxed) > most / 10;
    if due {
        added.store(0, Ordering::Relaxed);
    }
    due
}
