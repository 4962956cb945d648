//! What becomes of a member that does not read, under each policy of its channel (A15).

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::bus_tap::BusTap;
use crate::gateway::{Gateway, PASSWORD, SECRET};
use crate::http_api::{request, sign_in};
use crate::metrics::Scrape;
use crate::socket::Socket;

const CHANNELS: &str = r#"
[[channels]]
pattern = "close"
join = "public"
presence = "off"

[[channels]]
pattern = "oldest"
join = "public"
presence = "off"
overflow = "drop-oldest"

[[channels]]
pattern = "latest"
join = "public"
presence = "off"
overflow = "latest-only"
"#;

/// Members of one channel, one that reads and one that does not, and all that was published.
struct Trial {
    gateway: Gateway,
    cookie: String,
    topic: &'static str,
    good: Socket,
    stalled: Socket,
    tap: BusTap,
    published: u64,
}

async fn join(socket: &mut Socket, topic: &str) {
    let reply = socket.ask(json!(["1", "1", topic, "phx_join", {}])).await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");
}

impl Trial {
    async fn of(topic: &'static str) -> Self {
        let flags = [
            "--queue-bytes",
            "65536",
            "--jwt-secret",
            SECRET,
            "--admin-password",
            PASSWORD,
        ];
        let gateway = Gateway::with(&flags, CHANNELS).await;
        let mut good = gateway.connect().await;
        join(&mut good, topic).await;
        let mut stalled = Socket::narrow(gateway.port).await;
        join(&mut stalled, topic).await;
        Self {
            cookie: sign_in(&gateway, PASSWORD).await,
            tap: gateway.tap().await,
            gateway,
            topic,
            good,
            stalled,
            published: 0,
        }
    }

    /// What the API says that readers of the channel did not get.
    async fn dropped(&self) -> u64 {
        let path = format!("/api/v1/channels/{}", self.topic);
        let headers = [("cookie", self.cookie.as_str())];
        let (status, channel) = request(&self.gateway, "GET", &path, &headers, None).await;
        assert_eq!(status, 200, "{channel}");
        channel["dropped"].as_u64().unwrap()
    }

    /// Publishes until that many are dropped. Whoever reads gets every one of them.
    async fn publish_until(&mut self, dropped: u64) {
        while self.dropped().await < dropped {
            assert!(self.published < 5000, "somebody falls behind");
            let name = format!("to:{}:big", self.topic);
            let body = json!([self.published, "x".repeat(8192)]).to_string();
            self.tap.publish(&name, body).await;
            assert_eq!(self.good.next().await[4][0], self.published);
            self.published += 1;
        }
    }

    /// What the stalled one gets once it reads: up to the last that was published, or to its end.
    async fn read_at_last(&mut self) -> (Vec<u64>, Option<(u16, String)>) {
        let mut got = Vec::new();
        while got.last() != Some(&(self.published - 1)) {
            match self.stalled.next_message().await {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    got.push(frame[4][0].as_u64().unwrap());
                }
                Message::Close(close) => {
                    let close = close.expect("a close code");
                    return (got, Some((close.code.into(), close.reason.to_string())));
                }
                other => panic!("{other:?}"),
            }
        }
        (got, None)
    }

    /// What was dropped, by the policies' names in the metrics.
    async fn by_reason(&self) -> [u64; 3] {
        let scrape = Scrape::of(&self.gateway).await;
        ["slow_consumer", "oldest", "not_latest"].map(|reason| {
            let labels = [("reason", reason)];
            scrape.value("tidegate_dropped_total", &labels) as u64
        })
    }
}

/// It is told why, and everything that it did not get is counted.
#[tokio::test]
async fn close_tells_it_and_counts_what_it_missed() {
    let mut trial = Trial::of("close").await;
    trial.publish_until(1).await;
    let dropped = trial.dropped().await;
    let (got, end) = trial.read_at_last().await;
    assert_eq!(end, Some((1008, "slow consumer".to_owned())));
    // All before its queue was full, in order; then what waited was let go, and the rest was missed.
    assert_eq!(got, (0..trial.published - dropped).collect::<Vec<_>>());
    assert!(dropped > 1, "what waited counts");
    assert_eq!(trial.by_reason().await, [dropped, 0, 0]);
}

/// It stays, and has the newest that there was room for.
#[tokio::test]
async fn drop_oldest_keeps_the_newest() {
    let mut trial = Trial::of("oldest").await;
    trial.publish_until(20).await;
    let dropped = trial.dropped().await;
    let (got, end) = trial.read_at_last().await;
    assert_eq!(end, None);
    let gap = got.windows(2).position(|two| two[1] != two[0] + 1).unwrap();
    let (before, after) = got.split_at(gap + 1);
    assert_eq!(before, (0..before.len() as u64).collect::<Vec<_>>());
    let first = before.len() as u64 + dropped;
    assert_eq!(after, (first..trial.published).collect::<Vec<_>>());
    assert!(after.len() > 1, "as many as there is room for");
    assert_eq!(trial.by_reason().await, [0, dropped, 0]);
    trial.stalled.expect_silence().await;
}

/// It stays, and has the latest of all that came meanwhile.
#[tokio::test]
async fn latest_only_keeps_the_latest() {
    let mut trial = Trial::of("latest").await;
    trial.publish_until(20).await;
    let dropped = trial.dropped().await;
    let (got, end) = trial.read_at_last().await;
    assert_eq!(end, None);
    let mut expected: Vec<_> = (0..trial.published - 1 - dropped).collect();
    expected.push(trial.published - 1);
    assert_eq!(got, expected);
    assert_eq!(trial.by_reason().await, [0, 0, dropped]);
    trial.stalled.expect_silence().await;
}

/// A channel that drops its oldest protects its reader beside one that does not.
#[tokio::test]
async fn one_channel_makes_room_for_another() {
    let mut trial = Trial::of("oldest").await;
    join(&mut trial.stalled, "close").await;
    trial.publish_until(1).await;
    trial.tap.publish("to:close:said", "[]").await;
    trial.publish_until(3).await;
    let mut said = false;
    while !said {
        let Message::Text(text) = trial.stalled.next_message().await else {
            panic!("it is closed")
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        said = frame[2] == "close";
    }
    assert_eq!(trial.by_reason().await[0], 0);
}
