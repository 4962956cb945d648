//! What Redis clients may ask, and the answers, worded as Redis words them. Who a client is has a
//! place of its own, see [`handshake`](super::handshake).
//!
//! Clients recognise some errors by their first words (`NOAUTH`, `WRONGPASS`, `NOPROTO`,
//! `ERR unknown command`), so these are Redis's own.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::Reply;
use super::client::Client;
use super::request::Request;
use super::transaction::Step;
use crate::broker::Tally;
use crate::glob::Glob;

/// The version of Redis whose pub/sub commands are spoken. Some clients choose their commands by
/// it.
pub(super) const REDIS_VERSION: &str = "7.0.0";

/// The commands there are.
const COMMANDS: [&[u8]; 19] = [
    b"auth",
    b"client",
    b"command",
    b"discard",
    b"echo",
    b"exec",
    b"hello",
    b"info",
    b"multi",
    b"ping",
    b"psubscribe",
    b"publish",
    b"pubsub",
    b"punsubscribe",
    b"quit",
    b"reset",
    b"select",
    b"subscribe",
    b"unsubscribe",
];

/// The longest channel or pattern that can be subscribed to, in bytes. Names on the bus have at
/// most 516; a pattern may escape every one of them.
pub(super) const MAX_NAME: usize = 2_048;

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
        if !takes(&command, request.arguments.len()) {
            self.fail_transaction();
            return self.say(refusal(&command, &request));
        }
        let request = match self.step(&command, request) {
            Step::AtOnce(request) => request,
            Step::Taken(Some(reply)) => return self.say(reply),
            Step::Taken(None) => return ControlFlow::Continue(()),
        };
        let arguments = &request.arguments[..];
        let reply = match &command[..] {
            b"subscribe" => return self.subscribe(Of::Channels, arguments),
            b"psubscribe" => return self.subscribe(Of::Patterns, arguments),
            b"unsubscribe" => return self.unsubscribe(Of::Channels, arguments),
            b"punsubscribe" => return self.unsubscribe(Of::Patterns, arguments),
            b"hello" => self.hello(arguments),
            b"reset" => self.reset(),
            b"quit" => {
                self.outbox.reply(Reply::OK);
                return ControlFlow::Break(());
            }
            _ => self.answer(&command, &request),
        };
        self.say(reply)
    }

    /// The answer to a command that has one and no more; `command` is in lower case.
    pub(super) fn answer(&mut self, command: &[u8], request: &Request) -> Reply {
        let arguments = &request.arguments[..];
        match (command, arguments) {
            (b"publish", [channel, body]) => {
                Reply::count(self.shared.broker.publish(channel, body))
            }
            (b"ping", [] | [_]) => self.ping(arguments.first()),
            (b"echo", [text]) => Reply::Bulk(text.clone()),
            (b"auth", [password]) => self.auth(None, password),
            (b"auth", [user, password]) => self.auth(Some(user), password),
            (b"select", [index]) => select(index),
            (b"client", [_, ..]) => self.client(arguments),
            (b"pubsub", [_, ..]) => self.pubsub(arguments),
            (b"command", _) => command_reply(arguments),
            (b"info", _) => self.info(),
            _ => refusal(command, request),
        }
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
                Tally::add(&self.shared.broker.tally.subscriptions_refused);
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
}

/// Whether there is such a command and it takes so many arguments.
fn takes(command: &[u8], arguments: usize) -> bool {
    match command {
        b"publish" => arguments == 2,
        b"subscribe" | b"psubscribe" | b"client" | b"pubsub" => arguments > 0,
        b"ping" => arguments < 2,
        b"echo" | b"select" => arguments == 1,
        b"auth" => matches!(arguments, 1 | 2),
        b"reset" | b"multi" | b"exec" | b"discard" => arguments == 0,
        _ => is_known(command),
    }
}

fn is_known(command: &[u8]) -> bool {
    COMMANDS.contains(&command)
}

/// Why a command is not carried out: there is none of the name, or its arguments are too few or
/// too many.
fn refusal(command: &[u8], request: &Request) -> Reply {
    if is_known(command) {
        return wrong_number(&echo(command));
    }
    error(format!(
        "ERR unknown command '{}', this is Tidegate's own bus and does publish and subscribe only",
        echo(&request.command)
    ))
}

pub(super) fn error(text: impl Into<String>) -> Reply {
    Reply::Error(text.into())
}

pub(super) fn wrong_number(command: &str) -> Reply {
    error(format!(
        "ERR wrong number of arguments for '{command}' command"
    ))
}

pub(super) fn unknown_subcommand(command: &str, subcommand: &[u8]) -> Reply {
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
        Some(b"count") => Reply::count(COMMANDS.len()),
        Some(b"docs") => Reply::Map(Vec::new()),
        Some(b"info" | b"list") | None => Reply::Array(Vec::new()),
        Some(other) => unknown_subcommand("COMMAND", other),
    }
}

/// What can be repeated to the client of what it sent: short, and on one line.
pub(super) fn echo(word: &[u8]) -> String {
    let short = &word[..word.len().min(MAX_ECHO)];
    let shown = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(short).chars().map(shown).collect()
}
