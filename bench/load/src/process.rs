//! What the kernel knows of a process: its CPU time, how long it waited for a core, its memory.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::LoadError;

/// CPU time so far, user and system, of all threads, those included that have ended, in ticks of
/// mostly 10 ms (`/proc/<pid>/stat`, fields 14 and 15).
pub(crate) fn cpu(pid: u32) -> Result<Duration, LoadError> {
    let stat = read(pid, "stat")?;
    ticks(&stat)
        .map(in_seconds)
        .ok_or_else(|| unreadable(pid, "its stat has another form"))
}

/// What the scheduler counts of a thread so far (`/proc/<pid>/task/<tid>/schedstat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    /// How long it ran.
    pub(crate) ran: Duration,
    /// How long it was ready to run while something else had the core.
    pub(crate) waited: Duration,
}

/// The threads of a process by their numbers. None where the kernel does not count.
pub(crate) fn tasks(pid: u32) -> BTreeMap<String, Task> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return BTreeMap::new();
    };
    tasks
        .flatten()
        .filter_map(|task| {
            let schedstat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            let number = task.file_name().into_string().ok()?;
            Some((number, scheduled(&schedstat)?))
        })
        .collect()
}

/// Memory that is resident now and shared with no other process, in bytes (`Private_Clean` and
/// `Private_Dirty` of `/proc/<pid>/smaps_rollup`).
pub(crate) fn private(pid: u32) -> Result<u64, LoadError> {
    let rollup = read(pid, "smaps_rollup")?;
    let kibibytes = |name| kibibytes(&rollup, name);
    kibibytes("Private_Clean:")
        .zip(kibibytes("Private_Dirty:"))
        .map(|(clean, dirty)| (clean + dirty) * 1024)
        .ok_or_else(|| unreadable(pid, "its smaps_rollup has another form"))
}

fn read(pid: u32, file: &str) -> Result<String, LoadError> {
    std::fs::read_to_string(format!("/proc/{pid}/{file}"))
        .map_err(|error| unreadable(pid, &error.to_string()))
}

fn unreadable(pid: u32, reason: &str) -> LoadError {
    LoadError::Process {
        pid,
        reason: reason.to_owned(),
    }
}

fn in_seconds(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The name of the program, in parentheses, may hold anything: fields are counted after it.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn scheduled(schedstat: &str) -> Option<Task> {
    let mut fields = schedstat.split_ascii_whitespace().map(str::parse);
    let mut next = || fields.next()?.ok().map(Duration::from_nanos);
    Some(Task {
        ran: next()?,
        waited: next()?,
    })
}

fn kibibytes(rollup: &str, name: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program's name may look like fields.
    #[test]
    fn the_fields_are_found() {
        let stat = "7 (a) 9 (b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a) S 1"), None);
        let task = scheduled("9 1500 3\n").unwrap();
        assert_eq!((task.ran.as_nanos(), task.waited.as_nanos()), (9, 1500));
        assert_eq!(scheduled("9\n"), None);
        let rollup = "Rss:      9 kB\nPrivate_Clean:     12 kB\nPrivate_Dirty:   1234 kB\n";
        assert_eq!(kibibytes(rollup, "Private_Dirty:"), Some(1234));
        assert_eq!(kibibytes(rollup, "Swap:"), None);
    }

    /// This very process has memory, and its CPU time grows when it works.
    #[test]
    fn this_process_is_readable() {
        let pid = std::process::id();
        assert!(private(pid).unwrap() > 100_000);
        let before = cpu(pid).unwrap();
        let mut sum = 0_u64;
        while cpu(pid).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
}
