//! Tokens that who has signed in asks for (`POST /token`): they end with the session.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Asks, HERE, gateway, member, refused, removed, signs_in};
use crate::gateway::{Gateway, PASSWORD, PATIENCE};
use crate::http_api::request;
use crate::socket::Socket;

const SECRET_OF_OLGA: &str = "open sesame";

/// A token for the topic `admin`, as the interface asks for it.
async fn token(gateway: &Gateway, cookie: &str) -> String {
    let wanted = json!({"channel": "admin", "id": "admin"});
    let headers = [("cookie", cookie), HERE];
    let (status, answer) = request(gateway, "POST", "/token", &headers, Some(&wanted)).await;
    assert_eq!(status, 200, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

/// A member on another gateway, which learns of a new session when it next asks the store.
async fn far_member(gateway: &Gateway, token: &str) -> Socket {
    let known = async { while refused(gateway, "admin", token).await != Value::Null {} };
    timeout(PATIENCE, known)
        .await
        .expect("the session is known");
    member(gateway, "admin", token).await
}

/// Olga, who has signed in, as the list of users has her.
async fn olga(admin: &Asks<'_>, gateway: &Gateway, role: &str) -> (String, String) {
    let user = json!({"name": "olga", "role": role, "password": SECRET_OF_OLGA});
    let made = admin.ok("POST", "/auth/users", user).await;
    let cookie = signs_in(gateway, "olga", SECRET_OF_OLGA).await.unwrap();
    (made["id"].as_str().unwrap().to_owned(), cookie)
}

/// P12: who signs out, or is put out, has no member and no token left on any gateway; and what every
/// visit of the interface asks for fills no list.
#[tokio::test]
async fn a_token_ends_with_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (gateway(&folder).await, gateway(&folder).await);
    let admin = Asks::admin(&here).await;
    let (id, cookie) = olga(&admin, &here, "viewer").await;
    let first = token(&here, &cookie).await;
    let mut near = member(&here, "admin", &first).await;
    let mut far = far_member(&there, &first).await;
    let listed = admin.ok("GET", "/auth/tokens", Value::Null).await;
    assert_eq!(listed["items"], json!([]));
    let headers = [("cookie", cookie.as_str()), HERE];
    let (status, _) = request(&here, "DELETE", "/api/v1/session", &headers, None).await;
    assert_eq!(status, 200);
    for socket in [&mut near, &mut far] {
        assert_eq!(removed(socket).await, "token revoked");
    }
    assert_eq!(refused(&there, "admin", &first).await, "token revoked");

    // The same for a user who is disabled, and for the built-in administrator whose session is ended.
    let cookie = signs_in(&here, "olga", SECRET_OF_OLGA).await.unwrap();
    let second = token(&here, &cookie).await;
    let mut near = member(&here, "admin", &second).await;
    let disabled = json!({"disabled": true});
    admin
        .ok("PUT", &format!("/auth/users/{id}"), disabled)
        .await;
    assert_eq!(removed(&mut near).await, "token revoked");
    let cookie = crate::http_api::sign_in(&there, PASSWORD).await;
    let third = token(&there, &cookie).await;
    let mut far = member(&there, "admin", &third).await;
    let sessions = admin.ok("GET", "/auth/sessions", Value::Null).await;
    let all = sessions
        .as_array()
        .or(sessions["items"].as_array())
        .unwrap();
    let latest = all
        .iter()
        .max_by_key(|session| session["created_at"].as_u64());
    let latest = latest.unwrap()["id"].as_str().unwrap();
    let path = format!("/auth/sessions/{latest}");
    admin.ok("DELETE", &path, Value::Null).await;
    assert_eq!(removed(&mut far).await, "token revoked");
}

/// P12: who has lost a role has no token with it any more; another one carries what is left.
#[tokio::test]
async fn a_token_has_no_role_that_its_user_has_lost() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (id, cookie) = olga(&admin, &gateway, "operator").await;
    let before = token(&gateway, &cookie).await;
    let mut socket = member(&gateway, "admin", &before).await;
    let viewer = json!({"role": "viewer"});
    admin.ok("PUT", &format!("/auth/users/{id}"), viewer).await;
    assert_eq!(removed(&mut socket).await, "token revoked");
    assert_eq!(refused(&gateway, "admin", &before).await, "token revoked");
    let after = token(&gateway, &cookie).await;
    assert_eq!(refused(&gateway, "admin", &after).await, Value::Null);
}
