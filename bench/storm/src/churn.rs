//! Clients as they come and go: each lives for a moment and ends in one of the ways there are.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Client, HEARTBEAT};
use crate::error::StormError;
use crate::frame;
use crate::http;

/// Clients at work at the same time, those not counted that have fallen silent.
const WORKERS: usize = 40;
/// Topics among which they choose.
const ROOMS: u32 = 20;
/// A silent client that the gateway has not closed after so long is one that it forgot.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How a life goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    /// Leaves, says goodbye, waits for the answer.
    Polite,
    /// Hangs up without a word.
    HangsUp,
    /// Resets the connection.
    Resets,
    /// Says nothing any more, until the gateway closes it.
    FallsSilent,
    /// Joins the same topic again and again.
    Rejoins,
    /// Changes its presence, then hangs up.
    UpdatesPresence,
    /// Hangs up in the middle of a frame.
    BreaksOff,
    /// Polls, and one time never comes back.
    Polls,
}

const LIVES: [Life; 8] = [
    Life::Polite,
    Life::HangsUp,
    Life::Resets,
    Life::FallsSilent,
    Life::Rejoins,
    Life::UpdatesPresence,
    Life::BreaksOff,
    Life::Polls,
];

/// What came of all lives.
#[derive(Debug, Default, Clone)]
pub(crate) struct Lived {
    lives: BTreeMap<Life, u64>,
    /// Lives in which something was not as it should be.
    pub(crate) wrong: u64,
    /// What was wrong first.
    pub(crate) first_wrong: Option<String>,
}

impl Lived {
    pub(crate) fn all(&self) -> u64 {
        self.lives.values().sum()
    }

    pub(crate) fn in_words(&self) -> String {
        let parts: Vec<_> = self
            .lives
            .iter()
            .map(|(life, count)| format!("{life:?} {count}"))
            .collect();
        parts.join(", ")
    }
}

/// Many lives at once, until [`Churn::stop`].
pub(crate) struct Churn {
    lived: Arc<Mutex<Lived>>,
    going: Arc<AtomicBool>,
    workers: JoinSet<()>,
}

impl Churn {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let lived = Arc::new(Mutex::new(Lived::default()));
        let going = Arc::new(AtomicBool::new(true));
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            workers.spawn(work(address, lived.clone(), going.clone()));
        }
        Self {
            lived,
            going,
            workers,
        }
    }

    /// Waits for the end of every life.
    pub(crate) async fn stop(mut self) -> Lived {
        self.going.store(false, Ordering::Relaxed);
        while self.workers.join_next().await.is_some() {}
        let lived = self.lived.lock();
        lived.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn work(address: SocketAddr, lived: Arc<Mutex<Lived>>, going: Arc<AtomicBool>) {
    let mut silent = JoinSet::new();
    while going.load(Ordering::Relaxed) {
        let life = LIVES[rand::random_range(0..LIVES.len())];
        let result = match life {
            Life::Polls => poll(address).await,
            life => live(address, life, &mut silent).await,
        };
        note(&lived, Some(life), result);
        while let Some(Ok(ended)) = silent.try_join_next() {
            note(&lived, None, ended);
        }
        sleep(Duration::from_millis(rand::random_range(50..250))).await;
    }
    while let Some(Ok(ended)) = silent.join_next().await {
        note(&lived, None, ended);
    }
}

fn note(lived: &Mutex<Lived>, life: Option<Life>, result: Result<(), StormError>) {
    let mut lived = lived.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(life) = life {
        *lived.lives.entry(life).or_default() += 1;
    }
    if let Err(error) = result {
        lived.wrong += 1;
        lived
            .first_wrong
            .get_or_insert_with(|| format!("{life:?}: {error}"));
    }
}

fn room() -> String {
    format!("room:{}", rand::random_range(0..ROOMS))
}

async fn live(
    address: SocketAddr,
    life: Life,
    silent: &mut JoinSet<Result<(), StormError>>,
) -> Result<(), StormError> {
    let mut client = Client::connect(address).await?;
    let topic = room();
    client.join(&topic).await?;
    for n in 0..rand::random_range(0..4_u32) {
        let reply = client
            .push(&format!("p{n}"), &topic, r#"{"fill":"something to say"}"#)
            .await?;
        expect_ok(&reply)?;
    }
    match life {
        Life::Polite => {
            let leave = format!(r#"["1","2","{topic}","phx_leave",{{}}]"#);
            expect_ok(&client.ask("2", &leave).await?)?;
            client
                .send_raw(&frame::masked(frame::CLOSE, &1000_u16.to_be_bytes()))
                .await?;
            let end = client.ended(Duration::from_secs(10)).await;
            if !end.starts_with("1000") {
                return Err(StormError::Lost(end));
            }
        }
        Life::Resets => client.reset(),
        Life::FallsSilent => {
            silent.spawn(async move {
                let end = client.ended(FORGOTTEN).await;
                match end.as_str() {
                    "still open" => Err(StormError::Lost(end)),
                    _ => Ok(()),
                }
            });
        }
        Life::Rejoins => {
            for _ in 0..3 {
                client.join(&topic).await?;
            }
        }
        Life::UpdatesPresence => {
            let frame = format!(r#"["1","u","{topic}","presence_update",{{"mood":"fine"}}]"#);
            expect_ok(&client.ask("u", &frame).await?)?;
        }
        Life::BreaksOff => {
            let frame = frame::masked(frame::TEXT, HEARTBEAT.as_bytes());
            client.send_raw(&frame[..frame.len() / 2]).await?;
        }
        Life::HangsUp | Life::Polls => {}
    }
    Ok(())
}

fn expect_ok(reply: &serde_json::Value) -> Result<(), StormError> {
    if reply["status"] == "ok" {
        Ok(())
    } else {
        Err(StormError::Lost(format!("it was answered {reply}")))
    }
}

/// A session of long polls; half of them end without a word.
async fn poll(address: SocketAddr) -> Result<(), StormError> {
    let begun = http::ask(address, "GET", "/longpoll?vsn=2.0.0", "", "").await?;
    let Some(token) = begun["token"].as_str() else {
        return Err(StormError::Lost(format!("no session: {begun}")));
    };
    let path = format!("/longpoll?vsn=2.0.0&token={token}");
    let topic = room();
    let post = async |frame: String| {
        let kind = "Content-Type: application/x-ndjson\r\n";
        let answer = http::ask(address, "POST", &path, kind, &frame).await?;
        match answer["status"].as_u64() {
            Some(200) => Ok(()),
            _ => Err(StormError::Lost(format!("a post was answered {answer}"))),
        }
    };
    post(format!(r#"["1","1","{topic}","phx_join",{{}}]"#)).await?;
    let answer = http::ask(address, "GET", &path, "", "").await?;
    if answer["status"] != 200 {
        return Err(StormError::Lost(format!("a poll was answered {answer}")));
    }
    post(format!(r#"["1","2","{topic}","tick",{{}}]"#)).await?;
    if rand::random() {
        post(format!(r#"["1","3","{topic}","phx_leave",{{}}]"#)).await?;
        http::ask(address, "GET", &path, "", "").await?;
    }
    Ok(())
}
