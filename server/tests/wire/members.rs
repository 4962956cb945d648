//! `/api/v1/members` and `/api/v1/presence`: who gets what, and who is there (G13).

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::redis_bus::{Redis, gateway_on};
use crate::trust::Asks;

/// G13: "what does X get" and "who gets E", page by page.
#[tokio::test]
async fn members_are_found_by_topic_user_and_connection() {
    let gateway = Gateway::start().await;
    let mut sockets = Vec::new();
    for (topic, user) in [("room:1", "ann"), ("room:2", "ann"), ("room:1", "ben")] {
        let mut socket = gateway.connect().await;
        let token = crate::gateway::token(user, topic);
        let join = json!(["1", "1", topic, "phx_join", {"token": token}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        sockets.push(socket);
    }
    let admin = Asks::admin(&gateway).await;
    let found = async |query: &str| {
        let page = admin
            .ok("GET", &format!("/members{query}"), Value::Null)
            .await;
        let mut found: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                format!(
                    "{} {}",
                    item["topic"].as_str().unwrap(),
                    item["user"].as_str().unwrap()
                )
            })
            .collect();
        found.sort();
        (found, page)
    };
    let (all, page) = found("").await;
    assert_eq!(all, ["room:1 ann", "room:1 ben", "room:2 ann"]);
    assert_eq!(found("?topic=room:1").await.0, ["room:1 ann", "room:1 ben"]);
    assert_eq!(found("?user=ann").await.0, ["room:1 ann", "room:2 ann"]);
    assert_eq!(found("?user=ann&topic=room:2").await.0, ["room:2 ann"]);
    assert!(found("?topic=none").await.0.is_empty());
    let one = &page["items"][0];
    let connection = one["connection"].as_str().unwrap();
    let (of_one, page) = found(&format!("?connection={connection}")).await;
    assert_eq!((of_one.len(), &page["items"][0]["id"]), (1, &one["id"]));
    // Every page once, and what it names can be removed.
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (part, page) = found(&format!("?limit=1{after}")).await;
        assert_eq!((part.len(), &page["total"]), (1, &json!(3)));
        seen.extend(part);
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, all);
    let (topic, id) = (one["topic"].as_str().unwrap(), one["id"].as_str().unwrap());
    let path = format!("/channels/{topic}/members/{id}");
    admin.ok("DELETE", &path, Value::Null).await;
    assert_eq!(found("").await.0.len(), 2);
}

/// A12: presence is the same on every gateway, in the shape of Phoenix.
#[tokio::test]
async fn presence_is_that_of_all_gateways() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let mut ann = a.connect().await;
    let join = json!(["1", "1", "room", "phx_join",
        {"token": crate::gateway::token("ann", "room"), "presence": {"mood": "glad"}}]);
    assert_eq!(ann.ask(join).await[4]["status"], "ok");
    let mut ben = b.connect().await;
    let join =
        json!(["1", "1", "room", "phx_join", {"token": crate::gateway::token("ben", "room")}]);
    assert_eq!(ben.ask(join).await[4]["status"], "ok");
    for gateway in [&a, &b] {
        let admin = Asks::admin(gateway).await;
        let mut presence = Value::Null;
        while presence["members"] != 2 {
            presence = admin.ok("GET", "/presence?topic=room", Value::Null).await;
        }
        let state = &presence["state"];
        assert_eq!(
            (&presence["mode"], &presence["keys"]),
            (&json!("full"), &json!(2))
        );
        assert_eq!(state["ann"]["metas"][0]["mood"], "glad", "{presence}");
        assert!(
            state["ben"]["metas"][0]["phx_ref"].is_string(),
            "{presence}"
        );
        let page = admin
            .ok("GET", "/presence?topic=room&limit=1", Value::Null)
            .await;
        assert_eq!(
            (page["state"].as_object().unwrap().len(), &page["next"]),
            (1, &json!("ann"))
        );
        let empty = admin.ok("GET", "/presence?topic=other", Value::Null).await;
        assert_eq!(
            (&empty["members"], &empty["state"]),
            (&json!(0), &json!({}))
        );
        assert_eq!(admin.ask("GET", "/presence", Value::Null).await.0, 400);
    }
}
