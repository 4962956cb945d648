//! Who a request comes from, behind a proxy and without one (P14, P15).

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD, SECRET};
use crate::http_api::{raw, request, sign_in};
use crate::socket::Socket;

const HERE: (&str, &str) = ("x-tidegate-request", "1");

async fn behind(flags: &[&str]) -> Gateway {
    let common = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    Gateway::with(&[&common[..], flags].concat(), "").await
}

/// Addresses of the open connections, as administrators see them.
async fn connected(gateway: &Gateway) -> Vec<String> {
    let cookie = sign_in(gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    let (_, list) = request(gateway, "GET", "/api/v1/connections", &headers, None).await;
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["address"].as_str().unwrap().to_owned())
        .collect()
}

/// Where the last sign-in that was refused came from, as it is recorded.
async fn recorded(gateway: &Gateway) -> String {
    let cookie = sign_in(gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    let path = "/api/v1/activity?refused=true&search=sign";
    loop {
        let (_, found) = request(gateway, "GET", path, &headers, None).await;
        if let Some(address) = found["items"][0]["address"].as_str() {
            return address.to_owned();
        }
    }
}

/// P15: what a stranger says about where it comes from is not believed, anywhere.
#[tokio::test]
async fn forged_headers_of_strangers_mean_nothing() {
    let gateway = behind(&["--trusted-proxy", "10.0.0.0/8"]).await;
    let forged = [
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9;host=evil.example;proto=https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        HERE,
    ];
    let mut socket = Socket::open(gateway.port, "vsn=2.0.0", &forged)
        .await
        .unwrap();
    socket.expect_silence().await;
    assert!(connected(&gateway).await[0].starts_with("127.0.0.1:"));
    let wrong = json!({"password": "wrong"});
    let (status, _, _) = raw(&gateway, "POST", "/api/v1/session", &forged, Some(&wrong)).await;
    assert_eq!(status, 401);
    assert_eq!(recorded(&gateway).await, "127.0.0.1");
    let page = [&forged[..], &[("origin", "https://evil.example")]].concat();
    let refused = Socket::open(gateway.port, "vsn=2.0.0", &page).await;
    assert_eq!(refused.err(), Some(403));
    let right = json!({"password": PASSWORD});
    let (_, head, _) = raw(&gateway, "POST", "/api/v1/session", &forged, Some(&right)).await;
    assert!(!head.contains("Secure"), "{head}");
}

/// The proxy is believed: in lists, records, the throttle of sign-ins, bounds, and origins.
#[tokio::test]
async fn a_trusted_proxy_says_who_asks() {
    let flags = [
        "--trusted-proxy",
        "127.0.0.1,10.0.0.0/8",
        "--max-connections-per-address",
        "1",
    ];
    let gateway = behind(&flags).await;
    let from = |address: &'static str| [("x-forwarded-for", address), HERE];
    let chain = from("127.0.0.1, 203.0.113.9, 10.1.1.1");
    let mut first = Socket::open(gateway.port, "vsn=2.0.0", &chain)
        .await
        .unwrap();
    first.expect_silence().await;
    assert_eq!(connected(&gateway).await, ["203.0.113.9"]);
    let mut again = Socket::open(gateway.port, "vsn=2.0.0", &chain)
        .await
        .unwrap();
    assert_eq!(again.closed().await.0, 1013, "one connection of an address");
    let other = from("203.0.113.10");
    let mut second = Socket::open(gateway.port, "vsn=2.0.0", &other)
        .await
        .unwrap();
    second.expect_silence().await;

    let wrong = json!({"password": "wrong"});
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let path = "/api/v1/session";
        let (status, _, _) = raw(&gateway, "POST", path, &chain, Some(&wrong)).await;
        statuses.push(status);
    }
    assert_eq!(statuses[5], 429, "{statuses:?}");
    let (status, _, _) = raw(&gateway, "POST", "/api/v1/session", &other, Some(&wrong)).await;
    assert_eq!(status, 401, "another address is not slowed down");
    assert_eq!(recorded(&gateway).await, "203.0.113.10");

    let asked = [
        ("x-forwarded-for", "203.0.113.11"),
        ("x-forwarded-host", "gate.example"),
        ("x-forwarded-proto", "https"),
        HERE,
    ];
    let page = [&asked[..], &[("origin", "https://gate.example")]].concat();
    Socket::open(gateway.port, "vsn=2.0.0", &page)
        .await
        .unwrap();
    let page = [&asked[..], &[("origin", "https://evil.example")]].concat();
    let refused = Socket::open(gateway.port, "vsn=2.0.0", &page).await;
    assert_eq!(refused.err(), Some(403));
    let right = json!({"password": PASSWORD});
    let (_, head, _) = raw(&gateway, "POST", "/api/v1/session", &asked, Some(&right)).await;
    assert!(head.contains("; Secure"), "{head}");
    // So is that of a client that nobody knows, which may say no origin.
    for (address, scheme, secure) in [
        ("203.0.113.20", "https", true),
        ("203.0.113.21", "http", false),
    ] {
        let headers = [("x-forwarded-for", address), ("x-forwarded-proto", scheme)];
        let (_, head, _) = raw(&gateway, "GET", "/longpoll?vsn=2.0.0", &headers, None).await;
        assert!(head.contains("tidegate_client="), "{head}");
        assert_eq!(head.contains("; Secure"), secure, "{head}");
    }
}

/// What is open on a machine to everybody there is not open to everybody whom a proxy lets through.
#[tokio::test]
async fn a_proxy_does_not_make_the_world_local() {
    let gateway = behind(&["--trusted-proxy", "127.0.0.1"]).await;
    let claims = [("x-forwarded-for", "127.0.0.1")];
    for headers in [&claims[..], &[]] {
        let (status, _) = request(&gateway, "GET", "/metrics", headers, None).await;
        assert_eq!(status, 401);
        let wanted = json!({"channel": "room"});
        let (status, _) = request(&gateway, "POST", "/token", headers, Some(&wanted)).await;
        assert_eq!(status, 403);
        let (status, _) = request(&gateway, "GET", "/api/v1/overview", headers, None).await;
        assert_eq!(status, 401);
    }
    let direct = behind(&[]).await;
    let (status, token) = request(
        &direct,
        "POST",
        "/token",
        &[],
        Some(&json!({"channel": "room"})),
    )
    .await;
    assert_eq!((status, token["channel"].as_str()), (200, Some("room")));
    assert_ne!(token["token"], Value::Null);
}
