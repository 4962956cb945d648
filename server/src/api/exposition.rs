//! The Prometheus text format, version 0.0.4: as much of it as the gateway needs.
//!
//! Written here rather than by a library, because the libraries want to own what they print: their
//! counters would take the place of the hub's, with a lock or an allocation on the way of an event.
//! A test reads the result with the parser of Prometheus's own Python client.

use std::fmt::{Display, Write as _};

use tidegate_hub::{BOUNDS_US, Durations};

/// The content type of the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics, family by family.
#[derive(Default)]
pub(super) struct Exposition(String);

/// The samples of one family.
pub(super) struct Family<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Exposition {
    /// A number that only grows; its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.counters(name, help).sample(&[], value);
    }

    /// A number that goes up and down.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.gauges(name, help).sample(&[], value);
    }

    /// Counters that differ in their labels.
    pub(super) fn counters(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// Gauges that differ in their labels.
    pub(super) fn gauges(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// Durations, in seconds.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str, read: &Durations) {
        let page = self.family(name, "histogram", help).page;
        let mut below = 0;
        let bounds = BOUNDS_US.iter().map(|us| (*us as f64 / 1e6).to_string());
        for (bound, here) in bounds.chain(["+Inf".to_owned()]).zip(read.buckets) {
            below += here;
            put(
                page,
                format_args!("{name}_bucket{{le=\"{bound}\"}} {below}\n"),
            );
        }
        let seconds = read.sum_ns as f64 / 1e9;
        put(
            page,
            format_args!("{name}_sum {seconds}\n{name}_count {below}\n"),
        );
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        put(
            &mut self.0,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        Family {
            page: &mut self.0,
            name,
        }
    }
}

impl Family<'_> {
    /// One sample; label values are escaped.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.page.push_str(self.name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let text = text
                .replace('\\', r"\\")
                .replace('"', r#"\""#)
                .replace('\n', r"\n");
            put(self.page, format_args!("{open}{label}=\"{text}\""));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        put(self.page, format_args!("{close} {value}\n"));
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let mut page = Exposition::default();
        page.counter("a_total", "A line\nand a \\.", 3);
        page.gauges("b", "B.")
            .sample(&[("x", "a\"b\\"), ("y", "\n")], 0.5);
        let histogram = tidegate_hub::Histogram::default();
        for us in [15, 15, 3_000, 20_000_000] {
            histogram.observe(std::time::Duration::from_micros(us));
        }
        page.histogram("c_seconds", "C.", &histogram.read());
        let text = page.into_text();
        assert!(text.starts_with(
            "# HELP a_total A line\\nand a \\\\.\n# TYPE a_total counter\na_total 3\n"
        ));
        assert!(
            text.contains("b{x=\"a\\\"b\\\\\",y=\"\\n\"} 0.5\n"),
            "{text}"
        );
        for line in [
            "c_seconds_bucket{le=\"0.00001\"} 0\n",
            "c_seconds_bucket{le=\"0.00002\"} 2\n",
            "c_seconds_bucket{le=\"10\"} 3\n",
            "c_seconds_bucket{le=\"+Inf\"} 4\n",
            "c_seconds_sum 20.00303\n",
            "c_seconds_count 4\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }
}
