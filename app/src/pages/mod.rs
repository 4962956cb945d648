//! One module per screen.

mod admin;
mod live;
mod not_found;

pub use crate::client_page::ClientPage;
pub use admin::AdminPage;
pub use live::LivePage;
pub use not_found::NotFoundPage;
