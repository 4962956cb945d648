//! Stock clients, as plugins use them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use futures::StreamExt;
use redis::{AsyncCommands, AsyncConnectionConfig, ProtocolVersion, PushKind, Value};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::stage::{Stage, soon};

fn python() -> OsString {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    match std::env::var_os("TIDEGATE_PYTHON") {
        Some(python) => python,
        None if venv.exists() => venv.into(),
        None => "python3".into(),
    }
}

fn spawn(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// T2, T5: redis-py, sync and asyncio, RESP2 and RESP3, echoes what clients push.
pub(crate) async fn redis_py_is_a_plugin(stage: Stage) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/echo.py");
    let all: Vec<u8> = (0..=255).collect();
    let run = async |mode: &str, protocol: &str| {
        let mut command = Command::new(python());
        command
            .arg(&script)
            .args([&stage.port.to_string(), mode, protocol]);
        let (mut child, mut lines) = spawn(&mut command);
        let hint = "the plugin says that it is ready; is redis-py of requirements.txt installed?";
        assert_eq!(
            soon(lines.next_line()).await.unwrap().as_deref(),
            Some("ready"),
            "{hint}"
        );
        let topic = format!("echo:{mode}{protocol}");
        stage.publish(&format!("from:{topic}:binary"), &all).await;
        stage
            .publish(
                &format!("from:{topic}:text"),
                "{\"z\":1,\"a\":\"é\"}".as_bytes(),
            )
            .await;
        stage.publish(&format!("from:{topic}:stop"), b"").await;
        let status = soon(child.wait()).await.unwrap();
        assert!(status.success(), "{mode} {protocol}: {status}");
        (topic, soon(lines.next_line()).await.unwrap())
    };
    // One process for each combination, all at once: starting Python takes the time.
    let (a, b, c, d) = tokio::join!(
        run("sync", "2"),
        run("sync", "3"),
        run("asyncio", "2"),
        run("asyncio", "3")
    );
    let events = stage.sink.take(12).await;
    for (topic, last) in [a, b, c, d] {
        assert_eq!(last.as_deref(), Some("done"));
        let of_topic: Vec<_> = events
            .iter()
            .filter(|e| e.topic.as_str() == topic)
            .collect();
        let names: Vec<_> = of_topic.iter().map(|e| e.event.as_str()).collect();
        assert_eq!(names, ["binary", "text", "stop"], "{topic}");
        assert_eq!(of_topic[0].body, all);
        assert_eq!(of_topic[1].body, "{\"z\":1,\"a\":\"é\"}");
    }
}

/// T5: redis-cli, from arguments, from standard input, in both protocols.
pub(crate) async fn redis_cli_publishes_and_subscribes(stage: Stage) {
    let port = stage.port.to_string();
    for protocol in ["-2", "-3"] {
        let cli = |arguments: &[&str]| {
            let mut command = Command::new("redis-cli");
            command.args(["-p", &port, protocol]).args(arguments);
            command
        };
        let output = soon(cli(&["publish", "to:room:said", "hello"]).output())
            .await
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
        assert_eq!(stage.sink.take_text(1).await, ["room said hello"]);

        let output = soon(cli(&["nosuch"]).output()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with("ERR unknown command 'nosuch'"), "{said}");

        // A session: it asks for the commands' documentation when it starts.
        let mut session = cli(&[]);
        session.stdin(Stdio::piped());
        let (mut child, mut lines) = spawn(&mut session);
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(b"ping\nselect 0\nsubscribe from:room:x\n")
            .await
            .unwrap();
        let mut said = Vec::new();
        while said.last().is_none_or(|l: &String| !l.contains('1')) {
            said.push(soon(lines.next_line()).await.unwrap().unwrap());
        }
        assert_eq!(said[..2], ["PONG", "OK"]);
        stage.publish("from:room:x", b"pushed").await;
        while !said.last().unwrap().contains("pushed") {
            said.push(soon(lines.next_line()).await.unwrap().unwrap());
        }
        child.kill().await.unwrap();
    }
}

/// T5: the Rust client, RESP2 with its `PubSub` and RESP3 with pushes on one connection.
pub(crate) async fn the_rust_client_speaks_both_protocols(stage: Stage) {
    let mut two = stage.subscriber().await;
    two.psubscribe("from:*").await.unwrap();
    assert_eq!(two.ping::<redis::Value>().await.unwrap(), pong());

    let url = format!("redis://127.0.0.1:{}/?protocol=resp3", stage.port);
    let client = redis::Client::open(url).unwrap();
    assert_eq!(
        client.get_connection_info().redis_settings().protocol(),
        ProtocolVersion::RESP3
    );
    let (sender, mut pushes) = tokio::sync::broadcast::channel(16);
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let mut three = soon(client.get_multiplexed_async_connection_with_config(&config))
        .await
        .unwrap();
    three.psubscribe("from:*").await.unwrap();
    assert_eq!(
        three.publish::<_, _, u64>("to:room:x", "up").await.unwrap(),
        1
    );
    assert_eq!(stage.sink.take_text(1).await, ["room x up"]);

    stage.publish("from:room:x", b"down").await;
    let message = soon(two.on_message().next()).await.unwrap();
    assert_eq!(message.get_payload_bytes(), b"down");
    let message = loop {
        let push = soon(pushes.recv()).await.unwrap();
        if push.kind == PushKind::PMessage {
            break push.data;
        }
    };
    let word = |text: &str| Value::BulkString(text.into());
    assert_eq!(message, [word("from:*"), word("from:room:x"), word("down")]);

    let error = redis::cmd("NOSUCH")
        .exec_async(&mut three)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("unknown command 'NOSUCH'"),
        "{error}"
    );
    assert_eq!(
        redis::cmd("PING")
            .query_async::<String>(&mut three)
            .await
            .unwrap(),
        "PONG"
    );
}

/// How a subscribed RESP2 connection is answered.
fn pong() -> Value {
    Value::Array(vec![
        Value::BulkString("pong".into()),
        Value::BulkString(Vec::new()),
    ])
}
