//! What is said on the wire, compared with what Redis says.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use redis::AsyncCommands;
use tidegate_bus::Glob;

use crate::raw::RawClient;
use crate::stage::Stage;

/// T5: the answers in RESP2, and what a subscriber may do there.
pub(crate) async fn resp2_says_what_redis_says(stage: Stage) {
    let mut a = RawClient::connect(stage.port).await;
    a.ask("PING", "+PONG~").await;
    a.ask("ping hi", "$2~hi~").await;
    a.ask("ECHO hi", "$2~hi~").await;
    a.ask("SELECT 0", "+OK~").await;
    a.ask("SELECT 99", "-ERR DB index is out of range~").await;
    a.ask("SELECT x", "-ERR value is not an integer or out of range~")
        .await;
    a.ask("CLIENT GETNAME", "$-1~").await;
    a.ask("CLIENT SETNAME me", "+OK~").await;
    a.ask("CLIENT GETNAME", "$2~me~").await;
    a.ask("CLIENT NO-EVICT on", "+OK~").await;
    a.ask("AUTH default whatever", "+OK~").await;
    a.ask(
        "AUTH whatever",
        "-ERR AUTH <password> called without any password configured for the default user. Are \
         you sure your configuration is correct?~",
    )
    .await;
    a.ask(
        "AUTH nobody x",
        "-WRONGPASS invalid username-password pair or user is disabled.~",
    )
    .await;
    a.ask("HELLO 9", "-NOPROTO unsupported protocol version~")
        .await;
    a.ask(
        "HELLO 2 NONSENSE",
        "-ERR Syntax error in HELLO option 'NONSENSE'~",
    )
    .await;
    a.ask("PUBLISH nobody x", ":0~").await;
    a.ask(
        "PUBLISH nobody",
        "-ERR wrong number of arguments for 'publish' command~",
    )
    .await;
    a.ask(
        "SUBSCRIBE",
        "-ERR wrong number of arguments for 'subscribe' command~",
    )
    .await;
    a.ask("NOSUCH a b", "-ERR unknown command 'NOSUCH', ").await;
    a.expect_line().await;
    a.ask("CLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'")
        .await;
    a.expect_line().await;
    // On Redis the gateways have a channel of their own: those of this test begin with an `a`.
    a.ask("PUBSUB CHANNELS a*", "*0~").await;
    a.ask("PUBSUB NUMSUB a", "*2~$1~a~:0~").await;
    a.ask("PUBSUB NUMPAT", ":1~").await;

    a.ask(
        "SUBSCRIBE a b",
        "*3~$9~subscribe~$1~a~:1~*3~$9~subscribe~$1~b~:2~",
    )
    .await;
    a.ask("PSUBSCRIBE p*", "*3~$10~psubscribe~$2~p*~:3~").await;
    a.ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:3~").await;
    a.ask("PING", "*2~$4~pong~$0~~").await;
    a.ask("PING hi", "*2~$4~pong~$2~hi~").await;
    a.ask(
        "PUBLISH a x",
        "-ERR Can't execute 'publish': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
         RESET are allowed in this context~",
    )
    .await;

    let mut b = RawClient::connect(stage.port).await;
    b.ask("PUBSUB CHANNELS a*", "*1~$1~a~").await;
    b.ask("PUBSUB NUMSUB a none", "*4~$1~a~:1~$4~none~:0~")
        .await;
    b.ask("PUBSUB NUMPAT", ":2~").await;
    b.ask("PUBLISH a 1", ":1~").await;
    a.expect("*3~$7~message~$1~a~$1~1~").await;
    b.ask("PUBLISH pq 2", ":1~").await;
    a.expect("*4~$8~pmessage~$2~p*~$2~pq~$1~2~").await;

    a.ask("UNSUBSCRIBE a", "*3~$11~unsubscribe~$1~a~:2~").await;
    a.ask("UNSUBSCRIBE", "*3~$11~unsubscribe~$1~b~:1~").await;
    a.ask("PUNSUBSCRIBE", "*3~$12~punsubscribe~$2~p*~:0~").await;
    a.ask("UNSUBSCRIBE", "*3~$11~unsubscribe~$-1~:0~").await;
    a.ask("UNSUBSCRIBE x", "*3~$11~unsubscribe~$1~x~:0~").await;
    a.ask("PUBLISH a 3", ":0~").await;
    a.ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:1~").await;
    a.ask("RESET", "+RESET~").await;
    a.ask("CLIENT GETNAME", "$-1~").await;
    b.ask("PUBLISH a 4", ":0~").await;
    a.send("QUIT").await;
    assert_eq!(a.rest().await, "+OK\r\n");
}

/// T5: the answers in RESP3, where a subscriber may do everything.
pub(crate) async fn resp3_says_what_redis_says(stage: Stage) {
    let mut a = RawClient::connect(stage.port).await;
    a.ask("HELLO 3 AUTH default x SETNAME me", "%7~").await;
    a.expect_pairs(7).await;
    a.ask("CLIENT GETNAME", "$2~me~").await;
    a.ask("CLIENT SETNAME ", "+OK~").await;
    a.ask("CLIENT GETNAME", "_~").await;
    a.ask("SUBSCRIBE a", ">3~$9~subscribe~$1~a~:1~").await;
    a.ask("PING", "+PONG~").await;
    a.ask("PSUBSCRIBE a*", ">3~$10~psubscribe~$2~a*~:2~").await;
    a.ask(
        "PUBLISH a x",
        ">3~$7~message~$1~a~$1~x~>4~$8~pmessage~$2~a*~$1~a~$1~x~:2~",
    )
    .await;
    a.ask("UNSUBSCRIBE b", ">3~$11~unsubscribe~$1~b~:2~").await;
    a.ask("PUNSUBSCRIBE", ">3~$12~punsubscribe~$2~a*~:1~").await;
    a.ask("PUNSUBSCRIBE", ">3~$12~punsubscribe~_~:1~").await;
    a.ask("PUBSUB NUMSUB a", "*2~$1~a~:1~").await;
    a.ask("RESET", "+RESET~").await;
    a.ask("CLIENT GETNAME", "$-1~").await;
}

/// What a stock client's pipeline sends, in both protocols.
pub(crate) async fn transactions_say_what_redis_says(stage: Stage) {
    let mut listener = RawClient::connect(stage.port).await;
    listener
        .ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:1~")
        .await;
    for (protocol, null) in [(2, "$-1~"), (3, "_~")] {
        let mut a = RawClient::connect(stage.port).await;
        if protocol == 3 {
            a.ask("HELLO 3", "%7~").await;
            a.expect_pairs(7).await;
        }
        a.ask("EXEC", "-ERR EXEC without MULTI~").await;
        a.ask("DISCARD", "-ERR DISCARD without MULTI~").await;
        a.ask("MULTI", "+OK~").await;
        a.ask("EXEC", "*0~").await;
        a.ask("multi", "+OK~").await;
        a.ask("PUBLISH a 1", "+QUEUED~").await;
        a.ask("PUBLISH nobody 1", "+QUEUED~").await;
        a.ask("PING", "+QUEUED~").await;
        a.ask("ECHO hi", "+QUEUED~").await;
        a.ask("CLIENT GETNAME", "+QUEUED~").await;
        a.ask("SELECT 99", "+QUEUED~").await;
        a.ask("PUBSUB NUMSUB a", "+QUEUED~").await;
        let done = format!("*7~:1~:0~+PONG~$2~hi~{null}-ERR DB index is out of range~*2~$1~a~:1~");
        a.ask("exec", &done).await;
        listener.expect("*3~$7~message~$1~a~$1~1~").await;
        a.ask("EXEC", "-ERR EXEC without MULTI~").await;
        // Nested ones are refused, and the outer one goes on.
        a.ask("MULTI", "+OK~").await;
        a.ask("MULTI", "-ERR MULTI calls can not be nested~").await;
        a.ask("PUBLISH a 2", "+QUEUED~").await;
        a.ask("EXEC", "*1~:1~").await;
        listener.expect("*3~$7~message~$1~a~$1~2~").await;
    }
}

/// One that is refused takes the others along; what was not carried out leaves nothing behind.
pub(crate) async fn transactions_are_carried_out_whole_or_not_at_all(stage: Stage) {
    const ABORTED: &str = "-EXECABORT Transaction discarded because of previous errors.~";
    let mut a = RawClient::connect(stage.port).await;
    let mut listener = RawClient::connect(stage.port).await;
    listener
        .ask("SUBSCRIBE a", "*3~$9~subscribe~$1~a~:1~")
        .await;
    a.ask("MULTI", "+OK~").await;
    a.ask("PUBLISH a no", "+QUEUED~").await;
    a.ask("NOSUCH a b", "-ERR unknown command 'NOSUCH', ").await;
    a.expect_line().await;
    a.ask("PUBLISH a no", "+QUEUED~").await;
    a.ask("EXEC", ABORTED).await;
    a.ask("MULTI", "+OK~").await;
    a.ask("PUBLISH a no", "+QUEUED~").await;
    a.ask(
        "PUBLISH a",
        "-ERR wrong number of arguments for 'publish' command~",
    )
    .await;
    a.ask("EXEC", ABORTED).await;
    a.ask("MULTI", "+OK~").await;
    a.ask(
        "MULTI now",
        "-ERR wrong number of arguments for 'multi' command~",
    )
    .await;
    a.ask("EXEC", ABORTED).await;
    a.ask("MULTI", "+OK~").await;
    a.ask("PUBLISH a no", "+QUEUED~").await;
    a.ask("DISCARD", "+OK~").await;
    a.ask("MULTI", "+OK~").await;
    a.ask("PUBLISH a no", "+QUEUED~").await;
    a.ask("RESET", "+RESET~").await;
    a.ask("EXEC", "-ERR EXEC without MULTI~").await;
    a.ask("MULTI", "+OK~").await;
    a.ask("PUBLISH a no", "+QUEUED~").await;
    a.send("QUIT").await;
    assert_eq!(a.rest().await, "+OK\r\n");
    // Nothing of all that was published before this.
    stage
        .client()
        .await
        .publish::<_, _, ()>("a", "yes")
        .await
        .unwrap();
    listener.expect("*3~$7~message~$1~a~$3~yes~").await;
}

impl RawClient {
    /// The rest of an answer whose words may differ.
    async fn expect_line(&mut self) {
        use tokio::io::AsyncReadExt;
        while crate::stage::soon(self.stream.read_u8()).await.unwrap() != b'\n' {}
    }

    /// The body of `HELLO`'s answer: it ends with an empty list of modules.
    async fn expect_pairs(&mut self, pairs: usize) {
        use tokio::io::AsyncReadExt;
        let mut text = String::new();
        while !(text.ends_with("\r\n") && complete(&text, pairs)) {
            text.push(
                crate::stage::soon(self.stream.read_u8())
                    .await
                    .unwrap()
                    .into(),
            );
        }
        for field in [
            "server",
            "version",
            "proto\r\n:3",
            "id\r\n:",
            "mode",
            "role",
            "modules\r\n*0",
        ] {
            assert!(text.contains(field), "{field} in {text}");
        }
    }
}

/// Whether so many pairs are there, of bulk strings, integers and empty arrays.
fn complete(text: &str, pairs: usize) -> bool {
    let heads = text
        .split("\r\n")
        .filter(|line| line.starts_with(':') || line.starts_with('*') || line.starts_with('$'));
    let bulk_open = text
        .trim_end_matches("\r\n")
        .rsplit("\r\n")
        .next()
        .is_some_and(|l| l.starts_with('$'));
    heads.count() == 2 * pairs && !bulk_open
}

/// A glob is what the server beside it takes for one: the real Redis vouches for [`Glob`].
pub(crate) async fn globs_match_what_redis_matches(stage: Stage) {
    let letters = |set: &'static str| prop::sample::select(set.as_bytes().to_vec());
    let cases = (
        prop::collection::vec(letters(r"ab-]*?[^\"), 0..8),
        prop::collection::vec(letters(r"ab-]"), 0..5),
    );
    let mut runner = TestRunner::deterministic();
    let mut connection = stage.client().await;
    let mut subscriber = stage.subscriber().await;
    let mut matched = 0;
    for _ in 0..1_000 {
        let (pattern, subject) = cases.new_tree(&mut runner).unwrap().current();
        subscriber.psubscribe(&pattern[..]).await.unwrap();
        let receivers: u64 = connection.publish(&subject[..], "").await.unwrap();
        subscriber.punsubscribe(&pattern[..]).await.unwrap();
        let expected = Glob::new(pattern.clone()).matches(&subject);
        matched += receivers;
        assert_eq!(
            receivers == 1,
            expected,
            "{} on {}",
            String::from_utf8_lossy(&pattern),
            String::from_utf8_lossy(&subject)
        );
    }
    assert!(
        matched > 50,
        "only {matched} cases matched, which shows too little"
    );
}
