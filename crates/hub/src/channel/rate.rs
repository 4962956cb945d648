//! How many events pass in a second.

/// Events in this second and in the one before.
#[derive(Debug, Default)]
pub(super) struct Rate {
    second: u64,
    current: u64,
    previous: u64,
}

impl Rate {
    pub(super) fn count(&mut self, events: u64, now_ms: u64) {
        self.roll(now_ms);
        self.current += events;
    }

    pub(super) fn previous(&mut self, now_ms: u64) -> u64 {
        self.roll(now_ms);
        self.previous
    }

    fn roll(&mut self, now_ms: u64) {
        let second = now_ms / 1000;
        if second != self.second {
            self.previous = if second == self.second + 1 {
                self.current
            } else {
                0
            };
            self.current = 0;
            self.second = second;
        }
    }
}
