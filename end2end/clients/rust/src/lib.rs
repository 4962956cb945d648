//! What both drivers share: they are asked in lines of JSON and answer in lines of JSON. See
//! ../../driver.js for the words.

use std::collections::HashMap;
use std::future::Future;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
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

/// Who is there, topic by topic, of a library that shows the frames of presence as events.
#[derive(Default)]
pub struct Present(Mutex<HashMap<String, Map<String, Value>>>);

impl Present {
    /// Says what a frame of the protocol itself tells of presence, and anything else as an event.
    pub fn tell(&self, topic: &str, event: &str, payload: &Value) {
        if event.starts_with("phx_") {
            return;
        }
        if event != "presence_state" && event != "presence_diff" {
            let said = json!({ "topic": topic, "event": event, "payload": payload });
            return tell("event", said);
        }
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let members = topics.entry(topic.to_owned()).or_default();
        if event == "presence_state" {
            members.clear();
            add(members, payload);
        } else {
            add(members, &payload["joins"]);
            remove(members, &payload["leaves"]);
        }
        tell("presence", json!({ "topic": topic, "members": members }));
    }
}

/// What each of those who are named is known by.
fn named(entries: &Value) -> impl Iterator<Item = (&String, &Vec<Value>)> {
    let entries = entries.as_object().into_iter().flatten();
    entries.filter_map(|(key, entry)| Some((key, entry["metas"].as_array()?)))
}

fn add(members: &mut Map<String, Value>, joins: &Value) {
    for (key, metas) in named(joins) {
        let all = members.entry(key).or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.retain(|one| !metas.iter().any(|meta| meta["phx_ref"] == one["phx_ref"]));
            all.extend(metas.iter().cloned());
        }
    }
}

fn remove(members: &mut Map<String, Value>, leaves: &Value) {
    for (key, metas) in named(leaves) {
        let Some(all) = members.get_mut(key).and_then(Value::as_array_mut) else {
            continue;
        };
        all.retain(|one| !metas.iter().any(|meta| meta["phx_ref"] == one["phx_ref"]));
        if all.is_empty() {
            members.remove(key);
        }
    }
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
