//! Connecting, staying connected, noticing the loss, connecting again.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, PushKind, RedisError, Value};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::publisher::{Waiting, publish_all};
use super::{PEERS, RedisConfig};
use crate::broker::{GATEWAY_PATTERN, Tally};
use crate::bus::{BusError, Sink, Status};

/// Why a server that answers is none to use.
const REPLICA: &str = "this Redis is a replica, and what is published there reaches nobody else; \
     use the address of the master";

/// Both connections; dropping it closes them.
struct Session {
    subscriber: MultiplexedConnection,
    publisher: MultiplexedConnection,
    /// Cancelled when either was closed by the other side.
    lost: CancellationToken,
}

/// The task that owns the connections.
pub(crate) struct Supervisor {
    pub(crate) client: Client,
    pub(crate) config: RedisConfig,
    pub(crate) sink: Arc<dyn Sink>,
    /// Told after each delivery.
    pub(crate) delivered: Arc<Notify>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) waiting: mpsc::Receiver<Waiting>,
}

impl Supervisor {
    /// Keeps the bus connected until the shutdown.
    pub(crate) async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        if shutdown
            .run_until_cancelled(self.stay_connected())
            .await
            .is_none()
        {
            self.set_down("the gateway is stopping".to_owned());
        }
    }

    async fn stay_connected(&mut self) {
        let mut pause = self.config.backoff_min;
        loop {
            let connect = connect(
                self.client.clone(),
                self.config.clone(),
                self.sink.clone(),
                self.delivered.clone(),
                self.tally.clone(),
            );
            match self.refusing(connect).await {
                Ok(session) => {
                    let since = Instant::now();
                    self.set_up();
                    let reason = self.serve(session).await;
                    self.set_down(reason);
                    // A server that lets us in only to throw us out is not tried at full speed.
                    if since.elapsed() > self.config.backoff_max {
                        pause = self.config.backoff_min;
                    }
                }
                Err(reason) => self.set_down(reason),
            }
            let jitter = rand::random_range(0.5..=1.0);
            self.refusing(sleep(pause.mul_f64(jitter))).await;
            pause = (pause * 2).min(self.config.backoff_max);
        }
    }

    /// Waits for something while the bus is down: whoever publishes is answered at once.
    async fn refusing<T>(&mut self, something: impl Future<Output = T>) -> T {
        let mut something = std::pin::pin!(something);
        loop {
            tokio::select! {
                biased;
                done = &mut something => return done,
                Some(event) = self.waiting.recv() => {
                    let reason = self.status.borrow().detail.clone().unwrap_or_default();
                    event.answer(Err(BusError::Unavailable(reason)));
                }
            }
        }
    }

    /// Carries events until something goes wrong, and says what.
    async fn serve(&mut self, mut session: Session) -> String {
        let config = &self.config;
        let dead = watch_over(
            session.subscriber.clone(),
            session.publisher.clone(),
            config,
        );
        tokio::select! {
            biased;
            () = session.lost.cancelled() => "Redis closed the connection".to_owned(),
            reason = dead => reason,
            error = publish_all(&mut session.publisher, &mut self.waiting, &*self.sink) => match error {
                Some(error) if error.is_timeout() => {
                    format!("Redis did not answer a publish within {:?}", config.publish_timeout)
                }
                Some(error) => describe(&error),
                None => "nobody publishes any more".to_owned(),
            },
        }
    }

    fn set_up(&self) {
        Tally::add(&self.tally.connects);
        tracing::info!("connected to Redis");
        self.status.send_modify(|status| {
            status.up = true;
            status.since = SystemTime::now();
            status.detail = None;
        });
    }

    fn set_down(&self, reason: String) {
        self.status.send_if_modified(|status| {
            if !status.up && status.detail.as_ref() == Some(&reason) {
                return false;
            }
            tracing::warn!(%reason, "the bus is down");
            if std::mem::replace(&mut status.up, false) {
                status.since = SystemTime::now();
            }
            status.detail = Some(reason);
            true
        });
    }
}

/// Makes both connections and subscribes.
async fn connect(
    client: Client,
    config: RedisConfig,
    sink: Arc<dyn Sink>,
    delivered: Arc<Notify>,
    tally: Arc<Tally>,
) -> Result<Session, String> {
    let lost = CancellationToken::new();
    let connecting = async {
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(Some(config.publish_timeout));
        let notice = lost.clone();
        let on_push = move |push: PushInfo| {
            take_push(push, &*sink, &tally, &notice);
            delivered.notify_one();
            Ok::<_, redis::aio::SendError>(())
        };
        let with_messages = settings.clone().set_push_sender(on_push);
        let mut subscriber = client
            .get_multiplexed_async_connection_with_config(&with_messages)
            .await?;
        subscriber.psubscribe(GATEWAY_PATTERN).await?;
        subscriber.subscribe(PEERS).await?;

        let notice = lost.clone();
        let on_push = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                notice.cancel();
            }
            Ok::<_, redis::aio::SendError>(())
        };
        let with_notice = settings.set_push_sender(on_push);
        let publisher = client
            .get_multiplexed_async_connection_with_config(&with_notice)
            .await?;
        let role = publisher
            .clone()
            .send_packed_command(&redis::cmd("ROLE"))
            .await?;
        Ok::<_, RedisError>((subscriber, publisher, role))
    };
    match timeout(config.connect_timeout, connecting).await {
        Ok(Ok((_, _, role))) if is_replica(&role) => Err(REPLICA.to_owned()),
        Ok(Ok((subscriber, publisher, _))) => Ok(Session {
            subscriber,
            publisher,
            lost,
        }),
        Ok(Err(error)) => Err(describe(&error)),
        Err(_) => Err(format!(
            "Redis did not answer within {:?}",
            config.connect_timeout
        )),
    }
}

/// Called from the subscribed connection's reading task, for each message in its order.
fn take_push(push: PushInfo, sink: &dyn Sink, tally: &Tally, lost: &CancellationToken) {
    match push.kind {
        PushKind::PMessage => {
            if let Ok([_pattern, Value::BulkString(name), Value::BulkString(body)]) =
                <[Value; 3]>::try_from(push.data)
            {
                tally.deliver(sink, &name, Bytes::from(body));
            }
        }
        PushKind::Message => {
            if let Ok([_channel, Value::BulkString(body)]) = <[Value; 2]>::try_from(push.data) {
                sink.peer(Bytes::from(body));
            }
        }
        PushKind::Disconnection => lost.cancel(),
        _ => {}
    }
}

/// Whether a server says of itself that it is a replica. Where it may not be asked, it is believed
/// to be none.
fn is_replica(role: &Value) -> bool {
    let Value::Array(words) = role else {
        return false;
    };
    match words.first() {
        Some(Value::BulkString(word)) => &word[..] == b"slave",
        Some(Value::SimpleString(word)) => word == "slave",
        _ => false,
    }
}

/// Asks both connections for a sign of life until one fails to give it, and says what happened.
/// The one that publishes is asked for its role, for a master may become a replica at any time and
/// keep its connections.
async fn watch_over(
    mut subscriber: MultiplexedConnection,
    mut publisher: MultiplexedConnection,
    config: &RedisConfig,
) -> String {
    let every = config.ping_interval.max(Duration::from_millis(1));
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    subscriber.set_response_timeout(config.ping_timeout);
    publisher.set_response_timeout(config.ping_timeout);
    loop {
        ticks.tick().await;
        let (ping, role) = (redis::cmd("PING"), redis::cmd("ROLE"));
        let pings = futures::future::try_join(
            subscriber.send_packed_command(&ping),
            publisher.send_packed_command(&role),
        );
        match pings.await {
            Ok((_, role)) if is_replica(&role) => return REPLICA.to_owned(),
            // An error in answer is a sign of life too.
            Ok(_) => {}
            Err(error) if error.is_timeout() => {
                return format!(
                    "Redis did not answer a ping within {:?}",
                    config.ping_timeout
                );
            }
            Err(error) => return describe(&error),
        }
    }
}

/// In words, with what to do where that is known.
fn describe(error: &RedisError) -> String {
    match error.kind() {
        redis::ErrorKind::RESP3NotSupported => {
            "this Redis does not speak RESP3; Redis 6 or newer, or Valkey, is needed".to_owned()
        }
        redis::ErrorKind::AuthenticationFailed => {
            "Redis refused the user or password; check the Redis URL".to_owned()
        }
        _ => error.to_string(),
    }
}
