//! What the kernel knows of a process: its CPU time and its resident memory.

use std::time::Duration;

use crate::error::LoadError;

/// CPU time so far, user and system, of all threads (`/proc/<pid>/stat`, fields 14 and 15).
pub(crate) fn cpu(pid: u32) -> Result<Duration, LoadError> {
    let stat = read(pid, "stat")?;
    ticks(&stat)
        .map(|ticks| {
            Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
        })
        .ok_or_else(|| unreadable(pid, "its stat has another form"))
}

/// Resident memory now, in bytes (`VmRSS` of `/proc/<pid>/status`).
pub(crate) fn resident(pid: u32) -> Result<u64, LoadError> {
    let status = read(pid, "status")?;
    kibibytes(&status)
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| unreadable(pid, "its status has no VmRSS"))
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

/// The name of the program, in parentheses, may hold anything: fields are counted after it.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kibibytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
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
        assert_eq!(kibibytes("VmHWM:\t 9 kB\nVmRSS:\t  1234 kB\n"), Some(1234));
        assert_eq!(kibibytes("Name: x\n"), None);
    }

    /// This very process has memory, and its CPU time grows when it works.
    #[test]
    fn this_process_is_readable() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 100_000);
        let before = cpu(pid).unwrap();
        let mut sum = 0_u64;
        while cpu(pid).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
}
