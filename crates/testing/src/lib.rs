//! Ports for servers that a test kills and starts again at the same place.
//!
//! A port that the kernel chose (`bind` to 0) is one of those that it gives to outgoing connections
//! too: while the server is dead, any connection of any other test may take it. The ports here lie
//! below that range, and no two calls of a process get the same one before the range has gone round.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Where Linux begins to choose by itself is 32768, unless an administrator said otherwise.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// How many were handed out.
static HANDED_OUT: AtomicU16 = AtomicU16::new(0);

/// An address on 127.0.0.1 that nobody listens on and that the kernel gives to nobody.
///
/// # Errors
///
/// Every port of the range is taken.
pub fn free_address() -> io::Result<SocketAddr> {
    // Processes that run side by side begin far from each other.
    let begin = process::id().wrapping_mul(7_919) % u32::from(COUNT);
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..COUNT {
        let turn = u32::from(HANDED_OUT.fetch_add(1, Ordering::Relaxed));
        let offset = (begin + turn) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).unwrap_or_default();
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener.local_addr(),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The port of [`free_address`].
///
/// # Panics
///
/// Where every port of the range is taken: a test that cannot start must fail.
#[allow(clippy::expect_used, reason = "a test that cannot start must fail")]
pub fn free_port() -> u16 {
    free_address().expect("a free port below 32000").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_below_those_of_the_kernel() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).unwrap();
        let ports: Vec<u16> = (0..50).map(|_| free_port()).collect();
        for (n, port) in ports.iter().enumerate() {
            assert!((FIRST..FIRST + COUNT).contains(port));
            assert_ne!(*port, taken.local_addr().unwrap().port());
            assert!(!ports[..n].contains(port));
        }
    }
}
