//! The words on the wire, shared by the gateway, its clients and the interface.
//!
//! This crate knows frames and names and nothing else: it does no I/O, keeps no state and
//! compiles to WASM. Everything that crosses a socket or the bus is decoded and checked here,
//! so that the rest of the house can trust a [`Topic`], an [`Event`] or a [`ClientFrame`].
//!
//! Promises: decoding never panics, whatever the bytes; a payload is passed on byte for byte;
//! a broadcast is encoded once per [`Serializer`], not once per member.

pub mod admin;
mod claims;
mod client_id;
mod close;
mod codec;
mod definition;
mod frame;
mod names;
pub mod peer;
pub mod plugin;
pub mod presence;
pub mod publish;
mod reason;
mod role;
mod role_name;
mod supabase;
pub mod system;
pub mod trust;
mod v1;
mod v2;
mod v2_binary;

pub use claims::{Allow, Claims, MAX_TOKEN_ROLES, Right};
pub use client_id::ClientId;
pub use close::Close;
pub use codec::{Codec, Encoded, Serializer, Status};
pub use definition::{
    Definition, DefinitionError, JoinRule, Overflow, PresenceMode, PushRate, PushRule, Standing,
    builtin_definitions,
};
pub use frame::{ClientFrame, DecodeError, MAX_REF_BYTES, Payload, Ref};
pub use names::{
    BusName, Direction, Event, MAX_NAME_BYTES, NameError, Topic, TopicPattern, is_reserved_topic,
};
pub use reason::Reason;
pub use role::Role;
pub use role_name::{MAX_ROLE_BYTES, RoleName, RoleNameError};
