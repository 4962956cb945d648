//! Outside issuers: whose tokens are taken beside the gateway's own, and what they are worth here.
//!
//! A token is checked by the issuer that it names, with a key of that issuer and of no other, and
//! with the algorithm of the key. Fetching keys is the server's business; a token that names a key
//! which is not known says so, and the server looks whether there is a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_protocol::{
    Allow, Claims, MAX_TOKEN_ROLES, Reason, Right, Role, RoleName, is_reserved_topic,
};

use crate::issuer_keys::{IssuerKeys, Signature};
use crate::jws::{Jws, Times};
use crate::tokens::Checked;

/// Separates an issuer from what it has named: no issuer has it in its name.
pub const ISSUER_MARK: char = '#';
/// Channels that one token may name.
const MAX_CHANNELS: usize = 100;
/// Roles of one token that are looked at.
const MAX_ROLES: usize = 1_000;
/// The longest id of a user.
const MAX_ID_BYTES: usize = 255;
/// No token lives longer: what is revoked must be remembered for as long.
const MAX_LIFE_SECONDS: u64 = 366 * 24 * 3600;

/// What is taken of one issuer.
#[derive(Debug, Clone)]
pub struct IssuerRules {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// One of these must stand in `aud`.
    pub audience: Vec<String>,
    /// What its keys may sign with.
    pub signatures: Vec<Signature>,
    /// How far its clock may differ from this one, in seconds.
    pub leeway: u64,
    /// The claim that names the user.
    pub id_claim: String,
    /// Stands before the user's id here, so that two issuers do not name the same user.
    pub id_prefix: String,
    /// The claim that names channels.
    pub channels_claim: String,
    /// The claim that says what the token allows.
    pub allow_claim: String,
    /// The claim that names roles.
    pub roles_claim: Option<String>,
    /// What a token gets that names neither channels nor a role that is known here.
    pub default: RoleRights,
    /// What each role is worth.
    pub roles: HashMap<String, RoleRights>,
    /// Whether its tokens may open the gateway's own topics and the API.
    pub admin: bool,
}

/// What a role is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleRights {
    /// Topics, or `prefix:*` patterns.
    pub channels: Vec<String>,
    /// What may be done there; joining, pushing and presence where it is left out.
    pub allow: Option<Vec<Right>>,
}

/// How often an issuer's tokens were good and were not.
#[derive(Debug, Default)]
pub struct IssuerCounters {
    /// Good ones.
    pub accepted: AtomicU64,
    /// Refused ones, those included that name an unknown key.
    pub refused: AtomicU64,
    /// Those that name a key which is not known.
    pub unknown_keys: AtomicU64,
}

type Hook = Box<dyn Fn() + Send + Sync>;

/// One issuer with its keys, which may be replaced at any time.
pub struct Issuer {
    /// What is taken of it.
    pub rules: IssuerRules,
    /// How often.
    pub counters: IssuerCounters,
    keys: RwLock<Arc<IssuerKeys>>,
    unknown_key: OnceLock<Hook>,
}

impl Issuer {
    /// Without keys: nothing of it is taken yet.
    pub fn new(rules: IssuerRules) -> Self {
        Self {
            rules,
            counters: IssuerCounters::default(),
            keys: RwLock::default(),
            unknown_key: OnceLock::new(),
        }
    }

    /// From here on these keys check, and no others.
    pub fn set_keys(&self, keys: IssuerKeys) {
        *self.keys.write() = Arc::new(keys);
    }

    /// The keys.
    pub fn keys(&self) -> Arc<IssuerKeys> {
        self.keys.read().clone()
    }

    /// What is to be done when a token names a key that is not known; the first that is given
    /// stays. It must be quick.
    pub fn on_unknown_key(&self, hook: impl Fn() + Send + Sync + 'static) {
        let _ = self.unknown_key.set(Box::new(hook));
    }

    fn check(&self, token: &Jws<'_>, now: u64) -> Result<Checked, Reason> {
        // Whatever key it names, it is not one that signs with this.
        if !self
            .rules
            .signatures
            .iter()
            .any(|s| s.as_str() == token.alg)
        {
            return Err(Reason::InvalidToken);
        }
        let keys = self.keys();
        let Some((kid, key)) = keys.find(token.kid.as_deref()) else {
            self.counters.unknown_keys.fetch_add(1, Ordering::Relaxed);
            if let Some(hook) = self.unknown_key.get() {
                hook();
            }
            return Err(Reason::KeyUnknown);
        };
        // The key decides; a token that says something else is not one that it has signed.
        if token.alg != key.signature.as_str()
            || !token.is_signed_by(&key.key, key.signature.algorithm())
        {
            return Err(Reason::InvalidToken);
        }
        let claims = self.rules.read(token.body(), now)?;
        let kid = format!("{}{ISSUER_MARK}{kid}", self.rules.issuer);
        Ok(Checked {
            claims,
            kid: Some(kid),
            leeway: self.rules.leeway,
        })
    }
}

impl IssuerRules {
    /// What a token says whose signature is good, if it holds here and now.
    fn read(&self, body: &[u8], now: u64) -> Result<Claims, Reason> {
        let invalid = |_| Reason::InvalidToken;
        let claims: Map<String, Value> = serde_json::from_slice(body).map_err(invalid)?;
        let times: Times = serde_json::from_slice(body).map_err(invalid)?;
        if !self.is_meant(claims.get("aud")) {
            return Err(Reason::InvalidToken);
        }
        let exp = times.exp.ok_or(Reason::InvalidToken)?;
        if exp.saturating_add(self.leeway) < now {
            return Err(Reason::TokenExpired);
        }
        let soon = now.saturating_add(self.leeway);
        // A token of tomorrow would outlive what is revoked today.
        let early = |time: Option<u64>| time.is_some_and(|time| time > soon);
        if early(times.nbf) || early(times.iat) || exp > soon.saturating_add(MAX_LIFE_SECONDS) {
            return Err(Reason::InvalidToken);
        }
        let (channels, allow, roles) = self.rights(&claims).ok_or(Reason::InvalidToken)?;
        let mark = |name: &Value| {
            let name = name.as_str()?;
            (name.len() <= MAX_ID_BYTES).then(|| format!("{}{ISSUER_MARK}{name}", self.issuer))
        };
        Ok(Claims {
            id: self.id(&claims).ok_or(Reason::InvalidToken)?,
            channels,
            exp,
            allow,
            roles,
            // Names of two issuers, or of the gateway, must not be taken for each other.
            jti: claims.get("jti").and_then(mark),
            iat: times.iat,
            iss: Some(self.issuer.clone()),
            // Sessions are the gateway's own.
            sid: None,
        })
    }

    fn is_meant(&self, aud: Option<&Value>) -> bool {
        let ours = |aud: &Value| {
            aud.as_str()
                .is_some_and(|aud| self.audience.iter().any(|a| a == aud))
        };
        match aud {
            Some(Value::Array(list)) => list.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        }
    }

    fn id(&self, claims: &Map<String, Value>) -> Option<String> {
        let id = find(claims, &self.id_claim)?.as_str()?;
        if id.trim().is_empty() {
            return None;
        }
        let id = format!("{}{id}", self.id_prefix);
        let good = id.len() <= MAX_ID_BYTES && !id.chars().any(char::is_control);
        good.then_some(id)
    }

    /// Channels and what may be done there: of the claims, of the roles, else of the default. And
    /// the roles that are known here.
    fn rights(&self, claims: &Map<String, Value>) -> Option<(Vec<String>, Allow, Vec<RoleName>)> {
        let said = match self.roles_claim.as_deref() {
            Some(claim) => words(find(claims, claim), MAX_ROLES)?,
            None => Vec::new(),
        };
        let roles: Vec<&RoleRights> = said.iter().filter_map(|r| self.roles.get(r)).collect();
        // An issuer that may not administer does not say who is an operator here either.
        let named = said
            .iter()
            .filter(|role| self.roles.contains_key(*role))
            .filter(|role| self.admin || Role::named(role).is_none())
            .filter_map(|role| RoleName::new(role).ok())
            .take(MAX_TOKEN_ROLES)
            .collect();
        let mut channels = words(find(claims, &self.channels_claim), MAX_CHANNELS)?;
        if self.channels_claim == "channels" {
            // As the gateway's own tokens have it.
            channels.extend(words(claims.get("channel"), 1)?);
        }
        for role in &roles {
            channels.extend(role.channels.iter().cloned());
        }
        if channels.is_empty() {
            channels.clone_from(&self.default.channels);
        }
        let mut allow = match find(claims, &self.allow_claim) {
            Some(said) => serde_json::from_value::<Vec<Right>>(said.clone())
                .ok()?
                .into_iter()
                .collect(),
            None if !roles.is_empty() => roles
                .iter()
                .flat_map(|role| role.allow.clone().unwrap_or_else(|| Allow::MEMBER.rights()))
                .collect(),
            None => self
                .default
                .allow
                .clone()
                .map_or(Allow::MEMBER, |rights| rights.into_iter().collect()),
        };
        if !self.admin {
            allow.admin = false;
            channels.retain(|channel| !is_reserved_topic(channel));
        }
        (!channels.is_empty()).then_some((channels, allow, named))
    }
}

/// A claim by its name, or by its place in a nested one where that begins with `/` (RFC 6901).
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if !name.starts_with('/') {
        return claims.get(name).filter(|value| !value.is_null());
    }
    let mut parts = name[1..].split('/');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// One word, or a list of them; nothing is an empty list. `None` for what is neither, and for more
/// than `most`.
fn words(value: Option<&Value>, most: usize) -> Option<Vec<String>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(word)) => Some(vec![word.clone()]),
        Some(Value::Array(list)) if list.len() <= most => list
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect(),
        Some(_) => None,
    }
}

/// All issuers; which there are is settled at the start.
#[derive(Default)]
pub struct Issuers(HashMap<String, Arc<Issuer>>);

impl Issuers {
    /// These.
    pub fn new(issuers: impl IntoIterator<Item = Arc<Issuer>>) -> Self {
        let by_name = issuers
            .into_iter()
            .map(|issuer| (issuer.rules.issuer.clone(), issuer));
        Self(by_name.collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has given this name to a token or a key.
    pub fn named(&self, name: &str) -> bool {
        let issuer = name.split_once(ISSUER_MARK);
        issuer.is_some_and(|(issuer, _)| self.0.contains_key(issuer))
    }

    /// Whether the key of a token that was good once checks no more; `None` where no outside issuer
    /// has it.
    pub(crate) fn has_lost(&self, kid: &str) -> Option<bool> {
        let (issuer, kid) = kid.split_once(ISSUER_MARK)?;
        let issuer = self.0.get(issuer);
        Some(issuer.is_none_or(|issuer| !issuer.keys().has(kid)))
    }

    pub(crate) fn check(&self, token: &Jws<'_>, now: u64) -> Result<Checked, Reason> {
        #[derive(Deserialize)]
        struct Named {
            iss: String,
        }
        // Only to find out who is asked: whoever it is has to confirm it.
        let issuer = serde_json::from_slice::<Named>(token.body())
            .ok()
            .and_then(|named| self.0.get(&named.iss))
            .ok_or(Reason::InvalidToken)?;
        let checked = issuer.check(token, now);
        let counters = &issuer.counters;
        let counter = match checked {
            Ok(_) => &counters.accepted,
            Err(_) => &counters.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        checked
    }
}
