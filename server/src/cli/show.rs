//! What commands print: tables for people, JSON for programs.
//!
//! What comes from elsewhere is shown without control characters: no name moves the cursor or
//! changes what stands on the terminal.

use std::io::Write as _;

use serde_json::Value;

use super::CliError;

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout(), "{}", clean(text))?)
}

/// Says something beside the result.
pub(crate) fn note(text: &str) {
    // Nothing is left to be done when this cannot be said.
    let _ = writeln!(std::io::stderr(), "{}", clean(text));
}

/// Says that a list goes on, if it does.
pub(crate) fn more(more: bool) {
    if more {
        note("There are more; --limit shows them.");
    }
}

/// Prints JSON.
pub(crate) fn json(value: &Value) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout(), "{value}")?)
}

/// The sentence of an action, or its whole answer as JSON.
pub(crate) fn done(answer: &Value, as_json: bool, more: Option<&str>) -> Result<(), CliError> {
    if as_json {
        return json(answer);
    }
    line(answer["done"].as_str().unwrap_or("Done."))?;
    if let Some(more) = more {
        note(more);
    }
    Ok(())
}

/// A list: JSON as it came, or a table.
pub(crate) fn list<T: serde::de::DeserializeOwned>(
    items: Vec<Value>,
    as_json: bool,
    head: &[&str],
    row: impl Fn(T) -> Vec<String>,
) -> Result<(), CliError> {
    if as_json {
        return json(&Value::Array(items));
    }
    let rows = items
        .into_iter()
        .map(|item| super::api::read(item).map(&row))
        .collect::<Result<Vec<_>, _>>()?;
    table(head, &rows)
}

/// Columns as wide as their widest cell.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
    let text = aligned(head, rows);
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn aligned(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(&head)
        .chain(rows)
        .map(|row| row.iter().map(|cell| clean(cell)).collect())
        .collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn clean(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Milliseconds since 1970 as local time.
pub(crate) fn time(ms: u64) -> String {
    let stamp = i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(String::new, |stamp| {
        let zoned = stamp.to_zoned(jiff::tz::TimeZone::system());
        zoned.strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
    })
}

/// The same of a time that may not be there.
pub(crate) fn time_or_dash(ms: Option<u64>) -> String {
    ms.map_or_else(|| "-".to_owned(), time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_carry_no_control_characters() {
        let rows = vec![
            vec!["é\x1b[2J".to_owned(), "b".to_owned()],
            vec!["longer\nname".to_owned(), String::new()],
        ];
        let text = aligned(&["NAME", "ROLE"], &rows);
        let expected = "NAME         ROLE\né\u{fffd}[2J        b\nlonger\u{fffd}name\n";
        assert_eq!(text, expected);
    }
}
