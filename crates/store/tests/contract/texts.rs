//! Texts from outside: whatever they hold, the store says what it makes of them, and lives.

use tidegate_store::{
    ActivityQuery, ApiKeyQuery, PrincipalsAfter, SessionQuery, StoreError, TokenQuery, UserQuery,
};

use crate::identities::ending;
use crate::{Stage, contract};

contract! {
    no_text_breaks_the_store;
}

/// W13: quotes, wildcards and control characters are text; a NUL, which one of the databases does not
/// know, is found nowhere or refused by name. Nothing of it looks like a store that is lost.
async fn no_text_breaks_the_store(stage: Stage) {
    let store = stage.open().await;
    for text in [
        "\0",
        "a\0b",
        "'",
        "' OR '1'='1",
        "\\",
        "%",
        "_",
        "\u{1b}[2J",
        "\u{202e}",
        "$1",
        "--",
        ";",
    ] {
        let answers = [
            store.token(text).await.map(|found| found.is_none()),
            store.end_session(text).await.map(|ended| !ended),
            store.api_key(text).await.map(|found| found.is_none()),
            store.revoke_key(text, 1).await.map(|revoked| !revoked),
            store.forget_definition(text).await.map(|gone| !gone),
            store
                .remove_user(text, &ending(text, 1))
                .await
                .map(|gone| gone.is_none()),
            store
                .users(&UserQuery {
                    search: text.to_owned(),
                    name: text.to_owned(),
                    after: Some(text.to_owned()),
                    limit: 10,
                })
                .await
                .map(|found| found.is_empty()),
            store
                .sessions(
                    &SessionQuery {
                        user_id: text.to_owned(),
                        principal: text.to_owned(),
                        search: text.to_owned(),
                        after: Some(text.to_owned()),
                        limit: 10,
                    },
                    1,
                )
                .await
                .map(|found| found.is_empty()),
            store
                .api_keys(&ApiKeyQuery {
                    name: text.to_owned(),
                    after: Some(text.to_owned()),
                    limit: 10,
                })
                .await
                .map(|found| found.is_empty()),
            store
                .principals(
                    &PrincipalsAfter {
                        last_at: 1,
                        principal: text.to_owned(),
                    },
                    10,
                )
                .await
                .map(|found| found.is_empty()),
            store
                .tokens(
                    &TokenQuery {
                        subject: text.to_owned(),
                        kid: text.to_owned(),
                        search: text.to_owned(),
                        after: Some(text.to_owned()),
                        limit: 10,
                    },
                    1,
                )
                .await
                .map(|found| found.is_empty()),
            store
                .activity(&ActivityQuery {
                    principal: text.to_owned(),
                    search: text.to_owned(),
                    refused: false,
                    changes: false,
                    after: Some(text.to_owned()),
                    limit: 10,
                })
                .await
                .map(|found| found.is_empty()),
        ];
        for (n, answer) in answers.into_iter().enumerate() {
            let nul = text.contains('\0');
            let fine = answer == Ok(true) || (nul && answer == Err(StoreError::BadText));
            assert!(fine, "{n} {text:?}: {answer:?}");
        }
        let status = store.status();
        assert!(status.up, "{text:?}: {:?}", status.detail);
    }
}
