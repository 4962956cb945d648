//! Lines between who logs and who writes: bounded, and nobody who logs ever waits for a disk or for
//! a terminal.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tidegate_hub::Counter;

/// How long what waits has at the end to be written.
const LAST_LINES: Duration = Duration::from_secs(2);

/// How many lines were lost: for lack of room, or because they could not be written.
#[derive(Default)]
pub(crate) struct Lost {
    sinks: Mutex<Vec<(&'static str, Arc<Counter>)>>,
}

impl Lost {
    /// The counter of a sink.
    pub(super) fn of(&self, sink: &'static str) -> Arc<Counter> {
        let counter = Arc::<Counter>::default();
        self.sinks.lock().push((sink, counter.clone()));
        counter
    }

    /// Each sink that there is, and what it has lost.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        let sinks = self.sinks.lock();
        sinks
            .iter()
            .map(|(name, lost)| (*name, lost.get()))
            .collect()
    }
}

/// Lines that wait to be written.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    most: usize,
    lost: Arc<Counter>,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Nothing more comes.
    ends: bool,
    /// Everything is written.
    ended: bool,
}

impl Queue {
    pub(super) fn new(most: usize, lost: Arc<Counter>) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            most,
            lost,
        }
    }

    /// Takes a line, or counts it where there is no room.
    pub(super) fn put(&self, line: Vec<u8>) {
        let mut waiting = self.waiting.lock();
        if waiting.ends || waiting.bytes + line.len() > self.most {
            drop(waiting);
            self.lost.add(1);
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line);
        drop(waiting);
        self.changed.notify_all();
    }

    /// Starts the thread that writes.
    pub(super) fn write_to(
        self: &Arc<Self>,
        name: &str,
        mut to: Box<dyn Write + Send>,
    ) -> std::io::Result<Writing> {
        let queue = self.clone();
        std::thread::Builder::new()
            .name(format!("log-{name}"))
            .spawn(move || {
                while let Some(lines) = queue.take() {
                    for line in lines {
                        // Where the log cannot be written there is nowhere to say so but the metrics.
                        if to.write_all(&line).is_err() {
                            queue.lost.add(1);
                        }
                    }
                    let _ = to.flush();
                }
                queue.waiting.lock().ended = true;
                queue.changed.notify_all();
            })?;
        Ok(Writing(self.clone()))
    }

    /// What waits, once there is something; nothing at the end.
    fn take(&self) -> Option<VecDeque<Vec<u8>>> {
        let mut waiting = self.waiting.lock();
        while waiting.lines.is_empty() {
            if waiting.ends {
                return None;
            }
            self.changed.wait(&mut waiting);
        }
        waiting.bytes = 0;
        Some(std::mem::take(&mut waiting.lines))
    }
}

/// A queue that is being written.
pub(super) struct Writing(Arc<Queue>);

impl Writing {
    /// Takes no more lines, and waits a little until those that wait are written.
    pub(super) fn end(&mut self) {
        let queue = &self.0;
        let mut waiting = queue.waiting.lock();
        waiting.ends = true;
        queue.changed.notify_all();
        let until = std::time::Instant::now() + LAST_LINES;
        while !waiting.ended && !queue.changed.wait_until(&mut waiting, until).timed_out() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Gives away what is written, and waits with each line until it is let go on.
    struct Slow {
        written: mpsc::Sender<Vec<u8>>,
        go_on: mpsc::Receiver<()>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.written.send(bytes.to_vec()).unwrap();
            self.go_on.recv().ok();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// P19: who logs does not wait for who writes; what finds no room is counted.
    #[test]
    fn a_writer_that_hangs_holds_nobody_up() {
        let lost = Lost::default();
        let queue = Arc::new(Queue::new(10, lost.of("test")));
        let (written, gets) = mpsc::channel();
        let (lets_go, go_on) = mpsc::channel();
        let mut writing = queue
            .write_to("test", Box::new(Slow { written, go_on }))
            .unwrap();
        queue.put(b"one".to_vec());
        assert_eq!(gets.recv().unwrap(), b"one");
        // The writer hangs: ten bytes wait, the rest is lost.
        queue.put(b"12345".to_vec());
        queue.put(b"67890".to_vec());
        queue.put(b"x".to_vec());
        queue.put(b"y".to_vec());
        assert_eq!(lost.counts(), [("test", 2)]);
        drop(lets_go);
        writing.end();
        assert_eq!(gets.try_iter().collect::<Vec<_>>(), [b"12345", b"67890"]);
        queue.put(b"late".to_vec());
        assert_eq!(lost.counts(), [("test", 3)]);
    }
}
