//! Who a request comes from: decided here, once, for everything that asks.
//!
//! It is the other end of the TCP connection, and nothing that the request says changes that. Only
//! one of `--trusted-proxy` may say otherwise, in the headers of `--proxy-header`: then the client is
//! the rightmost address of its list that is no trusted proxy, since everything left of that one was
//! written by strangers. The scheme and the host are taken from the same proxy alone. Behind this
//! place the headers are gone: nothing can read them by mistake.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};

use crate::http::UNIX_PEER;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// All that proxies, and those who would like to pass for one, say about clients.
const SAID: [HeaderName; 7] = [
    FORWARDED,
    FOR,
    PROTO,
    HOST,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
];
/// Addresses of one list that are looked at; nobody has more proxies.
const MOST: usize = 32;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// The address; port 0 where the proxy names none.
    pub(crate) address: SocketAddr,
    /// Whether it came to the proxy over HTTPS.
    pub(crate) secure: bool,
    /// The host that it asked the proxy for.
    pub(crate) host: Option<String>,
    /// From this machine, and not through a proxy.
    pub(crate) local: bool,
}

/// A network, `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    base: u128,
    bits: u32,
}

/// The text is no network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoNetwork;

/// IPv4 as IPv6 has it, so that one comparison serves both.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| NoNetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return Err(NoNetwork);
        }
        let bits = 128 - width + bits;
        Ok(Self {
            base: masked(number(address), bits),
            bits,
        })
    }
}

fn masked(number: u128, bits: u32) -> u128 {
    number & u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        masked(number(address), self.bits) == self.base
    }
}

/// Which headers the proxies set; a proxy passes the others on as strangers wrote them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ProxyHeader {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies that may say who a request comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies {
    pub(crate) networks: Vec<Network>,
    pub(crate) header: ProxyHeader,
}

/// What the rightmost part of a header says, and who it says that asks.
#[derive(Default)]
struct Words {
    /// From left to right.
    addresses: Vec<Option<SocketAddr>>,
    proto: Option<String>,
    host: Option<String>,
}

impl TrustedProxies {
    /// Whether this is one of them.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.has(address))
    }

    /// Decides who the request comes from, and takes away what it says about that itself.
    pub(crate) fn resolve<B>(&self, request: &mut Request<B>, peer: SocketAddr) {
        let trusted = self.trust(peer.ip());
        let client = if trusted {
            self.said(request.headers(), peer)
        } else {
            Client {
                address: peer,
                secure: false,
                host: None,
                // By a Unix socket, or by loopback.
                local: peer == UNIX_PEER || peer.ip().to_canonical().is_loopback(),
            }
        };
        for name in SAID {
            request.headers_mut().remove(name);
        }
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(client.address));
        extensions.insert(client);
    }

    fn said(&self, headers: &HeaderMap, peer: SocketAddr) -> Client {
        let words = match self.header {
            ProxyHeader::XForwarded => x_forwarded(headers),
            ProxyHeader::Forwarded => forwarded(headers),
        };
        let mut address = peer;
        for said in words.addresses.iter().rev().take(MOST) {
            // Beyond what cannot be read nothing is believed.
            let Some(said) = said else { break };
            address = *said;
            if !self.trust(said.ip()) {
                break;
            }
        }
        Client {
            address,
            secure: words
                .proto
                .is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            host: words.host,
            local: false,
        }
    }
}

/// All lines of a header as one list.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    lines.join(",")
}

fn x_forwarded(headers: &HeaderMap) -> Words {
    let last = |name| {
        let list = joined(headers, name);
        let last = list.rsplit(',').next().unwrap_or_default().trim();
        (!last.is_empty()).then(|| last.to_owned())
    };
    let list = joined(headers, &FOR);
    let mut addresses: Vec<_> = list.rsplit(',').take(MOST).map(node).collect();
    addresses.reverse();
    Words {
        addresses: if list.is_empty() {
            Vec::new()
        } else {
            addresses
        },
        proto: last(&PROTO),
        host: last(&HOST),
    }
}

/// `for=192.0.2.60;proto=https;host=a, for="[2001:db8::1]:4711"`: each proxy adds a part.
fn forwarded(headers: &HeaderMap) -> Words {
    let list = joined(headers, &FORWARDED);
    let parts: Vec<_> = split(&list, ',').collect();
    let mut words = Words::default();
    for part in parts.iter().rev().take(MOST).rev() {
        let mut address = None;
        // The part of the proxy that is nearest to us stands last.
        (words.proto, words.host) = (None, None);
        for pair in split(part, ';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = unquoted(value.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => address = node(&value),
                "proto" => words.proto = Some(value),
                "host" => words.host = Some(value),
                _ => {}
            }
        }
        if !part.trim().is_empty() {
            words.addresses.push(address);
        }
    }
    words
}

/// Splits outside of quotes.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == at && !quoted
    })
}

fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
        Some(inner) => inner.replace('\\', ""),
        None => value.to_owned(),
    }
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`; an
/// `unknown` or hidden one is none.
fn node(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    let canonical = |address: IpAddr, port| SocketAddr::new(address.to_canonical(), port);
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(canonical(address.ip(), address.port()));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().ok().map(|address| canonical(address, 0))
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Every request has one; a stranger is the safe guess.
        Ok(parts.extensions.get::<Client>().cloned().unwrap_or(Self {
            address: SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 0),
            secure: false,
            host: None,
            local: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(proxies: &TrustedProxies, peer: &str, headers: &[(&str, &str)]) -> Client {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 5000);
        proxies.resolve(&mut request, peer);
        assert!(
            SAID.iter()
                .all(|name| !request.headers().contains_key(name))
        );
        let client = request.extensions().get::<Client>().cloned().unwrap();
        let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
        assert_eq!(info.map(|info| info.0), Some(client.address));
        client
    }

    fn proxies(networks: &[&str], header: ProxyHeader) -> TrustedProxies {
        TrustedProxies {
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
            header,
        }
    }

    /// P15: what a stranger says about addresses, schemes and hosts means nothing.
    #[test]
    fn strangers_are_not_believed() {
        let forged = [
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1;proto=https;host=gate.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "gate.example"),
            ("x-real-ip", "127.0.0.1"),
        ];
        for header in [ProxyHeader::XForwarded, ProxyHeader::Forwarded] {
            let trusting = proxies(&["10.0.0.0/8"], header);
            for proxies in [TrustedProxies::default(), trusting] {
                let client = resolved(&proxies, "192.0.2.7", &forged);
                assert_eq!(client.address.to_string(), "192.0.2.7:5000");
                assert!(!client.secure && client.host.is_none() && !client.local);
            }
        }
        assert!(resolved(&TrustedProxies::default(), "127.0.0.1", &forged).local);
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy() {
        let proxies = proxies(&["10.0.0.0/8", "2001:db8::/32"], ProxyHeader::XForwarded);
        for (said, expected) in [
            ("198.51.100.9", "198.51.100.9:0"),
            ("127.0.0.1, 198.51.100.9", "198.51.100.9:0"),
            ("1.2.3.4, 198.51.100.9, 10.1.1.1", "198.51.100.9:0"),
            ("198.51.100.9:4711, 2001:db8::5", "198.51.100.9:4711"),
            ("[2001:7::1]:9", "[2001:7::1]:9"),
            ("::ffff:198.51.100.9", "198.51.100.9:0"),
            ("10.9.9.9, 10.1.1.1", "10.9.9.9:0"),
            ("198.51.100.9, unknown", "10.0.0.1:5000"),
            ("198.51.100.9, unknown, 10.1.1.1", "10.1.1.1:0"),
            ("", "10.0.0.1:5000"),
            (",,,", "10.0.0.1:5000"),
        ] {
            let client = resolved(&proxies, "10.0.0.1", &[("x-forwarded-for", said)]);
            assert_eq!(client.address.to_string(), expected, "{said}");
            assert!(!client.local, "{said}");
        }
        let two_lines = [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-for", "198.51.100.9"),
        ];
        let client = resolved(&proxies, "10.0.0.1", &two_lines);
        assert_eq!(client.address.to_string(), "198.51.100.9:0");
        // Nobody asked for this header: it is as the client wrote it.
        let other = [("forwarded", "for=127.0.0.1")];
        let client = resolved(&proxies, "10.0.0.1", &other);
        assert_eq!(client.address.to_string(), "10.0.0.1:5000");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_has_it() {
        let proxies = proxies(&["10.0.0.0/8"], ProxyHeader::Forwarded);
        for (said, address, secure, host) in [
            (
                "for=198.51.100.9;proto=https;host=gate.example",
                "198.51.100.9:0",
                true,
                Some("gate.example"),
            ),
            (
                r#"For="[2001:db8:cafe::17]:4711""#,
                "[2001:db8:cafe::17]:4711",
                false,
                None,
            ),
            (
                r#"for=127.0.0.1;host="a,b;c", for=198.51.100.9;proto=http"#,
                "198.51.100.9:0",
                false,
                None,
            ),
            (
                "for=198.51.100.9, for=10.2.2.2;proto=HTTPS",
                "198.51.100.9:0",
                true,
                None,
            ),
            (
                "for=198.51.100.9, for=_hidden",
                "10.0.0.1:5000",
                false,
                None,
            ),
            (
                r#"for="1.2.3.4, for=198.51.100.9"#,
                "10.0.0.1:5000",
                false,
                None,
            ),
        ] {
            let client = resolved(&proxies, "10.0.0.1", &[("forwarded", said)]);
            assert_eq!(client.address.to_string(), address, "{said}");
            assert_eq!(
                (client.secure, client.host.as_deref()),
                (secure, host),
                "{said}"
            );
        }
    }

    #[test]
    fn networks() {
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0.0/x", "here", "10/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(NoNetwork), "{wrong}");
        }
        let has = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.has(address.parse().unwrap())
        };
        assert!(has("10.1.2.3/8", "10.200.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("0.0.0.0/0", "11.0.0.1") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && has("::1", "::1") && !has("::1", "::2"));
        assert!(has("10.0.0.0/8", "::ffff:10.0.0.1"));
    }
}
