//! What opens something is not written down: somebody may have pasted it into an address.

use super::people::KEY_PREFIX;

/// What stands in its place.
const MASK: &str = "(a secret)";

/// Without what looks like a token (a JWT) or like an API key.
pub(super) fn masked(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let (found, after) = rest.split_at(end);
        match secret_in(found) {
            Some(at) => {
                out.push_str(&found[..at]);
                out.push_str(MASK);
            }
            None => out.push_str(found),
        }
        let end = after.find(word).unwrap_or(after.len());
        let (between, after) = after.split_at(end);
        out.push_str(between);
        rest = after;
    }
    out
}

/// Where a secret begins in a word; it goes on to the end.
fn secret_in(word: &str) -> Option<usize> {
    let token = word.match_indices("eyJ").map(|(at, _)| at);
    let mut token = token.filter(|at| word[*at..].split('.').take(3).count() == 3);
    let key = word.find(KEY_PREFIX);
    [token.next(), key].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_keys_are_masked_wherever_they_stand() {
        for (text, expected) in [
            (
                "/auth/tokens/eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2ln-_",
                "/auth/tokens/(a secret)",
            ),
            (
                "There is no token \"eyJh.eyJp.c2ln\" (any more).",
                "There is no token \"(a secret)\" (any more).",
            ),
            ("/auth/api-keys/tgk_00ff11", "/auth/api-keys/(a secret)"),
            (
                "a=xtgk_1&b=eyJh.b.c,eyJh.b.c",
                "a=x(a secret)&b=(a secret),(a secret)",
            ),
            ("eyJh.eyJp", "eyJh.eyJp"),
            (
                "/channels/room.a.b.c/é/keyJ.x",
                "/channels/room.a.b.c/é/keyJ.x",
            ),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
