//! What Supabase's clients speak beside Phoenix, and what any client may use of it.

mod broadcasts;
mod presence;
mod tokens;

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD, SECRET, token};
use crate::socket::Socket;

pub(super) async fn gateway(config: &str) -> Gateway {
    Gateway::with(
        &["--jwt-secret", SECRET, "--admin-password", PASSWORD],
        config,
    )
    .await
}

/// Joins, and reads everything that comes of it.
pub(super) async fn join(gateway: &Gateway, topic: &str, payload: Value) -> Socket {
    let mut socket = gateway.connect().await;
    let reply = socket
        .ask(json!(["1", "1", topic, "phx_join", payload]))
        .await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");
    socket.settle().await;
    socket
}

/// What realtime-js joins with.
pub(super) fn config(user: &str, topic: &str, more: Value) -> Value {
    let mut config = json!({
        "broadcast": {"ack": true, "self": false},
        "presence": {"key": "", "enabled": true},
        "postgres_changes": [],
        "private": false,
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    json!({"config": config, "access_token": token(user, topic)})
}

pub(super) const CHAT: &str = "realtime:chat";
