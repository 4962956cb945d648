//! The document of the HTTP API, against the gateway that serves it.

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD};
use crate::http_api::{raw, request, sign_in};

const METHODS: [&str; 5] = ["get", "post", "put", "delete", "options"];
const HERE: (&str, &str) = ("x-tidegate-request", "1");

async fn document(gateway: &Gateway) -> Value {
    let (status, head, body) = raw(gateway, "GET", "/api/v1/openapi.json", &[], None).await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/json"), "{head}");
    serde_json::from_str(&body).unwrap()
}

/// Every operation of `/api/v1`: method, path, what is said of it.
fn operations(document: &Value) -> Vec<(String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .filter(|(path, _)| path.starts_with("/api/v1/"))
        .flat_map(|(path, item)| {
            METHODS.iter().filter_map(move |method| {
                let operation = item.get(*method)?;
                Some((method.to_ascii_uppercase(), path, operation))
            })
        })
        .collect()
}

/// The path with something in place of its parameters.
fn filled(path: &str, with: &str) -> String {
    path.split('{')
        .enumerate()
        .map(|(at, part)| match (at, part.split_once('}')) {
            (1.., Some((_, rest))) => format!("{with}{rest}"),
            _ => part.to_owned(),
        })
        .collect()
}

/// The weakest role that may ask, as the document says it; none where everybody may.
fn role(operation: &Value) -> Option<&str> {
    let ways = operation["security"].as_array().unwrap();
    if ways.iter().any(|way| way.as_object().unwrap().is_empty()) {
        return None;
    }
    let bearer = ways.iter().find_map(|way| way.get("bearer"));
    Some(bearer.unwrap()[0].as_str().unwrap())
}

async fn api_key(gateway: &Gateway, cookie: &str, role: &str) -> String {
    let body = json!({"name": format!("a-{role}"), "role": role});
    let headers = [("cookie", cookie), HERE];
    let made = request(
        gateway,
        "POST",
        "/api/v1/auth/api-keys",
        &headers,
        Some(&body),
    )
    .await;
    format!("Bearer {}", made.1["key"].as_str().unwrap())
}

/// P3: who may ask is as the document says: nobody without a key, no role that is too weak, and
/// who is strong enough is not refused for that.
#[tokio::test]
async fn roles_are_as_the_document_says() {
    let gateway = Gateway::start().await;
    let document = document(&gateway).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let ranks = ["viewer", "operator", "admin"];
    let mut keys = Vec::new();
    for role in ranks {
        keys.push(api_key(&gateway, &cookie, role).await);
    }
    for (method, path, operation) in operations(&document) {
        let Some(needed) = role(operation) else {
            continue;
        };
        let needed = ranks.iter().position(|role| *role == needed).unwrap();
        // Nobody is called that: what is allowed finds nothing, or an empty body that is refused.
        let target = filled(path, "nothing-of-this-name");
        let (status, _) = request(&gateway, &method, &target, &[], None).await;
        assert_eq!(status, 401, "{method} {path} without a key");
        for (rank, key) in keys.iter().enumerate() {
            let headers = [("authorization", key.as_str())];
            let (status, answer) = request(&gateway, &method, &target, &headers, None).await;
            let refused = status == 403;
            assert_eq!(
                refused,
                rank < needed,
                "{method} {path} as {}: {answer}",
                ranks[rank]
            );
            assert_ne!(status, 401, "{method} {path} as {}", ranks[rank]);
            let known = operation["responses"].get(status.to_string());
            assert!(
                known.is_some(),
                "{method} {path}: {status} is not in the document"
            );
        }
    }
}

/// P3: errors are problem details, whatever is wrong with a request; a method that an address does
/// not know is refused with those that it does.
#[tokio::test]
async fn errors_are_problem_details() {
    let gateway = Gateway::start().await;
    let document = document(&gateway).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), HERE];
    for (method, path, operation) in operations(&document) {
        let target = filled(path, "x");
        let (status, head, _) = raw(&gateway, "PATCH", &target, &headers, None).await;
        assert_eq!(status, 405, "{path}");
        let allow = head.lines().find(|line| line.starts_with("allow: "));
        assert!(allow.is_some_and(|line| line.contains(&method)), "{head}");
        if path.contains('{') {
            let target = filled(path, "%FF");
            let body = operation.get("requestBody").map(|_| json!({}));
            let (status, problem) =
                request(&gateway, &method, &target, &headers, body.as_ref()).await;
            assert_eq!(
                (status, &problem["status"]),
                (400, &json!(400)),
                "{target}: {problem}"
            );
        }
    }
}

/// P3: a body is the object that the document says, never a list of its fields; a key that never ends
/// by itself says so with nothing, not with a number beyond time.
#[tokio::test]
async fn bodies_are_what_the_document_says() {
    let gateway = Gateway::start().await;
    let document = document(&gateway).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), HERE];
    let mut asked = 0;
    for (method, path, operation) in operations(&document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let Some(name) = schema["$ref"].as_str() else {
            continue;
        };
        // What may be more than one thing is judged by who reads it.
        if document.pointer(&name[1..]).unwrap()["type"] != "object" {
            continue;
        }
        let target = filled(path, "x");
        for body in [json!([]), json!([null, null]), json!("x"), json!(null)] {
            let (status, problem) =
                request(&gateway, &method, &target, &headers, Some(&body)).await;
            assert_eq!(status, 422, "{method} {path} {body}: {problem}");
        }
        asked += 1;
    }
    assert!(asked >= 9, "{asked}");
    for (seconds, status) in [
        (0_u64, 422),
        (1, 200),
        (3_155_760_000, 200),
        (u64::MAX, 422),
    ] {
        let body = json!({"name": format!("k{seconds}"), "role": "viewer", "seconds": seconds});
        let path = "/api/v1/auth/api-keys";
        let (got, answer) = request(&gateway, "POST", path, &headers, Some(&body)).await;
        assert_eq!(got, status, "{answer}");
    }
}
