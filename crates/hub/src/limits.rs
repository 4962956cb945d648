//! How much of everything there may be. Each has a flag of the same name.

/// The hub's bounds.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all; a further one is refused.
    pub connections: usize,
    /// Connections from one address; a further one is refused.
    pub connections_per_address: usize,
    /// Channels in all; a join that would open a further one is refused.
    pub channels: usize,
    /// Channels one connection may join.
    pub channels_per_connection: usize,
    /// Bytes that may wait in one connection's queue before it is closed as a slow consumer.
    pub queue_bytes: usize,
    /// Frames that may wait in one connection's queue before it is closed as a slow consumer.
    pub queue_frames: usize,
    /// Channel definitions.
    pub definitions: usize,
    /// Members of other gateways that are shown; further ones are not.
    pub remote_members: usize,
    /// Events of at least so many bytes are compressed for connections that can read them.
    pub deflate_min_bytes: usize,
    /// The shortest time between two presence diffs of one channel, in milliseconds.
    pub presence_interval_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            connections_per_address: 20_000,
            channels: 100_000,
            channels_per_connection: 100,
            queue_bytes: 8 << 20,
            queue_frames: 16_384,
            definitions: 1_000,
            remote_members: 1_000_000,
            deflate_min_bytes: usize::MAX,
            presence_interval_ms: 52,
        }
    }
}
