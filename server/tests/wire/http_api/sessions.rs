//! Signing in and out, and what is refused without.

use serde_json::json;

use super::{HERE, cookie, raw, request, sign_in};
use crate::gateway::{Gateway, PASSWORD, command};
use crate::system::in_the_store;

/// No route answers without a session; none changes anything without the header (CSRF).
#[tokio::test]
async fn every_route_needs_a_session_and_changes_need_the_header() {
    let gateway = Gateway::start().await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    for (method, path) in [
        ("GET", "/overview"),
        ("GET", "/channels"),
        ("GET", "/channels/room"),
        ("GET", "/channels/room/members"),
        ("DELETE", "/channels/room"),
        ("DELETE", "/channels/room/members/x"),
        ("POST", "/channels/room/events"),
        ("GET", "/definitions"),
        ("PUT", "/definitions"),
        ("DELETE", "/definitions/room"),
        ("GET", "/connections"),
        ("DELETE", "/connections/x"),
    ] {
        let path = format!("/api/v1{path}");
        let (status, answer) = request(&gateway, method, &path, &[HERE], None).await;
        assert_eq!(status, 401, "{method} {path}: {answer}");
        let forged = [("cookie", "tidegate_session=forged"), HERE];
        assert_eq!(request(&gateway, method, &path, &forged, None).await.0, 401);
        if method != "GET" {
            let (status, _) = request(&gateway, method, &path, &[("cookie", &cookie)], None).await;
            assert_eq!(status, 403, "{method} {path}");
        }
    }
    assert_eq!(
        request(&gateway, "GET", "/api/v1/nothing", &[], None)
            .await
            .0,
        404
    );
    assert_eq!(
        request(&gateway, "PATCH", "/api/v1/overview", &[], None)
            .await
            .0,
        405
    );
}

/// The password, the slow-down, signing out.
#[tokio::test]
async fn signing_in_and_out() {
    let gateway = Gateway::start().await;
    let (_, session) = request(&gateway, "GET", "/api/v1/session", &[], None).await;
    assert_eq!(
        session,
        json!({"admin": false, "password_login": true, "expires_at": null})
    );
    let cookie = sign_in(&gateway, PASSWORD).await;
    let with = [("cookie", cookie.as_str()), HERE];
    let (_, session) = request(&gateway, "GET", "/api/v1/session", &with, None).await;
    assert_eq!(session["admin"], true);
    assert_eq!(
        request(&gateway, "DELETE", "/api/v1/session", &with, None)
            .await
            .0,
        200
    );
    assert_eq!(
        request(&gateway, "GET", "/api/v1/overview", &with, None)
            .await
            .0,
        401
    );

    let guess = json!({"password": "guess"});
    assert_eq!(
        request(&gateway, "POST", "/api/v1/session", &[], Some(&guess))
            .await
            .0,
        403
    );
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(
            request(&gateway, "POST", "/api/v1/session", &[HERE], Some(&guess))
                .await
                .0,
        );
    }
    assert_eq!(statuses[..3], [401, 401, 401]);
    let body = json!({"password": PASSWORD});
    let (status, head, _) = raw(&gateway, "POST", "/api/v1/session", &[HERE], Some(&body)).await;
    assert_eq!(status, 429);
    assert!(head.contains("retry-after: "), "{head}");
}

/// A link that was followed at one gateway is used up at every other of the same store; a store that
/// does not answer keeps nobody out.
#[tokio::test]
async fn a_link_works_once_among_all_gateways() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let flags = ["--data-dir", data, "--admin-password", PASSWORD];
    let gateways = [
        Gateway::with(&flags, "").await,
        Gateway::with(&flags, "").await,
    ];
    let link = async || {
        let made = command()
            .args(["admin-link", "--data-dir", data])
            .output()
            .await
            .unwrap();
        let made = String::from_utf8(made.stdout).unwrap();
        let at = made
            .find("/login?link=")
            .unwrap_or_else(|| panic!("{made}"));
        made[at..].trim().to_owned()
    };
    let follow = async |at: usize, link: &str| {
        let (status, head, _) = raw(&gateways[at], "GET", link, &[], None).await;
        assert_eq!(status, 303, "{head}");
        head.contains("set-cookie")
    };
    let first = link().await;
    assert!(follow(0, &first).await);
    assert!(!follow(1, &first).await && !follow(0, &first).await);
    let second = link().await;
    in_the_store(&folder, "ALTER TABLE nonces RENAME TO elsewhere").await;
    assert!(follow(1, &second).await);
    assert!(!follow(1, &second).await, "this one remembers");
}

/// Every 401 says how one signs in (RFC 9110), and not in a way that opens a window of the browser.
#[tokio::test]
async fn every_401_has_a_challenge() {
    let gateway = Gateway::start().await;
    let wrong = json!({"password": "guess"});
    let nobody = json!({"name": "nobody", "password": "guess"});
    let signed = [("x-tidegate-signature", "t=1,n=x,b=y,v1=z")];
    for (method, path, headers, body) in [
        ("POST", "/api/v1/session", &[HERE][..], Some(&wrong)),
        ("POST", "/api/v1/session", &[HERE][..], Some(&nobody)),
        ("GET", "/api/v1/overview", &signed[..], None),
        ("GET", "/api/v1/overview", &[][..], None),
    ] {
        let (status, head, body) = raw(&gateway, method, path, headers, body).await;
        assert_eq!(status, 401, "{body}");
        let challenges = head
            .lines()
            .filter(|line| line.starts_with("www-authenticate: "));
        let challenges: Vec<_> = challenges.collect();
        assert_eq!(challenges, ["www-authenticate: Bearer"], "{head}");
    }
}

/// Without a password, the printed link opens one session, once.
#[tokio::test]
async fn the_printed_link_works_once() {
    let gateway = Gateway::with(&[], "").await;
    let link = gateway.admin_link.clone().unwrap();
    let path = link.split_once(&format!(":{}", gateway.port)).unwrap().1;
    let (status, head, _) = raw(&gateway, "GET", path, &[], None).await;
    assert_eq!(status, 303, "{head}");
    let cookie = cookie(&head);
    let with = [("cookie", cookie.as_str())];
    assert_eq!(
        request(&gateway, "GET", "/api/v1/overview", &with, None)
            .await
            .0,
        200
    );
    let (_, head, _) = raw(&gateway, "GET", path, &[], None).await;
    assert!(
        head.contains("location: /admin?link=refused") && !head.contains("set-cookie"),
        "{head}"
    );
}
