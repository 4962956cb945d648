//! The admin screens and their addresses. Every screen can be linked to and reloaded.

use crate::http::{segment, unsegment};

/// One screen below `/admin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Screen {
    /// `/admin`
    Overview,
    /// `/admin/channels`
    Channels,
    /// `/admin/channels/<topic>`
    Channel(String),
    /// `/admin/connections`
    Connections,
    /// `/admin/live` and `/admin/live/<topic>`
    Live(Option<String>),
    /// `/admin/send` and `/admin/send/<topic>`
    Send(Option<String>),
    /// `/admin/definitions`
    Definitions,
    /// Any other address.
    Unknown,
}

impl Screen {
    /// From the path of the page's address.
    pub(crate) fn from_path(path: &str) -> Self {
        let rest = path.strip_prefix("/admin").unwrap_or_default();
        let rest = rest.strip_prefix(".html").unwrap_or(rest).trim_matches('/');
        let (screen, topic) = match rest.split_once('/') {
            Some((screen, topic)) => (screen, Some(unsegment(topic))),
            None => (rest, None),
        };
        match (screen, topic) {
            ("", None) => Screen::Overview,
            ("channels", None) => Screen::Channels,
            ("channels", Some(topic)) => Screen::Channel(topic),
            ("connections", None) => Screen::Connections,
            ("live", topic) => Screen::Live(topic),
            ("send", topic) => Screen::Send(topic),
            ("definitions", None) => Screen::Definitions,
            _ => Screen::Unknown,
        }
    }

    /// The path of the page's address.
    pub(crate) fn path(&self) -> String {
        let with = |screen: &str, topic: &Option<String>| match topic {
            Some(topic) => format!("/admin/{screen}/{}", segment(topic)),
            None => format!("/admin/{screen}"),
        };
        match self {
            Screen::Overview | Screen::Unknown => "/admin".to_owned(),
            Screen::Channels => "/admin/channels".to_owned(),
            Screen::Channel(topic) => format!("/admin/channels/{}", segment(topic)),
            Screen::Connections => "/admin/connections".to_owned(),
            Screen::Live(topic) => with("live", topic),
            Screen::Send(topic) => with("send", topic),
            Screen::Definitions => "/admin/definitions".to_owned(),
        }
    }

    /// Whether the tab of `tab` is the one to mark.
    pub(crate) fn belongs_to(&self, tab: &Screen) -> bool {
        match (self, tab) {
            (Screen::Channel(_), Screen::Channels)
            | (Screen::Live(_), Screen::Live(_))
            | (Screen::Send(_), Screen::Send(_)) => true,
            (one, other) => one == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_screen_is_found_again_by_its_path() {
        let topic = || "room:1/a b%".to_owned();
        for screen in [
            Screen::Overview,
            Screen::Channels,
            Screen::Channel(topic()),
            Screen::Connections,
            Screen::Live(None),
            Screen::Live(Some(topic())),
            Screen::Send(Some(topic())),
            Screen::Definitions,
        ] {
            assert_eq!(Screen::from_path(&screen.path()), screen);
        }
    }

    #[test]
    fn old_and_wrong_addresses() {
        assert_eq!(Screen::from_path("/admin.html"), Screen::Overview);
        assert_eq!(Screen::from_path("/admin/"), Screen::Overview);
        assert_eq!(Screen::from_path("/admin/nothing"), Screen::Unknown);
        assert_eq!(Screen::from_path("/admin/connections/x"), Screen::Unknown);
    }

    #[test]
    fn a_channel_belongs_to_the_channels_tab() {
        assert!(Screen::Channel("x".into()).belongs_to(&Screen::Channels));
        assert!(!Screen::Overview.belongs_to(&Screen::Channels));
    }
}
