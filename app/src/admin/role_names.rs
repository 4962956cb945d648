//! Several roles on one line, as forms ask for them and lists show them.

use tidegate_protocol::RoleName;

/// How much of a name that will not do is repeated in the sentence about it.
const SHOWN_CHARS: usize = 24;

/// The roles in a line, separated by commas or spaces, each of them once; or what is wrong with them.
pub(super) fn role_names(line: &str, most: usize) -> Result<Vec<RoleName>, String> {
    let mut roles: Vec<RoleName> = Vec::new();
    let split = line.split(|c: char| c == ',' || c.is_whitespace());
    for name in split.filter(|name| !name.is_empty()) {
        let role = RoleName::new(name)
            .map_err(|error| format!("{} will not do: {error}.", beginning(name)))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    if roles.len() > most {
        return Err(format!("At most {most} roles."));
    }
    Ok(roles)
}

/// The roles as a line.
pub(super) fn role_line(roles: &[RoleName]) -> String {
    let names: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
    names.join(", ")
}

fn beginning(name: &str) -> String {
    match name.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_roles() {
        let roles = role_names(" editor,night  ops:eu\u{a0}editor,", 3).unwrap();
        assert_eq!(role_line(&roles), "editor, night, ops:eu");
        assert_eq!(role_names(&role_line(&roles), 3).unwrap(), roles);
        assert_eq!(role_names(" , ", 3), Ok(Vec::new()));
        assert_eq!(role_names("a b c d", 3), Err("At most 3 roles.".to_owned()));
    }

    #[test]
    fn a_name_that_will_not_do_is_said_in_short() {
        let fault = role_names(&format!("a {}", "ä".repeat(33)), 3).unwrap_err();
        assert!(fault.starts_with(&format!("{}… will not do", "ä".repeat(24))));
        assert!(role_names("a\u{7}b", 3).is_err());
    }
}
