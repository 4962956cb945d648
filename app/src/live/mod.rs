//! The parts of the Live page.
//!
//! What moves and what is shown is plain Rust, tested without a browser: [`fleet`] with
//! [`report`], [`clock`], [`motion`] and [`altitude`]; [`projection`]; [`traffic`], [`trail`] and
//! [`room`] for the picture; [`rows`]; [`host_log`].
//! Views: [`list`], [`details`], [`host`], [`legend`]. In the browser only: `feed` (the page's
//! connection), `map` (MapLibre), `paint` with `sprites` (the canvas over it) and `stage` (what ties
//! the two together).

pub mod altitude;
pub mod clock;
pub mod details;
pub mod fleet;
pub mod host;
pub mod host_log;
pub mod legend;
pub mod list;
pub mod motion;
pub mod places;
pub mod projection;
pub mod report;
pub mod room;
pub mod rows;
mod state;
pub mod traffic;
pub mod trail;

#[cfg(feature = "hydrate")]
mod feed;
#[cfg(feature = "hydrate")]
mod map;
#[cfg(feature = "hydrate")]
mod paint;
#[cfg(feature = "hydrate")]
mod sprites;
#[cfg(feature = "hydrate")]
mod stage;

pub use state::{Health, Live, MapState, use_live};

#[cfg(feature = "hydrate")]
pub(crate) use {feed::start as start_feed, stage::start as start_stage};
