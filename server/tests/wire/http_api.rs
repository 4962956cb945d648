//! The admin API: who may use it, what it does, what it answers.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::{Gateway, PASSWORD};
use crate::socket::Socket;

/// One HTTP request, with the bytes spelled out so that nothing is normalised on the way.
pub async fn raw(
    gateway: &Gateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> (u16, String, String) {
    let body = body.map(|body| ("application/json", body.to_string()));
    let body = body.as_ref().map(|(kind, body)| (*kind, body.as_str()));
    with_body(gateway, method, path, headers, body).await
}

/// The same with a body of any kind.
pub async fn with_body(
    gateway: &Gateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<(&str, &str)>,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some((kind, body)) = body {
        text += &format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    } else if method == "POST" || method == "PUT" {
        text += "content-length: 0\r\n";
    }
    text += "\r\n";
    text += body.map(|(_, body)| body).unwrap_or_default();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// Status and parsed body.
pub async fn request(
    gateway: &Gateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> (u16, Value) {
    let (status, _, body) = raw(gateway, method, path, headers, body).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// Signs in and gives the `Cookie` header of the session.
pub async fn sign_in(gateway: &Gateway, password: &str) -> String {
    let body = json!({"password": password});
    let (status, head, body) = raw(gateway, "POST", "/api/v1/session", &[HERE], Some(&body)).await;
    assert_eq!(status, 200, "{body}");
    cookie(&head)
}

fn cookie(head: &str) -> String {
    let line = head
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .expect("a cookie");
    assert!(
        line.contains("HttpOnly") && line.contains("SameSite=Strict"),
        "{line}"
    );
    line["set-cookie: ".len()..]
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

struct Admin<'a> {
    gateway: &'a Gateway,
    cookie: String,
}

impl<'a> Admin<'a> {
    async fn of(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            cookie: sign_in(gateway, PASSWORD).await,
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let headers = [("cookie", self.cookie.as_str()), HERE];
        request(
            self.gateway,
            method,
            &format!("/api/v1{path}"),
            &headers,
            body,
        )
        .await
    }

    async fn done(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer["done"].as_str().unwrap().to_owned()
    }
}

async fn removed(member: &mut Socket, topic: &str) -> Value {
    loop {
        let frame = member.next().await;
        if frame[3] == "phx_close" && frame[2] == topic {
            assert_eq!(frame[0], frame[1], "the ref is the join's own");
            return frame[4]["reason"].clone();
        }
    }
}

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

/// Listing and searching channels, members and connections.
#[tokio::test]
async fn what_is_there_is_listed_and_found() {
    let gateway = Gateway::start().await;
    let _sockets = [
        gateway.joined("room:1", "alice").await,
        gateway.joined("room:2", "bob").await,
        gateway.joined("lounge", "carol").await,
    ];
    let admin = Admin::of(&gateway).await;
    let topics = async |query: &str| {
        let (status, page) = admin.ask("GET", &format!("/channels{query}"), None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        let topics: Vec<_> = items
            .iter()
            .map(|i| i["topic"].as_str().unwrap().to_owned())
            .collect();
        (
            topics,
            page["next"].clone(),
            page["total"].as_u64().unwrap(),
        )
    };
    assert_eq!(
        topics("").await,
        (
            vec!["lounge".into(), "room:1".into(), "room:2".into()],
            json!(null),
            3
        )
    );
    assert_eq!(topics("?search=ROOM").await.0, ["room:1", "room:2"]);
    assert_eq!(
        topics("?limit=2").await,
        (vec!["lounge".into(), "room:1".into()], json!("room:1"), 3)
    );
    assert_eq!(
        topics("?limit=2&after=room:1").await,
        (vec!["room:2".into()], json!(null), 3)
    );
    assert_eq!(admin.ask("GET", "/channels?limit=x", None).await.0, 400);

    let (_, room) = admin.ask("GET", "/channels/room%3A1", None).await;
    assert_eq!(
        (&room["members"], &room["definition"]["join"]),
        (&json!(1), &json!("token"))
    );
    assert_eq!(admin.ask("GET", "/channels/nothing", None).await.0, 404);
    let (_, members) = admin.ask("GET", "/channels/room%3A1/members", None).await;
    let member = &members["items"][0];
    assert_eq!(
        (&member["user"], &member["token"]),
        (&json!("alice"), &json!(true))
    );
    assert!(member["id"].as_str().unwrap().ends_with(":room:1:1"));

    let (_, found) = admin.ask("GET", "/connections?search=bob", None).await;
    assert_eq!(
        (&found["total"], &found["items"][0]["topics"]),
        (&json!(1), &json!(["room:2"]))
    );
    let (_, overview) = admin.ask("GET", "/overview", None).await;
    assert_eq!(overview["bus"]["kind"], "in-process");
}

/// Sending, removing and closing: each says what it did, and the clients see it.
#[tokio::test]
async fn actions_do_what_they_say() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut alice = gateway.joined("room", "alice").await;
    tap.expect_lifecycle("from:room:phx_join", "alice").await;
    let admin = Admin::of(&gateway).await;

    let event = json!({"event": "notice", "payload": {"text": "hi"}});
    let done = admin
        .done("POST", "/channels/room/events", Some(&event))
        .await;
    assert_eq!(done, "Sent notice to 1 member of room.");
    alice
        .expect(json!([null, null, "room", "notice", {"text": "hi"}]))
        .await;
    for (path, event) in [
        ("room", "phx_close"),
        ("room", "a:b"),
        ("admin", "x"),
        ("a%0Ab", "x"),
    ] {
        let body = json!({"event": event, "payload": {}});
        let (status, answer) = admin
            .ask("POST", &format!("/channels/{path}/events"), Some(&body))
            .await;
        assert_eq!(status, 422, "{answer}");
    }

    let (_, members) = admin.ask("GET", "/channels/room/members", None).await;
    let id = members["items"][0]["id"]
        .as_str()
        .unwrap()
        .replace(':', "%3A");
    let done = admin
        .done("DELETE", &format!("/channels/room/members/{id}"), None)
        .await;
    assert!(
        done.starts_with("Removed ") && done.ends_with(" from room."),
        "{done}"
    );
    assert_eq!(
        removed(&mut alice, "room").await,
        "removed by an administrator"
    );
    tap.expect_lifecycle("from:room:phx_leave", "alice").await;
    alice.expect_silence().await;
    assert_eq!(
        admin
            .ask("DELETE", &format!("/channels/room/members/{id}"), None)
            .await
            .0,
        404
    );

    let mut bob = gateway.joined("lounge", "bob").await;
    assert_eq!(
        admin.done("DELETE", "/channels/lounge", None).await,
        "Closed lounge and removed 1 member."
    );
    assert_eq!(
        removed(&mut bob, "lounge").await,
        "closed by an administrator"
    );

    let (_, found) = admin.ask("GET", "/connections", None).await;
    for connection in found["items"].as_array().unwrap() {
        let id = connection["id"].as_str().unwrap();
        assert_eq!(
            admin
                .done("DELETE", &format!("/connections/{id}"), None)
                .await,
            format!("Closed connection {id}.")
        );
    }
    assert_eq!(
        bob.closed().await,
        (1008, "closed by an administrator".to_owned())
    );
}

/// G6 in its plain form: a definition holds at once; who loses the right is removed and told.
#[tokio::test]
async fn a_definition_holds_at_once() {
    let gateway = Gateway::start().await;
    let admin = Admin::of(&gateway).await;
    let public = json!({"pattern": "news:*", "join": "public", "push": "nobody", "presence": "off", "relay": false});
    assert_eq!(
        admin.done("PUT", "/definitions", Some(&public)).await,
        "news:* is defined."
    );
    let mut anonymous = gateway.connect().await;
    assert_eq!(
        anonymous
            .ask(json!(["1", "1", "news:1", "phx_join", {}]))
            .await[4]["status"],
        "ok"
    );
    let push = anonymous.ask(json!(["1", "2", "news:1", "post", {}])).await;
    assert_eq!(push[4]["response"]["reason"], "push not allowed");

    let mut private = public.clone();
    private["join"] = json!("token");
    let done = admin.done("PUT", "/definitions", Some(&private)).await;
    assert_eq!(
        done,
        "news:* is defined; 1 member without the right to stay was removed."
    );
    assert_eq!(removed(&mut anonymous, "news:1").await, "unauthorized");
    assert_eq!(
        anonymous
            .ask(json!(["3", "3", "news:1", "phx_join", {}]))
            .await[4]["status"],
        "error"
    );

    let (_, all) = admin.ask("GET", "/definitions", None).await;
    assert!(
        all[0].get("pattern").is_none(),
        "the fallback is first: {all}"
    );
    assert!(
        all.as_array()
            .unwrap()
            .iter()
            .any(|d| d["pattern"] == "news:*")
    );
    admin.done("DELETE", "/definitions/news%3A*", None).await;
    assert_eq!(
        admin.ask("DELETE", "/definitions/news%3A*", None).await.0,
        404
    );
    for wrong in [
        json!({"join": "public"}),
        json!({"pattern": "admin"}),
        json!({"pattern": "a", "join": "x"}),
        json!({"pattern": "a", "typo": 1}),
    ] {
        assert_eq!(
            admin.ask("PUT", "/definitions", Some(&wrong)).await.0,
            422,
            "{wrong}"
        );
    }
}

/// T1: the operator's folder goes before the pages and the embedded files.
#[tokio::test]
async fn a_static_path_overrides_what_is_embedded() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["index.html", "favicon.svg", "admin.html"] {
        std::fs::write(folder.path().join(name), format!("my {name}")).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let flags = ["--static-path", path, "--admin-password", PASSWORD];
    let gateway = Gateway::with(&flags, "").await;
    for (path, body) in [
        ("/", "my index.html"),
        ("/?name=alice", "my index.html"),
        ("/favicon.svg", "my favicon.svg"),
        ("/admin.html", "my admin.html"),
    ] {
        let (status, _, got) = raw(&gateway, "GET", path, &[], None).await;
        assert_eq!((status, got.as_str()), (200, body), "{path}");
    }
    assert_eq!(
        raw(&gateway, "GET", "/api/v1/session", &[], None).await.0,
        200
    );
}

/// Nothing outside the embedded files is served, whatever the path.
#[tokio::test]
async fn paths_lead_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("public")).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    std::fs::write(folder.path().join("public/note.txt"), "a note").unwrap();
    std::os::unix::fs::symlink("../secret.txt", folder.path().join("public/link.txt")).unwrap();
    let public = folder.path().join("public");
    let gateway = Gateway::with(
        &[
            "--static-path",
            public.to_str().unwrap(),
            "--admin-password",
            PASSWORD,
        ],
        "",
    )
    .await;
    let (status, _, body) = raw(&gateway, "GET", "/note.txt", &[], None).await;
    assert_eq!((status, body.as_str()), (200, "a note"));
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/link.txt",
        "//etc/passwd",
        "/note.txt/../../secret.txt",
    ] {
        let (status, _, body) = raw(&gateway, "GET", path, &[], None).await;
        assert!(
            status >= 400 && !body.contains("a note") && body != "secret",
            "{path}: {status}"
        );
    }
}
