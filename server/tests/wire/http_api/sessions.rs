//! Signing in and out, and what is refused without.

use serde_json::json;

use super::{HERE, cookie, raw, request, sign_in};
use crate::gateway::{Gateway, PASSWORD};

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
