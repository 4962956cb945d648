//! An event on its way to the bus.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::broker::Tally;
use crate::bus::BusError;

/// Tells, once, whether the bus has the event. It has been handed over already: dropping this
/// drops the answer alone.
#[derive(Debug)]
#[must_use = "whether the bus has the event is told by awaiting this"]
pub struct Publishing(State);

#[derive(Debug)]
enum State {
    /// How many have got the event, where it was published.
    Done(Option<Result<u64, BusError>>),
    Waiting {
        answer: oneshot::Receiver<Result<u64, BusError>>,
        tally: Arc<Tally>,
    },
}

impl Publishing {
    /// The bus has answered already; where it has the event, with how many have got it.
    pub fn done(result: Result<u64, BusError>) -> Self {
        Self(State::Done(Some(result)))
    }

    /// The bus will answer; the answer is counted when it is taken.
    pub(crate) fn waiting(
        answer: oneshot::Receiver<Result<u64, BusError>>,
        tally: Arc<Tally>,
    ) -> Self {
        Self(State::Waiting { answer, tally })
    }

    /// The answer, if it is there already.
    pub fn now(&mut self) -> Option<Result<(), BusError>> {
        match &mut self.0 {
            State::Done(result) => result.take().map(|result| result.map(drop)),
            State::Waiting { .. } => None,
        }
    }

    /// How many subscribers of the bus have got the event, patterns included; 0 where nobody
    /// listens.
    pub async fn receivers(mut self) -> Result<u64, BusError> {
        std::future::poll_fn(|context| self.poll_receivers(context)).await
    }

    fn poll_receivers(&mut self, context: &mut Context<'_>) -> Poll<Result<u64, BusError>> {
        match &mut self.0 {
            State::Done(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                // Asked again after the answer: there is no second one.
                None => Poll::Pending,
            },
            State::Waiting { answer, tally } => {
                let lost = "the connection to Redis was lost before it answered";
                let result = std::task::ready!(Pin::new(answer).poll(context))
                    .unwrap_or_else(|_| Err(BusError::Unavailable(lost.to_owned())));
                Tally::add(if result.is_ok() {
                    &tally.published
                } else {
                    &tally.failed
                });
                self.0 = State::Done(None);
                Poll::Ready(result)
            }
        }
    }
}

impl Future for Publishing {
    type Output = Result<(), BusError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_receivers(context).map(|result| result.map(drop))
    }
}
