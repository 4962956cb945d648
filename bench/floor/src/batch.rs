//! Messages that wait, made into one write.

use std::num::NonZeroUsize;
use std::rc::Rc;

use crate::frame;

/// What is answered to one message that was put in.
const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// Frames in the order they came, concatenated; never more than go into one call.
pub(crate) struct Batch {
    per_call: NonZeroUsize,
    frames: Vec<u8>,
    count: usize,
}

/// A batch that is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// To every subscriber.
    pub(crate) frames: Rc<[u8]>,
    /// To whoever put the messages in: as many answers as there were messages.
    pub(crate) answers: Rc<[u8]>,
}

impl Batch {
    pub(crate) fn new(per_call: NonZeroUsize) -> Self {
        Self {
            per_call,
            frames: Vec::new(),
            count: 0,
        }
    }

    /// Adds a message; the batch when that filled it.
    pub(crate) fn add(&mut self, message: &[u8]) -> Option<Ready> {
        frame::text(message, &mut self.frames);
        self.count += 1;
        if self.count < self.per_call.get() {
            return None;
        }
        self.take()
    }

    /// What there is, however little: nothing else waits.
    pub(crate) fn take(&mut self) -> Option<Ready> {
        if self.count == 0 {
            return None;
        }
        let ready = Ready {
            frames: self.frames.as_slice().into(),
            answers: ANSWER.repeat(self.count).into(),
        };
        self.frames.clear();
        self.count = 0;
        Some(ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(per_call: usize) -> Batch {
        Batch::new(NonZeroUsize::new(per_call).unwrap())
    }

    /// One per call: every message is ready at once.
    #[test]
    fn one_by_one_nothing_waits() {
        let mut batch = batch(1);
        let ready = batch.add(b"a").unwrap();
        assert_eq!(*ready.frames, [0x81, 1, b'a']);
        assert_eq!(&*ready.answers, ANSWER);
        assert_eq!(batch.take(), None);
    }

    /// Several per call: a full batch goes by itself, the rest when it is asked for.
    #[test]
    fn a_full_batch_goes_by_itself() {
        let mut batch = batch(2);
        assert_eq!(batch.add(b"a"), None);
        let ready = batch.add(b"b").unwrap();
        assert_eq!(*ready.frames, [0x81, 1, b'a', 0x81, 1, b'b']);
        assert_eq!(ready.answers.len(), 2 * ANSWER.len());
        assert_eq!(batch.add(b"c"), None);
        assert_eq!(*batch.take().unwrap().frames, [0x81, 1, b'c']);
        assert_eq!(batch.take(), None);
    }
}
