//! Good subscribers of one topic: each counts what it gets, in order, and how late it comes.
//!
//! Messages are numbered from 1 and carry the time at which they went in. All clocks are this
//! program's own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::client::Client;
use crate::error::StormError;
use crate::latencies::Latencies;
use crate::resp::encoded;

/// What all listeners together have seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) latencies: Latencies,
    /// Messages, over all listeners.
    pub(crate) received: u64,
    /// Messages that were not the one after the last.
    pub(crate) out_of_order: u64,
    /// How connections ended that should not have.
    pub(crate) ended: Vec<String>,
}

/// A crowd of good subscribers; it hangs up when it is dropped.
pub(crate) struct Listeners {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
    began: Instant,
}

impl Listeners {
    /// Connects `count` clients that join the topic.
    pub(crate) async fn join(
        address: SocketAddr,
        topic: &str,
        count: usize,
    ) -> Result<Self, StormError> {
        let began = Instant::now();
        let seen = Arc::new(Mutex::new(Seen {
            latencies: Latencies::new()?,
            received: 0,
            out_of_order: 0,
            ended: Vec::new(),
        }));
        let mut tasks = Vec::with_capacity(count);
        for _ in 0..count {
            let mut client = Client::connect(address).await?;
            client.join(topic).await?;
            tasks.push(tokio::spawn(listen(client, seen.clone(), began)));
        }
        Ok(Self { seen, tasks, began })
    }

    /// A command that publishes message `number`, filled up to `bytes`.
    pub(crate) fn message(&self, topic: &str, number: u64, bytes: usize) -> Vec<u8> {
        let sent = self.began.elapsed().as_nanos();
        let body = format!(r#"{{"n":{number},"t":{sent},"fill":""#);
        let fill = "x".repeat(bytes.saturating_sub(body.len() + 2));
        let body = format!("{body}{fill}\"}}");
        encoded(&[
            b"PUBLISH",
            format!("to:{topic}:news").as_bytes(),
            body.as_bytes(),
        ])
    }

    /// Latencies since the last call.
    pub(crate) fn take_latencies(&self) -> Latencies {
        self.look(|seen| seen.latencies.take())
    }

    /// A look at what was seen.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until all have got so many messages, or none came for so long; gives how many.
    pub(crate) async fn received(&self, wanted: u64, patience: Duration) -> u64 {
        let mut last = (self.look(|seen| seen.received), Instant::now());
        loop {
            let received = self.look(|seen| seen.received);
            if received != last.0 {
                last = (received, Instant::now());
            }
            if received >= wanted || last.1.elapsed() > patience {
                return received;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(mut client: Client, seen: Arc<Mutex<Seen>>, began: Instant) {
    let mut last = 0;
    loop {
        let message = client.message().await;
        let now = began.elapsed();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match message {
            Ok(message) => {
                let Some((number, sent)) = number(&message).zip(time(&message)) else {
                    continue;
                };
                seen.received += 1;
                seen.out_of_order += u64::from(number != last + 1);
                seen.latencies.record(now.saturating_sub(sent));
                last = number;
            }
            Err(error) => return seen.ended.push(error.to_string()),
        }
    }
}

/// The number of a message.
pub(crate) fn number(message: &[u8]) -> Option<u64> {
    digits(message, b"{\"n\":")
}

fn time(message: &[u8]) -> Option<Duration> {
    digits(message, b",\"t\":").map(Duration::from_nanos)
}

fn digits(message: &[u8], name: &[u8]) -> Option<u64> {
    let head = &message[..message.len().min(400)];
    let rest = &head[memmem::find(head, name)? + name.len()..];
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..length]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_without_parsing_them() {
        let message = br#"[null,null,"close","news",{"n":17,"t":2000,"fill":"xx"}]"#;
        assert_eq!(number(message), Some(17));
        assert_eq!(time(message), Some(Duration::from_micros(2)));
        assert_eq!(number(br#"["1","1","close","phx_reply",{}]"#), None);
    }
}
