//! The command line: one clear sentence and a non-zero exit for whatever is wrong (T1).

use std::process::Output;

use crate::gateway::{Gateway, SECRET, command};

async fn run(args: &[&str]) -> Output {
    let running = command().args(args).output();
    tokio::time::timeout(crate::gateway::PATIENCE, running)
        .await
        .unwrap()
        .unwrap()
}

async fn fails(args: &[&str], says: &str) {
    let output = run(args).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{args:?}");
    assert!(said.contains(says), "{args:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let common = ["--jwt-secret", SECRET];
    let check = async |args: &[&str], says: &str| {
        fails(&[&["check-config"][..], &common[..], args].concat(), says).await;
    };
    check(&["--prot", "5"], "unexpected argument '--prot'").await;
    check(&["--port", "x"], "invalid value 'x'").await;
    check(&["--host", "nowhere"], "no IP address").await;
    check(&["--bus-listen", "here"], "no address").await;
    check(
        &["--allowed-origins", "example.com"],
        "write origins such as",
    )
    .await;
    check(&["--static-path", "/nowhere"], "no folder").await;
    check(&["--admin-password", "short"], "at least 8").await;
    check(&["--queue-frames", "1"], "--queue-frames must be at least").await;
    let late = ["--request-seconds", "9", "--plugin-seconds", "9"];
    check(&late, "--plugin-seconds (9) must be").await;
    check(&["--config", "/nowhere.toml"], "cannot be read").await;
    check(
        &["--config", &file("a", "port = \"x\"")],
        "is not valid: line 1",
    )
    .await;
    check(
        &["--config", &file("b", "\nprot = 5")],
        "unknown field `prot`",
    )
    .await;
    check(
        &["--config", &file("c", "[[channels]]\npattern = \"admin\"")],
        "belong to the gateway",
    )
    .await;
    check(
        &[
            "--config",
            &file("d", "[[channels]]\npattern = \"a\"\njoin = \"x\""),
        ],
        "is not valid",
    )
    .await;
    fails(
        &["check-config", "--jwt-secret", "short"],
        "at least 8 bytes",
    )
    .await;
    fails(
        &[
            "serve",
            "--port",
            "0",
            "--jwt-secret",
            SECRET,
            "--redis-url",
            "nonsense",
        ],
        "Redis URL",
    )
    .await;
}

/// What is wrong in the file is said with the line on which it stands.
#[tokio::test]
async fn errors_name_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidegate.toml");
    let path = path.to_str().unwrap();
    for (text, says) in [
        ("port = 1\n\nqueue_frames = 1\n", "line 3: --queue-frames"),
        ("# here\nhost = \"nowhere\"\n", "line 2: --host nowhere"),
        ("jwt_secret = \"short\"\n", "line 1: "),
        (
            "[[channels]]\npattern = \"a\"\n\n[[channels]]\npattern = \"admin\"\n",
            "line 4: a channel definition",
        ),
    ] {
        std::fs::write(path, text).unwrap();
        fails(
            &["check-config", "--config", path],
            &format!("{path}, {says}"),
        )
        .await;
    }
    // A flag is not in the file, whatever stands there.
    std::fs::write(path, "queue_frames = 100\n").unwrap();
    let check = ["check-config", "--config", path, "--queue-frames", "1"];
    fails(&check, "tidegate: --queue-frames must be at least").await;
}

/// Section 6: the settings that hold, each with who said it, and no secret.
#[tokio::test]
async fn the_settings_that_hold_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidegate.toml");
    std::fs::write(
        &path,
        format!("jwt_secret = \"{SECRET}\"\nmax_errors = 7\n"),
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let check = ["check-config", "--config", path, "--port", "4004"];
    let output = command()
        .args(check)
        .env("NODE", "me")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for (name, value, by) in [
        ("port", "4004", "--port"),
        ("node", "me", "NODE"),
        ("max-errors", "7", "file"),
        ("queue-frames", "16384", "default"),
    ] {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let cells: Vec<_> = line.unwrap().split_whitespace().collect();
        assert_eq!(cells, [name, value, by]);
    }
    assert!(
        text.lines()
            .any(|line| line.starts_with("jwt-secret ") && line.contains("file"))
    );
    assert!(!text.contains(SECRET), "{text}");
    let output = run(&[&check[..], &["--json"]].concat()).await;
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["listens"], "127.0.0.1:4004");
    assert!(!read.to_string().contains(SECRET));
}

/// Who does not know the program finds the way: what is shown is short, and true.
#[tokio::test]
async fn help_is_short() {
    let text = async |args: &[&str]| String::from_utf8(run(args).await.stdout).unwrap();
    let help = text(&["--help"]).await;
    for command in [
        "serve",
        "check-config",
        "token",
        "user",
        "publish",
        "activity",
        "backup",
    ] {
        assert!(
            help.lines()
                .any(|line| line.trim_start().starts_with(command)),
            "{help}"
        );
    }
    assert!(help.contains("Exit codes"), "{help}");
    let help = text(&["user", "add", "--help"]).await;
    assert!(
        help.contains("--password-file") && help.contains("--server"),
        "{help}"
    );
    assert!(!help.contains("--max-connections"), "{help}");
    assert!(
        text(&["serve", "--help"])
            .await
            .contains("--max-connections")
    );
}

#[tokio::test]
async fn a_taken_port_is_said_in_a_sentence() {
    let gateway = Gateway::start().await;
    let port = gateway.port.to_string();
    let bus = gateway.bus.clone().unwrap();
    fails(
        &["serve", "--jwt-secret", SECRET, "--port", &port],
        "cannot listen on 127.0.0.1",
    )
    .await;
    let taken = [
        "serve",
        "--jwt-secret",
        SECRET,
        "--port",
        "0",
        "--bus-listen",
        &bus,
    ];
    fails(&taken, "cannot listen for Redis clients").await;
}

/// T1: the file and the environment say the same as the flags, and the flags win.
#[tokio::test]
async fn flags_environment_and_file_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidegate.toml");
    std::fs::write(&path, format!("port = 4001\njwt_secret = \"{SECRET}\"\n")).unwrap();
    let path = path.to_str().unwrap();
    let listens = async |env: &[(&str, &str)], args: &[&str]| {
        let output = command()
            .arg("check-config")
            .args(args)
            .envs(env.iter().copied())
            .output();
        String::from_utf8(output.await.unwrap().stdout).unwrap()
    };
    assert!(
        listens(&[], &["--config", path])
            .await
            .contains("127.0.0.1:4001")
    );
    assert!(
        listens(&[("PORT", "4002")], &["--config", path])
            .await
            .contains("127.0.0.1:4002")
    );
    let all = listens(&[("PORT", "4002")], &["--config", path, "--port", "4003"]).await;
    assert!(all.contains("127.0.0.1:4003"));
}

/// P20: `tidegate token` prints a token that the gateway takes; the secret lasts and is not shown.
#[tokio::test]
async fn a_printed_token_opens_its_channel() {
    let state = tempfile::tempdir().unwrap();
    let dir = state.path().to_str().unwrap();
    let output = run(&["token", "room", "alice", "--data-dir", dir]).await;
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let secret = std::fs::read_to_string(state.path().join("key")).unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains(secret.trim()));
    let flags = ["--data-dir", dir, "--admin-password", "open sesame"];
    for _ in 0..2 {
        let gateway = Gateway::with(&flags, "").await;
        let mut socket = gateway.connect().await;
        let join = serde_json::json!(["1", "1", "room", "phx_join", {"token": token}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
    }
}
