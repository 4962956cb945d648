//! A member shows a newer token, without joining anew.
//!
//! Supabase's clients push `access_token` on every joined topic when their token was renewed; any
//! client may. The token is checked as that of a join and must be the same user's. The event ends
//! here whatever comes of it: neither the bus nor a log nor a watching administrator sees it.

use std::sync::Arc;

use serde_json::Value;
use tidegate_auth::{Shown, TokenSource, admit};
use tidegate_hub::{Channel, Grant};
use tidegate_protocol::{Payload, Reason, Standing};

use super::join_payload::{NoString, read_token};
use super::session::{Session, grant_of};

/// The event that brings the token.
pub(super) const ACCESS_TOKEN: &str = "access_token";

impl Session {
    /// What the payload's token gives this connection's member of the channel.
    pub(super) fn renewed(
        &self,
        channel: &Channel,
        payload: &Payload,
    ) -> Result<(Standing, Arc<Grant>), Reason> {
        // A binary push may hold the same JSON; what it must not do is reach the bus.
        let Ok(Value::Object(mut object)) = serde_json::from_slice(payload.bytes()) else {
            return Err(Reason::InvalidToken);
        };
        let token = read_token(&mut object)
            .map_err(|NoString| Reason::InvalidToken)?
            .ok_or(Reason::Unauthorized)?;
        let checked = self.gateway.tokens.check(&token)?;
        let grant = Arc::new(grant_of(&checked));
        // A token without an id is whoever this connection is without one.
        let id = match checked.claims.id.trim() {
            "" => self.anonymous.as_deref().map(str::to_owned),
            _ => Some(checked.claims.id.clone()),
        };
        let shown = Shown::Token(TokenSource::Join, Ok(checked));
        let compat = self.gateway.config.tangram_compat;
        let topic = channel.topic.as_str();
        let standing = admit(&channel.definition(), topic, &shown, compat)?;
        if id.is_none() || id != channel.user_of(&self.connection) {
            return Err(Reason::TokenForAnotherUser);
        }
        Ok((standing, grant))
    }
}
