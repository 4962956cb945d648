//! `MULTI`, `EXEC`, `DISCARD`: what the stock clients' pipelines send around their commands.
//!
//! Between `MULTI` and `EXEC` commands are checked and kept, then carried out in one go: what they
//! publish leaves together. What is kept is bounded like one request, the answer like all that
//! waits for a client. There are no keys here, so nothing can be watched.

use bytes::{Bytes, BytesMut};

use super::client::Client;
use super::commands::error;
use super::request::Request;
use super::{Protocol, Reply};

/// What a kept word costs beside its bytes.
const OVERHEAD: usize = 64;

/// The commands since `MULTI`.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    requests: Vec<Request>,
    bytes: usize,
    /// One of them was refused: none is carried out.
    failed: bool,
}

/// Where a command goes while a transaction is open.
pub(super) enum Step {
    /// It is part of the transaction, or what opens or ends one; this is the answer, if it has not
    /// been given yet.
    Taken(Option<Reply>),
    /// It is carried out at once.
    AtOnce(Request),
}

impl Client {
    /// Takes a command that is known and has as many arguments as it needs; `command` is in lower
    /// case.
    pub(super) fn step(&mut self, command: &[u8], request: Request) -> Step {
        match command {
            b"multi" if self.transaction.is_some() => {
                return Step::Taken(Some(error("ERR MULTI calls can not be nested")));
            }
            b"multi" => {
                self.transaction = Some(Transaction::default());
                return Step::Taken(Some(Reply::OK));
            }
            b"discard" => {
                return Step::Taken(Some(match self.transaction.take() {
                    Some(_) => Reply::OK,
                    None => error("ERR DISCARD without MULTI"),
                }));
            }
            b"exec" => return Step::Taken(self.exec()),
            b"quit" | b"reset" => return Step::AtOnce(request),
            _ => {}
        }
        let limit = self.shared.config.limits.request_bytes;
        let Some(transaction) = &mut self.transaction else {
            return Step::AtOnce(request);
        };
        // Their answers are not for the place of an answer, or change how answers look.
        if matches!(
            command,
            b"subscribe" | b"psubscribe" | b"unsubscribe" | b"punsubscribe" | b"hello"
        ) {
            transaction.fail();
            return Step::Taken(Some(error("ERR Command not allowed inside a transaction")));
        }
        Step::Taken(Some(transaction.put(request, limit)))
    }

    /// A command was refused.
    pub(super) fn fail_transaction(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.fail();
        }
    }

    fn exec(&mut self) -> Option<Reply> {
        let Some(transaction) = self.transaction.take() else {
            return Some(error("ERR EXEC without MULTI"));
        };
        if transaction.failed {
            let aborted = "EXECABORT Transaction discarded because of previous errors.";
            return Some(error(aborted));
        }
        let (protocol, limit) = (
            self.outbox.protocol(),
            self.shared.config.limits.output_bytes,
        );
        let mut answer = BytesMut::from(&*format!("*{}\r\n", transaction.requests.len()));
        for request in transaction.requests {
            let command = request.command.to_ascii_lowercase();
            let reply = self.answer(&command, &request);
            answer.extend_from_slice(&encoded(reply, protocol));
            // More does not fit into what may wait for a client: it is cut, as Redis would.
            if answer.len() > limit {
                break;
            }
        }
        self.outbox.reply_bytes(answer.freeze());
        None
    }
}

/// An answer that cannot be encoded, a fault in here, must not make the list one too short.
fn encoded(reply: Reply, protocol: Protocol) -> Bytes {
    reply
        .encode(protocol)
        .unwrap_or_else(|| Bytes::from_static(b"-ERR the answer could not be encoded\r\n"))
}

impl Transaction {
    fn fail(&mut self) {
        self.failed = true;
        self.requests = Vec::new();
    }

    fn put(&mut self, request: Request, limit: usize) -> Reply {
        let words = request.arguments.iter().chain([&request.command]);
        let bytes: usize = words.map(|word| word.len() + OVERHEAD).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limit {
            self.fail();
            return error(format!("ERR a transaction may have {limit} bytes"));
        }
        if !self.failed {
            self.requests.push(request);
        }
        Reply::Simple("QUEUED")
    }
}
