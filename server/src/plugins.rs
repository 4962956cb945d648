//! Asking plugins over the bus, for HTTP requests that they answer.
//!
//! A request is published as `from:plugin:<name>:request`; the reply comes back as
//! `to:plugin:<name>:reply` on every gateway, and the one that waits for its id takes it. Promises:
//! so many requests wait at most, each for so long; a reply that is late, unknown, too large or of
//! another plugin answers nothing. The names of the ids are random: nobody guesses one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_bus::{Bus, BusError};
use tidegate_hub::{Counter, random_id};
use tidegate_protocol::plugin::{
    HERE, Here, PluginInfo, REPLY, REQUEST, Reply, Request, TOPIC_PREFIX, is_plugin_name,
};
use tidegate_protocol::{BusName, Direction, Event, Topic};
use tokio::sync::{Semaphore, oneshot};

/// Plugins that are known to be there, at most.
const MAX_HEARD: usize = 100;
/// Who was not heard for so long is not listed.
const FORGET_AFTER_MS: u64 = 60_000;
/// Of what a plugin says of itself so much is kept.
const MAX_ABOUT_CHARS: usize = 200;

/// The bounds of requests to plugins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PluginLimits {
    /// How long a plugin may take.
    pub(crate) patience: Duration,
    /// Requests that wait for plugins.
    pub(crate) requests: usize,
    /// Bytes of a request's body, and of a reply's.
    pub(crate) bytes: usize,
}

/// Why a plugin has not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PluginError {
    #[error("as many requests as may wait for plugins do so already; try again in a moment")]
    Busy,
    #[error("there is no plugin {0:?}: nobody listens for its requests on the bus")]
    Absent(String),
    #[error("the plugin {0:?} did not answer within {1} seconds; it may have acted all the same")]
    Silent(String, u64),
    #[error("the plugin {0:?} gave an answer that cannot be used: {1}")]
    Unusable(String, String),
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Requests that wait, and plugins that were heard.
pub(crate) struct Plugins {
    pub(crate) limits: PluginLimits,
    room: Semaphore,
    /// What the ids of this gateway begin with.
    prefix: String,
    waiting: Mutex<HashMap<String, Waiting>>,
    heard: Mutex<HashMap<String, PluginInfo>>,
    pub(crate) counts: PluginCounts,
}

/// How requests ended.
#[derive(Default)]
pub(crate) struct PluginCounts {
    pub(crate) answered: Counter,
    pub(crate) absent: Counter,
    pub(crate) busy: Counter,
    pub(crate) silent: Counter,
    pub(crate) unusable: Counter,
    pub(crate) failed: Counter,
    /// Replies that nobody waited for (any more), or that could not be read.
    pub(crate) dropped_replies: Counter,
}

struct Waiting {
    plugin: String,
    answer: oneshot::Sender<Result<Reply, String>>,
}

/// Takes the request out of the list, however the waiting ends.
struct Entered<'a> {
    plugins: &'a Plugins,
    id: String,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.plugins.waiting.lock().remove(&self.id);
    }
}

impl Plugins {
    pub(crate) fn new(limits: PluginLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            room: Semaphore::new(limits.requests),
            prefix: format!("{}.", random_id(8)),
            waiting: Mutex::default(),
            heard: Mutex::default(),
            counts: PluginCounts::default(),
        })
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    /// Plugins that have said that they are there, by name.
    pub(crate) fn list(&self, now_ms: u64) -> Vec<PluginInfo> {
        let mut heard = self.heard.lock();
        heard.retain(|_, plugin| now_ms.saturating_sub(plugin.heard_at) < FORGET_AFTER_MS);
        let mut list: Vec<_> = heard.values().cloned().collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    /// Asks a plugin and waits for its reply. The id of `request` is made here.
    pub(crate) async fn ask(
        &self,
        bus: &dyn Bus,
        name: &str,
        request: Request,
    ) -> Result<Reply, PluginError> {
        let result = self.try_ask(bus, name, request).await;
        let counts = &self.counts;
        let counter = match &result {
            Ok(_) => &counts.answered,
            Err(PluginError::Busy) => &counts.busy,
            Err(PluginError::Absent(_)) => &counts.absent,
            Err(PluginError::Silent(..)) => &counts.silent,
            Err(PluginError::Unusable(..)) => &counts.unusable,
            Err(PluginError::Bus(_)) => &counts.failed,
        };
        counter.add(1);
        result
    }

    async fn try_ask(
        &self,
        bus: &dyn Bus,
        name: &str,
        mut request: Request,
    ) -> Result<Reply, PluginError> {
        let _room = self.room.try_acquire().map_err(|_| PluginError::Busy)?;
        let absent = || PluginError::Absent(name.to_owned());
        let topic = Topic::new(&format!("{TOPIC_PREFIX}{name}")).map_err(|_| absent())?;
        let event = Event::new(REQUEST).map_err(|_| absent())?;
        let entered = Entered {
            plugins: self,
            id: format!("{}{}", self.prefix, random_id(22)),
        };
        request.id.clone_from(&entered.id);
        let body = serde_json::to_vec(&request)
            .map_err(|error| PluginError::Unusable(name.to_owned(), error.to_string()))?;
        let (answer, reply) = oneshot::channel();
        let waiting = Waiting {
            plugin: name.to_owned(),
            answer,
        };
        self.waiting.lock().insert(entered.id.clone(), waiting);
        let bus_name = BusName {
            direction: Direction::From,
            topic,
            event,
        };
        let patience = self.limits.patience;
        let silent = || PluginError::Silent(name.to_owned(), patience.as_secs());
        let asked = async {
            if bus.publish(bus_name, Bytes::from(body)).receivers().await? == 0 {
                return Err(absent());
            }
            reply.await.map_err(|_| silent())
        };
        match tokio::time::timeout(patience, asked).await {
            Err(_) => Err(silent()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(Err(why))) => Err(PluginError::Unusable(name.to_owned(), why)),
            Ok(Ok(Ok(reply))) => Ok(reply),
        }
    }

    /// Takes what came from the bus on a plugin's topic.
    pub(crate) fn take(&self, topic: &str, event: &str, body: &[u8], now_ms: u64) {
        let Some(name) = topic.strip_prefix(TOPIC_PREFIX) else {
            return;
        };
        match event {
            REPLY => self.reply(name, body),
            HERE => self.here(name, body, now_ms),
            _ => tracing::debug!(topic, event, "an event that plugins have no use for"),
        }
    }

    fn reply(&self, name: &str, body: &[u8]) {
        let Ok(reply) = serde_json::from_slice::<Reply>(body) else {
            self.counts.dropped_replies.add(1);
            return tracing::debug!(plugin = name, "a reply is no JSON object with an id");
        };
        if !reply.id.starts_with(&self.prefix) {
            // Another gateway has asked.
            return;
        }
        let waiting = {
            let mut all = self.waiting.lock();
            let is_asked = all.get(&reply.id).is_some_and(|w| w.plugin == name);
            is_asked.then(|| all.remove(&reply.id)).flatten()
        };
        let Some(waiting) = waiting else {
            self.counts.dropped_replies.add(1);
            return tracing::debug!(plugin = name, "a reply comes too late, or to no request");
        };
        let size = reply.body.as_ref().map_or(0, |body| body.get().len());
        let answer = if size > self.limits.bytes {
            Err(format!("it has more than {} bytes", self.limits.bytes))
        } else if !(200..=599).contains(&reply.status) {
            Err(format!("{} is no status of an answer", reply.status))
        } else {
            Ok(reply)
        };
        // Who asked may have gone.
        let _ = waiting.answer.send(answer);
    }

    fn here(&self, name: &str, body: &[u8], now_ms: u64) {
        let Ok(here) = serde_json::from_slice::<Here>(body) else {
            return tracing::debug!(plugin = name, "a plugin says of itself what is no JSON");
        };
        if !is_plugin_name(name) {
            return;
        }
        let short = |text: &str| -> String {
            let printable = text.chars().filter(|c| !c.is_control());
            printable.take(MAX_ABOUT_CHARS).collect()
        };
        let mut heard = self.heard.lock();
        if heard.len() >= MAX_HEARD && !heard.contains_key(name) {
            return;
        }
        let info = PluginInfo {
            name: name.to_owned(),
            version: short(&here.version),
            about: short(&here.about),
            heard_at: now_ms,
        };
        heard.insert(name.to_owned(), info);
    }
}
