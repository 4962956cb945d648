//! What a socket asks of a gateway, and no more: a real hub, room for the suite's longest messages,
//! and nobody who wants to know.

use std::sync::Arc;

use axum::http::HeaderMap;
use tidegate_hub::{Definitions, Hub, Lifecycle, Limits, SystemClock};
use tidegate_protocol::DefinitionError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Above the suite's longest message, 16 MiB.
const MAX_MESSAGE: usize = 32 << 20;

/// What every socket shares.
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) hub: Arc<Hub>,
    pub(crate) lifecycle: Nobody,
    pub(crate) sockets: TaskTracker,
    pub(crate) ending: Ending,
}

/// It does not end, it is killed.
#[derive(Default)]
pub(crate) struct Ending {
    pub(crate) refusing: CancellationToken,
}

/// The settings that sockets read.
pub(crate) struct Config {
    pub(crate) max_frame_bytes: usize,
    pub(crate) deflate_min_bytes: Option<usize>,
    pub(crate) allowed_origins: AnyOrigin,
}

/// Lets in everybody.
pub(crate) struct AnyOrigin;

impl AnyOrigin {
    pub(crate) fn allow(&self, _headers: &HeaderMap, _host: Option<&str>) -> bool {
        true
    }
}

/// Is told what became of members, of which there are none.
pub(crate) struct Nobody;

impl Nobody {
    pub(crate) fn tell(&self, _lifecycle: Vec<Lifecycle>) {}
}

impl Gateway {
    pub(crate) fn is_stopping(&self) -> bool {
        self.ending.refusing.is_cancelled()
    }

    pub(crate) fn new() -> Result<Self, DefinitionError> {
        let limits = Limits {
            queue_bytes: 4 * MAX_MESSAGE,
            ..Limits::default()
        };
        let definitions = Definitions::new([], 1)?;
        Ok(Self {
            config: Config {
                max_frame_bytes: MAX_MESSAGE,
                deflate_min_bytes: Some(0),
                allowed_origins: AnyOrigin,
            },
            hub: Arc::new(Hub::new(limits, definitions, Arc::new(SystemClock::new()))),
            lifecycle: Nobody,
            sockets: TaskTracker::new(),
            ending: Ending::default(),
        })
    }
}
