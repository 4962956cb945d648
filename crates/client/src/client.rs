//! The handle of a client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use serde_json::Value;

use crate::channel::Channel;
use crate::config::Config;
use crate::event::{Status, Update};
use crate::maybe_send::{JoinParams, MaybeSend};
use crate::shared::Shared;
use crate::transport;

/// One connection and its channels. Clones are cheap and mean the same connection.
///
/// The connection ends with [`Client::close`], or when the last clone is dropped and no
/// [`Channel`] or [`crate::ChannelHandle`] is left either.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// Closes the client when nobody can use it any more; the driver does not hold it.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close("nobody uses the connection any more");
    }
}

impl Client {
    /// Returns at once and keeps a connection up from then on.
    ///
    /// With tokio it must be called inside a runtime. Where there is none, or no transport was
    /// compiled in, the client is closed from the start and says so.
    pub fn connect(config: Config) -> Self {
        let shared = Arc::new(Shared::new(config, transport::seed()));
        match transport::drive(shared.clone()) {
            Ok(()) => shared.start(),
            Err(reason) => shared.close(reason),
        }
        Self {
            handle: Arc::new(Handle { shared }),
        }
    }

    /// The state of the connection now.
    pub fn status(&self) -> Status {
        self.handle.shared.status()
    }

    /// A stream of what happens to the connection, the present state first; with
    /// [`Config::trace`] every frame as well. Each call makes a stream of its own.
    pub fn updates(&self) -> Updates {
        let id = self.handle.shared.subscribe();
        Updates {
            handle: self.handle.clone(),
            id,
        }
    }

    /// Starts to join a topic with the same parameters at every join, `{}` for instance. A
    /// channel of the same topic that is there already is left.
    pub fn channel(&self, topic: &str, params: Value) -> Channel {
        self.open(topic, JoinParams::fixed(params))
    }

    /// Starts to join a topic; `provider` is asked at every join, so that a token is fresh. Its
    /// error counts as a refused join: the reader sees it, and it is tried again.
    ///
    /// A provider that holds the client keeps it alive: such a client ends with
    /// [`Client::close`] only.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn channel_with<F, Fut>(&self, topic: &str, provider: F) -> Channel
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, String>> + MaybeSend + 'static,
    {
        self.open(topic, JoinParams::with(provider))
    }

    /// Starts to join a topic; `provider` is asked at every join, so that a token is fresh. Its
    /// error counts as a refused join: the reader sees it, and it is tried again.
    ///
    /// A provider that holds the client keeps it alive: such a client ends with
    /// [`Client::close`] only.
    #[cfg(target_arch = "wasm32")]
    pub fn channel_with<F, Fut>(&self, topic: &str, provider: F) -> Channel
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Result<Value, String>> + MaybeSend + 'static,
    {
        self.open(topic, JoinParams::with(provider))
    }

    /// Starts to join a topic with parameters made beforehand.
    pub fn open(&self, topic: &str, params: JoinParams) -> Channel {
        let id = self.handle.shared.join(topic, params);
        Channel::new(self.handle.clone(), id, topic)
    }

    /// Tries at once what waits for a later try: the connection, and refused channels.
    pub fn retry_now(&self) {
        self.handle.shared.retry_now();
    }

    /// Ends the connection for good; every channel sees [`crate::ChannelEvent::Closed`].
    pub fn close(&self) {
        self.handle.shared.close("closed");
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.handle.shared.config.url)
            .finish_non_exhaustive()
    }
}

/// See [`Client::updates`]. Ends after [`Status::Closed`].
pub struct Updates {
    handle: Arc<Handle>,
    id: u64,
}

impl Updates {
    /// How many frames were not read in time and are lost to this stream.
    pub fn dropped(&self) -> u64 {
        self.handle.shared.dropped_updates(self.id)
    }

    /// The next update; none after the client was closed.
    pub async fn next(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| self.handle.shared.poll_update(self.id, cx)).await
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        self.handle.shared.poll_update(self.id, cx)
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.handle.shared.unsubscribe(self.id);
    }
}
