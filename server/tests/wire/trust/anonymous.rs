//! An anonymous client is known again by its cookie (G8).

use serde_json::{Value, json};
use tokio::time::{Duration, sleep, timeout};

use super::{Asks, removed};
use crate::gateway::{Gateway, PASSWORD, PATIENCE};
use crate::http_api::raw;
use crate::metrics::Scrape;
use crate::socket::Socket;

const OPEN: &str = "[[channels]]\npattern = \"lobby\"\njoin = \"public\"\n";

async fn gateway(flags: &[&str]) -> Gateway {
    Gateway::with(&[&["--admin-password", PASSWORD][..], flags].concat(), OPEN).await
}

async fn open(gateway: &Gateway, headers: &[(&str, &str)]) -> Socket {
    Socket::open(gateway.port, "vsn=2.0.0", headers)
        .await
        .unwrap()
}

/// `name=value` of the cookie that came with the handshake.
fn cookie(socket: &Socket) -> String {
    let cookie = socket.cookie.as_deref().expect("a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

/// Joins the lobby, and gives the user that presence shows.
async fn user(socket: &mut Socket) -> String {
    let reply = socket.ask(json!(["1", "1", "lobby", "phx_join", {}])).await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");
    let (id, _) = reply[4]["response"]["id"]
        .as_str()
        .unwrap()
        .split_once(':')
        .unwrap();
    let state = socket.expect_event("lobby", "presence_state").await;
    let users = state[4].as_object().unwrap();
    // The latest is this one, whoever else is there.
    let own = users.iter().find(|(_, user)| {
        let metas = user["metas"].as_array().unwrap();
        metas
            .iter()
            .any(|meta| meta["phx_ref"].as_str().unwrap().starts_with(id))
    });
    own.or_else(|| users.iter().next()).unwrap().0.clone()
}

/// G8: the same client with the cookie, another without; the cookie is out of reach of scripts and
/// of other sites, and where the page came over TLS it stays there.
#[tokio::test]
async fn a_client_comes_back_as_itself() {
    let gateway = gateway(&["--client-cookie-seconds", "1000"]).await;
    let mut first = open(&gateway, &[]).await;
    let set = first.cookie.clone().unwrap();
    for part in [
        "; HttpOnly",
        "; SameSite=Strict",
        "; Path=/",
        "; Max-Age=1000",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "{set}");
    let known = cookie(&first);
    let alice = user(&mut first).await;
    assert_eq!(alice.len(), 16);
    drop(first);
    let mut again = open(&gateway, &[("cookie", &format!("other=1; {known}"))]).await;
    assert_eq!(again.cookie, None);
    assert_eq!(user(&mut again).await, alice);
    let admin = Asks::admin(&gateway).await;
    let list = admin.ok("GET", "/connections", Value::Null).await;
    let clients: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["client"])
        .collect();
    assert!(clients.contains(&&json!(alice)), "{list}");
    drop(again);

    let other = open(&gateway, &[]).await;
    assert_ne!(cookie(&other), known);
    let forged = open(&gateway, &[("cookie", "tidegate_client=AAAA")]).await;
    assert!(forged.cookie.is_some());
    let tls = open(&gateway, &[("origin", "https://localhost")]).await;
    assert!(tls.cookie.unwrap().ends_with("; Secure"));

    // By polling it is the same client.
    let headers = [("cookie", known.as_str())];
    let (_, head, _) = raw(&gateway, "GET", "/longpoll?vsn=2.0.0", &headers, None).await;
    assert!(!head.contains("set-cookie"), "{head}");
    let (_, head, _) = raw(&gateway, "GET", "/longpoll?vsn=2.0.0", &[], None).await;
    assert!(head.contains("set-cookie: tidegate_client="), "{head}");
    let list = admin
        .ok("GET", &format!("/connections?search={alice}"), Value::Null)
        .await;
    assert!(
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["client"] == json!(alice)),
        "{list}"
    );
    let scrape = Scrape::of(&gateway).await;
    let count = |outcome| scrape.value("tidegate_client_cookies_total", &[("outcome", outcome)]);
    assert_eq!((count("known"), count("invalid")), (2.0, 1.0));
    assert_eq!(count("issued"), 5.0);
}

/// G8: a page of another site gets nowhere with the cookie.
#[tokio::test]
async fn a_foreign_page_cannot_use_the_cookie() {
    let gateway = gateway(&[]).await;
    let known = cookie(&open(&gateway, &[]).await);
    let headers = [
        ("origin", "https://evil.example"),
        ("cookie", known.as_str()),
    ];
    let refused = Socket::open(gateway.port, "vsn=2.0.0", &headers).await;
    assert_eq!(refused.err(), Some(403));
    let (_, head, body) = raw(&gateway, "GET", "/longpoll?vsn=2.0.0", &headers, None).await;
    assert!(
        body.contains("403") && !head.contains("set-cookie"),
        "{head}{body}"
    );
}

/// G8: after the end a new one; without the switch none at all, and the id is a random one.
#[tokio::test]
async fn a_cookie_ends() {
    let short = gateway(&["--client-cookie-seconds", "1"]).await;
    let known = cookie(&open(&short, &[]).await);
    timeout(PATIENCE, async {
        while open(&short, &[("cookie", &known)]).await.cookie.is_none() {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    let scrape = Scrape::of(&short).await;
    let expired = [("outcome", "expired")];
    assert_eq!(scrape.value("tidegate_client_cookies_total", &expired), 1.0);
    let off = gateway(&["--client-cookie-seconds", "0"]).await;
    let mut socket = open(&off, &[("cookie", &known)]).await;
    assert_eq!(socket.cookie, None);
    assert_eq!(user(&mut socket).await.len(), 8);
}

/// P12: an administrator ends an anonymous client: it leaves, cannot come back on this connection,
/// and is somebody else on the next.
#[tokio::test]
async fn an_anonymous_client_is_revoked() {
    let gateway = gateway(&[]).await;
    let admin = Asks::admin(&gateway).await;
    let mut socket = open(&gateway, &[]).await;
    let known = cookie(&socket);
    let alice = user(&mut socket).await;
    let mut bob = open(&gateway, &[]).await;
    user(&mut bob).await;
    admin
        .ok("POST", "/auth/revoke", json!({"subject": alice}))
        .await;
    assert_eq!(removed(&mut socket).await, "token revoked");
    let reply = socket.ask(json!(["2", "2", "lobby", "phx_join", {}])).await;
    assert_eq!(reply[4]["response"]["reason"], "token revoked", "{reply}");
    assert!(
        bob.settle()
            .await
            .iter()
            .all(|frame| frame[3] != "phx_close")
    );
    drop(bob);
    let mut back = open(&gateway, &[("cookie", &known)]).await;
    assert!(back.cookie.is_some());
    assert_ne!(user(&mut back).await, alice);
}

/// G8: several gateways with one key file, or one that was restarted, know the same clients; without
/// a data folder nobody does.
#[tokio::test]
async fn a_restart_forgets_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data-dir", folder.path().to_str().unwrap()];
    let first = gateway(&data).await;
    let known = cookie(&open(&first, &[]).await);
    drop(first);
    let second = gateway(&data).await;
    assert_eq!(open(&second, &[("cookie", &known)]).await.cookie, None);
    let other = gateway(&[]).await;
    assert!(open(&other, &[("cookie", &known)]).await.cookie.is_some());
}
