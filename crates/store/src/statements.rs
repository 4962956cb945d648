//! Statements by name, and all of them in a list, so that the store can try each when it is opened.

/// Makes a constant of each statement, and `ALL`.
macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*
        pub(crate) const ALL: &[&str] = &[$($name),*];
    };
}

pub(crate) use statements;

/// Every statement of the crate.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    [
        crate::activity::ALL,
        crate::api_keys::ALL,
        crate::definitions::ALL,
        crate::ending::ALL,
        crate::keys::ALL,
        crate::nonces::ALL,
        crate::revision::ALL,
        crate::revocations::ALL,
        crate::sessions::ALL,
        crate::tokens::ALL,
        crate::users::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Texts as they are searched, in small letters. Made here and kept beside them: SQLite knows the
/// small letters from A to Z alone, PostgreSQL those of its locale.
pub(crate) fn searched(texts: &[&str]) -> String {
    texts.join("\n").to_lowercase()
}

/// A pattern for LIKE that finds the text anywhere; what LIKE reads as a wildcard is escaped.
pub(crate) fn like(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('%');
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}
