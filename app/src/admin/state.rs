//! What the admin pages share: the session, the connection, the figures, and how actions run.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_client::Client;
use tidegate_protocol::Role;
use tidegate_protocol::admin::{BusInfo, Done, Figures, Overview, Sample, SessionInfo};
use tidegate_protocol::system::StoreInfo;

use crate::components::{Toasts, Tone, use_toasts};
use crate::first_paint::FirstPaint;
use crate::http::ApiError;
use crate::timing;

/// How many seconds of figures are shown.
pub(crate) const HISTORY: usize = 300;

/// What is said when the gateway does not know the session any more.
const SESSION_ENDED: &str = "Your session has ended. Sign in again to go on.";

/// Whether this browser may see the admin pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    /// Signed in.
    In,
    /// Not signed in.
    Out {
        /// Whether a password will do; otherwise it takes a link.
        password_login: bool,
        /// Why, when there is more to say than that.
        words: Option<String>,
    },
}

/// Who has signed in, and what that one may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// `admin`, or `user:<name>`.
    pub(crate) principal: String,
    pub(crate) role: Role,
}

impl Who {
    fn new(principal: Option<String>, role: Option<Role>) -> Self {
        Self {
            principal: principal.unwrap_or_default(),
            // Nothing is offered that was not said to be allowed.
            role: role.unwrap_or_default(),
        }
    }

    /// The name to sign in with; none of the built-in administrator, who is no user.
    pub(crate) fn user(&self) -> Option<&str> {
        self.principal.strip_prefix("user:")
    }
}

/// What does not change while the gateway runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gateway {
    pub(crate) version: String,
    pub(crate) node: String,
    pub(crate) started_at: u64,
}

/// The state of the admin pages.
#[derive(Clone, Copy)]
pub(crate) struct AdminState {
    pub(crate) session: RwSignal<Session>,
    /// Whether WebAssembly has taken the page over: what is typed before is not heard of.
    pub(crate) alive: RwSignal<bool>,
    /// Who has signed in; nobody in particular while nobody has.
    pub(crate) who: RwSignal<Who>,
    /// Milliseconds since 1970, every few seconds: for what says how long ago something was.
    pub(crate) now: RwSignal<f64>,
    /// Which gateway this is; none before the first answer.
    pub(crate) gateway: RwSignal<Option<Gateway>>,
    /// Its bus.
    pub(crate) bus: RwSignal<Option<BusInfo>>,
    /// Its store.
    pub(crate) store: RwSignal<Option<StoreInfo>>,
    /// What it has lost, and how long things take.
    pub(crate) figures: RwSignal<Option<Figures>>,
    /// Its figures, oldest first.
    pub(crate) history: RwSignal<Vec<Sample>>,
    /// Why the figures are missing.
    pub(crate) failed: RwSignal<Option<String>>,
    /// Grows whenever a channel or its members change: lists look at it.
    pub(crate) changes: RwSignal<u64>,
    pub(crate) toasts: Toasts,
    pub(super) client: RwSignal<Option<Client>>,
}

impl AdminState {
    /// As the page was rendered.
    pub(crate) fn new(first: &FirstPaint) -> Self {
        let session = if first.admin {
            Session::In
        } else {
            Session::Out {
                password_login: first.password_login,
                words: None,
            }
        };
        Self {
            session: RwSignal::new(session),
            alive: RwSignal::default(),
            who: RwSignal::new(Who::new(first.principal.clone(), first.role)),
            now: RwSignal::new(timing::now_ms()),
            gateway: RwSignal::default(),
            bus: RwSignal::default(),
            store: RwSignal::default(),
            figures: RwSignal::default(),
            history: RwSignal::default(),
            failed: RwSignal::default(),
            changes: RwSignal::default(),
            toasts: use_toasts(),
            client: RwSignal::default(),
        }
    }

    pub(crate) fn signed_in(&self) -> bool {
        self.session.with(|session| *session == Session::In)
    }

    /// Whether who has signed in may do what this role may. What somebody may not do is not offered.
    pub(crate) fn may(&self, role: Role) -> bool {
        self.who.with(|who| who.role >= role)
    }

    /// What the gateway says about the session.
    pub(crate) fn set_session(&self, info: &SessionInfo) {
        let who = Who::new(info.principal.clone(), info.role);
        if self.who.get_untracked() != who {
            self.who.set(who);
        }
        let session = if info.admin {
            Session::In
        } else {
            let words = match self.session.get_untracked() {
                Session::In => Some(SESSION_ENDED.to_owned()),
                Session::Out { words, .. } => words,
            };
            Session::Out {
                password_login: info.password_login,
                words,
            }
        };
        if self.session.get_untracked() != session {
            self.session.set(session);
        }
    }

    /// The gateway does not know the session any more.
    pub(crate) fn session_ended(&self) {
        if self.session.try_get_untracked() == Some(Session::In) {
            let words = Some(SESSION_ENDED.to_owned());
            self.session.set(Session::Out {
                password_login: true,
                words,
            });
            // Whether there is a password only the gateway knows.
            self.ask_session();
        }
    }

    fn ask_session(&self) {
        let state = *self;
        spawn_local(async move {
            if let Ok(info) = super::api::session().await
                && state.session.try_get_untracked().is_some()
            {
                state.set_session(&info);
            }
        });
    }

    /// Hands out the error of a request as a sentence, after seeing to an ended session and to a
    /// role that has changed.
    pub(crate) fn words(&self, error: &ApiError) -> String {
        match error {
            ApiError::SignedOut(_) => self.session_ended(),
            ApiError::Refused { status: 403, .. } => self.ask_session(),
            _ => {}
        }
        error.to_string()
    }

    /// Runs an action; what it did, or why it failed, is shown as a toast.
    pub(crate) fn act(
        &self,
        action: impl Future<Output = Result<Done, ApiError>> + 'static,
        then: impl FnOnce() + 'static,
    ) {
        let toasts = self.toasts;
        self.run(action, move |Done { done }| {
            toasts.say(Tone::Good, done);
            then();
        });
    }

    /// Runs an action and hands on what it gave; why it failed is shown as a toast.
    pub(crate) fn run<T: 'static>(
        &self,
        action: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        let state = *self;
        spawn_local(async move {
            match action.await {
                Ok(answer) => then(answer),
                Err(error) => state.toasts.say(Tone::Bad, state.words(&error)),
            }
        });
    }

    /// The figures so far.
    pub(crate) fn set_overview(&self, overview: Overview) {
        let Overview {
            version,
            node,
            started_at,
            bus,
            store,
            figures,
            history,
        } = overview;
        self.gateway.set(Some(Gateway {
            version,
            node,
            started_at,
        }));
        self.bus.set(Some(bus));
        self.store.set(Some(store));
        self.figures.set(Some(figures));
        self.history.set(history);
        self.failed.set(None);
    }

    /// The figures of one more second.
    pub(crate) fn add_sample(&self, sample: Sample) {
        // The page may be gone.
        let _ = self.history.try_update(|history| add(history, sample));
    }
}

/// Keeps the last [`HISTORY`] samples in order; one that is there already is not added twice.
fn add(history: &mut Vec<Sample>, sample: Sample) {
    if history.last().is_some_and(|last| last.time >= sample.time) {
        return;
    }
    history.push(sample);
    let excess = history.len().saturating_sub(HISTORY);
    history.drain(..excess);
}

/// The state of the admin pages around; outside of them one that nobody watches.
pub(crate) fn use_admin_state() -> AdminState {
    use_context::<AdminState>().unwrap_or_else(|| AdminState::new(&FirstPaint::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_once_and_the_oldest_go() {
        let sample = |time| Sample {
            time,
            ..Sample::default()
        };
        let mut history = Vec::new();
        for time in 1..=HISTORY as u64 + 5 {
            add(&mut history, sample(time));
            add(&mut history, sample(time));
        }
        assert_eq!(history.len(), HISTORY);
        assert_eq!(history[0].time, 6);
    }
}
