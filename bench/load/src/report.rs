//! The table of several runs, each gateway's figure with its ratio to the floor's.

use std::fmt::Write as _;
use std::io::BufRead;

use crate::error::LoadError;
use crate::figures::{Deliveries, Figures, Idle};
use crate::options::Target;

/// Reads lines of figures and makes the table, in Markdown. Lines that are empty are skipped.
///
/// # Errors
/// When a line holds no figures.
pub(crate) fn table(lines: impl BufRead) -> Result<String, LoadError> {
    let mut all = Vec::new();
    for line in lines.lines() {
        let line = line.map_err(LoadError::Output)?;
        if !line.trim().is_empty() {
            all.push(serde_json::from_str(&line).map_err(LoadError::Figures)?);
        }
    }
    let mut table = String::from("| run | figure | floor | gateway | ratio |\n");
    table.push_str("| --- | --- | ---: | ---: | ---: |\n");
    // A run of the floor may be there without one of the gateway, and the other way round.
    let mut seen = Vec::new();
    for figures in &all {
        let name = name(figures);
        if seen.contains(&name) {
            continue;
        }
        let of = |target: Target| {
            all.iter()
                .find(|other| self::name(other) == name && self::target(other) == target)
        };
        rows(&mut table, &name, of(Target::Floor), of(Target::Gateway));
        seen.push(name);
    }
    Ok(table.trim_end().to_owned())
}

fn target(figures: &Figures) -> Target {
    match figures {
        Figures::Subscribers(run) => run.target,
        Figures::Idle(run) => run.target,
    }
}

fn name(figures: &Figures) -> String {
    match figures {
        Figures::Subscribers(Deliveries {
            subscribers,
            bytes,
            rate,
            ..
        }) => {
            let pace = rate.map_or("one in flight".to_owned(), |rate| {
                format!("{rate} messages/s")
            });
            format!("{subscribers} subscribers, {bytes} B, {pace}")
        }
        Figures::Idle(Idle { connections, .. }) => format!("{connections} idle connections"),
    }
}

/// A figure: what it is called, how it is written, and how it is had.
type Figure = (&'static str, usize, fn(&Figures) -> Option<f64>);

const FIGURES: [Figure; 10] = [
    ("deliveries", 0, |f| {
        deliveries(f).map(|run| run.deliveries as f64)
    }),
    ("lost", 0, |f| deliveries(f).map(|run| run.lost as f64)),
    ("deliveries a second", 0, |f| {
        // At a steady rate this is the rate, not a figure of the target.
        deliveries(f)
            .filter(|run| run.rate.is_none())
            .map(|run| run.deliveries as f64 / run.seconds)
    }),
    ("p50, µs", 0, |f| deliveries(f).map(|run| run.p50_us)),
    ("p99, µs", 0, |f| deliveries(f).map(|run| run.p99_us)),
    ("CPU seconds per million deliveries", 2, |f| {
        deliveries(f).map(|run| run.cpu_seconds_per_million)
    }),
    ("generator busy, %", 0, |f| {
        deliveries(f).map(|run| run.generator_busy * 100.0)
    }),
    ("resident bytes per connection", 0, |f| {
        idle(f).map(|run| run.bytes_per_connection)
    }),
    ("resident before, KiB", 0, |f| {
        idle(f).map(|run| run.resident_before as f64 / 1024.0)
    }),
    ("CPU to let one in, µs", 0, |f| {
        idle(f).map(|run| run.join_cpu_us)
    }),
];

fn deliveries(figures: &Figures) -> Option<&Deliveries> {
    match figures {
        Figures::Subscribers(run) => Some(run),
        Figures::Idle(_) => None,
    }
}

fn idle(figures: &Figures) -> Option<&Idle> {
    match figures {
        Figures::Idle(run) => Some(run),
        Figures::Subscribers(_) => None,
    }
}

fn rows(table: &mut String, name: &str, floor: Option<&Figures>, gateway: Option<&Figures>) {
    for (figure, decimals, of) in FIGURES {
        let (floor, gateway) = (floor.and_then(of), gateway.and_then(of));
        if floor.is_none() && gateway.is_none() {
            continue;
        }
        let cell = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.decimals$}"));
        let ratio = match (floor, gateway) {
            (Some(floor), Some(gateway)) if floor > 0.0 && compares(figure) => {
                format!("{:.2}", gateway / floor)
            }
            _ => String::new(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| {name} | {figure} | {} | {} | {ratio} |",
            cell(floor),
            cell(gateway)
        );
    }
}

/// Whether a ratio of the figure says something of the gateway. The floor joins nobody and keeps
/// nothing of a connection, so that memory and joins are told as they are.
fn compares(figure: &str) -> bool {
    figure.starts_with('p') || figure == "deliveries a second" || figure.starts_with("CPU seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(target: Target, cpu: f64) -> String {
        serde_json::to_string(&Figures::Subscribers(Deliveries {
            target,
            subscribers: 10,
            bytes: 200,
            rate: None,
            messages: 3,
            deliveries: 30,
            lost: 0,
            out_of_order: 0,
            p50_us: 10.0,
            p99_us: 20.0,
            max_us: 30.0,
            seconds: 1.0,
            cpu_seconds_per_million: cpu,
            generator_busy: 0.5,
        }))
        .unwrap()
    }

    /// Runs of the same kind meet in one row, with the ratio.
    #[test]
    fn runs_meet_in_one_row() {
        let lines = format!(
            "{}\n\n{}\n",
            run(Target::Floor, 2.0),
            run(Target::Gateway, 3.0)
        );
        let table = table(lines.as_bytes()).unwrap();
        let row = "| 10 subscribers, 200 B, one in flight | CPU seconds per million deliveries \
                   | 2.00 | 3.00 | 1.50 |";
        assert!(table.contains(row), "{table}");
        assert_eq!(table.matches("p99").count(), 1);
    }

    /// A gateway without a floor has no ratio; a line that is none is an error.
    #[test]
    fn what_is_missing_is_left_out() {
        let table = table(run(Target::Gateway, 3.0).as_bytes()).unwrap();
        assert!(table.contains("| - | 3.00 |  |"), "{table}");
        assert!(super::table(&b"{}\n"[..]).is_err());
    }
}
