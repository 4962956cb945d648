//! A17: the protocol without a socket, as Phoenix's long poll has it (E 8.5).

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD, SECRET, token};
use crate::http_api::{raw, request, sign_in, with_body};

/// A client that polls; its token goes in the header or in the address.
pub struct Poller<'a> {
    gateway: &'a Gateway,
    token: String,
    in_header: bool,
}

impl<'a> Poller<'a> {
    pub async fn open(gateway: &'a Gateway, query: &str, in_header: bool) -> Self {
        let (status, head, body) =
            raw(gateway, "GET", &format!("/longpoll?{query}"), &[], None).await;
        assert_eq!(status, 200);
        assert!(head.contains("access-control-allow-origin: *"), "{head}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["status"], 410);
        assert_eq!(answer["messages"], json!([]));
        Self {
            gateway,
            token: answer["token"].as_str().unwrap().to_owned(),
            in_header,
        }
    }

    fn place(&self) -> (String, Vec<(&str, &str)>) {
        if self.in_header {
            let header = ("x-phoenix-longpoll-token", self.token.as_str());
            ("/longpoll?vsn=2.0.0".to_owned(), vec![header])
        } else {
            (format!("/longpoll?vsn=2.0.0&token={}", self.token), vec![])
        }
    }

    pub async fn poll(&self) -> Value {
        let (path, headers) = self.place();
        let (status, _, body) = raw(self.gateway, "GET", &path, &headers, None).await;
        assert_eq!(status, 200);
        serde_json::from_str(&body).unwrap()
    }

    async fn post(&self, kind: &str, body: &str) -> Value {
        let (path, headers) = self.place();
        let (status, _, body) =
            with_body(self.gateway, "POST", &path, &headers, Some((kind, body))).await;
        assert_eq!(status, 200);
        serde_json::from_str(&body).unwrap()
    }

    pub async fn send(&self, frames: &[Value]) {
        let lines: Vec<_> = frames.iter().map(Value::to_string).collect();
        let answer = self.post("application/x-ndjson", &lines.join("\n")).await;
        assert_eq!(answer, json!({"status": 200}));
    }

    /// Frames until `count` have come.
    pub async fn frames(&self, count: usize) -> Vec<Value> {
        let mut frames = Vec::new();
        while frames.len() < count {
            let answer = self.poll().await;
            assert_eq!(answer["status"], 200, "{answer}");
            frames.extend(
                answer["messages"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|text| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap()),
            );
        }
        frames
    }
}

fn join(user: &str) -> Value {
    json!(["1", "1", "room", "phx_join", {"token": token(user, "room")}])
}

/// Join, push, event and leave, with the token in either place.
#[tokio::test]
async fn a_poller_has_the_whole_protocol() {
    let gateway = Gateway::start().await;
    for (in_header, user) in [(false, "ann"), (true, "ben")] {
        let mut tap = gateway.tap().await;
        let poller = Poller::open(&gateway, "vsn=2.0.0", in_header).await;
        poller.send(&[join(user)]).await;
        let frames = poller.frames(3).await;
        let events: Vec<_> = frames.iter().map(|f| f[3].as_str().unwrap()).collect();
        assert_eq!(events, ["phx_reply", "presence_state", "presence_diff"]);
        assert_eq!(frames[0][4]["status"], "ok");
        tap.expect_lifecycle("from:room:phx_join", user).await;

        let pushes = [
            json!(["1", "2", "room", "say", {"z": 1, "a": 2}]),
            json!([null, "3", "phoenix", "heartbeat", {}]),
        ];
        poller.send(&pushes).await;
        tap.expect("from:room:say", r#"{"a":2,"z":1}"#).await;
        let replies = poller.frames(2).await;
        assert_eq!(replies[0][1], "2");
        assert_eq!(replies[1][1], "3");

        tap.publish("to:room:news", r#"{"n":1}"#).await;
        assert_eq!(
            poller.frames(1).await,
            [json!([null, null, "room", "news", {"n": 1}])]
        );
        poller
            .send(&[json!(["1", "4", "room", "phx_leave", {}])])
            .await;
        let left = poller.frames(2).await;
        assert_eq!(
            (&left[0][3], &left[1][3]),
            (&json!("phx_reply"), &json!("phx_close"))
        );
        tap.expect_lifecycle("from:room:phx_leave", user).await;
    }
}

/// A binary push reaches the bus; a binary event has no form here, and the next one comes.
#[tokio::test]
async fn binary_goes_up_and_not_down() {
    let gateway = Gateway::start().await;
    let poller = Poller::open(&gateway, "vsn=2.0.0", false).await;
    poller.send(&[join("ann")]).await;
    poller.frames(3).await;
    let mut tap = gateway.tap().await;
    // 00, four lengths, "1" "2" "room" "say", the data.
    let frame = "AAEBBAMxMnJvb21zYXkA/w==";
    assert_eq!(
        poller.post("application/x-ndjson", frame).await,
        json!({"status": 200})
    );
    let (name, body) = tap.next().await;
    assert_eq!((name.as_str(), &body[..]), ("from:room:say", &[0, 255][..]));
    assert_eq!(poller.frames(1).await[0][4]["status"], "ok");
    tap.publish("to:room:raw", [0u8, 255]).await;
    tap.publish("to:room:news", "1").await;
    assert_eq!(
        poller.frames(1).await,
        [json!([null, null, "room", "news", 1])]
    );
}

/// A poll waits for what is to come; one frame may come as a body of its own.
#[tokio::test]
async fn a_poll_waits_for_the_next_event() {
    let gateway = Gateway::start().await;
    let poller = Poller::open(&gateway, "vsn=2.0.0", true).await;
    let answer = poller
        .post("application/json", &join("ann").to_string())
        .await;
    assert_eq!(answer, json!({"status": 200}));
    poller.frames(3).await;
    let mut tap = gateway.tap().await;
    let (frames, ()) = tokio::join!(poller.frames(1), async {
        // The poll may be there first or the event: both orders must do.
        tap.publish("to:room:news", "1").await;
    });
    assert_eq!(frames[0][3], "news");
}

/// The socket-level token, and V1.
#[tokio::test]
async fn the_address_carries_a_token_and_a_version() {
    let gateway = Gateway::start().await;
    let query = format!("vsn=1.0.0&userToken={}", token("ann", "room"));
    let poller = Poller::open(&gateway, &query, false).await;
    let join = json!({"topic": "room", "event": "phx_join", "ref": "1", "payload": {}});
    poller.send(&[join]).await;
    let frames = poller.frames(3).await;
    assert_eq!(frames[0]["payload"]["status"], "ok", "{frames:?}");
    assert_eq!(frames[1]["event"], "presence_state");
}

/// What is unknown or not allowed is said in the body; what is malformed ends nothing.
#[tokio::test]
async fn refusals_stand_in_the_body() {
    let gateway = Gateway::start().await;
    let status = async |method: &str, path: &str, headers: &[(&str, &str)]| -> Value {
        let (_, _, body) = raw(&gateway, method, path, headers, None).await;
        serde_json::from_str::<Value>(&body).unwrap()["status"].clone()
    };
    assert_eq!(status("GET", "/longpoll?token=nobody", &[]).await, 410);
    assert_eq!(status("POST", "/longpoll?token=nobody", &[]).await, 410);
    assert_eq!(status("POST", "/longpoll", &[]).await, 410);
    assert_eq!(status("GET", "/longpoll?vsn=9.9.9", &[]).await, 403);
    let elsewhere = [("origin", "https://elsewhere.example")];
    assert_eq!(status("GET", "/longpoll", &elsewhere).await, 403);
    let (options, head, _) = raw(&gateway, "OPTIONS", "/longpoll", &[], None).await;
    assert_eq!(options, 204);
    assert!(head.contains("x-phoenix-authtoken"), "{head}");

    let poller = Poller::open(&gateway, "vsn=2.0.0", false).await;
    poller.post("application/x-ndjson", "[1,2\n%%%\n").await;
    let frames = poller.frames(2).await;
    assert!(
        frames.iter().all(|f| f[4]["reason"] == "malformed frame"),
        "{frames:?}"
    );
}

/// An administrator closes it like any other connection: the next poll says that it is gone.
#[tokio::test]
async fn a_closed_session_is_gone() {
    let gateway = Gateway::start().await;
    let poller = Poller::open(&gateway, "vsn=2.0.0", false).await;
    poller.send(&[join("ann")]).await;
    poller.frames(3).await;
    let cookie = crate::http_api::sign_in(&gateway, crate::gateway::PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), ("x-tidegate-request", "1")];
    let (_, list) =
        crate::http_api::request(&gateway, "GET", "/api/v1/connections", &headers, None).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/connections/{id}");
    let (status, _) = crate::http_api::request(&gateway, "DELETE", &path, &headers, None).await;
    assert_eq!(status, 200);
    assert_eq!(poller.poll().await["status"], 410);
    assert_eq!(poller.poll().await["status"], 410);
}

/// S2: what comes behind a frame that closes the session is not handled, while the poll that waits ends
/// the session: no member stays behind that nobody could ever remove.
#[tokio::test]
async fn a_session_that_is_closed_joins_nothing_more() {
    let flags = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--max-frame-bytes",
        "2048",
    ];
    let gateway = Gateway::with(&flags, "").await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    for _ in 0..5 {
        let poller = Poller::open(&gateway, "vsn=2.0.0", false).await;
        let mut lines = vec!["[".repeat(3000)];
        lines.extend((0..99).map(|n| {
            let topic = format!("room:{n}");
            let payload = json!({"token": token("ann", &topic)});
            json!(["1", "1", topic, "phx_join", payload]).to_string()
        }));
        let body = lines.join("\n");
        let (polled, posted) =
            tokio::join!(poller.poll(), poller.post("application/x-ndjson", &body));
        assert_eq!(polled["status"], 410);
        assert_eq!(posted, json!({"status": 410}));
        let (_, list) = request(&gateway, "GET", "/api/v1/channels", &headers, None).await;
        assert_eq!(list["total"], 0, "{list}");
        let (_, list) = request(&gateway, "GET", "/api/v1/connections", &headers, None).await;
        assert_eq!(list["total"], 0, "{list}");
    }
}

/// A11: an administrator that polls is told of every channel, however little may wait for it.
#[tokio::test]
async fn an_administrator_that_polls_is_told_of_every_channel() {
    let flags = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--queue-bytes",
        "16384",
    ];
    let gateway = Gateway::with(&flags, "").await;
    let mut sockets = Vec::new();
    for socket in 0..3 {
        let mut member = gateway.connect().await;
        for n in 0..80 {
            let topic = format!("room:{socket}:{n}:{}", "x".repeat(200));
            let payload = json!({"token": token("ann", &topic)});
            member
                .send(json!(["1", "1", topic, "phx_join", payload]))
                .await;
        }
        member.settle().await;
        sockets.push(member);
    }
    let poller = Poller::open(&gateway, "vsn=2.0.0", false).await;
    let payload = json!({"token": token("root", "admin")});
    poller
        .send(&[json!(["1", "1", "admin", "phx_join", payload])])
        .await;
    let mut listed = std::collections::BTreeSet::new();
    while listed.len() < 241 {
        for frame in poller.frames(1).await {
            if frame[3] == "channel.list" {
                assert_eq!(frame[4]["agents"].as_array().unwrap().len(), 1);
                let channel = frame[4]["channel"].as_str().unwrap();
                assert!(listed.insert(channel.to_owned()), "once: {channel}");
            }
        }
    }
}
