//! All clients of a run, in one epoll.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Registry, Token};

use crate::client::{Client, Destination};
use crate::error::LoadError;

/// How many may be on their way in at once: fewer than a listener's usual backlog.
const AT_ONCE: usize = 64;

/// How long all of them may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each client says something this often: the gateway closes whoever is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The clients.
pub(crate) struct Pool {
    poll: Poll,
    events: Events,
    to: Destination,
    clients: Vec<Client>,
    /// One for all: what is read is taken before the next read.
    buffer: Box<[u8]>,
    /// The client whose heartbeat is next, and since when.
    heartbeats: (usize, Instant),
    heartbeat: Option<Vec<u8>>,
}

impl Pool {
    /// Opens `count` clients and waits until all of them are in.
    ///
    /// # Errors
    /// When the limit of file descriptors is too low, or one of them is not let in.
    pub(crate) fn open(to: Destination, count: usize) -> Result<Self, LoadError> {
        raise_descriptors(count)?;
        let mut pool = Self {
            poll: Poll::new().map_err(LoadError::System)?,
            events: Events::with_capacity(1024),
            heartbeat: to.target.heartbeat(),
            to,
            clients: Vec::with_capacity(count),
            buffer: vec![0; 256 * 1024].into_boxed_slice(),
            heartbeats: (0, Instant::now()),
        };
        let deadline = Instant::now() + PATIENCE;
        let mut open = 0;
        while open < count {
            while pool.clients.len() < count && pool.clients.len() - open < AT_ONCE {
                let token = Token(pool.clients.len());
                let client = Client::start(&pool.to, pool.poll.registry(), token);
                pool.clients.push(client.map_err(LoadError::System)?);
            }
            open += pool
                .step(Duration::from_millis(100), |_, _, _| None, |_| Ok(()))
                .map_err(|error| match error {
                    LoadError::Lost { client, reason } => LoadError::Connect {
                        client,
                        clients: count,
                        reason,
                    },
                    error => error,
                })?;
            if Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(LoadError::Slow {
                    open,
                    clients: count,
                    seconds,
                });
            }
        }
        pool.heartbeats = (0, Instant::now());
        Ok(pool)
    }

    /// Where a further socket can be registered, with a token above all clients.
    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// Sends a frame in the name of a client.
    pub(crate) fn send(&mut self, client: usize, frame: &[u8]) -> Result<(), LoadError> {
        self.clients[client]
            .send(frame)
            .map_err(|reason| LoadError::Lost { client, reason })
    }

    /// Waits for something to happen, at most `wait`, and takes it: data frames go to `deliver`
    /// with the client's number and the time, and what that returns goes back; tokens of other
    /// sockets go to `other`. Returns how many clients came in.
    pub(crate) fn step<'a>(
        &mut self,
        wait: Duration,
        mut deliver: impl FnMut(usize, &[u8], Instant) -> Option<&'a [u8]>,
        mut other: impl FnMut(Token) -> Result<(), LoadError>,
    ) -> Result<usize, LoadError> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(0),
            result => result.map_err(LoadError::System)?,
        }
        let mut came_in = 0;
        for event in &self.events {
            let number = event.token().0;
            let Some(client) = self.clients.get_mut(number) else {
                other(event.token())?;
                continue;
            };
            let was_in = client.is_in();
            let mut result = Ok(());
            if event.is_writable() {
                result = client.writable(&self.to);
            }
            // A short read ends a round of reading; where the server has hung up, a second round
            // finds the end.
            let rounds = usize::from(event.is_readable()) + usize::from(event.is_read_closed());
            for _ in 0..rounds {
                if result.is_ok() {
                    result = client.readable(&self.to, &mut self.buffer, |payload, now| {
                        deliver(number, payload, now)
                    });
                }
            }
            result.map_err(|reason| LoadError::Lost {
                client: number,
                reason,
            })?;
            came_in += usize::from(!was_in && client.is_in());
        }
        self.heartbeat()?;
        Ok(came_in)
    }

    /// Sends the heartbeats that are due, spread over the time between two of one client.
    fn heartbeat(&mut self) -> Result<(), LoadError> {
        let Some(heartbeat) = &self.heartbeat else {
            return Ok(());
        };
        let (next, since) = self.heartbeats;
        let due =
            self.clients.len() as f64 * since.elapsed().as_secs_f64() / HEARTBEAT.as_secs_f64();
        for number in next..(due as usize).min(self.clients.len()) {
            if self.clients[number].is_in() {
                self.clients[number]
                    .send(heartbeat)
                    .map_err(|reason| LoadError::Lost {
                        client: number,
                        reason,
                    })?;
            }
            self.heartbeats.0 = number + 1;
        }
        if since.elapsed() >= HEARTBEAT {
            self.heartbeats = (0, Instant::now());
        }
        Ok(())
    }
}

/// Raises the limit of file descriptors as far as it may be, and checks that it is enough.
fn raise_descriptors(count: usize) -> Result<(), LoadError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    // A few are taken by the event queue, the bus and the standard streams.
    let ask = count + 64;
    match limit {
        Some(limit) if limit < ask as u64 => Err(LoadError::Descriptors {
            needed: count,
            limit,
            ask,
        }),
        _ => Ok(()),
    }
}
