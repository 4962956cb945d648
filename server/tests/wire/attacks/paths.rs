//! Paths that lead elsewhere: in the assets, in the operator's folder, and in the parts of routes.

use serde_json::{Value, json};

use super::{HERE, Target, statuses};
use crate::http_api::raw;

/// Ways up, spelled as whoever writes them hopes that somebody will decode them.
const UP: [&str; 16] = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%2E%2E%2F",
    "%252e%252e%252f",
    "..%252f",
    "..\\",
    "..%5c",
    "%2e%2e%5c",
    "....//",
    "..;/",
    ".%00./",
    "%c0%ae%c0%ae/",
    "%u002e%u002e/",
    "..%00/",
];

/// Nothing outside the folder and outside the assets is ever answered, however it is asked for.
#[tokio::test]
async fn no_path_leads_out_of_the_assets() {
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public");
    std::fs::create_dir_all(public.join("deep")).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "the secret").unwrap();
    std::fs::write(public.join("note.txt"), "a note").unwrap();
    std::os::unix::fs::symlink(folder.path(), public.join("deep/out")).unwrap();
    let mut target = Target::with(&["--static-path", public.to_str().unwrap()]).await;
    let mut asked = vec![
        "/deep/out/secret.txt".to_owned(),
        "/note.txt%00.html".to_owned(),
        "/deep".to_owned(),
        "/deep/".to_owned(),
        "/.".to_owned(),
        "/./secret.txt".to_owned(),
        "//etc/passwd".to_owned(),
        "/\\etc\\passwd".to_owned(),
        "/C:/secret.txt".to_owned(),
        format!("/{}", folder.path().join("secret.txt").display()),
        "/file:///etc/passwd".to_owned(),
        "/~root/".to_owned(),
        "/proc/self/environ".to_owned(),
        "/Cargo.toml".to_owned(),
    ];
    for up in UP {
        for (from, times) in [("", 1), ("deep/", 2), ("pkg/", 2), ("pkg/", 12)] {
            asked.push(format!("/{from}{}secret.txt", up.repeat(times)));
            asked.push(format!("/{from}{}etc/passwd", up.repeat(times)));
            asked.push(format!("/{from}{}Cargo.toml", up.repeat(times)));
        }
    }
    for path in &asked {
        let (status, _, body) = raw(&target.gateway, "GET", path, &[], None).await;
        assert!([400, 404].contains(&status), "{path}: {status}");
        for told in ["the secret", "root:", "[workspace]", "[package]", "a note"] {
            assert!(!body.contains(told), "{path}");
        }
    }
    let (status, _, body) = raw(&target.gateway, "GET", "/note.txt", &[], None).await;
    assert_eq!((status, body.as_str()), (200, "a note"));
    // In the form of a proxy's request, and as bytes that no path may have.
    for line in [
        "GET http://evil.example/../secret.txt HTTP/1.1",
        "GET /note.txt#/../secret.txt HTTP/1.1",
        "GET ../secret.txt HTTP/1.1",
        "GET /\u{0}secret.txt HTTP/1.1",
        "GET /\u{202e}secret.txt HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET * HTTP/1.1",
    ] {
        let asks = format!("{line}\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        let said = target.speak(asks.as_bytes()).await;
        assert!(!said.contains("the secret"), "{line}");
        let status = statuses(&said)[0];
        assert!([400, 404, 200].contains(&status), "{line}: {status}");
    }
    target.unharmed().await;
}

/// What stands in a route's place for a name is that name and nothing more: it is not found, or not
/// a name at all, and the problem says so on one line.
#[tokio::test]
async fn names_in_routes_are_only_names() {
    let mut target = Target::start().await;
    let mut names = vec![
        "%00".to_owned(),
        "a%00b".to_owned(),
        "%0d%0aset-cookie:%20a=b".to_owned(),
        "%1b%5b31m".to_owned(),
        "%e2%80%ae".to_owned(),
        "'%20OR%20'1'='1".to_owned(),
        "%25".to_owned(),
        "*".to_owned(),
        "a".repeat(20_000),
    ];
    names.extend(
        UP.iter()
            .map(|up| format!("{up}x").replace('/', "%2f").replace('\\', "%5c")),
    );
    let before = target.admin("GET", "/definitions", Value::Null).await;
    for name in &names {
        for (method, path) in [
            ("GET", format!("/channels/{name}")),
            ("GET", format!("/channels/{name}/members")),
            ("DELETE", format!("/channels/{name}")),
            ("DELETE", format!("/channels/bystanders/members/{name}")),
            ("DELETE", format!("/connections/{name}")),
            ("DELETE", format!("/definitions/{name}")),
            ("DELETE", format!("/auth/tokens/{name}")),
            ("DELETE", format!("/auth/keys/{name}")),
            ("DELETE", format!("/auth/users/{name}")),
            ("DELETE", format!("/auth/sessions/{name}")),
            ("DELETE", format!("/auth/api-keys/{name}")),
        ] {
            let headers = [("cookie", target.cookie.as_str()), HERE];
            let path = format!("/api/v1{path}");
            let (status, head, body) = raw(&target.gateway, method, &path, &headers, None).await;
            let expected = [400, 404, 422];
            assert!(
                expected.contains(&status),
                "{method} {path}: {status} {body}"
            );
            assert!(!head.contains("set-cookie"), "{head}");
            assert!(
                head.contains("application/problem+json"),
                "{method} {path}: {head}"
            );
            assert_eq!(body.lines().count(), 1, "{body}");
            let problem: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(problem["status"], json!(status), "{body}");
        }
    }
    assert_eq!(
        before,
        target.admin("GET", "/definitions", Value::Null).await
    );
    target.unharmed().await;
}
