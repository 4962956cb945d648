//! The task that keeps a [`crate::Bus`] connected: connect, subscribe, watch, and over again.
//!
//! It says one sentence when the bus goes away, however many attempts fail, and one when it is
//! back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue as _, PushInfo, PushKind, RedisError, RedisResult,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::backoff::{Backoff, LONGEST};
use crate::bus::{Link, Message};
use crate::say;

/// How long to wait for a connection, and for an answer on it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a connection is asked whether it still lives: a peer that vanished without a word
/// would otherwise go unnoticed by a plugin that only listens.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Who speaks to whom, for the sentences; never a user name or a password.
pub(crate) struct Name {
    pub(crate) plugin: String,
    pub(crate) address: String,
}

/// What the task owns.
pub(crate) struct Keeper {
    pub(crate) name: Name,
    pub(crate) client: Client,
    pub(crate) subscriptions: Vec<String>,
    pub(crate) link: watch::Sender<Option<Link>>,
    pub(crate) heard: mpsc::Sender<Message>,
    pub(crate) dropped: Arc<AtomicU64>,
}

impl Keeper {
    /// Runs until it is aborted.
    pub(crate) async fn run(self) {
        let Name { plugin, address } = &self.name;
        let mut backoff = Backoff::new();
        let mut away = false;
        loop {
            let reason = match self.connect().await {
                Ok(link) => {
                    let back = if away { "is back" } else { "is there" };
                    say(&format!("{plugin}: the bus at {address} {back}"));
                    away = false;
                    let since = Instant::now();
                    self.link.send_replace(Some(link.clone()));
                    watch_over(link).await;
                    self.link.send_replace(None);
                    // A connection that breaks as soon as it is made must not make a busy loop.
                    if since.elapsed() > LONGEST {
                        backoff.reset();
                    }
                    "the connection was lost".to_owned()
                }
                Err(error) => error.to_string(),
            };
            if !away {
                say(&format!(
                    "{plugin}: the bus at {address} is away ({reason}); trying again"
                ));
                away = true;
            }
            sleep(backoff.next()).await;
        }
    }

    async fn connect(&self) -> RedisResult<Link> {
        let lost = Arc::new(Notify::new());
        let (heard, dropped, bell) = (
            self.heard.clone(),
            Arc::clone(&self.dropped),
            Arc::clone(&lost),
        );
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    bell.notify_one();
                } else if let Some(message) = message(push)
                    && heard.try_send(message).is_err()
                {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), RedisError>(())
            });
        let mut connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        if !self.subscriptions.is_empty() {
            connection.subscribe(&self.subscriptions).await?;
        }
        Ok(Link { connection, lost })
    }
}

/// Returns when the connection is lost.
async fn watch_over(mut link: Link) {
    loop {
        tokio::select! {
            () = link.lost.notified() => return,
            () = sleep(PING_EVERY) => {
                let alive: RedisResult<()> = redis::cmd("PING").query_async(&mut link.connection).await;
                if alive.is_err() {
                    return;
                }
            }
        }
    }
}

/// A message as it was pushed: `[name, body]`. Everything else, and everything of another shape,
/// is nothing.
fn message(push: PushInfo) -> Option<Message> {
    if push.kind != PushKind::Message {
        return None;
    }
    let [name, body] = <[redis::Value; 2]>::try_from(push.data).ok()?;
    Some(Message {
        name: String::from_redis_value(name).ok()?,
        body: Vec::<u8>::from_redis_value(body).ok()?,
    })
}
