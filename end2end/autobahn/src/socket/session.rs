//! A session that sends back what it gets, as soon as it gets it.

use std::sync::Arc;
use std::task::{Context, Poll};

use tidegate_hub::Connection;
use tidegate_websocket::{Frame, Opcode};

use crate::gateway::Gateway;

/// In the place of the gateway's session of the same name.
pub(crate) struct Session {
    connection: Arc<Connection>,
}

impl Session {
    pub(crate) fn new(
        _gateway: Arc<Gateway>,
        connection: Arc<Connection>,
        _token: Option<String>,
    ) -> Self {
        Self { connection }
    }

    pub(crate) fn text(&mut self, content: &[u8]) {
        self.echo(Opcode::Text, content);
    }

    pub(crate) fn binary(&mut self, content: &[u8]) {
        self.echo(Opcode::Binary, content);
    }

    /// Compressed where that was agreed on, as events are.
    fn echo(&self, opcode: Opcode, content: &[u8]) {
        let deflated = match self.connection.deflate() {
            true => Frame::deflated(opcode, content),
            false => None,
        };
        let frame = deflated.unwrap_or_else(|| Frame::new(opcode, content));
        self.connection.outbox.control_frame(frame);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        false
    }

    pub(crate) fn poll_waiting(&mut self, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
