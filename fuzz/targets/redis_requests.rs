//! The reader of Redis requests: however the bytes are cut, it finds what a plain reader finds that
//! has them all at once, and it holds no more than one request of the longest size.
//!
//! Input: a longest request, a largest number of words, a seed for the cuts; then the stream.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tidegate_fuzz::pieces;

// The reader is private to the bus and stays so: it is compiled here from its own file.
#[path = "../../crates/bus/src/listener/request.rs"]
mod request;

use request::Requests;

const LONGEST: [usize; 4] = [16, 64, 1000, 100_000];
const WORDS: [usize; 4] = [0, 1, 3, 100];
/// What is read from a socket at once.
const READ: usize = 16 * 1024;

/// All requests, and whether what follows them is none.
type Account = (Vec<Vec<Bytes>>, bool);

fuzz_target!(|input: &[u8]| {
    let [longest, words, seed, stream @ ..] = input else {
        return;
    };
    let longest = LONGEST[usize::from(*longest) % LONGEST.len()];
    let words = WORDS[usize::from(*words) % WORDS.len()];

    let expected = plainly(stream, longest, words);
    assert_eq!(found(stream.chunks(READ), longest, words), expected);
    assert_eq!(found(pieces(stream, *seed), longest, words), expected);
});

fn found<'a>(pieces: impl Iterator<Item = &'a [u8]>, longest: usize, words: usize) -> Account {
    let mut requests = Requests::new(longest, words);
    let mut all = Vec::new();
    for piece in pieces {
        requests.buffer().extend_from_slice(piece);
        loop {
            match requests.next() {
                Ok(None) => break,
                Ok(Some(request)) => {
                    all.push([vec![request.command], request.arguments].concat());
                }
                Err(_) => return (all, true),
            }
        }
        let buffer = requests.buffer();
        assert!(buffer.len() < longest.max(64) + piece.len());
        assert!(buffer.capacity() <= 4 * (longest.max(READ) + READ));
    }
    (all, false)
}

/// Arrays of bulk strings as Redis reads them.
fn plainly(stream: &[u8], longest: usize, words: usize) -> Account {
    let mut all = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        match one(rest, longest, words) {
            Ok(Some((request, length))) => {
                rest = &rest[length..];
                if !request.is_empty() {
                    all.push(request);
                }
            }
            Ok(None) => break,
            Err(()) => return (all, true),
        }
    }
    (all, false)
}

/// The request at the front and its length; none while it is cut off.
fn one(stream: &[u8], longest: usize, words: usize) -> Result<Option<(Vec<Bytes>, usize)>, ()> {
    let mut at = 0;
    let Some(count) = line(stream, &mut at, b'*')? else {
        return Ok(None);
    };
    let count = count.max(0) as usize;
    if count > words {
        return Err(());
    }
    let mut request = Vec::new();
    for _ in 0..count {
        let Some(length) = line(stream, &mut at, b'$')? else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(drop)?;
        let end = at
            .checked_add(length)
            .and_then(|end| end.checked_add(2))
            .ok_or(())?;
        if end > longest {
            return Err(());
        }
        let Some(word) = stream.get(at..end) else {
            return Ok(None);
        };
        let word = word.strip_suffix(b"\r\n").ok_or(())?;
        request.push(Bytes::copy_from_slice(word));
        at = end;
    }
    Ok(Some((request, at)))
}

/// The number in a line that begins with `kind`; none while it is cut off.
fn line(stream: &[u8], at: &mut usize, kind: u8) -> Result<Option<i64>, ()> {
    let Some((first, line)) = stream[*at..].split_first() else {
        return Ok(None);
    };
    if *first != kind {
        return Err(());
    }
    let Some(length) = line.windows(2).position(|pair| pair == b"\r\n") else {
        return if line.len() > 33 { Err(()) } else { Ok(None) };
    };
    let digits = std::str::from_utf8(&line[..length]).map_err(drop)?;
    let number: i64 = digits.parse().map_err(drop)?;
    // As Redis: one spelling for each number.
    if length > 32 || number.to_string() != digits {
        return Err(());
    }
    *at += 1 + length + 2;
    Ok(Some(number))
}
