//! The shared pieces of every screen. One file each; the style sheet of the same name is in
//! `style/components/`.
//!
//! Attributes and events given to a component reach its outermost element, so
//! `<Button on:click=... attr:title="..">` works as on a plain `<button>`.

mod badge;
mod button;
mod card;
pub mod chart;
mod connection_pill;
mod dialog;
mod empty_state;
mod field;
mod icon;
mod sparkline;
mod table;
mod tabs;
mod theme_toggle;
mod toast;
mod virtual_list;

pub use badge::{Badge, Tone};
pub use button::{Button, ButtonKind, IconButton};
pub use card::Card;
pub use chart::Chart;
pub use connection_pill::ConnectionPill;
pub use dialog::Dialog;
pub use empty_state::EmptyState;
pub use field::{CheckField, SelectField, TextAreaField, TextField};
pub use icon::{Icon, Shape};
pub use sparkline::Sparkline;
pub use table::{Column, Table};
pub use tabs::{Tab, TabPanel, Tabs};
pub use theme_toggle::ThemeToggle;
pub use toast::{ToastHost, Toasts, use_toasts};
pub use virtual_list::VirtualList;
