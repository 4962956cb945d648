//! The threads that write to the members of a large channel, side by side.
//!
//! What a broadcast costs is one system call for each member, some microseconds each: to ten thousand
//! members one core takes tens of milliseconds. The crew shares them out among its threads, in pieces
//! of which each member is in one. The broadcast ends when all pieces have, so the next one of the
//! channel begins after it and every member sees one order. A small channel is not worth waking
//! anybody: whoever broadcasts writes to it alone.

use std::iter::Sum;
use std::sync::Arc;

use rayon::prelude::*;

use crate::members::CHUNK;

/// Chunks of members from which on waking others pays.
const MANY: usize = 1024 / CHUNK;
/// Chunks that are not parted any further.
const PIECE: usize = 4;

/// Some threads, or none.
#[derive(Debug, Default)]
pub struct Crew(Option<rayon::ThreadPool>);

impl Crew {
    /// So many threads; with one of them, and with none, whoever broadcasts does it alone.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        if threads < 2 {
            return Ok(Self(None));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("fan-out-{number}"))
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Self(Some(pool)))
    }

    /// What `work` gives for each of the chunks, added up.
    pub(crate) fn sum<T, R>(&self, chunks: &[Arc<T>], work: impl Fn(&T) -> R + Send + Sync) -> R
    where
        T: Send + Sync,
        R: Send + Sum,
    {
        match &self.0 {
            Some(pool) if chunks.len() >= MANY => pool.install(|| {
                let pieces = chunks.par_iter().with_min_len(PIECE);
                pieces.map(|chunk| work(chunk)).sum()
            }),
            _ => chunks.iter().map(|chunk| work(chunk)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::thread::current;

    use parking_lot::Mutex;

    use super::*;

    /// Blueprint, the hot path: many members are written to by several threads at the same time, few
    /// by the one that broadcasts.
    #[test]
    fn many_are_shared_out_and_few_are_not() {
        let crew = Crew::new(2).unwrap();
        let chunks: Vec<_> = (0..MANY).map(Arc::new).collect();
        // The first two chunks that are begun wait for each other: one thread would wait for ever.
        let both = Barrier::new(2);
        let begun = Mutex::new(HashSet::new());
        let sum: usize = crew.sum(&chunks, |chunk| {
            if begun.lock().insert(current().id()) {
                both.wait();
            }
            *chunk
        });
        assert_eq!(sum, (0..MANY).sum::<usize>());
        assert_eq!(begun.lock().len(), 2);
        assert!(!begun.lock().contains(&current().id()));

        let here = current().id();
        for (crew, few) in [(crew, &chunks[1..]), (Crew::new(1).unwrap(), &chunks[..])] {
            let sum: usize = crew.sum(few, |chunk| {
                assert_eq!(current().id(), here);
                *chunk
            });
            assert_eq!(sum, (0..MANY).sum::<usize>());
        }
    }
}
