//! Who a client is: `HELLO`, `AUTH`, `CLIENT`, `RESET`.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use subtle::ConstantTimeEq;

use super::client::Client;
use super::commands::{MAX_NAME, REDIS_VERSION, echo, error, unknown_subcommand, wrong_number};
use super::outbox::Outbox;
use super::{Protocol, Reply};

const WRONG_PASSWORD: &str = "WRONGPASS invalid username-password pair or user is disabled.";

impl Client {
    pub(super) fn auth(&mut self, user: Option<&Bytes>, password: &Bytes) -> Reply {
        if self.shared.config.password.is_none() && user.is_none() {
            return error(
                "ERR AUTH <password> called without any password configured for the default \
                 user. Are you sure your configuration is correct?",
            );
        }
        if self.check(user, password) {
            self.authenticated = true;
            Reply::OK
        } else {
            error(WRONG_PASSWORD)
        }
    }

    /// The one user there is, `default`, has the password of the settings, or, as in Redis, any
    /// password when there is none.
    fn check(&self, user: Option<&Bytes>, password: &Bytes) -> bool {
        let known = user.is_none_or(|user| user == "default");
        let right = match &self.shared.config.password {
            Some(expected) => bool::from(expected.as_bytes().ct_eq(password)),
            None => true,
        };
        known && right
    }

    /// `HELLO [2|3] [AUTH user password] [SETNAME name]`
    pub(super) fn hello(&mut self, arguments: &[Bytes]) -> Reply {
        let mut protocol = self.outbox.protocol();
        let mut name = None;
        let mut rest = arguments;
        if let [version, after @ ..] = rest {
            protocol = match &version[..] {
                b"2" => Protocol::Resp2,
                b"3" => Protocol::Resp3,
                _ => return error("NOPROTO unsupported protocol version"),
            };
            rest = after;
        }
        let mut authenticated = self.authenticated;
        while let [option, after @ ..] = rest {
            rest = match (&option.to_ascii_lowercase()[..], after) {
                (b"auth", [user, password, after @ ..]) => {
                    if !self.check(Some(user), password) {
                        return error(WRONG_PASSWORD);
                    }
                    authenticated = true;
                    after
                }
                (b"setname", [wanted, after @ ..]) => {
                    if !is_name(wanted) {
                        return bad_name();
                    }
                    name = Some(wanted.clone());
                    after
                }
                _ => {
                    return error(format!(
                        "ERR Syntax error in HELLO option '{}'",
                        echo(option)
                    ));
                }
            };
        }
        if !authenticated {
            return error(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise \
                 the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the \
                 client and select the RESP protocol version at the same time",
            );
        }
        self.authenticated = true;
        self.outbox.set_protocol(protocol);
        if let Some(name) = name {
            *self.outbox.name.lock() = name;
        }
        let number = if protocol == Protocol::Resp3 { 3 } else { 2 };
        Reply::Map(vec![
            (Reply::bulk("server"), Reply::bulk("tidegate")),
            (Reply::bulk("version"), Reply::bulk(REDIS_VERSION)),
            (Reply::bulk("proto"), Reply::Integer(number)),
            (Reply::bulk("id"), Reply::count(self.outbox.id)),
            (Reply::bulk("mode"), Reply::bulk("standalone")),
            (Reply::bulk("role"), Reply::bulk("master")),
            (Reply::bulk("modules"), Reply::Array(Vec::new())),
        ])
    }

    pub(super) fn client(&self, arguments: &[Bytes]) -> Reply {
        let [subcommand, arguments @ ..] = arguments else {
            return wrong_number("client");
        };
        match (&subcommand.to_ascii_lowercase()[..], arguments) {
            (b"id", []) => Reply::count(self.outbox.id),
            (b"getname", []) => match self.outbox.name.lock().clone() {
                name if name.is_empty() => Reply::Null,
                name => Reply::Bulk(name),
            },
            (b"setname", [name]) if is_name(name) => {
                *self.outbox.name.lock() = name.clone();
                Reply::OK
            }
            (b"setname", [_]) => bad_name(),
            // Said by client libraries on every connection; nothing here depends on them.
            (b"setinfo", [_, _]) | (b"no-evict" | b"no-touch", [_]) => Reply::OK,
            (b"info", []) => Reply::bulk(describe(&self.outbox)),
            (b"list", _) => {
                let clients = self.shared.clients.lock();
                Reply::bulk(clients.values().map(|c| describe(c)).collect::<String>())
            }
            (
                b"id" | b"getname" | b"setname" | b"setinfo" | b"no-evict" | b"no-touch" | b"info",
                _,
            ) => wrong_number(&format!("client|{}", echo(subcommand).to_ascii_lowercase())),
            _ => unknown_subcommand("CLIENT", subcommand),
        }
    }

    /// Back to how the connection began.
    pub(super) fn reset(&mut self) -> Reply {
        self.unsubscribe_all();
        self.transaction = None;
        self.outbox.set_protocol(Protocol::Resp2);
        *self.outbox.name.lock() = Bytes::new();
        self.authenticated = self.shared.config.password.is_none();
        Reply::Simple("RESET")
    }
}

/// One line of `CLIENT LIST`, the fields that mean something here.
fn describe(client: &Outbox) -> String {
    let channels = client.channels.load(Ordering::Relaxed);
    let patterns = client.patterns.load(Ordering::Relaxed);
    format!(
        "id={} addr={} name={} age={} flags={} db=0 sub={channels} psub={patterns} resp={}\n",
        client.id,
        client.peer,
        String::from_utf8_lossy(&client.name.lock()),
        client.since.elapsed().as_secs(),
        if channels + patterns > 0 { 'P' } else { 'N' },
        if client.protocol() == Protocol::Resp3 {
            3
        } else {
            2
        },
    )
}

/// Names stand in a list that is separated by spaces and line breaks.
fn is_name(name: &[u8]) -> bool {
    name.len() <= MAX_NAME && name.iter().all(u8::is_ascii_graphic)
}

fn bad_name() -> Reply {
    error("ERR Client names cannot contain spaces, newlines or special characters.")
}
