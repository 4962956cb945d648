//! Drives phoenix-chan: V2 text, one `join_ref` for all topics. It writes and reads frames; which
//! answer belongs to which push, coming back and joining again are its user's, and stand here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use phoenix_chan::client::Id;
use phoenix_chan::tungstenite::http::Uri;
use phoenix_chan::{Client, Error, Message};
use serde_json::{Value, json};
use tidegate_end2end_clients::{Answer, Present, address, drive, join_payload, tell, text};
use tokio::sync::{Mutex, RwLock, oneshot};

const PAUSE: Duration = Duration::from_millis(100);

type Waiting = HashMap<String, oneshot::Sender<Value>>;

struct Link {
    opened_with: Value,
    client: RwLock<Arc<Client>>,
    topics: Mutex<HashMap<String, Value>>,
    waiting: Mutex<Waiting>,
    present: Present,
}

async fn connect(args: &Value) -> Result<Client, String> {
    let uri: Uri = address(args).parse().map_err(|error| format!("{error}"))?;
    let mut builder = Client::builder(uri).map_err(|error| error.to_string())?;
    if let Some(token) = text(args, "authToken") {
        builder = builder.auth_token(token);
    }
    if let Some(ms) = args["heartbeat"].as_u64() {
        builder = builder.heartbeat(Duration::from_millis(ms));
    }
    builder
        .connect()
        .await
        .map_err(|error| format!("{error:?}"))
}

impl Link {
    /// Sends with `send` and gives what is answered. The lock is held until it is known which ref
    /// the answer will have, so that the answer cannot be there first.
    async fn ask<F>(&self, send: F) -> Answer
    where
        F: AsyncFnOnce(&Client) -> Result<Id, Error>,
    {
        let (tx, rx) = oneshot::channel();
        let client = self.client.read().await.clone();
        let mut waiting = self.waiting.lock().await;
        let id = send(&client).await.map_err(|error| error.to_string())?;
        waiting.insert(id.to_string(), tx);
        drop(waiting);
        rx.await.map_err(|_| "the connection was lost".to_owned())
    }

    async fn join(&self, topic: &str, payload: Value) -> Answer {
        let answer = self
            .ask(async |client| client.join_with_payload(topic, &payload).await)
            .await?;
        if answer["status"] == "ok" {
            self.topics.lock().await.insert(topic.to_owned(), payload);
            tell("joined", json!({ "topic": topic }));
        }
        Ok(answer)
    }

    /// Reads for ever, over one connection after the other.
    async fn read(self: Arc<Self>) {
        loop {
            let client = self.client.read().await.clone();
            match client.recv::<Value>().await {
                Ok(message) => self.heard(message).await,
                Err(Error::Disconnected | Error::Recv(_)) => self.come_back().await,
                Err(error) => eprintln!("recv: {error:?}"),
            }
        }
    }

    async fn heard(&self, message: Message<Value>) {
        if message.event_name == "phx_reply" {
            if message.topic_name == "phoenix" {
                tell("heartbeat", json!({}));
            }
            let id = message.message_reference.unwrap_or_default();
            if let Some(waiting) = self.waiting.lock().await.remove(&id) {
                let _ = waiting.send(message.payload);
            }
        } else {
            let (topic, event) = (&message.topic_name, &message.event_name);
            self.present.tell(topic, event, &message.payload);
        }
    }

    async fn come_back(self: &Arc<Self>) {
        self.waiting.lock().await.clear();
        let client = loop {
            match connect(&self.opened_with).await {
                Ok(client) => break client,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        *self.client.write().await = Arc::new(client);
        for (topic, payload) in self.topics.lock().await.clone() {
            let link = self.clone();
            tokio::spawn(async move { link.join(&topic, payload).await });
        }
    }
}

async fn command(link: Arc<RwLock<Option<Arc<Link>>>>, name: String, args: Value) -> Answer {
    if name == "open" {
        let opened = Arc::new(Link {
            client: RwLock::new(Arc::new(connect(&args).await?)),
            opened_with: args,
            topics: Mutex::default(),
            waiting: Mutex::default(),
            present: Present::default(),
        });
        tokio::spawn(opened.clone().read());
        *link.write().await = Some(opened);
        return Ok(Value::Null);
    }
    let link = link.read().await.clone().ok_or("not open")?;
    let topic = text(&args, "topic").unwrap_or_default();
    match name.as_str() {
        "join" => link.join(topic, join_payload(&args)).await,
        "push" => {
            let event = text(&args, "event").unwrap_or_default();
            link.ask(async |client| client.send(topic, event, &args["payload"]).await)
                .await
        }
        "leave" => {
            link.topics.lock().await.remove(topic);
            link.ask(async |client| client.leave(topic).await).await
        }
        _ => Err(format!("no such command: {name}")),
    }
}

#[tokio::main]
async fn main() {
    let link = Arc::default();
    drive(move |name, args| command(Arc::clone(&link), name, args)).await;
}
