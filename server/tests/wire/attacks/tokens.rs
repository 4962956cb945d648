//! Forged tokens, at every place where a token can be shown.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::{HERE, Target, join_reason, now, token};
use crate::gateway::SECRET;
use crate::http_api::request;
use crate::socket::Socket;

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token with this header and these claims, to the letter, signed with HS256 or what is said.
fn forge(header: &str, claims: &str, secret: &str, algorithm: Algorithm) -> String {
    let said = format!("{}.{}", encode(header), encode(claims));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(said.as_bytes(), &key, algorithm).unwrap();
    format!("{said}.{signature}")
}

fn claims() -> Value {
    json!({"id": "mallory", "channel": "room", "allow": ["join", "push", "admin"], "exp": now() + 600})
}

impl Target {
    /// The token opens nothing, wherever it is shown.
    async fn refuses(&self, forged: &str, reason: &str) {
        let mut socket = self.gateway.connect().await;
        let payload = json!({"token": forged});
        assert_eq!(
            join_reason(&mut socket, "room", payload).await,
            reason,
            "{forged}"
        );
        // The topic that only administrators join.
        let payload = json!({"token": forged});
        assert_eq!(
            join_reason(&mut socket, "admin", payload).await,
            reason,
            "{forged}"
        );
        let (_, said) = self
            .admin("POST", "/auth/introspect", json!({"token": forged}))
            .await;
        assert_eq!(said, json!({"active": false, "reason": reason}), "{forged}");
        // Beside the body a token stands in a header or in an address, where not all bytes may.
        let plain = forged.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || forged.len() > 8_000 {
            return;
        }
        let bearer = format!("Bearer {forged}");
        for path in ["/api/v1/overview", "/api/v1/auth/users"] {
            let headers = [("authorization", bearer.as_str()), HERE];
            let (status, problem) = request(&self.gateway, "GET", path, &headers, None).await;
            assert_eq!(status, 401, "{forged} {problem}");
        }
        let query = forged
            .replace('%', "%25")
            .replace('+', "%2B")
            .replace('&', "%26");
        let query = query.replace('#', "%23");
        if forged.is_empty() {
            return;
        }
        let offer = format!(
            "phoenix, base64url.bearer.phx.{}",
            URL_SAFE_NO_PAD.encode(forged)
        );
        let by_header = [("sec-websocket-protocol", offer.as_str())];
        for (query, headers) in [
            (format!("vsn=2.0.0&userToken={query}"), &[][..]),
            ("vsn=2.0.0".to_owned(), &by_header[..]),
        ] {
            let mut socket = Socket::open(self.gateway.port, &query, headers)
                .await
                .unwrap();
            let refused = join_reason(&mut socket, "room", json!({})).await;
            assert_eq!(refused, reason, "{forged}");
        }
    }

    /// A member that shows the token in place of its own stays what it was.
    async fn is_not_renewed_by(&self, forged: &str, reason: &str) {
        let mut member = self.gateway.joined("room", "mallory").await;
        let renewal = json!(["1", "2", "room", "access_token", {"access_token": forged}]);
        let answer = member.ask(renewal).await;
        assert_eq!(answer[4]["response"]["reason"], reason, "{forged}");
        let push = member.ask(json!(["1", "3", "room", "say", {}])).await;
        assert_eq!(push[4]["status"], "ok", "{push}");
    }
}

/// P10: `none` in every spelling, with and without a signature; algorithms that the gateway does
/// not sign with, with the very secret; and headers that bring a key of their own.
#[tokio::test]
async fn no_other_algorithm_is_taken() {
    let mut target = Target::start().await;
    let body = claims().to_string();
    for spelling in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS2560", "MD5",
    ] {
        let header = json!({"alg": spelling, "typ": "JWT"}).to_string();
        let unsigned = format!("{}.{}.", encode(&header), encode(&body));
        target.refuses(&unsigned, "invalid token").await;
        let signed = forge(&header, &body, SECRET, Algorithm::HS256);
        target.refuses(&signed, "invalid token").await;
    }
    for header in [
        r#"{"typ":"JWT"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":{"HS256":1}}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#""HS256""#,
        "",
    ] {
        let signed = forge(header, &body, SECRET, Algorithm::HS256);
        target.refuses(&signed, "invalid token").await;
    }
    // The secret as the key of another algorithm: what confuses a library that believes the header.
    for algorithm in ["RS256", "RS384", "ES256", "PS256", "EdDSA"] {
        let header = json!({"alg": algorithm}).to_string();
        let signed = forge(&header, &body, SECRET, Algorithm::HS256);
        target.refuses(&signed, "invalid token").await;
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let header = json!({"alg": format!("{algorithm:?}")}).to_string();
        let signed = forge(&header, &body, SECRET, algorithm);
        target.refuses(&signed, "invalid token").await;
    }
    let own = URL_SAFE_NO_PAD.encode("mallory's key");
    for header in [
        json!({"alg": "HS256", "jwk": {"kty": "oct", "k": own}}),
        json!({"alg": "HS256", "jku": "http://127.0.0.1:1/keys"}),
        json!({"alg": "HS256", "x5u": "http://127.0.0.1:1/chain"}),
        json!({"alg": "HS256", "x5c": [own]}),
    ] {
        let signed = forge(
            &header.to_string(),
            &body,
            "mallory's key",
            Algorithm::HS256,
        );
        target.refuses(&signed, "invalid token").await;
        target.is_not_renewed_by(&signed, "invalid token").await;
    }
    target.unharmed().await;
}

/// P11: a `kid` that is a path, a statement, endless, or the name of another key finds no key.
#[tokio::test]
async fn a_kid_leads_to_its_own_key_only() {
    let mut target = Target::start().await;
    let (status, _) = target.admin("POST", "/auth/keys/rotate", json!({})).await;
    assert_eq!(status, 200);
    let (_, keys) = target.admin("GET", "/auth/keys", Value::Null).await;
    let current = keys[0]["kid"].as_str().unwrap();
    let body = claims().to_string();
    let long = "k".repeat(60_000);
    for kid in [
        "../../../../../../dev/null",
        "/dev/null",
        "/proc/self/environ",
        "file:///dev/null",
        "key",
        "' OR '1'='1",
        "x' UNION SELECT 'mallory' --",
        "x'; DROP TABLE signing_keys; --",
        "",
        "*",
        "%00",
        "a\u{0}b",
        "a\r\nb",
        "\u{202e}",
        long.as_str(),
        // Of the key that signs now, with the secret of the one before.
        current,
    ] {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        for secret in ["", "mallory", SECRET] {
            let forged = forge(&header, &body, secret, Algorithm::HS256);
            target.refuses(&forged, "invalid token").await;
        }
    }
    for kid in ["5", "true", r#"["a"]"#, r#"{"a":1}"#] {
        let header = format!(r#"{{"alg":"HS256","kid":{kid}}}"#);
        let forged = forge(&header, &body, SECRET, Algorithm::HS256);
        target.refuses(&forged, "invalid token").await;
    }
    let (_, after) = target.admin("GET", "/auth/keys", Value::Null).await;
    assert_eq!(keys, after, "the keys are as they were");
    target.unharmed().await;
}

/// Parts cut off, padded, put twice, taken from another token, in another alphabet, with a name
/// that stands twice in them.
#[tokio::test]
async fn a_token_is_taken_whole_or_not_at_all() {
    let mut target = Target::start().await;
    let (good, other) = (token("alice", "room"), token("mallory", "lobby"));
    let parts = |token: &str| -> Vec<String> { token.split('.').map(str::to_owned).collect() };
    let (mine, theirs) = (parts(&other), parts(&good));
    let (head, body, signature) = (&theirs[0], &theirs[1], &theirs[2]);
    let last = if signature.ends_with('A') { 'B' } else { 'A' };
    let mut forged = vec![
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        head.clone(),
        format!("{head}.{body}"),
        format!("{head}.{body}."),
        format!(".{body}.{signature}"),
        format!("{head}..{signature}"),
        format!("{good}.{signature}"),
        format!("{good}.{good}"),
        format!("{good}{good}"),
        format!("{good}="),
        format!("{head}=.{body}=.{signature}="),
        format!("{head}==.{body}.{signature}"),
        format!(" {good}\u{a0}"),
        format!("{head} .{body}.{signature}"),
        format!("{head}\n.{body}.{signature}"),
        format!("{good}\0"),
        format!("{body}.{head}.{signature}"),
        format!("{head}.{}.{signature}", mine[1]),
        format!("{head}.{body}.{}", mine[2]),
        format!("{head}.{body}.{}{last}", &signature[..signature.len() - 1]),
        format!("{head}.{body}.{}", "A".repeat(43)),
        format!("{head}.{body}.{}", "A".repeat(40_000)),
        "a".repeat(50_000),
        ".".repeat(50_000),
    ];
    for cut in [1, 2, 3, 10, 20, 42] {
        forged.push(good[..good.len() - cut].to_owned());
        forged.push(good[cut..].to_owned());
    }
    let exp = now() + 600;
    let bytes = format!(r#"{{"id":"??>>~~","channel":"room","exp":{exp}}}"#);
    let standard = STANDARD_NO_PAD.encode(&bytes);
    assert!(standard.contains(['+', '/']), "{standard}");
    let said = format!("{head}.{standard}");
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signed = jsonwebtoken::crypto::sign(said.as_bytes(), &key, Algorithm::HS256).unwrap();
    forged.push(format!("{said}.{signed}"));
    let header = r#"{"alg":"HS256"}"#;
    for claims in [
        format!(r#"{{"id":"a","channel":"lobby","channel":"room","exp":{exp}}}"#),
        format!(r#"{{"id":"a","id":"b","channel":"room","exp":{exp}}}"#),
        format!(r#"{{"id":"a","channel":"room","exp":1,"exp":{exp}}}"#),
        format!(r#"{{"id":"a","channel":"room","allow":["join"],"allow":["admin"],"exp":{exp}}}"#),
        format!(r#"{{"id":["a"],"channel":"room","exp":{exp}}}"#),
        format!(r#"{{"id":"a","channel":{{"room":1}},"exp":{exp}}}"#),
        format!(r#"{{"id":"a","channels":"room","exp":{exp}}}"#),
        format!(r#"["a","room",{exp}]"#),
        "null".to_owned(),
        "1".repeat(10_000),
        format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
    ] {
        forged.push(forge(header, &claims, SECRET, Algorithm::HS256));
    }
    for forged in &forged {
        target.refuses(forged, "invalid token").await;
    }
    target.is_not_renewed_by(&forged[3], "invalid token").await;
    // What they were made of is good.
    let mut socket = target.gateway.connect().await;
    let payload = json!({"token": good});
    assert_eq!(join_reason(&mut socket, "room", payload).await, Value::Null);
    target.unharmed().await;
}
