//! One module per screen.

mod admin;
mod client;
mod live;
mod not_found;

pub use admin::AdminPage;
pub use client::ClientPage;
pub use live::LivePage;
pub use not_found::NotFoundPage;
