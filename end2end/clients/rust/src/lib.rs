//! What both drivers share: they are asked in lines of JSON and answer in lines of JSON. See
//! ../../driver.js for the words.

use std::future::Future;
use std::io::Write;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

/// What comes of a command: what the other side gets, or why not.
pub type Answer = Result<Value, String>;

fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: then the driver is about to be told to end.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Says something that nobody asked for.
pub fn tell(told: &str, mut more: Value) {
    more["told"] = json!(told);
    say(&more);
}

/// Whether an event is one of the protocol's own.
pub fn is_protocol(event: &str) -> bool {
    event.starts_with("phx_") || event.starts_with("presence_")
}

/// A text among the arguments of a command.
pub fn text<'a>(args: &'a Value, name: &str) -> Option<&'a str> {
    args[name].as_str()
}

/// The address of the socket, with the token in it where there is one.
pub fn address(args: &Value) -> String {
    let url = text(args, "url").unwrap_or_default();
    match text(args, "userToken") {
        Some(token) => format!("{url}/websocket?userToken={token}"),
        None => format!("{url}/websocket"),
    }
}

/// The payload of a join: the token and the metadata, where they are given.
pub fn join_payload(args: &Value) -> Value {
    let mut payload = json!({});
    for name in ["token", "presence"] {
        if !args[name].is_null() {
            payload[name] = args[name].clone();
        }
    }
    payload
}

/// Answers commands until the other side hangs up; one that waits does not hold up the next.
pub async fn drive<F, A>(command: F)
where
    F: Fn(String, Value) -> A,
    A: Future<Output = Answer> + Send + 'static,
{
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let asked: Value = serde_json::from_str(&line).unwrap_or_default();
        let id = asked["id"].clone();
        let answer = command(asked["do"].as_str().unwrap_or_default().to_owned(), asked);
        tokio::spawn(async move {
            say(&match answer.await {
                Ok(got) => json!({ "id": id, "got": got }),
                Err(why) => json!({ "id": id, "failed": why }),
            });
        });
    }
    std::process::exit(0);
}
