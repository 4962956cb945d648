//! What is kept in the store: the same through the API and on the folder.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{Place, as_json, at, ok, refused, run, said};
use crate::gateway::{Gateway, PASSWORD, SECRET};

/// P20: users, from both sides; what one side does the other shows.
#[tokio::test]
async fn users() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    for (one, other, name) in [(&api, &folder, "anna"), (&folder, &api, "olga")] {
        let add = ["user", "add", name, "--role", "operator"];
        let added = said(&at(one, &add, "correct horse\n").await);
        assert_eq!(added, format!("Added user {name} as operator."));
        let listed = ok(other, &["user", "list"]).await;
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
        let cells: Vec<_> = line.split_whitespace().take(3).collect();
        assert_eq!(cells, [name, "operator", "enabled"]);
        assert_eq!(
            ok(one, &["user", "role", name, "admin"]).await,
            format!("User {name} is admin.")
        );
        assert_eq!(
            ok(one, &["user", "disable", name]).await,
            format!("User {name} may not sign in.")
        );
        let listed = as_json(other, &["user", "list"]).await;
        let found = |listed: &Value| {
            let all = listed.as_array().unwrap().clone();
            all.into_iter().find(|user| user["name"] == name)
        };
        let user = found(&listed).unwrap();
        assert_eq!(
            (&user["role"], &user["disabled"]),
            (&json!("admin"), &json!(true))
        );
        ok(one, &["user", "enable", name]).await;
        // P1: two consumers that ask the same get the same.
        assert_eq!(
            as_json(one, &["user", "list"]).await,
            as_json(other, &["user", "list"]).await
        );
        let password = place.folder.path().join("password");
        std::fs::write(&password, "battery staple\n").unwrap();
        let file = password.to_str().unwrap();
        let changed = ok(one, &["user", "password", name, "--password-file", file]).await;
        assert_eq!(changed, format!("User {name} has a new password."));
        ok(one, &["user", "remove", name]).await;
        assert!(found(&as_json(other, &["user", "list"]).await).is_none());
        let (code, complaint) = refused(&at(one, &["user", "disable", name], "").await);
        assert_eq!(code, 1);
        assert!(complaint.contains("there is no user"), "{complaint}");
    }
    let (code, complaint) = refused(&at(&api, &["user", "add", "eve"], "short\n").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("at least 8 characters"), "{complaint}");
    let (_, complaint) = refused(&at(&folder, &["user", "add", "eve"], "").await);
    assert!(complaint.contains("nothing was entered"), "{complaint}");
}

/// P20, P12: tokens are issued, listed, looked into and revoked, from both sides.
#[tokio::test]
async fn tokens() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    for (one, other, subject) in [(&api, &folder, "alice"), (&folder, &api, "bob")] {
        let issue = [
            "token",
            "issue",
            "--channel",
            "room,news:*",
            "--subject",
            subject,
        ];
        let more = ["--seconds", "60", "--allow", "join,presence"];
        let token = ok(one, &[&issue[..], &more[..]].concat()).await;
        let introspected = said(&at(other, &["token", "introspect"], &token).await);
        for line in [
            format!("subject   {subject}"),
            "channels  room news:*".to_owned(),
            "allow     join,presence".to_owned(),
        ] {
            assert!(introspected.contains(&line), "{introspected}");
        }
        let listed = as_json(other, &["token", "list", "--subject", subject]).await;
        let info = &listed[0];
        assert_eq!(info["channels"], json!(["room", "news:*"]));
        let jti = info["jti"].as_str().unwrap();
        assert!(!ok(one, &["token", "list"]).await.contains(&token));
        let revoked = ok(one, &["token", "revoke", jti]).await;
        assert!(
            revoked.starts_with(&format!("Token {jti} is refused")),
            "{revoked}"
        );
        let (code, complaint) = refused(&at(one, &["token", "introspect"], &token).await);
        assert_eq!(
            (code, complaint.as_str()),
            (1, "tidegate: the token is not good: token revoked")
        );
        // By the token itself, by its subject, by its key.
        let token = ok(one, &["token", "issue", "--channel", "room"]).await;
        let done = said(&at(one, &["token", "revoke", "--token-file", "-"], &token).await);
        assert!(done.contains("is refused"), "{done}");
        ok(one, &["token", "revoke", "--subject", subject]).await;
        let listed = as_json(one, &["token", "list", "--subject", subject]).await;
        let all = listed.as_array().unwrap();
        assert!(
            all.iter().all(|token| token["revoked_at"].is_u64()),
            "{all:?}"
        );
    }
    // One of the four ways must be said.
    let (code, _) = refused(&at(&api, &["token", "revoke"], "").await);
    assert_eq!(code, 2);
    // A token never stands on the command line.
    let (code, _) = refused(&at(&api, &["token", "introspect", "eyJ"], "").await);
    assert_eq!(code, 2);
}

/// P11, P20: keys are listed, rotated and revoked; `rotate-key` is an old name of it.
#[tokio::test]
async fn keys() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    let kid = async |at: &[String]| {
        let keys = as_json(at, &["key", "list"]).await;
        keys[0]["kid"].as_str().unwrap().to_owned()
    };
    let first = kid(&api).await;
    let done = ok(&folder, &["key", "rotate"]).await;
    let second = kid(&api).await;
    assert_ne!(first, second);
    assert!(done.contains(&second), "{done}");
    let done = ok(&api, &["key", "revoke", &first]).await;
    assert!(done.contains(&first), "{done}");
    let listed = ok(&folder, &["key", "list"]).await;
    let line = listed
        .lines()
        .find(|line| line.starts_with(&first))
        .unwrap();
    assert!(line.contains("revoked"), "{listed}");
    ok(&folder, &["rotate-key", "--immediate"]).await;
    let (code, complaint) = refused(&at(&api, &["key", "revoke", &kid(&api).await], "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("rotate"), "{complaint}");
}

/// API keys are made, listed without the key, and refused once revoked.
#[tokio::test]
async fn api_keys() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    let key = ok(
        &api,
        &[
            "api-key",
            "add",
            "screen",
            "--role",
            "viewer",
            "--seconds",
            "600",
        ],
    )
    .await;
    let listed = ok(&folder, &["api-key", "list"]).await;
    let line = listed.lines().find(|line| line.contains("screen")).unwrap();
    assert!(
        line.contains("viewer") && line.contains(&key[..10]),
        "{listed}"
    );
    assert!(!listed.contains(&key));
    let as_screen = async |args: &[&str]| {
        let server = format!("http://127.0.0.1:{}", place.gateway.port);
        let mut command = crate::gateway::command();
        command.args(args).args(["--server", &server]);
        command
            .env("TIDEGATE_API_KEY", &key)
            .output()
            .await
            .unwrap()
    };
    said(&as_screen(&["channel", "definitions", "list"]).await);
    let (code, complaint) = refused(&as_screen(&["user", "list"]).await);
    assert_eq!(
        (code, complaint.as_str()),
        (1, "tidegate: This needs the role admin.")
    );
    ok(&folder, &["api-key", "revoke", "screen"]).await;
    // A gateway that runs learns of it by itself.
    loop {
        let tried = as_screen(&["channel", "definitions", "list"]).await;
        if !tried.status.success() {
            break;
        }
    }
}

/// G6, P20: definitions are kept; what is not said of one that is there stays.
#[tokio::test]
async fn definitions() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    let put = ["channel", "definitions", "put", "game:*"];
    ok(
        &folder,
        &[&put[..], &["--join", "public", "--relay", "--stamp"]].concat(),
    )
    .await;
    ok(&api, &[&put[..], &["--push", "token"]].concat()).await;
    let all = as_json(&folder, &["channel", "definitions", "list"]).await;
    let all = all.as_array().unwrap();
    let game = all.iter().find(|d| d["pattern"] == "game:*").unwrap();
    assert_eq!(
        (&game["join"], &game["push"], &game["relay"]),
        (&json!("public"), &json!("token"), &json!(true))
    );
    assert_eq!(game["stamp"], true);
    let (code, complaint) =
        refused(&at(&api, &[&put[..], &["--relay", "maybe"]].concat(), "").await);
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("maybe"), "{complaint}");
    let (code, complaint) =
        refused(&at(&api, &[&put[..], &["--join", "everybody"]].concat(), "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("everybody"), "{complaint}");
    // Roles and a rate; what decides no more is forgotten.
    let by_role = [
        "--join",
        "roles",
        "--join-roles",
        "a,b",
        "--push-rate",
        "3/60",
    ];
    ok(&api, &[&put[..], &by_role].concat()).await;
    let game = async || {
        let all = as_json(&folder, &["channel", "definitions", "list"]).await;
        let all = all.as_array().unwrap().clone();
        all.into_iter().find(|d| d["pattern"] == "game:*").unwrap()
    };
    let defined = game().await;
    assert_eq!(defined["join_roles"], json!(["a", "b"]));
    assert_eq!(defined["push_rate"], json!({"pushes": 3, "seconds": 60}));
    let listed = ok(&folder, &["channel", "definitions", "list"]).await;
    assert!(
        listed.contains("roles: a,b") && listed.contains("3/60"),
        "{listed}"
    );
    ok(
        &folder,
        &[&put[..], &["--join", "token", "--push-rate", "0"]].concat(),
    )
    .await;
    let defined = game().await;
    assert_eq!(
        (&defined["join_roles"], &defined["push_rate"]),
        (&Value::Null, &Value::Null)
    );
    for wrong in [["--push-rate", "often"], ["--join-roles", "a b"]] {
        let (code, complaint) = refused(&at(&api, &[&put[..], &wrong].concat(), "").await);
        assert_eq!(code, 2, "{complaint}");
    }
    ok(&folder, &["channel", "definitions", "remove", "game:*"]).await;
    let listed = ok(&folder, &["channel", "definitions", "list"]).await;
    assert!(!listed.contains("game:*"), "{listed}");
}

/// P16, P20: what commands did is recorded, with who did it; sessions are listed and ended.
#[tokio::test]
async fn activity_and_sessions() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    crate::http_api::sign_in(&place.gateway, PASSWORD).await;
    let sessions = as_json(&folder, &["session", "list"]).await;
    let id = sessions[0]["id"].as_str().unwrap();
    assert_eq!(
        ok(&api, &["session", "end", id]).await,
        format!("Ended session {id}.")
    );
    assert_eq!(as_json(&folder, &["session", "list"]).await, json!([]));
    ok(&folder, &["key", "rotate"]).await;
    // Records of requests are written a moment later.
    for (principal, action) in [
        ("key:robot", "DELETE /api/v1/auth/sessions/"),
        ("token:command line", "POST /api/v1/auth/keys/rotate"),
    ] {
        loop {
            let args = ["activity", "--principal", principal, "--limit", "5"];
            let listed = ok(&folder, &args).await;
            if listed.contains(action) {
                assert!(
                    listed.lines().skip(1).all(|line| line.contains(principal)),
                    "{listed}"
                );
                break;
            }
        }
    }
    let lines = ok(&api, &["activity", "--json", "--limit", "2"]).await;
    let records: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2);
}

/// P20: the store is copied from both sides while a gateway runs; a copy with the key file is a data
/// folder again. What cannot be copied leaves no file.
#[tokio::test]
async fn backups() {
    let place = Place::new().await;
    ok(
        &place.by_api(),
        &[
            "channel",
            "definitions",
            "put",
            "kept:*",
            "--join",
            "public",
        ],
    )
    .await;
    for side in [place.by_api(), place.by_folder()] {
        let copy = tempfile::tempdir().unwrap();
        let file = copy.path().join("tidegate.db");
        let file = file.to_str().unwrap();
        let done = ok(&side, &["backup", file]).await;
        assert_eq!(done, format!("The store is copied to {file}."));
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::copy(place.folder.path().join("key"), copy.path().join("key")).unwrap();
        let restored = [
            "--data-dir".to_owned(),
            copy.path().to_str().unwrap().to_owned(),
        ];
        let listed = ok(&restored, &["channel", "definitions", "list"]).await;
        assert!(listed.contains("kept:*"), "{listed}");
        let keys = as_json(&restored, &["key", "list"]).await;
        assert_eq!(keys, as_json(&side, &["key", "list"]).await);
        // What is there already stays as it is.
        let (code, complaint) = refused(&at(&side, &["backup", file], "").await);
        assert_eq!(code, 1);
        assert!(complaint.contains("cannot be written"), "{complaint}");
        assert!(std::fs::metadata(file).unwrap().len() > 0);
    }
    let forgets = Gateway::with(&["--data-dir", "none", "--jwt-secret", SECRET], "").await;
    let file = place.folder.path().join("nothing.db");
    let server = format!("http://127.0.0.1:{}", forgets.port);
    let token = crate::gateway::signed(
        &json!({"id": "ops", "channels": ["admin"], "allow": ["admin"], "exp": crate::gateway::now() + 60}),
        SECRET,
        jsonwebtoken::Algorithm::HS256,
    );
    let key = place.folder.path().join("token");
    std::fs::write(&key, token).unwrap();
    let asked = ["--server", &server, "--api-key-file", key.to_str().unwrap()];
    let args = [&["backup", file.to_str().unwrap()][..], &asked[..]].concat();
    let (code, complaint) = refused(&run(&args, "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("keeps nothing"), "{complaint}");
    assert!(!file.exists());
}

/// What is wrong is said in a sentence, with an exit code that tells what kind of wrong it is.
#[tokio::test]
async fn exit_codes() {
    let free = tidegate_testing::free_address().unwrap();
    let nobody = format!("http://{free}");
    let (code, complaint) = refused(&run(&["user", "list", "--server", &nobody], "").await);
    assert_eq!(code, 3);
    assert!(
        complaint.contains("is a gateway running there?"),
        "{complaint}"
    );
    let (code, complaint) = refused(&run(&["user", "list", "--server", "here"], "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("https://host"), "{complaint}");
    let (code, _) = refused(&run(&["user", "lisst"], "").await);
    assert_eq!(code, 2);
    // The folder is `none` here.
    let (code, complaint) = refused(&run(&["user", "list"], "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("--server"), "{complaint}");
    // With a shared secret a token can be signed there, and nothing can be kept.
    let secret = ["--jwt-secret", SECRET];
    said(&run(&[&["token", "room", "alice"][..], &secret].concat(), "").await);
    let (_, complaint) = refused(&run(&[&["key", "rotate"][..], &secret].concat(), "").await);
    assert!(complaint.contains("--server"), "{complaint}");
    let gateway = Gateway::start().await;
    let server = format!("http://127.0.0.1:{}", gateway.port);
    let (code, complaint) = refused(&run(&["user", "list", "--server", &server], "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("TIDEGATE_API_KEY"), "{complaint}");
    let (code, complaint) = refused(&run(&["admin-link", "--server", &server], "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("data folder"), "{complaint}");
}
