//! Tokens of outside issuers, whose keys a real HTTP server publishes (P10 to P12).
//!
//! What a token must say is tested in `crates/auth`; here is what the gateway does with keys that
//! come, change, and cannot be had, and with the tokens over sockets and HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep, timeout};

use super::{Asks, join, member, refused, removed};
use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, command, now};
use crate::http_api::raw;
use crate::long_poll::Poller;
use crate::metrics::Scrape;

/// Keys of tests; they sign nothing anywhere else.
const EC: &[u8] = include_bytes!("../../../../crates/auth/tests/keys/ec.der");
const ED: &[u8] = include_bytes!("../../../../crates/auth/tests/keys/ed.der");
const ACME: &str = "https://login.acme.example/";
const UNKNOWN: &str = "key of the token unknown";

fn public(algorithm: Algorithm, kid: &str) -> Value {
    let key = signer(algorithm);
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

fn signer(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_der(EC),
        _ => EncodingKey::from_ed_der(ED),
    }
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ACME, "aud": "tidegate", "sub": "alice", "channels": ["room"],
        "iat": now(), "exp": now() + 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn signed(algorithm: Algorithm, kid: &str, changes: Value) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    encode(&header, &claims(changes), &signer(algorithm)).unwrap()
}

fn ec(changes: Value) -> String {
    signed(Algorithm::ES256, "ec", changes)
}

/// An HTTP server that publishes keys, or does what the test wants instead.
struct Publisher {
    port: u16,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Publisher {
    async fn start(keys: &[Value]) -> Self {
        let answer = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (say, count) = (answer.clone(), asked.clone());
        let show = get(move || async move {
            count.fetch_add(1, Ordering::Relaxed);
            let answer = say.lock().clone();
            if answer.1 == "never" {
                std::future::pending::<()>().await;
            }
            answer
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = axum::Router::new().route("/keys", show);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let publisher = Self {
            port,
            answer,
            asked,
        };
        publisher.publish(keys);
        publisher
    }

    fn publish(&self, keys: &[Value]) {
        self.say(StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    fn say(&self, status: StatusCode, body: impl Into<String>) {
        *self.answer.lock() = (status, body.into());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn config(&self, more: &str) -> String {
        format!(
            "[[issuers]]\nissuer = \"{ACME}\"\naudience = [\"tidegate\"]\n\
             jwks = \"http://127.0.0.1:{}/keys\"\n{more}\n",
            self.port
        )
    }

    /// A gateway that takes tokens of this issuer, and has read its keys.
    async fn gateway(&self, flags: &[&str], more: &str) -> Gateway {
        let common = [
            "--jwt-secret",
            SECRET,
            "--admin-password",
            PASSWORD,
            "--jwks-retry-seconds",
            "1",
        ];
        let gateway = Gateway::with(&[&common[..], flags].concat(), &self.config(more)).await;
        let admin = Asks::admin(&gateway).await;
        until(&admin, |issuer| !issuer["read_at"].is_null()).await;
        gateway
    }
}

/// Waits until the list of issuers says of the first what is wanted, and gives it.
async fn until(admin: &Asks<'_>, wanted: impl Fn(&Value) -> bool) -> Value {
    timeout(PATIENCE, async {
        loop {
            let issuers = admin.ok("GET", "/auth/issuers", Value::Null).await;
            if wanted(&issuers[0]) {
                return issuers[0].clone();
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap()
}

/// P10, P11: a token opens its channel; a new key is found when the first token names it, and the
/// members of a key that is gone go with it.
#[tokio::test]
async fn keys_of_an_issuer_come_and_go() {
    let publisher = Publisher::start(&[public(Algorithm::ES256, "ec")]).await;
    let gateway = publisher.gateway(&[], "id_prefix = \"acme:\"").await;
    let admin = Asks::admin(&gateway).await;
    let mut alice = gateway.connect().await;
    assert_eq!(join(&mut alice, "room", &ec(json!({}))).await, Value::Null);
    let state = alice.expect_event("room", "presence_state").await;
    assert!(state[4].get("acme:alice").is_some(), "{state}");
    assert_eq!(
        refused(&gateway, "other", &ec(json!({}))).await,
        "token is for another channel"
    );
    let said = admin
        .ok("POST", "/auth/introspect", json!({"token": ec(json!({}))}))
        .await;
    assert_eq!(said["sub"], "acme:alice");
    assert_eq!(said["iss"], ACME);
    assert_eq!(said["kid"], format!("{ACME}#ec"));

    // Not an administrator here, whatever it says.
    let boss = ec(json!({"channels": ["room", "admin"], "allow": ["join", "admin"]}));
    assert_eq!(
        refused(&gateway, "admin", &boss).await,
        "token is for another channel"
    );
    let asks = Asks::bearer(&gateway, &boss);
    assert_eq!(asks.ask("GET", "/overview", Value::Null).await.0, 401);

    let new = signed(Algorithm::EdDSA, "ed", json!({}));
    assert_eq!(refused(&gateway, "room", &new).await, UNKNOWN);
    publisher.publish(&[
        public(Algorithm::ES256, "ec"),
        public(Algorithm::EdDSA, "ed"),
    ]);
    opens(&gateway, &new).await;
    alice.settle().await;
    assert_eq!(refused(&gateway, "room", &ec(json!({}))).await, Value::Null);

    publisher.publish(&[public(Algorithm::EdDSA, "ed")]);
    let asking = signed(Algorithm::EdDSA, "nobody's", json!({}));
    assert_eq!(refused(&gateway, "room", &asking).await, UNKNOWN);
    assert_eq!(removed(&mut alice).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &ec(json!({}))).await, UNKNOWN);
    let scrape = Scrape::of(&gateway).await;
    let label = ("issuer", ACME);
    assert_eq!(scrape.value("tidegate_issuer_up", &[label]), 1.0);
    assert_eq!(scrape.value("tidegate_issuer_keys", &[label]), 1.0);
    let tokens = |outcome| {
        scrape.value(
            "tidegate_issuer_tokens_total",
            &[label, ("outcome", outcome)],
        )
    };
    assert!(tokens("accepted") >= 4.0 && tokens("unknown_key") >= 3.0);
}

/// Waits until the token opens its channel: clients try again as well.
async fn opens(gateway: &Gateway, token: &str) {
    timeout(PATIENCE, async {
        while refused(gateway, "room", token).await != Value::Null {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
}

/// An issuer that fails, answers nonsense, too much or never: the keys that were read stay good,
/// and the trouble shows. `refresh_seconds` is a second, so each answer is met soon.
#[tokio::test]
async fn the_last_good_keys_stay() {
    let key = public(Algorithm::ES256, "ec");
    let publisher = Publisher::start(std::slice::from_ref(&key)).await;
    let flags = [
        "--jwks-max-bytes",
        "2048",
        "--jwks-max-keys",
        "3",
        "--jwks-timeout-seconds",
        "1",
    ];
    let gateway = publisher.gateway(&flags, "refresh_seconds = 1").await;
    let admin = Asks::admin(&gateway).await;
    let many = json!({ "keys": vec![key.clone(); 4] }).to_string();
    let symmetric = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "ec"}]}).to_string();
    for (status, body, says) in [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new(), "500"),
        (StatusCode::FOUND, String::new(), "302"),
        (StatusCode::OK, "<html>".to_owned(), "no JSON Web Key Set"),
        (StatusCode::OK, " ".repeat(3000), "more than 2048 bytes"),
        (StatusCode::OK, many, "at most 3"),
        (StatusCode::OK, symmetric, "symmetric"),
        (StatusCode::OK, "never".to_owned(), "within 1 seconds"),
    ] {
        publisher.say(status, body);
        let found = until(&admin, |issuer| {
            issuer["error"]
                .as_str()
                .is_some_and(|error| error.contains(says))
        })
        .await;
        assert_eq!(found["keys"], json!([{"kid": "ec", "algorithm": "ES256"}]));
        assert_eq!(refused(&gateway, "room", &ec(json!({}))).await, Value::Null);
    }
    let scrape = Scrape::of(&gateway).await;
    let label = ("issuer", ACME);
    assert_eq!(scrape.value("tidegate_issuer_up", &[label]), 0.0);
    let failed = [label, ("outcome", "failed")];
    assert!(scrape.value("tidegate_issuer_reads_total", &failed) >= 7.0);
    publisher.publish(&[key]);
    until(&admin, |issuer| issuer["error"].is_null()).await;
}

/// A flood of unknown keys is no flood of requests.
#[tokio::test]
async fn unknown_keys_are_asked_for_now_and_then() {
    let publisher = Publisher::start(&[public(Algorithm::ES256, "ec")]).await;
    let gateway = publisher.gateway(&[], "").await;
    let began = Instant::now();
    let mut socket = gateway.connect().await;
    for n in 0..300 {
        let token = signed(Algorithm::ES256, &format!("unknown {n}"), json!({}));
        let frame = json!(["1", "1", format!("room{n}"), "phx_join", {"token": token}]);
        assert_eq!(socket.ask(frame).await[4]["response"]["reason"], UNKNOWN);
    }
    let most = 2 + began.elapsed().as_secs() as usize;
    assert!(publisher.asked() <= most, "{} > {most}", publisher.asked());
}

/// P10: over HTTP every bad token is 401 with `WWW-Authenticate: Bearer error="invalid_token"`. The
/// issuer comes by flags and its keys from a file; `admin` needs the file of settings.
#[tokio::test]
async fn bad_tokens_are_challenged() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let document = json!({"keys": [public(Algorithm::ES256, "ec")]});
    std::fs::write(&keys, document.to_string()).unwrap();
    let config = format!(
        "[[issuers]]\nissuer = \"{ACME}\"\naudience = [\"tidegate\"]\njwks = {keys:?}\nadmin = true\n"
    );
    let common = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    let gateway = Gateway::with(&common, &config).await;
    let admin = Asks::admin(&gateway).await;
    until(&admin, |issuer| !issuer["read_at"].is_null()).await;
    let boss = |changes: Value| {
        let mut all = json!({"allow": ["admin"]});
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    };
    let good = ec(boss(json!({})));
    let asks = Asks::bearer(&gateway, &good);
    asks.ok("GET", "/overview", Value::Null).await;
    let (message, _) = good.rsplit_once('.').unwrap();
    let (_, body) = message.split_once('.').unwrap();
    let hs256 = {
        let secret = public(Algorithm::ES256, "ec").to_string();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("ec".to_owned());
        let key = EncodingKey::from_secret(secret.as_bytes());
        encode(&header, &claims(boss(json!({}))), &key).unwrap()
    };
    for bad in [
        "a.b.c".to_owned(),
        format!("eyJhbGciOiJub25lIn0.{body}."),
        format!("{message}.AAAA"),
        hs256,
        signed(Algorithm::EdDSA, "ec", boss(json!({}))),
        signed(Algorithm::ES256, "../ec", boss(json!({}))),
        ec(boss(json!({"exp": now() - 60}))),
        ec(boss(json!({"nbf": now() + 60}))),
        ec(boss(json!({"aud": "another"}))),
        ec(boss(json!({"iss": "https://another.example/"}))),
        ec(json!({})),
    ] {
        let header = format!("Bearer {bad}");
        let headers = [("authorization", header.as_str())];
        let (status, head, _) = raw(&gateway, "GET", "/api/v1/overview", &headers, None).await;
        assert_eq!(status, 401, "{bad}");
        let challenge = r#"www-authenticate: Bearer error="invalid_token""#;
        assert!(head.contains(challenge), "{head}");
    }
    let (status, head, _) = raw(&gateway, "GET", "/api/v1/overview", &[], None).await;
    assert!(
        status == 401 && head.lines().any(|line| line == "www-authenticate: Bearer"),
        "{head}"
    );

    let flags = [
        "--issuer",
        ACME,
        "--issuer-audience",
        "another, tidegate",
        "--issuer-jwks",
        keys.to_str().unwrap(),
        "--issuer-channels",
        "room",
    ];
    let gateway = Gateway::with(&[&common[..], &flags].concat(), "").await;
    let admin = Asks::admin(&gateway).await;
    until(&admin, |issuer| !issuer["read_at"].is_null()).await;
    let nowhere = ec(json!({"channels": null}));
    assert_eq!(refused(&gateway, "room", &nowhere).await, Value::Null);
}

/// P12: by subject, and by the token where it has a name. Members are warned, renew and go as those
/// with the gateway's own tokens do, over a socket and by polling.
#[tokio::test]
async fn outside_members_are_warned_renewed_and_revoked() {
    let publisher = Publisher::start(&[public(Algorithm::ES256, "ec")]).await;
    let gateway = publisher
        .gateway(&["--token-warning-seconds", "60"], "")
        .await;
    let admin = Asks::admin(&gateway).await;
    let short = |user: &str| ec(json!({"sub": user, "exp": now() + 30}));
    let mut socket = member(&gateway, "room", &short("ann")).await;
    let poller = Poller::open(&gateway, "vsn=2.0.0", true).await;
    let frame = json!(["1", "1", "room", "phx_join", {"token": short("ben")}]);
    poller.send(&[frame]).await;
    let warned = timeout(PATIENCE, async {
        loop {
            let frame = socket.next().await;
            if frame[3] == "token_expiring" {
                return frame;
            }
        }
    });
    assert!(warned.await.unwrap()[4]["seconds"].as_u64().unwrap() <= 30);
    let mut polled = Vec::new();
    while !polled
        .iter()
        .any(|frame: &Value| frame[3] == "token_expiring")
    {
        polled.extend(poller.frames(1).await);
    }

    // Of somebody else it is refused, of the same user it holds.
    let renew = |user: &str| {
        let token = ec(json!({"sub": user, "jti": "long", "channels": ["room"]}));
        json!(["1", "2", "room", "access_token", {"access_token": token}])
    };
    socket.send(renew("ben")).await;
    socket.send(renew("ann")).await;
    let replies: Vec<_> = socket.settle().await;
    let said: Vec<_> = replies
        .iter()
        .filter(|frame| frame[3] == "phx_reply")
        .map(|frame| &frame[4]["status"])
        .collect();
    assert_eq!(said, ["error", "ok"]);
    poller.send(&[renew("ben")]).await;
    let reply = loop {
        let frames = poller.frames(1).await;
        if let Some(reply) = frames
            .into_iter()
            .find(|frame| frame[3] == "phx_reply" && frame[1] == "2")
        {
            break reply;
        }
    };
    assert_eq!(reply[4]["status"], "ok", "{reply}");

    let bens = short("ben");
    admin
        .ok("POST", "/auth/revoke", json!({"subject": "ben"}))
        .await;
    let mut ended = Vec::new();
    while !ended.iter().any(|frame: &Value| frame[3] == "phx_close") {
        ended.extend(poller.frames(1).await);
    }
    assert_eq!(refused(&gateway, "room", &bens).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &short("ann")).await, Value::Null);
    let name = format!("{ACME}#long");
    admin.ok("POST", "/auth/revoke", json!({"jti": name})).await;
    assert_eq!(removed(&mut socket).await, "token revoked");
}

/// What is wrong with an issuer is said before anything starts.
#[tokio::test]
async fn an_issuer_is_checked_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("issuers.toml");
    let good = format!("issuer = \"{ACME}\"\naudience = [\"a\"]\njwks = \"/keys.json\"");
    let entry = |text: &str| format!("[[issuers]]\n{text}\n");
    for (text, says) in [
        (entry("audience = [\"a\"]\njwks = \"x\""), "`issuer` is"),
        (
            entry(&format!("issuer = \"{ACME}\"\njwks = \"x\"")),
            "`audience` must",
        ),
        (
            entry(&format!("issuer = \"{ACME}\"\naudience = [\"a\"]")),
            "`jwks` must",
        ),
        (
            entry(&good.replace("/keys.json", "ftp://x/keys")),
            "is no address",
        ),
        (
            entry(&good.replace("/keys.json", "https://u:p@x/keys")),
            "has a user in it",
        ),
        (
            entry(&format!("{good}\nchannels = [\"admin\"]")),
            "admin = true",
        ),
        (
            entry(&format!("{good}\nchannels = [\"a\\nb\"]")),
            "no topic",
        ),
        (
            entry(&format!("{good}\nleeway_seconds = 400")),
            "set the clock",
        ),
        (
            entry(&format!("{good}\nalgorithms = []")),
            "`algorithms` is empty",
        ),
        (
            entry(&format!("{good}\nalgorithms = [\"HS256\"]")),
            "unknown variant `HS256`",
        ),
        (
            entry(&format!("{good}\n[issuers.roles.chat]\nchannels = [\"a\"]")),
            "`roles_claim`",
        ),
        (
            entry(&format!("{good}\naudiences = []")),
            "unknown field `audiences`",
        ),
        ([entry(&good), entry(&good)].concat(), "there twice"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let output = command()
            .arg("check-config")
            .arg("--config")
            .arg(&file)
            .output();
        let output = output.await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(says),
            "{text}: {said}"
        );
    }
}

/// Without TLS nobody beyond the machine is asked, unless the operator says so.
#[tokio::test]
async fn keys_are_not_asked_for_in_the_clear() {
    let config = format!(
        "[[issuers]]\nissuer = \"{ACME}\"\naudience = [\"a\"]\njwks = \"http://192.0.2.1/keys\"\n"
    );
    let flags = ["--admin-password", PASSWORD];
    let gateway = Gateway::with(&flags, &config).await;
    let admin = Asks::admin(&gateway).await;
    until(&admin, |issuer| {
        let error = issuer["error"].as_str();
        error.is_some_and(|error| error.contains("not asked without TLS"))
    })
    .await;
}

/// Over https keys come from whom the operator's authorities vouch for, and from nobody else.
#[tokio::test]
async fn keys_come_over_tls() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/auth/tests/keys");
    let certificate = format!("{keys}/localhost.pem");
    let port = tls_server(&certificate, &format!("{keys}/localhost.der")).await;
    let config = |more: &str| {
        format!(
            "[[issuers]]\nissuer = \"{ACME}\"\naudience = [\"a\"]\n\
             jwks = \"https://localhost:{port}/keys\"\n{more}"
        )
    };
    let flags = ["--admin-password", PASSWORD];
    let vouched = config(&format!("authorities = {certificate:?}\n"));
    let gateway = Gateway::with(&flags, &vouched).await;
    let admin = Asks::admin(&gateway).await;
    let issuer = until(&admin, |issuer| !issuer["read_at"].is_null()).await;
    assert_eq!(issuer["keys"][0]["kid"], "ec");
    let gateway = Gateway::with(&flags, &config("")).await;
    let admin = Asks::admin(&gateway).await;
    let issuer = until(&admin, |issuer| !issuer["error"].is_null()).await;
    assert!(
        issuer["error"].as_str().unwrap().contains("certificate"),
        "{issuer}"
    );
    assert_eq!(issuer["read_at"], Value::Null);
}

/// Answers every request with a key set, over TLS.
async fn tls_server(certificate: &str, key: &str) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio_rustls::rustls::{ServerConfig, crypto::ring};
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    let key = PrivateKeyDer::try_from(std::fs::read(key).unwrap()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = json!({"keys": [public(Algorithm::ES256, "ec")]}).to_string();
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                let Ok(mut socket) = acceptor.accept(socket).await else {
                    return;
                };
                let mut head = [0; 4096];
                let _ = socket.read(&mut head).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                let _ = socket.shutdown().await;
            });
        }
    });
    port
}
