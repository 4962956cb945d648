//! Files of a folder of the operator's, and nothing beside it.

use super::raw;
use crate::gateway::{Gateway, PASSWORD};

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
