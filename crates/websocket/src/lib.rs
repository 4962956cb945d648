//! The framing of RFC 6455 for a server, without any input or output of its own.
//!
//! | where | what |
//! | --- | --- |
//! | [`conversation`] | what a server says by itself: pongs, and the answer to a close frame |
//! | [`deflate`] | permessage-deflate: each message compressed by itself |
//! | [`decoder`] | bytes of a client become messages; holds nothing between two of them |
//! | [`frame`] | what the server sends: header and content in one shared string of bytes |
//! | [`mask`] | taking a client's mask off, eight bytes at a time |
//! | [`utf8`] | text is judged as it arrives, so that a wrong byte ends the connection at once |
//!
//! Nothing here knows sockets, tasks or Phoenix. Whoever reads hands over what has arrived, of any
//! length; whoever writes gets bytes that can be written to any number of sockets as they are.

pub mod conversation;
pub mod decoder;
pub mod deflate;
pub mod frame;
pub mod mask;
pub mod utf8;

pub use conversation::{Conversation, Event};
pub use decoder::{Decoder, Item, Kind, Violation};
pub use frame::{Frame, Opcode};
