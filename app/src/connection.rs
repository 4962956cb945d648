//! The state of the page's connection, as the header shows it on every page.
//!
//! [`PageConnection`] is provided by the app. A page that opens a connection writes into it what
//! happens; the pill in the header and the page's own notices read it. Nothing here does I/O.

use leptos::prelude::*;

/// Where the page's connection to the gateway is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Link {
    /// The page needs none.
    None,
    /// The first attempt, also while the page is still loading.
    #[default]
    Connecting,
    /// The socket is open.
    Open,
    /// The socket was lost.
    Reconnecting {
        /// When the next attempt starts, in milliseconds since 1970; nothing while one runs.
        retry_at: Option<f64>,
    },
}

/// How the data of the page is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Data {
    /// The page does not say.
    #[default]
    Unknown,
    /// Joined, and nothing has come yet.
    Waiting,
    /// Events come.
    Flowing,
    /// Events came and have stopped.
    Stale,
}

/// What the header shows: the link, the bus behind it and the data that comes through.
#[derive(Debug, Clone, Copy)]
pub struct PageConnection {
    /// The page's socket.
    pub link: RwSignal<Link>,
    /// The page's data.
    pub data: RwSignal<Data>,
    /// Whether the gateway's bus was up when last heard of.
    pub bus_up: RwSignal<bool>,
}

impl PageConnection {
    /// The state at first paint.
    pub fn new(bus_up: bool) -> Self {
        Self {
            link: RwSignal::new(Link::default()),
            data: RwSignal::new(Data::default()),
            bus_up: RwSignal::new(bus_up),
        }
    }

    /// One word for what matters most now.
    pub fn summary(&self) -> Summary {
        summarize(&self.link.get(), self.data.get(), self.bus_up.get())
    }
}

/// What the pill says, worst thing first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// Nothing to show.
    Hidden,
    /// See [`Link::Connecting`].
    Connecting,
    /// See [`Link::Reconnecting`].
    Reconnecting(Option<u64>),
    /// Connected, but the gateway has lost its bus.
    BusDown,
    /// Connected, no data yet.
    Waiting,
    /// Connected, data has stopped.
    Stale,
    /// All is well.
    Live,
}

/// The worst of what is true. The retry time is kept in whole milliseconds.
pub fn summarize(link: &Link, data: Data, bus_up: bool) -> Summary {
    match link {
        Link::None => Summary::Hidden,
        Link::Connecting => Summary::Connecting,
        Link::Reconnecting { retry_at } => Summary::Reconnecting(retry_at.map(|at| at as u64)),
        Link::Open if !bus_up => Summary::BusDown,
        Link::Open => match data {
            Data::Waiting => Summary::Waiting,
            Data::Stale => Summary::Stale,
            Data::Unknown | Data::Flowing => Summary::Live,
        },
    }
}

/// The page's connection state; outside of the app a fresh one that nobody watches.
pub fn use_page_connection() -> PageConnection {
    use_context::<PageConnection>().unwrap_or_else(|| PageConnection::new(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_socket_outranks_the_bus_and_the_data() {
        let lost = Link::Reconnecting {
            retry_at: Some(5000.4),
        };
        assert_eq!(
            summarize(&lost, Data::Stale, false),
            Summary::Reconnecting(Some(5000))
        );
    }

    #[test]
    fn a_lost_bus_outranks_missing_data() {
        assert_eq!(
            summarize(&Link::Open, Data::Waiting, false),
            Summary::BusDown
        );
        assert_eq!(
            summarize(&Link::Open, Data::Waiting, true),
            Summary::Waiting
        );
        assert_eq!(summarize(&Link::Open, Data::Flowing, true), Summary::Live);
    }
}
