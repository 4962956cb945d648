//! The frames that a page has seen: the last few hundred, summed up for a list.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;

use tidegate_protocol::{Encoded, Serializer};

/// How many frames are kept.
pub(crate) const MAX_FRAMES: usize = 500;

/// How many bytes of frames are kept.
const MAX_BYTES: usize = 8 << 20;

/// How much of a frame a filter looks through: beyond that large frames would slow the page down.
const SEARCHED_BYTES: usize = 4096;

/// How much of a text frame is shown in full.
const SHOWN_BYTES: usize = 64 << 10;

/// How much of a binary frame is shown.
const HEX_BYTES: usize = 512;

/// One frame with what a list shows of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    /// Its number, counted from the first of the page.
    pub(crate) number: u64,
    /// Whether this page sent it.
    pub(crate) sent: bool,
    /// When, in milliseconds since 1970.
    pub(crate) time_ms: f64,
    /// The topic, empty when it could not be read.
    pub(crate) topic: String,
    /// The event; of an answer with its status.
    pub(crate) event: String,
    /// Whether it says that something was refused.
    pub(crate) refused: bool,
    /// What went over the wire.
    pub(crate) content: Encoded,
    /// What a filter looks through, in lower case.
    search: String,
}

impl Frame {
    fn new(number: u64, sent: bool, time_ms: f64, content: Encoded) -> Self {
        let (topic, event, refused) = summary(sent, &content)
            .unwrap_or_else(|| (String::new(), "unreadable frame".to_owned(), true));
        let text = match &content {
            Encoded::Text(text) => &text[..text.len().min(SEARCHED_BYTES)],
            Encoded::Binary(_) => topic.as_bytes(),
        };
        let search = format!("{event} {}", String::from_utf8_lossy(text)).to_lowercase();
        Self {
            number,
            sent,
            time_ms,
            topic,
            event,
            refused,
            content,
            search,
        }
    }

    /// Bytes on the wire, without the WebSocket's header.
    pub(crate) fn size(&self) -> usize {
        self.content.len()
    }

    /// The whole frame for reading: JSON with a line per value, or bytes in hexadecimal.
    pub(crate) fn pretty(&self) -> String {
        match &self.content {
            Encoded::Text(text) => {
                let shown = &text[..text.len().min(SHOWN_BYTES)];
                let mut out = crate::json::indent(&String::from_utf8_lossy(shown));
                if text.len() > shown.len() {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\n… {} more bytes", text.len() - shown.len());
                }
                out
            }
            Encoded::Binary(bytes) => hex(bytes),
        }
    }
}

/// Topic, event and whether it is a refusal.
fn summary(sent: bool, content: &Encoded) -> Option<(String, String, bool)> {
    match content {
        Encoded::Text(text) => {
            // Both sides write the same five elements.
            let frame = Serializer::V2.codec().decode_text(text).ok()?;
            let payload = frame.payload.as_json().unwrap_or_default();
            let mut event = frame.event;
            let mut refused = event == "phx_error";
            if event == "phx_reply" {
                let error = payload.contains(r#""status":"error""#);
                event = format!("reply {}", if error { "error" } else { "ok" });
                refused = error;
            }
            Some((frame.topic, event, refused))
        }
        Encoded::Binary(bytes) if sent => {
            let frame = Serializer::V2.codec().decode_binary(bytes).ok()?;
            Some((frame.topic, frame.event, false))
        }
        Encoded::Binary(bytes) => {
            // Opcode 2: a broadcast, with the lengths of topic and event.
            let (&[opcode, topic, event], rest) = bytes.split_first_chunk::<3>()?;
            let names = rest.get(..usize::from(topic) + usize::from(event))?;
            let (topic, event) = names.split_at(usize::from(topic));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (opcode == 2).then(|| (text(topic), text(event), false))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (index, line) in bytes[..bytes.len().min(HEX_BYTES)].chunks(16).enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(out, "{:04x}  ", index * 16);
        for byte in line {
            let _ = write!(out, "{byte:02x} ");
        }
        out.extend(std::iter::repeat_n("   ", 16 - line.len()));
        out.push(' ');
        out.extend(line.iter().map(|&b| {
            if b.is_ascii_graphic() {
                char::from(b)
            } else {
                '·'
            }
        }));
        out.push('\n');
    }
    if bytes.len() > HEX_BYTES {
        let _ = write!(out, "… {} more bytes", bytes.len() - HEX_BYTES);
    }
    out
}

/// The last [`MAX_FRAMES`] frames, newest first when read.
#[derive(Debug, Default)]
pub(crate) struct FrameLog {
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
    seen: u64,
    /// Frames that came while paused.
    pub(crate) skipped: u64,
    /// Whether new frames are only counted.
    pub(crate) paused: bool,
}

impl FrameLog {
    pub(crate) fn add(&mut self, sent: bool, time_ms: f64, content: Encoded) {
        self.seen += 1;
        if self.paused {
            self.skipped += 1;
            return;
        }
        let frame = Frame::new(self.seen, sent, time_ms, content);
        self.bytes += frame.size();
        self.frames.push_back(Arc::new(frame));
        while self.frames.len() > MAX_FRAMES || (self.bytes > MAX_BYTES && self.frames.len() > 1) {
            if let Some(oldest) = self.frames.pop_front() {
                self.bytes -= oldest.size();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        self.skipped = 0;
    }

    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        if paused {
            self.skipped = 0;
        }
    }

    /// How many frames there have been, shown or not.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// The frames that hold the text near their beginning, newest first; with `quiet` no heartbeats and
    /// nothing that comes by itself each second.
    pub(crate) fn matching(&self, filter: &str, quiet: bool) -> Vec<Arc<Frame>> {
        let needle = filter.trim().to_lowercase();
        let heartbeat = |frame: &Frame| frame.topic == "phoenix" || frame.event == "datetime";
        self.frames
            .iter()
            .rev()
            .filter(|frame| needle.is_empty() || frame.search.contains(&needle))
            .filter(|frame| !quiet || !heartbeat(frame))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: &str) -> Encoded {
        Encoded::Text(frame.to_owned().into())
    }

    fn log(frames: &[&str]) -> FrameLog {
        let mut log = FrameLog::default();
        for frame in frames {
            log.add(false, 0.0, text(frame));
        }
        log
    }

    #[test]
    fn a_frame_is_summed_up_by_topic_event_and_status() {
        let log = log(&[
            r#"["1","1","room","phx_reply",{"status":"error","response":{}}]"#,
            r#"[null,null,"room","say",{}]"#,
            "junk",
        ]);
        let shown: Vec<_> = log
            .matching("", false)
            .iter()
            .map(|f| (f.event.clone(), f.refused))
            .collect();
        let wanted = [
            ("unreadable frame", true),
            ("say", false),
            ("reply error", true),
        ];
        assert_eq!(
            shown,
            wanted.map(|(event, refused)| (event.to_owned(), refused))
        );
    }

    #[test]
    fn binary_frames_are_read_both_ways() {
        let broadcast = Encoded::Binary(b"\x02\x04\x03roomsay\x00\xff".to_vec().into());
        assert_eq!(
            summary(false, &broadcast),
            Some(("room".into(), "say".into(), false))
        );
        let push = Encoded::Binary(b"\0\x01\x01\x04\x0312roomsay\xff".to_vec().into());
        assert_eq!(
            summary(true, &push),
            Some(("room".into(), "say".into(), false))
        );
        let cut = Encoded::Binary(b"\x02\x09\x09ro".to_vec().into());
        assert_eq!(summary(false, &cut), None);
    }

    #[test]
    fn the_log_is_bounded_and_the_newest_stay() {
        let mut log = FrameLog::default();
        for _ in 0..MAX_FRAMES + 20 {
            log.add(true, 0.0, text(r#"[null,null,"t","e",1]"#));
        }
        let frames = log.matching("", false);
        assert_eq!(frames.len(), MAX_FRAMES);
        assert_eq!(frames[0].number, MAX_FRAMES as u64 + 20);
        let big = "x".repeat(MAX_BYTES);
        log.add(true, 0.0, text(&big));
        assert_eq!(log.matching("", false).len(), 1);
    }

    #[test]
    fn a_large_frame_is_shown_in_part() {
        let text = Encoded::Text(format!("[\"{}\"]", "ü".repeat(SHOWN_BYTES)).into());
        let shown = Frame::new(1, true, 0.0, text).pretty();
        assert!(shown.ends_with("more bytes") && shown.len() < SHOWN_BYTES + 100);
        let bytes = Encoded::Binary(vec![7; HEX_BYTES + 1].into());
        assert!(
            Frame::new(1, true, 0.0, bytes)
                .pretty()
                .ends_with("… 1 more bytes")
        );
    }

    #[test]
    fn paused_frames_are_counted_and_not_kept() {
        let mut log = log(&[r#"[null,null,"t","one",1]"#]);
        log.set_paused(true);
        log.add(false, 0.0, text(r#"[null,null,"t","two",1]"#));
        assert_eq!(
            (log.skipped, log.matching("", false).len(), log.seen()),
            (1, 1, 2)
        );
    }

    #[test]
    fn the_filter_looks_everywhere_and_quiet_hides_the_clockwork() {
        let log = log(&[
            r#"[null,null,"room:1","say",{"text":"Hello"}]"#,
            r#"[null,null,"system","datetime",{}]"#,
            r#"[null,"3","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        ]);
        assert_eq!(log.matching("hello", false).len(), 1);
        assert_eq!(log.matching("ROOM", false).len(), 1);
        assert_eq!(log.matching("", true).len(), 1);
    }
}
