//! An event on its way to the bus.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

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
    Done(Option<Answer>),
    Waiting {
        answer: oneshot::Receiver<Answer>,
        tally: Arc<Tally>,
    },
}

/// How many have got the event, or why nobody has.
type Answer = Result<u64, BusError>;

impl Publishing {
    /// The bus has answered already; where it has the event, with how many have got it.
    pub fn done(result: Answer) -> Self {
        Self(State::Done(Some(result)))
    }

    /// A bus outside of this crate will answer.
    pub fn later(answer: oneshot::Receiver<Answer>) -> Self {
        Self::waiting(answer, Arc::default())
    }

    /// The bus will answer; the answer is counted when it is taken.
    pub(crate) fn waiting(answer: oneshot::Receiver<Answer>, tally: Arc<Tally>) -> Self {
        Self(State::Waiting { answer, tally })
    }

    /// The answer, if it is there already.
    pub fn now(&mut self) -> Option<Result<(), BusError>> {
        match &mut self.0 {
            State::Done(result) => result.take().map(|result| result.map(drop)),
            State::Waiting { answer, tally } => {
                let result = match answer.try_recv() {
                    Ok(result) => result,
                    Err(TryRecvError::Empty) => return None,
                    Err(TryRecvError::Closed) => Err(lost()),
                };
                count(tally, &result);
                self.0 = State::Done(None);
                Some(result.map(drop))
            }
        }
    }

    /// How many subscribers of the bus have got the event, patterns included; 0 where nobody
    /// listens.
    pub async fn receivers(mut self) -> Result<u64, BusError> {
        std::future::poll_fn(|context| self.poll_receivers(context)).await
    }

    fn poll_receivers(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.0 {
            State::Done(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                // Asked again after the answer: there is no second one.
                None => Poll::Pending,
            },
            State::Waiting { answer, tally } => {
                let result = std::task::ready!(Pin::new(answer).poll(context));
                let result = result.unwrap_or_else(|_| Err(lost()));
                count(tally, &result);
                self.0 = State::Done(None);
                Poll::Ready(result)
            }
        }
    }
}

fn lost() -> BusError {
    BusError::Unavailable("the connection to Redis was lost before it answered".to_owned())
}

fn count(tally: &Tally, result: &Answer) {
    Tally::add(match result {
        Ok(_) => &tally.published,
        Err(_) => &tally.failed,
    });
}

impl Future for Publishing {
    type Output = Result<(), BusError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_receivers(context).map(|result| result.map(drop))
    }
}
