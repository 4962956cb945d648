//! Users, sessions, API keys, signing keys, revocations.

use tidegate_store::{
    ApiKey, ApiKeyQuery, Ended, Ending, KeyState, Revocation, RevocationKind, Session,
    SessionBounds, SessionQuery, SigningKey, Store, StoreError, TokenQuery, TokenRecord, TokensGo,
    User, UserChange, UserQuery, new_id,
};

use crate::{Stage, contract};

contract! {
    users_are_kept_by_a_unique_name;
    users_are_listed_page_by_page;
    a_stale_write_undoes_nothing;
    sessions_end_by_themselves_and_by_hand;
    a_user_ends_no_session_of_another;
    sessions_are_listed_page_by_page;
    api_keys_are_revoked_once;
    api_keys_are_listed_page_by_page;
    keys_rotate_and_there_is_one_current;
    two_rotations_at_once_are_one;
    a_key_that_was_given_is_never_forgotten;
    a_revocation_marks_what_it_names;
    revocations_are_bounded_and_none_is_dropped;
    every_change_is_seen_in_the_revision;
}

/// Of `principal`, by an administrator.
pub fn ending(principal: &str, now: i64) -> Ending<'_> {
    Ending {
        principal,
        by: "admin",
        now,
        leeway: 5,
        most: 100,
    }
}

const MANY: SessionBounds = SessionBounds {
    of_user: 100,
    all: 100,
};

pub fn user(name: &str) -> User {
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
    let wanted = UserChange {
        role: Some("admin".to_owned()),
        disabled: Some(true),
        ..UserChange::default()
    };
    let change = async |id: &str| {
        let ending = ending("user:alice", 2_000);
        let changed = store
            .change_user(id, &wanted, &ending, TokensGo::Stay)
            .await;
        changed.unwrap()
    };
    assert_eq!(change(&alice.id).await, Some(Ended::default()));
    assert_eq!(change("nobody").await, None);
    alice = User {
        role: "admin".to_owned(),
        disabled: 1,
        changed_at: 2_000,
        ..alice
    };
    let remove = async |id: &str| {
        let removed = store.remove_user(id, &ending("user:bob", 2_000)).await;
        removed.unwrap()
    };
    assert_eq!(remove(&bob.id).await, Some(Ended::default()));
    assert_eq!(remove(&bob.id).await, None);
    assert_eq!(store.user(&bob.id).await.unwrap(), None);
    assert_eq!(store.user(&alice.id).await.unwrap(), Some(alice.clone()));
    let odd = user("a_b");
    store.add_user(&odd).await.unwrap();
    let found = users(&store, "_").await;
    assert_eq!(found, ["a_b"], "what LIKE reads as a wildcard is none");
    assert!(remove(&odd.id).await.is_some());
    store.close().await;
    assert_eq!(stage.open().await.all_users(10).await.unwrap(), [alice]);
}

async fn users(store: &Store, search: &str) -> Vec<String> {
    let query = UserQuery {
        search: search.to_owned(),
        limit: 10,
        ..UserQuery::default()
    };
    let found = store.users(&query).await.unwrap();
    found.into_iter().map(|user| user.name).collect()
}

/// The latest first, in whatever language a database sorts; one is found by its name however many
/// there are.
async fn users_are_listed_page_by_page(stage: Stage) {
    let store = stage.open().await;
    let names = ["b", "a.c", "ab", "a-d", "_a"];
    for name in names {
        store.add_user(&user(name)).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut query = UserQuery {
        limit: 2,
        ..UserQuery::default()
    };
    loop {
        let page = store.users(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|user| user.name));
    }
    assert_eq!(seen, ["_a", "a-d", "ab", "a.c", "b"]);
    assert_eq!(users(&store, "A").await, ["_a", "a-d", "ab", "a.c"]);
    let named = UserQuery {
        name: "ab".to_owned(),
        limit: 10,
        ..UserQuery::default()
    };
    let found = store.users(&named).await.unwrap();
    assert_eq!(found.iter().map(|u| &*u.name).collect::<Vec<_>>(), ["ab"]);
}

/// What was read before somebody was put out, demoted or given a new password is not written back.
async fn a_stale_write_undoes_nothing(stage: Stage) {
    let store = stage.open().await;
    let alice = user("alice");
    store.add_user(&alice).await.unwrap();
    let mine = session(&alice.id, 9_000);
    store.add_session(&mine, MANY).await.unwrap();
    let change = async |wanted: UserChange| {
        let ending = ending("user:alice", 2_000);
        let changed = store
            .change_user(&alice.id, &wanted, &ending, TokensGo::Stay)
            .await;
        changed.unwrap().unwrap()
    };
    let own = async |session: &str, until_now: &str| {
        store
            .change_own_password(&alice.id, session, until_now, "mine", 3_000)
            .await
            .unwrap()
    };
    let until_now = alice.password_hash.as_str();
    // Two administrators: what the one leaves alone the other may change.
    change(UserChange {
        role: Some("operator".to_owned()),
        ..UserChange::default()
    })
    .await;
    let disabled = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    assert_eq!(change(disabled).await.sessions, 1);
    assert_eq!(own(&mine.id, until_now).await, None);
    let now = store.user(&alice.id).await.unwrap().unwrap();
    assert_eq!((now.role.as_str(), now.disabled), ("operator", 1));
    assert_eq!(now.password_hash, until_now);
    // She may come back: but this session may not change her password, and with another password
    // nor may any.
    change(UserChange {
        disabled: Some(false),
        ..UserChange::default()
    })
    .await;
    assert_eq!(own(&mine.id, until_now).await, None);
    let (again, other) = (session(&alice.id, 9_000), session(&alice.id, 9_000));
    let stranger = session("somebody", 9_000);
    for session in [&again, &other, &stranger] {
        store.add_session(session, MANY).await.unwrap();
    }
    assert_eq!(own(&stranger.id, until_now).await, None);
    assert_eq!(own(&again.id, "another").await, None);
    assert_eq!(own(&again.id, until_now).await, Some(1));
    assert_eq!(own(&again.id, until_now).await, None);
    let now = store.user(&alice.id).await.unwrap().unwrap();
    assert_eq!((&*now.password_hash, &*now.role), ("mine", "operator"));
}

fn session(user: &str, expires_at: i64) -> Session {
    Session {
        id: new_id(),
        hash: new_id(),
        user_id: user.to_owned(),
        created_at: 1_000,
        expires_at,
        address: "::1".to_owned(),
        agent: "a browser".to_owned(),
    }
}

fn ids(sessions: Vec<Session>) -> Vec<String> {
    sessions.into_iter().map(|session| session.id).collect()
}

async fn sessions_end_by_themselves_and_by_hand(stage: Stage) {
    let store = stage.open().await;
    let all = [
        session("a", 2_000),
        session("b", 9_000),
        session("b", 9_000),
        session("c", 9_000),
    ];
    for session in &all {
        store.add_session(session, MANY).await.unwrap();
    }
    let open = ids(store.all_sessions(2_000, 10).await.unwrap());
    assert_eq!(open, [&all[3], &all[2], &all[1]].map(|s| s.id.clone()));
    assert!(store.end_session_of("b", &all[1].id).await.unwrap());
    assert!(!store.end_session_of("c", &all[2].id).await.unwrap());
    assert!(store.end_session(&all[2].id).await.unwrap());
    assert!(store.end_session(&all[3].id).await.unwrap());
    assert!(!store.end_session(&all[3].id).await.unwrap());
    assert_eq!(store.purge_sessions(2_000).await.unwrap(), 1);
    assert_eq!(store.all_sessions(0, 10).await.unwrap(), []);

    // A further one ends the oldest.
    let many = ["d", "e", "f"].map(|user| session(user, 9_000));
    for session in &many {
        let two = SessionBounds { all: 2, ..MANY };
        store.add_session(session, two).await.unwrap();
    }
    let open = ids(store.all_sessions(0, 10).await.unwrap());
    assert_eq!(open, [&many[2], &many[1]].map(|s| s.id.clone()));
}

/// However often somebody signs in, it is that one's own sessions that end for it.
async fn a_user_ends_no_session_of_another(stage: Stage) {
    let store = stage.open().await;
    let bounds = SessionBounds { of_user: 2, all: 5 };
    let (admin, bob) = (session("", 9_000), session("bob", 9_000));
    let many: Vec<_> = (0..9).map(|_| session("alice", 9_000)).collect();
    for session in [&admin, &bob].into_iter().chain(&many) {
        store.add_session(session, bounds).await.unwrap();
    }
    let open = ids(store.all_sessions(0, 100).await.unwrap());
    let left = [&many[8], &many[7], &bob, &admin];
    assert_eq!(open, left.map(|session| session.id.clone()));
}

/// With whose they are; a user who is gone has none.
async fn sessions_are_listed_page_by_page(stage: Stage) {
    let store = stage.open().await;
    let (alice, bob) = (user("alice"), user("bob"));
    store.add_user(&alice).await.unwrap();
    store.add_user(&bob).await.unwrap();
    let mut all = [
        session(&alice.id, 9_000),
        session("", 9_000),
        session(&bob.id, 9_000),
        session("gone", 9_000),
        session(&alice.id, 1_000),
        session(&alice.id, 9_000),
    ];
    all[2].agent = "Fire_Fox".to_owned();
    for session in &all {
        store.add_session(session, MANY).await.unwrap();
    }
    let of = |n: usize, principal: &str| (all[n].id.clone(), principal.to_owned());
    let mut query = SessionQuery {
        limit: 2,
        ..SessionQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = store.sessions(&query, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(last.session.id.clone());
        seen.extend(page.into_iter().map(|s| (s.session.id, s.principal)));
    }
    let expected = [
        of(5, "user:alice"),
        of(2, "user:bob"),
        of(1, "admin"),
        of(0, "user:alice"),
    ];
    assert_eq!(seen, expected);
    let found = async |query: SessionQuery| {
        let query = SessionQuery { limit: 10, ..query };
        store.sessions(&query, 1_000).await.unwrap().len()
    };
    for (search, count) in [("", 4), ("ALI", 2), ("e_f", 1), ("::1", 4), ("nobody", 0)] {
        let search = SessionQuery {
            search: search.to_owned(),
            ..SessionQuery::default()
        };
        assert_eq!(found(search.clone()).await, count, "{search:?}");
    }
    let of_bob = SessionQuery {
        user_id: bob.id.clone(),
        ..SessionQuery::default()
    };
    assert_eq!(found(of_bob).await, 1);
    let of_alice = SessionQuery {
        principal: "user:alice".to_owned(),
        ..SessionQuery::default()
    };
    assert_eq!(found(of_alice).await, 2);
}

fn api_key(name: &str) -> ApiKey {
    ApiKey {
        id: new_id(),
        name: name.to_owned(),
        role: "admin".to_owned(),
        hash: new_id(),
        hint: "tgk_abc".to_owned(),
        created_at: 1_000,
        created_by: "admin".to_owned(),
        expires_at: Some(5_000),
        revoked_at: None,
    }
}

/// What a key is called is its own until it is revoked.
async fn api_keys_are_revoked_once(stage: Stage) {
    let store = stage.open().await;
    let key = api_key("backup");
    store.add_api_key(&key).await.unwrap();
    let endless = ApiKey {
        expires_at: None,
        ..api_key("backup")
    };
    assert_eq!(store.add_api_key(&endless).await, Err(StoreError::Taken));
    let revoke = async |at| {
        let revoked = store.revoke_api_key(&key, &ending("key:backup", at)).await;
        revoked.unwrap()
    };
    assert_eq!(revoke(2_000).await, Some(0));
    assert_eq!(revoke(3_000).await, None);
    store.add_api_key(&endless).await.unwrap();
    let good = store.good_api_keys(10).await.unwrap();
    assert_eq!(good, std::slice::from_ref(&endless));
    let revoked = ApiKey {
        revoked_at: Some(2_000),
        ..key
    };
    let found = store.api_key(&revoked.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&revoked));
    let all = ApiKeyQuery {
        limit: 10,
        ..ApiKeyQuery::default()
    };
    assert_eq!(store.api_keys(&all).await.unwrap(), [endless, revoked]);
}

async fn api_keys_are_listed_page_by_page(stage: Stage) {
    let store = stage.open().await;
    let keys: Vec<_> = ["b", "a", "d", "c", "e"].map(api_key).into();
    for key in &keys {
        store.add_api_key(key).await.unwrap();
    }
    let mut query = ApiKeyQuery {
        limit: 2,
        ..ApiKeyQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = store.api_keys(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(last.id.clone());
        seen.extend(page);
    }
    assert_eq!(seen, keys.iter().rev().cloned().collect::<Vec<_>>());
    let named = ApiKeyQuery {
        name: "a".to_owned(),
        limit: 10,
        ..ApiKeyQuery::default()
    };
    assert_eq!(store.api_keys(&named).await.unwrap(), keys[1..2]);
}

fn signing_key(kid: &str, created_at: i64) -> SigningKey {
    SigningKey {
        kid: kid.to_owned(),
        sealed: "sealed".to_owned(),
        state: KeyState::Current.as_str().to_owned(),
        created_at,
        retired_at: None,
        verify_until: None,
    }
}

/// P11: one key signs, earlier ones check until their time is over.
async fn keys_rotate_and_there_is_one_current(stage: Stage) {
    let store = stage.open().await;
    let key = signing_key;
    assert!(store.add_first_key(&key("a", 1_000)).await.unwrap());
    assert!(!store.add_first_key(&key("other", 1_001)).await.unwrap());
    let rotate =
        async |new: SigningKey, current: &str, until| store.rotate_key(&new, current, until).await;
    assert_eq!(rotate(key("b", 2_000), "a", Some(9_000)).await, Ok(true));
    assert_eq!(rotate(key("c", 3_000), "b", None).await, Ok(true));
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
        rotate(key("a", 4_000), "c", Some(9_000)).await,
        Err(StoreError::Taken)
    );
    assert!(!store.revoke_key("c", 4_000).await.unwrap());
    assert!(store.revoke_key("a", 4_000).await.unwrap());
    assert!(!store.revoke_key("a", 4_000).await.unwrap());
    assert_eq!(store.purge_keys(5_000, 2_500).await.unwrap(), 1);
    assert_eq!(store.keys(10).await.unwrap().len(), 2);
}

/// Who comes second is told so, and retires nothing but the key that was meant: a leaked key is not
/// left behind by one that is new.
async fn two_rotations_at_once_are_one(stage: Stage) {
    let (here, there) = (stage.open().await, stage.open().await);
    let first = signing_key("0", 1_000);
    assert!(here.add_first_key(&first).await.unwrap());
    let mut current = "0".to_owned();
    for round in 0..20 {
        let (gently, at_once) = (format!("{round}a"), format!("{round}b"));
        let (gentle, immediate) = (signing_key(&gently, 2_000), signing_key(&at_once, 2_000));
        let (one, other) = tokio::join!(
            here.rotate_key(&gentle, &current, Some(9_000)),
            there.rotate_key(&immediate, &current, None),
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one, other, "round {round}: one of the two");
        let keys = here.keys(100).await.unwrap();
        let state = |kid: &str| keys.iter().find(|key| key.kid == kid).map(|k| &*k.state);
        let (winner, loser) = if one {
            (gently, at_once)
        } else {
            (at_once, gently)
        };
        assert_eq!(state(&winner), Some("current"), "round {round}");
        assert_eq!(state(&loser), None, "round {round}");
        let retired = if one { "previous" } else { "revoked" };
        assert_eq!(state(&current), Some(retired), "round {round}");
        current = winner;
    }
    assert_eq!(
        here.rotate_key(&signing_key("x", 3_000), "0", None).await,
        Ok(false)
    );
}

/// The secret of `--jwt-secret` is there again with every start: its row says that it is refused, a
/// week later and a year later.
async fn a_key_that_was_given_is_never_forgotten(stage: Stage) {
    let store = stage.open().await;
    let shared = SigningKey {
        sealed: String::new(),
        ..signing_key("shared", 1_000)
    };
    assert!(store.add_first_key(&shared).await.unwrap());
    let (a, b) = (signing_key("a", 2_000), signing_key("b", 3_000));
    assert_eq!(store.rotate_key(&a, "shared", None).await, Ok(true));
    assert_eq!(store.rotate_key(&b, "a", None).await, Ok(true));
    assert_eq!(store.purge_keys(i64::MAX, i64::MAX).await.unwrap(), 1);
    let left = store.keys(10).await.unwrap();
    let left: Vec<_> = left.iter().map(|k| (&*k.kid, &*k.state)).collect();
    assert_eq!(left, [("b", "current"), ("shared", "revoked")]);
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
        store.revoke(kind, &revocation, 100).await.unwrap()
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

/// At the bound a further one is refused, and those before it hold; what was revoked already may be
/// revoked again, and what has ended makes room.
async fn revocations_are_bounded_and_none_is_dropped(stage: Stage) {
    let store = stage.open().await;
    let revoke = async |value: &str, at| {
        let kind = RevocationKind::Subject;
        let revocation = Revocation {
            kind: kind.as_str().to_owned(),
            value: value.to_owned(),
            revoked_at: at,
            until: at + 1_000,
            revoked_by: "admin".to_owned(),
        };
        store.revoke(kind, &revocation, 2).await
    };
    assert_eq!(revoke("a", 1_000).await, Ok(0));
    assert_eq!(revoke("b", 1_500).await, Ok(0));
    assert_eq!(revoke("b", 1_600).await, Ok(0));
    assert_eq!(revoke("c", 1_700).await, Err(StoreError::Full(2)));
    assert!(store.status().up, "full is not lost");
    let values = async |now| {
        let held = store.revocations(now, 10).await.unwrap();
        held.into_iter().map(|r| r.value).collect::<Vec<_>>()
    };
    assert_eq!(values(1_700).await, ["b", "a"]);
    assert_eq!(revoke("c", 2_100).await, Ok(0));
    assert_eq!(values(2_100).await, ["c", "b"]);
}

/// P11: every gateway learns of a change by the number alone.
async fn every_change_is_seen_in_the_revision(stage: Stage) {
    let (store, other) = (stage.open().await, stage.open().await);
    let before = other.revision().await.unwrap();
    let alice = user("alice");
    store.add_user(&alice).await.unwrap();
    assert_eq!(other.revision().await.unwrap(), before + 1);
    // What changes nothing is no change.
    let nobody = ending("user:nobody", 2_000);
    assert_eq!(store.remove_user("nobody", &nobody).await, Ok(None));
    assert_eq!(other.revision().await.unwrap(), before + 1);
    assert_eq!(store.add_user(&alice).await, Err(StoreError::Taken));
    assert_eq!(other.revision().await.unwrap(), before + 1);
}
