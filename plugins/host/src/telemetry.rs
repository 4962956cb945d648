//! The figures of this machine, in the shape in which they are published.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use sysinfo::{CpuRefreshKind, Disks, MemoryRefreshKind, Networks, RefreshKind, System};

use crate::rate::Rate;

/// One reading.
#[derive(Debug, Serialize)]
pub(crate) struct Telemetry {
    /// Milliseconds UTC.
    time: u64,
    hostname: String,
    /// Seconds since the machine was started.
    uptime: u64,
    /// Mean length of the run queue over 1, 5 and 15 minutes.
    load: [f64; 3],
    cpu: Cpu,
    memory: Used,
    swap: Used,
    disk: Disk,
    network: Network,
}

#[derive(Debug, Serialize)]
struct Cpu {
    /// Of all cores together, 0 to 100.
    percent: f32,
    /// Of each core, 0 to 100.
    cores: Vec<f32>,
}

#[derive(Debug, Serialize)]
struct Used {
    /// Bytes.
    used: u64,
    /// Bytes.
    total: u64,
}

#[derive(Debug, Serialize)]
struct Disk {
    #[serde(flatten)]
    space: Used,
    /// Bytes per second.
    read: u64,
    /// Bytes per second.
    written: u64,
}

#[derive(Debug, Serialize)]
struct Network {
    /// Bytes per second, without the loopback interface.
    received: u64,
    /// Bytes per second, without the loopback interface.
    sent: u64,
}

/// Reads the figures, and remembers what the rates need.
pub(crate) struct Probe {
    system: System,
    disks: Disks,
    networks: Networks,
    read: Rate,
    written: Rate,
    received: Rate,
    sent: Rate,
}

impl Probe {
    /// Looks around. The rates and the CPU's use are those since the call before, so that the
    /// first reading should come some tenths of a second later.
    pub(crate) fn new() -> Self {
        let mut probe = Self {
            system: System::new_with_specifics(
                RefreshKind::nothing()
                    .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
                    .with_memory(MemoryRefreshKind::everything()),
            ),
            disks: Disks::new_with_refreshed_list(),
            networks: Networks::new_with_refreshed_list(),
            read: Rate::default(),
            written: Rate::default(),
            received: Rate::default(),
            sent: Rate::default(),
        };
        probe.disk();
        probe.network();
        probe
    }

    /// Reads the figures. Asks the file systems for their size, which a dead network mount may
    /// delay without end: not for an async task.
    pub(crate) fn read(&mut self) -> Telemetry {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let load = System::load_average();
        Telemetry {
            time: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |time| {
                    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
                }),
            hostname: System::host_name().unwrap_or_else(|| "localhost".to_owned()),
            uptime: System::uptime(),
            load: [load.one, load.five, load.fifteen],
            cpu: Cpu {
                percent: percent(self.system.global_cpu_usage()),
                cores: self
                    .system
                    .cpus()
                    .iter()
                    .map(|core| percent(core.cpu_usage()))
                    .collect(),
            },
            memory: used(self.system.used_memory(), self.system.total_memory()),
            swap: used(self.system.used_swap(), self.system.total_swap()),
            disk: self.disk(),
            network: self.network(),
        }
    }

    fn disk(&mut self) -> Disk {
        self.disks.refresh(true);
        let now = Instant::now();
        // A device that is mounted in several places is one disk.
        let devices: BTreeMap<_, _> = self
            .disks
            .list()
            .iter()
            .map(|disk| (disk.name(), disk))
            .collect();
        let sum = |of: fn(&sysinfo::Disk) -> u64| devices.values().map(|disk| of(disk)).sum();
        let total: u64 = sum(sysinfo::Disk::total_space);
        let available: u64 = sum(sysinfo::Disk::available_space);
        let read = sum(|disk| disk.usage().total_read_bytes);
        let written = sum(|disk| disk.usage().total_written_bytes);
        Disk {
            space: used(total.saturating_sub(available), total),
            read: self.read.update(now, read),
            written: self.written.update(now, written),
        }
    }

    fn network(&mut self) -> Network {
        self.networks.refresh(true);
        let now = Instant::now();
        let (mut received, mut sent) = (0, 0);
        for (name, data) in self.networks.list() {
            if name != "lo" && name != "lo0" {
                received += data.total_received();
                sent += data.total_transmitted();
            }
        }
        Network {
            received: self.received.update(now, received),
            sent: self.sent.update(now, sent),
        }
    }
}

fn used(used: u64, total: u64) -> Used {
    Used {
        used: used.min(total),
        total,
    }
}

/// One decimal, within bounds: the readings of two clocks can make 100.3.
fn percent(value: f32) -> f32 {
    if value.is_finite() {
        (value.clamp(0.0, 100.0) * 10.0).round() / 10.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reading of the machine that runs the test is plausible.
    #[test]
    fn a_reading_is_plausible() {
        let telemetry = Probe::new().read();
        assert!(telemetry.time > 1_700_000_000_000);
        assert!(!telemetry.hostname.is_empty());
        assert!(telemetry.load.iter().all(|load| *load >= 0.0));
        assert!(!telemetry.cpu.cores.is_empty());
        assert!((0.0..=100.0).contains(&telemetry.cpu.percent));
        assert!(
            telemetry
                .cpu
                .cores
                .iter()
                .all(|core| (0.0..=100.0).contains(core))
        );
        assert!(telemetry.memory.used > 0 && telemetry.memory.used <= telemetry.memory.total);
        assert!(telemetry.swap.used <= telemetry.swap.total);
        assert!(telemetry.disk.space.used <= telemetry.disk.space.total);
    }

    /// Nothing that sysinfo may say leaves the bounds.
    #[test]
    fn percentages_stay_in_bounds() {
        assert_eq!(percent(100.3), 100.0);
        assert_eq!(percent(-1.0), 0.0);
        assert_eq!(percent(f32::NAN), 0.0);
        assert_eq!(percent(12.345), 12.3);
    }
}
