//! Channel definitions: those of the configuration, and over them those that administrators made.

use std::collections::BTreeMap;

use tidegate_hub::Lifecycle;
use tidegate_protocol::{Definition, TopicPattern};

use super::{MOST, Trust, TrustError};
use crate::gateway::Gateway;

impl Trust {
    /// Lets the definitions of the store hold over those of the configuration.
    pub(super) async fn redefine(&self, gateway: &Gateway) -> Result<Vec<Lifecycle>, TrustError> {
        let mut all: BTreeMap<String, Definition> = BTreeMap::new();
        for definition in &gateway.config.definitions {
            if let Some(pattern) = &definition.pattern {
                all.insert(pattern.to_string(), definition.clone());
            }
        }
        for row in self.store.definitions(MOST).await? {
            let Some(body) = row.body else {
                all.remove(&row.pattern);
                continue;
            };
            let read = serde_json::from_str::<Definition>(&body)
                .ok()
                .filter(|definition| definition.check().is_ok());
            match read {
                Some(definition) => drop(all.insert(row.pattern, definition)),
                None => tracing::error!(
                    pattern = row.pattern,
                    "the store holds a definition that this release cannot read; it does not hold"
                ),
            }
        }
        Ok(gateway.hub.redefine_all(all.into_values()))
    }

    /// Whether the configuration defines this pattern.
    pub(crate) fn is_configured(gateway: &Gateway, pattern: &TopicPattern) -> bool {
        gateway
            .config
            .definitions
            .iter()
            .any(|definition| definition.pattern.as_ref() == Some(pattern))
    }
}
