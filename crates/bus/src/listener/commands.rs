//! What Redis clients may ask, and the answers, worded as Redis words them.
//!
//! Clients recognise some errors by their first words (`NOAUTH`, `WRONGPASS`, `NOPROTO`,
//! `ERR unknown command`), so these are Redis's own.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use subtle::ConstantTimeEq;

use super::client::Client;
use super::outbox::Outbox;
use super::request::Request;
use super::{Protocol, Reply};
use crate::glob::Glob;

/// The version of Redis whose pub/sub commands are spoken. Some clients choose their commands by
/// it.
const REDIS_VERSION: &str = "7.0.0";

/// The commands there are, for `COMMAND COUNT`.
const COMMANDS: i64 = 17;

/// The longest channel or pattern that can be subscribed to, in bytes. Names on the bus have at
/// most 516; a pattern may escape every one of them.
const MAX_NAME: usize = 2_048;

/// What is repeated of a wrong command, in bytes.
const MAX_ECHO: usize = 64;

/// The kinds of subscription, which differ in names alone.
#[derive(Clone, Copy)]
enum Of {
    Channels,
    Patterns,
}

impl Client {
    /// Carries out one request. `Break` ends the connection once the replies are written.
    pub(crate) fn execute(&mut self, request: Request) -> ControlFlow<()> {
        let command = request.command.to_ascii_lowercase();
        let arguments = &request.arguments[..];
        let allowed_unauthenticated =
            matches!(&command[..], b"auth" | b"hello" | b"quit" | b"reset");
        if !self.authenticated && !allowed_unauthenticated {
            return self.say(error("NOAUTH Authentication required."));
        }
        let allowed_subscribed = matches!(
            &command[..],
            b"subscribe"
                | b"psubscribe"
                | b"unsubscribe"
                | b"punsubscribe"
                | b"ping"
                | b"quit"
                | b"reset"
        );
        if self.restricted() && !allowed_subscribed {
            return self.say(error(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context",
                echo(&command)
            )));
        }
        let reply = match (&command[..], arguments) {
            (b"publish", [channel, body]) => {
                Reply::count(self.shared.broker.publish(channel, body))
            }
            (b"subscribe", [_, ..]) => return self.subscribe(Of::Channels, arguments),
            (b"psubscribe", [_, ..]) => return self.subscribe(Of::Patterns, arguments),
            (b"unsubscribe", _) => return self.unsubscribe(Of::Channels, arguments),
            (b"punsubscribe", _) => return self.unsubscribe(Of::Patterns, arguments),
            (b"ping", [] | [_]) => self.ping(arguments.first()),
            (b"echo", [text]) => Reply::Bulk(text.clone()),
            (b"hello", _) => self.hello(arguments),
            (b"auth", [password]) => self.auth(None, password),
            (b"auth", [user, password]) => self.auth(Some(user), password),
            (b"select", [index]) => select(index),
            (b"client", [_, ..]) => self.client(arguments),
            (b"pubsub", [_, ..]) => self.pubsub(arguments),
            (b"command", _) => command_reply(arguments),
            (b"info", _) => self.info(),
            (b"reset", []) => self.reset(),
            (b"quit", _) => {
                self.outbox.reply(Reply::OK);
                return ControlFlow::Break(());
            }
            (
                b"publish" | b"subscribe" | b"psubscribe" | b"ping" | b"echo" | b"auth" | b"select"
                | b"client" | b"pubsub" | b"reset",
                _,
            ) => wrong_number(&echo(&command)),
            _ => error(format!(
                "ERR unknown command '{}', this is Tidegate's own bus and does publish and \
                 subscribe only",
                echo(&request.command)
            )),
        };
        self.say(reply)
    }

    fn say(&self, reply: Reply) -> ControlFlow<()> {
        self.outbox.reply(reply);
        ControlFlow::Continue(())
    }

    fn subscribe(&mut self, of: Of, names: &[Bytes]) -> ControlFlow<()> {
        for name in names {
            if name.len() > MAX_NAME {
                return self.say(error(format!("ERR a name may have {MAX_NAME} bytes")));
            }
            let limit = self.shared.config.limits.subscriptions;
            if self.subscriptions() >= limit && !self.names(of).contains(name) {
                return self.say(error(format!("ERR a client may subscribe {limit} times")));
            }
            let new = self.names(of).insert(name.clone());
            self.confirm(of, "subscribe", Some(name));
            if new {
                let (broker, outbox) = (&self.shared.broker, self.outbox.clone());
                match of {
                    Of::Channels => broker.subscribe(name.clone(), outbox),
                    Of::Patterns => broker.subscribe_pattern(name.clone(), outbox),
                }
            }
        }
        self.note_subscriptions();
        ControlFlow::Continue(())
    }

    /// Without names: from all.
    fn unsubscribe(&mut self, of: Of, names: &[Bytes]) -> ControlFlow<()> {
        let all: Vec<Bytes>;
        let names = if names.is_empty() {
            all = self.names(of).iter().cloned().collect();
            &all[..]
        } else {
            names
        };
        if names.is_empty() {
            self.confirm(of, "unsubscribe", None);
        }
        for name in names {
            if self.names(of).remove(name) {
                let (broker, id) = (&self.shared.broker, self.outbox.id);
                match of {
                    Of::Channels => broker.unsubscribe(name, id),
                    Of::Patterns => broker.unsubscribe_pattern(name, id),
                }
            }
            self.confirm(of, "unsubscribe", Some(name));
        }
        self.note_subscriptions();
        ControlFlow::Continue(())
    }

    fn names(&mut self, of: Of) -> &mut std::collections::HashSet<Bytes> {
        match of {
            Of::Channels => &mut self.channels,
            Of::Patterns => &mut self.patterns,
        }
    }

    fn confirm(&self, of: Of, what: &'static str, name: Option<&Bytes>) {
        let what = match of {
            Of::Channels => what.to_owned(),
            Of::Patterns => format!("p{what}"),
        };
        self.outbox.reply(Reply::Push(vec![
            Reply::bulk(what),
            name.map_or(Reply::Null, |name| Reply::Bulk(name.clone())),
            Reply::count(self.subscriptions()),
        ]));
    }

    fn ping(&self, text: Option<&Bytes>) -> Reply {
        if self.restricted() {
            // In this state a RESP2 client takes everything for a message, so it gets one.
            let text = text.cloned().unwrap_or_default();
            return Reply::Array(vec![Reply::bulk("pong"), Reply::Bulk(text)]);
        }
        text.map_or(Reply::Simple("PONG"), |text| Reply::Bulk(text.clone()))
    }

    fn auth(&mut self, user: Option<&Bytes>, password: &Bytes) -> Reply {
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
            error("WRONGPASS invalid username-password pair or user is disabled.")
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
    fn hello(&mut self, arguments: &[Bytes]) -> Reply {
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
                        return error(
                            "WRONGPASS invalid username-password pair or user is disabled.",
                        );
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

    fn client(&self, arguments: &[Bytes]) -> Reply {
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

    fn pubsub(&self, arguments: &[Bytes]) -> Reply {
        let [subcommand, arguments @ ..] = arguments else {
            return wrong_number("pubsub");
        };
        let broker = &self.shared.broker;
        match (&subcommand.to_ascii_lowercase()[..], arguments) {
            (b"channels", [] | [_]) => {
                let pattern = arguments.first().cloned().map(Glob::new);
                let channels = broker.channels(pattern.as_ref());
                Reply::Array(channels.into_iter().map(Reply::Bulk).collect())
            }
            (b"numsub", channels) => {
                let count =
                    |c: &Bytes| [Reply::Bulk(c.clone()), Reply::count(broker.subscribers(c))];
                Reply::Array(channels.iter().flat_map(count).collect())
            }
            (b"numpat", []) => Reply::count(broker.patterns()),
            (b"channels" | b"numpat", _) => {
                wrong_number(&format!("pubsub|{}", echo(subcommand).to_ascii_lowercase()))
            }
            _ => unknown_subcommand("PUBSUB", subcommand),
        }
    }

    fn info(&self) -> Reply {
        let clients = self.shared.clients.lock().len();
        let broker = &self.shared.broker;
        Reply::bulk(format!(
            "# Server\r\nredis_version:{REDIS_VERSION}\r\nserver_name:tidegate\r\n\
             redis_mode:standalone\r\n\r\n# Clients\r\nconnected_clients:{clients}\r\n\r\n\
             # Persistence\r\nloading:0\r\n\r\n# Stats\r\npubsub_channels:{}\r\n\
             pubsub_patterns:{}\r\n\r\n# Replication\r\nrole:master\r\n",
            broker.channels(None).len(),
            broker.patterns(),
        ))
    }

    /// Back to how the connection began.
    fn reset(&mut self) -> Reply {
        self.unsubscribe_all();
        self.outbox.set_protocol(Protocol::Resp2);
        *self.outbox.name.lock() = Bytes::new();
        self.authenticated = self.shared.config.password.is_none();
        Reply::Simple("RESET")
    }
}

fn error(text: impl Into<String>) -> Reply {
    Reply::Error(text.into())
}

fn wrong_number(command: &str) -> Reply {
    error(format!(
        "ERR wrong number of arguments for '{command}' command"
    ))
}

fn unknown_subcommand(command: &str, subcommand: &[u8]) -> Reply {
    error(format!(
        "ERR unknown subcommand '{}' of {command}",
        echo(subcommand)
    ))
}

fn select(index: &[u8]) -> Reply {
    match std::str::from_utf8(index)
        .ok()
        .and_then(|i| i.parse::<i64>().ok())
    {
        Some(0) => Reply::OK,
        Some(_) => error("ERR DB index is out of range"),
        None => error("ERR value is not an integer or out of range"),
    }
}

/// Enough for `redis-cli`, which asks for documentation when it starts and does without.
fn command_reply(arguments: &[Bytes]) -> Reply {
    match arguments.first().map(|a| a.to_ascii_lowercase()).as_deref() {
        Some(b"count") => Reply::Integer(COMMANDS),
        Some(b"docs") => Reply::Map(Vec::new()),
        Some(b"info" | b"list") | None => Reply::Array(Vec::new()),
        Some(other) => unknown_subcommand("COMMAND", other),
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

/// What can be repeated to the client of what it sent: short, and on one line.
fn echo(word: &[u8]) -> String {
    let short = &word[..word.len().min(MAX_ECHO)];
    let shown = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(short).chars().map(shown).collect()
}
