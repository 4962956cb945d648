//! What an action answers, and what is remembered of it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use tidegate_protocol::admin::Done;

/// The sentence of an answer, for the record of what was done.
#[derive(Debug, Clone)]
pub(super) struct Said(pub(super) String);

/// A sentence that says what was done.
pub(super) fn done(sentence: String) -> Answer<Done> {
    Answer {
        said: sentence.clone(),
        body: Done { done: sentence },
    }
}

/// The same with how many members it has cost, if any.
pub(super) fn done_removing(what: &str, removed: usize) -> Answer<Done> {
    done(match removed {
        0 => format!("{what}."),
        1 => format!("{what}; 1 member was removed."),
        n => format!("{what}; {n} members were removed."),
    })
}

/// A body, and a sentence that says for the record what was done.
pub(super) struct Answer<T> {
    pub(super) said: String,
    pub(super) body: T,
}

impl<T: serde::Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        response.extensions_mut().insert(Said(self.said));
        response
    }
}
