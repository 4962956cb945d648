//! What is done on the data folder itself: links to the admin pages.

use std::net::{Ipv4Addr, SocketAddr};

use tidegate_auth::{AdminAuth, LINK_SECONDS};

use super::CliError;
use super::reach::Reach;
use super::show;
use crate::config::Config;
use crate::serve::now_seconds;
use crate::trust::Trust;

pub(crate) async fn print_admin_link(reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let config = reach.folder()?;
    let (trust, tokens) = Trust::open(&config).await?;
    let link = AdminAuth::make_link(&tokens, now_seconds(), LINK_SECONDS);
    trust.store.close().await;
    let link = admin_link(&config, &link?);
    if as_json {
        return show::json(&serde_json::json!({ "link": link }));
    }
    show::line(&link)
}

/// The address that opens the admin pages with this link.
pub(crate) fn admin_link(config: &Config, link: &str) -> String {
    format!("http://{}/login?link={link}", reachable(config))
}

/// The listening address as a browser on this machine would spell it.
pub(crate) fn reachable(config: &Config) -> SocketAddr {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}
