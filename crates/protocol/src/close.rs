//! Why the gateway ends a socket, as close code and text (RFC 6455, section 7.4).
//!
//! 1000 is never among them: phoenix.js up to 1.8.9 takes it for "do not come back".

/// One way a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// Nothing came from the client for the idle time-out.
    Idle,
    /// The gateway is stopping; come back.
    Restart,
    /// The queue of what the client did not read is full.
    SlowConsumer,
    /// Too many malformed or forbidden frames.
    TooManyErrors,
    /// A frame above the limit.
    TooLarge,
    /// An administrator closed the connection.
    ClosedByAdmin,
    /// The frames break RFC 6455 itself.
    ProtocolError,
    /// A text frame is not UTF-8 (RFC 6455, section 8.1).
    NotUtf8,
    /// A fault of the gateway.
    InternalError,
    /// There are as many connections as may be, in all or from this address.
    TooManyConnections,
}

impl Close {
    /// Every way there is, for documents and tests.
    pub const ALL: [Close; 10] = [
        Close::Idle,
        Close::Restart,
        Close::SlowConsumer,
        Close::TooManyErrors,
        Close::TooLarge,
        Close::ClosedByAdmin,
        Close::ProtocolError,
        Close::NotUtf8,
        Close::InternalError,
        Close::TooManyConnections,
    ];

    /// The close code.
    pub const fn code(self) -> u16 {
        match self {
            Close::Idle => 1001,
            Close::Restart => 1012,
            Close::SlowConsumer | Close::TooManyErrors | Close::ClosedByAdmin => 1008,
            Close::TooLarge => 1009,
            Close::ProtocolError => 1002,
            Close::NotUtf8 => 1007,
            Close::InternalError => 1011,
            Close::TooManyConnections => 1013,
        }
    }

    /// The reason text, at most 123 bytes as the standard asks.
    pub const fn reason(self) -> &'static str {
        match self {
            Close::Idle => "idle",
            Close::Restart => "server restart",
            Close::SlowConsumer => "slow consumer",
            Close::TooManyErrors => "too many errors",
            Close::TooLarge => "frame too large",
            Close::ClosedByAdmin => "closed by an administrator",
            Close::ProtocolError => "protocol error",
            Close::NotUtf8 => "text is not UTF-8",
            Close::InternalError => "internal error",
            Close::TooManyConnections => "too many connections",
        }
    }
}
