//! A bounded queue for one reader that may not read: the oldest data goes, counted.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// What a mailbox holds.
pub(crate) trait Letter {
    /// Bytes it weighs.
    fn size(&self) -> usize;
    /// Whether it goes before the others.
    fn is_data(&self) -> bool;
}

impl Letter for crate::event::ChannelEvent {
    fn size(&self) -> usize {
        self.size()
    }
    fn is_data(&self) -> bool {
        self.is_data()
    }
}

impl Letter for crate::event::Update {
    fn size(&self) -> usize {
        self.size()
    }
    fn is_data(&self) -> bool {
        self.is_data()
    }
}

#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    letters: VecDeque<T>,
    bytes: usize,
    max_letters: usize,
    max_bytes: usize,
    dropped: u64,
    ended: bool,
    reader: Option<Waker>,
}

impl<T: Letter> Mailbox<T> {
    pub(crate) fn new(max_letters: usize, max_bytes: usize) -> Self {
        Self {
            letters: VecDeque::new(),
            bytes: 0,
            max_letters: max_letters.max(1),
            max_bytes,
            dropped: 0,
            ended: false,
            reader: None,
        }
    }

    /// Takes a letter in, and hands out the waker of whoever waits for it.
    pub(crate) fn put(&mut self, letter: T) -> Option<Waker> {
        if self.ended {
            return None;
        }
        self.bytes += letter.size();
        self.letters.push_back(letter);
        while self.letters.len() > self.max_letters
            || (self.bytes > self.max_bytes && self.letters.len() > 1)
        {
            self.drop_one();
        }
        self.reader.take()
    }

    fn drop_one(&mut self) {
        // The newest letter is the last that may go: whoever reads again sees the present.
        let older = self.letters.len() - 1;
        let index = self
            .letters
            .iter()
            .take(older)
            .position(Letter::is_data)
            .unwrap_or(0);
        if let Some(letter) = self.letters.remove(index) {
            self.bytes -= letter.size();
            self.dropped += 1;
        }
    }

    /// No letter comes any more; those there are can still be read.
    pub(crate) fn end(&mut self) -> Option<Waker> {
        self.ended = true;
        self.reader.take()
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.letters.pop_front() {
            Some(letter) => {
                self.bytes -= letter.size();
                Poll::Ready(Some(letter))
            }
            None if self.ended => Poll::Ready(None),
            None => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Note(&'static str, bool);

    impl Letter for Note {
        fn size(&self) -> usize {
            self.0.len()
        }
        fn is_data(&self) -> bool {
            self.1
        }
    }

    fn drain(mailbox: &mut Mailbox<Note>) -> Vec<&'static str> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut texts = Vec::new();
        while let Poll::Ready(Some(note)) = mailbox.poll(&mut cx) {
            texts.push(note.0);
        }
        texts
    }

    #[test]
    fn the_oldest_data_goes_first_and_is_counted() {
        let mut mailbox = Mailbox::new(3, 1000);
        for note in [
            Note("joined", false),
            Note("a", true),
            Note("b", true),
            Note("c", true),
        ] {
            mailbox.put(note);
        }
        assert_eq!(mailbox.dropped(), 1);
        assert_eq!(drain(&mut mailbox), ["joined", "b", "c"]);
    }

    #[test]
    fn bytes_are_bounded_but_the_newest_stays() {
        let mut mailbox = Mailbox::new(10, 4);
        for note in [Note("aaa", true), Note("bb", true), Note("cccccc", true)] {
            mailbox.put(note);
        }
        assert_eq!(drain(&mut mailbox), ["cccccc"]);
        assert_eq!(mailbox.dropped(), 2);
    }

    #[test]
    fn without_data_the_oldest_of_all_goes() {
        let mut mailbox = Mailbox::new(2, 100);
        for note in [Note("1", false), Note("2", false), Note("3", false)] {
            mailbox.put(note);
        }
        assert_eq!(drain(&mut mailbox), ["2", "3"]);
    }

    #[test]
    fn what_came_before_the_end_can_be_read() {
        let mut mailbox = Mailbox::new(2, 100);
        mailbox.put(Note("1", true));
        mailbox.end();
        mailbox.put(Note("2", true));
        assert_eq!(drain(&mut mailbox), ["1"]);
        assert_eq!(
            mailbox.poll(&mut Context::from_waker(Waker::noop())),
            Poll::Ready(None)
        );
    }
}
