//! A plugin's view of the bus, with a stock Redis client.

use futures::StreamExt;
use redis::AsyncCommands;
use redis::aio::{MultiplexedConnection, PubSub};
use tokio::time::timeout;

use crate::gateway::PATIENCE;

pub struct BusTap {
    publisher: MultiplexedConnection,
    subscriber: PubSub,
    markers: u32,
}

impl BusTap {
    /// Listens to everything that comes from clients.
    pub async fn open(address: &str) -> Self {
        let client = redis::Client::open(format!("redis://{address}/")).unwrap();
        let publisher = client.get_multiplexed_async_connection().await.unwrap();
        let mut subscriber = client.get_async_pubsub().await.unwrap();
        subscriber.psubscribe("from:*").await.unwrap();
        Self {
            publisher,
            subscriber,
            markers: 0,
        }
    }

    /// And to what matches this.
    pub async fn also(&mut self, pattern: &str) {
        self.subscriber.psubscribe(pattern).await.unwrap();
    }

    pub async fn publish(&mut self, name: &str, body: impl AsRef<[u8]>) -> i64 {
        self.publisher.publish(name, body.as_ref()).await.unwrap()
    }

    /// The next message: name and body.
    pub async fn next(&mut self) -> (String, Vec<u8>) {
        self.try_next().await.expect("an open subscription")
    }

    /// The next message, or nothing when the bus has ended the subscription.
    pub async fn try_next(&mut self) -> Option<(String, Vec<u8>)> {
        let mut messages = self.subscriber.on_message();
        let message = timeout(PATIENCE, messages.next())
            .await
            .expect("a message in time")?;
        Some((
            message.get_channel_name().to_owned(),
            message.get_payload_bytes().to_vec(),
        ))
    }

    pub async fn expect(&mut self, name: &str, body: &str) {
        let (got, bytes) = self.next().await;
        assert_eq!(
            (got.as_str(), String::from_utf8_lossy(&bytes).as_ref()),
            (name, body)
        );
    }

    /// The lifecycle event of this name, with the user it names.
    pub async fn expect_lifecycle(&mut self, name: &str, user: &str) {
        let (got, body) = self.next().await;
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (got.as_str(), body["id"].as_str()),
            (name, Some(user)),
            "{body}"
        );
        assert!(
            body["connection"].as_str().is_some_and(|c| !c.is_empty()),
            "{body}"
        );
        assert_eq!(
            body.as_object().unwrap().len(),
            2,
            "nothing else, no token: {body}"
        );
    }

    /// Nothing came before a marker that is published now.
    pub async fn expect_silence(&mut self) {
        self.markers += 1;
        let marker = format!("from:marker:m{}", self.markers);
        self.publish(&marker, "").await;
        self.expect(&marker, "").await;
    }
}
