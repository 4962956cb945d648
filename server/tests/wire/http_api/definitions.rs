//! Definitions of channels that change while members are there.

use serde_json::json;

use super::{Admin, removed};
use crate::gateway::Gateway;

/// G6 in its plain form: a definition holds at once; who loses the right is removed and told.
#[tokio::test]
async fn a_definition_holds_at_once() {
    let gateway = Gateway::start().await;
    let admin = Admin::of(&gateway).await;
    let public = json!({"pattern": "news:*", "join": "public", "push": "nobody", "presence": "off", "relay": false});
    assert_eq!(
        admin.done("PUT", "/definitions", Some(&public)).await,
        "news:* is defined."
    );
    let mut anonymous = gateway.connect().await;
    assert_eq!(
        anonymous
            .ask(json!(["1", "1", "news:1", "phx_join", {}]))
            .await[4]["status"],
        "ok"
    );
    let push = anonymous.ask(json!(["1", "2", "news:1", "post", {}])).await;
    assert_eq!(push[4]["response"]["reason"], "push not allowed");

    let mut private = public.clone();
    private["join"] = json!("token");
    let done = admin.done("PUT", "/definitions", Some(&private)).await;
    assert_eq!(
        done,
        "news:* is defined; 1 member without the right to stay was removed."
    );
    assert_eq!(removed(&mut anonymous, "news:1").await, "unauthorized");
    assert_eq!(
        anonymous
            .ask(json!(["3", "3", "news:1", "phx_join", {}]))
            .await[4]["status"],
        "error"
    );

    let (_, all) = admin.ask("GET", "/definitions", None).await;
    assert!(
        all[0].get("pattern").is_none(),
        "the fallback is first: {all}"
    );
    assert!(
        all.as_array()
            .unwrap()
            .iter()
            .any(|d| d["pattern"] == "news:*")
    );
    admin.done("DELETE", "/definitions/news%3A*", None).await;
    assert_eq!(
        admin.ask("DELETE", "/definitions/news%3A*", None).await.0,
        404
    );
    for wrong in [
        json!({"join": "public"}),
        json!({"pattern": "admin"}),
        json!({"pattern": "a", "join": "x"}),
        json!({"pattern": "a", "typo": 1}),
    ] {
        assert_eq!(
            admin.ask("PUT", "/definitions", Some(&wrong)).await.0,
            422,
            "{wrong}"
        );
    }
}
