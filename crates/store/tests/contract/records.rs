//! Tokens, definitions, activity: lists, pages, purges.

use tidegate_store::{
    Activity, ActivityQuery, PrincipalsAfter, Repeat, StoredDefinition, TokenQuery, TokenRecord,
    new_id,
};

use crate::{Stage, contract};

contract! {
    tokens_are_listed_page_by_page;
    definitions_are_replaced_and_forgotten;
    activity_is_searched_counted_and_bounded;
    repeats_are_counted_in_their_record;
    tokens_of_one_issuer_are_bounded;
    a_nonce_is_used_once;
    letters_are_large_and_small_in_every_language;
    principals_are_listed_page_by_page;
}

/// From the first on.
fn from_the_first() -> PrincipalsAfter {
    PrincipalsAfter::default()
}

async fn tokens_are_listed_page_by_page(stage: Stage) {
    let store = stage.open().await;
    let tokens: Vec<_> = (0..5)
        .map(|n| TokenRecord {
            jti: new_id(),
            subject: if n % 2 == 0 { "alice" } else { "bob" }.to_owned(),
            channels: if n < 2 { r#"["Room:1"]"# } else { "[]" }.to_owned(),
            allow: "[]".to_owned(),
            roles: "[]".to_owned(),
            kid: "k".to_owned(),
            issued_at: n,
            expires_at: 100 + n,
            issued_by: "admin".to_owned(),
            revoked_at: None,
        })
        .collect();
    store.add_tokens(&tokens).await.unwrap();
    let mut seen = Vec::new();
    let mut query = TokenQuery {
        limit: 2,
        ..TokenQuery::default()
    };
    loop {
        let page = store.tokens(&query, 0).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(last.jti.clone());
        seen.extend(page);
    }
    assert_eq!(seen, tokens.iter().rev().cloned().collect::<Vec<_>>());
    let of_alice = TokenQuery {
        subject: "alice".to_owned(),
        limit: 10,
        ..TokenQuery::default()
    };
    assert_eq!(store.tokens(&of_alice, 0).await.unwrap().len(), 3);
    for (text, expected) in [("ALIC", 3), ("%", 0), ("room", 2), (&tokens[2].jti, 1)] {
        let holding = TokenQuery {
            search: text.to_owned(),
            limit: 10,
            ..TokenQuery::default()
        };
        let found = store.tokens(&holding, 0).await.unwrap();
        assert_eq!(found.len(), expected, "{text}");
    }
    let of_another_key = TokenQuery {
        kid: "other".to_owned(),
        limit: 10,
        ..TokenQuery::default()
    };
    assert_eq!(store.tokens(&of_another_key, 0).await.unwrap(), []);
    assert_eq!(
        store.token(&tokens[1].jti).await.unwrap().as_ref(),
        Some(&tokens[1])
    );
    assert_eq!(store.token("none").await.unwrap(), None);
    assert_eq!(store.last_expiry("k").await.unwrap(), 104);
    assert_eq!(store.last_expiry("none").await.unwrap(), 0);
    assert_eq!(store.tokens_of_key("k", 102).await.unwrap(), 2);
    assert_eq!(store.purge_tokens(102).await.unwrap(), 3);
}

async fn definitions_are_replaced_and_forgotten(stage: Stage) {
    let store = stage.open().await;
    let mut room = StoredDefinition {
        pattern: "room:*".to_owned(),
        body: Some("{}".to_owned()),
        changed_at: 1,
        changed_by: "user:alice".to_owned(),
    };
    store.put_definition(&room).await.unwrap();
    room.body = None;
    room.changed_at = 2;
    store.put_definition(&room).await.unwrap();
    assert_eq!(store.definitions(10).await.unwrap(), [room]);
    assert!(store.forget_definition("room:*").await.unwrap());
    assert!(!store.forget_definition("room:*").await.unwrap());
    assert_eq!(store.definitions(10).await.unwrap(), []);
}

fn record(at: i64, principal: &str, target: &str, status: i64) -> Activity {
    Activity {
        id: new_id(),
        at,
        principal: principal.to_owned(),
        action: "DELETE /api/v1/channels/{topic}".to_owned(),
        target: target.to_owned(),
        outcome: "Closed it.".to_owned(),
        status,
        took_us: 12,
        address: "127.0.0.1".to_owned(),
        times: 1,
        last_at: at,
    }
}

/// P16: what is done again counts, and is one record.
async fn repeats_are_counted_in_their_record(stage: Stage) {
    let store = stage.open().await;
    let first = record(1, "user:alice", "/channels/room", 200);
    let again = |times, last_at| Repeat {
        id: first.id.clone(),
        principal: first.principal.clone(),
        refused: false,
        times,
        last_at,
        took_us: 99,
    };
    let both = [again(5, 7)];
    store
        .add_and_repeat(std::slice::from_ref(&first), &both)
        .await
        .unwrap();
    store.add_and_repeat(&[], &[again(2, 9)]).await.unwrap();
    let all = ActivityQuery {
        limit: 10,
        ..ActivityQuery::default()
    };
    let found = store.activity(&all).await.unwrap();
    let expected = Activity {
        times: 8,
        last_at: 9,
        took_us: 99,
        ..first
    };
    assert_eq!(found, [expected]);
    let counts = store.principals(&from_the_first(), 10).await.unwrap();
    assert_eq!((counts[0].answered, counts[0].last_at), (8, 9));
}

/// Of what anybody may ask for so much is kept, and everything else.
async fn tokens_of_one_issuer_are_bounded(stage: Stage) {
    let store = stage.open().await;
    let token = |issued_by: &str| TokenRecord {
        jti: new_id(),
        subject: "alice".to_owned(),
        channels: "[]".to_owned(),
        allow: "[]".to_owned(),
        roles: "[]".to_owned(),
        kid: "k".to_owned(),
        issued_at: 1,
        expires_at: 100,
        issued_by: issued_by.to_owned(),
        revoked_at: None,
    };
    let mut tokens = vec![token("admin")];
    tokens.extend((0..5).map(|_| token("anybody")));
    store.add_tokens(&tokens).await.unwrap();
    assert_eq!(store.purge_issued_by("anybody", 5).await.unwrap(), 0);
    assert_eq!(store.purge_issued_by("anybody", 2).await.unwrap(), 3);
    let all = TokenQuery {
        limit: 10,
        ..TokenQuery::default()
    };
    let left = store.tokens(&all, 0).await.unwrap();
    let expected = [&tokens[5], &tokens[4], &tokens[0]].map(Clone::clone);
    assert_eq!(left, expected);
}

/// Both databases find the same, whatever they know of languages.
async fn letters_are_large_and_small_in_every_language(stage: Stage) {
    let store = stage.open().await;
    let texts = ["/channels/Ärger", "/channels/ÇA", "/channels/Жук"];
    let records = texts.map(|target| record(1, "user:alice", target, 200));
    store.add_activity(&records).await.unwrap();
    let tokens = ["Ärger", "ÇA", "Жук"].map(|subject| TokenRecord {
        jti: new_id(),
        subject: subject.to_owned(),
        channels: "[]".to_owned(),
        allow: "[]".to_owned(),
        roles: "[]".to_owned(),
        kid: "k".to_owned(),
        issued_at: 1,
        expires_at: 100,
        issued_by: "admin".to_owned(),
        revoked_at: None,
    });
    store.add_tokens(&tokens).await.unwrap();
    for (text, found) in [
        ("Ärger", 1),
        ("ärger", 1),
        ("ÄRG", 1),
        ("ça", 1),
        ("ЖУК", 1),
        ("arger", 0),
    ] {
        let query = ActivityQuery {
            search: text.to_owned(),
            limit: 10,
            ..ActivityQuery::default()
        };
        assert_eq!(store.activity(&query).await.unwrap().len(), found, "{text}");
        let query = TokenQuery {
            search: text.to_owned(),
            limit: 10,
            ..TokenQuery::default()
        };
        let listed = store.tokens(&query, 0).await.unwrap();
        assert_eq!(listed.len(), found, "{text}");
    }
}

async fn principals_are_listed_page_by_page(stage: Stage) {
    let store = stage.open().await;
    let records = [(5, "b"), (7, "a"), (5, "c"), (5, "a.b"), (9, "d")]
        .map(|(at, who)| record(at, who, "/", 200));
    store.add_activity(&records).await.unwrap();
    let mut after = from_the_first();
    let mut seen = Vec::new();
    loop {
        let page = store.principals(&after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = PrincipalsAfter {
            last_at: last.last_at,
            principal: last.principal.clone(),
        };
        seen.extend(page.into_iter().map(|count| count.principal));
    }
    assert_eq!(seen, ["d", "a", "a.b", "b", "c"]);
}

/// P15: a nonce is used once, whichever gateway is asked.
async fn a_nonce_is_used_once(stage: Stage) {
    let (one, other) = (stage.open().await, stage.open().await);
    assert!(one.first_use("a", 10).await.unwrap());
    assert!(!other.first_use("a", 10).await.unwrap());
    assert!(other.first_use("b", 20).await.unwrap());
    assert!(one.status().up && other.status().up);
    assert_eq!(one.purge_nonces(11).await.unwrap(), 1);
    assert!(!one.first_use("b", 20).await.unwrap());
    let both = tokio::join!(one.first_use("c", 30), other.first_use("c", 30));
    let firsts = [both.0.unwrap(), both.1.unwrap()];
    assert_ne!(firsts[0], firsts[1], "one of two at once");
}

/// P16: searched, counted, bounded. A wildcard of the database is a plain character of a search.
async fn activity_is_searched_counted_and_bounded(stage: Stage) {
    let store = stage.open().await;
    let mut records = [
        record(1, "user:alice", "/channels/Room", 200),
        record(2, "user:bob", "/channels/100%_sure", 403),
        record(3, "user:alice", r"/channels/back\slash", 200),
        record(4, "user:alice", "/channels/other", 404),
    ];
    for reading in &mut records[2..] {
        reading.action = "GET /api/v1/channels/{topic}".to_owned();
    }
    store.add_activity(&records[..2]).await.unwrap();
    store.add_activity(&records[2..]).await.unwrap();
    let found = async |query: ActivityQuery| {
        let query = ActivityQuery { limit: 10, ..query };
        let found = store.activity(&query).await.unwrap();
        found.into_iter().map(|a| a.at).collect::<Vec<_>>()
    };
    let search = |text: &str| ActivityQuery {
        search: text.to_owned(),
        ..ActivityQuery::default()
    };
    assert_eq!(found(search("")).await, [4, 3, 2, 1]);
    assert_eq!(found(search("rOOm")).await, [1]);
    assert_eq!(found(search("%")).await, [2]);
    assert_eq!(found(search("_sure")).await, [2]);
    assert_eq!(found(search(r"back\s")).await, [3]);
    assert_eq!(found(search("closed it")).await.len(), 4);
    let refused = ActivityQuery {
        refused: true,
        ..ActivityQuery::default()
    };
    assert_eq!(found(refused).await, [4, 2]);
    let changes = ActivityQuery {
        changes: true,
        ..ActivityQuery::default()
    };
    assert_eq!(found(changes).await, [4, 2, 1], "a refused reading stays");
    let of_alice = ActivityQuery {
        principal: "user:alice".to_owned(),
        after: Some(records[3].id.clone()),
        ..ActivityQuery::default()
    };
    assert_eq!(found(of_alice).await, [3, 1]);

    let counts: Vec<_> = store
        .principals(&from_the_first(), 10)
        .await
        .unwrap()
        .into_iter()
        .map(|c| (c.principal, c.answered, c.refused, c.last_at))
        .collect();
    assert_eq!(
        counts,
        [
            ("user:alice".to_owned(), 2, 1, 4),
            ("user:bob".to_owned(), 0, 1, 2)
        ]
    );

    assert_eq!(store.purge_activity(0, 10).await.unwrap(), 0);
    assert_eq!(store.purge_activity(0, 3).await.unwrap(), 1);
    assert_eq!(store.purge_activity(4, 3).await.unwrap(), 2);
    assert_eq!(found(search("")).await, [4]);
    assert_eq!(
        store.principals(&from_the_first(), 10).await.unwrap().len(),
        1
    );
}
