//! What the kernel knows of the gateway: resident memory, its peak, open file descriptors.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::StormError;

/// A process under observation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pub(crate) pid: u32,
}

impl Process {
    /// Resident memory now, in bytes (`Rss` of `/proc/<pid>/smaps_rollup`, which is exact).
    pub(crate) fn resident(self) -> Result<u64, StormError> {
        self.kibibytes("smaps_rollup", "Rss:")
    }

    /// The most that was resident since [`Process::forget_peak`].
    pub(crate) fn peak(self) -> Result<u64, StormError> {
        self.kibibytes("status", "VmHWM:")
    }

    /// From here on the peak is measured anew.
    pub(crate) fn forget_peak(self) -> Result<(), StormError> {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid), "5")
            .map_err(|error| self.unreadable(error.to_string()))
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(self) -> Result<usize, StormError> {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid))
            .map(Iterator::count)
            .map_err(|error| self.unreadable(error.to_string()))
    }

    /// Waits until no more than `bytes` are resident, at most so long; gives what is then.
    pub(crate) async fn settle(self, bytes: u64, patience: Duration) -> Result<u64, StormError> {
        let end = Instant::now() + patience;
        loop {
            let resident = self.resident()?;
            if resident <= bytes || Instant::now() >= end {
                return Ok(resident);
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Waits until no more than so many descriptors are open, at most so long; gives how many.
    pub(crate) async fn close_down(
        self,
        descriptors: usize,
        patience: Duration,
    ) -> Result<usize, StormError> {
        let end = Instant::now() + patience;
        loop {
            let open = self.descriptors()?;
            if open <= descriptors || Instant::now() >= end {
                return Ok(open);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn kibibytes(self, file: &str, name: &str) -> Result<u64, StormError> {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.pid))
            .map_err(|error| self.unreadable(error.to_string()))?;
        kibibytes(&text, name)
            .map(|kibibytes| kibibytes * 1024)
            .ok_or_else(|| self.unreadable(format!("{file} has no {name}")))
    }

    fn unreadable(self, reason: String) -> StormError {
        StormError::Process {
            pid: self.pid,
            reason,
        }
    }
}

/// What counts as returned: within 10 % and 2 MiB of what it was.
pub(crate) fn returned(before: u64) -> u64 {
    before + before / 10 + (2 << 20)
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Lets this program, and the gateways that it starts, open so many files.
pub(crate) fn allow_descriptors(needed: u64) -> Result<(), StormError> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    if hard < needed {
        return Err(StormError::Descriptors {
            needed,
            limit: hard,
        });
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| StormError::system("raising the limit of open files")(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_names() {
        let text = "Rss:      9 kB\nPss:     12 kB\nVmHWM:\t 1234 kB\n";
        assert_eq!(kibibytes(text, "VmHWM:"), Some(1234));
        assert_eq!(kibibytes(text, "Rss:"), Some(9));
        assert_eq!(kibibytes(text, "Swap:"), None);
    }

    /// This very process can be read, and its peak forgotten.
    #[test]
    fn this_process_is_readable() {
        let this = Process {
            pid: std::process::id(),
        };
        this.forget_peak().unwrap();
        assert!(this.peak().unwrap() > 100_000);
        assert!(this.resident().unwrap() > 100_000);
        assert!(this.descriptors().unwrap() > 2);
    }
}
