//! Icons as inline SVG paths on a grid of 24, drawn with the colour of the text around them.

use leptos::prelude::*;

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An aircraft seen from above.
    Aircraft,
    /// Add.
    Plus,
    /// Less.
    Minus,
    /// Close, clear.
    Cross,
    /// Find.
    Search,
    /// The whole picture.
    Frame,
    /// A path with dots.
    Trail,
    /// A name tag.
    Label,
    /// Light theme.
    Sun,
    /// Dark theme.
    Moon,
    /// Follow the system's theme.
    Contrast,
    /// A machine.
    Host,
    /// A map.
    Map,
    /// Something is wrong.
    Alert,
    /// No connection.
    Offline,
    /// Waiting.
    Clock,
    /// Ascending.
    Up,
    /// Descending.
    Down,
    /// A list.
    List,
    /// A message, an event.
    Event,
    /// A group, members.
    Members,
    /// Send.
    Send,
    /// Remove.
    Trash,
    /// A lock, signing in.
    Lock,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Shape::Aircraft => {
                "M12 2.5c-.9 0-1.5 1-1.5 2.4V9L3 13.6v2l7.5-2.2v4.3L8 19.6V21l4-1 4 1v-1.4l-2.5-1.9v-4.3L21 15.6v-2L13.5 9V4.9c0-1.4-.600-2.4-1.5-2.4z"
            }
            Shape::Plus => "M12 5v14M5 12h14",
            Shape::Minus => "M5 12h14",
            Shape::Cross => "M6 6l12 12M18 6L6 18",
            Shape::Search => "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3L20 20",
            Shape::Frame => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
            Shape::Trail => "M4 19c4 0 4-6 8-6s4-8 8-8M4 19h.01M20 5h.01",
            Shape::Label => "M4 5h9l7 7-7 7H4zM8 12h.01",
            Shape::Sun => {
                "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3L19 19M5 19l1.7-1.7M17.3 6.7L19 5"
            }
            Shape::Moon => "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
            Shape::Contrast => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18",
            Shape::Host => "M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.01M7.5 16h.01",
            Shape::Map => "M9 4L3.5 6v14L9 18l6 2 5.5-2V4L15 6zM9 4v14M15 6v14",
            Shape::Alert => "M12 4l9 16H3zM12 10v4.5M12 17.5h.01",
            Shape::Offline => {
                "M3 3l18 18M5 12.5a10 10 0 0 1 4-2.4M8.5 16a5 5 0 0 1 6-.8M2 9a15 15 0 0 1 4.5-2.9M12 5c3.8 0 7.3 1.5 10 4M12 19.5h.01"
            }
            Shape::Clock => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
            Shape::Up => "M6 15l6-6 6 6",
            Shape::Down => "M6 9l6 6 6-6",
            Shape::List => "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
            Shape::Event => "M4 5h16v11H9l-5 4z",
            Shape::Members => {
                "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5"
            }
            Shape::Send => "M4 12l16-8-6 16-3-7zM11 13l9-9",
            Shape::Trash => "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
            Shape::Lock => "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
        }
    }
}

/// An icon; decoration only, the words stand beside it.
#[component]
pub fn Icon(
    /// What it shows.
    #[prop(into)]
    shape: Signal<Shape>,
) -> impl IntoView {
    let filled = move || shape.get() == Shape::Aircraft;
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            width="20"
            height="20"
            aria-hidden="true"
            fill=move || if filled() { "currentColor" } else { "none" }
            stroke=move || if filled() { "none" } else { "currentColor" }
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
        >
            <path d=move || shape.get().path()></path>
        </svg>
    }
}
