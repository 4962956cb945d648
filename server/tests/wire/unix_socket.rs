//! P21: a Unix socket beside the port: the same routes and sockets, for whom its mode lets in.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, command};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn text(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    async fn start(&self, more: &[&str]) -> Gateway {
        let (data, socket) = (self.text("data"), self.text("socket"));
        let mut flags = vec!["--data-dir", &data, "--unix-socket", &socket];
        flags.extend(["--admin-password", PASSWORD]);
        flags.extend(more);
        Gateway::with(&flags, "").await
    }

    /// A command that asks the gateway by its socket: who may read the folder needs no key.
    async fn run(&self, args: &[&str]) -> String {
        let server = format!("unix:{}", self.text("socket"));
        let place = ["--server", &server, "--data-dir", &self.text("data")];
        let output = command().args(args).args(place).output().await.unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Clients join by it, are shown as `unix`, and the command line asks by it.
#[tokio::test]
async fn clients_and_commands_come_by_it() {
    let place = Place::new();
    let mut gateway = place.start(&[]).await;
    let socket = place.text("socket");
    let about = Path::new(&socket).symlink_metadata().unwrap();
    assert!(about.file_type().is_socket());
    assert_eq!(about.permissions().mode() & 0o777, 0o660);

    let token = place.run(&["token", "room", "alice"]).await;
    let stream = UnixStream::connect(&socket).await.unwrap();
    let url = "ws://localhost/websocket?vsn=2.0.0";
    let (mut alice, _) = client_async(url, stream).await.unwrap();
    let join = json!(["1", "1", "room", "phx_join", {"token": token}]);
    alice.send(Message::text(join.to_string())).await.unwrap();
    place.run(&["publish", "room", "update", "{\"n\":1}"]).await;
    let update = timeout(PATIENCE, async {
        loop {
            let message = alice.next().await.unwrap().unwrap();
            let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            if frame[3] == "update" {
                return frame;
            }
        }
    });
    assert_eq!(update.await.unwrap()[4], json!({"n": 1}));

    let cookie = crate::http_api::sign_in(&gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    let path = "/api/v1/connections";
    let (_, listed) = crate::http_api::request(&gateway, "GET", path, &headers, None).await;
    assert_eq!(listed["items"][0]["address"], "unix", "{listed}");
    let activity = place
        .run(&["activity", "--principal", "token:command line", "--json"])
        .await;
    let record: Value = serde_json::from_str(activity.lines().next().unwrap()).unwrap();
    assert_eq!(record["address"], "unix", "{record}");

    // It ends as other sockets end, and takes its name along.
    gateway.terminate().await;
    let last = timeout(PATIENCE, async {
        loop {
            match alice.next().await {
                Some(Ok(Message::Close(Some(close)))) => return u16::from(close.code),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(last.await.unwrap(), 1012);
    assert!(
        timeout(PATIENCE, gateway.child.wait())
            .await
            .unwrap()
            .unwrap()
            .success()
    );
    assert!(!Path::new(&socket).exists());
}

/// A leftover is replaced; a gateway that runs, and what is no socket, is left alone.
#[tokio::test]
async fn only_a_leftover_gives_way() {
    let place = Place::new();
    let refused = async || {
        let socket = place.text("socket");
        let output = command()
            .args([
                "serve",
                "--port",
                "0",
                "--bus-listen",
                "none",
                "--unix-socket",
                &socket,
            ])
            .args(["--admin-password", PASSWORD])
            .output();
        let output = timeout(PATIENCE, output).await.unwrap().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    {
        let mut gateway = place.start(&["--unix-socket-mode", "0600"]).await;
        let about = Path::new(&place.text("socket")).symlink_metadata().unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        assert!(refused().await.contains("somebody listens there already"));
        gateway.child.kill().await.unwrap();
    }
    assert!(Path::new(&place.text("socket")).exists(), "it was killed");
    let gateway = place.start(&[]).await;
    place.run(&["channel", "list"]).await;
    drop(gateway);
    std::fs::remove_file(place.text("socket")).unwrap();
    std::fs::write(place.text("socket"), "not a socket").unwrap();
    assert!(refused().await.contains("something else of this name"));
    assert_eq!(
        std::fs::read_to_string(place.text("socket")).unwrap(),
        "not a socket"
    );
}
