//! Who may do what, and what is remembered of it: the store on one side, what requests and sockets
//! look up on the other.
//!
//! Everything that is asked on the way of a request or an event is kept in memory and read anew when
//! the store's revision has grown. A store that is lost stops changes, and nothing else.

mod clocks;
mod definitions;
mod issuers;
mod issuing;
mod keys;
mod people;
mod records;
mod repeats;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tidegate_auth::{
    ClientTokens, Directory, Issuers, LEEWAY_SECONDS, Marks, Nonces, Seal, SealError, Secret,
    SecretError, TokenError, Tokens,
};
use tidegate_hub::{Connection, Counter, Lifecycle};
use tidegate_store::{Ending, OpenError, Store, StoreError};

pub(crate) use clocks::run;
pub(crate) use issuers::Provider;
pub(crate) use issuing::{ANYBODY, Issue, RANDOM_ID_CHARS, info as token_info};
pub(crate) use people::{Opened, name_is_good, open_session};
pub(crate) use records::Record;

use crate::api::MAX_COPIES;
use crate::config::Config;
use crate::fetch::FetchError;
use crate::gateway::Gateway;
use crate::socket::ClientCounters;
use records::Records;

/// How long the store may be silent when it is asked for something that nobody waits for.
const ANSWER: Duration = Duration::from_secs(10);
/// Rows of each kind that are kept in memory.
const MOST: i64 = 100_000;
/// Revocations that hold at once; a further one is refused.
pub(crate) const MAX_REVOCATIONS: i64 = 100_000;
/// So much longer than a token says it is remembered that it was revoked: it is taken a little past
/// its end, and clocks disagree. In milliseconds.
pub(crate) const AFTERWARDS_MS: i64 = (LEEWAY_SECONDS as i64 + 60) * 1000;

/// Why identities cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] SecretError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Issuers(#[from] FetchError),
}

/// The store and what is known of it.
pub(crate) struct Trust {
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    pub(crate) records: Records,
    /// Outside issuers and their keys.
    pub(crate) issuers: Vec<Arc<Provider>>,
    /// By what anonymous clients are known again; `None` where they are not.
    pub(crate) clients: Option<ClientTokens>,
    pub(crate) client_counters: ClientCounters,
    /// Signed requests that were let in.
    pub(crate) nonces: Nonces,
    /// Tokens of `POST /token` whose record went before they ended.
    pub(crate) open_tokens_forgotten: Counter,
    /// Places for copies of the store.
    pub(crate) copies: Arc<tokio::sync::Semaphore>,
    seal: Seal,
    /// The secret of `--jwt-secret`.
    shared: Option<Secret>,
    plain: bool,
    /// The revision that was read last.
    seen: AtomicI64,
    /// How often it was looked for members whose token is good no more.
    sweeps: AtomicU64,
    /// One reads at a time.
    reading: tokio::sync::Mutex<()>,
}

impl Trust {
    /// Opens the store, and makes the first signing key where there is none.
    pub(crate) async fn open(config: &Config) -> Result<(Self, Tokens), TrustError> {
        let key = match &config.store.folder {
            Some(folder) => Secret::kept_in(&folder.join("key"))?,
            None => Secret::random(),
        };
        let seal = Seal::new(&key);
        let life = config.client_cookie_seconds;
        let trust = Self {
            store: Store::open(config.store.config.clone()).await?,
            directory: Arc::default(),
            records: Records::default(),
            issuers: issuers::providers(config)?,
            clients: (life > 0).then(|| ClientTokens::new(&key, life)),
            client_counters: ClientCounters::default(),
            seal,
            nonces: Nonces::new(config.internal.nonces),
            open_tokens_forgotten: Counter::default(),
            copies: Arc::new(tokio::sync::Semaphore::new(MAX_COPIES)),
            shared: config.shared_secret.clone(),
            plain: config.plain_tokens,
            seen: AtomicI64::new(-1),
            sweeps: AtomicU64::new(0),
            reading: tokio::sync::Mutex::default(),
        };
        if trust.shared.is_none() {
            trust.make_first_key().await?;
        }
        let outside = trust.issuers.iter().map(|provider| provider.issuer.clone());
        let tokens = Tokens::new(trust.keyring().await?)
            .with_issuers(Issuers::new(outside))
            .with_sessions(trust.directory.clone());
        tokens.set_revoked(trust.revoked().await?);
        trust.directory.set(trust.everybody().await?);
        Ok((trust, tokens))
    }
}

impl Trust {
    /// Whether programs sign tokens with a secret that the operator gave: those may live for ever.
    pub(crate) fn has_shared_secret(&self) -> bool {
        self.shared.is_some()
    }

    /// What goes with this one, whom `by` puts out now.
    pub(crate) fn ending<'a>(&self, principal: &'a str, by: &'a str) -> Ending<'a> {
        Ending {
            principal,
            by,
            now: now_ms(),
            leeway: AFTERWARDS_MS,
            most: MAX_REVOCATIONS,
        }
    }

    /// Counts tokens of which the records went because there were too many.
    fn count_forgotten(&self, rows: &Result<u64, StoreError>) {
        let rows = rows.as_ref().copied().unwrap_or_default();
        self.open_tokens_forgotten
            .add(usize::try_from(rows).unwrap_or(usize::MAX));
    }
}

/// Reads anew what has changed, and lets it hold: keys, revocations, people, definitions. Members
/// who lose a right by it are removed; gives how many.
pub(crate) async fn refresh(gateway: &Gateway) -> Result<usize, TrustError> {
    let _reading = gateway.trust.reading.lock().await;
    read_anew(gateway).await
}

/// Writes into the store what members may have to go for, and lets it hold; gives how many went. Nobody
/// else reads it in between, who would count them in the place of whoever has changed it.
pub(crate) async fn change(
    gateway: &Gateway,
    writing: impl Future<Output = Result<(), StoreError>>,
) -> Result<usize, TrustError> {
    let _reading = gateway.trust.reading.lock().await;
    writing.await?;
    read_anew(gateway).await
}

/// To be called by one at a time.
async fn read_anew(gateway: &Gateway) -> Result<usize, TrustError> {
    let trust = &gateway.trust;
    let revision = trust.store.revision().await?;
    if revision == trust.seen.load(Ordering::Relaxed) {
        return Ok(0);
    }
    gateway.tokens.set_keys(trust.keyring().await?);
    gateway.tokens.set_revoked(trust.revoked().await?);
    trust.directory.set(trust.everybody().await?);
    let mut gone = trust.redefine(gateway).await?;
    gone.extend(revoked_members(gateway));
    let count = gone.len();
    gateway.lifecycle.tell(gone);
    // What was changed while it was read is read next time.
    trust.seen.store(revision, Ordering::Relaxed);
    Ok(count)
}

/// Removes the members whose token is not good any more; gives how many.
pub(crate) fn sweep(gateway: &Gateway) -> usize {
    let gone = revoked_members(gateway);
    let count = gone.len();
    gateway.lifecycle.tell(gone);
    count
}

fn revoked_members(gateway: &Gateway) -> Vec<Lifecycle> {
    // Before the first member is looked at: who is let in from here on asks again (`judge`).
    gateway.trust.sweeps.fetch_add(1, Ordering::SeqCst);
    let revoked = gateway.tokens.revoked();
    gateway.hub.revoke(|grant, subject| match grant {
        Some(grant) => gateway.tokens.is_revoked(&Marks {
            subject,
            jti: grant.jti.as_deref(),
            iat: grant.issued_at,
            kid: grant.kid.as_deref(),
            sid: grant.sid.as_deref(),
            roles: &grant.roles,
        }),
        // Anonymous: there is nothing to go by but the name.
        None => revoked.names(subject),
    })
}

/// When it was asked who may be a member: what decides about that may change meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    sweeps: u64,
    definitions: u64,
}

/// To be taken before a token or a definition is looked at.
pub(crate) fn moment(gateway: &Gateway) -> Moment {
    Moment {
        sweeps: gateway.trust.sweeps.load(Ordering::SeqCst),
        definitions: gateway.hub.definitions.changes(),
    }
}

/// After somebody was let in. Where something has changed since then, it is asked once more: whoever
/// looked for members that must go may have looked before this was one.
pub(crate) fn judge(gateway: &Gateway, connection: &Connection, topic: &str, then: Moment) {
    let now = moment(gateway);
    if now.definitions != then.definitions {
        gateway.lifecycle.tell(gateway.hub.judge(connection, topic));
    }
    if now.sweeps != then.sweeps {
        sweep(gateway);
    }
}

/// Writes down what still waits, and lets go of the store.
pub(crate) async fn end(gateway: &Gateway) {
    /// A store that does not answer keeps nobody from stopping.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
    let trust = &gateway.trust;
    trust.records.settle(now_ms());
    let written = tokio::time::timeout(PATIENCE, async {
        while trust.records.waiting() > 0 && trust.records.write(&trust.store).await.is_ok() {}
        trust.store.close().await;
    });
    if written.await.is_err() {
        tracing::warn!(
            records = trust.records.waiting(),
            "the store did not take what waited"
        );
    }
}

/// Milliseconds since 1970, as the store counts.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The store's times are never before 1970.
pub(crate) fn unsigned(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default()
}

/// A time of the wire as the store has it.
pub(crate) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
