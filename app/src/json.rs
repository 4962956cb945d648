//! JSON made readable without changing it: only the white space differs, so numbers, key order
//! and even a text that was cut off in the middle stay what came over the wire.

/// The text with one value per line. What is no JSON comes back line by line as it was.
pub fn indent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                let mut escaped = false;
                for c in chars.by_ref() {
                    out.push(c);
                    match c {
                        '"' if !escaped => break,
                        '\\' => escaped = !escaped,
                        _ => escaped = false,
                    }
                }
            }
            '{' | '[' => {
                let close = if c == '{' { '}' } else { ']' };
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                out.push(c);
                if chars.next_if_eq(&close).is_some() {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    // Deeper than this nobody reads, and the spaces would outweigh the text.
    out.extend(std::iter::repeat_n("  ", depth.min(40)));
}

/// What is wrong with a text that should be JSON, in words with its place.
pub fn fault(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("Write some JSON here, {} for an empty payload.".to_owned());
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    Some(format!(
        "Not JSON: {what}, at line {} column {}.",
        error.line(),
        error.column()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_a_line_each_and_stay_what_they_were() {
        let text = r#"{"b":1.50,"a":[1,{"c":"x:\"{,"}],"e":{ },"f":[]}"#;
        let wanted = "{\n  \"b\": 1.50,\n  \"a\": [\n    1,\n    {\n      \"c\": \"x:\\\"{,\"\n    }\n  ],\n  \"e\": {},\n  \"f\": []\n}";
        assert_eq!(indent(text), wanted);
    }

    #[test]
    fn a_text_cut_in_the_middle_is_still_readable() {
        assert_eq!(indent(r#"{"a":[1,"x"#), "{\n  \"a\": [\n    1,\n    \"x");
        assert_eq!(indent("]]]}"), "\n]\n]\n]\n}");
        assert_eq!(indent(r#""\\"7"#), r#""\\"7"#);
    }

    #[test]
    fn a_fault_names_its_place() {
        assert_eq!(fault(r#"{"a": 1}"#), None);
        assert_eq!(fault("3"), None);
        assert!(fault("  ").is_some());
        let words = fault("{\n \"a\": }").unwrap();
        assert!(words.contains("line 2"), "{words}");
    }
}
