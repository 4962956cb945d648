//! File descriptors: each connection takes one, and the system allows so many.
//!
//! Many systems allow a program 1,024 from the start, and as many as it can use when it asks. So the
//! gateway asks, and says when what it is allowed is less than its settings need.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{BusConfig, Config};

/// For the store, the logs, the runtime and the connection to Redis.
const BESIDE: usize = 64;

/// How many may be open; none: as many as there is memory for.
fn soft() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// The same as a number, for the metrics.
pub(crate) fn allowed() -> u64 {
    soft().unwrap_or(u64::MAX)
}

/// What the settings need when each of their bounds is reached.
fn needed(config: &Config) -> usize {
    let bus = match &config.bus {
        BusConfig::InProcess {
            listen: Some(_),
            limits,
            ..
        } => limits.clients,
        BusConfig::InProcess { .. } | BusConfig::Redis { .. } => 0,
    };
    // SQLite has three files open for each.
    let store = config.store.config.connections.saturating_mul(3) as usize;
    [
        config.limits.connections,
        config.http.connections,
        bus,
        store,
    ]
    .into_iter()
    .fold(BESIDE, usize::saturating_add)
}

/// Raises the soft limit to the hard one.
pub(crate) fn raise(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let needed = needed(config);
    if let Some(allowed) = soft().filter(|allowed| *allowed < needed as u64) {
        tracing::warn!(
            allowed,
            needed,
            "fewer files may be open than the settings need: raise the limit (ulimit -Hn, LimitNOFILE), \
             or lower --max-connections"
        );
    }
}
