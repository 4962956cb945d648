//! Users, sessions, API keys, signing keys, revocations.

use tidegate_store::{
    ApiKey, KeyState, Revocation, RevocationKind, Session, SigningKey, StoreError, TokenQuery,
    TokenRecord, User, new_id,
};

use crate::{Stage, contract};

contract! {
    users_are_kept_by_a_unique_name;
    sessions_end_by_themselves_and_by_hand;
    api_keys_are_revoked_once;
    keys_rotate_and_there_is_one_current;
    a_revocation_marks_what_it_names;
    every_change_is_seen_in_the_revision;
}

fn user(name: &str) -> User {
    User {
        id: new_id(),
        name: name.to_owned(),
        role: "viewer".to_owned(),
        password_hash: "$argon2id$...".to_owned(),
        disabled: 0,
        created_at: 1_000,
        changed_at: 1_000,
    }
}

/// P7: what is written survives a restart.
async fn users_are_kept_by_a_unique_name(stage: Stage) {
    let store = stage.open().await;
    let (mut alice, bob) = (user("alice"), user("bob"));
    store.add_user(&bob).await.unwrap();
    store.add_user(&alice).await.unwrap();
    assert_eq!(store.add_user(&user("alice")).await, Err(StoreError::Taken));
    alice.role = "admin".to_owned();
    alice.disabled = 1;
    assert!(store.change_user(&alice).await.unwrap());
    assert!(!store.change_user(&user("nobody")).await.unwrap());
    assert!(store.remove_user(&bob.id).await.unwrap());
    assert!(!store.remove_user(&bob.id).await.unwrap());
    assert_eq!(store.user(&bob.id).await.unwrap(), None);
    assert_eq!(store.user(&alice.id).await.unwrap(), Some(alice.clone()));
    store.add_user(&user("a_b")).await.unwrap();
    let found = store.users_named("_", 10).await.unwrap();
    assert_eq!(
        found.iter().map(|u| &*u.name).collect::<Vec<_>>(),
        ["a_b"],
        "what LIKE reads as a wildcard is none"
    );
    assert!(store.remove_user(&found[0].id).await.unwrap());
    store.close().await;
    assert_eq!(stage.open().await.users(10).await.unwrap(), [alice]);
}

async fn sessions_end_by_themselves_and_by_hand(stage: Stage) {
    let store = stage.open().await;
    let session = |user: &str, expires_at| Session {
        id: new_id(),
        hash: new_id(),
        user_id: user.to_owned(),
        created_at: 1_000,
        expires_at,
        address: "::1".to_owned(),
        agent: "a browser".to_owned(),
    };
    let all = [
        session("a", 2_000),
        session("b", 9_000),
        session("b", 9_000),
        session("c", 9_000),
    ];
    for session in &all {
        store.add_session(session, 100).await.unwrap();
    }
    let ids = |sessions: Vec<Session>| sessions.into_iter().map(|s| s.id).collect::<Vec<_>>();
    let open = ids(store.sessions(2_000, 10).await.unwrap());
    assert_eq!(open, [&all[3], &all[2], &all[1]].map(|s| s.id.clone()));
    assert_eq!(store.end_sessions_of("b").await.unwrap(), 2);
    assert!(store.end_session(&all[3].id).await.unwrap());
    assert!(!store.end_session(&all[3].id).await.unwrap());
    assert_eq!(store.purge_sessions(2_000).await.unwrap(), 1);
    assert_eq!(store.sessions(0, 10).await.unwrap(), []);

    // A further one ends the oldest.
    let many = ["d", "e", "f"].map(|user| session(user, 9_000));
    for session in &many {
        store.add_session(session, 2).await.unwrap();
    }
    let open = ids(store.sessions(0, 10).await.unwrap());
    assert_eq!(open, [&many[2], &many[1]].map(|s| s.id.clone()));

    let own = ["g", "g", "g"].map(|user| session(user, 9_000));
    for session in &own {
        store.add_session(session, 100).await.unwrap();
    }
    let ended = store.end_other_sessions_of("g", &own[1].id).await.unwrap();
    assert_eq!(ended, 2);
    let open = ids(store.sessions(0, 10).await.unwrap());
    assert!(open.contains(&own[1].id) && !open.contains(&own[0].id));
    assert!(open.contains(&many[2].id), "others stay");
}

async fn api_keys_are_revoked_once(stage: Stage) {
    let store = stage.open().await;
    let key = ApiKey {
        id: new_id(),
        name: "backup".to_owned(),
        role: "admin".to_owned(),
        hash: "abc".to_owned(),
        hint: "tgk_abc".to_owned(),
        created_at: 1_000,
        created_by: "admin".to_owned(),
        expires_at: Some(5_000),
        revoked_at: None,
    };
    store.add_api_key(&key).await.unwrap();
    let endless = ApiKey {
        id: new_id(),
        hash: "def".to_owned(),
        expires_at: None,
        ..key.clone()
    };
    store.add_api_key(&endless).await.unwrap();
    assert!(store.revoke_api_key(&key.id, 2_000).await.unwrap());
    assert!(!store.revoke_api_key(&key.id, 3_000).await.unwrap());
    let revoked = ApiKey {
        revoked_at: Some(2_000),
        ..key
    };
    assert_eq!(store.api_keys(10).await.unwrap(), [endless, revoked]);
}

/// P11: one key signs, earlier ones check until their time is over.
async fn keys_rotate_and_there_is_one_current(stage: Stage) {
    let store = stage.open().await;
    let key = |kid: &str, created_at| SigningKey {
        kid: kid.to_owned(),
        sealed: "sealed".to_owned(),
        state: KeyState::Current.as_str().to_owned(),
        created_at,
        retired_at: None,
        verify_until: None,
    };
    assert!(store.add_first_key(&key("a", 1_000)).await.unwrap());
    assert!(!store.add_first_key(&key("other", 1_001)).await.unwrap());
    store
        .rotate_key(&key("b", 2_000), Some(9_000))
        .await
        .unwrap();
    store.rotate_key(&key("c", 3_000), None).await.unwrap();
    let states = |keys: Vec<SigningKey>| {
        keys.into_iter()
            .map(|k| (k.kid, k.state, k.verify_until))
            .collect::<Vec<_>>()
    };
    let state =
        |kid: &str, state: KeyState, until| (kid.to_owned(), state.as_str().to_owned(), until);
    assert_eq!(
        states(store.keys(10).await.unwrap()),
        [
            state("c", KeyState::Current, None),
            state("b", KeyState::Revoked, Some(3_000)),
            state("a", KeyState::Previous, Some(9_000)),
        ]
    );
    // A rotation that fails leaves the current key in its place.
    assert_eq!(
        store.rotate_key(&key("a", 4_000), Some(9_000)).await,
        Err(StoreError::Taken)
    );
    assert!(!store.revoke_key("c", 4_000).await.unwrap());
    assert!(store.revoke_key("a", 4_000).await.unwrap());
    assert!(!store.revoke_key("a", 4_000).await.unwrap());
    assert_eq!(store.purge_keys(5_000, 2_500).await.unwrap(), 1);
    assert_eq!(store.keys(10).await.unwrap().len(), 2);
}

fn token(subject: &str, kid: &str, expires_at: i64) -> TokenRecord {
    TokenRecord {
        jti: new_id(),
        subject: subject.to_owned(),
        channels: r#"["room"]"#.to_owned(),
        allow: r#"["join"]"#.to_owned(),
        roles: r#"["editor"]"#.to_owned(),
        kid: kid.to_owned(),
        issued_at: 1_000,
        expires_at,
        issued_by: "admin".to_owned(),
        revoked_at: None,
    }
}

/// P12: by token, by subject, by key.
async fn a_revocation_marks_what_it_names(stage: Stage) {
    let store = stage.open().await;
    let tokens = [
        token("alice", "a", 5_000),
        token("alice", "b", 6_000),
        token("bob", "b", 7_000),
        token("carol", "c", 2_000),
    ];
    store.add_tokens(&tokens).await.unwrap();
    let revoke = async |kind: RevocationKind, value: &str, at| {
        let revocation = Revocation {
            kind: kind.as_str().to_owned(),
            value: value.to_owned(),
            revoked_at: at,
            until: 8_000,
            revoked_by: "admin".to_owned(),
        };
        store.revoke(kind, &revocation).await.unwrap()
    };
    assert_eq!(
        revoke(RevocationKind::Token, &tokens[0].jti, 1_500).await,
        1
    );
    assert_eq!(revoke(RevocationKind::Subject, "alice", 1_600).await, 1);
    assert_eq!(revoke(RevocationKind::Key, "b", 1_700).await, 1);
    assert_eq!(revoke(RevocationKind::Key, "b", 1_800).await, 0);
    let listed = store.revocations(0, 10).await.unwrap();
    let values: Vec<_> = listed
        .iter()
        .map(|r| (r.kind.as_str(), r.value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("key", "b"),
            ("subject", "alice"),
            ("token", tokens[0].jti.as_str())
        ]
    );
    assert_eq!(listed[0].revoked_at, 1_800);
    let all = store
        .tokens(
            &TokenQuery {
                limit: 10,
                ..TokenQuery::default()
            },
            2_000,
        )
        .await
        .unwrap();
    let revoked: Vec<_> = all
        .iter()
        .map(|t| (t.subject.as_str(), t.revoked_at))
        .collect();
    assert_eq!(
        revoked,
        [
            ("bob", Some(1_700)),
            ("alice", Some(1_600)),
            ("alice", Some(1_500))
        ]
    );
    assert_eq!(store.purge_revocations(8_000).await.unwrap(), 3);
    assert_eq!(store.revocations(0, 10).await.unwrap(), []);
}

/// P11: every gateway learns of a change by the number alone.
async fn every_change_is_seen_in_the_revision(stage: Stage) {
    let (store, other) = (stage.open().await, stage.open().await);
    let before = other.revision().await.unwrap();
    let alice = user("alice");
    store.add_user(&alice).await.unwrap();
    assert_eq!(other.revision().await.unwrap(), before + 1);
    // What changes nothing is no change.
    store.remove_user("nobody").await.unwrap();
    assert_eq!(other.revision().await.unwrap(), before + 1);
    assert_eq!(store.add_user(&alice).await, Err(StoreError::Taken));
    assert_eq!(other.revision().await.unwrap(), before + 1);
}
