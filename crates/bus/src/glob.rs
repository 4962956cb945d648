//! Patterns as Redis understands them.
//!
//! `*` any bytes, also none, `?` one byte, `[abc]` `[a-z]` `[^a-z]` one byte of a set, `\x` the byte `x`
//! itself. Every byte string is a pattern; an unclosed `[` ends with the pattern, as it does in
//! Redis. Matching takes at most pattern length times subject length steps, so that no pattern
//! can stop the broker.

use bytes::Bytes;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Any,
    Set {
        negated: bool,
        ranges: Vec<(u8, u8)>,
    },
}

impl Token {
    fn matches(&self, byte: u8) -> bool {
        match self {
            Token::Byte(b) => *b == byte,
            Token::One | Token::Any => true,
            Token::Set { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&byte))
                    != *negated
            }
        }
    }
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    source: Bytes,
    tokens: Vec<Token>,
}

impl Glob {
    /// Compiles a pattern; there is none that is wrong.
    pub fn new(pattern: impl Into<Bytes>) -> Self {
        let source = pattern.into();
        let mut tokens = Vec::new();
        let mut rest: &[u8] = &source;
        loop {
            rest = match *rest {
                [] => break,
                [b'*', ref rest @ ..] => {
                    // Several stars mean what one does.
                    if tokens.last() != Some(&Token::Any) {
                        tokens.push(Token::Any);
                    }
                    rest
                }
                [b'?', ref rest @ ..] => {
                    tokens.push(Token::One);
                    rest
                }
                [b'[', ref rest @ ..] => {
                    let (set, rest) = set(rest);
                    tokens.push(set);
                    rest
                }
                [b'\\', byte, ref rest @ ..] | [byte, ref rest @ ..] => {
                    tokens.push(Token::Byte(byte));
                    rest
                }
            };
        }
        Self { source, tokens }
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &Bytes {
        &self.source
    }

    /// Whether the whole subject fits.
    pub fn matches(&self, subject: &[u8]) -> bool {
        // To Redis, not even `*` means the empty name.
        if subject.is_empty() {
            return self.source.is_empty();
        }
        let (mut token, mut at) = (0, 0);
        // Where to go on when the way taken fails: after the last star, one byte further on.
        // One star to come back to is enough, for every other token takes exactly one byte.
        let mut star: Option<(usize, usize)> = None;
        while at < subject.len() {
            match self.tokens.get(token) {
                Some(Token::Any) => {
                    star = Some((token + 1, at));
                    token += 1;
                }
                Some(one) if one.matches(subject[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => match star {
                    Some((after, from)) => {
                        token = after;
                        at = from + 1;
                        star = Some((after, at));
                    }
                    None => return false,
                },
            }
        }
        self.tokens[token..].iter().all(|t| *t == Token::Any)
    }
}

/// Reads a set from behind its `[` and returns what follows its `]`.
fn set(mut rest: &[u8]) -> (Token, &[u8]) {
    let negated = rest.first() == Some(&b'^');
    if negated {
        rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    loop {
        rest = match *rest {
            [] => break,
            [b'\\', byte, ref rest @ ..] => {
                ranges.push((byte, byte));
                rest
            }
            [b']', ref after @ ..] => {
                rest = after;
                break;
            }
            [low, b'-', high, ref rest @ ..] => {
                ranges.push((low.min(high), low.max(high)));
                rest
            }
            [byte, ref rest @ ..] => {
                ranges.push((byte, byte));
                rest
            }
        };
    }
    (Token::Set { negated, ranges }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, subject: &str) -> bool {
        Glob::new(pattern.to_owned()).matches(subject.as_bytes())
    }

    #[test]
    fn patterns_mean_what_they_mean_to_redis() {
        for (pattern, subject, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", false),
            ("a*", "a", true),
            ("to:*", "to:room:update", true),
            ("to:*", "from:room:update", false),
            ("*:update", "to:room:update", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h[a-b]llo", "hcllo", false),
            (r"h\*llo", "h*llo", true),
            (r"h\*llo", "hello", false),
            (r"h[\]]llo", "h]llo", true),
            ("h[", "ha", false),
            ("h[^", "ha", true),
            ("h[ab", "ha", true),
            ("[]x", "x", false),
            (r"end\", r"end\", true),
            ("**a**", "a", true),
        ] {
            assert_eq!(
                matches(pattern, subject),
                expected,
                "{pattern} on {subject}"
            );
        }
    }

    /// The naive matcher of this pattern takes longer than the universe has.
    #[test]
    fn many_stars_do_not_stop_the_broker() {
        assert!(!matches(
            &format!("{}b", "a*".repeat(200)),
            &"a".repeat(20_000)
        ));
    }
}
