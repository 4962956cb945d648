//! The admin screens and their addresses. Every screen can be linked to and reloaded.

use tidegate_protocol::Role;

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
    /// `/admin/tokens`
    Tokens,
    /// `/admin/keys`
    Keys,
    /// `/admin/api-keys`
    ApiKeys,
    /// `/admin/users`
    Users,
    /// `/admin/sessions`
    Sessions,
    /// `/admin/activity`
    Activity,
    /// `/admin/configuration`
    Configuration,
    /// `/admin/account`
    Account,
    /// Any other address.
    Unknown,
}

/// Screens with an address that nothing else stands behind.
const PLAIN: [(&str, Screen); 11] = [
    ("channels", Screen::Channels),
    ("connections", Screen::Connections),
    ("definitions", Screen::Definitions),
    ("tokens", Screen::Tokens),
    ("keys", Screen::Keys),
    ("api-keys", Screen::ApiKeys),
    ("users", Screen::Users),
    ("sessions", Screen::Sessions),
    ("activity", Screen::Activity),
    ("configuration", Screen::Configuration),
    ("account", Screen::Account),
];

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
            ("channels", Some(topic)) => Screen::Channel(topic),
            ("live", topic) => Screen::Live(topic),
            ("send", topic) => Screen::Send(topic),
            (name, None) => PLAIN
                .into_iter()
                .find_map(|(plain, screen)| (plain == name).then_some(screen))
                .unwrap_or(Screen::Unknown),
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
            Screen::Channel(topic) => format!("/admin/channels/{}", segment(topic)),
            Screen::Live(topic) => with("live", topic),
            Screen::Send(topic) => with("send", topic),
            plain => {
                let name = PLAIN.iter().find(|(_, screen)| screen == plain);
                format!("/admin/{}", name.map_or("", |(name, _)| name))
            }
        }
    }

    /// The role that the screen is for; the gateway refuses others what it would show.
    pub(crate) fn needs(&self) -> Role {
        match self {
            Screen::Overview
            | Screen::Channels
            | Screen::Channel(_)
            | Screen::Connections
            | Screen::Live(_)
            | Screen::Definitions
            | Screen::Account
            | Screen::Unknown => Role::Viewer,
            Screen::Send(_) | Screen::Tokens => Role::Operator,
            Screen::Keys
            | Screen::ApiKeys
            | Screen::Users
            | Screen::Sessions
            | Screen::Activity
            | Screen::Configuration => Role::Admin,
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
            Screen::Channel(topic()),
            Screen::Live(None),
            Screen::Live(Some(topic())),
            Screen::Send(Some(topic())),
        ]
        .into_iter()
        .chain(PLAIN.map(|(_, screen)| screen))
        {
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
    fn what_administrators_see_is_for_them() {
        assert_eq!(Screen::Keys.needs(), Role::Admin);
        assert_eq!(Screen::Tokens.needs(), Role::Operator);
        assert_eq!(Screen::Channel("x".into()).needs(), Role::Viewer);
    }

    #[test]
    fn a_channel_belongs_to_the_channels_tab() {
        assert!(Screen::Channel("x".into()).belongs_to(&Screen::Channels));
        assert!(!Screen::Overview.belongs_to(&Screen::Channels));
    }
}
