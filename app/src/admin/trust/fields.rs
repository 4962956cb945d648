//! What several forms ask: a name, a password, how long something lives.

use leptos::prelude::*;

use crate::components::{SelectField, TextField};

/// The shortest password that the gateway takes.
const MIN_PASSWORD_CHARS: usize = 8;
/// The longest, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// What is wrong with the name of a user or an API key.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    let good = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b));
    if !good {
        Some("1 to 64 lower-case letters, digits, or . _ - @")
    } else if name == "admin" {
        Some("This name belongs to the built-in administrator.")
    } else {
        None
    }
}

/// What is wrong with a new password.
pub(super) fn password_fault(password: &str) -> Option<&'static str> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        Some("At least 8 characters.")
    } else if password.len() > MAX_PASSWORD_BYTES {
        Some("At most 1024 bytes.")
    } else {
        None
    }
}

/// Units of a life, and the seconds of each.
const UNITS: [(&str, &str, u64); 4] = [
    ("minutes", "minutes", 60),
    ("hours", "hours", 3_600),
    ("days", "days", 86_400),
    ("seconds", "seconds", 1),
];

/// How long something lives, as it is typed.
#[derive(Clone, Copy)]
pub(super) struct Life {
    count: RwSignal<String>,
    unit: RwSignal<String>,
    /// The longest, in seconds.
    most: u64,
    /// What is said when it is left empty.
    empty: &'static str,
}

impl Life {
    pub(super) fn new(unit: &str, most: u64, empty: &'static str) -> Self {
        Self {
            count: RwSignal::default(),
            unit: RwSignal::new(unit.to_owned()),
            most,
            empty,
        }
    }

    /// The seconds; none when it is left empty.
    pub(super) fn seconds(&self) -> Result<Option<u64>, String> {
        let unit = self.unit.with(|unit| {
            let found = UNITS.iter().find(|(key, _, _)| key == unit);
            found.map_or(1, |(_, _, seconds)| *seconds)
        });
        self.count.with(|count| life(count, unit, self.most))
    }

    pub(super) fn clear(&self) {
        self.count.set(String::new());
    }
}

fn life(count: &str, unit: u64, most: u64) -> Result<Option<u64>, String> {
    if count.trim().is_empty() {
        return Ok(None);
    }
    let seconds = count.trim().parse::<u64>().ok();
    match seconds.and_then(|count| count.checked_mul(unit)) {
        Some(seconds) if (1..=most).contains(&seconds) => Ok(Some(seconds)),
        Some(seconds) if seconds > most => Err(format!("At most {} days.", most / 86_400)),
        _ => Err("A whole number, at least 1.".to_owned()),
    }
}

/// A number and its unit, side by side.
#[component]
pub(super) fn LifeField(
    /// What it holds.
    life: Life,
    /// Whether the form was sent once: then a fault is said.
    tried: RwSignal<bool>,
) -> impl IntoView {
    let error = Signal::derive(move || life.seconds().err().filter(|_| tried.get()));
    let units = UNITS.iter().map(|(key, words, _)| (*key, *words)).collect();
    view! {
        <div class="life">
            <TextField
                name="life"
                label="Life"
                value=life.count
                hint=life.empty
                error
            />
            <SelectField name="life-unit" label="Unit" value=life.unit options=units/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_would_refuse_is_said_before() {
        for good in ["olga", "a.b_c-d@e", "0"] {
            assert_eq!(name_fault(good), None, "{good}");
        }
        for bad in ["", "Olga", "a b", "admin", &"a".repeat(65), "ä"] {
            assert!(name_fault(bad).is_some(), "{bad}");
        }
        assert!(password_fault("1234567").is_some());
        assert_eq!(password_fault("12345678"), None);
        assert!(password_fault(&"x".repeat(1025)).is_some());
    }

    #[test]
    fn a_life_is_counted_in_its_unit() {
        assert_eq!(life(" ", 60, 100), Ok(None));
        assert_eq!(life("2", 60, 1_000), Ok(Some(120)));
        assert!(life("2", 86_400, 86_400).is_err());
        assert!(life("0", 60, 1_000).is_err() && life("1.5", 60, 1_000).is_err());
        assert!(life(&u64::MAX.to_string(), 86_400, 86_400).is_err());
    }
}
