//! Which figures are shown of each kind of run.

use crate::figures::{Deliveries, Figures, Idle, Joins, Line, Presences, Pushes};

/// One figure.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) decimals: usize,
    /// Whether its ratio to the floor's says something. The floor keeps nothing of a connection,
    /// so that memory for instance is told as it is.
    pub(super) compares: bool,
    pub(super) of: fn(&Line) -> Option<f64>,
}

/// A column of one kind of run.
macro_rules! columns {
    ($kind:ident($type:ty): $($name:literal, $decimals:literal, $compares:literal, $of:expr;)*) => {
        vec![$(Column {
            name: $name,
            decimals: $decimals,
            compares: $compares,
            of: |line| match &line.figures {
                Figures::$kind(run) => {
                    let of: fn(&$type) -> f64 = $of;
                    Some(of(run))
                }
                _ => None,
            },
        }),*]
    };
}

/// The columns of runs such as this, the figure that counts first.
pub(super) fn of(figures: &Figures) -> Vec<Column> {
    let mut columns = match figures {
        Figures::Subscribers(_) => columns! { Subscribers(Deliveries):
            "CPU µs per delivery", 2, true, |run| run.cpu_us_per_delivery;
            "p50 ms", 2, true, |run| run.latency.p50_us / 1000.0;
            "p99 ms", 2, true, |run| run.latency.p99_us / 1000.0;
            "deliveries/s", 0, false, |run| run.deliveries as f64 / run.delivering_seconds;
            "deliveries", 0, false, |run| run.deliveries as f64;
            "lost", 0, false, |run| run.lost as f64;
            "out of order", 0, false, |run| run.out_of_order as f64;
        },
        Figures::Idle(_) => columns! { Idle(Idle):
            "private bytes per connection", 0, false, |run| run.bytes_per_connection;
            "private before, KiB", 0, false, |run| run.private_before as f64 / 1024.0;
            "CPU µs to take one in", 1, false, |run| run.cpu_us_per_connection;
        },
        Figures::Joins(_) => columns! { Joins(Joins):
            "CPU µs per join", 2, true, |run| run.cpu_us_per_join;
            "joins/s", 0, true, |run| run.per_second;
            "first part/s", 0, false, |run| run.first_per_second;
            "last part/s", 0, false, |run| run.last_per_second;
        },
        Figures::Push(_) => columns! { Push(Pushes):
            "CPU µs per request", 2, true, |run| run.cpu_us_per_request;
            "p50 ms", 2, true, |run| run.latency.p50_us / 1000.0;
            "p99 ms", 2, true, |run| run.latency.p99_us / 1000.0;
            "requests/s", 0, false, |run| run.per_second;
        },
        Figures::Presence(_) => columns! { Presence(Presences):
            "diffs in a client's busiest second", 0, false, |run| f64::from(run.diffs_in_busiest_second);
            "diffs/s to the first member", 1, false, |run| f64::from(run.diffs_to_first) / run.settled_seconds;
            "CPU ms per member", 3, false, |run| run.cpu_ms_per_member;
            "settled after s", 2, false, |run| run.settled_seconds;
            "MB sent", 0, false, |run| run.bytes as f64 / 1e6;
            "fewest told of", 0, false, |run| run.fewest_told as f64;
        },
    };
    columns.extend(disturbances());
    columns
}

/// What tells whether the run can be trusted.
fn disturbances() -> [Column; 3] {
    let column = |name, of| Column {
        name,
        decimals: 0,
        compares: false,
        of,
    };
    [
        column("generator busy %", |line| {
            Some(line.cost.generator_busy * 100.0)
        }),
        column("target waited %", |line| {
            Some(line.cost.target_waited * 100.0)
        }),
        column("generator waited %", |line| {
            Some(line.cost.generator_waited * 100.0)
        }),
    ]
}
