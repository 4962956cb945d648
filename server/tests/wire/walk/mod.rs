//! The walk: every route of the API and every event of a socket, with everybody who could ask.

mod delivery;
mod events;
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, now, signed};
use crate::http_api::{raw, request, sign_in};
use table::{BESIDE, Line, TABLE};

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// Somebody who asks: how that one shows who it is, and the column of the table.
struct Walker {
    what: String,
    header: Option<(&'static str, String)>,
    column: usize,
}

impl Walker {
    fn new(what: &str, header: &'static str, value: String, column: usize) -> Self {
        Self {
            what: what.to_owned(),
            header: Some((header, value)),
            column,
        }
    }

    fn by_cookie(&self) -> bool {
        self.header
            .as_ref()
            .is_some_and(|(name, _)| *name == "cookie")
    }

    async fn ask(
        &self,
        gateway: &Gateway,
        line: &Line,
        more: &[(&str, &str)],
    ) -> (u16, String, Value) {
        let Line(method, _, at, body, _) = line;
        let mut headers = more.to_vec();
        if let Some((name, value)) = &self.header {
            headers.push((name, value));
        }
        let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
        let path = format!("/api/v1{at}");
        let (status, head, said) = raw(gateway, method, &path, &headers, body.as_ref()).await;
        let said = serde_json::from_str(&said).unwrap_or(Value::Null);
        (status, head, said)
    }
}

/// What the administrator does before the walk.
struct Stage {
    gateway: Gateway,
    cookie: String,
    _member: crate::socket::Socket,
}

impl Stage {
    async fn set() -> Self {
        let flags = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
        let gateway = Gateway::with(&flags, "").await;
        let member = gateway.joined("room", "alice").await;
        let cookie = sign_in(&gateway, PASSWORD).await;
        Self {
            gateway,
            cookie,
            _member: member,
        }
    }

    async fn does(&self, method: &str, path: &str, body: Value) -> Value {
        let headers = [("cookie", self.cookie.as_str()), HERE];
        let path = format!("/api/v1{path}");
        let body = (!body.is_null()).then_some(&body);
        let (status, said) = request(&self.gateway, method, &path, &headers, body).await;
        assert_eq!(status, 200, "{method} {path}: {said}");
        said
    }

    async fn key(&self, name: &str, role: &str, seconds: Option<u64>) -> (String, String) {
        let wanted = json!({"name": name, "role": role, "seconds": seconds});
        let made = self.does("POST", "/auth/api-keys", wanted).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["key"]), text(&made["info"]["id"]))
    }

    /// Everybody with a role, in every way to show it.
    async fn everybody(&self) -> Vec<Walker> {
        let mut all = Vec::new();
        for (column, role) in ["viewer", "operator", "admin"].into_iter().enumerate() {
            let (key, _) = self.key(&format!("{role}-key"), role, Some(600)).await;
            let header = format!("Bearer {key}");
            all.push(Walker::new(role, "authorization", header, column + 1));
            let user =
                json!({"name": format!("{role}-user"), "role": role, "password": "open sesame"});
            self.does("POST", "/auth/users", user).await;
            let user = json!({"name": format!("{role}-user"), "password": "open sesame"});
            let path = "/api/v1/session";
            let (status, head, _) = raw(&self.gateway, "POST", path, &[HERE], Some(&user)).await;
            assert_eq!(status, 200);
            let cookie = head
                .lines()
                .find_map(|line| line.strip_prefix("set-cookie: "));
            let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
            all.push(Walker::new(
                &format!("user {role}"),
                "cookie",
                cookie,
                column + 1,
            ));
        }
        all.push(Walker::new(
            "built-in admin",
            "cookie",
            self.cookie.clone(),
            3,
        ));
        let token = json!({"id": "ops", "channels": ["room"], "allow": ["admin"]});
        let token = self.does("POST", "/auth/token", token).await;
        let header = format!("Bearer {}", token["token"].as_str().unwrap());
        all.push(Walker::new("token for admin", "authorization", header, 3));
        all
    }

    /// Everybody who shows something that is no credential of the API, or is one no more.
    async fn nobody(&self) -> Vec<Walker> {
        let mut shown = Vec::new();
        for right in ["join", "push", "presence"] {
            let token = json!({"id": "client", "channels": ["room"], "allow": [right]});
            let token = self.does("POST", "/auth/token", token).await;
            shown.push((
                format!("client with {right}"),
                token["token"].as_str().unwrap().to_owned(),
            ));
        }
        let (ended, _) = self.key("ended", "admin", Some(1)).await;
        let header = format!("Bearer {ended}");
        let ends = async {
            loop {
                let headers = [("authorization", header.as_str())];
                let path = "/api/v1/overview";
                if request(&self.gateway, "GET", path, &headers, None).await.0 == 401 {
                    return;
                }
            }
        };
        timeout(PATIENCE, ends).await.unwrap();
        shown.push(("ended key".to_owned(), ended));
        let (revoked, id) = self.key("revoked", "admin", None).await;
        self.does("DELETE", &format!("/auth/api-keys/{id}"), Value::Null)
            .await;
        shown.push(("revoked key".to_owned(), revoked));
        let token = json!({"id": "gone", "channels": ["admin"], "allow": ["admin"]});
        let token = self.does("POST", "/auth/token", token).await;
        let token = token["token"].as_str().unwrap().to_owned();
        self.does("POST", "/auth/revoke", json!({"token": token}))
            .await;
        shown.push(("revoked token".to_owned(), token));
        let claims = json!({"id": "late", "channel": "admin", "exp": now() - 60});
        let late = signed(&claims, SECRET, jsonwebtoken::Algorithm::HS256);
        shown.push(("expired token".to_owned(), late));
        shown.push(("guess".to_owned(), format!("tgk_{}", "0".repeat(64))));
        shown
            .into_iter()
            .map(|(what, value)| Walker::new(&what, "authorization", format!("Bearer {value}"), 0))
            .collect()
    }
}

/// What a refusal says, as a problem: its kind, and who may.
fn check_problem(head: &str, said: &Value, line: &Line, column: usize, context: &str) {
    let status = line.4[column];
    assert!(
        head.contains("application/problem+json"),
        "{context}: {head}"
    );
    assert_eq!(said["status"], status, "{context}");
    let (title, detail) = match status {
        401 => ("Unauthorized", None),
        403 => {
            // Issuing asks for an operator before it looks at what is to be issued.
            let viewer_issues = column == 1 && line.1 == "/auth/token";
            let least = if line.4[2] == 403 && !viewer_issues {
                "admin"
            } else {
                "operator"
            };
            ("Forbidden", Some(format!("This needs the role {least}.")))
        }
        404 => ("Not Found", None),
        422 => ("Unprocessable Entity", None),
        other => panic!("{context}: {other}"),
    };
    assert_eq!(said["title"], title, "{context}");
    if let Some(detail) = detail {
        assert_eq!(said["detail"], detail, "{context}");
    }
}

/// A route that the table does not name, and a line without a route, fail: the document of the API is
/// made of the router itself.
#[tokio::test]
async fn the_table_names_every_route() {
    let stage = Stage::set().await;
    let (status, document) =
        request(&stage.gateway, "GET", "/api/v1/openapi.json", &[], None).await;
    assert_eq!(status, 200);
    let mut there = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if [
                "get", "put", "post", "delete", "patch", "options", "head", "trace",
            ]
            .contains(&method.as_str())
            {
                there.insert((method.to_uppercase(), path.replace("{*", "{")));
            }
        }
    }
    let api = TABLE
        .iter()
        .map(|line| (line.0.to_owned(), format!("/api/v1{}", line.1)));
    let beside = BESIDE
        .iter()
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    let named: BTreeSet<_> = api.chain(beside).collect();
    let unnamed: Vec<_> = there.difference(&named).collect();
    assert!(unnamed.is_empty(), "walk/table.rs lacks {unnamed:?}");
    let gone: Vec<_> = named.difference(&there).collect();
    assert!(
        gone.is_empty(),
        "walk/table.rs names what is not there: {gone:?}"
    );
}

/// Section 3: every route with everybody, as the table has it; a change with a cookie alone is refused
/// whoever it is.
#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says() {
    let stage = Stage::set().await;
    let gateway = &stage.gateway;
    let nobody = Walker {
        what: "nobody".to_owned(),
        header: None,
        column: 0,
    };
    let mut walkers = vec![nobody];
    walkers.extend(stage.everybody().await);
    for walker in &walkers {
        for line in TABLE {
            let Line(method, path, _, _, expected) = line;
            let context = format!("{}: {method} {path}", walker.what);
            if walker.by_cookie() && *method != "GET" {
                let (status, head, said) = walker.ask(gateway, line, &[]).await;
                let forbidden = said["detail"].as_str().unwrap_or_default();
                assert_eq!(status, 403, "{context}: {said}");
                assert!(head.contains("application/problem+json"), "{context}");
                assert!(
                    forbidden.contains("x-tidegate-request"),
                    "{context}: {said}"
                );
            }
            // Signing out would end the walk of whoever came with a cookie.
            if walker.by_cookie() && (*method, *path) == ("DELETE", "/session") {
                continue;
            }
            let (status, head, said) = walker.ask(gateway, line, &[HERE]).await;
            assert_eq!(status, expected[walker.column], "{context}: {said}");
            if status >= 400 {
                check_problem(&head, &said, line, walker.column, &context);
            }
        }
    }
}

/// P12: what is no credential of the API, or no more, opens no route at all, not even those
/// that are open to who shows nothing: whoever shows something believes in it.
#[tokio::test]
async fn no_route_takes_what_is_no_credential() {
    let stage = Stage::set().await;
    for walker in stage.nobody().await {
        for line in TABLE {
            let context = format!("{}: {} {}", walker.what, line.0, line.1);
            let (status, head, said) = walker.ask(&stage.gateway, line, &[HERE]).await;
            assert_eq!(status, 401, "{context}: {said}");
            let challenge = r#"www-authenticate: Bearer error="invalid_token""#;
            assert!(head.contains(challenge), "{context}: {head}");
        }
    }
}
