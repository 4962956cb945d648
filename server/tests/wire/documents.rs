//! The documents name what the code does: every reason, every close code, every flag.

use tidegate_protocol::{Close, Reason};

const PROTOCOL: &str = include_str!("../../../docs/PROTOCOL.md");

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
