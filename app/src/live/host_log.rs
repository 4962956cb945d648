//! What the plugin `host` publishes, kept for five minutes.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::components::chart::ChartData;

/// How long samples are kept, in milliseconds.
pub const KEPT: f64 = 300_000.0;
/// The most samples that are kept, for a plugin that is too eager.
pub const MOST: usize = 600;
/// A pause of more than this many milliseconds is drawn as a gap.
const GAP: f64 = 5_000.0;

/// The payload of `telemetry`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Telemetry {
    /// Milliseconds since 1970.
    pub time: f64,
    /// The machine's name.
    pub hostname: String,
    /// Seconds since it was started.
    #[serde(default)]
    pub uptime: f64,
    /// Load over 1, 5 and 15 minutes.
    #[serde(default)]
    pub load: [f64; 3],
    /// The processor.
    pub cpu: Cpu,
    /// Main memory.
    pub memory: Space,
    /// Swap space.
    #[serde(default)]
    pub swap: Space,
    /// Disks.
    pub disk: Disk,
    /// Network.
    pub network: Network,
}

/// The processor.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Cpu {
    /// Of all cores.
    pub percent: f64,
    /// Of each core.
    #[serde(default)]
    pub cores: Vec<f64>,
}

/// Used and total bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Space {
    /// In use.
    pub used: f64,
    /// In all.
    pub total: f64,
}

/// Disk space and traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Disk {
    /// Bytes in use.
    pub used: f64,
    /// Bytes in all.
    pub total: f64,
    /// Bytes read a second.
    pub read: f64,
    /// Bytes written a second.
    pub written: f64,
}

/// Network traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Network {
    /// Bytes a second.
    pub received: f64,
    /// Bytes a second.
    pub sent: f64,
}

/// The samples of the last five minutes, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostLog {
    samples: VecDeque<Telemetry>,
    heard: Option<f64>,
}

impl HostLog {
    /// Takes a sample in that has come at `page`, the page's monotonic time. One that is older than the last means another machine or a clock that
    /// was set: the log begins again.
    pub fn push(&mut self, sample: Telemetry, page: f64) {
        self.heard = Some(page);
        if self
            .samples
            .back()
            .is_some_and(|last| sample.time < last.time || sample.hostname != last.hostname)
        {
            self.samples.clear();
        }
        let oldest = sample.time - KEPT;
        while self
            .samples
            .front()
            .is_some_and(|first| first.time < oldest)
            || self.samples.len() >= MOST
        {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// When the last sample came, in the page's time.
    pub fn heard(&self) -> Option<f64> {
        self.heard
    }

    /// The newest sample.
    pub fn latest(&self) -> Option<&Telemetry> {
        self.samples.back()
    }

    /// One line per function over all samples, with gaps where samples are missing.
    pub fn chart(&self, lines: &[fn(&Telemetry) -> f64]) -> ChartData {
        let mut data = ChartData {
            time: Vec::new(),
            lines: vec![Vec::new(); lines.len()],
        };
        let mut last: Option<f64> = None;
        for sample in &self.samples {
            if let Some(last) = last.filter(|last| sample.time - last > GAP) {
                data.time.push(last + 1.0);
                data.lines.iter_mut().for_each(|line| line.push(None));
            }
            last = Some(sample.time);
            data.time.push(sample.time);
            for (line, value) in data.lines.iter_mut().zip(lines) {
                line.push(Some(value(sample)));
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: f64, percent: f64) -> Telemetry {
        let json = format!(
            r#"{{"time":{time},"hostname":"h","uptime":1,"load":[0,0,0],
            "cpu":{{"percent":{percent},"cores":[1,2]}},"memory":{{"used":1,"total":2}},
            "swap":{{"used":0,"total":0}},"disk":{{"used":1,"total":2,"read":3,"written":4}},
            "network":{{"received":5,"sent":6}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn five_minutes_are_kept() {
        let mut log = HostLog::default();
        for i in 0..400 {
            log.push(sample(f64::from(i) * 1000.0, 1.0), 0.0);
        }
        assert_eq!(log.samples.len(), 301);
        assert_eq!(log.latest().unwrap().time, 399_000.0);
    }

    #[test]
    fn an_eager_plugin_is_bounded() {
        let mut log = HostLog::default();
        for i in 0..2000 {
            log.push(sample(f64::from(i), 1.0), 0.0);
        }
        assert_eq!(log.samples.len(), MOST);
    }

    #[test]
    fn a_pause_is_a_gap_in_the_line() {
        let mut log = HostLog::default();
        log.push(sample(0.0, 10.0), 0.0);
        log.push(sample(9_000.0, 20.0), 0.0);
        let data = log.chart(&[|t| t.cpu.percent]);
        assert_eq!(data.time, [0.0, 1.0, 9_000.0]);
        assert_eq!(data.lines, [[Some(10.0), None, Some(20.0)]]);
    }
}
