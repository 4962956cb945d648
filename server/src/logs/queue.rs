//! Lines between who logs and who writes: bounded, and nobody who logs ever waits for a disk or for
//! a terminal.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tidegate_hub::Counter;

/// How long lines gather after others were written. The first after a pause is written at once; where
/// many come, one write takes them all, and who logs wakes nobody: writing each alone cost a
/// connection that came and went a third of its time.
const GATHER: Duration = Duration::from_millis(20);

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

/// Lines that wait to be written, each with the end that makes it one.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    most: usize,
    lost: Arc<Counter>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// The writer lets lines gather: they need not wake it.
    gathers: bool,
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
    pub(super) fn put(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.ends || waiting.lines.len() + line.len() > self.most {
            drop(waiting);
            self.lost.add(1);
            return;
        }
        waiting.lines.extend_from_slice(line);
        let wakes = !waiting.gathers || waiting.lines.len() > self.most / 2;
        drop(waiting);
        if wakes {
            self.changed.notify_all();
        }
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
                    queue.lost.add(write(&mut *to, &lines));
                    queue.gather();
                }
                queue.waiting.lock().ended = true;
                queue.changed.notify_all();
            })?;
        Ok(Writing(self.clone()))
    }

    /// What waits, once there is something; nothing at the end.
    fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.waiting.lock();
        while waiting.lines.is_empty() {
            if waiting.ends {
                return None;
            }
            self.changed.wait(&mut waiting);
        }
        Some(std::mem::take(&mut waiting.lines))
    }

    /// Leaves the lines alone for [`GATHER`], or until they take half of the room.
    fn gather(&self) {
        let until = Instant::now() + GATHER;
        let mut waiting = self.waiting.lock();
        waiting.gathers = true;
        while !waiting.ends
            && waiting.lines.len() <= self.most / 2
            && !self.changed.wait_until(&mut waiting, until).timed_out()
        {}
        waiting.gathers = false;
    }
}

/// Writes the lines, and says how many of them could not be: there is nowhere to say so but the
/// metrics.
fn write(to: &mut dyn Write, mut lines: &[u8]) -> usize {
    let mut lost = 0;
    while !lines.is_empty() {
        let done = match to.write(lines) {
            Ok(written) if written > 0 => written,
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            // The rest of this line is given up; what follows may find its way again.
            _ => {
                lost += 1;
                lines
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(lines.len(), |end| end + 1)
            }
        };
        lines = &lines[done..];
    }
    // Neither a file nor the standard error keeps anything back.
    let _ = to.flush();
    lost
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
        let until = Instant::now() + LAST_LINES;
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
        queue.put(b"1\n");
        assert_eq!(gets.recv().unwrap(), b"1\n");
        // The writer hangs: ten bytes wait, the rest is lost.
        queue.put(b"2345\n");
        queue.put(b"6789\n");
        queue.put(b"\n");
        queue.put(b"\n");
        assert_eq!(lost.counts(), [("test", 2)]);
        drop(lets_go);
        writing.end();
        assert_eq!(gets.try_iter().collect::<Vec<_>>(), [b"2345\n6789\n"]);
        queue.put(b"\n");
        assert_eq!(lost.counts(), [("test", 3)]);
    }

    /// Fails with every line that begins with "bad", and takes three bytes of what is good.
    #[derive(Clone, Default)]
    struct Choosy(Arc<Mutex<Vec<u8>>>);

    impl Write for Choosy {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if bytes.starts_with(b"bad") {
                return Err(ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(3);
            self.0.lock().extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// P19: a line that cannot be written is counted, and those around it are written whole.
    #[test]
    fn each_line_that_cannot_be_written_is_counted() {
        let mut to = Choosy::default();
        let lines = b"ab\nbad one\nbad two\ncde\nfghijk\n";
        assert_eq!(write(&mut to, lines), 2);
        assert_eq!(&*to.0.lock(), b"ab\ncde\nfghijk\n");
    }

    /// P19: where many lines come, one write takes them; those that gather do not wait for more.
    #[test]
    fn lines_gather_while_others_are_written() {
        let lost = Lost::default();
        let queue = Arc::new(Queue::new(1000, lost.of("test")));
        let (written, gets) = mpsc::channel();
        let (lets_go, go_on) = mpsc::channel();
        let _writing = queue
            .write_to("test", Box::new(Slow { written, go_on }))
            .unwrap();
        queue.put(b"first\n");
        assert_eq!(gets.recv().unwrap(), b"first\n");
        for line in [b"1\n", b"2\n", b"3\n"] {
            queue.put(line);
        }
        drop(lets_go);
        assert_eq!(gets.recv().unwrap(), b"1\n2\n3\n");
        queue.put(b"last\n");
        assert_eq!(gets.recv().unwrap(), b"last\n");
        assert_eq!(lost.counts(), [("test", 0)]);
    }
}
