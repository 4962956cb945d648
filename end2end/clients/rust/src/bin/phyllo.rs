//! Drives phyllo: V2 text, refs are numbers, `null` as the payload of leaves and heartbeats. It comes
//! back and joins again by itself, and tells nobody of a join: that it has joined is seen by the
//! first `presence_state`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use phyllo::channel::{ChannelBuilder, ChannelHandler};
use phyllo::message::{Event, Message, Payload};
use phyllo::socket::{SocketBuilder, SocketHandler};
use serde_json::{Value, json};
use tidegate_end2end_clients::{Answer, Present, address, drive, join_payload, tell, text};
use tokio::sync::{Mutex, oneshot};

/// How long an answer, or a word of a join, is waited for where the join does not say.
const PATIENCE: u64 = 15_000;

type Handler = ChannelHandler<String, String, Value, Value>;
type Heard = Message<String, String, Value, Value>;

#[derive(Default)]
struct Driver {
    socket: Mutex<Option<SocketHandler<String>>>,
    channels: Mutex<HashMap<String, Handler>>,
}

/// The answer as the other drivers give it.
fn answered(message: Result<Heard, phyllo::error::Error>) -> Answer {
    match message.map_err(|error| error.to_string())?.payload {
        Some(Payload::PushReply { status, response }) => {
            Ok(json!({ "status": status, "response": response }))
        }
        other => Err(format!("no reply: {other:?}")),
    }
}

impl Driver {
    async fn open(&self, args: &Value) -> Answer {
        let url = address(args).parse().map_err(|error| format!("{error}"))?;
        let socket = SocketBuilder::new(url).build().await;
        *self.socket.lock().await = Some(socket);
        Ok(Value::Null)
    }

    async fn join(&self, topic: &str, args: &Value) -> Answer {
        let patience = Duration::from_millis(args["limit"].as_u64().unwrap_or(PATIENCE));
        let channel = ChannelBuilder::new(topic.to_owned())
            .params(Some(join_payload(args)))
            .timeout(patience);
        let mut socket = self.socket.lock().await.clone().ok_or("not open")?;
        let (handler, mut heard) = socket
            .channel::<String, Value, Value>(channel)
            .await
            .map_err(|error| error.to_string())?;
        self.channels.lock().await.insert(topic.to_owned(), handler);

        let (joined, first) = oneshot::channel();
        let mut joined = Some(joined);
        let topic = topic.to_owned();
        tokio::spawn(async move {
            let present = Present::default();
            while let Ok(Message { event, payload, .. }) = heard.recv().await {
                let (Event::Event(event), Some(Payload::Custom(payload))) = (event, payload) else {
                    continue;
                };
                if event == "presence_state" {
                    tell("joined", json!({ "topic": topic }));
                    joined.take().map(|joined| joined.send(()));
                }
                present.tell(&topic, &event, &payload);
            }
        });
        match tokio::time::timeout(patience, first).await {
            Ok(Ok(())) => Ok(json!({ "status": "ok" })),
            _ => Err("no word of the join".to_owned()),
        }
    }

    async fn push(&self, topic: &str, args: &Value) -> Answer {
        let mut channel = self
            .channels
            .lock()
            .await
            .get(topic)
            .cloned()
            .ok_or("not joined")?;
        let event = Event::Event(text(args, "event").unwrap_or_default().to_owned());
        answered(
            channel
                .send(event, Payload::Custom(args["payload"].clone()))
                .await,
        )
    }

    async fn leave(&self, topic: &str) -> Answer {
        let channel = self
            .channels
            .lock()
            .await
            .remove(topic)
            .ok_or("not joined")?;
        answered(channel.close().await)
    }
}

#[tokio::main]
async fn main() {
    let driver = Arc::new(Driver::default());
    drive(move |name, args| {
        let driver = driver.clone();
        async move {
            let topic = text(&args, "topic").unwrap_or_default();
            match name.as_str() {
                "open" => driver.open(&args).await,
                "join" => driver.join(topic, &args).await,
                "push" => driver.push(topic, &args).await,
                "leave" => driver.leave(topic).await,
                _ => Err(format!("no such command: {name}")),
            }
        }
    })
    .await;
}
