//! Tokens whose times are far off.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{Target, join_reason, now};
use crate::gateway::{SECRET, signed};

/// `exp`, `nbf` and `iat` in another age, of another kind, and at the edge of what can be counted.
#[tokio::test]
async fn times_that_are_far_off_open_nothing() {
    let mut target = Target::start().await;
    let now = now();
    for (times, reason) in [
        (json!({"exp": 0}), "token expired"),
        (json!({"exp": 1}), "token expired"),
        (json!({"exp": now - 60}), "token expired"),
        (json!({"exp": now - 6}), "token expired"),
        (json!({"exp": -1}), "invalid token"),
        (json!({"exp": i64::MIN}), "invalid token"),
        (json!({"exp": 1e300}), "invalid token"),
        (json!({"exp": null}), "invalid token"),
        (json!({"exp": (now + 600).to_string()}), "invalid token"),
        (json!({"exp": [now + 600]}), "invalid token"),
        (json!({}), "invalid token"),
        (json!({"exp": now + 600, "nbf": now + 300}), "invalid token"),
        (json!({"exp": now + 600, "nbf": u64::MAX}), "invalid token"),
        (json!({"exp": u64::MAX, "nbf": now + 30}), "invalid token"),
        // Issued when nobody can have issued it: no revocation of its subject would ever hold it.
        (json!({"exp": now + 600, "iat": now + 300}), "invalid token"),
        (json!({"exp": u64::MAX, "iat": u64::MAX}), "invalid token"),
        (json!({"exp": now + 600, "iat": -1}), "invalid token"),
        (json!({"exp": now + 600, "iat": "now"}), "invalid token"),
    ] {
        let mut claims = json!({"id": "mallory", "channel": "room"});
        for (name, value) in times.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = signed(&claims, SECRET, Algorithm::HS256);
        let mut socket = target.gateway.connect().await;
        let payload = json!({"token": token});
        assert_eq!(
            join_reason(&mut socket, "room", payload).await,
            reason,
            "{claims}"
        );
        let (_, said) = target
            .admin("POST", "/auth/introspect", json!({"token": token}))
            .await;
        assert_eq!(said, json!({"active": false, "reason": reason}), "{claims}");
    }
    target.unharmed().await;
}

/// A token that never ends is a token like any other: it joins, pushes, and is revoked.
#[tokio::test]
async fn a_token_without_end_can_be_revoked() {
    let mut target = Target::start().await;
    for (n, exp) in [u64::MAX, u64::MAX / 1000, i64::MAX as u64]
        .into_iter()
        .enumerate()
    {
        let name = format!("endless-{n}");
        let claims = json!({"id": name, "channel": "room", "exp": exp, "jti": name, "iat": 0});
        let token = signed(&claims, SECRET, Algorithm::HS256);
        let mut socket = target.gateway.connect().await;
        let payload = json!({"token": token});
        let answer = join_reason(&mut socket, "room", payload.clone()).await;
        assert_eq!(answer, Value::Null, "{exp}");
        let push = json!(["1", "2", "room", "say", {}]);
        socket.send(push).await;
        let revoke = json!({"token": token});
        assert_eq!(target.admin("POST", "/auth/revoke", revoke).await.0, 200);
        while socket.next().await[3] != "phx_close" {}
        let answer = join_reason(&mut socket, "room", payload).await;
        assert_eq!(answer, "token revoked", "{exp}");
    }
    target.unharmed().await;
}
