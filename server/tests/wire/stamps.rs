//! Who has sent an event (S8), beside a body that stays as it was (A9).

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::bus_tap::BusTap;
use crate::gateway::{Gateway, PASSWORD, SECRET};

const CONFIG: &str = "[[channels]]\npattern = \"room\"\nstamp = true\n";

async fn next(tap: &mut BusTap) -> (String, String) {
    let (name, body) = tap.next().await;
    (name, String::from_utf8(body).unwrap())
}

/// S8, A9: `from:` has the client's bytes, `sent:` has them as well and the gateway's word about the
/// sender before; whatever a client writes into its payload stays in there.
#[tokio::test]
async fn a_stamped_channel_tells_the_sender() {
    let flags = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    let gateway = Gateway::with(&flags, CONFIG).await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    tap.also("sent:*").await;
    let text =
        r#"{"z":1,"kind":"service","user":"root","connection":"x","sender":"root","a":2.50}"#;
    socket
        .send_text(&format!(r#"["1","2","room","say",{text}]"#))
        .await;
    let (name, body) = next(&mut tap).await;
    assert_eq!(name, "sent:room:say");
    let said: Value = serde_json::from_str(&body).unwrap();
    let mut keys: Vec<_> = said.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["connection", "kind", "payload", "user"]);
    assert_eq!(
        (&said["kind"], &said["user"]),
        (&json!("client"), &json!("alice"))
    );
    assert!(body.ends_with(&format!("\"payload\":{text}}}")), "{body}");
    assert_eq!(
        next(&mut tap).await,
        ("from:room:say".to_owned(), text.to_owned())
    );
    let reply = socket.next().await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");

    // Of bytes the base64.
    let mut binary = b"\x00\x01\x01\x04\x0313roomraw".to_vec();
    binary.extend([0, 255]);
    socket.send_message(Message::binary(binary)).await;
    let (name, body) = next(&mut tap).await;
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (name.as_str(), &said["base64"]),
        ("sent:room:raw", &json!("AP8="))
    );

    // Elsewhere nothing is said of it, and nobody can say it in the gateway's place.
    let mut other = gateway.joined("sent:room:say", "mallory").await;
    let mut tap = gateway.tap().await;
    tap.also("sent:*").await;
    other
        .send(json!(["1", "2", "sent:room:say", "say", {"kind": "client"}]))
        .await;
    assert_eq!(tap.next().await.0, "from:sent:room:say:say");
}
