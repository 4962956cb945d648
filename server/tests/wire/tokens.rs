//! `POST /token` (A13).

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD};
use crate::http_api::{request, sign_in};

/// A session counts only with what no page of another site can send.
const HERE: (&str, &str) = ("x-tidegate-request", "1");

async fn ask(gateway: &Gateway, body: &Value) -> (u16, Value) {
    request(gateway, "POST", "/token", &[], Some(body)).await
}

/// A13: the answer, and that its token opens the channel it names and no other.
#[tokio::test]
async fn a_token_is_issued_and_opens_its_channel() {
    let gateway = Gateway::start().await;
    let (status, answer) = ask(&gateway, &json!({"channel": "room", "id": "alice"})).await;
    assert_eq!(
        (status, &answer["id"], &answer["channel"]),
        (200, &json!("alice"), &json!("room"))
    );
    assert_eq!(answer.as_object().unwrap().len(), 3);
    let mut socket = gateway.connect().await;
    let join = |topic: &str| json!(["1", "1", topic, "phx_join", {"token": answer["token"]}]);
    assert_eq!(socket.ask(join("other")).await[4]["status"], "error");
    assert_eq!(socket.ask(join("room")).await[4]["status"], "ok");
}

/// A13: no id, null or blank: a random one.
#[tokio::test]
async fn an_absent_id_is_a_random_one() {
    let gateway = Gateway::start().await;
    let mut ids = Vec::new();
    for body in [
        json!({"channel": "r"}),
        json!({"channel": "r", "id": null}),
        json!({"channel": "r", "id": " "}),
    ] {
        let (status, answer) = ask(&gateway, &body).await;
        assert_eq!(status, 200);
        ids.push(answer["id"].as_str().unwrap().to_owned());
    }
    assert!(
        ids.iter()
            .all(|id| id.len() == 8 && id.chars().all(|c| c.is_ascii_alphanumeric()))
    );
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn wrong_requests_have_their_answers() {
    let gateway = Gateway::start().await;
    for (body, status) in [
        (json!({}), 422),
        (json!({"channel": 5}), 422),
        (json!({"channel": ""}), 422),
        (json!({"channel": "a\nb"}), 422),
        (json!({"channel": "r", "id": "x".repeat(256)}), 422),
    ] {
        let (got, answer) = ask(&gateway, &body).await;
        assert_eq!(got, status, "{body}");
        assert!(
            answer["detail"].as_str().is_some_and(|d| d.ends_with('.')),
            "{answer}"
        );
    }
    assert_eq!(request(&gateway, "GET", "/token", &[], None).await.0, 405);
    assert_eq!(request(&gateway, "POST", "/token", &[], None).await.0, 415);
}

/// A13: a token for `admin` needs the admin credential.
#[tokio::test]
async fn a_token_for_admin_needs_the_credential() {
    let gateway = Gateway::start().await;
    for channel in ["admin", "admin:*", "admin:watch:room"] {
        assert_eq!(
            ask(&gateway, &json!({"channel": channel})).await.0,
            401,
            "{channel}"
        );
    }
    let cookie = sign_in(&gateway, PASSWORD).await;
    let body = json!({"channel": "admin"});
    let (status, answer) = request(
        &gateway,
        "POST",
        "/token",
        &[("cookie", &cookie), HERE],
        Some(&body),
    )
    .await;
    assert_eq!(status, 200, "{answer}");
    let mut socket = gateway.connect().await;
    let join = json!(["1", "1", "admin", "phx_join", {"token": answer["token"]}]);
    assert_eq!(socket.ask(join).await[4]["status"], "ok");
}

/// A13: beyond loopback, open issuance must be asked for by name.
#[tokio::test]
async fn beyond_loopback_tokens_are_for_administrators() {
    let closed = Gateway::with(&["--host", "0.0.0.0", "--admin-password", PASSWORD], "").await;
    let (status, answer) = ask(&closed, &json!({"channel": "room"})).await;
    assert_eq!(status, 403);
    assert!(
        answer["detail"].as_str().unwrap().contains("--open-tokens"),
        "{answer}"
    );
    let cookie = sign_in(&closed, PASSWORD).await;
    let body = json!({"channel": "room"});
    assert_eq!(
        request(
            &closed,
            "POST",
            "/token",
            &[("cookie", &cookie), HERE],
            Some(&body)
        )
        .await
        .0,
        200
    );

    let flags = [
        "--host",
        "0.0.0.0",
        "--open-tokens",
        "--admin-password",
        PASSWORD,
    ];
    let open = Gateway::with(&flags, "").await;
    assert_eq!(ask(&open, &json!({"channel": "room"})).await.0, 200);
}

/// A13: `--tangram-compat`, and only it, lets a socket's token for `system` open other topics.
#[tokio::test]
async fn tangrams_older_pages_need_the_switch() {
    for (flags, status) in [
        (vec!["--admin-password", PASSWORD], "error"),
        (vec!["--admin-password", PASSWORD, "--tangram-compat"], "ok"),
    ] {
        let gateway = Gateway::with(&flags, "").await;
        let (_, answer) = ask(&gateway, &json!({"channel": "system"})).await;
        let query = format!("vsn=2.0.0&userToken={}", answer["token"].as_str().unwrap());
        let mut socket = crate::socket::Socket::open(gateway.port, &query, &[])
            .await
            .unwrap();
        let admin = socket.ask(json!(["1", "1", "admin", "phx_join", {}])).await;
        assert_eq!(admin[4]["status"], "error");
        let reply = socket
            .ask(json!(["2", "2", "streaming-x", "phx_join", {}]))
            .await;
        assert_eq!(reply[4]["status"], status);
    }
}
