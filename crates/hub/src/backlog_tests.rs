//! Which events give way to which, and that it costs the same however many wait.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Instant;

use proptest::prelude::*;
use tidegate_protocol::Overflow::{Close, DropOldest, LatestOnly};

use super::*;
use crate::stats::Stats;

const LIMITS: QueueLimits = QueueLimits {
    bytes: 100,
    frames: 4,
};

/// One reader, and channels by their numbers.
struct Reader {
    backlog: Backlog,
    stats: Stats,
    channels: Vec<Arc<Origin>>,
    limits: QueueLimits,
}

impl Reader {
    fn new(limits: QueueLimits) -> Self {
        let stats = Stats::default();
        let channel = |key| Arc::new(Origin::new(key, stats.drops.clone()));
        Self {
            backlog: Backlog::default(),
            channels: (0..4).map(channel).collect(),
            stats,
            limits,
        }
    }

    fn take(&mut self, channel: usize, overflow: Overflow, text: &str) -> Result<(), Full> {
        let event = Event {
            frame: Frame::text(text.as_bytes()),
            origin: self.channels[channel].clone(),
            overflow,
        };
        self.backlog.push(event, self.limits)
    }

    fn read(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.backlog.pop())
            .map(|frame| String::from_utf8(frame.bytes()[2..].to_vec()).unwrap())
            .collect()
    }

    fn lost(&self) -> Vec<u64> {
        self.channels.iter().map(|one| one.lost()).collect()
    }
}

/// A15: the oldest of the same channel make room; another channel's stay.
#[test]
fn the_oldest_make_room() {
    let mut reader = Reader::new(LIMITS);
    reader.take(2, Close, "other").unwrap();
    for n in 0..6 {
        reader.take(1, DropOldest, &format!("e{n}")).unwrap();
    }
    assert_eq!(reader.lost(), [0, 3, 0, 0]);
    assert_eq!(reader.stats.drops(Drop::Oldest), 3);
    assert_eq!(reader.read(), ["other", "e3", "e4", "e5"]);
    assert_eq!((reader.backlog.bytes(), reader.backlog.len()), (0, 0));
}

/// A15: all but the latest.
#[test]
fn only_the_latest_waits() {
    let mut reader = Reader::new(LIMITS);
    for n in 0..6 {
        reader.take(1, LatestOnly, &format!("e{n}")).unwrap();
    }
    assert_eq!(reader.lost(), [0, 5, 0, 0]);
    assert_eq!(reader.stats.drops(Drop::NotLatest), 5);
    assert_eq!(reader.read(), ["e5"]);
}

/// A15: an event of a channel that lets nothing give way finds room while those of another may.
#[test]
fn events_give_way_to_those_of_other_channels() {
    let mut reader = Reader::new(LIMITS);
    for n in 0..4 {
        reader.take(1, DropOldest, &format!("e{n}")).unwrap();
    }
    for n in 0..4 {
        reader.take(2, Close, &format!("c{n}")).unwrap();
    }
    assert_eq!(reader.lost(), [0, 4, 0, 0]);
    assert_eq!(reader.stats.drops(Drop::Oldest), 4);
    // Nothing is left that may be dropped.
    assert_eq!(reader.take(2, Close, "c4"), Err(Full));
    assert_eq!(reader.take(1, DropOldest, "e4"), Err(Full));
    assert_eq!(reader.read(), ["c0", "c1", "c2", "c3"]);
}

/// Who floods pays first: a quiet channel keeps its events beside it, however old they are.
#[test]
fn a_channel_that_floods_drops_its_own() {
    let mut reader = Reader::new(LIMITS);
    reader.take(1, DropOldest, "quiet").unwrap();
    for n in 0..9 {
        reader.take(2, DropOldest, &format!("e{n}")).unwrap();
    }
    assert_eq!(reader.lost(), [0, 0, 6, 0]);
    // One that has nothing there yet takes the room of the oldest.
    reader.take(3, DropOldest, "new").unwrap();
    assert_eq!(reader.lost(), [0, 1, 6, 0]);
    assert_eq!(reader.read(), ["e6", "e7", "e8", "new"]);
}

/// The latest of a channel is what it promises: it gives way to no other channel.
#[test]
fn the_latest_stays() {
    let mut reader = Reader::new(LIMITS);
    reader.take(1, LatestOnly, "latest").unwrap();
    for n in 0..3 {
        reader.take(2, Close, &format!("c{n}")).unwrap();
    }
    assert_eq!(reader.take(2, Close, "c3"), Err(Full));
    assert_eq!(reader.read(), ["latest", "c0", "c1", "c2"]);
}

/// What an event's channel said when it came holds for it, whatever it says later.
#[test]
fn what_held_for_an_event_goes_on_to_hold() {
    let mut reader = Reader::new(LIMITS);
    reader.take(1, Close, "kept").unwrap();
    for n in 0..4 {
        reader.take(1, DropOldest, &format!("e{n}")).unwrap();
    }
    reader.take(1, LatestOnly, "latest").unwrap();
    assert_eq!(reader.read(), ["kept", "latest"]);
}

/// An event that is larger than all the room drops nothing in vain.
#[test]
fn what_can_never_fit_drops_nothing() {
    let mut reader = Reader::new(LIMITS);
    reader.take(1, DropOldest, "e").unwrap();
    let long = "x".repeat(120);
    assert_eq!(reader.take(2, DropOldest, &long), Err(Full));
    assert_eq!(reader.read(), ["e"]);
}

/// The hot path of a broadcast to stalled readers: an event costs the same whether few or very many
/// wait. With a look at each of them this takes minutes.
#[test]
fn many_that_wait_cost_no_more_than_few() {
    let mut reader = Reader::new(QueueLimits {
        bytes: usize::MAX,
        frames: 16_384,
    });
    let began = Instant::now();
    reader.take(0, Close, "first").unwrap();
    for _ in 0..300_000 {
        // None is the first, and none is alone.
        reader.take(1, DropOldest, "oldest").unwrap();
        reader.take(2, LatestOnly, "latest").unwrap();
    }
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    assert_eq!(reader.backlog.len(), 16_384);
    // Holes do not pile up either.
    assert!(reader.backlog.slots.len() <= 2 * 16_384 + SLACK + 1);
    assert!(reader.backlog.of_any.len() <= 2 * 16_384 + SLACK + 1);
}

proptest! {
    /// Whatever comes and is read: bounds hold, what is there is in order, and each event is read or
    /// counted once.
    #[test]
    fn every_event_is_read_or_counted(
        steps in prop::collection::vec((0..4usize, 0..5u8, 0..40usize), 0..400),
    ) {
        let mut reader = Reader::new(LIMITS);
        let (mut taken, mut read) = (0u64, 0u64);
        let mut last = [0usize; 4];
        for (number, (channel, what, length)) in steps.into_iter().enumerate() {
            let overflow = match what {
                0 => Close,
                1 | 2 => DropOldest,
                3 => LatestOnly,
                _ => {
                    if let Some(frame) = reader.backlog.pop() {
                        read += 1;
                        let text = String::from_utf8(frame.bytes()[2..].to_vec()).unwrap();
                        let mut words = text.split(' ');
                        let channel: usize = words.next().unwrap().parse().unwrap();
                        let number: usize = words.next().unwrap().parse().unwrap();
                        prop_assert!(number >= last[channel]);
                        last[channel] = number;
                    }
                    continue;
                }
            };
            let text = format!("{channel} {number} {}", "x".repeat(length));
            taken += u64::from(reader.take(channel, overflow, &text).is_ok());
            prop_assert!(reader.backlog.len() <= LIMITS.frames);
            prop_assert!(reader.backlog.bytes() <= LIMITS.bytes);
            let bytes: usize = reader.backlog.frames().map(Frame::len).sum();
            prop_assert_eq!(bytes, reader.backlog.bytes());
        }
        let waits = reader.backlog.len() as u64;
        let lost: u64 = reader.lost().iter().sum();
        prop_assert_eq!(taken, read + waits + lost);
        reader.backlog.lose();
        let lost: u64 = reader.lost().iter().sum();
        prop_assert_eq!((taken, reader.stats.all_drops()), (read + lost, lost));
    }
}
