//! What happens by itself: reading what has changed, ending what has expired, writing down, purging.

use std::sync::Arc;
use std::time::Duration;

use tidegate_auth::LEEWAY_SECONDS;
use tidegate_hub::ExpiryRules;

use super::{AFTERWARDS_MS, ANSWER, ANYBODY, TrustError, issuers, now_ms, refresh, unsigned};
use crate::gateway::Gateway;
use crate::system::ticks;

/// How soon a change that another gateway or a command made holds here.
const REFRESH: Duration = Duration::from_millis(400);
/// How long the writer rests after the store has refused.
const REST: Duration = Duration::from_secs(1);
/// How soon a repeated read shows in its record.
const SETTLE: Duration = Duration::from_secs(5);
const PURGE: Duration = Duration::from_secs(3600);
/// How often the age of the signing key is looked at.
const ROTATE: Duration = PURGE;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Runs for ever.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    tokio::join!(
        refreshing(&gateway),
        expiring(&gateway),
        writing(&gateway),
        settling(&gateway),
        purging(&gateway),
        rotating(&gateway),
        issuers::run(&gateway)
    );
}

/// A store that says nothing any more does not stop the clocks: what hangs is given up.
async fn timely<T>(
    gateway: &Gateway,
    work: impl Future<Output = Result<T, TrustError>>,
) -> Result<T, TrustError> {
    let answer = async { Ok(work.await) };
    gateway.trust.store.within(ANSWER, answer).await?
}

async fn refreshing(gateway: &Gateway) {
    let mut ticks = ticks(REFRESH);
    loop {
        ticks.tick().await;
        // The store says in the log when it is lost; what was read last holds meanwhile.
        match timely(gateway, refresh(gateway)).await {
            Ok(0) => {}
            Ok(members) => tracing::info!(members, "members lost the right to stay"),
            Err(error) => tracing::debug!(%error, "not refreshed"),
        }
    }
}

async fn expiring(gateway: &Gateway) {
    let rules = ExpiryRules {
        warn_before: gateway.config.token_warning_seconds,
        leeway: LEEWAY_SECONDS,
    };
    let mut ticks = ticks(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let gone = gateway.hub.expire(unsigned(now_ms()) / 1000, rules);
        if !gone.is_empty() {
            tracing::info!(members = gone.len(), "tokens of members have expired");
            gateway.lifecycle.tell(gone);
        }
    }
}

async fn writing(gateway: &Gateway) {
    let trust = &gateway.trust;
    loop {
        trust.records.some().await;
        if let Err(error) = trust.records.write(&trust.store).await {
            tracing::debug!(%error, "records wait");
            tokio::time::sleep(REST).await;
        }
        bound(gateway).await;
    }
}

/// Repeated reads, and nonces whose time is over.
async fn settling(gateway: &Gateway) {
    let trust = &gateway.trust;
    let mut ticks = ticks(SETTLE);
    loop {
        ticks.tick().await;
        let now = now_ms();
        trust.records.settle(now);
        trust.nonces.clear(unsigned(now) / 1000);
        if gateway.config.internal.secret.is_some()
            && let Err(error) = trust
                .store
                .within(ANSWER, trust.store.purge_nonces(now))
                .await
        {
            tracing::debug!(%error, "nonces are not purged");
        }
    }
}

/// What is kept within a number is purged when much was added, not only by the hour.
async fn bound(gateway: &Gateway) {
    let (config, trust) = (&gateway.config, &gateway.trust);
    let mut purged = Ok(0);
    if trust.records.much_activity(config.activity_records.into()) {
        let since = now_ms() - i64::from(config.activity_days) * DAY_MS;
        let most = i64::from(config.activity_records);
        let purging = trust.store.purge_activity(since, most);
        purged = trust.store.within(ANSWER, purging).await;
    }
    if trust.records.many_tokens(config.max_open_tokens.into()) {
        let most = i64::from(config.max_open_tokens);
        let purging = trust.store.purge_issued_by(ANYBODY, most);
        let forgotten = trust.store.within(ANSWER, purging).await;
        trust.count_forgotten(&forgotten);
        purged = purged.and(forgotten);
    }
    if let Err(error) = purged {
        tracing::debug!(%error, "not purged");
    }
}

async fn purging(gateway: &Gateway) {
    let (config, trust) = (&gateway.config, &gateway.trust);
    let mut ticks = ticks(PURGE);
    loop {
        ticks.tick().await;
        let purged = async {
            let now = now_ms();
            trust.store.purge_sessions(now).await?;
            trust.store.purge_tokens(now - AFTERWARDS_MS).await?;
            let open = i64::from(config.max_open_tokens);
            let forgotten = trust.store.purge_issued_by(ANYBODY, open).await;
            trust.count_forgotten(&forgotten);
            forgotten?;
            trust.store.purge_revocations(now).await?;
            let since = now - i64::from(config.activity_days) * DAY_MS;
            let most = i64::from(config.activity_records);
            trust.store.purge_activity(since, most).await?;
            // Used admin links among them, where no request is signed.
            trust.store.purge_nonces(now).await?;
            trust.purge_keys().await
        };
        if let Err(error) = timely(gateway, purged).await {
            tracing::debug!(%error, "not purged");
        }
    }
}

/// Apart from the purges: nobody sees in anything else that a key has grown too old.
async fn rotating(gateway: &Gateway) {
    let days = gateway.config.key_rotation_days;
    if days == 0 {
        return;
    }
    let mut ticks = ticks(ROTATE);
    loop {
        ticks.tick().await;
        match timely(gateway, rotate_when_due(gateway, days)).await {
            Ok(None) => {}
            Ok(Some(kid)) => tracing::info!(
                kid,
                "the signing key was rotated, as --key-rotation-days asks"
            ),
            Err(error) => tracing::warn!(
                %error,
                "the signing key was not rotated, as --key-rotation-days asks; it signs on, and is tried again within an hour"
            ),
        }
    }
}

async fn rotate_when_due(gateway: &Gateway, days: u32) -> Result<Option<String>, TrustError> {
    let trust = &gateway.trust;
    let since = trust.current_since().await?;
    if since.is_none_or(|since| since + i64::from(days) * DAY_MS > now_ms()) {
        return Ok(None);
    }
    // None: another gateway was quicker.
    trust.rotate(false, gateway.config.token_seconds).await
}
