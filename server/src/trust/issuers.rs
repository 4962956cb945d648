//! The keys of outside issuers: read at the start, anew now and then, and when a token names a key
//! that is not known.
//!
//! Each issuer has a task of its own; no request and no socket ever waits for it. However many tokens
//! with unknown keys come, an issuer is asked once per `--jwks-retry-seconds` on their account. When
//! it cannot be asked, or answers nonsense, the keys that were read last stay good.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tidegate_auth::{Issuer, IssuerKeys, KeySetError};
use tidegate_protocol::trust::{IssuerInfo, IssuerKeyInfo};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{now_ms, sweep, unsigned};
use crate::config::{Config, IssuerConfig, KeyDocuments, KeySource};
use crate::fetch::{Client, FetchError};
use crate::gateway::Gateway;

/// Why an issuer's keys could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("the file cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error("the file has more than {0} bytes")]
    FileTooLong(usize),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    KeySet(#[from] KeySetError),
}

/// One issuer, and how it goes with its keys.
pub(crate) struct Provider {
    pub(crate) issuer: Arc<Issuer>,
    config: IssuerConfig,
    documents: KeyDocuments,
    /// There is none for a file.
    client: Option<Client>,
    /// A token named a key that is not known.
    asked: Arc<Notify>,
    /// Times that the keys were read.
    pub(crate) reads: AtomicU64,
    /// Times that they could not be.
    pub(crate) failures: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Milliseconds since 1970.
    read_at: Option<u64>,
    error: Option<String>,
}

/// All that are configured. The files and addresses are not looked at yet.
pub(super) fn providers(config: &Config) -> Result<Vec<Arc<Provider>>, FetchError> {
    config
        .issuers
        .iter()
        .map(|one| {
            let client = match &one.source {
                KeySource::File(_) => None,
                KeySource::Address {
                    authorities, plain, ..
                } => Some(Client::new(authorities.as_deref())?.plain(*plain)),
            };
            let issuer = Arc::new(Issuer::new(one.rules.clone()));
            let asked = Arc::new(Notify::new());
            let wake = asked.clone();
            issuer.on_unknown_key(move || wake.notify_one());
            Ok(Arc::new(Provider {
                issuer,
                config: one.clone(),
                documents: config.key_documents,
                client,
                asked,
                reads: AtomicU64::default(),
                failures: AtomicU64::default(),
                state: Mutex::default(),
            }))
        })
        .collect()
}

/// Runs for ever.
pub(super) async fn run(gateway: &Arc<Gateway>) {
    let tasks = gateway.trust.issuers.iter().map(|provider| {
        let (provider, gateway) = (provider.clone(), gateway.clone());
        async move { provider.keep(&gateway).await }
    });
    futures::future::join_all(tasks).await;
}

impl Provider {
    async fn keep(&self, gateway: &Gateway) {
        loop {
            let good = self.renew(gateway).await;
            let began = Instant::now();
            if good {
                tokio::select! {
                    () = tokio::time::sleep(self.config.refresh) => {}
                    () = self.asked.notified() => {}
                }
            }
            tokio::time::sleep_until(began + self.documents.retry).await;
        }
    }

    /// Reads the keys; what they were stays when that fails.
    async fn renew(&self, gateway: &Gateway) -> bool {
        let read = self.read().await;
        let issuer = self.issuer.rules.issuer.as_str();
        match read {
            Ok(keys) => {
                self.reads.fetch_add(1, Ordering::Relaxed);
                let recovered = {
                    let mut state = self.state.lock();
                    state.read_at = Some(unsigned(now_ms()));
                    state.error.take().is_some()
                };
                let before = self.issuer.keys();
                let (lost, names) = (keys.lacks_one_of(&before), kids(&keys));
                if recovered || names != kids(&before) {
                    tracing::info!(issuer, keys = ?names, left_out = ?keys.left_out(), "the keys of an issuer were read");
                }
                self.issuer.set_keys(keys);
                if lost {
                    let members = sweep(gateway);
                    tracing::info!(
                        issuer,
                        members,
                        "a key of an issuer is gone, and its members"
                    );
                }
                true
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let error = error.to_string();
                let known = self.state.lock().error.replace(error.clone());
                if known.as_ref() != Some(&error) {
                    let source = self.config.source.to_string();
                    tracing::warn!(
                        issuer,
                        source,
                        error,
                        "the keys of an issuer cannot be read; those that were read last stay good"
                    );
                }
                false
            }
        }
    }

    async fn read(&self) -> Result<IssuerKeys, KeysError> {
        let bounds = self.documents.bounds;
        let document = match (&self.config.source, &self.client) {
            (KeySource::Address { address, .. }, Some(client)) => {
                client.get(address, bounds).await?.to_vec()
            }
            (KeySource::Address { address, .. }, None) => {
                return Err(FetchError::Address(address.to_string()).into());
            }
            (KeySource::File(path), _) => {
                let mut document = Vec::new();
                let most = bounds.bytes as u64 + 1;
                let file = tokio::fs::File::open(path).await?;
                file.take(most).read_to_end(&mut document).await?;
                if document.len() > bounds.bytes {
                    return Err(KeysError::FileTooLong(bounds.bytes));
                }
                document
            }
        };
        let rules = &self.issuer.rules;
        let keys = IssuerKeys::read(&document, &rules.signatures, self.documents.keys)?;
        Ok(keys)
    }

    /// Whether its keys were read, and the latest attempt went well.
    pub(crate) fn is_well(&self) -> bool {
        let state = self.state.lock();
        state.read_at.is_some() && state.error.is_none()
    }

    /// What administrators are shown.
    pub(crate) fn info(&self) -> IssuerInfo {
        let (rules, keys) = (&self.issuer.rules, self.issuer.keys());
        let state = self.state.lock();
        let keys_of = keys
            .list()
            .into_iter()
            .map(|(kid, signature)| IssuerKeyInfo {
                kid: kid.to_owned(),
                algorithm: signature.as_str().to_owned(),
            });
        IssuerInfo {
            issuer: rules.issuer.clone(),
            audience: rules.audience.clone(),
            source: self.config.source.to_string(),
            keys: keys_of.collect(),
            left_out: keys.left_out().to_vec(),
            read_at: state.read_at,
            error: state.error.clone(),
        }
    }
}

fn kids(keys: &IssuerKeys) -> Vec<String> {
    let list = keys.list().into_iter();
    list.map(|(kid, _)| kid.to_owned()).collect()
}
