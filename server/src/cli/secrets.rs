//! Reading passwords and tokens: from the terminal without showing them, from standard input, or
//! from a file. Never from the command line, which other users of the machine can read.

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use super::CliError;

/// Longer ones are no secrets.
const MAX_BYTES: u64 = 64 * 1024;
/// A terminal keeps no longer lines.
const MAX_LINE: usize = 4096;
/// Ctrl-C, as the terminal gives it while it raises no signal.
const INTERRUPT: char = '\x03';

/// A secret of the file, of standard input (`-`, or where that is no terminal), or of who sits at the
/// terminal; asked twice where a slip of the finger would lock somebody out.
pub(crate) fn secret(what: &str, file: Option<&Path>, twice: bool) -> Result<String, CliError> {
    let said = match file {
        Some(path) if path.as_os_str() != "-" => {
            let open = File::open(path).and_then(first_line);
            open.map_err(|error| CliError::Unreadable(path.to_owned(), error))?
        }
        None if std::io::stdin().is_terminal() => {
            let first = ask(&format!("{what}: "))?;
            if twice && ask("The same again: ")? != first {
                return Err(CliError::PasswordsDiffer);
            }
            first
        }
        _ => first_line(std::io::stdin())
            .map_err(|error| CliError::Unreadable(PathBuf::from("standard input"), error))?,
    };
    if said.is_empty() {
        return Err(CliError::NothingEntered);
    }
    Ok(said)
}

fn first_line(from: impl std::io::Read) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(from.take(MAX_BYTES)).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask(prompt: &str) -> Result<String, CliError> {
    // What is asked goes to the terminal, so that standard output holds the answer alone.
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    // First mute, then the question: who answers at once is not shown either.
    let hidden = Hidden::begin(&terminal)?;
    (&terminal).write_all(prompt.as_bytes())?;
    // The terminal gives a line at once, and no more than it: up to its end, or to Ctrl-C.
    let mut line = vec![0; MAX_LINE];
    let length = (&terminal).read(&mut line)?;
    drop(hidden);
    (&terminal).write_all(b"\n")?;
    let line = String::from_utf8_lossy(&line[..length]);
    if line.contains(INTERRUPT) {
        return Err(CliError::NothingEntered);
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// As long as it lives the terminal shows nothing of what is typed. Ctrl-C ends the line instead of
/// the program, which would leave the terminal mute.
struct Hidden<'a> {
    terminal: &'a File,
    before: rustix::termios::Termios,
}

impl<'a> Hidden<'a> {
    fn begin(terminal: &'a File) -> Result<Self, CliError> {
        let before = tcgetattr(terminal).map_err(std::io::Error::from)?;
        let mut mute = before.clone();
        mute.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
        mute.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT as u8;
        tcsetattr(terminal, OptionalActions::Flush, &mute).map_err(std::io::Error::from)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // Nothing is left to be done when even this fails.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
