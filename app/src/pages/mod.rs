//! One module per screen.

mod live;
mod not_found;

pub use crate::admin::AdminPage;
pub use crate::api_docs::ApiDocsPage;
pub use crate::client_page::ClientPage;
pub use live::LivePage;
pub use not_found::NotFoundPage;
