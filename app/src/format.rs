//! Numbers and times as people read them. Missing values are an en dash.

/// What stands for a value that nobody reported.
pub const MISSING: &str = "–";

/// A whole number with thin groups of three: `12 345`.
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        out.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Bytes in binary units with three significant digits: `1.95 GiB`.
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = value.max(0.0);
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if unit == 0 || value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A span of milliseconds in its largest fitting unit: `4 s`, `3 min`, `2 h 5 min`, `3 d 4 h`.
pub fn span(ms: f64) -> String {
    let s = (ms.max(0.0) / 1000.0) as u64;
    match s {
        0..=59 => format!("{s} s"),
        60..=3599 => format!("{} min", s / 60),
        3600..=86_399 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// Microseconds as `40 µs`, `1.5 ms`, `2.0 s`.
pub fn micros(us: u64) -> String {
    let digits = |value: f64| usize::from(value < 10.0);
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => {
            let ms = us as f64 / 1e3;
            format!("{ms:.*} ms", digits(ms))
        }
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

/// The time of day, in UTC, of milliseconds since 1970: `13:30:00`.
pub fn clock_utc(ms: f64) -> String {
    let s = (ms / 1000.0).floor().rem_euclid(86_400.0) as u64;
    format!("{:02}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(12_345), "12\u{202f}345");
        assert_eq!(grouped(-1_234_567), "−1\u{202f}234\u{202f}567");
    }

    #[test]
    fn bytes_take_the_largest_unit() {
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(1536.0), "1.50 KiB");
        assert_eq!(bytes(25_140_000_000.0), "23.4 GiB");
    }

    #[test]
    fn spans_and_times_of_day() {
        assert_eq!(span(4200.0), "4 s");
        assert_eq!(span(7_500_000.0), "2 h 5 min");
        assert_eq!(clock_utc(1_633_613_400_000.0), "13:30:00");
    }
}
