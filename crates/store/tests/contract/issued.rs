//! What goes with somebody who is put out, and that nothing comes to be beside it.

use tidegate_store::{
    ApiKey, Ended, Issuer, SessionBounds, Store, StoreError, TokenRecord, TokensGo, UserChange,
    new_id,
};

use crate::identities::{ending, user};
use crate::{Stage, contract};

contract! {
    tokens_go_with_the_user_who_issued_them;
    a_demotion_takes_what_only_administrators_issue;
    tokens_go_with_the_key_that_issued_them;
    what_cannot_be_revoked_leaves_everything_as_it_was;
    nobody_issues_who_was_put_out;
    nothing_is_issued_beside_a_putting_out;
}

fn token(issued_by: &str, expires_at: i64) -> TokenRecord {
    TokenRecord {
        jti: new_id(),
        subject: "device".to_owned(),
        channels: r#"["room"]"#.to_owned(),
        allow: r#"["join","push"]"#.to_owned(),
        roles: r#"["editor"]"#.to_owned(),
        kid: "k".to_owned(),
        issued_at: 1_000,
        expires_at,
        issued_by: issued_by.to_owned(),
        revoked_at: None,
    }
}

/// The names of what is refused, oldest first.
async fn refused(store: &Store) -> Vec<(String, i64)> {
    let mut held = store.revocations(0, 1_000).await.unwrap();
    held.sort_by(|a, b| a.value.cmp(&b.value));
    assert!(
        held.iter()
            .all(|r| r.kind == "token" && r.revoked_by == "admin")
    );
    held.into_iter().map(|r| (r.value, r.until)).collect()
}

async fn tokens_go_with_the_user_who_issued_them(stage: Stage) {
    let store = stage.open().await;
    let alice = user("alice");
    store.add_user(&alice).await.unwrap();
    let tokens = [
        token("user:alice", 5_000),
        token("user:alice", 1_000),
        token("user:bob", 5_000),
        token("user:alice", 6_000),
    ];
    store.add_tokens(&tokens).await.unwrap();
    let disabled = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    let ending = ending("user:alice", 2_000);
    let change = store.change_user(&alice.id, &disabled, &ending, TokensGo::All);
    let tokens_of = |ended: Option<Ended>| ended.map(|ended| ended.tokens);
    assert_eq!(tokens_of(change.await.unwrap()), Some(2));
    // As long as they would be taken, and a little longer.
    let expected = [
        (tokens[0].jti.clone(), 5_005),
        (tokens[3].jti.clone(), 6_005),
    ];
    assert_eq!(refused(&store).await, expected);
    let marked = store.token(&tokens[0].jti).await.unwrap().unwrap();
    assert_eq!(marked.revoked_at, Some(2_000));
    let of_bob = store.token(&tokens[2].jti).await.unwrap().unwrap();
    assert_eq!(of_bob.revoked_at, None);
    // What is revoked already is not counted again.
    let another = token("user:alice", 7_000);
    store
        .add_tokens(std::slice::from_ref(&another))
        .await
        .unwrap();
    let removed = store.remove_user(&alice.id, &ending).await.unwrap();
    assert_eq!(tokens_of(removed), Some(1));
}

async fn a_demotion_takes_what_only_administrators_issue(stage: Stage) {
    let store = stage.open().await;
    let alice = user("alice");
    store.add_user(&alice).await.unwrap();
    let with = |change: fn(&mut TokenRecord)| {
        let mut token = token("user:alice", 5_000);
        change(&mut token);
        token
    };
    let tokens = [
        with(|_| {}),
        with(|token| token.allow = r#"["join","admin"]"#.to_owned()),
        with(|token| token.channels = r#"["room","admin"]"#.to_owned()),
        with(|token| token.channels = r#"["admin:*"]"#.to_owned()),
        with(|token| token.channels = r#"["administration"]"#.to_owned()),
        with(|token| token.roles = r#"["viewer","operator","admin"]"#.to_owned()),
        with(|token| token.roles = r#"["operator"]"#.to_owned()),
    ];
    store.add_tokens(&tokens).await.unwrap();
    let operator = UserChange {
        role: Some("operator".to_owned()),
        ..UserChange::default()
    };
    let ending = ending("user:alice", 2_000);
    let gone = store
        .change_user(&alice.id, &operator, &ending, TokensGo::OfAdministrators)
        .await
        .unwrap();
    assert_eq!(gone.map(|gone| gone.tokens), Some(4));
    let names: Vec<_> = refused(&store).await.into_iter().map(|r| r.0).collect();
    let expected = [1, 2, 3, 5].map(|n: usize| tokens[n].jti.clone());
    assert_eq!(names, expected);
}

fn api_key(name: &str) -> ApiKey {
    ApiKey {
        id: new_id(),
        name: name.to_owned(),
        role: "operator".to_owned(),
        hash: new_id(),
        hint: "tgk_abc".to_owned(),
        created_at: 1_000,
        created_by: "admin".to_owned(),
        expires_at: None,
        revoked_at: None,
    }
}

async fn tokens_go_with_the_key_that_issued_them(stage: Stage) {
    let store = stage.open().await;
    let key = api_key("devices");
    store.add_api_key(&key).await.unwrap();
    let tokens = [token("key:devices", 5_000), token("key:other", 5_000)];
    store.add_tokens(&tokens).await.unwrap();
    let ending = ending("key:devices", 2_000);
    assert_eq!(store.revoke_api_key(&key, &ending).await, Ok(Some(1)));
    assert_eq!(refused(&store).await, [(tokens[0].jti.clone(), 5_005)]);
}

/// Both or neither: who is told that it did not work has not half put somebody out.
async fn what_cannot_be_revoked_leaves_everything_as_it_was(stage: Stage) {
    let store = stage.open().await;
    let alice = user("alice");
    store.add_user(&alice).await.unwrap();
    let tokens = [token("user:alice", 5_000), token("user:alice", 5_000)];
    store.add_tokens(&tokens).await.unwrap();
    let small = tidegate_store::Ending {
        most: 1,
        ..ending("user:alice", 2_000)
    };
    let removed = store.remove_user(&alice.id, &small).await;
    assert_eq!(removed, Err(StoreError::Full(1)));
    assert_eq!(store.user(&alice.id).await.unwrap(), Some(alice));
    assert_eq!(refused(&store).await, []);
}

async fn nobody_issues_who_was_put_out(stage: Stage) {
    let store = stage.open().await;
    let (alice, key) = (user("alice"), api_key("devices"));
    store.add_user(&alice).await.unwrap();
    store.add_api_key(&key).await.unwrap();
    let issue = async |issuer: Issuer<'_>| {
        let token = token("whoever", 5_000);
        let added = store.add_token(&token, issuer).await.unwrap();
        let kept = store.token(&token.jti).await.unwrap();
        assert_eq!(kept.is_some(), added);
        added
    };
    assert!(issue(Issuer::Unlisted).await);
    assert!(issue(Issuer::User(&alice.id, "viewer")).await);
    assert!(!issue(Issuer::User(&alice.id, "operator")).await, "demoted");
    assert!(issue(Issuer::Key("devices")).await);
    let ending = ending("key:devices", 2_000);
    store.revoke_api_key(&key, &ending).await.unwrap();
    assert!(!issue(Issuer::Key("devices")).await);
    let disabled = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    store
        .change_user(&alice.id, &disabled, &ending, TokensGo::All)
        .await
        .unwrap();
    assert!(!issue(Issuer::User(&alice.id, "viewer")).await);
}

/// Whatever is asked for in the very moment: it is refused, or it is revoked.
async fn nothing_is_issued_beside_a_putting_out(stage: Stage) {
    let (here, there) = (stage.open().await, stage.open().await);
    for _ in 0..10 {
        let alice = user(&new_id());
        here.add_user(&alice).await.unwrap();
        let session = tidegate_store::Session {
            id: new_id(),
            hash: new_id(),
            user_id: alice.id.clone(),
            created_at: 1_000,
            expires_at: 9_000,
            address: String::new(),
            agent: String::new(),
        };
        let bounds = SessionBounds {
            of_user: 10,
            all: 10,
        };
        here.add_session(&session, bounds).await.unwrap();
        let principal = format!("user:{}", alice.name);
        let tokens: Vec<_> = (0..5).map(|_| token(&principal, 5_000)).collect();
        let issuer = Issuer::User(&alice.id, "viewer");
        let issue = async |store: &Store| {
            for token in &tokens {
                store.add_token(token, issuer).await.ok();
            }
        };
        let ending = ending(&principal, 2_000);
        let (removed, ()) = tokio::join!(here.remove_user(&alice.id, &ending), issue(&there));
        assert_eq!(removed.unwrap().map(|gone| gone.sessions), Some(1));
        for token in &tokens {
            let kept = there.token(&token.jti).await.unwrap();
            assert!(kept.is_none_or(|kept| kept.revoked_at.is_some()));
        }
    }
}
