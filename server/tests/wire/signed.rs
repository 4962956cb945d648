//! Requests that programs sign (P15), and pages of other sites (CORS).

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, command, now};
use crate::http_api::{raw, request, sign_in};

const SIGNING: &str = "a secret of programs, 32 bytes and more";
const EVENTS: &str = "/api/v1/channels/room/events";

/// A gateway that takes signed requests, with its folder.
async fn taking(folder: &std::path::Path, flags: &[&str]) -> Gateway {
    let file = folder.join("internal-secret");
    std::fs::write(&file, format!("{SIGNING}\n")).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let common = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--internal-secret-file",
        file.to_str().unwrap(),
    ];
    Gateway::with(&[&common[..], flags].concat(), "").await
}

/// A secret that others on the machine can read is not taken; what mends it is said.
#[tokio::test]
async fn a_secret_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for name in ["internal-secret", "key"] {
        let file = folder.path().join(name);
        std::fs::write(&file, SIGNING).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let mut serve = command();
        serve.args([
            "serve",
            "--port",
            "0",
            "--bus-listen",
            "none",
            "--data-dir",
            data,
        ]);
        if name == "internal-secret" {
            serve.arg("--internal-secret-file").arg(&file);
        }
        let output = timeout(PATIENCE, serve.output()).await.unwrap().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let complaint = String::from_utf8_lossy(&output.stderr);
        let mends = format!("chmod 600 {}", file.display());
        assert!(complaint.contains(&mends), "{complaint}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nonce() -> String {
    tidegate_store::new_id()
}

/// A signature as docs/PROTOCOL.md describes it.
fn signature(secret: &str, time: u64, nonce: &str, head: [&str; 3], body: &str) -> String {
    let [method, path, query] = head;
    let digest = hex(&Sha256::digest(body.as_bytes()));
    let text = format!("v1\n{time}\n{nonce}\n{method}\n{path}\n{query}\n{digest}");
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hmac.update(text.as_bytes());
    let mac = hex(&hmac.finalize().into_bytes());
    format!("t={time},n={nonce},b={digest},v1={mac}")
}

async fn send(
    gateway: &Gateway,
    method: &str,
    path: &str,
    signed: &str,
    body: Option<&Value>,
) -> u16 {
    let headers = [("x-tidegate-signature", signed)];
    raw(gateway, method, path, &headers, body).await.0
}

fn event() -> Value {
    json!({"event": "hello", "payload": {"n": 1}})
}

/// P15: a right signature passes, once; with any one of method, path, query, body, time and nonce
/// changed it fails, and so does one that is too old or of another secret.
#[tokio::test]
async fn a_signed_request_passes_once_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = taking(folder.path(), &[]).await;
    let body = event().to_string();
    let head = ["POST", EVENTS, "a=1"];
    let path = format!("{EVENTS}?a=1");
    let sign = |time, nonce: &str| signature(SIGNING, time, nonce, head, &body);
    let good = sign(now(), &nonce());
    let (status, answer) = {
        let headers = [("x-tidegate-signature", good.as_str())];
        request(&gateway, "POST", &path, &headers, Some(&event())).await
    };
    assert_eq!(status, 200, "{answer}");
    let again = send(&gateway, "POST", &path, &good, Some(&event())).await;
    assert_eq!(again, 401, "a replay");

    let fresh = || sign(now(), &nonce());
    let other = json!({"event": "hello", "payload": {"n": 2}});
    let other_query = format!("{EVENTS}?a=2");
    let elsewhere = "/api/v1/channels/other/events?a=1";
    for (what, method, path, body) in [
        ("method", "PUT", path.as_str(), Some(&event())),
        ("path", "POST", elsewhere, Some(&event())),
        ("query", "POST", other_query.as_str(), Some(&event())),
        ("no query", "POST", EVENTS, Some(&event())),
        ("body", "POST", path.as_str(), Some(&other)),
        ("no body", "POST", path.as_str(), None),
    ] {
        let status = send(&gateway, method, path, &fresh(), body).await;
        assert_eq!(status, 401, "another {what}");
    }
    let (time, name) = (now(), nonce());
    let good = sign(time, &name);
    for (what, changed) in [
        (
            "time",
            good.replace(&format!("t={time}"), &format!("t={}", time + 1)),
        ),
        ("nonce", good.replace(&name, &nonce())),
        (
            "secret",
            signature(
                "another secret of thirty-two bytes",
                time,
                &nonce(),
                head,
                &body,
            ),
        ),
        ("old", sign(time - 302, &nonce())),
        ("future", sign(time + 60, &nonce())),
        ("nothing", String::new()),
        ("half", good.rsplit_once(',').unwrap().0.to_owned()),
    ] {
        let status = send(&gateway, "POST", &path, &changed, Some(&event())).await;
        assert_eq!(status, 401, "another {what}");
    }
    let twice = [
        ("x-tidegate-signature", good.as_str()),
        ("x-tidegate-signature", good.as_str()),
    ];
    let (status, _) = request(&gateway, "POST", &path, &twice, Some(&event())).await;
    assert_eq!(status, 401, "two signatures");
    // None of the tries has used up the nonce.
    assert_eq!(
        send(&gateway, "POST", &path, &good, Some(&event())).await,
        200
    );
    let old = sign(now() - 295, &nonce());
    assert_eq!(
        send(&gateway, "POST", &path, &old, Some(&event())).await,
        200
    );
}

/// P15: it is an operator unless it is said otherwise, it is recorded, and it is internal by its
/// signature alone: no header of a proxy makes a request so.
#[tokio::test]
async fn a_signed_request_is_an_operator() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = taking(folder.path(), &["--trusted-proxy", "127.0.0.1"]).await;
    let ask = async |gateway: &Gateway, path: &str| {
        let signed = signature(SIGNING, now(), &nonce(), ["GET", path, ""], "");
        send(gateway, "GET", path, &signed, None).await
    };
    assert_eq!(ask(&gateway, "/api/v1/overview").await, 200);
    assert_eq!(ask(&gateway, "/api/v1/auth/tokens").await, 200);
    assert_eq!(
        ask(&gateway, "/api/v1/auth/users").await,
        403,
        "for administrators"
    );
    for address in ["127.0.0.1", "::1", "10.0.0.1"] {
        let claims = [
            ("x-forwarded-for", address),
            ("x-real-ip", address),
            ("forwarded", "for=127.0.0.1"),
            ("x-tidegate-request", "1"),
        ];
        let (status, _) = request(&gateway, "GET", "/api/v1/overview", &claims, None).await;
        assert_eq!(status, 401, "{address}");
    }
    let cookie = sign_in(&gateway, PASSWORD).await;
    let recorded = timeout(PATIENCE, async {
        loop {
            let path = "/api/v1/activity?principal=internal&refused=true";
            let headers = [("cookie", cookie.as_str())];
            let (_, found) = request(&gateway, "GET", path, &headers, None).await;
            if let Some(action) = found["items"][0]["action"].as_str() {
                return action.to_owned();
            }
        }
    });
    assert_eq!(recorded.await.unwrap(), "GET /api/v1/auth/users");
    drop(gateway);

    let gateway = taking(folder.path(), &["--internal-role", "admin"]).await;
    assert_eq!(ask(&gateway, "/api/v1/auth/users").await, 200);
    let without = Gateway::start().await;
    assert_eq!(
        ask(&without, "/api/v1/overview").await,
        401,
        "no secret is set"
    );
}

/// P15: what one gateway has let in no other one lets in, and none after a restart.
#[tokio::test]
async fn a_replay_fails_on_every_gateway_that_shares_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let shared = ["--data-dir", data.to_str().unwrap()];
    let one = taking(folder.path(), &shared).await;
    let other = taking(folder.path(), &shared).await;
    let path = "/api/v1/overview";
    let signed = signature(SIGNING, now(), &nonce(), ["GET", path, ""], "");
    assert_eq!(send(&one, "GET", path, &signed, None).await, 200);
    assert_eq!(send(&other, "GET", path, &signed, None).await, 401);
    drop((one, other));
    let again = taking(folder.path(), &shared).await;
    assert_eq!(send(&again, "GET", path, &signed, None).await, 401);
}

/// P15: the memory of nonces is bounded; a full one lets nobody in.
#[tokio::test]
async fn nonces_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = taking(folder.path(), &["--max-nonces", "2"]).await;
    let path = "/api/v1/overview";
    let sign = || signature(SIGNING, now(), &nonce(), ["GET", path, ""], "");
    for _ in 0..2 {
        assert_eq!(send(&gateway, "GET", path, &sign(), None).await, 200);
    }
    let signed = sign();
    let headers = [("x-tidegate-signature", signed.as_str())];
    let (status, head, _) = raw(&gateway, "GET", path, &headers, None).await;
    assert_eq!(status, 503);
    assert!(head.contains("retry-after: "), "{head}");
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// Pages of listed origins may use the API with what they hold themselves, never with a cookie; no
/// other page may, and without a list none.
#[tokio::test]
async fn pages_of_other_sites() {
    let listed = [
        "--allowed-origins",
        "https://app.example.com,//*.trusted.example",
    ];
    let open = Gateway::with(&listed, "").await;
    let closed = Gateway::with(&[], "").await;
    let preflight = async |gateway: &Gateway, path: &str, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            (
                "access-control-request-headers",
                "authorization,content-type",
            ),
        ];
        raw(gateway, "OPTIONS", path, &headers, None).await.1
    };
    for path in ["/api/v1/definitions", "/api/v1/overview", "/token"] {
        for origin in ["https://app.example.com", "http://a.trusted.example"] {
            let head = preflight(&open, path, origin).await;
            assert_eq!(value(&head, "access-control-allow-origin"), Some(origin));
            let methods = value(&head, "access-control-allow-methods").unwrap();
            assert!(
                methods.contains("PUT") && methods.contains("DELETE"),
                "{head}"
            );
            let headers = value(&head, "access-control-allow-headers").unwrap();
            assert!(headers.contains("authorization"), "{head}");
            assert!(
                !headers.contains('*') && !headers.contains("x-tidegate"),
                "{head}"
            );
            assert_eq!(value(&head, "access-control-allow-credentials"), None);
            let elsewhere = preflight(&closed, path, origin).await;
            assert_eq!(value(&elsewhere, "access-control-allow-origin"), None);
        }
        for origin in ["https://evil.example", "null", "http://app.example.com"] {
            let head = preflight(&open, path, origin).await;
            assert_eq!(
                value(&head, "access-control-allow-origin"),
                None,
                "{origin}"
            );
        }
    }
    let page = [("origin", "https://app.example.com")];
    let (status, head, _) = raw(&open, "GET", "/api/v1/session", &page, None).await;
    assert_eq!(status, 200);
    assert_eq!(value(&head, "access-control-allow-origin"), Some(page[0].1));
    assert_eq!(value(&head, "access-control-allow-credentials"), None);
    let exposed = value(&head, "access-control-expose-headers").unwrap();
    assert!(exposed.contains("retry-after"), "{head}");
    assert!(
        value(&head, "vary").is_some_and(|vary| vary.contains("origin")),
        "{head}"
    );
    let page = [("origin", "https://evil.example")];
    let (_, head, _) = raw(&open, "GET", "/api/v1/session", &page, None).await;
    assert_eq!(value(&head, "access-control-allow-origin"), None);
}
