//! One event, one line: what is logged cannot begin another.
//!
//! JSON escapes control characters by itself. For people each of them is written out, so that a name
//! with a line break, or with what a terminal takes for a command, stays within its line.

use std::io::{Result, Write};
use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter;

use super::queue::Queue;

/// Takes lines for people.
pub(super) struct Console {
    queue: Arc<Queue>,
    /// Whether colours are written, whose codes begin with ESC. (What is logged cannot write them:
    /// the formatter escapes ESC in names and values.)
    ansi: bool,
}

impl Console {
    pub(super) fn new(queue: Arc<Queue>, ansi: bool) -> Self {
        Self { queue, ansi }
    }
}

/// Takes lines of JSON.
pub(super) struct Json(pub(super) Arc<Queue>);

/// The formatter writes each event in one piece.
pub(super) struct Line<'a> {
    queue: &'a Queue,
    /// For people: whether ESC may stand there.
    text: Option<bool>,
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            queue: &self.queue,
            text: Some(self.ansi),
        }
    }
}

impl<'a> MakeWriter<'a> for Json {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            queue: &self.0,
            text: None,
        }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self.text {
            None => self.queue.put(bytes),
            Some(ansi) => {
                let line = one_line(&String::from_utf8_lossy(bytes), ansi);
                self.queue.put(line.as_bytes());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The text with its control characters written out, but for the end of the line.
fn one_line(text: &str, ansi: bool) -> String {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let mut line = String::with_capacity(text.len());
    for c in body.chars() {
        if c.is_control() && !(ansi && c == '\x1b') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

    /// P19: nobody writes lines of their own into the log.
    #[test]
    fn what_is_logged_stays_in_its_line() {
        let forged = "INFO joined user=a\nINFO signed in user=admin\r\x1b[2J\u{9b}2J\u{7f}\n";
        assert_eq!(
            one_line(forged, false),
            "INFO joined user=a\\nINFO signed in user=admin\\r\\u{1b}[2J\\u{9b}2J\\u{7f}\n"
        );
        assert_eq!(
            one_line("\x1b[32mINFO\x1b[0m é\n", true),
            "\x1b[32mINFO\x1b[0m é\n"
        );
        assert_eq!(one_line("no end", false), "no end\n");
    }
}
