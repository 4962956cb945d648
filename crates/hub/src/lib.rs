//! Channels, their members, presence and fan-out.
//!
//! The hub is what is left of a gateway without its sockets, its bus and its HTTP: it holds who
//! is connected and who has joined what, turns one event into one shared frame, and hands that to
//! every member's [`Wire`] at once. It never waits: every method is synchronous and safe to call
//! from any task. What it would have to wait for (a socket that takes bytes again, a bus that
//! takes a message) is the caller's business.
//!
//! Promises:
//! - Members of a channel see its events in the order in which [`Hub::broadcast`] was called.
//! - A member that does not read hurts nobody else: its [`Outbox`] is bounded and then closed.
//! - The reply to a join is queued after the member is live: nothing in between is missed.
//! - Presence states and diffs agree, whatever the interleaving.
//!
//! Locks, in the order in which they may be taken: `lifecycle`, one map shard, one channel's turn
//! to broadcast, its state, one chunk of its members, one connection's joins, one outbox.
//! What is known of other gateways, and what they are to be told, have locks of their own, taken
//! after a channel's state. So has what administrators are still to be told, taken after `lifecycle` and
//! before nothing. None is ever held across an `.await`.

mod admin_feed;
mod audience;
mod backlog;
mod bucket;
mod channel;
mod clock;
mod cluster;
mod connection;
mod crew;
mod definitions;
mod fan_out;
mod grant;
mod histogram;
mod hub;
mod ids;
mod leaving;
mod limits;
mod lists;
mod members;
mod membership;
mod origin;
mod outbox;
mod outgoing;
mod presence;
mod queue;
mod remote;
mod shards;
mod snapshot;
mod state_text;
mod stats;
mod steering;
mod untold;
mod watch;

pub use audience::Audience;
pub use bucket::Bucket;
pub use channel::Channel;
pub use clock::{Clock, ManualClock, SystemClock};
pub use cluster::Answer;
pub use connection::{Connection, ConnectionDetails, Joined};
pub use crew::Crew;
pub use definitions::Definitions;
pub use grant::{ExpiryRules, Grant};
pub use histogram::{BOUNDS_US, Durations, Histogram};
pub use hub::Hub;
pub use ids::random_id;
pub use leaving::{Leaving, spread};
pub use limits::Limits;
pub use lists::{ListQuery, MemberFilter, QueueDepth};
pub use membership::{Change, Join, JoinError, JoinOptions, Lifecycle};
pub use outbox::{Outbox, Wire, Work};
pub use outgoing::ToTell;
pub use stats::{Counter, Drop, Refused, Stats};
