//! What the in-process bus does at its bounds. Each is a setting, and each outcome is counted or
//! answered.

use std::net::SocketAddr;
use std::sync::Arc;

use redis::AsyncCommands;
use tidegate_bus::{Bus, BusError, InProcess, InProcessConfig, Limits, StartError};
use tidegate_protocol::BusName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::raw::RawClient;
use crate::stage::{Recorder, Stage, eventually, soon};

fn limited(limit: impl FnOnce(&mut Limits)) -> (Stage, Arc<InProcess>) {
    let mut config = InProcessConfig::default();
    limit(&mut config.limits);
    Stage::in_process_with(config)
}

async fn clients_become(bus: &InProcess, count: u64) {
    soon(bus.status().wait_for(|s| s.clients == count))
        .await
        .unwrap();
}

/// S2: a subscriber that does not read is disconnected, and nobody waits for it.
#[tokio::test]
async fn a_slow_subscriber_is_cut() {
    let (stage, bus) = limited(|l| l.output_bytes = 256 * 1024);
    let mut slow = RawClient::connect(stage.port).await;
    slow.ask(
        "SUBSCRIBE from:room:x",
        "*3~$9~subscribe~$11~from:room:x~:1~",
    )
    .await;
    let mut quick = bus.subscribe("from:room:*");
    let body = vec![b'x'; 16 * 1024];
    let mut published = 0;
    while bus.counters().slow_cut == 0 {
        assert!(
            published < 10_000,
            "a subscriber that does not read was never cut"
        );
        stage.publish("from:room:x", &body).await;
        published += 1;
        assert_eq!(soon(quick.recv()).await.unwrap().body, body);
        // The other end of the connection has its turn, so that it is stuck in a write when the
        // kernel takes no more.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }
    assert!(
        published * body.len() > 512 * 1024,
        "it was cut before the kernel took anything"
    );
    clients_become(&bus, 0).await;
    let mut came = Vec::new();
    // Closed, or reset because of what was not read.
    let _ = soon(slow.stream.read_to_end(&mut came)).await;
    assert!(came.len() < published * body.len());
    stage.publish("from:room:x", b"after").await;
    assert_eq!(soon(quick.recv()).await.unwrap().body, "after");
    assert_eq!(bus.counters().slow_cut, 1);
}

/// A subscriber in the same process is bounded as well.
#[tokio::test]
async fn a_slow_local_subscriber_is_cut() {
    let (stage, bus) = limited(|l| l.output_bytes = 1_000);
    let mut slow = bus.subscribe("from:*");
    for _ in 0..10 {
        stage.publish("from:room:x", &[0; 200]).await;
    }
    assert_eq!(soon(slow.recv()).await, None);
    assert_eq!(bus.counters().slow_cut, 1);
}

/// Who does not read replies is not read from; that alone cuts nobody and costs no memory.
#[tokio::test]
async fn unread_replies_hold_back_requests() {
    const COUNT: usize = 100_000;
    let (stage, bus) = limited(|l| l.output_bytes = 64 * 1024);
    let mut client = RawClient::connect(stage.port).await;
    let (mut reader, mut writer) = client.stream.split();
    let requests = "*2\r\n$4\r\nPING\r\n$1\r\nx\r\n".repeat(COUNT);
    let mut replies = vec![0; "$1\r\nx\r\n".len() * COUNT];
    let (written, read) = soon(async {
        tokio::join!(
            writer.write_all(requests.as_bytes()),
            reader.read_exact(&mut replies)
        )
    })
    .await;
    written.unwrap();
    read.unwrap();
    assert_eq!(bus.counters().slow_cut, 0);
}

#[tokio::test]
async fn the_number_of_clients_is_bounded() {
    let (stage, bus) = limited(|l| l.clients = 2);
    let first = stage.client().await;
    let _second = stage.client().await;
    let mut third = RawClient::connect(stage.port).await;
    assert_eq!(third.rest().await, "-ERR max number of clients reached\r\n");
    assert_eq!(bus.counters().clients_refused, 1);
    drop(first);
    clients_become(&bus, 1).await;
    let _: String = redis::cmd("PING")
        .query_async(&mut stage.client().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_number_of_subscriptions_is_bounded() {
    let (stage, bus) = limited(|l| l.subscriptions = 2);
    let mut client = RawClient::connect(stage.port).await;
    client.ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:1~").await;
    client
        .ask("PSUBSCRIBE b", "*3~$10~psubscribe~$1~b~:2~")
        .await;
    client
        .ask("SUBSCRIBE c", "-ERR a client may subscribe 2 times~")
        .await;
    client.ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:2~").await;
    assert_eq!(bus.counters().subscriptions_refused, 1);
    client
        .ask("UNSUBSCRIBE a", "*3~$11~unsubscribe~$1~a~:1~")
        .await;
    client.ask("SUBSCRIBE c", "*3~$9~subscribe~$1~c~:2~").await;
    let long = "x".repeat(2_049);
    client
        .ask("UNSUBSCRIBE c", "*3~$11~unsubscribe~$1~c~:1~")
        .await;
    client
        .ask(
            &format!("SUBSCRIBE {long}"),
            "-ERR a name may have 2048 bytes~",
        )
        .await;
}

/// A transaction is bounded as one request is, and says so.
#[tokio::test]
async fn the_length_of_a_transaction_is_bounded() {
    let (stage, _) = limited(|l| l.request_bytes = 1024);
    let mut client = RawClient::connect(stage.port).await;
    client.ask("MULTI", "+OK~").await;
    for _ in 0..4 {
        client.ask("PUBLISH to:room:x no", "+QUEUED~").await;
    }
    let long = "-ERR a transaction may have 1024 bytes~";
    client.ask("PUBLISH to:room:x no", long).await;
    client
        .ask(
            "EXEC",
            "-EXECABORT Transaction discarded because of previous errors.~",
        )
        .await;
    // What changes how answers look, or is answered beside them, is no part of one.
    for command in ["SUBSCRIBE a", "UNSUBSCRIBE", "HELLO 3"] {
        client.ask("MULTI", "+OK~").await;
        client
            .ask(command, "-ERR Command not allowed inside a transaction~")
            .await;
        client.ask("DISCARD", "+OK~").await;
    }
    client.ask("PUBLISH to:room:x 1", ":1~").await;
    assert_eq!(stage.sink.take_text(1).await, ["room x 1"]);
}

/// The answer to a transaction is bounded as all that waits for a client.
#[tokio::test]
async fn the_answer_to_a_transaction_is_bounded() {
    let (stage, bus) = limited(|l| l.output_bytes = 4096);
    let mut client = RawClient::connect(stage.port).await;
    client.ask("MULTI", "+OK~").await;
    for _ in 0..100 {
        client.ask("CLIENT LIST", "+QUEUED~").await;
    }
    client.send("EXEC").await;
    clients_become(&bus, 0).await;
    assert_eq!(bus.counters().slow_cut, 1);
}

#[tokio::test]
async fn the_length_of_a_request_is_bounded() {
    let (stage, bus) = limited(|l| l.request_bytes = 1024);
    let mut client = RawClient::connect(stage.port).await;
    client
        .send_bytes(b"*3\r\n$7\r\nPUBLISH\r\n$9\r\nto:room:x\r\n$1024\r\n")
        .await;
    let expected = "-ERR Protocol error: a request may have 1024 bytes, this one is longer\r\n";
    assert_eq!(client.rest().await, expected);
    assert_eq!(bus.counters().protocol_errors, 1);
    assert!(stage.sink.events.lock().is_empty());
}

/// What is not the protocol gets an error and the end, and others do not notice; a page in a
/// browser that posts to the listener's port gets no further than its first line.
#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let (stage, bus) = limited(|_| {});
    let mut plugin = stage.client().await;
    let garbage = [
        &b"PING\r\n"[..],
        b"POST / HTTP/1.1\r\n\r\n*3\r\n$7\r\nPUBLISH\r\n$9\r\nto:room:x\r\n$1\r\n1\r\n",
        b"*1\r\n*1\r\n*1\r\n",
        b"*1\r\n$4\r\nPINGPING",
        b"*99999999999999999999\r\n",
        b"*1\r\n$-2\r\n",
        b"\0\xff\r\n",
    ];
    for bytes in garbage {
        let mut client = RawClient::connect(stage.port).await;
        client.send_bytes(bytes).await;
        let said = client.rest().await;
        assert!(
            said.starts_with("-ERR Protocol error: ") && said.ends_with("\r\n"),
            "{said}"
        );
    }
    assert_eq!(bus.counters().protocol_errors, garbage.len() as u64);
    // Half a request and then nothing more.
    let mut client = RawClient::connect(stage.port).await;
    client.send_bytes(b"*3\r\n$7\r\nPUBL").await;
    drop(client);
    clients_become(&bus, 1).await;
    assert_eq!(
        plugin.publish::<_, _, u64>("to:room:x", "2").await.unwrap(),
        1
    );
    assert_eq!(stage.sink.take_text(1).await, ["room x 2"]);
}

/// A request may come in as many pieces as the network likes.
#[tokio::test]
async fn requests_may_trickle_in() {
    let (stage, _) = limited(|_| {});
    let mut client = RawClient::connect(stage.port).await;
    for byte in b"*3\r\n$7\r\npublish\r\n$9\r\nto:room:x\r\n$2\r\n\r\n\r\n" {
        client.send_bytes(&[*byte]).await;
        client.stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    client.expect(":1~").await;
    assert_eq!(stage.sink.take_text(1).await, ["room x \r\n"]);
}

#[tokio::test]
async fn a_password_keeps_others_out() {
    let password = Some("hunter2".to_owned());
    let config = InProcessConfig {
        password,
        ..InProcessConfig::default()
    };
    assert!(!format!("{config:?}").contains("hunter2"));
    let (stage, bus) = Stage::in_process_with(config);
    let mut client = RawClient::connect(stage.port).await;
    client
        .ask("PING", "-NOAUTH Authentication required.~")
        .await;
    client
        .ask("PUBLISH to:room:x 1", "-NOAUTH Authentication required.~")
        .await;
    client
        .ask(
            "HELLO 3",
            "-NOAUTH HELLO must be called with the client already",
        )
        .await;
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.~";
    let mut client = RawClient::connect(stage.port).await;
    client.ask("AUTH hunter", wrong).await;
    client.ask("AUTH somebody hunter2", wrong).await;
    client.ask("HELLO 3 AUTH default hunter", wrong).await;
    client
        .ask("SUBSCRIBE a", "-NOAUTH Authentication required.~")
        .await;
    client.ask("AUTH hunter2", "+OK~").await;
    client.ask("PUBLISH to:room:x 1", ":1~").await;
    client.ask("RESET", "+RESET~").await;
    client
        .ask("PING", "-NOAUTH Authentication required.~")
        .await;

    let url = format!("redis://:hunter2@127.0.0.1:{}/?protocol=resp3", stage.port);
    let client = redis::Client::open(url).unwrap();
    let mut client = soon(client.get_multiplexed_async_connection())
        .await
        .unwrap();
    assert_eq!(
        client.publish::<_, _, u64>("to:room:x", "2").await.unwrap(),
        1
    );
    assert_eq!(stage.sink.take_text(2).await, ["room x 1", "room x 2"]);
    assert!(!format!("{:?}", bus.status().borrow().clone()).contains("hunter2"));
}

/// A stop of the gateway ends connections: no reset, no address left behind.
#[tokio::test]
async fn a_stop_ends_connections_cleanly() {
    let (sink, stop) = (Arc::new(Recorder::default()), CancellationToken::new());
    let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let config = InProcessConfig::default();
    let bus = InProcess::start(config.clone(), listen, sink.clone(), stop.clone()).unwrap();
    let address = bus.local_addr().unwrap();
    let mut client = RawClient::connect(address.port()).await;
    client.ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:1~").await;
    stop.cancel();
    assert_eq!(client.rest().await, "");
    soon(bus.stopped()).await;
    let name = BusName::parse(b"to:room:x").unwrap();
    let refused = bus.publish(name, "1".into()).await.unwrap_err();
    assert_eq!(
        refused,
        BusError::Unavailable("the gateway is stopping".into())
    );
    assert!(sink.events.lock().is_empty());
    assert!(InProcess::start(config, Some(address), sink, CancellationToken::new()).is_ok());
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_an_error_at_start() {
    let (stage, _bus) = limited(|_| {});
    let start = |address: SocketAddr| {
        let sink = Arc::new(Recorder::default());
        let config = InProcessConfig::default();
        InProcess::start(config, Some(address), sink, CancellationToken::new()).map(|_| ())
    };
    let taken = start(([127, 0, 0, 1], stage.port).into()).unwrap_err();
    assert!(matches!(taken, StartError::Listen { .. }));
    let said = taken.to_string();
    assert!(
        said.starts_with("cannot listen for Redis clients on 127.0.0.1:"),
        "{said}"
    );
    let open = start(([192, 0, 2, 1], 0).into()).unwrap_err();
    assert!(matches!(open, StartError::Unprotected(_)), "{open}");
}

/// What an administrator sees of the bus.
#[tokio::test]
async fn the_status_counts_clients() {
    let (stage, bus) = limited(|_| {});
    let status = bus.status().borrow().clone();
    assert_eq!((status.up, status.clients), (true, 0));
    assert_eq!(status.address, Some(format!("127.0.0.1:{}", stage.port)));
    let mut client = RawClient::connect(stage.port).await;
    clients_become(&bus, 1).await;
    client.ask("CLIENT SETNAME me", "+OK~").await;
    let mut other = stage.client().await;
    let list: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query_async(&mut other)
        .await
        .unwrap();
    assert_eq!(list.lines().count(), 2);
    assert!(list.contains(" name=me "), "{list}");
    drop((client, other));
    eventually("all have left", || bus.status().borrow().clients == 0).await;
}
