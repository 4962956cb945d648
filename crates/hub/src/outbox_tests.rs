//! The outbox with a wire that takes as much as the test says.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::task::Waker;

use super::*;

/// A kernel with room for so many bytes.
#[derive(Default)]
struct Kernel {
    room: Mutex<usize>,
    got: Mutex<Vec<u8>>,
    broken: Mutex<bool>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Kernel>);

impl Wire for Shared {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        if *self.0.broken.lock() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut room = self.0.room.lock();
        let took = bytes.len().min(*room);
        *room -= took;
        self.0.got.lock().extend_from_slice(&bytes[..took]);
        match took {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            took => Ok(took),
        }
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.try_write(&all)
    }

    fn shut(&self) {
        *self.0.broken.lock() = true;
    }

    fn warm(&self) {}
}

fn outbox(room: usize, max_bytes: usize, max_frames: usize) -> (Outbox, Shared) {
    let outbox = Outbox::new(max_bytes, max_frames);
    let kernel = Shared::default();
    *kernel.0.room.lock() = room;
    outbox.attach(Box::new(kernel.clone()));
    (outbox, kernel)
}

fn events(texts: &[&str]) -> Events {
    Events::new(
        texts
            .iter()
            .map(|text| Frame::text(text.as_bytes()))
            .collect(),
    )
}

fn origin() -> Arc<Origin> {
    Arc::new(Origin::new(1, Arc::default()))
}

fn flush(outbox: &Outbox) -> Work {
    outbox.flush(&Context::from_waker(Waker::noop())).0
}

#[test]
fn what_the_kernel_takes_is_written_at_once() {
    let origin = origin();
    let (outbox, kernel) = outbox(100, 100, 10);
    let sent = outbox.data(&origin, &events(&["a", "b"]), Overflow::Close);
    assert_eq!((sent.taken, sent.written), (2, 6));
    outbox.control_frame(Frame::text(b"c"));
    assert_eq!(*kernel.0.got.lock(), b"\x81\x01a\x81\x01b\x81\x01c");
    assert_eq!((outbox.queued_bytes(), outbox.frames()), (0, 3));
}

#[test]
fn the_rest_waits_and_control_overtakes_whole_frames_only() {
    let origin = origin();
    let (outbox, kernel) = outbox(4, 100, 10);
    outbox.data(&origin, &events(&["one", "two"]), Overflow::Close);
    outbox.data(&origin, &events(&["three"]), Overflow::Close);
    outbox.control_frame(Frame::text(b"reply"));
    assert_eq!(flush(&outbox), Work::Blocked);
    *kernel.0.room.lock() = 100;
    assert_eq!(flush(&outbox), Work::None);
    assert_eq!(
        *kernel.0.got.lock(),
        b"\x81\x03one\x81\x03two\x81\x05reply\x81\x05three"
    );
    assert_eq!(outbox.queued_bytes(), 0);
}

/// A15: a full queue, in bytes or in frames, ends the connection as a slow consumer. All that it does
/// not get is counted: what waited, what found no room, and what came before it was gone.
#[test]
fn a_full_queue_closes_the_connection_and_what_it_misses_is_counted() {
    for (max_bytes, max_frames) in [(10, 10), (100, 2)] {
        let origin = origin();
        let (outbox, kernel) = outbox(0, max_bytes, max_frames);
        outbox.data(&origin, &events(&["ab"]), Overflow::Close);
        let sent = outbox.data(&origin, &events(&["cd", "ef", "gh"]), Overflow::Close);
        assert_eq!((sent.taken, origin.lost()), (1, 4));
        assert_eq!(outbox.closing(), Some(Close::SlowConsumer));
        outbox.data(&origin, &events(&["ij", "kl"]), Overflow::Close);
        assert_eq!(origin.lost(), 6);
        assert_eq!(outbox.queued_bytes(), 0);
        *kernel.0.room.lock() = 100;
        assert_eq!(flush(&outbox), Work::Close(Close::SlowConsumer));
    }
}

/// A client that asks without end and reads no answer misses its events as well.
#[test]
fn events_behind_a_full_control_lane_are_counted() {
    let origin = origin();
    let (outbox, _) = outbox(0, 100, 2);
    outbox.data(&origin, &events(&["ab"]), Overflow::DropOldest);
    for _ in 0..3 {
        outbox.control_frame(Frame::text(b"reply"));
    }
    assert_eq!(outbox.closing(), Some(Close::SlowConsumer));
    assert_eq!(origin.lost(), 1);
}

/// Who goes by itself, or is sent away for another reason, is no slow reader.
#[test]
fn who_is_no_slow_consumer_loses_nothing() {
    let origin = origin();
    for broken in [true, false] {
        let (outbox, kernel) = outbox(0, 100, 10);
        outbox.data(&origin, &events(&["a"]), Overflow::Close);
        if broken {
            *kernel.0.broken.lock() = true;
            assert_eq!(flush(&outbox), Work::Gone);
        } else {
            outbox.close(Close::Restart);
        }
        outbox.data(&origin, &events(&["b"]), Overflow::Close);
    }
    assert_eq!(origin.lost(), 0);
}

#[test]
fn the_control_lane_is_bounded_too() {
    let (outbox, _) = outbox(0, 100, 2);
    for _ in 0..3 {
        outbox.control_frame(Frame::text(b"reply"));
    }
    assert_eq!(outbox.closing(), Some(Close::SlowConsumer));
}

#[test]
fn what_was_promised_goes_out_before_the_close() {
    let origin = origin();
    let (outbox, kernel) = outbox(0, 100, 10);
    outbox.data(&origin, &events(&["event"]), Overflow::Close);
    outbox.control_frame(Frame::text(b"reply"));
    outbox.close(Close::Restart);
    outbox.close(Close::Idle);
    *kernel.0.room.lock() = 100;
    assert_eq!(flush(&outbox), Work::Close(Close::Restart));
    assert_eq!(*kernel.0.got.lock(), b"\x81\x05reply");
}

#[test]
fn a_broken_socket_takes_nothing_more() {
    let origin = origin();
    let (outbox, kernel) = outbox(100, 100, 10);
    *kernel.0.broken.lock() = true;
    outbox.control_frame(Frame::text(b"reply"));
    assert_eq!(flush(&outbox), Work::Gone);
    let sent = outbox.data(&origin, &events(&["a"]), Overflow::Close);
    assert_eq!(sent, Sent::default());
}

#[test]
fn without_a_wire_frames_wait_to_be_taken() {
    let origin = origin();
    let outbox = Outbox::new(100, 10);
    outbox.data(&origin, &events(&["a", "b"]), Overflow::Close);
    outbox.control_frame(Frame::text(b"c"));
    let found: Vec<_> = std::iter::from_fn(|| outbox.pop())
        .map(|frame| frame.bytes().to_vec())
        .collect();
    assert_eq!(found, [b"\x81\x01c", b"\x81\x01a", b"\x81\x01b"]);
    assert_eq!(outbox.queued_bytes(), 0);
}

/// A16: who is asked to leave may still be answered; the close comes when its task says so.
#[test]
fn who_leaves_is_still_answered() {
    let (outbox, kernel) = outbox(1000, 1000, 10);
    outbox.leave(Close::Restart);
    assert_eq!(outbox.leaving(), Some(Close::Restart));
    assert_eq!(flush(&outbox), Work::None);
    outbox.control_frame(Frame::text(b"answer"));
    assert!(kernel.0.got.lock().ends_with(b"answer"));
    outbox.close(Close::Restart);
    assert_eq!(flush(&outbox), Work::Close(Close::Restart));
}
