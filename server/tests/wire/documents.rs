//! The documents name what the code does: every reason, every close code, every flag.

use tidegate_protocol::{Close, Reason};

use crate::gateway::{Gateway, PASSWORD, command};
use crate::metrics::Scrape;

const PROTOCOL: &str = include_str!("../../../docs/PROTOCOL.md");
const OPERATIONS: &str = include_str!("../../../docs/OPERATIONS.md");

/// What is counted for each outside issuer shows where there is one.
async fn with_an_issuer() -> Gateway {
    let issuer = ["--issuer", "one", "--issuer-audience", "me"];
    let keys = ["--issuer-jwks", "/nowhere", "--admin-password", PASSWORD];
    Gateway::with(&[issuer, keys].concat(), "").await
}

/// A3: one vocabulary, documented in one place.
#[test]
fn every_reason_is_documented() {
    for reason in Reason::ALL {
        let row = format!("| `{reason}` | ");
        assert_eq!(PROTOCOL.matches(&row).count(), 1, "docs/PROTOCOL.md: {row}");
    }
}

/// A14: every close has a code and a text.
#[test]
fn every_close_is_documented() {
    for close in Close::ALL {
        let row = format!("| {} | `{}` | ", close.code(), close.reason());
        assert_eq!(PROTOCOL.matches(&row).count(), 1, "docs/PROTOCOL.md: {row}");
        assert_ne!(close.code(), 1000);
        assert!(close.reason().len() <= 123);
    }
}

/// Section 4: every metric is documented with its type, and nothing else is.
#[tokio::test]
async fn every_metric_is_documented() {
    let gateway = with_an_issuer().await;
    let scrape = Scrape::of(&gateway).await;
    let mut documented: Vec<_> = OPERATIONS
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.strip_suffix('`')?;
            let kind = cells.next()?;
            let is_metric = ["counter", "gauge", "histogram"].contains(&kind);
            is_metric.then(|| (name.to_owned(), kind.to_owned()))
        })
        .collect();
    documented.sort();
    assert_eq!(scrape.families(), documented, "docs/OPERATIONS.md");
    for why in scrape.labels("tidegate_dropped_total", "reason") {
        let row = format!("| `{why}` | ");
        assert_eq!(OPERATIONS.matches(&row).count(), 1, "{row}");
    }
}

/// Section 4: every bound among the flags is documented with what shows that it is reached.
#[tokio::test]
async fn every_bound_is_documented() {
    let help = command().args(["serve", "--help"]).output();
    let help = help.await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags: Vec<_> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .filter(|flag| {
            let ends = ["-bytes", "-frames", "-seconds", "-second", "-clients"];
            flag.starts_with("--max-") || ends.iter().any(|end| flag.ends_with(end))
        })
        // No bound: where compression begins to pay.
        .filter(|flag| *flag != "--deflate-min-bytes")
        .collect();
    assert!(flags.len() >= 20, "{flags:?}");
    let gateway = with_an_issuer().await;
    let families = Scrape::of(&gateway).await.families();
    for flag in flags {
        let row = format!("| `{flag}` | ");
        let mut rows = OPERATIONS.lines().filter(|line| line.starts_with(&row));
        let line = rows
            .next()
            .unwrap_or_else(|| panic!("docs/OPERATIONS.md: {row}"));
        assert_eq!(rows.next(), None, "{flag} has one row");
        let shows = line.split(" | ").nth(1).unwrap();
        for metric in shows
            .split('`')
            .filter(|name| name.starts_with("tidegate_"))
        {
            let name = metric.split('{').next().unwrap();
            assert!(families.iter().any(|(family, _)| family == name), "{line}");
        }
    }
}
