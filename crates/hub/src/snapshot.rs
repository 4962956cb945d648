//! What an administrator is told of the channels that are there when it joins: all of them, as fast
//! as its socket takes it.
//!
//! There may be far more of them than may wait for one connection. So only a part is made at a time,
//! of at most half of what may wait, and the next one when nothing waits any more. What happens in the
//! meantime is told at once, and a channel that is told of later is told of as it is then: whoever puts
//! one event after the other knows the truth.

use std::collections::HashMap;
use std::sync::Arc;
use std::vec::IntoIter;

use parking_lot::Mutex;
use tidegate_protocol::Topic;

use crate::admin_feed;
use crate::channel::Channel;
use crate::connection::Connection;
use crate::hub::Hub;
use crate::members::Member;

/// Bytes of one part, where more may wait: others join and leave between two of them.
const PART_BYTES: usize = 64 * 1024;
/// Channels of one part, for the same reason.
const PART_CHANNELS: usize = 256;

/// What is still to be told, by connection.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<HashMap<u64, IntoIter<Arc<Channel>>>>);

impl Snapshots {
    /// Of a connection that has gone.
    pub(crate) fn forget(&self, connection: &Connection) {
        self.0.lock().remove(&connection.key);
    }
}

impl Hub {
    /// Tells a new administrator the first part. To be called with `lifecycle` held alone, before
    /// anything else is told.
    pub(crate) fn begin_snapshot(&self, topic: &Topic, member: &Member) {
        let rest = self.channels().into_iter();
        self.tell_part(topic, member, rest);
    }

    /// Queues more of what is to be said to a connection. To be called when [`crate::Work::More`]
    /// asks for it.
    pub fn feed(&self, connection: &Connection) {
        // What is told after a channel's list has happened after it.
        let _alone = self.lifecycle.write();
        let rest = self.snapshots.0.lock().remove(&connection.key);
        let joined = connection.joined("admin");
        let member = joined.and_then(|joined| joined.channel.member(connection));
        match (rest, member) {
            (Some(rest), Some((topic, member))) => self.tell_part(&topic, &member, rest),
            // It has left the topic.
            _ => connection.outbox.set_more(false),
        }
    }

    fn tell_part(&self, topic: &Topic, member: &Member, mut rest: IntoIter<Arc<Channel>>) {
        let (waits, frames) = member.connection.outbox.queued();
        let most_bytes = PART_BYTES.min((self.limits.queue_bytes / 2).saturating_sub(waits));
        let most = PART_CHANNELS.min((self.limits.queue_frames / 2).saturating_sub(frames));
        let (mut bytes, mut told) = (0, 0);
        while bytes < most_bytes && told < most {
            let Some(channel) = rest.next() else {
                break;
            };
            if let Some(event) = admin_feed::list(&channel, self.empty_list()) {
                bytes += member.push(topic, event.event, &event.payload.to_string());
                told += 1;
            }
        }
        let more = rest.len() > 0;
        let connection = &member.connection;
        let mut snapshots = self.snapshots.0.lock();
        match more {
            true => snapshots.insert(connection.key, rest),
            false => snapshots.remove(&connection.key),
        };
        drop(snapshots);
        connection.outbox.set_more(more);
    }
}
