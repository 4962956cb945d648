//! The tables of several runs: medians of each target, and their ratio to the floor's.
//!
//! One table for each kind of run, one line for each target. Where the floor ran several times
//! with different numbers of frames per call, the ratio is to the last of them, which is the most.

mod columns;

use std::fmt::Write as _;
use std::io::BufRead;

use crate::error::LoadError;
use crate::figures::{Figures, Line};
use columns::Column;

/// Reads lines of figures and makes the tables, in Markdown. Lines that are empty are skipped.
///
/// # Errors
/// When a line holds no figures.
pub(crate) fn tables(lines: impl BufRead) -> Result<String, LoadError> {
    let mut all: Vec<Line> = Vec::new();
    for line in lines.lines() {
        let line = line.map_err(LoadError::Output)?;
        if !line.trim().is_empty() {
            all.push(serde_json::from_str(&line).map_err(LoadError::Figures)?);
        }
    }
    let mut titles = Vec::new();
    for line in &all {
        let title = title(&line.figures);
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    let tables: Vec<_> = titles
        .iter()
        .map(|wanted| {
            let runs: Vec<_> = all
                .iter()
                .filter(|line| title(&line.figures) == *wanted)
                .collect();
            table(wanted, &runs)
        })
        .collect();
    Ok(tables.join("\n"))
}

/// What a kind of run is called. Runs of the same kind are those that differ in nothing but their
/// target and their outcome.
fn title(figures: &Figures) -> String {
    match figures {
        Figures::Subscribers(run) => {
            let pace = match (run.rate, run.in_flight) {
                (Some(rate), _) => format!("{rate} messages/s"),
                (None, 1) => "one message in flight".to_owned(),
                (None, many) => format!("{many} messages in flight"),
            };
            format!("{} subscribers, {} B, {pace}", run.subscribers, run.bytes)
        }
        Figures::Idle(run) => format!("{} idle connections, joined", run.connections),
        Figures::Joins(run) => format!(
            "{} joins of one topic, {} in flight",
            run.members, run.in_flight
        ),
        Figures::Push(run) => {
            format!("push with reply, {} clients, {} B", run.clients, run.bytes)
        }
        Figures::Presence(run) => {
            format!("{} presences join within {} ms", run.members, run.within_ms)
        }
    }
}

fn table(title: &str, runs: &[&Line]) -> String {
    let mut targets: Vec<&str> = Vec::new();
    for run in runs {
        if !targets.contains(&run.target.as_str()) {
            targets.push(&run.target);
        }
    }
    let columns = runs
        .first()
        .map_or(Vec::new(), |run| columns::of(&run.figures));
    let floor = targets.iter().rfind(|target| target.starts_with("floor"));

    let names: String = columns.iter().map(|c| format!(" {} |", c.name)).collect();
    let rule = " ---: |".repeat(columns.len());
    let mut table = format!("### {title}\n\n| | runs |{names}\n| --- | ---: |{rule}\n");
    for target in &targets {
        let count = runs.iter().filter(|run| run.target == *target).count();
        let cells: String = columns
            .iter()
            .map(|column| {
                let own = median_of(runs, target, column);
                let yardstick = floor
                    .filter(|floor| **floor != *target && column.compares)
                    .and_then(|floor| median_of(runs, floor, column));
                format!(" {} |", cell(own, yardstick, column.decimals))
            })
            .collect();
        // Writing to a string does not fail.
        let _ = writeln!(table, "| {target} | {count} |{cells}");
    }
    table
}

/// A figure, and how many times the yardstick's it is.
fn cell(own: Option<f64>, yardstick: Option<f64>, decimals: usize) -> String {
    match (own, yardstick) {
        (None, _) => "-".to_owned(),
        (Some(own), Some(yardstick)) if yardstick > 0.0 => {
            format!("{own:.decimals$} ({:.2} x)", own / yardstick)
        }
        (Some(own), _) => format!("{own:.decimals$}"),
    }
}

fn median_of(runs: &[&Line], target: &str, column: &Column) -> Option<f64> {
    let own = runs.iter().filter(|run| run.target == target);
    median(own.filter_map(|run| (column.of)(run)).collect())
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Pushes;
    use crate::latencies::Quantiles;
    use crate::meter::Cost;

    fn run(target: &str, cpu: f64) -> String {
        let line = Line {
            target: target.to_owned(),
            figures: Figures::Push(Pushes {
                clients: 64,
                bytes: 200,
                requests: 3,
                per_second: 10.0,
                latency: Quantiles {
                    p50_us: 1000.0,
                    p99_us: 2000.0,
                    p999_us: 3000.0,
                    max_us: 4000.0,
                },
                cpu_us_per_request: cpu,
            }),
            cost: Cost {
                seconds: 1.0,
                cpu_seconds: 0.5,
                generator_busy: 0.5,
                target_waited: 0.01,
                generator_waited: 0.02,
            },
        };
        serde_json::to_string(&line).unwrap() + "\n"
    }

    /// A line of JSON gives back what was put into it.
    #[test]
    fn a_line_can_be_read_again() {
        let line = run("gateway", 3.0);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["run"], "push");
        assert_eq!(value["target"], "gateway");
        assert_eq!(value["cost"]["cpu_seconds"], 0.5);
        let read: Line = serde_json::from_str(&line).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap() + "\n", line);
    }

    /// Runs of one target become their median, and it is told how many times the floor's it is.
    #[test]
    fn medians_stand_beside_the_floors() {
        let lines: String = [
            run("floor", 2.0),
            run("gateway", 9.0),
            run("floor", 2.0),
            run("gateway", 3.0),
            "\n".to_owned(),
            run("gateway", 4.0),
        ]
        .concat();
        let table = tables(lines.as_bytes()).unwrap();
        assert!(table.starts_with("### push with reply, 64 clients, 200 B\n"));
        assert!(table.contains("| floor | 2 | 2.00 | "), "{table}");
        assert!(
            table.contains("| gateway | 3 | 4.00 (2.00 x) | "),
            "{table}"
        );
        assert_eq!(table.matches("p99").count(), 1);
    }

    /// The floor with the most frames per call is the yardstick, for the other floors as well.
    #[test]
    fn the_last_floor_is_the_yardstick() {
        let lines = run("floor, 1 per call", 8.0) + &run("floor, 32 per call", 2.0);
        let table = tables((lines + &run("gateway", 3.0)).as_bytes()).unwrap();
        assert!(table.contains("1 per call | 1 | 8.00 (4.00 x)"), "{table}");
        assert!(table.contains("32 per call | 1 | 2.00 |"), "{table}");
        assert!(table.contains("gateway | 1 | 3.00 (1.50 x)"), "{table}");
    }

    /// A gateway without a floor has no ratio; a line that is none is an error.
    #[test]
    fn what_is_missing_is_left_out() {
        let table = tables(run("gateway", 3.0).as_bytes()).unwrap();
        assert!(table.contains("| gateway | 1 | 3.00 |"), "{table}");
        assert!(tables(&b"{}\n"[..]).is_err());
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
