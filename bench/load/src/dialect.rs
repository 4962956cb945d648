//! What each target wants to be told, and how it answers: the one place where targets differ.
//!
//! Every client has one join and at most one push on its way, so that both always bear the same
//! refs and a frame can be made once for all clients.

use crate::frame;
use crate::{nats, phoenix, socket_io};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Target {
    /// The gateway: Phoenix clients join, messages go in on its bus
    Gateway,
    /// The floor: messages go in with POST /inject, and nobody joins to get them
    Floor,
    /// A Node server of `bench/peers` on npm's ws: Phoenix clients, POST /inject
    Ws,
    /// A Node server of `bench/peers` on Socket.IO: its own clients, POST /inject
    SocketIo,
    /// nats-server: its own clients over WebSocket, messages go in with PUB over TCP
    Nats,
}

/// What a frame says of a join or a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Granted,
    Refused,
    /// The frame is no reply, or one to a heartbeat.
    Other,
}

impl Target {
    /// What the tables call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Floor => "floor",
            Self::Ws => "ws",
            Self::SocketIo => "Socket.IO",
            Self::Nats => "NATS",
        }
    }

    /// Where its WebSockets are.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Gateway | Self::Floor | Self::Ws => "/websocket?vsn=2.0.0",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Self::Nats => "/",
        }
    }

    /// What a client says first, if it must before it may join. Its answer is a [`welcome`].
    ///
    /// [`welcome`]: Target::is_welcome
    pub(crate) fn greeting(self) -> Option<Vec<u8>> {
        match self {
            Self::Gateway | Self::Floor | Self::Ws => None,
            Self::SocketIo => Some(text(socket_io::GREETING)),
            Self::Nats => Some(binary(nats::GREETING)),
        }
    }

    /// Whether a frame answers the greeting.
    pub(crate) fn is_welcome(self, payload: &[u8]) -> bool {
        match self {
            Self::Gateway | Self::Floor | Self::Ws => true,
            Self::SocketIo => payload.starts_with(socket_io::WELCOME),
            Self::Nats => payload.starts_with(nats::WELCOME),
        }
    }

    /// What lets a client have the messages of a topic; nothing where every client has them.
    pub(crate) fn subscription(self, topic: &str) -> Option<Vec<u8>> {
        (self != Self::Floor).then(|| self.join(topic, "{}"))
    }

    /// A join, with `payload` in it.
    pub(crate) fn join(self, topic: &str, payload: &str) -> Vec<u8> {
        match self {
            Self::Gateway | Self::Floor | Self::Ws => text(&phoenix::join(topic, payload)),
            Self::SocketIo => text(&socket_io::join(topic, payload)),
            Self::Nats => binary(&nats::subscribe(topic)),
        }
    }

    /// A push to a topic that was joined.
    pub(crate) fn push(self, topic: &str, payload: &str) -> Vec<u8> {
        match self {
            Self::Gateway | Self::Floor | Self::Ws => text(&phoenix::push(topic, payload)),
            Self::SocketIo => text(&socket_io::push(topic, payload)),
            Self::Nats => binary(&nats::publish(topic, payload)),
        }
    }

    /// What keeps a connection from being taken for dead; nothing where the server asks instead.
    /// The floor neither asks nor cares, and its answer could not be told from one to a push.
    pub(crate) fn heartbeat(self) -> Option<Vec<u8>> {
        match self {
            Self::Gateway | Self::Ws => Some(text(phoenix::HEARTBEAT)),
            Self::Floor | Self::SocketIo | Self::Nats => None,
        }
    }

    /// The answer to a server that asks whether the client is there.
    pub(crate) fn still_here(self, payload: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::SocketIo if payload == socket_io::PING => Some(text(socket_io::PONG)),
            Self::Nats if payload.starts_with(nats::PING) => Some(binary(nats::PONG)),
            _ => None,
        }
    }

    /// Reads a reply.
    pub(crate) fn reply(self, payload: &[u8]) -> Reply {
        match self {
            Self::Gateway | Self::Floor | Self::Ws => phoenix::reply(payload),
            Self::SocketIo => socket_io::reply(payload),
            Self::Nats => nats::reply(payload),
        }
    }
}

/// The beginning of a frame, to be shown.
pub(crate) fn shown(payload: &[u8]) -> String {
    String::from_utf8_lossy(&payload[..payload.len().min(400)]).into_owned()
}

fn text(payload: &str) -> Vec<u8> {
    frame::masked(1, payload.as_bytes())
}

fn binary(payload: &str) -> Vec<u8> {
    frame::masked(2, payload.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;

    const ALL: [Target; 5] = [
        Target::Gateway,
        Target::Floor,
        Target::Ws,
        Target::SocketIo,
        Target::Nats,
    ];

    /// Whoever must greet knows the answer to it, and an answer to a join lets in.
    #[test]
    fn every_target_can_be_entered() {
        for target in ALL {
            assert!(target.path().starts_with('/') && !target.name().is_empty());
            let welcome: &[u8] = match target {
                Target::SocketIo => br#"40{"sid":"x"}"#,
                Target::Nats => b"PONG",
                _ => b"",
            };
            assert_eq!(target.greeting().is_some(), !welcome.is_empty());
            assert!(target.is_welcome(welcome));
            let granted: &[u8] = match target {
                Target::SocketIo => br#"431[{"status":"ok"}]"#,
                Target::Nats => b"+OK",
                _ => br#"["1","1","t","phx_reply",{"status":"ok","response":{}}]"#,
            };
            assert_eq!(target.reply(granted), Reply::Granted);
            assert_eq!(target.still_here(granted), None);
        }
    }

    /// Whatever is said is said in frames of a client.
    #[test]
    fn everything_is_masked() {
        for target in ALL {
            let said = [
                target.greeting(),
                target.subscription("bench"),
                target.heartbeat(),
                Some(target.push("bench", "{}")),
                target.still_here(b"2"),
                target.still_here(b"PING"),
            ];
            for frame in said.into_iter().flatten() {
                assert!(frame[1] & 0x80 != 0);
                assert!(frame::parse(&frame).is_err(), "only a client masks");
            }
        }
    }
}
