//! Which pages may open a socket (wire.md A1).
//!
//! A request without `Origin` comes from no browser and is let in. A page must come from the
//! gateway's own host or from an allowed origin. A gateway that listens on loopback knows its own
//! names (`localhost`, `127.0.0.1`, `[::1]`) and takes no other for itself, whatever the `Host`
//! header says: a name that an attacker's DNS points here is not this host. Behind a trusted proxy
//! the host that the proxy was asked for is its own.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::ConfigError;

/// The operator's list, and whether the gateway listens on loopback only.
#[derive(Debug, Clone)]
pub(crate) struct AllowedOrigins {
    patterns: Vec<Pattern>,
    loopback: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    scheme: Option<String>,
    host: String,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
struct Origin<'a> {
    scheme: &'a str,
    host: String,
    port: Option<u16>,
}

impl AllowedOrigins {
    /// From a comma-separated list of `https://host[:port]` or `//host` or `//*.host`.
    pub(crate) fn parse(list: &str, loopback: bool) -> Result<Self, ConfigError> {
        let entries = list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let patterns = entries
            .map(|entry| {
                let (scheme, rest) = entry.split_once("//").unwrap_or(("", ""));
                let scheme = match scheme {
                    "" => None,
                    "http:" | "https:" => Some(scheme.trim_end_matches(':').to_owned()),
                    _ => return Err(ConfigError::Origin(entry.to_owned())),
                };
                match split_port(rest) {
                    Some((host, port)) if !host.is_empty() && !host.contains('/') => {
                        Ok(Pattern { scheme, host, port })
                    }
                    _ => Err(ConfigError::Origin(entry.to_owned())),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns, loopback })
    }

    /// Whether a request with these headers, which asked a trusted proxy for `host`, may open a
    /// socket.
    pub(crate) fn allow(&self, headers: &HeaderMap, host: Option<&str>) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return true;
        };
        // Which of two would hold?
        if origins.next().is_some() {
            return false;
        }
        let Some(origin) = origin.to_str().ok().and_then(parse) else {
            return false;
        };
        self.is_own(&origin, headers, host) || self.patterns.iter().any(|p| p.matches(&origin))
    }

    /// Whether it is on the operator's list.
    pub(crate) fn lists(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().ok().and_then(parse);
        origin.is_some_and(|origin| self.patterns.iter().any(|p| p.matches(&origin)))
    }

    /// Whether there is nothing on the list.
    pub(crate) fn lists_nobody(&self) -> bool {
        self.patterns.is_empty()
    }

    fn is_own(&self, origin: &Origin<'_>, headers: &HeaderMap, host: Option<&str>) -> bool {
        if let Some(host) = host {
            return split_port(host).is_some_and(|(host, _)| host == origin.host);
        }
        if self.loopback {
            return matches!(origin.host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        }
        let host = headers
            .get(header::HOST)
            .and_then(|h| h.to_str().ok())
            .and_then(split_port);
        host.is_some_and(|(host, _)| host == origin.host)
    }
}

impl Pattern {
    fn matches(&self, origin: &Origin<'_>) -> bool {
        let host = match self.host.strip_prefix('*') {
            Some(suffix) => origin.host.len() > suffix.len() && origin.host.ends_with(suffix),
            None => origin.host == self.host,
        };
        host && self
            .scheme
            .as_deref()
            .is_none_or(|scheme| scheme == origin.scheme)
            && (self.port == origin.port || (self.scheme.is_none() && self.port.is_none()))
    }
}

fn parse(origin: &str) -> Option<Origin<'_>> {
    let (scheme, rest) = origin.split_once("://")?;
    let (host, port) = split_port(rest)?;
    (!host.is_empty() && !host.contains('/')).then_some(Origin { scheme, host, port })
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`, in lower case.
fn split_port(text: &str) -> Option<(String, Option<u16>)> {
    let end_of_host = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(end_of_host);
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(port.parse().ok()?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>, host: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    /// A1: no Origin is let in, the own host is, a listed one is, any other is not.
    #[test]
    fn who_may_open_a_socket() {
        let list = "https://app.example.com, //*.trusted.example,http://dev.example:3000";
        let public = AllowedOrigins::parse(list, false).unwrap();
        for (origin, host, expected) in [
            (None, "gate.example", true),
            (Some("https://gate.example"), "gate.example", true),
            (Some("https://gate.example:8443"), "GATE.example:2025", true),
            (Some("https://app.example.com"), "gate.example", true),
            (Some("http://app.example.com"), "gate.example", false),
            (Some("https://app.example.com:444"), "gate.example", false),
            (Some("https://a.trusted.example"), "gate.example", true),
            (Some("https://trusted.example"), "gate.example", false),
            (Some("https://eviltrusted.example"), "gate.example", false),
            (Some("http://dev.example:3000"), "gate.example", true),
            (Some("http://dev.example"), "gate.example", false),
            (Some("http://evil.example"), "gate.example", false),
            (Some("null"), "gate.example", false),
            (Some("http://"), "gate.example", false),
            (
                Some("http://gate.example.evil.example"),
                "gate.example",
                false,
            ),
        ] {
            assert_eq!(
                public.allow(&headers(origin, host), None),
                expected,
                "{origin:?} {host}"
            );
        }
    }

    /// DNS rebinding: a name that points to loopback is not the gateway's own.
    #[test]
    fn on_loopback_only_loopback_names_are_own() {
        let local = AllowedOrigins::parse("", true).unwrap();
        for (origin, host, expected) in [
            (Some("http://localhost:2025"), "localhost:2025", true),
            (Some("http://127.0.0.1:3000"), "127.0.0.1:2025", true),
            (Some("http://[::1]:2025"), "[::1]:2025", true),
            (
                Some("http://rebound.example:2025"),
                "rebound.example:2025",
                false,
            ),
        ] {
            assert_eq!(
                local.allow(&headers(origin, host), None),
                expected,
                "{origin:?} {host}"
            );
        }
    }

    /// What a trusted proxy was asked for is the gateway's own name, and nothing else is.
    #[test]
    fn behind_a_proxy_its_host_is_own() {
        for loopback in [true, false] {
            let origins = AllowedOrigins::parse("", loopback).unwrap();
            let asked = headers(Some("https://gate.example"), "127.0.0.1:2025");
            assert!(origins.allow(&asked, Some("gate.example")));
            assert!(origins.allow(&asked, Some("GATE.example:443")));
            assert!(!origins.allow(&asked, Some("other.example")));
        }
    }

    #[test]
    fn a_wrong_list_is_refused() {
        for wrong in [
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a/b",
        ] {
            assert!(AllowedOrigins::parse(wrong, false).is_err(), "{wrong}");
        }
    }
}
