//! Tokens of outside issuers (P10): what opens, and everything that does not.
//!
//! The keys in `tests/keys` were made for these tests and sign nothing anywhere else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tidegate_auth::{
    Checked, Issuer, IssuerKeys, IssuerRules, Issuers, Key, KeySetError, KeyUse, Keyring, Marks,
    Revoked, RoleRights, Secret, Signature, Tokens,
};
use tidegate_protocol::{Reason, Right};

const RSA: &[u8] = include_bytes!("keys/rsa-one.der");
const OTHER_RSA: &[u8] = include_bytes!("keys/rsa-two.der");
const EC: &[u8] = include_bytes!("keys/ec.der");
const ED: &[u8] = include_bytes!("keys/ed.der");
const ACME: &str = "https://login.acme.example/";
const OTHER: &str = "https://login.other.example/";
const SHARED: &str = "a secret for tests";

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn signer(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::RS256 | Algorithm::RS512 | Algorithm::PS256 => EncodingKey::from_rsa_der(RSA),
        Algorithm::ES256 => EncodingKey::from_ec_der(EC),
        Algorithm::EdDSA => EncodingKey::from_ed_der(ED),
        other => panic!("{other:?}"),
    }
}

/// The public half, as issuers publish it.
fn public(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(kid);
    jwk["use"] = json!("sig");
    jwk
}

fn acmes_keys() -> Vec<Value> {
    let one = |algorithm, kid| public(&signer(algorithm), algorithm, kid);
    vec![
        one(Algorithm::RS256, "rsa"),
        one(Algorithm::ES256, "ec"),
        one(Algorithm::EdDSA, "ed"),
    ]
}

fn key_set(keys: &[Value]) -> IssuerKeys {
    let document = json!({ "keys": keys }).to_string();
    IssuerKeys::read(document.as_bytes(), &Signature::ALL, 100).unwrap()
}

fn rules(issuer: &str) -> IssuerRules {
    IssuerRules {
        issuer: issuer.to_owned(),
        audience: vec!["tidegate".to_owned(), "second".to_owned()],
        signatures: Signature::ALL.to_vec(),
        leeway: 30,
        id_claim: "sub".to_owned(),
        id_prefix: "acme:".to_owned(),
        channels_claim: "channels".to_owned(),
        allow_claim: "allow".to_owned(),
        roles_claim: None,
        default: RoleRights::default(),
        roles: [].into(),
        admin: false,
    }
}

/// A gateway with a shared secret that takes tokens of two issuers.
fn gateway_with(rules_of_acme: IssuerRules) -> (Tokens, Arc<Issuer>) {
    let acme = Arc::new(Issuer::new(rules_of_acme));
    acme.set_keys(key_set(&acmes_keys()));
    let other = Arc::new(Issuer::new(rules(OTHER)));
    let key = EncodingKey::from_rsa_der(OTHER_RSA);
    other.set_keys(key_set(&[public(&key, Algorithm::RS256, "theirs")]));
    let secret = Secret::given(SHARED).unwrap();
    let own = Key {
        kid: "own".to_owned(),
        secret: secret.clone(),
        usage: KeyUse::Signs,
    };
    let tokens = Tokens::new(Keyring::new([own], Some(&secret)))
        .with_issuers(Issuers::new([acme.clone(), other]));
    (tokens, acme)
}

fn gateway() -> Tokens {
    gateway_with(rules(ACME)).0
}

fn claims() -> Value {
    json!({
        "iss": ACME, "aud": "tidegate", "sub": "alice", "channels": ["room:*"],
        "iat": now(), "exp": now() + 60, "jti": "1",
    })
}

fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn sign(algorithm: Algorithm, kid: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    encode(&header, claims, key).unwrap()
}

fn by_acme(claims: &Value) -> String {
    sign(
        Algorithm::ES256,
        Some("ec"),
        claims,
        &signer(Algorithm::ES256),
    )
}

fn check(tokens: &Tokens, token: &str) -> Result<Checked, Reason> {
    tokens.check(token)
}

/// Each algorithm that is taken, and what is made of the token.
#[test]
fn tokens_of_an_outside_issuer_open_doors() {
    let tokens = gateway();
    for (algorithm, kid) in [
        (Algorithm::RS256, "rsa"),
        (Algorithm::ES256, "ec"),
        (Algorithm::EdDSA, "ed"),
    ] {
        let token = sign(algorithm, Some(kid), &claims(), &signer(algorithm));
        let checked = check(&tokens, &token).unwrap();
        assert_eq!(checked.claims.id, "acme:alice");
        assert!(checked.claims.covers("room:1") && !checked.claims.covers("other"));
        assert_eq!(checked.claims.jti, Some(format!("{ACME}#1")));
        assert_eq!(checked.kid, Some(format!("{ACME}#{kid}")));
        assert_eq!((checked.leeway, checked.claims.opens_admin()), (30, false));
    }
    // The gateway's own tokens are what they were.
    let plain = json!({"id": "bob", "channel": "room", "exp": now() + 60});
    let key = EncodingKey::from_secret(SHARED.as_bytes());
    let own = sign(Algorithm::HS256, None, &plain, &key);
    assert_eq!(check(&tokens, &own).unwrap().claims.id, "bob");
}

/// Alg confusion: the public key as the secret of HS256, in every form in which it is published;
/// `none`; an algorithm of the same family; the algorithm of another key of the issuer.
#[test]
fn the_key_decides_the_algorithm() {
    let tokens = gateway();
    let public_rsa = public(&signer(Algorithm::RS256), Algorithm::RS256, "rsa");
    let mut forged = Vec::new();
    let secrets = [
        public_rsa.to_string().into_bytes(),
        public_rsa["n"].as_str().unwrap().as_bytes().to_vec(),
        RSA.to_vec(),
        Vec::new(),
    ];
    for secret in &secrets {
        for kid in [Some("rsa"), Some("own"), None] {
            let key = EncodingKey::from_secret(secret);
            forged.push(sign(Algorithm::HS256, kid, &claims(), &key));
        }
    }
    for algorithm in [Algorithm::RS512, Algorithm::PS256] {
        let kid = Some("rsa");
        forged.push(sign(algorithm, kid, &claims(), &signer(algorithm)));
    }
    for (algorithm, kid) in [
        (Algorithm::RS256, "ec"),
        (Algorithm::ES256, "rsa"),
        (Algorithm::EdDSA, "ec"),
    ] {
        forged.push(sign(algorithm, Some(kid), &claims(), &signer(algorithm)));
    }
    // The header says what the key would do, the signature is another's or none at all.
    let good = by_acme(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (_, body) = message.split_once('.').unwrap();
    let head = |json: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
    };
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"none","kid":"ec"}"#,
        r#"{"alg":"None","kid":"ec"}"#,
        r#"{"alg":"","kid":"ec"}"#,
        r#"{"alg":"ES256","kid":"ec","crit":["exp"]}"#,
        r#"{"alg":"ES256","kid":"ec","kid":"ed"}"#,
        r#"{"kid":"ec"}"#,
    ] {
        forged.push(format!("{}.{body}.", head(header)));
        forged.push(format!("{}.{body}.{signature}", head(header)));
    }
    forged.push(format!("{message}."));
    forged.push(format!("{message}.{}", head(&"\0".repeat(64))));
    for token in forged {
        assert_eq!(check(&tokens, &token), Err(Reason::InvalidToken), "{token}");
    }
    assert!(check(&tokens, &good).is_ok());
}

/// Kid injection, and keys that the token brings along or belong to somebody else.
#[test]
fn an_issuers_keys_are_good_for_that_issuer_alone() {
    let tokens = gateway();
    let (good, theirs) = (
        signer(Algorithm::RS256),
        EncodingKey::from_rsa_der(OTHER_RSA),
    );
    for kid in [
        "../../dev/null",
        "' OR 1=1 --",
        "",
        "theirs",
        "own",
        "rsa\0",
    ] {
        let token = sign(Algorithm::RS256, Some(kid), &claims(), &good);
        assert_eq!(check(&tokens, &token), Err(Reason::KeyUnknown), "{kid:?}");
    }
    // Three keys: which one is not guessed.
    let nameless = sign(Algorithm::RS256, None, &claims(), &good);
    assert_eq!(check(&tokens, &nameless), Err(Reason::KeyUnknown));
    for (kid, key, iss) in [
        ("rsa", &theirs, ACME),
        ("theirs", &good, OTHER),
        ("theirs", &theirs, ACME),
        ("rsa", &good, OTHER),
        ("rsa", &good, "https://nobody.example/"),
        ("rsa", &good, "tidegate"),
        ("rsa", &good, ""),
    ] {
        let token = sign(Algorithm::RS256, Some(kid), &with(json!({"iss": iss})), key);
        assert!(check(&tokens, &token).is_err(), "{kid} {iss}");
    }
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("rsa".to_owned());
    header.jwk = Some(Jwk::from_encoding_key(&theirs, Algorithm::RS256).unwrap());
    header.jku = Some("http://127.0.0.1/keys".to_owned());
    let brought = encode(&header, &claims(), &theirs).unwrap();
    assert_eq!(check(&tokens, &brought), Err(Reason::InvalidToken));
    // One key alone needs no name.
    let nameless = sign(
        Algorithm::RS256,
        None,
        &with(json!({"iss": OTHER})),
        &theirs,
    );
    assert!(check(&tokens, &nameless).is_ok());
}

/// Issuer, audience, times, and the parts that must be there.
#[test]
fn what_a_token_must_say() {
    use Reason::{InvalidToken, TokenExpired};
    let tokens = gateway();
    for (changes, reason) in [
        (json!({"iss": null}), InvalidToken),
        (json!({"iss": [ACME]}), InvalidToken),
        (json!({"aud": null}), InvalidToken),
        (json!({"aud": "another"}), InvalidToken),
        (json!({"aud": ["another"]}), InvalidToken),
        (json!({"aud": {"tidegate": true}}), InvalidToken),
        (json!({"sub": null}), InvalidToken),
        (json!({"sub": " "}), InvalidToken),
        (json!({"sub": 5}), InvalidToken),
        (json!({"sub": "a\nb"}), InvalidToken),
        (json!({"sub": "x".repeat(255)}), InvalidToken),
        (json!({"channels": null}), InvalidToken),
        (json!({"channels": [5]}), InvalidToken),
        (json!({"channels": vec!["a"; 101]}), InvalidToken),
        (json!({"allow": ["everything"]}), InvalidToken),
        (json!({"exp": null}), InvalidToken),
        (json!({"exp": "tomorrow"}), InvalidToken),
        (json!({"exp": now() + 400 * 24 * 3600}), InvalidToken),
        (json!({"exp": now() - 33}), TokenExpired),
        (json!({"nbf": now() + 40}), InvalidToken),
        (json!({"iat": now() + 40}), InvalidToken),
    ] {
        let token = by_acme(&with(changes.clone()));
        assert_eq!(check(&tokens, &token), Err(reason), "{changes}");
    }
    for changes in [
        json!({"aud": ["another", "second"]}),
        json!({"channels": null, "channel": "room"}),
        json!({"exp": now() - 20}),
        json!({"exp": now() as f64 + 60.5, "iat": now() as f64 - 0.5}),
        json!({"nbf": now() + 20}),
        json!({"jti": null, "iat": null}),
    ] {
        let token = by_acme(&with(changes.clone()));
        assert!(check(&tokens, &token).is_ok(), "{changes}");
    }
}

/// Claims, roles and defaults; the gateway's own topics are closed unless the operator opens them.
#[test]
fn what_a_token_is_worth() {
    let roles = |admin| IssuerRules {
        roles_claim: Some("/realm_access/roles".to_owned()),
        channels_claim: "https://acme.example/channels".to_owned(),
        default: RoleRights {
            channels: vec!["public:*".to_owned()],
            allow: Some(vec![Right::Join]),
        },
        roles: [
            (
                "chat".to_owned(),
                RoleRights {
                    channels: vec!["chat:*".to_owned()],
                    allow: None,
                },
            ),
            (
                "boss".to_owned(),
                RoleRights {
                    channels: vec!["boss".to_owned()],
                    allow: Some(vec![Right::Admin, Right::Join]),
                },
            ),
        ]
        .into(),
        admin,
        ..rules(ACME)
    };
    let worth = |admin, changes: Value| {
        let (tokens, _) = gateway_with(roles(admin));
        let token = by_acme(&with(changes));
        let checked = check(&tokens, &token);
        checked.map(|Checked { claims, .. }| (claims.channels, claims.allow.rights()))
    };
    use Right::{Admin, Join, Presence, Push};
    let text = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let acme = "https://acme.example/channels";
    for (admin, changes, channels, allow) in [
        (false, json!({}), text(&["public:*"]), vec![Join]),
        (
            false,
            json!({"realm_access": {"roles": ["chat", "unknown"]}}),
            text(&["chat:*"]),
            vec![Join, Push, Presence],
        ),
        (
            false,
            json!({acme: "room", "realm_access": {"roles": ["boss"]}}),
            text(&["room", "boss"]),
            vec![Join],
        ),
        (
            true,
            json!({"realm_access": {"roles": ["boss"]}}),
            text(&["boss"]),
            vec![Join, Admin],
        ),
        (
            false,
            json!({acme: ["room", "admin", "admin:watch:x"], "allow": ["join", "push", "admin"]}),
            text(&["room"]),
            vec![Join, Push],
        ),
        (
            true,
            json!({acme: "admin", "allow": ["join"]}),
            text(&["admin"]),
            vec![Join],
        ),
    ] {
        assert_eq!(
            worth(admin, changes.clone()),
            Ok((channels, allow)),
            "{changes}"
        );
    }
    assert_eq!(
        worth(false, json!({acme: "admin"})),
        Err(Reason::InvalidToken)
    );
}

/// The user's roles are those that stand in the configuration; those of the gateway only of an issuer
/// that may administer.
#[test]
fn roles_of_an_issuer() {
    let rules = |admin| IssuerRules {
        roles_claim: Some("groups".to_owned()),
        roles: ["editor", "operator", "no name"]
            .map(|role| (role.to_owned(), RoleRights::default()))
            .into(),
        admin,
        ..rules(ACME)
    };
    let said = json!({"groups": ["editor", "operator", "stranger", "admin", "no name"]});
    for (admin, expected) in [(false, &["editor"][..]), (true, &["editor", "operator"])] {
        let (tokens, _) = gateway_with(rules(admin));
        let checked = check(&tokens, &by_acme(&with(said.clone()))).unwrap();
        let roles: Vec<&str> = checked.claims.roles.iter().map(AsRef::as_ref).collect();
        assert_eq!(roles, expected);
    }
    // Without the setting nobody has a role, whatever the token says.
    let (tokens, _) = gateway_with(IssuerRules {
        admin: true,
        ..crate::rules(ACME)
    });
    let token = by_acme(&with(json!({"roles": ["admin"], "groups": ["editor"]})));
    assert!(check(&tokens, &token).unwrap().claims.roles.is_empty());
}

/// P12: by its name, its subject and its key; and when the issuer has the key no more.
#[test]
fn outside_tokens_are_revoked() {
    let (tokens, acme) = gateway_with(rules(ACME));
    let token = by_acme(&claims());
    let checked = check(&tokens, &token).unwrap();
    let revoked = |tokens: &Tokens| {
        let marks = Marks::of(&checked.claims, checked.kid.as_deref());
        (tokens.is_revoked(&marks), check(tokens, &token).err())
    };
    assert_eq!(revoked(&tokens), (false, None));
    let (jti, kid) = (format!("{ACME}#1"), format!("{ACME}#ec"));
    let later = (now() + 1) * 1000;
    for refused in [
        Revoked {
            tokens: [jti].into(),
            ..Revoked::default()
        },
        Revoked {
            subjects: [("acme:alice".to_owned(), later)].into(),
            ..Revoked::default()
        },
        Revoked {
            keys: [(kid, later)].into(),
            ..Revoked::default()
        },
    ] {
        tokens.set_revoked(refused);
        assert_eq!(revoked(&tokens), (true, Some(Reason::TokenRevoked)));
    }
    // The same names, but of the gateway or of nobody.
    tokens.set_revoked(Revoked {
        tokens: ["1".to_owned()].into(),
        subjects: [("alice".to_owned(), later)].into(),
        keys: [("ec".to_owned(), later)].into(),
    });
    assert_eq!(revoked(&tokens), (false, None));
    let left = key_set(&acmes_keys()[..1]);
    assert!(left.lacks_one_of(&acme.keys()));
    acme.set_keys(left);
    assert_eq!(revoked(&tokens), (true, Some(Reason::KeyUnknown)));
}

/// A token with an unknown key says so, and somebody is told.
#[test]
fn an_unknown_key_is_asked_for() {
    let (tokens, acme) = gateway_with(rules(ACME));
    let asked = Arc::new(AtomicUsize::new(0));
    let told = asked.clone();
    acme.on_unknown_key(move || {
        told.fetch_add(1, Ordering::Relaxed);
    });
    let new = EncodingKey::from_rsa_der(OTHER_RSA);
    let token = sign(Algorithm::RS256, Some("new"), &claims(), &new);
    assert_eq!(check(&tokens, &token), Err(Reason::KeyUnknown));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let mut keys = acmes_keys();
    keys.push(public(&new, Algorithm::RS256, "new"));
    acme.set_keys(key_set(&keys));
    assert!(check(&tokens, &token).is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Symmetric, private, short, malformed and other keys are left out and said; too many are refused.
#[test]
fn keys_that_are_not_taken() {
    let good = acmes_keys();
    let changed = |at: usize, changes: Value| {
        let mut key = good[at].clone();
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    };
    let bad = [
        json!({"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "HS256"}),
        changed(0, json!({"alg": "HS256"})),
        changed(0, json!({"alg": "RS512"})),
        changed(0, json!({"use": "enc"})),
        changed(0, json!({"key_ops": ["encrypt"]})),
        changed(0, json!({"d": "AQAB"})),
        changed(0, json!({"n": "AQAB"})),
        changed(0, json!({"n": "_".repeat(342 * 4)})),
        changed(0, json!({"e": "AA"})),
        changed(0, json!({"n": 5})),
        changed(1, json!({"x": "AAAA"})),
        changed(1, json!({"x": good[1]["y"]})),
        changed(1, json!({"crv": "P-384"})),
        changed(2, json!({"x": "AAAA"})),
        changed(2, json!({"kid": "k".repeat(257)})),
        json!("key"),
        json!({}),
    ];
    let read = |keys: &[Value], most| {
        let document = json!({ "keys": keys }).to_string();
        IssuerKeys::read(document.as_bytes(), &Signature::ALL, most)
    };
    for key in &bad {
        let keys = read(&[key.clone(), good[2].clone()], 100).unwrap();
        assert_eq!(keys.left_out().len(), 1, "{key}");
        assert_eq!(keys.list(), [("ed", Signature::EdDSA)], "{key}");
        assert!(
            matches!(
                read(std::slice::from_ref(key), 100),
                Err(KeySetError::NoKey(_))
            ),
            "{key}"
        );
    }
    let twice = read(&[good[0].clone(), changed(1, json!({"kid": "rsa"}))], 100).unwrap();
    assert_eq!(twice.list(), [("rsa", Signature::RS256)]);
    assert_eq!(read(&good, 2).err(), Some(KeySetError::TooMany(3, 2)));
    assert!(matches!(read(&[], 2), Err(KeySetError::NoKey(_))));
    for garbage in ["", "[]", "{}", "{\"keys\":{}}"] {
        let read = IssuerKeys::read(garbage.as_bytes(), &Signature::ALL, 9);
        assert_eq!(read.err(), Some(KeySetError::NoKeySet), "{garbage}");
    }
    let only = IssuerKeys::read(
        json!({ "keys": good }).to_string().as_bytes(),
        &[Signature::ES256],
        9,
    );
    assert_eq!(only.unwrap().list(), [("ec", Signature::ES256)]);
}
