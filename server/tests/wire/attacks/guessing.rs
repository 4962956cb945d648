//! Guessing: names by the time that an answer takes, passwords by trying them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::{Target, statuses};
use crate::gateway::PASSWORD;

const RIGHT: &str = "correct horse battery";

impl Target {
    async fn add_user(&self, name: &str) {
        let user = json!({"name": name, "role": "viewer", "password": RIGHT});
        let (status, answer) = self.admin("POST", "/auth/users", user).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Begins to try to sign in from an address of this machine.
    async fn begins(&self, from: [u8; 4], body: &Value) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], self.gateway.port));
        let mut stream: TcpStream = socket.connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let body = body.to_string();
        let asks = format!(
            "POST /api/v1/session HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
             x-tidegate-request: 1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(asks.as_bytes()).await.unwrap();
        stream
    }

    /// One try: the status, the head, and the time.
    async fn tries(&self, from: [u8; 4], body: &Value) -> (u16, String, Duration) {
        let began = Instant::now();
        let mut stream = self.begins(from, body).await;
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        (statuses(&said)[0], said, began.elapsed())
    }
}

/// An address of this machine that nobody has tried from yet.
fn address(n: u16) -> [u8; 4] {
    let [high, low] = n.to_be_bytes();
    [127, 77, high, low]
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Whether somebody is called so cannot be told from the time of a refusal: names that are there,
/// that are not, and that may not sign in take as long, to half of it. A gateway that hashed nothing
/// for a name that it does not know would answer those in a small part of the time.
#[tokio::test]
async fn the_time_of_a_refusal_tells_no_names() {
    let mut target = Target::start().await;
    target.add_user("alice").await;
    target.add_user("carol").await;
    let (_, users) = target.admin("GET", "/auth/users", Value::Null).await;
    let carol = users["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|u| u["name"] == "carol");
    let path = format!("/auth/users/{}", carol.unwrap()["id"].as_str().unwrap());
    target.admin("PUT", &path, json!({"disabled": true})).await;
    let kinds = [("alice", "guess"), ("nobody", "guess"), ("carol", RIGHT)];
    let mut times = [const { Vec::new() }; 3];
    let mut n = 0;
    // In turns, so that whatever else the machine does falls on all of them alike.
    for _ in 0..11 {
        for ((name, password), times) in kinds.iter().zip(&mut times) {
            n += 1;
            let body = json!({"name": name, "password": password});
            let (status, said, took) = target.tries(address(n), &body).await;
            assert_eq!(status, 401, "{said}");
            let detail = said.split_once("\r\n\r\n").unwrap().1;
            assert!(
                detail.contains("The name or the password is wrong."),
                "{detail}"
            );
            times.push(took);
        }
    }
    let [there, missing, disabled] = times.each_mut().map(|times| median(times));
    for other in [missing, disabled] {
        let ratio = other.as_secs_f64() / there.as_secs_f64();
        assert!(
            (0.5..2.0).contains(&ratio),
            "{there:?} {missing:?} {disabled:?}"
        );
    }
    target.unharmed().await;
}

/// Guessing from one address is slowed down, whatever name is guessed at and however many guesses
/// are under way at once; others sign in meanwhile, and that address does too when its time is over.
#[tokio::test]
async fn guessing_is_slowed_down_and_hurts_nobody_else() {
    let mut target = Target::start().await;
    target.add_user("alice").await;
    let here = address(1);
    let guesses = (0..40).map(|n| {
        let (target, name) = (&target, if n % 2 == 0 { "alice" } else { "nobody" });
        async move {
            let guess = json!({"name": name, "password": format!("guess {n}")});
            target.tries(here, &guess).await
        }
    });
    let answers = futures::future::join_all(guesses).await;
    let tried = answers.iter().filter(|(status, ..)| *status == 401).count();
    let held = answers.iter().filter(|(status, ..)| *status == 429).count();
    assert_eq!(tried + held, 40);
    assert!(tried <= 6, "{tried} of 40 guesses at once were looked at");
    for (status, said, _) in &answers {
        assert_eq!(*status == 429, said.contains("retry-after: "), "{said}");
    }
    // The right password has to wait as well, or the wait would be none for whoever has guessed it.
    let right = json!({"name": "alice", "password": RIGHT});
    let (status, said, _) = target.tries(here, &right).await;
    assert_eq!(status, 429);
    let waits: u64 = said
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "))
        .and_then(|seconds| seconds.parse().ok())
        .unwrap();
    assert!((1..=60).contains(&waits), "{waits}");
    // The administrator's password is guessed at from the same place no faster.
    let admin = json!({"password": PASSWORD});
    assert_eq!(target.tries(here, &admin).await.0, 429);
    // From elsewhere she gets in, though somebody guesses at her name.
    assert_eq!(target.tries(address(2), &right).await.0, 200);
    // When the time is over the right one opens again, and the slate is clean.
    let over = Instant::now() + Duration::from_secs(waits + 20);
    loop {
        let (status, said, _) = target.tries(here, &right).await;
        if status == 200 {
            break;
        }
        assert!(status == 429 && Instant::now() < over, "{said}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let guess = json!({"name": "alice", "password": "guess"});
    assert_eq!(target.tries(here, &guess).await.0, 401);
    target.unharmed().await;
}

/// Whoever hangs up before the answer has tried all the same, and waits like others before long.
#[tokio::test]
async fn who_hangs_up_has_tried() {
    let mut target = Target::start().await;
    target.add_user("alice").await;
    let guess = json!({"name": "nobody", "password": "guess"});
    let (status, _, took) = target.tries(address(4), &guess).await;
    assert_eq!(status, 401);
    let right = json!({"name": "alice", "password": RIGHT});
    let mut answers = Vec::new();
    while answers.len() < 50 && answers.last() != Some(&429) {
        let stream = target.begins(address(5), &guess).await;
        // It is being looked at.
        tokio::time::sleep(took / 2).await;
        drop(stream);
        answers.push(target.tries(address(5), &right).await.0);
    }
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
    assert!(answers.len() > 3, "{answers:?}");
    target.unharmed().await;
}

/// One password is hashed at a time, whether or not those who sent them wait: each takes 19 MiB.
#[tokio::test]
async fn who_hangs_up_takes_no_more_memory() {
    let mut target = Target::start().await;
    let guess = json!({"name": "alice", "password": "guess"});
    // The first one brings what stays.
    let (_, _, took) = target.tries(address(7), &guess).await;
    let status = format!("/proc/{}/status", target.gateway.pid());
    let peak = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse::<u64>()
            .unwrap()
    };
    let before = peak();
    for n in 100..150 {
        let stream = target.begins(address(n), &guess).await;
        tokio::time::sleep(took / 16).await;
        drop(stream);
    }
    assert_eq!(target.tries(address(8), &guess).await.0, 401);
    let more = peak().saturating_sub(before) >> 10;
    assert!(more < 3 * 19, "{more} MiB");
    target.unharmed().await;
}

/// An account of one's own is no help in guessing at the accounts of others: neither at one name, nor
/// at many.
#[tokio::test]
async fn a_sign_in_of_ones_own_releases_nothing() {
    let mut target = Target::start().await;
    target.add_user("mallory").await;
    let own = json!({"name": "mallory", "password": RIGHT});
    let one = |_| json!({"password": "guess"});
    let many = |n: u32| json!({"name": format!("somebody{n}"), "password": "guess"});
    for (here, guess) in [
        (address(9), &one as &dyn Fn(u32) -> Value),
        (address(10), &many),
    ] {
        let mut looked_at = 0;
        for n in 0..12 {
            let (guessed, ..) = target.tries(here, &guess(n)).await;
            let (signed_in, ..) = target.tries(here, &own).await;
            if guessed == 429 || signed_in == 429 {
                break;
            }
            assert_eq!((guessed, signed_in), (401, 200));
            looked_at += 1;
        }
        assert!((3..12).contains(&looked_at), "{looked_at}");
    }
    assert_eq!(target.tries(address(11), &own).await.0, 200);
    target.unharmed().await;
}

/// Tries that are held back are not written down one by one: a flood of them would push out the
/// record of what others did.
#[tokio::test]
async fn a_flood_of_guesses_does_not_flush_the_record() {
    let mut target = Target::start().await;
    let guess = json!({"name": "alice", "password": "guess"});
    for _ in 0..60 {
        target.tries(address(3), &guess).await;
    }
    let recorded = loop {
        let path = "/activity?search=sign%20in&limit=200";
        let (_, found) = target.admin("GET", path, Value::Null).await;
        let items = found["items"].as_array().unwrap().clone();
        let held = items
            .iter()
            .filter(|item| item["address"] == "127.77.0.3")
            .count();
        if held > 0 {
            break held;
        }
    };
    assert!(recorded < 20, "{recorded} of 60");
    target.unharmed().await;
}
