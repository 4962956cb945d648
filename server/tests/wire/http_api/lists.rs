//! Lists of what is there, searched and in pages.

use serde_json::json;

use super::Admin;
use crate::gateway::Gateway;

/// Listing and searching channels, members and connections.
#[tokio::test]
async fn what_is_there_is_listed_and_found() {
    let gateway = Gateway::start().await;
    let _sockets = [
        gateway.joined("room:1", "alice").await,
        gateway.joined("room:2", "bob").await,
        gateway.joined("lounge", "carol").await,
    ];
    let admin = Admin::of(&gateway).await;
    let topics = async |query: &str| {
        let (status, page) = admin.ask("GET", &format!("/channels{query}"), None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        let topics: Vec<_> = items
            .iter()
            .map(|i| i["topic"].as_str().unwrap().to_owned())
            .collect();
        (
            topics,
            page["next"].clone(),
            page["total"].as_u64().unwrap(),
        )
    };
    assert_eq!(
        topics("").await,
        (
            vec!["lounge".into(), "room:1".into(), "room:2".into()],
            json!(null),
            3
        )
    );
    assert_eq!(topics("?search=ROOM").await.0, ["room:1", "room:2"]);
    assert_eq!(
        topics("?limit=2").await,
        (vec!["lounge".into(), "room:1".into()], json!("room:1"), 3)
    );
    assert_eq!(
        topics("?limit=2&after=room:1").await,
        (vec!["room:2".into()], json!(null), 3)
    );
    assert_eq!(admin.ask("GET", "/channels?limit=x", None).await.0, 400);

    let (_, room) = admin.ask("GET", "/channels/room%3A1", None).await;
    assert_eq!(
        (&room["members"], &room["definition"]["join"]),
        (&json!(1), &json!("token"))
    );
    assert_eq!(admin.ask("GET", "/channels/nothing", None).await.0, 404);
    let (_, members) = admin.ask("GET", "/channels/room%3A1/members", None).await;
    let member = &members["items"][0];
    assert_eq!(
        (&member["user"], &member["token"]),
        (&json!("alice"), &json!(true))
    );
    assert!(member["id"].as_str().unwrap().ends_with(":room:1:1"));

    let (_, found) = admin.ask("GET", "/connections?search=bob", None).await;
    assert_eq!(
        (&found["total"], &found["items"][0]["topics"]),
        (&json!(1), &json!(["room:2"]))
    );
    let (_, overview) = admin.ask("GET", "/overview", None).await;
    assert_eq!(overview["bus"]["kind"], "in-process");
}
