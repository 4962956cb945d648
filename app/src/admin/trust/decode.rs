//! What stands in a token, read without checking it: a JWT is signed, not sealed.

/// The header and the claims as JSON; none of what is no JWT.
pub(super) fn decode(token: &str) -> Option<(String, String)> {
    let mut parts = token.trim().split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    Some((json(header)?, json(claims)?))
}

fn json(part: &str) -> Option<String> {
    let text = String::from_utf8(base64url(part)?).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).ok()?;
    Some(text)
}

/// RFC 4648, section 5, without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // What is left over pads the last byte, and is nothing.
    (held < 6 && bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_what_is_none_is_not() {
        // {"alg":"HS256"} and {"id":"ä?>"}
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IsOkPz4ifQ.c2ln";
        let (header, claims) = decode(token).unwrap();
        assert_eq!(header, r#"{"alg":"HS256"}"#);
        assert_eq!(claims, r#"{"id":"ä?>"}"#);
        for bad in [
            "",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "eyJ9.eyJ9.x",
            "e30.e30.",
            "e30.{}.x",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert!(decode("e30.e30.x").is_some());
    }
}
